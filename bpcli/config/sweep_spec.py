"""The config's `sweep`: which keys vary, over which values, and how often each setting trains.

The entries are kept as written. `bpcli.config.domains` says what they mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

from bpcli.config.named import Strict

MOST_SETTINGS = 10_000
"""Checking this many settings before the first training takes a few seconds."""


def _grid_entry(given: Any) -> Any:
    from bpcli.config.domains import grid_values  # here: few configs have a sweep

    grid_values(given)
    return given


def _random_entry(given: Any) -> Any:
    from bpcli.config.domains import distribution

    distribution(given)
    return given


_ENTRY = {"anyOf": [{"type": "array", "minItems": 1}, {"type": "string"}]}
if TYPE_CHECKING:
    GridEntry: TypeAlias = list[Any] | str
    RandomEntry: TypeAlias = list[Any] | str
else:
    GridEntry = Annotated[Any, AfterValidator(_grid_entry), WithJsonSchema(_ENTRY)]
    RandomEntry = Annotated[Any, AfterValidator(_random_entry), WithJsonSchema(_ENTRY)]


class SweepSpec(Strict):
    """The keys to vary, and the number of settings and of trainings with each."""

    grid: dict[str, GridEntry] = Field(
        default_factory=dict,
        description="Keys with their values; every combination is a setting: "
        "{training.learning_rate: [0.01, 0.1], hidden: 1..20}. A range is `1..20` (whole numbers), "
        "`range(0, 1, 0.25)` (with a step) or `logrange(1e-4, 1, 5)` (this many values with a "
        "constant ratio); all include both ends. `hidden` is the sizes of the hidden layers: 5 or "
        "[10, 5], and 0 for none.",
    )
    random: dict[str, RandomEntry] = Field(
        default_factory=dict,
        description="Keys whose values are drawn anew for each setting: `uniform(0, 1)`, "
        "`loguniform(1e-4, 10)`, `int(1, 20)`, `logint(1, 1000)` (whole numbers, both ends "
        "included), or one of a list: [rprop, lbfgs], also written `choice(rprop, lbfgs)`.",
    )
    trials: Annotated[int, Field(ge=1, le=MOST_SETTINGS)] | None = Field(
        default=None,
        description="The number of settings; null: 20 with `random`, else all combinations of "
        "`grid`.",
    )
    seeds: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=1,
        description="Trainings with each setting: the first with the `seed` of the config, the "
        "others with the next seeds.",
    )
    metric: str = Field(
        default="auto",
        description="What ranks the settings, such as `val.accuracy`; `auto`: the validation loss, "
        "with `folds` and no validation rows the test loss of the folds.",
    )
    halving: bool = Field(
        default=False, description="Whether weak settings are stopped early, by successive halving."
    )
    sampler: Literal["random", "tpe"] = Field(
        default="random",
        description="How the values of `random` are chosen: `random`: independently of all "
        "results; `tpe`: from the results of earlier settings (needs `pip install "
        '"bpcli[optuna]"`).',
    )
