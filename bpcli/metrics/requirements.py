"""Requirements on a run's metrics, such as `test.accuracy>=0.95`."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpcli.errors import ConfigError

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_REQUIREMENT = re.compile(r"\s*([^<>=]*[^\s<>=])\s*(>=|<=|>|<)\s*([^\s<>=]+)\s*")


@dataclass(frozen=True)
class Requirement:
    """A metric's path, a comparison and a bound."""

    path: str
    comparison: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """Parse a path, a comparison and a number; raise `ConfigError` for any other text."""
        match = _REQUIREMENT.fullmatch(text)
        try:
            path, comparison, bound = match.groups() if match else ("", "", "")
            requirement = cls(path, comparison, float(bound))
        except ValueError:
            requirement = None
        if requirement is None or not math.isfinite(requirement.bound):
            raise ConfigError(
                f"--require {text}: expected a metric, one of {' '.join(_COMPARISONS)}, and a "
                'number, such as "test.accuracy>=0.95".'
            )
        return requirement

    @property
    def split(self) -> str:
        return self.path.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.path} {self.comparison} {self.bound:.12g}"


@dataclass(frozen=True)
class Verdict:
    """Whether a metric meets a requirement; an undefined metric never does."""

    requirement: Requirement
    value: float | None

    @property
    def passed(self) -> bool:
        compare = _COMPARISONS[self.requirement.comparison]
        return self.value is not None and compare(self.value, self.requirement.bound)

    @property
    def sentence(self) -> str:
        """The requirement and the value, as part of a sentence."""
        value = "undefined" if self.value is None else f"{self.value:.12g}"
        return f"required: {self.requirement}, but the value is {value}"

    def to_json(self) -> dict[str, Any]:
        return {
            "require": str(self.requirement),
            "path": self.requirement.path,
            "value": self.value,
            "passed": self.passed,
        }


def judge(
    requirements: Sequence[Requirement], metrics: Mapping[str, float | None]
) -> list[Verdict]:
    """Compare metrics, given by path, with the requirements.

    Raises `ConfigError`, with the known paths, if a requirement has an unknown path.
    """
    for requirement in requirements:
        if requirement.path not in metrics:
            raise ConfigError(
                f"--require {requirement}: unknown metric `{requirement.path}`; expected one of "
                f"{', '.join(metrics)}."
            )
    return [Verdict(requirement, metrics[requirement.path]) for requirement in requirements]
