"""Labels, of which a row may have any number: the two texts of each, and notes on them."""

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
    """The two texts of a label, given the sorted unique values of its column: the second is 1.

    Texts are in alphabetical order, ignoring case, except for pairs such as `nein` and `ja`. If a
    column has one value of a usual pair, such as `0`, `no` or `false`, the other is added. Raises
    `DataError` for any other number of values.
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
            f"column `{name}` has one value, {quoted(values[0])}: a label needs two; leave it out "
            "of the targets",
            "targets",
        )
    is_spelt_twice = len({*map(folded, values)}) <= 2
    raise DataError(
        f"column `{name}` has {len(values)} values, {listed_names(values)}: a label needs two, "
        "such as no and yes" + "; `casefold: true` merges spellings of one value" * is_spelt_twice,
        "targets",
    )


def notes_on_words(words: Mapping[str, Words]) -> Iterator[str]:
    """Notes on which text means 1, for labels that are not written as 0 and 1."""
    named = defaultdict(list)
    for name, pair in words.items():
        if pair != ("0", "1"):
            named[pair[1]].append(name)
    for one, names in named.items():
        yield f"label{'s' * (len(names) > 1)} {listed_names(names)}: 1 means `{one}`"


def notes_on_constants(words: Mapping[str, Words], Y: Array, split: str) -> Iterator[str]:
    """Notes on labels that are the same in all rows of a split; Y (n, k) are its labels."""
    effects = ("recall and ROC AUC are undefined for", "the ROC AUC is undefined for")
    if split == "train":
        effects = ("nothing can be learned about",) * 2
    for constant, effect in enumerate(effects):
        named = defaultdict(list)
        for (name, pair), column in zip(words.items(), Y.T, strict=True):
            if np.all(column == constant):
                named[pair[constant]].append(name)
        for word, names in named.items():
            they = "them" if len(names) > 1 else "it"
            yield (
                f"label{'s' * (len(names) > 1)} {listed_names(names)}: every row of the {split} "
                f"split is `{word}`, so {effect} {they}"
            )


def class_values(names: Sequence[str]) -> Array:
    """The classes of a network as values of Python, from their names, in their order.

    False and true, or numbers, if all names are and no two are the same number; else the names.
    """
    if sorted(name.lower() for name in names) == ["false", "true"]:
        return np.array([name.lower() == "true" for name in names])
    try:
        numbers = np.array([_number(name) for name in names])
    except ValueError:
        return np.array(names)
    is_exact = numbers.dtype.kind in "iuf" and len(np.unique(numbers)) == len(names)
    return numbers if is_exact and np.isfinite(numbers).all() else np.array(names)


def _number(name: str) -> int | float:
    """A number by its text; a whole one exactly.

    Raises `ValueError` for a text that is not how Python writes the number: `01234` is a code.
    """
    number: int | float
    try:
        number = int(name)
    except ValueError:
        number = float(name)
    if name not in (str(number), str(number).removesuffix(".0")):
        raise ValueError(name)
    return int(number) if isinstance(number, float) and number.is_integer() else number
