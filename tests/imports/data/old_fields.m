function [Y,Xf,Af] = old_fields(X,~,~)
%OLD_FIELDS neural network simulation function.
%   X = 3xQ matrix, input #1

% ===== NEURAL NETWORK CONSTANTS =====
x1_step1_xoffset = [0.48199999999999998;-0.23899999999999999;0.95799999999999996];
x1_step1_gain = [0.94899999999999995;0.104;2.923];
x1_step1_ymin = -1;
% Layer 1
b1 = [3.323;0.2258;-0.35260000000000002];
IW1_1 = [2.0409000000000002 -2.5556999999999999 0.41810000000000003;-0.56779999999999997 -0.4526 -0.21560000000000001;-2.02 -0.2319 -0.86519999999999997];
% Layer 2
b2 = -0.39079999999999998;
LW2_1 = [-0.28129999999999999 -0.66800000000000004 -1.0551999999999999];
y1_step1_xoffset = 0.54500000000000004;
y1_step1_gain = 1.0109999999999999;
y1_step1_ymin = -1;
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
xp1 = mapminmax_apply(X{1,ts},x1_step1_xoffset,x1_step1_gain,x1_step1_ymin);
a1 = logsig_apply(repmat(b1,1,Q) + IW1_1*xp1);
a2 = repmat(b2,1,Q) + LW2_1*a1;
temp = mapminmax_reverse(a2,y1_step1_xoffset,y1_step1_gain,y1_step1_ymin);
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
function y = mapminmax_apply(x,settings_xoffset,settings_gain,settings_ymin)
  y = bsxfun(@minus,x,settings_xoffset);
  y = bsxfun(@times,y,settings_gain);
  y = bsxfun(@plus,y,settings_ymin);
end
function x = mapminmax_reverse(y,settings_xoffset,settings_gain,settings_ymin)
  x = bsxfun(@minus,y,settings_ymin);
  x = bsxfun(@rdivide,x,settings_gain);
  x = bsxfun(@plus,x,settings_xoffset);
end
