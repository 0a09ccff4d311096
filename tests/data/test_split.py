"""Splits and folds, against their definition and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold

from bpcli.data.split import (
    InOrder,
    draw_codes,
    fold_rows,
    folds_in_order,
    interleaved_codes,
    span_sizes,
    split_in_order,
    split_rows,
)

FRACTIONS = {"train": 0.7, "val": 0.15, "test": 0.15}


@given(st.integers(0, 300), st.integers(0, 2**32 - 1))
def test_splits_share_out_every_row_once(rows: int, seed: int) -> None:
    splits = split_rows(FRACTIONS, rows, None, np.random.default_rng(seed))
    assert sorted(row for index in splits.values() for row in index) == list(range(rows))
    for name, index in splits.items():
        assert abs(len(index) - FRACTIONS[name] * rows) < 1
        assert (np.diff(index) > 0).all()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=200), st.integers(0, 2**32 - 1))
def test_stratified_splits_share_out_every_class_by_itself(labels: list[int], seed: int) -> None:
    truth = np.array(labels)
    splits = split_rows(FRACTIONS, len(truth), truth, np.random.default_rng(seed))
    assert sorted(row for index in splits.values() for row in index) == list(range(len(truth)))
    for name, index in splits.items():
        assert abs(len(index) - FRACTIONS[name] * len(truth)) < 1
        for label in np.unique(truth):
            of_class, single = (truth == label).sum(), (np.bincount(truth) == 1).sum()
            share = FRACTIONS[name] * of_class
            assert abs((truth[index] == label).sum() - share) <= 1 + single  # they give rows to it
            assert name != "train" or label in truth[index] or len(index) < len({*labels})


@pytest.mark.parametrize(
    ("classes", "rows_each", "sizes"), [(20, 3, (42, 9, 9)), (3, 50, (105, 23, 22))]
)
def test_stratified_splits_have_the_sizes_asked_for(
    classes: int, rows_each: int, sizes: tuple[int, ...]
) -> None:
    labels = np.repeat(np.arange(classes), rows_each)
    splits = split_rows(FRACTIONS, len(labels), labels, np.random.default_rng(0))
    assert tuple(len(index) for index in splits.values()) == sizes


@given(st.lists(st.integers(2, 60), max_size=4), st.integers(0, 2**32 - 1))
def test_a_class_of_one_row_is_trained_on_before_others_get_more(
    others: list[int], seed: int
) -> None:
    labels = np.repeat(np.arange(len(others) + 1), [1, *others])
    splits = split_rows(FRACTIONS, len(labels), labels, np.random.default_rng(seed))
    assert 0 in labels[splits["train"]]


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=8),
    st.floats(0.05, 0.95),
    st.integers(0, 2**32 - 1),
)
@example([1, 1, 1, 4, 4], 0.5, 0)
def test_every_class_has_a_training_row_where_there_are_enough(
    sizes: list[int], train: float, seed: int
) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    fractions = {"train": train, "val": 0.0, "test": 1 - train}
    index = split_rows(fractions, len(labels), labels, np.random.default_rng(seed))["train"]
    assert len({*labels[index]}) == min(len(index), len(sizes))


@given(
    st.lists(st.integers(0, 3), min_size=10, max_size=120),
    st.integers(2, 10),
    st.sampled_from([0.0, 0.2]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_folds_test_every_row_once_and_share_out_every_class(
    labels: list[int], folds: int, val: float, is_stratified: bool, seed: int
) -> None:
    truth, rows = np.array(labels), len(labels)
    found = fold_rows(
        folds, val, rows, truth if is_stratified else None, np.random.default_rng(seed)
    )
    assert len(found) == folds
    assert sorted(row for splits in found for row in splits["test"]) == list(range(rows))
    sizes = [len(splits["test"]) for splits in found]
    assert max(sizes) - min(sizes) <= 1
    for splits in found:
        assert sorted(np.concatenate(list(splits.values()))) == list(range(rows))
        assert all((np.diff(index) > 0).all() for index in splits.values())
        assert abs(len(splits["val"]) - val * (rows - len(splits["test"]))) < 1
    for label in np.unique(truth) if is_stratified else ():
        counts = [(truth[splits["test"]] == label).sum() for splits in found]
        assert max(counts) - min(counts) <= 1


def test_folds_have_the_class_counts_of_scikit_learns() -> None:
    labels = np.random.default_rng(0).choice(3, 97, p=[0.6, 0.3, 0.1])
    theirs = [test for _, test in StratifiedKFold(5).split(labels, labels)]
    splits = fold_rows(5, 0, len(labels), labels, np.random.default_rng(1))
    for label in range(3):
        counts = [
            sorted(int((labels[test] == label).sum()) for test in tests)
            for tests in (theirs, [each["test"] for each in splits])
        ]
        assert counts[0] == counts[1]


def test_the_split_depends_on_the_seed_alone() -> None:
    once, again, other = (
        split_rows(FRACTIONS, 100, None, np.random.default_rng(seed))["test"] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(once, again)
    assert set(once) != set(other)


# In order.

ORDERS = st.sampled_from(["time", "blocks", "interleaved"])


@st.composite
def fractions(draw: st.DrawFn) -> dict[str, float]:
    """Fractions that add up to 1, some of them 0."""
    shares = draw(st.lists(st.integers(0, 20), min_size=2, max_size=2))
    return {"train": 1 - sum(shares) / 50, "val": shares[0] / 50, "test": shares[1] / 50}


@given(fractions(), st.integers(0, 300), ORDERS)
def test_splits_in_order_share_out_every_row_once(
    shares: dict[str, float], rows: int, order: InOrder
) -> None:
    splits = split_in_order(shares, rows, order)
    assert [*splits] == [*shares]
    assert sorted(row for index in splits.values() for row in index) == list(range(rows))
    drawn = split_rows(shares, rows, None, np.random.default_rng(0))
    for name, index in splits.items():
        assert abs(len(index) - shares[name] * rows) < 1
        assert len(index) == len(drawn[name])
        assert (np.diff(index) > 0).all()


@given(fractions(), st.integers(1, 300), st.sampled_from(["time", "blocks"]))
def test_the_first_rows_train_and_the_last_ones_test(
    shares: dict[str, float], rows: int, order: InOrder
) -> None:
    splits = split_in_order(shares, rows, order)
    assert np.concatenate([*splits.values()]).tolist() == list(range(rows))


@given(fractions(), st.integers(1, 300))
def test_rows_dealt_in_turn_are_spread_evenly(shares: dict[str, float], rows: int) -> None:
    splits = split_in_order(shares, rows, "interleaved")
    for index in splits.values():
        is_there = np.zeros(rows)
        is_there[index] = 1
        expected = np.arange(1, rows + 1) * len(index) / rows
        assert np.abs(np.cumsum(is_there) - expected).max() < 2


def test_a_period_of_five() -> None:
    splits = split_in_order({"train": 0.6, "val": 0.2, "test": 0.2}, 10, "interleaved")
    letters = np.empty(10, "U1")
    for name, letter in (("train", "T"), ("val", "v"), ("test", "t")):
        letters[splits[name]] = letter
    assert "".join(letters) == "TTvtTTTvtT"


@given(st.integers(10, 120), st.integers(2, 10), st.sampled_from([0.0, 0.2]),
       st.sampled_from(["blocks", "interleaved"]))  # fmt: skip
def test_folds_in_order_test_every_row_once(
    rows: int, folds: int, val: float, order: InOrder
) -> None:
    found = folds_in_order(folds, val, rows, order)
    assert len(found) == folds
    assert sorted(row for splits in found for row in splits["test"]) == list(range(rows))
    sizes = [len(splits["test"]) for splits in found]
    assert max(sizes) - min(sizes) <= 1
    step = folds if order == "interleaved" else 1
    for splits in found:
        assert sorted(np.concatenate([*splits.values()])) == list(range(rows))
        assert (np.diff(splits["test"]) == step).all()
        assert abs(len(splits["val"]) - val * (rows - len(splits["test"]))) < 1
        if order == "blocks" and val:
            assert splits["train"].max() < splits["val"].min()


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=200),
    st.booleans(),
    st.integers(1, 250),
    st.integers(0, 2**32 - 1),
)
def test_a_table_split_in_pieces_has_the_same_counts(
    labels: list[int], is_stratified: bool, at_once: int, seed: int
) -> None:
    truth = np.array(labels)
    known = truth if is_stratified else None
    whole = split_rows(FRACTIONS, len(truth), known, np.random.default_rng(seed))
    splits = split_rows(FRACTIONS, len(truth), known, np.random.default_rng(seed), at_once)
    assert sorted(row for index in splits.values() for row in index) == list(range(len(truth)))
    for name, index in splits.items():
        assert (np.diff(index) > 0).all()
        assert len(index) == len(whole[name])
        if is_stratified:
            counts = (np.bincount(truth[rows], minlength=4) for rows in (index, whole[name]))
            np.testing.assert_array_equal(*counts)


def test_each_piece_has_its_share_of_every_split_and_class() -> None:
    labels = np.random.default_rng(0).choice(3, 10_000, p=[0.6, 0.3, 0.1])
    codes = draw_codes(FRACTIONS, 10_000, labels, np.random.default_rng(1), at_once=1000)
    for start in range(0, 10_000, 1000):
        piece, of_piece = codes[start : start + 1000], labels[start : start + 1000]
        for label in range(3):
            counts = np.bincount(piece[of_piece == label], minlength=3)
            shares = np.array([*FRACTIONS.values()]) * (of_piece == label).sum()
            np.testing.assert_allclose(counts, shares, atol=1.5)


def test_up_to_a_piece_of_rows_nothing_depends_on_pieces() -> None:
    whole = split_rows(FRACTIONS, 100, None, np.random.default_rng(3), at_once=100)
    for name, index in split_rows(FRACTIONS, 100, None, np.random.default_rng(3)).items():
        np.testing.assert_array_equal(whole[name], index)
    codes = draw_codes(FRACTIONS, 101, None, np.random.default_rng(3), at_once=100)
    drawn = split_rows(FRACTIONS, 101, None, np.random.default_rng(3), at_once=100)
    for code, index in enumerate(drawn.values()):
        np.testing.assert_array_equal(np.flatnonzero(codes == code), index)


@given(st.integers(1, 300), st.integers(1, 350))
def test_interleaved_codes_are_the_interleaved_splits(rows: int, at_once: int) -> None:
    codes = interleaved_codes(FRACTIONS, rows, at_once)
    for code, index in enumerate(split_in_order(FRACTIONS, rows, "interleaved").values()):
        np.testing.assert_array_equal(np.flatnonzero(codes == code), index)


@given(st.integers(0, 300))
def test_spans_have_the_sizes_of_splits_in_order(rows: int) -> None:
    in_order = split_in_order(FRACTIONS, rows, "time")
    assert span_sizes(FRACTIONS, rows) == [len(index) for index in in_order.values()]
