"""Functions of networks in the forms that MATLAB's `genFunction` has written over the years.

The texts are our own; what they share with MATLAB's files are the names of variables and functions,
and the order of the statements. Octave runs them.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

OCTAVE = shutil.which("octave-cli")

MODULES = {
    "mapminmax_apply": "y = bsxfun(@minus,x,{s}xoffset);\n  y = bsxfun(@times,y,{s}gain);\n"
    "  y = bsxfun(@plus,y,{s}ymin);",
    "mapminmax_reverse": "x = bsxfun(@minus,y,{s}ymin);\n  x = bsxfun(@rdivide,x,{s}gain);\n"
    "  x = bsxfun(@plus,x,{s}xoffset);",
    "mapstd_apply": "y = bsxfun(@minus,x,{s}xoffset);\n  y = bsxfun(@times,y,{s}gain);\n"
    "  y = bsxfun(@plus,y,{s}ymean);",
    "mapstd_reverse": "x = bsxfun(@minus,y,{s}ymean);\n  x = bsxfun(@rdivide,x,{s}gain);\n"
    "  x = bsxfun(@plus,x,{s}xoffset);",
    "removeconstantrows_apply": "y = x({s}keep,:);",
    "removeconstantrows_reverse": "Q = size(y,2);\n  x = nan({s}xrows,Q);\n"
    "  x({s}keep,:) = y;\n  x({s}remove,:) = repmat({s}constants,1,Q);",
    "tansig_apply": "a = 2 ./ (1 + exp(-2*n)) - 1;",
    "logsig_apply": "a = 1 ./ (1 + exp(-n));",
    "poslin_apply": "a = max(0,n);\n  a(isnan(n)) = nan;",
    "elliotsig_apply": "a = n ./ (1 + abs(n));",
    "softmax_apply": "nmax = max(n,[],1);\n  n = bsxfun(@minus,n,nmax);\n  numer = exp(n);\n"
    "  denom = sum(numer,1);\n  denom(denom == 0) = 1;\n  a = bsxfun(@rdivide,numer,denom);",
    "satlin_apply": "a = max(0,min(1,n));\n  a(isnan(n)) = nan;",
    "satlins_apply": "a = max(-1,min(1,n));\n  a(isnan(n)) = nan;",
    "radbas_apply": "a = exp(-(n.*n));",
}
"""The bodies of modules; `{s}` stands for `settings.`, or `settings_` in older files."""

FIELDS = {
    "mapminmax": ("xoffset", "gain", "ymin"),
    "mapstd": ("xoffset", "gain", "ymean"),
    "removeconstantrows": ("keep", "remove", "constants", "xrows"),
}


@dataclass
class Net:
    """A network: processing steps of the input, layers (W, b, function), steps of the output."""

    inputs: list[tuple[str, dict[str, np.ndarray]]]
    layers: list[tuple[np.ndarray, np.ndarray, str]]
    outputs: list[tuple[str, dict[str, np.ndarray]]] = field(default_factory=list)
    width: int = 0


@dataclass
class Form:
    """How a function is written."""

    name: str = "net1"
    by_row: bool = False
    cells: bool = True
    structs: bool = True
    rng: np.random.Generator | None = None
    extra: bool = False


def number(value: float) -> str:
    """A number as MATLAB prints it, whole numbers without a decimal point."""
    return f"{value:.17g}"


def matrix(array: np.ndarray, rng: np.random.Generator | None = None) -> str:
    """A matrix in one of the spellings of MATLAB."""
    if array.size == 1:
        return number(float(array.item()))
    choice = 0 if rng is None else int(rng.integers(4))
    between, end = ((" ", ";"), (",", ";\n  "), (" ", "\n"), (" ", "; ...\n   "))[choice]
    rows = [between.join(number(float(x)) for x in row) for row in np.atleast_2d(array)]
    comment = " % a comment; with ] and ' in it\n" if choice == 2 else ""
    return f"[{comment}{end.join(rows)}]"


def text(net: Net, form: Form) -> str:
    """The function."""
    return "\n".join(_lines(net, form)) + "\n"


def _lines(net: Net, form: Form) -> Iterator[str]:
    x, y = ("X", "Y") if form.cells else ("x1", "y1")
    outputs, inputs = (f"[{y},Xf,Af]", f"{x},~,~") if form.cells else (f"[{y}]", x)
    yield f"function {outputs} = {form.name}({inputs})"
    yield f"%{form.name.upper()} neural network simulation function."
    size = f"Qx{net.width} matrix" if form.by_row else f"{net.width}xQ matrix"
    yield f"%   {x} = {size}, input #1"
    yield ""
    if form.extra:
        yield "%{\nx1_step1.gain = 0;\n%}"
        yield "clc; disp('It''s a network'), tic"
    yield "% ===== NEURAL NETWORK CONSTANTS ====="
    yield from _settings("x1", net.inputs, form)
    for index, (W, b, _) in enumerate(net.layers, start=1):
        yield f"% Layer {index}"
        yield f"b{index} = {matrix(b[:, None], form.rng)};"
        name = "IW1_1" if index == 1 else f"LW{index}_{index - 1}"
        yield f"{name} = {matrix(W, form.rng)};"
    yield from _settings("y1", net.outputs, form)
    yield from _simulation(net, form, x, y)
    yield "end"
    yield from _modules(net, form)


def _settings(
    side: str, steps: Sequence[tuple[str, dict[str, np.ndarray]]], form: Form
) -> Iterator[str]:
    for index, (_, settings) in enumerate(steps, start=1):
        for name, value in settings.items():
            sign = "." if form.structs else "_"
            yield f"{side}_step{index}{sign}{name} = {matrix(value, form.rng)};"


def _call(module: str, argument: str, side: str, index: int, function: str, form: Form) -> str:
    if form.structs:
        return f"{module}({argument},{side}_step{index})"
    names = [f"{side}_step{index}_{name}" for name in FIELDS[function]]
    return f"{module}({','.join([argument, *names])})"


def _simulation(net: Net, form: Form, x: str, y: str) -> Iterator[str]:
    if form.cells:
        yield "isCellX = iscell(X);\nif ~isCellX\n  X = {X};\nend"
        yield "TS = size(X,2); % timesteps\nif ~isempty(X)"
        yield f"  Q = size(X{{1}},{1 if form.by_row else 2});\nelse\n  Q = 0;\nend"
        yield "Y = cell(1,TS);\nfor ts=1:TS"
        x, y = "X{1,ts}", "Y{1,ts}"
    else:
        yield f"Q = size(x1,{1 if form.by_row else 2});"
    if form.by_row:
        yield f"{x} = {x}';"
    at = x
    for index, (function, _) in enumerate(net.inputs, start=1):
        yield f"xp1 = {_call(f'{function}_apply', at, 'x1', index, function, form)};"
        at = "xp1"
    for index, (_, _, function) in enumerate(net.layers, start=1):
        weights = "IW1_1" if index == 1 else f"LW{index}_{index - 1}"
        z = f"repmat(b{index},1,Q) + {weights}*{at}"
        yield f"a{index} = {z};" if function == "purelin" else f"a{index} = {function}_apply({z});"
        at = f"a{index}"
    for index in range(len(net.outputs), 0, -1):
        function = net.outputs[index - 1][0]
        yield f"temp = {_call(f'{function}_reverse', at, 'y1', index, function, form)};"
        at = "temp"
    yield f"{y} = {at};"
    if form.by_row:
        yield f"{y} = {y}';"
    if form.cells:
        yield "end\nXf = cell(1,0); Af = cell(2,0);"
        yield "if ~isCellX\n  Y = cell2mat(Y);\nend"


def _modules(net: Net, form: Form) -> Iterator[str]:
    names = {f"{name}_apply" for name, _ in net.inputs}
    names |= {f"{name}_reverse" for name, _ in net.outputs}
    names |= {f"{f}_apply" for _, _, f in net.layers if f != "purelin"}
    for name in sorted(names):
        is_reverse = name.endswith("_reverse")
        result, argument = ("x", "y") if is_reverse else ("y", "x")
        function = name.rpartition("_")[0]
        if function not in FIELDS:
            yield f"function a = {name}(n,~)\n  {MODULES[name]}\nend"
            continue
        settings = "settings"
        if not form.structs:
            settings = ",".join(f"settings_{each}" for each in FIELDS[function])
        body = MODULES[name].replace("{s}", "settings." if form.structs else "settings_")
        yield f"function {result} = {name}({argument},{settings})\n  {body}\nend"


def random_net(rng: np.random.Generator) -> Net:
    """A network of random sizes, functions and processing steps."""
    sizes = rng.integers(1, 6, rng.integers(2, 5)).tolist()
    functions = ["tansig", "logsig", "poslin", "elliotsig", "purelin"]
    layers = []
    for below, above in pairwise(sizes):
        W, b = rng.normal(size=(above, below)), rng.normal(size=above)
        layers.append((W, b, str(rng.choice(functions))))
    W, b, _ = layers[-1]
    last = (
        "softmax" if len(W) > 1 and rng.random() < 0.3 else str(rng.choice(["purelin", "tansig"]))
    )
    layers[-1] = (W, b, last)
    inputs, width = _random_steps(rng, sizes[0])
    outputs: list[tuple[str, dict[str, np.ndarray]]] = []
    if last != "softmax" and rng.random() < 0.7:
        outputs, _ = _random_steps(rng, sizes[-1])
    return Net(inputs, layers, outputs, width)


def _random_steps(
    rng: np.random.Generator, width: int
) -> tuple[list[tuple[str, dict[str, np.ndarray]]], int]:
    """Processing steps, of which the first may remove rows; and the rows before them."""
    if rng.random() < 0.15:
        return [], width
    steps = []
    whole = width
    if rng.random() < 0.3:
        whole = width + int(rng.integers(1, 3))
        rows = rng.permutation(whole) + 1
        keep, remove = np.sort(rows[:width]), np.sort(rows[width:])
        settings = {
            "keep": keep[None].astype(float),
            "remove": remove[None].astype(float),
            "constants": rng.normal(size=(len(remove), 1)),
            "xrows": np.array([[float(whole)]]),
        }
        steps.append(("removeconstantrows", settings))
    scale = {"xoffset": rng.normal(size=(width, 1)) * 10, "gain": rng.uniform(0.1, 5, (width, 1))}
    if rng.random() < 0.7:
        steps.append(("mapminmax", scale | {"ymin": np.array([[-1.0]])}))
    else:
        steps.append(("mapstd", scale | {"ymean": np.array([[0.0]])}))
    return steps, whole


def random_form(rng: np.random.Generator, name: str) -> Form:
    """A random way to write a function."""
    flags = (rng.random(4) < 0.5).tolist()
    return Form(name, flags[0], flags[1], flags[2], rng, flags[3])


def octave_outputs(
    functions: Sequence[tuple[str, str, np.ndarray, bool]], folder: Path
) -> list[np.ndarray]:
    """Run functions (name, text, X (n, inputs), by_row) in Octave; return the outputs (n, k)."""
    script = ["warning('off', 'all');"]
    for index, (name, content, X, by_row) in enumerate(functions):
        own = folder / str(index)
        own.mkdir()
        (own / f"{name}.m").write_text(content)
        np.savetxt(own / "x.txt", X if by_row else X.T, fmt="%.17g")
        script.append(
            f"addpath('{own}'); x = dlmread('{own}/x.txt'); y = {name}(x); y = y{chr(39) * by_row};"
            f" f = fopen('{own}/y.txt', 'w'); fprintf(f, '%.17g\\n', y); fclose(f);"
            f" rmpath('{own}'); clear {name};"
        )
    (folder / "all.m").write_text("\n".join(script))
    assert OCTAVE is not None
    subprocess.run([OCTAVE, "-q", "--no-init-file", folder / "all.m"], check=True, timeout=600,
                   capture_output=True)  # fmt: skip
    return [
        np.loadtxt(folder / str(index) / "y.txt").reshape(len(X), -1)
        for index, (_, _, X, _) in enumerate(functions)
    ]
