"""Functions of MATLAB for activations and columns.

`export` writes their text, and `import` recognises it.
"""

from __future__ import annotations

from dataclasses import fields

from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.notation.expressions import Language, Step, definition, names
from bpcli.registry import name_of

_LANGUAGE = Language(
    "MATLAB",
    repr,
    {
        "abs": "abs({})",
        "exp": "exp({})",
        "expm1": "expm1({})",
        "log": "log({})",
        "log1p": "log1p({})",
        "maximum": "max({},{})",
        "minimum": "min({},{})",
        "sqrt": "sqrt({})",
        "tanh": "tanh({})",
        "where": "where_apply({},{},{})",
    },
    {"*": ".*", "/": "./"},
)
_MATLAB_NAMES = {ACTIVATION_ALIASES[name]: name for name in ("tansig", "logsig")}
"""What MATLAB calls activations of another name here."""

_LOGSIG = """\
% Sigmoid Positive Transfer Function
function a = logsig_apply(n)
  a = 1 ./ (1 + exp(-n));
end"""

WHERE = """\
% a where a condition is true, else b
function r = where_apply(condition,a,b)
  a = a + zeros(size(condition));
  r = b + zeros(size(condition));
  r(condition) = a(condition);
end"""
"""The function that `needs_where` says an activation calls."""


COLUMNS = {
    "number": """\
% Numbers of column k, with a fill where they are NaN
function x = number_input(values,fill,k)
  x = double(values(:)');
  x(isnan(x)) = fill;
  if ~all(isfinite(x))
    error('bpnet:input','column %d: a value is missing or infinite',k);
  end
end""",
    "boolean": """\
% True or false as 1 or 0
function x = boolean_input(values,fill,k)
  x = number_input(values,fill,k);
  if ~all(x == 0 | x == 1)
    error('bpnet:input','column %d: a value is neither true nor false',k);
  end
end""",
}
"""The functions that read a column of numbers or booleans, by its kind."""


def needs_where(activation: Activation) -> bool:
    """Whether the function calls `where_apply`."""
    return "where" in activation.source


def function_name(activation: Activation) -> str:
    """The name of the function of an activation, such as `elu_apply`."""
    name = name_of(ACTIVATIONS, activation)
    return f"{_MATLAB_NAMES.get(name, name)}_apply"


def function_text(activation: Activation) -> str:
    """The function of z and of the activation's options; that of `genFunction` for logsig."""
    called = function_name(activation)
    if called == "logsig_apply":
        return _LOGSIG
    parameters = ",".join(["z", *(field.name for field in fields(activation))])
    lines = "".join(f"  {_step(step)};\n" for step in definition(activation.source))
    title = called.removesuffix("_apply")
    return f"% {title}\nfunction a = {called}({parameters})\n{lines}end"


def _step(step: Step) -> str:
    value = _LANGUAGE.write(step.value, {name: name for name in names(step.value)})
    if step.reduction is None:
        return f"{step.name} = {value}"
    if step.shape == "units":
        value = f"reshape({value},pieces,[])"
    reduced = f"sum({value},1)" if step.reduction == "sum" else f"{step.reduction}({value},[],1)"
    return f"{step.name} = " + (
        f"reshape({reduced},[],size(z,2))" if step.shape == "units" else reduced
    )
