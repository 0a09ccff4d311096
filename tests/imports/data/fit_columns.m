function [Y,Xf,Af] = fit_columns(X,~,~)
%FIT_COLUMNS neural network simulation function.
%   X = 3xQ matrix, input #1

% ===== NEURAL NETWORK CONSTANTS =====
x1_step1.xoffset = [-0.27600000000000002;1.294;1.0069999999999999];
x1_step1.gain = [2.8889999999999998;2.202;1.6699999999999999];
x1_step1.ymin = -1;
% Layer 1
b1 = [-0.73650000000000004;-0.16289999999999999;-0.48209999999999997;0.5988];
IW1_1 = [0.34560000000000002 0.8216 0.33040000000000003;-1.3031999999999999 0.90539999999999998 0.44640000000000002;-0.53700000000000003 0.58109999999999995 0.36459999999999998;0.29409999999999997 0.028400000000000002 0.54669999999999996];
% Layer 2
b2 = 0.0080999999999999996;
LW2_1 = [0.039699999999999999 -0.29249999999999998 -0.78190000000000004 -0.25719999999999998];
y1_step1.xoffset = -0.42199999999999999;
y1_step1.gain = 0.56599999999999995;
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
a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);
a2 = repmat(b2,1,Q) + LW2_1*a1;
temp = mapminmax_reverse(a2,y1_step1);
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
function a = tansig_apply(n,~)
  a = 2 ./ (1 + exp(-2*n)) - 1;
end
