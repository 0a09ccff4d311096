"""Networks in MATLAB's text files: functions of `genFunction` and of the apps, also edited by hand.

The function is followed from its input to its output (`matlab_follower`), so that code around the
network does no harm, and code within it that is no network is found. A file that only assigns
weights (`net.IW{1,1} = [...]`) is read by their names (`shallow`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from bpcli.errors import ModelError
from bpcli.imports.finish import finished
from bpcli.imports.matlab_follower import SECOND, Follower
from bpcli.imports.matlab_syntax import Assignment, Block, Function, Statement, functions_of
from bpcli.imports.matlab_values import Column, Signal, Struct, Unknown, Value, rows_in
from bpcli.imports.matlab_words import class_names
from bpcli.imports.model import ImportedModel
from bpcli.imports.named_weights import constants_in, model_of_names
from bpcli.imports.steps import Keep, chain_of
from bpcli.nn.arrays import Array


def matlab_model(text: str) -> ImportedModel:
    """The network in a MATLAB file. Raises `ModelError` with a sentence if there is none."""
    _refuse_dynamic(text)
    functions = functions_of(text)
    by_name = {function.name: function for function in functions if function.name}
    error: ModelError | None = None
    for function in functions:
        try:
            network = _followed(function, by_name)
        except ModelError as raised:
            error = error or raised
            continue
        if network is not None:
            traced, notes, removed = network
            width = len(traced.columns) or _width(text) or removed
            if width is None and any(isinstance(step, Keep) for step in traced.steps):
                notes.append("the last input that is kept is assumed to be the last of all inputs")
            chain = chain_of(traced.steps, width)
            classes = class_names(function, chain.layers[-1].units)
            if not classes and "answers" in function.outputs:
                notes.append("the names in `answers` are not imported: --classes names classes")
            followed = finished("MATLAB function", chain, classes=classes, notes=notes)
            return _with_columns(followed, traced.columns)
    if error is not None and _ENCODERS & by_name.keys():
        raise ModelError(
            "it encodes columns of a table, such as categories, as bpnet's export does: import the "
            "export to JSON instead."
        )
    if error is not None:
        raise error
    statements = [each for function in functions for each in _assignments(function.body)]
    model = model_of_names("MATLAB weights", constants_in(statements))
    if model is not None:
        return model
    raise ModelError(
        "there is no network in it: no statement multiplies the input by a matrix of weights, and "
        "no weights are named IW, LW and b."
    )


def _with_columns(model: ImportedModel, columns: Sequence[Column]) -> ImportedModel:
    """The model whose inputs have the kinds and fills of these columns, if there are any."""
    if not columns:
        return model
    if len(columns) != len(model.columns):
        raise ModelError(f"it reads {len(columns)} columns for {len(model.columns)} inputs.")
    pairs = zip(model.columns, columns, strict=True)
    filled = (replace(own, kind=each.kind, fill=each.fill) for own, each in pairs)
    return replace(model, columns=tuple(filled))


_ENCODERS = {"number_input", "boolean_input", "category_input"}
"""Functions of the export to MATLAB."""

_DYNAMIC = re.compile(r"^[^%\n]*?\b(tapdelay\d+|Xd\d+|Ad\d+)\b", re.MULTILINE)


def _refuse_dynamic(text: str) -> None:
    delay = _DYNAMIC.search(text)
    if delay is not None:
        line = text.count("\n", 0, delay.start(1)) + 1
        raise ModelError(
            f"line {line}: `{delay[1]}` is a delay: dynamic networks (timedelaynet, narxnet, "
            "layrecnet) are not supported."
        )


_WIDTH = re.compile(r"^[ \t]*%.*?(?:\b(\d+)xQ|\bQx(\d+)) matrix, input #1", re.MULTILINE)


def _width(text: str) -> int | None:
    """The number of inputs that the comment of a generated function says."""
    stated = _WIDTH.search(text)
    width = int((stated[1] or stated[2])[:9]) if stated else 0
    return width if 0 < width <= _MOST_INPUTS else None


_MOST_INPUTS = 10**6


def _removed(follower: Follower) -> int | None:
    """The number of the last input that `removeconstantrows` leaves out, if the file says it."""
    struct = follower.variables.get("x1_step1")
    known = struct.fields.get("remove") if isinstance(struct, Struct) else None
    rows = rows_in(follower.variables.get("x1_step1_remove", "" if known is None else known))
    return None if rows is None else max(rows) + 1


def _followed(
    function: Function, functions: dict[str, Function]
) -> tuple[Signal, list[str], int | None] | None:
    """The output of a function, notes, and an input that is left out; None without weights."""
    variables: dict[str, Value] = {name: Signal(name) for name in function.parameters}
    follower = Follower(functions, variables, free_inputs=not function.name)
    follower.follow(function.body)
    output = follower.variable(function.outputs[0]) if function.outputs else None
    notes: list[str] = []
    if not isinstance(output, Signal) or not output.weights:
        _refuse_wrong_constants(follower, output)
        unknown = _first_unknown(follower, output)
        latest = follower.latest
        has_second = isinstance(output, Unknown) and output.what.startswith(SECOND)
        if latest is None or has_second or _unused(follower, latest):
            is_followed = bool(function.name) or latest is not None
            if unknown is not None and _weights(follower) and is_followed:
                raise _refusal(unknown)
            return None
        if isinstance(output, Unknown):
            notes.append(
                f"line {output.line}: {output.what} is not imported: the outputs are those of the "
                "last layer before"
            )
        output = latest
    elif unused := _unused(follower, output):
        raise ModelError(
            f"the weights `{unused[0]}` do not lead to the output `{function.outputs[0]}`: "
            "networks with several outputs or branches are not supported."
        )
    if output.source in follower.other_code:
        notes.append(
            f"line {follower.other_code[output.source]}: `{output.source}`, which other code "
            "computes there, is the input"
        )
    return output, notes, _removed(follower)


def _refusal(unknown: Unknown) -> ModelError:
    return ModelError(f"line {unknown.line}: {unknown.what} {unknown.reason}.")


def _refuse_wrong_constants(follower: Follower, output: Value | None) -> None:
    """Raise `ModelError` if a constant that is not finite or no matrix is a part of the network."""
    for value in (output, *follower.variables.values()):
        if isinstance(value, Unknown) and value.flaw and (value.spoils or value is output):
            raise _refusal(value)


def _first_unknown(follower: Follower, output: Value | None) -> Unknown | None:
    """What is to blame: the unknown value of the output, or the first one of a layer."""
    named = [
        value
        for name, value in follower.variables.items()
        if isinstance(value, Unknown) and not value.flaw and _SIGNAL.fullmatch(name)
    ]
    named.sort(key=lambda value: value.line)
    if named:
        return named[0]
    return output if isinstance(output, Unknown) else None


_SIGNAL = re.compile(r"[aznxXy][a-z]*\d*(?:_\d+)?")
"""The names of variables that usually depend on the input."""


def _weights(follower: Follower) -> dict[str, Array]:
    """The constants that are called like weights."""
    return {
        name: value
        for name, value in follower.variables.items()
        if isinstance(value, np.ndarray) and re.fullmatch(r"[IL]?W\d+(?:_\d+)?", name)
    }


def _unused(follower: Follower, traced: Signal) -> list[str]:
    """The weights that a traced input does not pass through."""
    used = traced.weights
    return [
        name
        for name, value in _weights(follower).items()
        if not any(np.shares_memory(value, each) for each in used)
    ]


def _assignments(body: Sequence[Statement]) -> Iterator[Assignment]:
    for statement in body:
        if isinstance(statement, Assignment):
            yield statement
        elif isinstance(statement, Block):
            for _, inner in statement.branches:
                yield from _assignments(inner)
