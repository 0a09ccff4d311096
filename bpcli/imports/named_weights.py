"""Networks given by the names of their arrays: IW, LW and b, as the toolbox names them.

From assignments in a MATLAB file (`net.IW{1,1} = [...]`, `IW1_1 = [...]`), or the variables of a
.mat file. Scales are those of `mapminmax`, `mapstd` and `removeconstantrows`: `x1_step1.gain`, or
`net.inputs{1}.processSettings{1}.gain`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from bpcli.errors import ModelError
from bpcli.imports.finish import finished
from bpcli.imports.matlab_arithmetic import ACTIVATION_OF, activate
from bpcli.imports.matlab_expressions import Call, Cell, Constant, Name, Operation, Text
from bpcli.imports.matlab_syntax import Assignment
from bpcli.imports.matlab_values import rows_in
from bpcli.imports.model import ImportedModel
from bpcli.imports.steps import (
    Affine,
    Keep,
    Placement,
    Product,
    Step,
    chain_of,
    composed,
    divided_by,
    scaled_by,
    shifted_by,
)
from bpcli.nn.arrays import Array
from bpcli.text import listed_names, visible

Named: TypeAlias = "dict[str, Array | str]"
"""Arrays and texts by their names in one spelling, such as `IW1_1` and `x1_step2.gain`."""

_MOST_LAYERS = 1000

_SPELLINGS = [
    (re.compile(r"(?:net\w*\.)?(IW|LW)[{_]?\(?(\d+)[,_](\d+)[})]?"), r"\1\2_\3"),
    (re.compile(r"(?:net\w*\.)?(IW|LW|b)\{(\d+)(?:,1)?\}"), r"\1\2"),
    (re.compile(r"(?:net\w*\.)?b_?(\d+)"), r"b\1"),
    (re.compile(r"(x|y)(\d+)_step(\d+)[._](\w+)"), r"\1\2_step\3.\4"),
    (re.compile(r"net\w*\.inputs\{(\d+)\}\.processSettings\{(?:1,)?(\d+)\}\.(\w+)"),
     r"x\1_step\2.\3"),
    (re.compile(r"net\w*\.outputs\{\d+\}\.processSettings\{(?:1,)?(\d+)\}\.(\w+)"),
     r"y1_step\1.\2"),
    (re.compile(r"net\w*\.layers\{(\d+)\}\.transferFcn"), r"transferFcn\1"),
    (re.compile(r"transferFcn\{?(\d+)\}?"), r"transferFcn\1"),
]  # fmt: skip


def spelled(name: str) -> str | None:
    """The name in one spelling; None if it is no name of weights, scales or functions."""
    for pattern, spelling in _SPELLINGS:
        match = pattern.fullmatch(name.replace(" ", ""))
        if match is not None:
            return match.expand(spelling)
    return None


def constants_in(statements: Sequence[Assignment]) -> Named:
    """The arrays and texts that statements assign, in one spelling if they are of a network."""
    constants: Named = {}
    for statement in statements:
        name = spelled(statement.key)
        flaw = ""
        match statement.value:
            case Constant(value, flaw) | Operation("+", (Constant(value, flaw),)):
                constant: Array | str = value
            case Operation("-", (Constant(value, flaw),)):
                constant = -value
            case Operation("'", (Constant(value, flaw),)):
                constant = value.T
            case Text(text):
                constant = text
            case _:
                continue
        if flaw and name is None:
            continue
        if flaw:
            raise ModelError(f"line {statement.line}: `{visible(statement.key)}` {flaw}.")
        constants[statement.key if name is None else name] = constant
    return constants | _functions_in_calls(statements)


def _functions_in_calls(statements: Iterable[Assignment]) -> Named:
    """The transfer functions in a call such as `newff(…, {'logsig', 'purelin'}, 'trainlm')`."""
    for statement in statements:
        if not isinstance(statement.value, Call) or statement.value.base != Name("newff"):
            continue
        for argument in statement.value.arguments:
            texts = argument.elements if isinstance(argument, Cell) else ()
            if texts and all(isinstance(text, Text) for text in texts):
                return {
                    f"transferFcn{number}": text.value
                    for number, text in enumerate(texts, start=1)
                    if isinstance(text, Text)
                }
    return {}


def model_of_names(form: str, named: Named) -> ImportedModel | None:
    """The network of named arrays; None if there are no input weights.

    Raises `ModelError` if they are those of another kind of network, or do not fit together.
    """
    weights = {name: value for name, value in named.items() if _WEIGHTS.fullmatch(name)}
    if not any(name.startswith("IW") for name in weights):
        return None
    count = _layers(weights)
    functions, notes = _functions(named, count)
    steps = [*_input_steps(named)]
    for number in range(1, count + 1):
        steps += _layer(named, number, functions[number - 1])
    steps += _output_steps(named)
    notes += _unused_settings(named)
    return finished(form, chain_of(steps, _inputs(named)), notes=notes)


_WEIGHTS = re.compile(r"(?:IW|LW)\d+(?:_\d+)?")


def _unused_settings(named: Named) -> list[str]:
    """A note on settings of scales whose name does not say which side and step they are of."""
    unused = [
        name
        for name in named
        if _SETTING.search(name) and not re.fullmatch(r"[xy]1_step\d+\.\w+", name)
    ]
    if not unused:
        return []
    said = "settings of scales are called x1_step1.gain or y1_step1.gain"
    return [f"not used: {listed_names(unused)}; {said}"]


_SETTING = re.compile(r"[._](?:xoffset|gain|ymin|ymax|xmin|xmax|xmean|xstd|ymean)$")


def _layers(weights: Mapping[str, Array | str]) -> int:
    """The number of layers. Raises `ModelError` for weights between other layers."""
    count = 0
    numbers = {_pair(name) for name in weights}
    for name in weights:
        to, by = _pair(name)
        is_input = name.startswith("IW")
        if is_input and by > 1:
            raise ModelError(f"`{name}` are weights of a second input: expected a single input.")
        if is_input and to > 1:
            raise ModelError(f"`{name}` connects the input with layer {to}, as cascadeforwardnet.")
        if not is_input and to != by + 1:
            connection = "feeds back" if to <= by else "skips a layer"
            raise ModelError(
                f"`{name}` {connection}: only layers one after the other are supported."
            )
        count = max(count, to)
    missing = [n for n in range(2, count + 1) if (n, n - 1) not in numbers]
    if missing or count > _MOST_LAYERS:
        raise ModelError(f"the weights of layer {(missing or [count])[0]} are missing.")
    return count


def _pair(name: str) -> tuple[int, int]:
    """The layers that weights lead to and come from; `IW1` and `LW2` are the usual ones."""
    numbers = [int(number[:6]) for number in re.findall(r"\d+", name)]
    if len(numbers) == 1:
        return numbers[0], max(1, numbers[0] - 1)
    return numbers[0], numbers[1]


def _functions(named: Named, count: int) -> tuple[list[str], list[str]]:
    """The transfer function of each layer, and a note if they are guessed."""
    usual = ["tansig"] * (count - 1) + ["purelin"]
    given = [named.get(f"transferFcn{number}") for number in range(1, count + 1)]
    functions = [str(one or other) for one, other in zip(given, usual, strict=True)]
    for function in functions:
        if function not in ACTIVATION_OF:
            raise ModelError(f"bpnet does not have the activation `{function}`.")
    if all(each is not None for each in given):
        return functions, []
    return functions, [
        f"the transfer functions are not given: the usual ones are assumed, {', '.join(functions)}"
    ]


def _layer(named: Named, number: int, function: str) -> list[Step]:
    """The steps of a layer: weights, biases, transfer function."""
    names = [f"IW{number}_1", f"IW{number}"] if number == 1 else [
        f"LW{number}_{number - 1}", f"LW{number}",
    ]  # fmt: skip
    weights = next(named[name] for name in names if name in named)
    if not isinstance(weights, np.ndarray) or weights.ndim != 2 or not weights.size:
        raise ModelError(f"`{names[0]}` is not a matrix of numbers.")
    steps: list[Step] = [Product(weights)]
    bias = named.get(f"b{number}")
    if isinstance(bias, np.ndarray) and bias.size:
        if bias.size != len(weights):
            raise ModelError(f"`b{number}` has {bias.size} numbers for {len(weights)} units.")
        steps.append(shifted_by(bias))
    return [*steps, activate(ACTIVATION_OF[function])]


def _settings(named: Named, side: str) -> list[dict[str, Array]]:
    """The settings of each processing step of the input (x1) or the output (y1), in order."""
    steps: dict[int, dict[str, Array]] = {}
    for name, value in named.items():
        match = re.fullmatch(rf"{side}_step(\d+)\.(\w+)", name)
        if match is not None and isinstance(value, np.ndarray):
            steps.setdefault(int(match[1][:6]), {})[match[2]] = value
    return [steps[number] for number in sorted(steps)]


def _input_steps(named: Named) -> list[Step]:
    steps: list[Step] = []
    for settings in _settings(named, "x1"):
        if "keep" in settings:
            steps.append(Keep(_rows(settings["keep"])))
        elif {"gain", "xoffset"} <= settings.keys() or "xmin" in settings:
            steps.append(_map(settings))
        elif settings:
            _refuse(settings)
    return steps


def _inputs(named: Named) -> int | None:
    """The number of inputs, if `remove` says which are left out; else it follows from `keep`."""
    removed = [settings["remove"] for settings in _settings(named, "x1") if "remove" in settings]
    return max(_rows(removed[0])) + 1 if removed and removed[0].size else None


def _output_steps(named: Named) -> list[Step]:
    """The steps of the output, in reverse."""
    steps: list[Step] = []
    for settings in reversed(_settings(named, "y1")):
        if "keep" in settings:
            removed = settings.get("remove", np.empty(0))
            constants = settings.get("constants", settings.get("value", np.empty(0)))
            if removed.size and constants.size not in (1, removed.size):
                raise ModelError("`y1_step` removes outputs, but their values are not given.")
            if removed.size:
                values = np.broadcast_to(constants.ravel(), removed.size).tolist()
                pairs = zip(_rows(removed), values, strict=True)
                steps.append(Placement(_rows(settings["keep"]), tuple(pairs)))
        elif {"gain", "xoffset"} <= settings.keys() or "xmin" in settings:
            whole = _map(settings)
            back = divided_by([float(each) for each in whole.factor])
            steps.append(composed([shifted_by([-float(s) for s in whole.shift]), back]))
        elif settings:
            _refuse(settings)
    return steps


def _refuse(settings: Mapping[str, Array]) -> None:
    raise ModelError(
        f"a processing step has the settings {', '.join(sorted(settings))}: expected those of "
        "mapminmax, mapstd or removeconstantrows."
    )


def _map(settings: Mapping[str, Array]) -> Affine:
    """(x - xoffset) · gain + ymin of mapminmax, or + ymean of mapstd."""
    if "gain" in settings:
        offset, scale = settings["xoffset"], scaled_by(settings["gain"])
    else:
        offset = settings["xmin"]
        if "xmax" not in settings:
            raise ModelError("`xmin` is given without `xmax`.")
        low, high = settings.get("ymin", np.array([-1.0])), settings.get("ymax", np.array([1.0]))
        scale = scaled_by((high - low) / (settings["xmax"] - offset))
    base = settings.get(
        "ymin", settings.get("ymean", np.array([-1.0 if "xmin" in settings else 0]))
    )
    return composed([shifted_by(-offset), scale, shifted_by(base)])


def _rows(numbers: Array) -> tuple[int, ...]:
    rows = rows_in(numbers)
    if rows is None:
        raise ModelError("`keep` or `remove` is not a list of row numbers.")
    return rows
