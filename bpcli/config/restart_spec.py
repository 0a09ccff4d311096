"""The keys under `training.restarts`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from bpcli.config.named import Strict

RestartCount: TypeAlias = Annotated[int, Field(ge=1, le=10_000)]


class Restarts(Strict):
    """Trainings from several initialisations."""

    count: RestartCount = Field(description="The number of initialisations.")
    combine: Literal["best", "mean"] = Field(
        default="best",
        description="`best` keeps the best network; `mean` keeps the average of the `keep` best as "
        "one wider network.",
    )
    keep: RestartCount = Field(default=5, description="How many networks `mean` averages.")
