from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from bpcli.data.column_warnings import WarningKind
from bpcli.data.description import Description, describe
from bpcli.errors import DataError

ROWS = 40

WAVES = np.sin(np.arange(ROWS))


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def odd(about: Description, column: str) -> set[WarningKind]:
    return {warning.kind for warning in about.warnings if warning.column == column}


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(), st.text(max_size=3), st.just("1e5")
)


def test_iris_is_described_as_its_documentation_does() -> None:
    # The ranges, means, deviations and class sizes of scikit-learn's own description of iris.
    data = load_iris(as_frame=True)
    frame = data.data.assign(species=data.target_names[data.target])
    about = describe(frame)
    published = [
        (4.3, 7.9, 5.84, 0.83), (2.0, 4.4, 3.05, 0.43),
        (1.0, 6.9, 3.76, 1.76), (0.1, 2.5, 1.20, 0.76),
    ]  # fmt: skip
    for column, (low, high, mean, sd) in zip(about.columns, published, strict=False):
        assert (column.kind, column.missing) == ("number", 0)
        assert (column.low, column.high) == (low, high)
        assert column.mean == pytest.approx(mean, abs=0.01)
        assert column.sd == pytest.approx(sd, abs=0.01)
        assert column.measure == "eta"
    assert about.classes == (("setosa", 50), ("versicolor", 50), ("virginica", 50))
    assert (about.target, about.task, about.rows) == ("species", "classification", 150)
    assert about.duplicates == frame.duplicated().sum() == 1


def test_kinds_missing_values_and_the_most_frequent_categories() -> None:
    frame = table(
        number=[1.5, None, 2.5, 3.5],
        boolean=[True, False, True, True],
        word=["a", "b", "b", None],
        y=[1.0, 2.0, 4.0, 8.5],
    )
    number, boolean, word, y = describe(frame).columns
    assert (number.kind, number.missing, number.unique) == ("number", 1, 3)
    assert (number.low, number.mean, number.high) == (1.5, 2.5, 3.5)
    assert number.sd == pytest.approx(np.sqrt(2 / 3))
    assert (boolean.kind, boolean.most_frequent) == ("boolean", (("true", 3), ("false", 1)))
    assert (word.kind, word.missing, word.most_frequent) == ("category", 1, (("b", 2), ("a", 1)))
    assert [column.measure for column in (number, boolean, word, y)] == ["r", "r", "eta", None]


def test_words_go_with_classes_by_cramers_v() -> None:
    about = describe(table(a=list("xyxy"), b=[1.0, 2.5, 1.5, 2.0], y=list("pqpq")))
    assert [column.measure for column in about.columns] == ["V", "eta", None]
    assert about.columns[0].association == pytest.approx(1)
    assert about.columns[1].association == pytest.approx(np.sqrt(1 / 1.25))


def test_a_doubtful_column_is_used_where_there_is_no_other() -> None:
    lone = describe(table(row_id=np.arange(ROWS), y=WAVES))
    assert odd(lone, "row_id") == {"id"}
    assert [column.name for column in lone.inputs] == ["row_id"]
    line = describe(table(x=WAVES, y=2 * WAVES + 1))
    assert [column.name for column in line.inputs] == ["x"]
    beside = describe(table(row_id=np.arange(ROWS), x=WAVES[::-1], y=WAVES))
    assert [column.name for column in beside.inputs] == ["x"]
    useless = describe(table(c=[1] * ROWS, y=WAVES))
    assert useless.inputs == ()


@pytest.mark.parametrize(("rows", "columns"), [(0, 3), (3, 0), (0, 0)])
def test_a_table_without_rows_or_columns_is_refused(rows: int, columns: int) -> None:
    with pytest.raises(DataError, match=r"the table has no (rows|columns)"):
        describe(pd.DataFrame(np.zeros((rows, columns))))


@given(st.data())
@settings(max_examples=60)
def test_any_table_can_be_described(data: st.DataObject) -> None:
    rows, width = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 4))
    columns = [data.draw(st.lists(VALUES, min_size=rows, max_size=rows)) for _ in range(width)]
    frame = pd.DataFrame(dict(enumerate(columns)))
    frame.columns = data.draw(
        st.lists(st.text(min_size=1), min_size=width, max_size=width, unique=True)
    )
    about = describe(frame)
    assert len(about.columns) == width
    for place, column in enumerate(about.columns):
        assert column.missing == frame.iloc[:, place].isna().sum()
        assert column.association is None or -1 <= column.association <= 1
    (target,) = (column for column in about.columns if column.name == about.target)
    assert sum(count for _, count in about.classes) in (0, rows - target.missing)


def test_a_column_of_lists_is_unreadable_and_its_rows_are_compared() -> None:
    about = describe(table(a=[[1], [2], [1]] * 10, b=[1.0, 2, 1] * 10, y=[1.0, 2, 1] * 10))
    assert "unreadable" in odd(about, "a")
    assert about.duplicates == 28


def test_of_several_targets_none_is_an_input_and_each_column_goes_with_the_nearest() -> None:
    noise = np.random.default_rng(3).normal(size=ROWS)
    about = describe(table(a=WAVES, b=noise, p=WAVES + 0.1 * noise, q=1 - 2 * noise), ("p", "q"))
    assert about.targets == ("p", "q")
    assert (about.task, about.classes) == ("regression", ())
    assert [column.name for column in about.inputs] == ["a"]
    a, b, *targets = about.columns
    assert a.association == pytest.approx(np.corrcoef(WAVES, WAVES + 0.1 * noise)[0, 1])
    assert b.association == pytest.approx(-1)
    assert odd(about, "b") == {"copy of the target"}
    assert [(each.measure, each.association) for each in targets] == [(None, None)] * 2


def test_one_hot_targets_are_counted_as_classes() -> None:
    p, q = [1, 0, 0] * 10, [0, 1, 1] * 10
    about = describe(table(x=WAVES[:30], p=p, q=q), ("p", "q"))
    assert (about.task, about.why_task) == ("classification", "each row has a single 1")
    assert about.classes == (("q", 20), ("p", 10))
