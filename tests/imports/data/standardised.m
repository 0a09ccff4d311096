function [Y,Xf,Af] = standardised(X,~,~)
%STANDARDISED neural network simulation function.
%   X = 3xQ matrix, input #1

% ===== NEURAL NETWORK CONSTANTS =====
x1_step1.xoffset = [-1.2350000000000001; ...
   1.1870000000000001; ...
   -0.81699999999999995];
x1_step1.gain = [2.9670000000000001;0.44400000000000001;1.1879999999999999];
x1_step1.ymean = 0;
% Layer 1
b1 = [0.85980000000000001;1.5055000000000001;-0.65359999999999996;0.61040000000000005];
IW1_1 = [-1.7383 -1.3366 -1.3611;-0.35160000000000002 -2.3126000000000002 -0.18890000000000001;-0.95720000000000005 0.89359999999999995 0.95679999999999998;1.3923000000000001 0.76749999999999996 -0.052999999999999999];
% Layer 2
b2 = [-1.8164;1.5525;-0.86140000000000005];
LW2_1 = [-0.042700000000000002 1.4399999999999999 -0.83689999999999998 -0.30149999999999999; ...
   0.36230000000000001 0.2581 -1.6394 0.36020000000000002; ...
   -0.11849999999999999 -0.2397 -0.15529999999999999 0.219];
% Layer 3
b3 = [-0.86270000000000002; ...
   -2.4651000000000001];
LW3_2 = [ % a comment; with ] and ' in it
-2.2414000000000001 -0.082000000000000003 1.4575
-0.51859999999999995 1.5512999999999999 1.5569];
y1_step1.xoffset = [-0.025999999999999999;0.872];
y1_step1.gain = [1.002;1.405];
y1_step1.ymean = 0;
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
xp1 = mapstd_apply(X{1,ts},x1_step1);
a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);
a2 = elliotsig_apply(repmat(b2,1,Q) + LW2_1*a1);
a3 = repmat(b3,1,Q) + LW3_2*a2;
temp = mapstd_reverse(a3,y1_step1);
Y{1,ts} = temp;
end
Xf = cell(1,0); Af = cell(2,0);
if ~isCellX
  Y = cell2mat(Y);
end
end
function a = elliotsig_apply(n,~)
  a = n ./ (1 + abs(n));
end
function y = mapstd_apply(x,settings)
  y = bsxfun(@minus,x,settings.xoffset);
  y = bsxfun(@times,y,settings.gain);
  y = bsxfun(@plus,y,settings.ymean);
end
function x = mapstd_reverse(y,settings)
  x = bsxfun(@minus,y,settings.ymean);
  x = bsxfun(@rdivide,x,settings.gain);
  x = bsxfun(@plus,x,settings.xoffset);
end
function a = tansig_apply(n,~)
  a = 2 ./ (1 + exp(-2*n)) - 1;
end
