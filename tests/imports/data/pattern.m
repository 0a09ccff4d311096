function [Y,Xf,Af] = pattern(X,~,~)
%PATTERN neural network simulation function.
%   X = 4xQ matrix, input #1

% ===== NEURAL NETWORK CONSTANTS =====
x1_step1.xoffset = [-0.11600000000000001;0.39400000000000002;1.748;-0.14799999999999999];
x1_step1.gain = [1.367;0.115;2.109;2.419];
x1_step1.ymin = -1;
% Layer 1
b1 = [-0.90580000000000005;-0.81630000000000003;0.081299999999999997;0.28139999999999998;-1.599];
IW1_1 = [1.0530999999999999 1.7765 -2.5533000000000001 -0.13800000000000001;1.0137 1.3521000000000001 0.65380000000000005 1.4971000000000001;0.28999999999999998 0.55130000000000001 0.1787 -1.0739000000000001;-0.84660000000000002 0.37959999999999999 -0.58020000000000005 1.2716000000000001;1.2924 1.7988 -0.026100000000000002 1.3836999999999999];
% Layer 2
b2 = [-0.86229999999999996;2.0019;-0.36370000000000002];
LW2_1 = [-1.7306999999999999 0.35510000000000003 -0.86219999999999997 1.2083999999999999 0.39450000000000002;0.30719999999999997 0.2084 0.89549999999999996 -0.153 1.0855999999999999;-0.52590000000000003 -0.22500000000000001 -0.68049999999999999 0.59770000000000001 0.035900000000000001];
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
a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);
a2 = softmax_apply(repmat(b2,1,Q) + LW2_1*a1);
Y{1,ts} = a2;
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
function a = softmax_apply(n,~)
  nmax = max(n,[],1);
  n = bsxfun(@minus,n,nmax);
  numer = exp(n);
  denom = sum(numer,1);
  denom(denom == 0) = 1;
  a = bsxfun(@rdivide,numer,denom);
end
function a = tansig_apply(n,~)
  a = 2 ./ (1 + exp(-2*n)) - 1;
end
