"""Levenberg-Marquardt with each damping rule."""

from __future__ import annotations

from typing import get_args

from bpcli.optimizers.damping import DampingRule
from bpcli.optimizers.levenberg_marquardt import LevenbergMarquardt


def by_rule() -> dict[str, LevenbergMarquardt]:
    """The optimizer with each rule, its other options as they are by default."""
    return {rule: LevenbergMarquardt(damping_rule=rule) for rule in get_args(DampingRule)}
