function [Y,Xf,Af] = fit_rows(X,~,~)
%FIT_ROWS neural network simulation function.
%   X = Qx2 matrix, input #1

% ===== NEURAL NETWORK CONSTANTS =====
x1_step1.xoffset = [-1.6379999999999999;-1.7290000000000001];
x1_step1.gain = [0.40300000000000002;0.68600000000000005];
x1_step1.ymin = -1;
% Layer 1
b1 = [0.97760000000000002;-0.31059999999999999;-0.32879999999999998;-0.79210000000000003;0.45500000000000002];
IW1_1 = [0.18909999999999999 -0.52270000000000005;-0.41310000000000002 -2.4415;1.7997000000000001 1.1442000000000001;-0.32540000000000002 0.77380000000000004;0.28120000000000001 -0.55379999999999996];
% Layer 2
b2 = [0.78320000000000001;2.0567000000000002];
LW2_1 = [-0.099199999999999997 0.54530000000000001 -0.60719999999999996 0.1268 -0.89229999999999998;0.84150000000000003 0.188 0.3306 0.41049999999999998 -1.0107999999999999];
y1_step1.xoffset = [0.129;1.0780000000000001];
y1_step1.gain = [2.5630000000000002;1.9690000000000001];
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
