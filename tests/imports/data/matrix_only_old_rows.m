function [y1] = matrix_only_old_rows(x1)
%MATRIX_ONLY_OLD_ROWS neural network simulation function.
%   x1 = Qx2 matrix, input #1

% ===== NEURAL NETWORK CONSTANTS =====
x1_step1_xoffset = [1.6000000000000001;0.20300000000000001];
x1_step1_gain = [2.548;1.238];
x1_step1_ymin = -1;
% Layer 1
b1 = [-0.55259999999999998;-0.78480000000000005;0.74870000000000003];
IW1_1 = [-0.80189999999999995 -1.3244;-0.24840000000000001 0.4204;1.1359999999999999 0.10970000000000001];
% Layer 2
b2 = -0.95830000000000004;
LW2_1 = [1.6348 0.27279999999999999 -1.2333000000000001];
Q = size(x1,1);
x1 = x1';
xp1 = mapminmax_apply(x1,x1_step1_xoffset,x1_step1_gain,x1_step1_ymin);
a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);
a2 = logsig_apply(repmat(b2,1,Q) + LW2_1*a1);
y1 = a2;
y1 = y1';
end
function a = logsig_apply(n,~)
  a = 1 ./ (1 + exp(-n));
end
function y = mapminmax_apply(x,settings_xoffset,settings_gain,settings_ymin)
  y = bsxfun(@minus,x,settings_xoffset);
  y = bsxfun(@times,y,settings_gain);
  y = bsxfun(@plus,y,settings_ymin);
end
function a = tansig_apply(n,~)
  a = 2 ./ (1 + exp(-2*n)) - 1;
end
