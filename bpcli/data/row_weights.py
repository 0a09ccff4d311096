"""The weight of each row in the loss: from its class, and from the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.spellings import PLAIN, Spelling
from bpcli.data.table import Table
from bpcli.data.types import Labels
from bpcli.data.values import category_named
from bpcli.nn.arrays import Array

ClassWeights: TypeAlias = Literal["balanced"] | Mapping[str, float]


def weights_of_classes(
    rule: ClassWeights, labels: Labels, class_names: tuple[str, ...], spelling: Spelling = PLAIN
) -> dict[str, float]:
    """The weight of each class, given the classes of the training rows.

    `balanced`: n / (K n_c) for n rows, of which n_c are of class c, and K classes that have rows,
    so that all classes have equal influence (King & Zeng 2001, Political Analysis 9, 137). The
    names in given weights are read like cells of a table: `1.0` is the class 1, `True` is true, and
    `spelling` decides which spellings are the same class. A class without training rows, or without
    a given weight, has weight 1.
    """
    if rule != "balanced":
        given = {
            category_named(name, class_names, spelling): weight for name, weight in rule.items()
        }
        return {name: given.get(name, 1.0) for name in class_names}
    counts = np.bincount(labels, minlength=len(class_names))
    shares = len(labels) / np.count_nonzero(counts)
    return {
        name: shares / int(count) if count else 1.0
        for name, count in zip(class_names, counts, strict=True)
    }


def row_weights(
    table: Table, of_classes: Mapping[str, float] | None, training: Labels
) -> Array | None:
    """The weight of every row (n,): its class's weight times its own; None if all are equal.

    Weights are scaled to mean 1 over the training rows. Then only their ratios matter, even for
    optimizers that add another term to the loss.
    """
    weight = table.weight
    if of_classes is not None and table.labels is not None:
        by_label = np.array([of_classes[name] for name in table.class_names])
        weight = by_label[table.labels] * (1.0 if weight is None else weight)
    if weight is None or not len(training):
        return weight
    largest: float = weight[training].max()  # dividing first keeps the sum finite
    weight = weight / largest
    mean: float = weight[training].mean()
    return weight / mean
