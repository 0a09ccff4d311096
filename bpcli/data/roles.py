"""The roles of a table's columns: its targets, the task that they set, and ids.

A role is guessed as a person would: from names first, then from the values. Every guess comes with
its reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from bpcli.data.column_values import ColumnValues, TableTask
from bpcli.data.selection import select
from bpcli.data.table import is_one_hot
from bpcli.data.types import DataFrame, Labels
from bpcli.errors import DataError
from bpcli.nn.arrays import Vector
from bpcli.text import folded

_MOST_NUMBERED_CLASSES = 20

_ROWS_PER_NUMBERED_CLASS = 5

_FEWEST_TO_JUDGE = 20

_FEWEST_NUMBERED = 3

_FEWEST_NAMES = 5


def _phrases(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(phrase.split()) for phrase in text.split(", "))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TARGET_NAMES = _phrases(
    "target, targets, label, labels, outcome, survived, churn, churned, exited, attrition, "
    "diagnosis, species, class, response, output, is fraud, "
    "目标, 标签, 结果, 类别, 分类, ziel, zielwert, klasse, cible, classe, objetivo, clase"
)
"""Names of targets in any position, the surest first."""

_AMOUNTS = _phrases(
    "price, sale price, selling price, house price, sales, revenue, profit, demand, salary, "
    "preis, umsatz, prix, precio, 价格, 销量"
)
"""Names of amounts that are often the target; the last such column is guessed."""

_LAST_WORDS = ("target", "label", "outcome")
"""As the last of several words, such as in `churn_label`, they name a target too."""

_CLASS_WORDS = {"class", "classes", "label", "type", "species", "category", "klasse", "类别"}
"""Whole numbers in a column of such a name are classes, even if they do not count up."""

_ID_WORDS = _words(
    "id ids uuid guid index idx nr no sno key code number nummer numéro kennung identifiant "
    "序号 编号 学号 工号 订单号"
)

_FIRST_ID_WORDS = {"id", "unnamed"}
"""As the first of several words: `Unnamed: 0` is what pandas calls its index."""

_OWNERS_OF_IDS = _words(
    "account application case client customer device employee file image item loan member order "
    "patient person product record row sample session store student subject transaction user "
    "passenger"
)

_ORDERED_WORDS = _words(
    "year month week day date hour minute second time t step cycle age depth height distance "
    "position level dose angle frequency wavelength "
    "jahr monat woche tag stunde zeit tiefe höhe abstand année mois jour heure temps profondeur "
    "年 年份 月 月份 日 天 时间 小时 深度 高度 距离"
)
"""Words for what is measured in equal steps."""


def words_of(name: str) -> tuple[str, ...]:
    """The words of a column's name in lower case: `SalePrice`, `sale_price` and `Sale price` alike.

    A final `(unit)` is left out.
    """
    bare = re.sub(r"[\[(].*", "", name) or name
    return tuple(word.lower() for word in _WORDS.findall(bare))


_WORDS = re.compile(r"[A-ZÄÖÜ]+(?![a-zäöüß])|[A-ZÄÖÜ]?[^\W\d_A-ZÄÖÜ]+|\d+")


# Targets.


def find_targets(frame: DataFrame, asked: Sequence[str]) -> tuple[list[int], str]:
    """The indices of the targets and the reason: as requested, by name, or the last column.

    A target is requested by name, number from 1 or pattern. Raises `DataError` if there is no such
    column.
    """
    names = [str(name) for name in frame.columns]
    if asked:
        numbers = {name: number for number, name in enumerate(names, start=1)}
        selectors = [numbers.get(each, int(each) if each.isdecimal() else each) for each in asked]
        return [names.index(name) for name in select(names, selectors, "targets")], "as requested"
    named = _by_name([words_of(name) for name in names])
    if named is not None:
        return [named], "by its name"
    last = len(names) - 1
    index = next((i for i in range(last, -1, -1) if _has_values(frame, i)), last)
    return [index], "the last column" + " that has values" * (index < last)


def _has_values(frame: DataFrame, index: int) -> bool:
    """Whether a column has a value in at least half the rows."""
    return 2 * int(frame.iloc[:, index].notna().sum()) >= len(frame)


def _by_name(names: Sequence[tuple[str, ...]]) -> int | None:
    """The column with the name of a target; y only if it is not a coordinate beside x."""
    for phrase in _TARGET_NAMES:
        if phrase in names:
            return names.index(phrase)
    if ("y",) in names and (names[-1] == ("y",) or ("x",) not in names):
        return names.index(("y",))
    labelled = [i for i, words in enumerate(names) if words[-1:] and words[-1] in _LAST_WORDS]
    if len(labelled) == 1:
        return labelled[0]
    amounts = [i for i, words in enumerate(names) if words in _AMOUNTS]
    return amounts[-1] if amounts else None


# The task.


def guess_task(targets: Sequence[ColumnValues]) -> tuple[TableTask, str]:
    """The task of one or several targets, and the reason.

    Several targets are classes if each row has a single 1, labels if each has two values, and
    numbers otherwise. Raises `DataError` for several targets that are none of these.
    """
    if len(targets) == 1:
        return _task_of_one(targets[0])
    if _are_one_hot(targets):
        return "classification", "each row has a single 1"
    if all(map(_is_label, targets)):
        return "multilabel", "each target has two values"
    wrong = next((target for target in targets if target.kind != "number"), None)
    if wrong is None:
        return "regression", "they contain numbers"
    raise DataError(
        f"several targets must all be numbers, or all have two values; `{wrong.name}` fits "
        "neither: predict it separately",
        "targets",
    )


def _is_label(target: ColumnValues) -> bool:
    """Whether a column has two values; spellings of one category count as one."""
    if target.kind == "category":
        return len({folded(word) for word, _ in target.counted}) == 2
    return target.unique == 2 and (target.kind == "boolean" or target.is_whole)


def _are_one_hot(targets: Sequence[ColumnValues]) -> bool:
    """Whether columns are the classes of rows, each with a single 1 and 0 elsewhere."""
    if not all(target.is_whole for target in targets):
        return False
    return is_one_hot(np.column_stack([target.numbers for target in targets]))


def _task_of_one(column: ColumnValues) -> tuple[TableTask, str]:
    """Classes are text, booleans, two whole numbers, or repeated whole numbers.

    Repeated whole numbers are consecutive from 0 or 1, or the column is called a class.
    """
    count = column.unique
    if column.kind == "category":
        return "classification", "it contains categories"
    if column.kind == "boolean":
        return "classification", "it contains true and false"
    if column.is_whole and count == 2:
        return "classification", "it has only two whole numbers"
    is_repeated = 2 < count <= min(_MOST_NUMBERED_CLASSES, len(column) // _ROWS_PER_NUMBERED_CLASS)
    if is_repeated and column.counts_up:
        summary = column.summary
        return "classification", f"it counts from {summary.low:.0f} to {summary.high:.0f}"
    if is_repeated and column.is_whole and _CLASS_WORDS & {*words_of(column.name)}:
        return "classification", f"its name suggests classes, and it has {count} whole numbers"
    return "regression", f"it has {count:,} unique numbers"


# Ids.


def id_of_rows(column: ColumnValues, targets: Sequence[ColumnValues]) -> str | None:
    """Why an input is an id of the rows and not a feature; None if it is a feature.

    It is an id if its name says so and most of its values are unique, or if its values number the
    rows and are not associated with a target. A quantity measured in equal steps, such as a year or
    a depth, is not an id.
    """
    known = len(column) - column.missing
    is_word = column.kind == "category"
    if known < 2 or not (is_word or column.is_whole):
        return None
    if 2 * column.unique > known and is_named_id(column.name):
        unique = "unique" if column.unique == known else "mostly unique"
        return f"has {unique} values and the name of an id: not a feature"
    if is_word:
        names = f"has {column.unique:,} unique values in {known:,} rows: names, not categories"
        return names if are_names(column) else None
    if not _numbers_rows(column) or _ORDERED_WORDS & {*words_of(column.name)}:
        return None
    if any(goes_with_order_of(column.numbers, target) for target in targets):
        return None
    return "numbers the rows: an id, not a feature"


def are_names(column: ColumnValues) -> bool:
    """Whether texts are names of the rows: more than half are unique; of few rows, all."""
    known = len(column) - column.missing
    is_unique = column.unique == known >= _FEWEST_NAMES
    return column.kind == "category" and (
        is_unique or 2 * column.unique > known >= _FEWEST_TO_JUDGE
    )


def is_named_id(name: str) -> bool:
    """Whether a column is called an id: `id`, `Customer ID`, `passengerid`, `lfd. Nr.`, `编号`."""
    words = words_of(name)
    if not words:
        return False
    is_owned = words[-1].endswith("id") and words[-1].removesuffix("id") in _OWNERS_OF_IDS
    return is_owned or words[-1] in _ID_WORDS or words[0] in _FIRST_ID_WORDS


def _numbers_rows(column: ColumnValues) -> bool:
    """Whether the values are consecutive whole numbers, each once; of few, in order from 0 or 1."""
    rows, summary = len(column), column.summary
    if summary.unique < rows or summary.high - summary.low != rows - 1:
        return False
    if rows >= _FEWEST_TO_JUDGE:
        return True
    in_order = bool((np.diff(column.numbers) == 1).all())
    return rows >= _FEWEST_NUMBERED and in_order and summary.low in (0, 1)


def goes_with_order_of(numbers: Vector, target: ColumnValues) -> bool:
    """Whether the targets of rows sorted by unique numbers vary less than by chance.

    Numbers: von Neumann's ratio Σ (y_{i+1} - y_i)² / Σ (y_i - ȳ)² of n independent values is 2 with
    a standard deviation of about 2/√n (J. von Neumann, 1941); it finds trends and waves. Classes
    are taken one-hot. The order of a table that is sorted by its classes is no evidence.
    """
    order = np.argsort(numbers, kind="stable")
    if target.kind == "category":
        steps, spread, known = _of_classes(target.labels[order])
    else:
        steps, spread, known = _of_numbers(target.numbers[order])
    if known < _FEWEST_NUMBERED or spread == 0:
        return False
    return bool(2 - steps / spread > _DEVIATIONS * 2 / known**0.5)


_DEVIATIONS = 2.5


def _of_numbers(y: Vector) -> tuple[float, float, int]:
    """Both sums of the ratio and the number of rows with a value."""
    y = y[np.isfinite(y)]
    if not len(y):
        return 0.0, 0.0, 0
    y = y / (np.abs(y).max(initial=0.0) or 1.0)
    return float((np.diff(y) ** 2).sum()), float(((y - y.mean()) ** 2).sum()), len(y)


def _of_classes(labels: Labels) -> tuple[float, float, int]:
    """The same of one-hot classes, whose sums are counts; no spread if they are sorted."""
    labels = labels[labels >= 0]
    changes, counts = int(np.count_nonzero(np.diff(labels))), np.bincount(labels)
    if changes == np.count_nonzero(counts) - 1:
        return 0.0, 0.0, len(labels)
    return 2.0 * changes, len(labels) - float((counts**2).sum()) / len(labels), len(labels)
