"""The description of the arrays of a checkpoint; `saved` checks it."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from bpcli.runs.saved import Count, Digest, Figure, Number, Saved, Text, structure

_Word128: TypeAlias = Annotated[int, Field(strict=True, ge=0, lt=2**128)]


def _odd(number: int) -> int:
    if number % 2 == 0:
        raise ValueError(
            "expected an odd number: with an even one the generator has a short period"
        )
    return number


@structure
class GeneratorState(Saved):
    """The two integers of a PCG64 generator."""

    state: _Word128
    inc: Annotated[_Word128, AfterValidator(_odd)]


@structure
class RandomState(Saved):
    """The state of the random number generator."""

    bit_generator: Literal["PCG64"]
    state: GeneratorState
    has_uint32: Literal[0, 1]
    uinteger: Annotated[int, Field(strict=True, ge=0, lt=2**32)]


def _reason_and_message(ended: list[str]) -> list[str]:
    if len(ended) != 2 or not re.fullmatch("[a-z][a-z0-9_]{0,63}", ended[0]):
        raise ValueError("a reason and a message are needed")
    return ended


@structure
class CheckpointMeta(Saved):
    """The description of the arrays of a checkpoint."""

    run: Text
    sha256: Digest
    epoch: Count
    random_state: RandomState
    ended: Annotated[list[Text], AfterValidator(_reason_and_message)] | None
    seconds: Number
    val_loss: Figure
    log_bytes: Count
    log_sha256: Digest
    path_rows: Count
    path_sha256: Digest
