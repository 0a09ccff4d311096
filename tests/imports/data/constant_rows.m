function [Y,Xf,Af] = constant_rows(X,~,~)
%CONSTANT_ROWS neural network simulation function.
%   X = 5xQ matrix, input #1

% ===== NEURAL NETWORK CONSTANTS =====
x1_step1.keep = [1 3 4];
x1_step1.remove = [2 5];
x1_step1.constants = [0;7];
x1_step1.xrows = 5;
x1_step2.xoffset = [-2.5169999999999999;-0.53900000000000003;-0.049000000000000002];
x1_step2.gain = [1.591;1.5409999999999999;0.81799999999999995];
x1_step2.ymin = -1;
% Layer 1
b1 = [0.10539999999999999;-0.93049999999999999;-0.0293;0.69530000000000003];
IW1_1 = [0.0011999999999999999 0.29870000000000002 -0.27410000000000001;-0.89059999999999995 -0.45469999999999999 -0.99160000000000004;0.060100000000000001 1.3402000000000001 -0.49220000000000003;-0.62050000000000005 0.48980000000000001 0.3569];
% Layer 2
b2 = [0.15679999999999999;-0.18690000000000001];
LW2_1 = [-1.3442000000000001 -0.45760000000000001 -1.9012 -1.2895000000000001;-1.8416999999999999 -0.2351 -1.2674000000000001 0.27129999999999999];
y1_step1.keep = [2 3];
y1_step1.remove = 1;
y1_step1.constants = 4.5;
y1_step1.xrows = 3;
y1_step2.xoffset = [0.14699999999999999;-0.97899999999999998];
y1_step2.gain = [2.1070000000000002;0.68200000000000005];
y1_step2.ymin = -1;
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
xp1 = removeconstantrows_apply(X{1,ts},x1_step1);
xp1 = mapminmax_apply(xp1,x1_step2);
a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);
a2 = repmat(b2,1,Q) + LW2_1*a1;
temp = mapminmax_reverse(a2,y1_step2);
temp = removeconstantrows_reverse(temp,y1_step1);
Y{1,ts} = temp;
end
Xf = cell(1,0); Af = cell(2,0);
if ~isCellX
  Y = cell2mat(Y);
end
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
function y = removeconstantrows_apply(x,settings)
  y = x(settings.keep,:);
end
function x = removeconstantrows_reverse(y,settings)
  Q = size(y,2);
  x = nan(settings.xrows,Q);
  x(settings.keep,:) = y;
  x(settings.remove,:) = repmat(settings.constants,1,Q);
end
function a = tansig_apply(n,~)
  a = 2 ./ (1 + exp(-2*n)) - 1;
end
