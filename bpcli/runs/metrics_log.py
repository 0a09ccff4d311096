"""Reads and writes metrics.jsonl, which has one line per logged epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from pydantic import model_validator

from bpcli.errors import RunError
from bpcli.runs.files import GrowingFile, not_read, strict_json, to_json
from bpcli.runs.saved import Count, Figure, Number, Saved, Scores, check, structure

OWN_KEYS = (
    "epoch", "loss", "grad_norm", "grad_norms", "seconds", "dead_units", "saturated_units",
)  # fmt: skip
"""The keys of every line; `dead_units` and `saturated_units` are only in some."""

INLINED = ("diagnostics", "metrics")
"""Fields whose keys are on the top level in the file."""

Numbers: TypeAlias = float | Sequence[float | None] | None
"""A number, or one for each layer."""


@structure
class LogLine(Saved):
    """The numbers of an epoch. In the file, diagnostics and metrics are on the top level.

    A metric has a path such as `val.accuracy`; other keys are diagnostics of the optimizer.
    Units are counted in lines that have metrics beyond the losses.
    """

    epoch: Count
    loss: Figure
    grad_norm: Figure
    grad_norms: list[Figure]
    diagnostics: Scores
    seconds: Number
    metrics: Scores
    dead_units: list[Count] = field(default_factory=list)
    saturated_units: list[Count] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        return {**self.numbers()}

    def numbers(self) -> dict[str, Numbers]:
        """The line as the file has it."""
        units = {"dead_units": self.dead_units, "saturated_units": self.saturated_units}
        return {
            "epoch": self.epoch,
            "loss": self.loss,
            "grad_norm": self.grad_norm,
            "grad_norms": self.grad_norms,
            **self.diagnostics,
            "seconds": self.seconds,
            **self.metrics,
            **{key: counts for key, counts in units.items() if counts},
        }

    @model_validator(mode="before")
    @staticmethod
    def of_file(line: object) -> object:
        if not isinstance(line, dict):
            return line
        others = {key: value for key, value in line.items() if key not in OWN_KEYS}
        return {
            **{key: line[key] for key in OWN_KEYS if key in line},
            "diagnostics": {key: others[key] for key in others if "." not in key},
            "metrics": {key: others[key] for key in others if "." in key},
        }


@structure
class Log(Saved):
    """All lines of metrics.jsonl in the order of their epochs."""

    lines: list[LogLine]

    @model_validator(mode="after")
    def _epochs_rise(self) -> Log:
        if any(one.epoch >= other.epoch for one, other in pairwise(self.lines)):
            raise ValueError("epochs do not rise from line to line")
        return self


def read_log(path: Path) -> list[LogLine]:
    """The lines of a log, checked. Raises `RunError` if it is damaged or cannot be read."""
    try:
        lines = [strict_json(line) for line in path.read_text("utf-8").splitlines()]
    except OSError as error:
        raise not_read(path, error) from None
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged: {error}.") from None
    return check(Log, {"lines": lines}, path, INLINED).lines


def encoded(line: LogLine) -> bytes:
    """A line as the file has it."""
    return (to_json(line.numbers(), indent=None) + "\n").encode()


class MetricsFile(GrowingFile):
    """Writes metrics.jsonl from a given size on; each line is written whole and flushed."""

    def append(self, line: LogLine) -> None:
        """Append a line. Raises `RunError` if it cannot be written."""
        self.grow(encoded(line))
