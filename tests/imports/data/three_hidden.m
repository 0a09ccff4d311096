function [Y,Xf,Af] = three_hidden(X,~,~)
%THREE_HIDDEN neural network simulation function.
%   X = 2xQ matrix, input #1

%{
x1_step1.gain = 0;
%}
clc; disp('It''s a network'), tic
% ===== NEURAL NETWORK CONSTANTS =====
x1_step1.xoffset = [ % a comment; with ] and ' in it
0.090999999999999998
-0.35399999999999998];
x1_step1.gain = [1.1930000000000001; ...
   1.9079999999999999];
x1_step1.ymin = -1;
% Layer 1
b1 = [-0.39439999999999997;-0.86240000000000006;-2.0326;1.4104000000000001];
IW1_1 = [-0.80279999999999996 0.24279999999999999; ...
   -1.6563000000000001 0.65610000000000002; ...
   1.1435 -0.4526; ...
   0.43049999999999999 0.25090000000000001];
% Layer 2
b2 = [-0.094;
  -0.3851;
  0.81079999999999997];
LW2_1 = [ % a comment; with ] and ' in it
-0.047600000000000003 2.5223 0.82620000000000005 0.27779999999999999
-0.65739999999999998 1.3925000000000001 -0.50629999999999997 1.5699000000000001
-0.39839999999999998 0.186 -1.5226999999999999 2.3431999999999999];
% Layer 3
b3 = [ % a comment; with ] and ' in it
-0.59379999999999999
-1.4639];
LW3_2 = [-0.89139999999999997,0.76759999999999995,-1.1712;
  0.54520000000000002,-1.0441,-1.8371];
% Layer 4
b4 = 0.50939999999999996;
LW4_3 = [0.55330000000000001 0.021700000000000001];
y1_step1.xoffset = -0.183;
y1_step1.gain = 0.32800000000000001;
y1_step1.ymin = -1;
isCellX = iscell(X);
if ~isCellX
  X = {X};
end
TS = size(X,2); % timesteps
if ~isempty(X)
  Q = size(X{1},2);
else
  Q = 0;
end
Y = cell(1,TS);
for ts=1:TS
xp1 = mapminmax_apply(X{1,ts},x1_step1);
a1 = poslin_apply(repmat(b1,1,Q) + IW1_1*xp1);
a2 = tansig_apply(repmat(b2,1,Q) + LW2_1*a1);
a3 = logsig_apply(repmat(b3,1,Q) + LW3_2*a2);
a4 = repmat(b4,1,Q) + LW4_3*a3;
temp = mapminmax_reverse(a4,y1_step1);
Y{1,ts} = temp;
end
Xf = cell(1,0); Af = cell(2,0);
if ~isCellX
  Y = cell2mat(Y);
end
end
function a = logsig_apply(n,~)
  a = 1 ./ (1 + exp(-n));
end
function y = mapminmax_apply(x,settings)
  y = bsxfun(@minus,x,settings.xoffset);
  y = bsxfun(@times,y,settings.gain);
  y = bsxfun(@plus,y,settings.ymin);
end
function x = mapminmax_reverse(y,settings)
  x = bsxfun(@minus,y,settings.ymin);
  x = bsxfun(@rdivide,x,settings.gain);
  x = bsxfun(@plus,x,settings.xoffset);
end
function a = poslin_apply(n,~)
  a = max(0,n);
  a(isnan(n)) = nan;
end
function a = tansig_apply(n,~)
  a = 2 ./ (1 + exp(-2*n)) - 1;
end
