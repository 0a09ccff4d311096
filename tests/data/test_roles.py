"""The guessed roles of columns: targets, tasks and ids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bpcli.data.column_values import ColumnValues
from bpcli.data.description import describe
from bpcli.data.roles import goes_with_order_of, is_named_id, words_of
from bpcli.errors import DataError

ROWS = 40

WAVES = np.sin(np.arange(ROWS))

NOISE = np.random.default_rng(8).normal(size=ROWS)


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def column(values: object, name: str = "y") -> ColumnValues:
    return ColumnValues.of(pd.Series(values, name=name))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SalePrice", ("sale", "price")),
        ("sale_price", ("sale", "price")),
        (" Sale price (EUR)", ("sale", "price")),
        ("customerID", ("customer", "id")),
        ("HTTPCode", ("http", "code")),
        ("Größe", ("größe",)),
        ("质量", ("质量",)),
        ("Unnamed: 0", ("unnamed", "0")),
        ("(empty)", ("empty",)),
        ("!", ()),
        ("", ()),
    ],
)
def test_a_name_has_words(name: str, words: tuple[str, ...]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("names", "asked", "found"),
    [
        ("a,b,c", (), "c"),
        ("a,Class,c", (), "Class"),
        ("x,y,label", (), "label"),
        ("label,x,y", (), "label"),
        ("y,x1,x2", (), "y"),
        ("x,y,z,power", (), "power"),  # y is a coordinate
        ("x,y", (), "y"),
        ("PassengerId,Survived,Pclass,Name", (), "Survived"),
        ("survived,class,fare", (), "survived"),  # the passenger's class
        ("price,area,rooms", (), "price"),
        ("price,spent,sales", (), "sales"),
        ("SalePrice,area,rooms", (), "SalePrice"),
        ("carat,price,x,y,z", (), "price"),
        ("unit_price,amount,total", (), "total"),  # a price of something else
        ("labels_printed,a,b", (), "b"),
        ("churn_label,a,b", (), "churn_label"),
        ("first_label,second_label,b", (), "b"),
        ("classes,subclass,b", (), "b"),
        ("目标,温度,流量", (), "目标"),
        ("Ziel,a,b", (), "Ziel"),
        ("a,b,c", ("1",), "a"),
        ("3,1,2", ("1",), "1"),
        ("a,b,c", ("b",), "b"),
        ("alpha,beta,c", ("be*",), "beta"),
        ("a,y1,y2", ("y*",), "y1 y2"),
        ("a,y1,y2", ("3", "y1"), "y2 y1"),
    ],
)
def test_targets_are_asked_for_or_have_a_telling_name_or_are_last(
    names: str, asked: tuple[str, ...], found: str
) -> None:
    columns = names.split(",")
    frame = pd.DataFrame(NOISE[: 2 * len(columns)].reshape(2, -1), columns=columns)
    about = describe(frame, asked)
    assert about.targets == tuple(found.split())
    assert (about.why_target == "as requested") == bool(asked)


def test_the_last_column_that_has_values_is_the_target() -> None:
    remarks = ["late", *[None] * (ROWS - 1)]
    about = describe(table(a=WAVES, b=NOISE, remarks=remarks, nothing=[None] * ROWS))
    assert (about.targets, about.why_target) == (("b",), "the last column that has values")
    assert describe(table(a=WAVES, nothing=[None] * ROWS), ("nothing",)).targets == ("nothing",)
    assert describe(table(a=[None, None], b=[None, None])).targets == ("b",)


@pytest.mark.parametrize(
    ("asked", "message"),
    [(("d",), "no column `d`"), (("4",), "only 1 to 3"), (("a", "0"), "1 to 3")],
)
def test_targets_that_do_not_exist_are_refused(asked: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        describe(table(a=[1], b=[2], c=[3]), asked)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"] * 20, "classification"),
        ([True, False] * 20, "classification"),
        ([-1, 1] * 20, "classification"),
        ([0, 1], "classification"),
        ([0.5, 1.5] * 20, "regression"),
        ([0, 1, 2, 1] * 10, "classification"),
        ([1, 2, 3, 1] * 10, "classification"),
        ([2, 3, 4, 2] * 10, "regression"),  # marks, not classes
        ([0, 1, 3, 1] * 10, "regression"),
        (list(range(8)) * 5, "classification"),
        (list(range(10)) * 4, "regression"),  # too few rows of each
        (list(range(40)), "regression"),
        ([0, 1, 2, None] * 10, "classification"),
        ([7] * 40, "regression"),
    ],
)
def test_the_task_is_guessed(values: list, task: str) -> None:
    assert describe(table(x=np.arange(len(values)) ** 0.5, y=values)).task == task


def test_numbered_classes_are_told_by_their_range() -> None:
    about = describe(table(x=WAVES, y=[1, 2, 3, 1] * 10))
    assert about.why_task == "it counts from 1 to 3"


def test_whole_numbers_that_do_not_count_up_are_classes_if_their_name_says_so() -> None:
    glass = [1, 2, 3, 5, 6, 7] * 7
    waves = np.sin(np.arange(42))
    assert describe(table(x=waves, kind_of_glass=glass)).task == "regression"
    about = describe(table(x=waves, glass_type=glass))
    assert about.why_task == "its name suggests classes, and it has 6 whole numbers"
    assert describe(table(x=waves, glass_type=waves + 1)).task == "regression"
    assert describe(table(x=waves, glass_type=np.arange(42))).task == "regression"


@pytest.mark.parametrize(
    ("p", "q", "task"),
    [
        ([0.5, 1.5, 2], [1, 2, 3], "regression"),
        ([0, 1, 1], [0, 1, 2], "regression"),
        ([0, 1, 1], [1, 1, 0], "multilabel"),
        (["yes", "no", "no"], [True, False, False], "multilabel"),
        (["yes", "Yes", "no"], [True, False, False], "multilabel"),
        (["a", "b", "b"], [0, 1, 1], "multilabel"),
        ([0, 1, 1], [1, 0, 0], "classification"),
        ([0, 1, None], [1, 0, 1], "multilabel"),
    ],
)
def test_the_task_of_several_targets(p: list, q: list, task: str) -> None:
    assert describe(table(x=[1.5, 2.5, 0.5] * 2, p=p * 2, q=q * 2), ("p", "q")).task == task


@pytest.mark.parametrize("p", [["a", "b", "c"], ["a", "a", "a"]])
def test_several_targets_that_are_no_task_are_refused(p: list) -> None:
    with pytest.raises(DataError, match="`p` fits neither: predict it separately"):
        describe(table(x=[1.5, 2.5, 0.5], q=[1.5, 2, 3], p=p), ("p", "q"))


@pytest.mark.parametrize(
    ("name", "is_id"),
    [
        ("id", True), ("ID", True), ("Customer ID", True), ("passengerid", True), ("row_id", True),
        ("lfd. Nr.", True), ("编号", True), ("Unnamed: 0", True), ("idx", True), ("zip code", True),
        ("order number", True), ("ID_code", True),
        ("humid", False), ("acid", False), ("grid", False), ("no of rooms", False),
        ("number_of_rooms", False), ("x1", False), ("idea", False), ("", False),
    ],
)  # fmt: skip
def test_ids_are_told_by_their_name(name: str, is_id: bool) -> None:
    assert is_named_id(name) == is_id


CLASSES = ["a", "b", "c", "d"] * 10

SORTED = sorted(CLASSES)

UNORDERED = np.random.default_rng(4).permutation(ROWS) * 17 + 1001


@pytest.mark.parametrize(
    ("name", "values", "y", "is_id"),
    [
        ("n", range(1, 41), NOISE, True),
        ("n", range(40, 0, -1), NOISE, True),
        ("n", range(1, 41), CLASSES, True),
        ("n", range(1, 41), SORTED, True),  # as iris is: the rows are sorted by class
        ("n", range(1, 41), ["a"] * 15 + ["b"] * 10 + ["a"] * 15, False),  # a span of n
        ("n", range(1, 41), np.arange(ROWS) + NOISE, False),  # a trend
        ("n", range(1, 41), np.sin(np.arange(ROWS) / 5) + 0.3 * NOISE, False),  # a wave
        ("n", range(2, 82, 2), NOISE, False),  # equal steps, but not of 1
        ("n", UNORDERED, NOISE, False),  # any whole numbers
        ("Year", range(1960, 2000), NOISE, False),
        ("depth (m)", range(40), NOISE, False),
        ("年份", range(1980, 2020), NOISE, False),
        ("counter", np.arange(ROWS) * 3 + np.abs(NOISE).astype(int), NOISE, False),
        ("customer_id", UNORDERED, NOISE, True),
        ("customer_id", range(1, 41), np.arange(ROWS) + NOISE, True),
        ("customer_id", [f"C{i}" for i in range(40)], NOISE, True),
        ("customer_id", [i // 3 for i in range(40)], NOISE, False),  # few customers
        ("id", NOISE, WAVES, False),  # no whole numbers
        ("id", [*range(100, 135), *[None] * 5], NOISE, True),
        ("word", [f"w{i}" for i in range(40)], NOISE, True),
        ("word", [f"w{i // 2}" for i in range(40)], NOISE, False),
    ],
)
def test_ids_are_told_from_features_by_evidence(
    name: str, values: object, y: object, is_id: bool
) -> None:
    about = describe(pd.DataFrame({name: list(values), "other": WAVES, "result_": list(y)}))  # type: ignore[call-overload]
    assert (name in about.unusable) == is_id
    assert {each.kind for each in about.warnings if each.column == name} == (
        {"id"} if is_id else set()
    )


@pytest.mark.parametrize(
    ("name", "values", "is_id"),
    [
        ("n", [1, 2, 3, 4, 5, 6], True),
        ("n", [0, 1, 2, 3, 4, 5], True),
        ("n", [6, 5, 4, 3, 2, 1], False),  # of few rows, they may be anything
        ("n", [3, 4, 5, 6, 7, 8], False),
        ("id", [9, 4, 17, 2, 3, 8], True),
        ("word", ["a", "b", "c", "d", "e", "f"], True),
        ("word", ["a", "b", "c", "d", "e", "a"], False),
    ],
)
def test_ids_of_few_rows(name: str, values: list, is_id: bool) -> None:
    y = [0.5, 2.5, 0.25, 3.0, 1.0, 2.0]
    about = describe(pd.DataFrame({name: values, "other": [2.5, 1, 4.5, 3, 1, 2], "y": y}))
    assert (name in about.unusable) == is_id


def test_independent_values_go_with_no_order() -> None:
    rng = np.random.default_rng(0)
    numbers = np.arange(200.0)
    alike = [goes_with_order_of(numbers, column(rng.normal(size=200))) for _ in range(300)]
    alike += [goes_with_order_of(numbers, column(rng.choice(list("abc"), 200))) for _ in range(300)]
    assert sum(alike) < 12  # 0.6 % of normal values are 2.5 deviations above their mean


def test_the_order_is_that_of_the_numbers_not_of_the_rows() -> None:
    shuffled = np.random.default_rng(1).permutation(ROWS).astype(float)
    assert goes_with_order_of(shuffled, column(shuffled**2))
    assert not goes_with_order_of(shuffled, column(np.arange(ROWS)))
    constant_or_missing = [column([1.5] * ROWS), column([None] * ROWS), column(["a"] * ROWS)]
    assert not any(goes_with_order_of(shuffled, each) for each in constant_or_missing)


def test_a_target_of_many_classes_is_told_by_the_rows_of_a_class() -> None:
    species = [f"s{i % 200}" for i in range(800)]
    about = describe(table(x=np.sin(np.arange(800)), species=species))
    assert (about.task, len(about.classes)) == ("classification", 200)
    assert [each.kind for each in about.warnings if each.column == "species"] == []
    few = describe(table(x=np.sin(np.arange(400)), species=species[:400]))
    assert [each.kind for each in few.warnings if each.column == "species"] == ["rare classes"]
    names = describe(table(x=np.sin(np.arange(200)), species=species[:200]))
    kinds = [each.kind for each in names.warnings if each.column == "species"]
    assert kinds == ["names as target", "rare classes"]


def test_a_target_is_named_by_its_own_name_whatever_signs_it_has() -> None:
    frame = pd.DataFrame(np.arange(12.0).reshape(3, 4), columns=["a", "!a", "*", "7"])
    for name in frame:
        assert describe(frame, [name]).targets == (name,)
