function [Y,Xf,Af] = one_unit(X,~,~)
%ONE_UNIT neural network simulation function.
%   X = Qx1 matrix, input #1

% ===== NEURAL NETWORK CONSTANTS =====
x1_step1.xoffset = -0.249;
x1_step1.gain = 0.49399999999999999;
x1_step1.ymin = -1;
% Layer 1
b1 = -0.72499999999999998;
IW1_1 = -1.1032999999999999;
% Layer 2
b2 = 0.26700000000000002;
LW2_1 = -0.78180000000000005;
y1_step1.xoffset = 0.84299999999999997;
y1_step1.gain = 2.5409999999999999;
y1_step1.ymin = -1;
isCellX = iscell(X);
if ~isCellX
  X = {X};
end
TS = size(X,2); % timesteps
if ~isempty(X)
  Q = size(X{1},1);
else
  Q = 0;
end
Y = cell(1,TS);
for ts=1:TS
X{1,ts} = X{1,ts}';
xp1 = mapminmax_apply(X{1,ts},x1_step1);
a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);
a2 = repmat(b2,1,Q) + LW2_1*a1;
temp = mapminmax_reverse(a2,y1_step1);
Y{1,ts} = temp;
Y{1,ts} = Y{1,ts}';
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
function a = tansig_apply(n,~)
  a = 2 ./ (1 + exp(-2*n)) - 1;
end
