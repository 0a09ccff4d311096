"""Whether one of two predictors is better on the same rows.

McNemar 1947, Psychometrika 12, 153, in its exact form, for predictors that are right or wrong in
each row (Dietterich 1998, Neural Computation 10, 1895). Wilcoxon 1945, Biometrics Bulletin 1, 80,
for predictors with an error in each row. Both leave out the rows on which the two are equal.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from bpcli.metrics.metrics import Sample
from bpcli.nn.arrays import Array, Vector

SIGNIFICANT = 0.05
"""A smaller p is called a difference: it fits the 95 % of intervals."""

Winner: TypeAlias = Literal["first", "second", "neither"]


class PairedTest(NamedTuple):
    """The numbers of rows on which the first or the second is better, or both are equal.

    `p` is the probability of a difference as large as this one, or larger, if neither is better.
    `better` is the better one, or neither if p is not small.
    """

    name: Literal["mcnemar", "wilcoxon"]
    first: int
    second: int
    equal: int
    p: float
    better: Winner


def mcnemar(first: Vector, second: Vector) -> PairedTest:
    """Test whether two predictors are right equally often; each (n,) is True where one is right.

    Of the m rows on which exactly one is right, it is each of them with probability ½:
    p = 2 P(B ≤ min(b, c)) with B ~ Binomial(m, ½), b + c = m, but at most 1.
    """
    from scipy.stats import binomtest

    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differing = only_first + only_second
    p = float(binomtest(only_first, differing).pvalue) if differing else 1.0
    better = _better(only_first - only_second, p)
    return PairedTest("mcnemar", only_first, only_second, len(first) - differing, p, better)


def wilcoxon(first: Vector, second: Vector) -> PairedTest:
    """Test whether two predictors have equally large errors (n,), by the ranks of the differences.

    The distribution is exact for up to 50 rows without ties, else normal.
    """
    from scipy.stats import rankdata
    from scipy.stats import wilcoxon as signed_rank

    differences = (first - second)[first != second]
    if not len(differences):  # scipy would divide by 0, and warn
        return PairedTest("wilcoxon", 0, 0, len(first), 1.0, "neither")
    is_first = differences < 0
    counts = int(is_first.sum()), int((~is_first).sum())
    p = float(signed_rank(differences).pvalue)
    ranks = rankdata(np.abs(differences))
    better = _better(ranks[is_first].sum() - ranks[~is_first].sum(), p)
    return PairedTest("wilcoxon", *counts, len(first) - len(differences), p, better)


def _better(lead: float, p: float) -> Winner:
    """The winner if the first one leads by `lead`."""
    if p >= SIGNIFICANT or not lead:
        return "neither"
    return "first" if lead > 0 else "second"


def difference_of(first: Sample, second: Sample) -> Sample:
    """The difference first - second of a metric of two predictors on the same rows.

    A resample draws the same rows for both, so that what makes a row difficult for both cancels.
    """
    width = len(first.statistics)

    def value(means: Array) -> Array:
        difference: Array = first.value(means[..., :width]) - second.value(means[..., width:])
        return difference

    return Sample(np.concatenate([first.statistics, second.statistics]), value)
