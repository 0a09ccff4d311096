"""ROC curves of the classes or the labels of a split."""

from __future__ import annotations

from typing import NamedTuple

from bpcli.metrics.roc import roc_curve
from bpcli.nn.arrays import Array
from bpcli.plots.base import Panel, Plot
from bpcli.plots.outcome import is_one_score, left_out, no_classes, note
from bpcli.plots.style import colour, dashes, literal
from bpcli.runs.subject import Subject

MOST_CURVES = 10


class Roc(Plot):
    """The curve of each label, of the second of two classes, or of each of several."""

    def why_not(self, subject: Subject) -> str | None:
        words = subject.experiment.preprocessor.words
        reason = None if words else no_classes(subject)
        if reason is None and not _scored(subject):
            one = "have the same labels" if words else "are of one class"
            return f"All rows of the {subject.split_name} set {one}."
        return reason

    def title(self, subject: Subject) -> str:
        several = len(subject.experiment.preprocessor.class_names) > 2
        rest = ", each class against the rest" * several
        return f"ROC curve{'s' * several}{rest}, {subject.split_name} set"

    def size(self, subject: Subject) -> tuple[float, float]:
        return (6.0, 6.2)

    def draw(self, figure: Panel, subject: Subject) -> None:
        curves = _scored(subject)
        words = subject.experiment.preprocessor.words
        noun, nouns = ("label", "labels") if words else ("class", "classes")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="chance level: area 0.5")
        for number, (name, is_positive, score) in enumerate(curves[:MOST_CURVES]):
            curve = roc_curve(is_positive, score)
            axes.plot(
                curve.false_positive_rate,
                curve.true_positive_rate,
                color=colour(number),
                linestyle=dashes(number),
                linewidth=1.8,
                clip_on=False,
                label=f"{noun} {literal(name, 24)}: area {curve.area:.4f}",
            )
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.set_xlabel(f"false positive rate (share of other rows predicted as the {noun})")
        axes.set_ylabel(f"true positive rate (share of the {noun}'s rows predicted as the {noun})")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right", handlelength=3.5, fontsize="small")
        drawn, count = min(len(curves), MOST_CURVES), len(words or curves)
        note(figure, left_out(drawn, count, f"{nouns} drawn"))


class Scored(NamedTuple):
    """A class or label with a curve: whether each row has it (n,), and each row's score (n,)."""

    name: str
    is_positive: Array
    score: Array


def _scored(subject: Subject) -> list[Scored]:
    """The classes or labels that have some but not all rows of the split."""
    words, values = subject.experiment.preprocessor.words, subject.rows.values
    if words and values is not None:
        triples = zip(words, values.T == 1, subject.predictions.ranks.T, strict=True)
        return [Scored(*each) for each in triples if 0 < each[1].sum() < len(values)]
    labels, names = subject.rows.labels, subject.experiment.preprocessor.class_names
    assert labels is not None, "there are classes"
    ranks = subject.predictions.ranks
    return [
        Scored(names[label], labels == label, ranks[:, output])
        for label, output in _scores(subject)
        if 0 < (labels == label).sum() < len(labels)
    ]


def _scores(subject: Subject) -> list[tuple[int, int]]:
    """The classes, each with the index of the output that scores it.

    If a single score decides between two classes, only the second has a curve.
    """
    outputs = subject.network.outputs
    if is_one_score(subject):
        return [(1, outputs - 1)]
    return [(label, label) for label in range(outputs)]
