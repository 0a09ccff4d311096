"""Traces for people, as they stand on a page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

import numpy as np
from strategies import Problem
from tracing import experiment_of

from bpcli.cli.signs import HANDLER
from bpcli.optimizers import GradientDescent
from bpcli.terminal.stream import Stream
from bpcli.trace import plain
from bpcli.trace.blocks import Arrays, Block, Chain
from bpcli.trace.cells import Sheet, sheets
from bpcli.trace.followed import Entry
from bpcli.trace.numbers import Setting, Trace, trace
from bpcli.trace.updates import trace_updates
from bpcli.trace.walk import walk
from bpcli.training.batches import Batches
from bpcli.training.steps import Training

EVERYTHING = (
    "name=iris_50",
    "loss=mse",
    "network.layers=[4,3,12,3]",
    "network.activations=[{name: maxout, pieces: 2}, elu, softmax]",
    "network.bias=[true,false,frozen]",
    "training.l2=0.1",
    "training.optimizer=adam",
    "training.class_weights=balanced",
)
"""Most that a page can show, in one config of iris."""


def page_of(name: str, *overrides: str, **options: object) -> Trace:
    """A trace of a shipped config at its initial parameters."""
    experiment = experiment_of(name, *overrides)
    return trace(experiment, experiment.initial_params, **options)  # type: ignore[arg-type]


def shown(blocks: Iterable[Block], encoding: str = "utf-8") -> str:
    """Blocks as a text stream of an encoding shows them."""
    file = io.TextIOWrapper(io.BytesIO(), encoding)
    plain.show(blocks, Stream(file), lambda text: text.encode(encoding, HANDLER).decode(encoding))
    file.seek(0)
    return file.read()


def text_of(page: Trace, encoding: str = "utf-8") -> str:
    return shown(walk(page), encoding)


def sheets_of(blocks: Iterable[Block]) -> list[Sheet]:
    return [sheet for block in blocks if isinstance(block, Arrays) for sheet in sheets(block)]


def trace_of(problem: Problem, entry: Entry | None = None) -> Trace:
    """Two updates with momentum on a random network's own rows, with their weights."""
    objective = problem.objective()
    optimizer = GradientDescent(momentum=0.5)
    training = Training(
        objective,
        optimizer,
        problem.params,
        learning_rate=0.1,
        batches=Batches(),
        rng=np.random.default_rng(0),
    )
    rows = len(objective.data)
    setting = Setting(
        "random", objective.network, optimizer, 0.1, np.arange(rows), ("train",) * rows, "rows",
        (), objective.data.columns[1], objective.data.weight, objective.l2, objective.reduction,
        rows,
    )  # fmt: skip
    updates = tuple(trace_updates(training, optimizer, 2))
    layers = objective.network.layers
    chosen = entry or Entry(f"W{len(layers)}", len(layers), layers[-1].rows, 1)
    return Trace(setting, updates[0].passes[0].forward, updates, chosen)


def value_of(formula: str, **names: float) -> float:
    """A formula of the plain notation as a number."""
    code = formula.replace("²", "**2").replace("·", "*").replace("∘", "*")
    code = re.sub(r"\|([^|]*)\|", r"abs(\1)", code)
    code = re.sub(r"([\d)]) (?=[\d(a-z](?!lse|here))", r"\1 * ", code)
    branch = re.fullmatch(r"(.*) where (.*), else (.*)", code)
    if branch:
        code = f"({branch[1]}) if ({branch[2]}) else ({branch[3]})"
    functions = {"exp": np.exp, "ln": np.log, "tanh": np.tanh, "max": max, "abs": abs}
    functions |= {"sign": np.sign, "clip": np.clip}
    return float(eval(code, functions | names))  # a formula of our own


def worked(blocks: Iterable[Block]) -> Iterator[tuple[str, str]]:
    """The numbers of each chain, and their result."""
    for block in blocks:
        if isinstance(block, Chain) and len(block.parts) > 2:
            *_, numbers, result = block.parts
            words = re.sub(r"sign|clip|(?<=\d)e(?=[-+]\d)", "", numbers)
            if not re.search(r"[^\W\d]|…|Σ", words):
                yield numbers, result
