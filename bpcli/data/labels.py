"""Labels, of which a row may have any number: the two words of each, and notes on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bpcli.data.types import Words
from bpcli.data.values import number_of
from bpcli.errors import DataError
from bpcli.nn.arrays import Array
from bpcli.text import folded, listed_names, quoted

_PAIRS: tuple[Words, ...] = tuple(
    (spelled(zero), spelled(one))
    for zero, one in (("0", "1"), ("false", "true"), ("no", "yes"), ("nein", "ja"), ("нет", "да"))
    for spelled in (str.lower, str.capitalize, str.upper)
)


def label_words(values: Sequence[str], name: str) -> Words:
    """The words of a label, given the sorted unique values of its column: the second one is 1.

    Words are in the order of the alphabet, whatever their case, but for `nein` and `ja`. A column
    of zeros alone, or of `no` or `false`, has the usual other word too. Raises `DataError` for any
    other number of values.
    """
    if len(values) == 2:
        are_words = any(number_of(value) is None for value in values)
        first, second = sorted(values, key=folded) if are_words else values
        is_reversed = (folded(second), folded(first)) in _PAIRS
        return (second, first) if is_reversed else (first, second)
    if len(values) == 1:
        for pair in _PAIRS:
            if values[0] in pair:
                return pair
        raise DataError(
            f"column `{name}` has one value, {quoted(values[0])}: a label has two; leave it out of "
            "the targets",
            "targets",
        )
    is_spelt_twice = len({*map(folded, values)}) <= 2
    raise DataError(
        f"column `{name}` has {len(values)} values, {listed_names(values)}: a label has two, such "
        "as no and yes" + "; `casefold: true` takes spellings of a word as one" * is_spelt_twice,
        "targets",
    )


def notes_on_words(words: Mapping[str, Words]) -> Iterator[str]:
    """Notes on which word is 1, for labels that are not written as 0 and 1."""
    named = defaultdict(list)
    for name, pair in words.items():
        if pair != ("0", "1"):
            named[pair[1]].append(name)
    for one, names in named.items():
        yield f"label{'s' * (len(names) > 1)} {listed_names(names)}: 1 is `{one}`"


def notes_on_constants(words: Mapping[str, Words], Y: Array, split: str) -> Iterator[str]:
    """Notes on labels that no row of a split has, or all: Y (n, k) are its rows' labels."""
    effects = ("recall and ROC AUC are undefined for", "the ROC AUC is undefined for")
    if split == "train":
        effects = ("nothing can be learned of",) * 2
    for constant, effect in enumerate(effects):
        named = defaultdict(list)
        for (name, pair), column in zip(words.items(), Y.T, strict=True):
            if np.all(column == constant):
                named[pair[constant]].append(name)
        for word, names in named.items():
            they = "them" if len(names) > 1 else "it"
            yield (
                f"label{'s' * (len(names) > 1)} {listed_names(names)}: every row of the {split} "
                f"split is `{word}`, so that {effect} {they}"
            )
