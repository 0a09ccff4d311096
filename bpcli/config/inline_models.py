"""The config's `data` for rows written in the config itself."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from bpcli.config.data_models import Data
from bpcli.data.inline import InlineArrays


class InlineData(Data):
    """Rows written in the config."""

    key: ClassVar[str] = "inputs"

    # numbers or lists of them; the cross-check reports the cells that are neither
    inputs: list[Any] = Field(description="The rows: lists of numbers, or numbers.")
    targets: list[Any] | Literal["same_as_inputs"] | None = Field(
        default=None,
        description="One target per row: a number, a list of numbers, or the name of a class.",
    )

    @property
    def source(self) -> InlineArrays:
        targets = None if isinstance(self.targets, str) else self.targets
        return InlineArrays(self.inputs, targets)
