"""The config's `data` where it is rows written out in the config itself."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from bpcli.config.data_models import Data
from bpcli.data.inline import InlineArrays


class InlineData(Data):
    """Rows written out in the config."""

    key: ClassVar[str] = "inputs"

    # numbers or lists of them; the cross-check says which cell is neither
    inputs: list[Any] = Field(description="The rows: lists of numbers, or numbers.")
    targets: list[Any] | Literal["same_as_inputs"] | None = Field(
        default=None, description="A target a row: numbers, lists of them, or words for classes."
    )

    @property
    def source(self) -> InlineArrays:
        targets = None if isinstance(self.targets, str) else self.targets
        return InlineArrays(self.inputs, targets)
