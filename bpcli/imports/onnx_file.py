"""Networks in ONNX files: a chain of matrices, activations and scales from the input to the output.

Forms of PyTorch (`Gemm` with transB = 1, or `MatMul` and `Add`), of skl2onnx (`Cast`, `MatMul`,
`Add`, `Tanh`, `Reshape`, and `ArgMax` and `ZipMap` at the end), and of bpnet itself, with its
names. Nothing is executed; a node of any other kind is refused by its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from bpcli.data.types import Words
from bpcli.errors import ModelError
from bpcli.imports.finish import finished
from bpcli.imports.model import ImportedModel, checked
from bpcli.imports.onnx_nodes import (
    IN_FORMULAS,
    NODES,
    activation_of,
    array_of,
    attributes_of,
    text_of,
    title,
)
from bpcli.imports.onnx_nodes import constant_of as _constant
from bpcli.imports.steps import Activate, Product, Step, chain_of
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.text import plural

_MOST_NODES = 10_000


def onnx_model(content: bytes) -> ImportedModel:
    """The network in an ONNX file. Raises `ModelError` if it is none, or not a plain one."""
    graph, properties = _graph(content)
    return _Reading(graph, properties).model()


def _graph(content: bytes) -> tuple[Any, dict[str, str]]:
    """The graph and the properties of a file."""
    try:
        onnx = import_module("onnx")
    except ImportError:
        raise ModelError(
            'Reading ONNX needs the package onnx: pip install "bpcli[onnx]".'
        ) from None
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception:  # the class of the error depends on protobuf
        raise ModelError("this is not an ONNX file, or it is damaged.") from None
    if not model.graph.node:
        raise ModelError("this is not an ONNX file, or it has no nodes.")
    if len(model.graph.node) > _MOST_NODES:
        raise ModelError(f"it has more than {_MOST_NODES:,} nodes.")
    return model.graph, {each.key: each.value for each in model.metadata_props}


class _Reading:
    """Follows the input through the nodes; `_at` is the value that it has become."""

    def __init__(self, graph: Any, properties: Mapping[str, str]) -> None:
        self._graph = graph
        self._properties = properties
        self._constants = {each.name: array_of(each) for each in graph.initializer}
        self._readers: dict[str, list[Any]] = {}
        for node in graph.node:
            for name in {*node.input}:
                self._readers.setdefault(name, []).append(node)
        self._steps: list[Step] = []
        self._classes: tuple[str, ...] = ()
        self._labels: tuple[Words, ...] = ()
        self._is_over = False
        self._notes: list[str] = []
        self._done: set[str] = set()
        self._at = self._input()

    def model(self) -> ImportedModel:
        """The network of the chain of nodes."""
        for node in self._graph.node:
            with _damage_of(node):
                if node.op_type == "Constant":
                    self._constants[node.output[0]] = _constant(node)
        for node in self._graph.node:
            with _damage_of(node):
                if node.op_type != "Constant" and not self._done & {*node.output}:
                    self._take(node)
        chain = chain_of(self._steps)
        inputs, outputs = self._names("inputs"), self._names("outputs")
        targets = [name.removeprefix("predicted ") for name in outputs]
        if self._labels:
            targets = self._names("labels")
        if len(targets) != chain.layers[-1].units or self._classes:
            targets = []
        model = finished(
            "ONNX",
            chain,
            input_names=inputs if len(inputs) == len(chain.inputs.shift) else (),
            target_names=targets,
            classes=self._classes,
            notes=self._notes,
        )
        return checked(replace(model, labels=self._labels)) if self._labels else model

    def _names(self, key: str) -> list[str]:
        """The names that bpnet's own exports have."""
        try:
            names = json.loads(self._properties.get(key, "[]"))
        except (ValueError, RecursionError):
            return []
        are_texts = isinstance(names, list) and all(isinstance(name, str) for name in names)
        return names if are_texts else []

    def _input(self) -> str:
        inputs = [each.name for each in self._graph.input if each.name not in self._constants]
        if len(inputs) != 1:
            raise ModelError(f"it has {plural(len(inputs), 'input')}: expected a single one.")
        return str(inputs[0])

    def _take(self, node: Any) -> None:
        """Follow a node, if it continues the chain."""
        if self._at not in node.input or self._is_over:
            self._take_aside(node)
        elif self._begins_activation(node):
            self._follow_activation(node)
        elif node.op_type in _ENDS or len(self._readers[self._at]) > 1:
            self._end(node)
        else:
            known = [self._constants.get(name) for name in node.input if name != self._at]
            if node.op_type not in NODES or any(each is None for each in known):
                raise _refusal(node)
            if node.op_type == "Reshape":
                self._check_shape(node, known)
            if node.op_type == "Squeeze" and self._widths() != [1]:
                raise ModelError(f"{title(node)} changes the shape of the outputs.")
            is_second = node.input[0] != self._at
            self._steps += NODES[node.op_type](node, known, is_second)  # type: ignore[arg-type]
            self._at = node.output[0]

    def _check_shape(self, node: Any, known: list[Any]) -> None:
        """Raise `ModelError` if a reshape changes the number of units of a sample."""
        widths, to = self._widths(), [] if not known else known[0].ravel().tolist()
        if to == [-1, 1] and widths and widths != [1] and node.output[0] not in self._readers:
            self._notes.append(
                f"the file has the {widths[-1]} outputs of a row in one column, as skl2onnx writes "
                "them: they are taken as outputs side by side"
            )
            return
        last = int(known[0].ravel()[-1]) if known and known[0].size else 0
        if last not in (-1, *widths) or (known[0].size == 1 and widths != [1]):
            raise ModelError(f"{title(node)} changes the shape of the outputs to …, {last}.")

    def _widths(self) -> list[int]:
        """The number of units of the last layer, if there is one."""
        return [len(step.weights) for step in self._steps if isinstance(step, Product)][-1:]

    def _take_aside(self, node: Any) -> None:
        """A node beside the chain, such as those that find the class of the probabilities."""
        known = [self._constants.get(name) for name in node.input]
        if node.op_type in ("ArrayFeatureExtractor", "Gather") and known[0] is not None:
            self._classes = self._classes or tuple(map(text_of, known[0].ravel().tolist()))
        elif node.op_type == "Where" and len(known) == 3:
            pairs = [[] if each is None else each.ravel().tolist() for each in known[1:]]
            self._labels = tuple(
                (text_of(zero), text_of(one)) for zero, one in zip(*pairs, strict=False)
            )
        elif node.op_type in ("Cast", "Identity") and known[0] is not None:
            self._constants[node.output[0]] = known[0]
        elif node.op_type == "Transpose" and known[0] is not None and known[0].ndim == 2:
            self._constants[node.output[0]] = known[0].T
        elif not self._is_over or node.op_type not in _AFTER:
            raise _refusal(node)

    def _end(self, node: Any) -> None:
        """The outputs are those before this node. Raises `ModelError` if a layer follows."""
        readers = self._readers[self._at]
        for reader in readers:
            if (
                all(each.op_type == "Slice" for each in readers)
                or reader.op_type not in _ENDS | _AFTER
            ):
                raise _refusal(reader, _SHARES)
        self._is_over = True
        given = attributes_of(node)
        labels = given.get("classlabels_strings") or given.get("classlabels_int64s") or ()
        self._classes = tuple(map(text_of, labels))
        self._take_aside(node)

    def _begins_activation(self, node: Any) -> bool:
        """Whether the value is used in a formula of several nodes."""
        shape = self._constants.get(node.input[1]) if node.op_type == "Reshape" else None
        return (shape is not None and shape.size == 3) or (
            len(self._readers[self._at]) > 1 and self._activation() is not None
        )

    def _follow_activation(self, node: Any) -> None:
        recognised = self._activation()
        if recognised is None:
            raise _refusal(node)
        activation, self._at, done = recognised
        if activation == ACTIVATIONS["softplus"]() and "Where" in {
            reader.op_type for output in done for reader in self._readers.get(output, ())
        }:
            self._notes.append(
                "softplus is computed without PyTorch's threshold, above which "
                "it is x itself: outputs may differ by 1e-9"
            )
        self._done |= done
        self._steps.append(Activate(activation))

    def _activation(self) -> tuple[Activation, str, set[str]] | None:
        """The activation whose formula begins at the value, its result, and the nodes' outputs."""
        formulas = {self._at: "Z"}
        numbers: dict[str, tuple[float, ...]] = {self._at: ()}
        ahead = [*self._readers[self._at]]
        for node in ahead:
            known = [self._constants.get(name) for name in node.input if name not in formulas]
            is_used = node.op_type in IN_FORMULAS and bool({*node.input} & formulas.keys())
            if not is_used or any(each is None or each.dtype.kind not in "fi" for each in known):
                continue
            parts = [formulas.get(name, "#") for name in node.input]
            if node.op_type in ("Add", "Mul", "Max", "Min"):
                parts.sort()
            output = node.output[0]
            if output not in formulas and len(formulas) < _MOST_IN_FORMULA:
                ahead += self._readers.get(output, [])
            formulas[output] = f"{node.op_type}({','.join(parts)})"
            inner = [number for name in node.input for number in numbers.get(name, ())]
            numbers[output] = (
                *inner, *(float(n) for each in known if each is not None for n in each.ravel()[:3]),
            )  # fmt: skip
            activation = activation_of(formulas[output], numbers[output])
            if activation is not None:
                return activation, output, {*formulas} - {self._at}
        return None


_MOST_IN_FORMULA = 30


@contextmanager
def _damage_of(node: Any) -> Iterator[None]:
    """Raise `ModelError` where a node has not the inputs, outputs or options of its kind."""
    try:
        with np.errstate(all="ignore"):  # numbers that are not finite are refused later
            yield
    except (IndexError, KeyError, OverflowError, TypeError, ValueError):
        raise ModelError(f"{title(node)} has inputs, outputs or options of a wrong form.") from None


_SHARES = "uses a value that another node uses too: this is not a plain multilayer perceptron"


def _refusal(node: Any, why: str = "") -> ModelError:
    said = why or "is not part of a plain multilayer perceptron"
    return ModelError(f"{title(node)} {said}.")


_ENDS = {"ArgMax", "ZipMap", "Less", "Normalizer", "Binarizer"}
"""Nodes that read the outputs, and add what is no output of the network."""

_AFTER = {
    "ArgMax", "ZipMap", "ArrayFeatureExtractor", "Gather", "Cast", "Reshape", "Not", "Where",
    "Identity", "Less", "Normalizer", "Concat", "Slice", "Sub", "Binarizer",
}  # fmt: skip
"""Kinds of nodes after the outputs that find classes, by which the outputs do not change."""
