"""The description of a table: its columns, its target's classes, and warnings.

Cells are plain text: names of columns and categories may hold any character.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bpcli.data.column_warnings import ColumnWarning, WarningKind
from bpcli.data.description import ColumnFacts, Description, Measure
from bpcli.data.files.look import Look, is_text
from bpcli.terminal.grid import Cell, Facts, Grid, Styled
from bpcli.text import plain, plural, rounded

EXPENDABLE = ("unique", "sd", "most frequent", "mean", "kind", "max", "min")
"""The columns of `columns_table` to drop if there is no room, in this order."""

MOST_COLUMNS = 40
"""The most columns shown, besides the targets."""

MOST_CLASSES = 20
MOST_LEFT_OUT = 20
MOST_OF_A_KIND = 5

_MEASURES: dict[Measure, str] = {
    "r": "r: Pearson's correlation, from -1 to 1",
    "eta": "eta: the correlation ratio of numbers in groups, from 0 to 1",
    "V": "V: Cramér's V of categories with categories, from 0 to 1",
}


def table_facts(look: Look) -> Facts:
    """Size of the table, target and task, with the reasons for guesses."""
    about = look.description
    repeats = f" ({plural(about.duplicates, 'duplicate')})" * bool(about.duplicates)
    facts = [
        ("file", plain(str(look.path), 200)),
        ("rows", f"{about.rows:,}{repeats}"),
        ("columns", f"{len(about.columns):,}"),
    ]
    if is_text(look.path):
        answer = "yes" if look.dialect.header else "no"
        facts.append(("header", f"{answer}: {plain(look.why_header, 80)}"))
    classes = f" into {len(about.classes):,} classes" * bool(about.classes)
    return [
        *facts,
        ("targets" if len(about.targets) > 1 else "target", _target_text(about)),
        ("task", f"{about.task}{classes}: {about.why_task}"),
    ]


def _target_text(about: Description) -> str:
    return f"{', '.join(map(plain, about.targets))}: {about.why_target}"


def all_columns_facts(about: Description) -> Facts:
    """Facts about all columns of a table that has more columns than are shown."""
    kinds = Counter(column.kind for column in about.columns)
    missing = [column.missing for column in about.columns if column.missing]
    constant = sum(column.unique <= 1 for column in about.columns)
    return [
        ("kinds", ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())),
        ("missing values", _columns(len(missing)) + f", {sum(missing):,} in total" * bool(missing)),
        ("constant", _columns(constant)),
    ]


def _columns(columns: int) -> str:
    return plural(columns, "column") if columns else "none"


def guesses(look: Look) -> list[str]:
    """One line for each guess behind a config, for each column left out, and for each warning."""
    guessed = ("header", "target", "targets", "task")
    lines = [f"{name}: {text}" for name, text in table_facts(look) if name in guessed]
    unusable = look.description.unusable if look.chooses_columns else {}
    left_out = [f"left out: {plain(name)} {plain(why, 200)}" for name, why in unusable.items()]
    more = len(left_out) - MOST_LEFT_OUT
    lines += left_out[:MOST_LEFT_OUT] + [f"and {more:,} more left out"] * (more > 0)
    others = [each for each in look.description.warnings if each.column not in unusable]
    return [*lines, *(f"warning: {line}" for line in warning_lines(others))]


def has_more_columns(about: Description) -> bool:
    """Whether a table has more columns than `shown_columns`."""
    return len(about.columns) > MOST_COLUMNS + 1


def shown_columns(about: Description) -> Sequence[ColumnFacts]:
    """All columns; if there are many, the targets and the inputs with the highest association."""
    if not has_more_columns(about):
        return about.columns
    targets = [column for column in about.columns if column.name in about.targets]
    inputs = sorted(about.inputs, key=lambda column: -abs(column.association or 0))
    return [*targets, *inputs[:MOST_COLUMNS]]


def columns_table(about: Description) -> Grid:
    """One row for each of the `shown_columns`."""
    table, columns = Grid([*_HEADERS], text_columns=3), shown_columns(about)
    for column in columns:
        table.add_row(
            plain(column.name),
            column.kind,
            ", ".join(f"{plain(category, 20)} {rows:,}" for category, rows in column.most_frequent),
            f"{column.unique:,}",
            f"{column.missing:,}",
            *map(_number, (column.low, column.mean, column.high, column.sd)),
            _association(column, about),
        )
    has_categories = any(column.most_frequent for column in columns)
    return table if has_categories else table.without(["most frequent"])


def _number(value: float | str | None) -> str:
    return value if isinstance(value, str) else rounded(value, 5)


_HEADERS = (
    "column", "kind", "most frequent",
    "unique", "missing", "min", "mean", "max", "sd", "association",
)  # fmt: skip


def _association(column: ColumnFacts, about: Description) -> Cell:
    if column.name in about.targets:
        return Styled("target", "bold")
    return "-" if column.association is None else f"{column.measure} {column.association:.2f}"


def measures(about: Description) -> list[str]:
    """The meaning of the symbols before the associations."""
    used = {column.measure for column in shown_columns(about) if column.association is not None}
    return [meaning for measure, meaning in _MEASURES.items() if measure in used]


def classes_table(about: Description) -> Grid:
    """The target's classes, the most frequent `MOST_CLASSES`."""
    table = Grid(["class", "rows", "share"])
    known = sum(rows for _, rows in about.classes)
    for name, rows in about.classes[:MOST_CLASSES]:
        table.add_row(plain(name), f"{rows:,}", f"{100 * rows / known:.1f} %")
    return table


def warning_lines(warnings: Iterable[ColumnWarning]) -> Iterator[str]:
    """A line for each warning; for many of a kind, one with their number and the first names."""
    kinds: dict[WarningKind, list[ColumnWarning]] = {}
    for warning in warnings:
        kinds.setdefault(warning.kind, []).append(warning)
    for kind, alike in kinds.items():
        if kind in _OF_MANY and len(alike) > MOST_OF_A_KIND:
            names = ", ".join(plain(warning.column) for warning in alike[:MOST_OF_A_KIND])
            yield f"{len(alike):,} columns {_OF_MANY[kind]}: {names}, …"
        else:
            yield from (f"{plain(each.column)} {plain(each.text, 200)}" for each in alike)


_OF_MANY: dict[WarningKind, str] = {
    "empty": "have no value in any row",
    "constant": "have the same value in all rows",
    "unreadable": "cannot be read",
    "many categories": "have too many categories",
    "id": "are ids of the rows or names, not features",
    "copy of the target": "determine the target: check that they are known before the target is "
    "(data leakage)",
    "mostly missing": "are missing in most rows",
    "sentinel": "have a repeated number far from all others: if it marks missing values, set "
    "`missing` to it (--missing)",
    "spellings": "have spellings that may be one category: `casefold: true` merges them",
    "ambiguous dates": "have dates in which day and month may be swapped: see `date_format`",
}
"""A warning about many columns; warnings about targets are never merged."""
