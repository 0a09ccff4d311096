from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr
from scipy.stats.contingency import association

from bpcli.data.columns import InputColumn
from bpcli.explanation.columns import Column
from bpcli.explanation.groups import associations, correlated_groups, ranks


def test_the_association_of_each_kind_of_pair_is_that_of_scipy(rng: np.random.Generator) -> None:
    kinds = ("p", "q", "r")
    columns = [
        Column(InputColumn("a"), 0),
        Column(InputColumn("b"), 1),
        Column(InputColumn("k", "category", kinds), 2),
        Column(InputColumn("m", "category", kinds), 5),
        Column(InputColumn("same"), 8),
    ]
    numbers = rng.normal(size=(200, 2))
    numbers[:, 1] += np.round(np.exp(numbers[:, 0]))
    k = (numbers[:, 0] > 0).astype(int) + (numbers[:, 0] > 1)
    m = (k + (rng.uniform(size=200) < 0.2)) % 3
    X = np.hstack([numbers, np.eye(3)[k], np.eye(3)[m], np.ones((200, 1))])
    found = associations(columns, X)
    assert (found == found.T).all()
    assert found[0, 1] == pytest.approx(abs(spearmanr(*numbers.T).statistic))
    table = np.zeros((3, 3), int)
    np.add.at(table, (k, m), 1)
    assert found[2, 3] == pytest.approx(association(table, "cramer"))
    rank = rankdata(numbers[:, 0])
    means = np.array([rank[k == level].mean() for level in range(3)])[k]
    assert found[0, 2] == pytest.approx(means.std() / rank.std())
    assert not found[4].any()
    assert not np.diag(found).any()


def test_ranks_of_equal_numbers_are_their_mean_and_missing_ones_have_none() -> None:
    values = np.array([3.0, 1.0, 3.0, np.nan, 2.0])
    expected = rankdata(values, nan_policy="omit") - 1
    assert ranks(values)[[0, 1, 2, 4]].tolist() == expected[[0, 1, 2, 4]].tolist()
    assert np.isnan(ranks(values)[3])


def test_a_chain_of_associations_is_one_group() -> None:
    found = np.zeros((6, 6))
    for a, b in ((0, 4), (4, 2), (1, 5)):
        found[a, b] = found[b, a] = 0.8
    found[3, 0] = found[0, 3] = 0.7
    assert correlated_groups(found) == [[0, 2, 4], [1, 5]]
