"""The damping rules of Levenberg-Marquardt, as its annotations list them."""

from __future__ import annotations

from typing import get_args, get_type_hints

from bpcli.optimizers.levenberg_marquardt import LevenbergMarquardt


def by_rule() -> dict[str, LevenbergMarquardt]:
    """The optimizer with each rule, its other options as they are by default."""
    rules = get_args(get_type_hints(LevenbergMarquardt).get("damping_rule"))
    made = {rule: LevenbergMarquardt(damping_rule=rule) for rule in rules}
    return made or {"default": LevenbergMarquardt()}
