function [y1] = matrix_only(x1)
%MATRIX_ONLY neural network simulation function.
%   x1 = 3xQ matrix, input #1

% ===== NEURAL NETWORK CONSTANTS =====
x1_step1.xoffset = [-0.0030000000000000001;-0.89200000000000002;0.77600000000000002];
x1_step1.gain = [0.749;1.6140000000000001;1.9590000000000001];
x1_step1.ymin = -1;
% Layer 1
b1 = [0.31659999999999999;0.51049999999999995;-1.4931000000000001;2.2526999999999999];
IW1_1 = [-0.65180000000000005 -0.17469999999999999 1.6637;0.65910000000000002 -1.6414 -0.0051999999999999998;-0.62350000000000005 0.14860000000000001 -1.6082000000000001;0.24179999999999999 0.2354 1.5755999999999999];
% Layer 2
b2 = [1.4825999999999999;-1.8295999999999999];
LW2_1 = [-1.9156 1.1017999999999999 -0.32990000000000003 -0.88060000000000005;-0.65629999999999999 -0.67200000000000004 0.38019999999999998 -0.1101];
y1_step1.xoffset = [-1.484;0.98499999999999999];
y1_step1.gain = [0.877;2.7959999999999998];
y1_step1.ymin = -1;
Q = size(x1,2);
xp1 = mapminmax_apply(x1,x1_step1);
a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);
a2 = repmat(b2,1,Q) + LW2_1*a1;
temp = mapminmax_reverse(a2,y1_step1);
y1 = temp;
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
