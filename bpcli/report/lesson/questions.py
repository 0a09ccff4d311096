"""Questions of a lesson: predict, then reveal. Each is asked only where its answer is known.

A question is a function of a `Pupil`, what is known of the run, that returns its text and its
answer with evidence, or None if the run does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Layer
from bpcli.nn.propagation import LayerPass
from bpcli.optimizers.base import norm
from bpcli.report.charts import Curve, Mark, line_chart
from bpcli.report.html import Html, joined, paragraph, tag
from bpcli.report.lesson.trials import Trial, Trials
from bpcli.report.words import Words
from bpcli.runs.subject import Subject
from bpcli.trace.cells import number

_SAME = 0.02
"""Losses that differ by less than this share are called about the same."""


@dataclass(frozen=True)
class Question:
    """A question in one or two sentences, and its answer with evidence."""

    text: str
    answer: Html


@dataclass(frozen=True, eq=False)
class Pupil:
    """The run that the questions are about, and the short trainings that answer them."""

    subject: Subject
    words: Words
    trials: Trials = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trials", Trials(self.subject.experiment))

    @property
    def hidden(self) -> int:
        """The number of hidden layers."""
        return len(self.subject.network.layers) - 1

    @cached_property
    def training_pass(self) -> list[LayerPass]:
        """The layers with z and a for the training set, with the kept weights."""
        return self.subject.passed("train")

    def chart(self, id_: str, curves: list[Curve], *marks: Mark) -> Html:
        """A chart of losses over epochs."""
        words = self.words
        return line_chart(
            f"lesson-{id_}", curves, words("lesson.chart.losses"), words,
            x_title=words("lesson.chart.epoch"), y_title=words("lesson.chart.loss"), marks=marks,
        )  # fmt: skip

    def curve(self, name: str, trial: Trial, style: int) -> Curve:
        """The losses of a trial as a curve."""
        losses = trial.losses[np.isfinite(trial.losses)]
        return Curve(name, np.arange(len(losses)), losses, style)


def loss_text(value: float) -> str:
    return number(value, 4)


# Without training.


def count_of_parameters(pupil: Pupil) -> Question:
    """How many numbers does training adjust?"""
    network, words = pupil.subject.network, pupil.words
    terms = [
        words(
            "lesson.count.layer" if layer.has_bias else "lesson.count.layer_without_bias",
            layer=number_, inputs=layer.inputs, rows=_rows_text(layer), size=f"{layer.size:,}",
        )
        for number_, layer in enumerate(network.layers, start=1)
    ]  # fmt: skip
    trained = network.n_params - len(network.frozen)
    parts = [tag("ul", [tag("li", term) for term in terms])]
    if len(network.frozen):
        parts.append(paragraph(words("lesson.count.frozen", count=f"{len(network.frozen):,}")))
    total = paragraph(words("lesson.count.answer", count=f"{trained:,}"))
    question = words("lesson.count.question", network=network.summary)
    return Question(question, joined(total, *parts))


def _rows_text(layer: Layer) -> str:
    """The number of units; of units that have several rows of weights, times these."""
    pieces = layer.activation.rows_per_unit
    return str(layer.units) if pieces == 1 else f"{layer.units} × {pieces}"


def largest_gradient(pupil: Pupil) -> Question | None:
    """Which layer gets the largest gradient at the start?"""
    experiment, words = pupil.subject.experiment, pupil.words
    network = experiment.network
    if not pupil.hidden:
        return None
    grad = experiment.objective().grad(experiment.initial_params)
    norms = np.array([norm(grad[where]) for where in network.layer_slices])
    if not np.isfinite(norms).all() or not norms.all():
        return None
    largest = int(norms.argmax()) + 1
    ratio = float(norms[-1] / norms[0])
    key = "last" if ratio >= 1 else "first"
    factor = f"{max(ratio, 1 / ratio):.3g}"
    answer = joined(
        paragraph(words("lesson.gradient.answer", layer=largest)),
        tag("ul", [
            tag("li", words("lesson.gradient.layer", layer=at, norm=number(float(value), 4)))
            for at, value in enumerate(norms, start=1)
        ]),
        paragraph(words(f"lesson.gradient.{key}", factor=factor)),
    )  # fmt: skip
    return Question(words("lesson.gradient.question", layers=len(norms)), answer)


def last_step(pupil: Pupil) -> Question | None:
    """What does one more step change, at the start and at the end?"""
    path, words = pupil.subject.path, pupil.words
    if path is None or len(path) < 3:
        return None
    objective = pupil.subject.experiment.objective()
    ends = [path[0], path[1], path[-2], path[-1]]
    if not all(np.isfinite(each).all() for each in ends):
        return None
    losses = [objective.losses(np.asarray(each)).value for each in ends]
    if not np.isfinite(losses).all():
        return None
    epoch = f"{len(path) - 1:,}"
    values = {"epoch": epoch, "change": number(losses[3] - losses[2]), "after": number(losses[3])}
    first = {"first": number(losses[0]), "second": number(losses[1])}
    answer = joined(
        paragraph(words("lesson.step.answer", **values)),
        paragraph(_change_text(pupil, ends[0], ends[1], "first")),
        paragraph(_change_text(pupil, ends[2], ends[3], "last")),
    )
    return Question(words("lesson.step.question", epoch=epoch, **first), answer)


def _change_text(pupil: Pupil, before: Array, after: Array, when: str) -> str:
    """The parameter that a step changed most."""
    change = np.asarray(after) - np.asarray(before)
    at = int(np.abs(change).argmax())
    if not change[at]:
        return pupil.words(f"lesson.step.{when}_nothing")
    return pupil.words(
        f"lesson.step.{when}",
        name=pupil.subject.network.param_name(at),
        change=number(float(change[at])),
        after=number(float(after[at])),
    )


def overfitting(pupil: Pupil) -> Question | None:
    """Does it over-fit, and since when?"""
    subject, words = pupil.subject, pupil.words
    if not {"train.loss", "val.loss"} <= {*subject.keys}:
        return None
    epochs, val = subject.series("val.loss")
    at_train, train = subject.series("train.loss")
    if len(val) < 4 or not np.isfinite(val).all() or not np.isfinite(train).all():
        return None
    best = int(val.argmin())
    fell = train[-1] < float(np.interp(epochs[best], at_train, train))
    risen = val[-1] > (1 + _SAME) * val[best]
    key = "yes" if risen and fell else "no"
    values = {
        "epoch": f"{int(epochs[best]):,}",
        "best": loss_text(float(val[best])),
        "end": loss_text(float(val[-1])),
        "last": f"{int(epochs[-1]):,}",
    }
    curves = [
        Curve(words("lesson.chart.training"), at_train, train, 0),
        Curve(words("lesson.chart.validation"), epochs, val, 1),
    ]
    chart = pupil.chart(
        "overfitting", curves, Mark(float(epochs[best]), words("lesson.chart.best"))
    )
    answer = joined(paragraph(words(f"lesson.overfitting.{key}", **values)), chart)
    return Question(words("lesson.overfitting.question"), answer)


# With trials.


def ten_times_the_rate(pupil: Pupil) -> Question | None:
    """What does the loss do at ten times the learning rate?"""
    words, trials = pupil.words, pupil.trials
    rate = trials.rate
    if rate is None or trials.plain.is_diverged:
        return None
    fast, slow = trials.with_rate(10), trials.with_rate(0.1)
    values = {
        "rate": f"{rate:g}",
        "fast": f"{10 * rate:g}",
        "slow": f"{rate / 10:g}",
        "epochs": f"{trials.epochs:,}",
        "plain_loss": loss_text(trials.plain.last),
        "fast_loss": loss_text(fast.last),
        "slow_loss": loss_text(slow.last),
        "rises": f"{fast.rises:,}",
        "lasted": f"{len(fast.losses):,}",
    }
    curves = [
        pupil.curve(words("lesson.rate.curve", rate=values["rate"]), trials.plain, 0),
        pupil.curve(words("lesson.rate.curve", rate=values["fast"]), fast, 1),
        pupil.curve(words("lesson.rate.curve", rate=values["slow"]), slow, 2),
    ]
    answer = joined(
        paragraph(words(f"lesson.rate.{_outcome_of_rate(trials.plain, fast)}", **values)),
        paragraph(words("lesson.rate.slow", **values)),
        pupil.chart("rate", curves),
    )
    return Question(words("lesson.rate.question", **values), answer)


def _outcome_of_rate(plain: Trial, fast: Trial) -> str:
    if fast.is_diverged:
        return "diverges"
    if fast.last < (1 - _SAME) * plain.last:
        return "faster"
    return "same" if fast.last <= (1 + _SAME) * plain.last else "worse"


def zero_weights(pupil: Pupil) -> Question | None:
    """What happens if all initial weights are 0?"""
    words, trials, network = pupil.words, pupil.trials, pupil.subject.network
    if not pupil.hidden or all(layer.rows < 2 for layer in network.layers[:-1]):
        return None
    plain = trials.plain
    zeros = trials.from_params(np.zeros(network.n_params, pupil.subject.experiment.dtype))
    if plain.is_diverged or zeros.is_diverged or not _are_equal(pupil, zeros.params):
        return None
    values = {
        "epochs": f"{trials.epochs:,}",
        "zero_loss": loss_text(zeros.last),
        "plain_loss": loss_text(plain.last),
    }
    moved = float(np.abs(np.asarray(zeros.params)[: network.layers[0].size]).max())
    key = "move" if moved > 0 else "rest"
    curves = [
        pupil.curve(words("lesson.zero.plain"), plain, 0),
        pupil.curve(words("lesson.zero.curve"), zeros, 1),
    ]
    answer = joined(
        paragraph(words(f"lesson.zero.{key}", **values)),
        paragraph(words("lesson.zero.losses", **values)),
        pupil.chart("zero", curves),
    )
    return Question(words("lesson.zero.question"), answer)


def _are_equal(pupil: Pupil, params: Vector) -> bool:
    """Whether the units of each hidden layer have the same weights, up to rounding."""
    matrices = pupil.subject.network.matrices(np.asarray(params))[:-1]
    scale = max(float(np.abs(params).max()), 1.0)
    return all(float(np.ptp(matrix, axis=0).max()) <= 1e-9 * scale for matrix in matrices)


def no_hidden_layer(pupil: Pupil) -> Question | None:
    """Is a network without hidden layers as good?"""
    words, trials = pupil.words, pupil.trials
    if not pupil.hidden or trials.plain.is_diverged:
        return None
    if pupil.subject.experiment.spec.network.parameters is not None:
        return None
    shallow = trials.without_hidden_layers()
    if shallow.is_diverged:
        return None
    values = {
        "epochs": f"{trials.epochs:,}",
        "shallow_loss": loss_text(shallow.last),
        "plain_loss": loss_text(trials.plain.last),
    }
    curves = [
        pupil.curve(words("lesson.shallow.plain"), trials.plain, 0),
        pupil.curve(words("lesson.shallow.curve"), shallow, 1),
    ]
    key = _compared(trials.plain.last, shallow.last)
    answer = joined(
        paragraph(words(f"lesson.shallow.{key}", **values)), pupil.chart("shallow", curves)
    )
    return Question(words("lesson.shallow.question", **values), answer)


def _compared(plain: float, other: float) -> str:
    if other > (1 + _SAME) * plain:
        return "worse"
    return "better" if other < (1 - _SAME) * plain else "same"


_SEEDS = (1, 2, 3, 4)


def other_seeds(pupil: Pupil) -> Question | None:
    """Does another random start give the same loss?"""
    words, trials = pupil.words, pupil.trials
    if pupil.subject.experiment.spec.network.parameters is not None or trials.plain.is_diverged:
        return None
    others = [trials.from_seed(seed) for seed in _SEEDS]
    finals = [trials.plain.last, *(each.last for each in others if not each.is_diverged)]
    if len(finals) < 1 + len(_SEEDS) or min(finals) <= 0:
        return None
    key = "spread" if max(finals) > (1 + 10 * _SAME) * min(finals) else "alike"
    values = {
        "epochs": f"{trials.epochs:,}",
        "least": loss_text(min(finals)),
        "most": loss_text(max(finals)),
        "count": len(finals),
    }
    curves = [pupil.curve(words("lesson.seeds.plain"), trials.plain, 0)]
    curves += [
        pupil.curve(words("lesson.seeds.curve", seed=seed), trial, 1 + at)
        for at, (seed, trial) in enumerate(zip(_SEEDS, others, strict=True))
    ]
    answer = joined(paragraph(words(f"lesson.seeds.{key}", **values)), pupil.chart("seeds", curves))
    return Question(words("lesson.seeds.question"), answer)
