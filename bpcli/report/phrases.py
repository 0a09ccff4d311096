"""Phrases that several sections use."""

from __future__ import annotations

from bpcli.data.types import SplitName
from bpcli.metrics.bootstrap import Interval
from bpcli.nn.activations import ACTIVATIONS
from bpcli.registry import name_of
from bpcli.report.figures import text_of
from bpcli.report.words import Words
from bpcli.runs.run_json import RunRecord
from bpcli.runs.subject import Subject
from bpcli.text import text_width


def split_text(name: SplitName, words: Words) -> str:
    """The name of a split: training set."""
    return words(f"split.{name}")


def metric_text(metric: str, words: Words) -> str:
    """A metric as a reader knows it; one of several targets with its name."""
    name, _, target = metric.partition(".")
    text = words.get(f"metric.{name}", name)
    return words("metric.of_target", metric=text, target=target) if target else text


def score_text(split: SplitName, metric: str, words: Words) -> str:
    """A metric of a split: accuracy, test set."""
    texts = {"metric": metric_text(metric, words), "split": split_text(split, words)}
    return words("history.of_split", **texts)


def interval_in_text(interval: Interval | None, words: Words) -> str:
    """The interval as it follows a value in a sentence; empty if there is none."""
    if interval is None:
        return ""
    return words("banner.interval", interval=interval_text(interval, words))


def interval_text(interval: Interval | None, words: Words) -> str:
    """0.95 to 0.99; a dash if there is none."""
    if interval is None:
        return "–"
    return words("page.range", low=text_of(interval.low), high=text_of(interval.high))


def kept_reason(record: RunRecord) -> str:
    """The key of why these weights were kept: by validation loss, as the last ones, or given."""
    if record.stop_reason in ("imported", "averaged"):
        return record.stop_reason
    return "val" if record.rows.val else "last"


def sizes_text(record: RunRecord) -> str:
    """The sizes of the layers: 2-16-1."""
    layers = record.layers
    return "-".join(str(size) for size in (layers[0].inputs, *(layer.units for layer in layers)))


def activation_names(record: RunRecord) -> list[str]:
    return [str(layer.activation["name"]) for layer in record.layers]


def activation_of(subject: Subject, layer: int) -> str:
    return name_of(ACTIVATIONS, subject.network.layers[layer].activation)


def optimizer_text(record: RunRecord) -> str:
    return spaced(str(record.optimizer["name"]))


def spaced(name: str) -> str:
    """A name of a config as words: gradient descent."""
    return name.replace("_", " ")


def cut(text: str, most: int = 24) -> str:
    """A name that is short enough for a chart: at most so many columns of a terminal."""
    if text_width(text) <= most:
        return text
    end = len(text[:most])
    while text_width(text[:end]) >= most:
        end -= 1
    return text[:end] + "…"
