"""Random tables to train on, and new rows for them with one defect, drawn at random.

Left out is what nobody could tell from the file: columns in another order below no header.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

import numpy as np
from random_tables import LEGACY, UNICODE, WORDS

from bpcli.data.files.dialect import MISSING

Value: TypeAlias = float | str | bool | None
T = TypeVar("T")

HEADERS: dict[str, Sequence[str]] = {
    "plain": ("id", "Temp", "weight (kg)", "n", "x 1", "group", "net, gross", "col_7", "T2"),
    "german": ("Größe", "Länge (m)", "Straße", "Wärme", "Gerät", "Öl", "Prüfung", "Stück"),
    "french": ("âge", "région", "durée", "où", "numéro", "année", "évalué", "côté"),
    "czech": ("výška", "délka", "město", "číslo", "věk", "tlak", "šířka", "práce"),
    "russian": ("рост", "вес", "город", "возраст", "номер", "цена", "цвет", "итог"),
    "japanese": ("温度", "重さ", "名前", "色", "番号", "年齢", "都市", "結果"),
    "chinese": ("温度", "重量", "姓名", "颜色", "编号", "年龄", "城市", "结果"),
    "taiwanese": ("溫度", "重量", "姓名", "顏色", "編號", "年齡", "城市", "結果"),
    "korean": ("온도", "무게", "이름", "색", "번호", "나이", "도시", "결과"),
}  # fmt: skip
BOOLEANS = (("true", "false"), ("True", "False"), ("TRUE", "FALSE"))
DATES = ("{0}-{1:02}-{2:02}", "{2:02}.{1:02}.{0}", "{0}/{1:02}/{2:02}")
MOST_CHANGED = 5


@dataclass(frozen=True)
class Style:
    """How a table is written."""

    separator: str = ","
    decimal: str = "."
    thousands: str = ""
    encoding: str = "utf-8"
    header: bool = True
    quotes_all: bool = False
    end: str = "\n"
    mark: bool = False
    booleans: tuple[str, str] = ("true", "false")
    is_padded: bool = False


@dataclass(frozen=True)
class Column:
    """A column of numbers, words, booleans or dates, as values; None is a gap."""

    name: str
    kind: str
    values: tuple[Value, ...]
    words: tuple[str, ...] = ()
    digits: int = 0

    def cell(self, value: Value, style: Style) -> str:
        if value is None:
            return ""
        if self.kind == "boolean":
            return style.booleans[0 if value else 1]
        if self.kind != "number":
            return str(value)
        text = f"{value:{',' * bool(style.thousands)}.{self.digits}f}"
        return text.translate(str.maketrans({",": style.thousands, ".": style.decimal}))


@dataclass(frozen=True)
class Rows:
    """The columns of a table, of which the last may be its target."""

    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(self.columns[0].values)

    def lines(self, style: Style) -> list[str]:
        """The lines of the file, of which the first may be a header."""
        cells = [[column.cell(value, style) for value in column.values] for column in self.columns]
        rows = [list(row) for row in zip(*cells, strict=True)]
        header = [[column.name for column in self.columns]] if style.header else []
        return [line_of(row, style) for row in [*header, *rows]]

    def place(self, column: Column) -> int:
        return self.columns.index(column)

    def changed(self, column: Column, values: dict[int, Value]) -> Rows:
        """The rows with other values in a column."""
        new = tuple(values.get(row, value) for row, value in enumerate(column.values))
        return self.exchanged(column, replace(column, values=new))

    def exchanged(self, column: Column, other: Column) -> Rows:
        return Rows(tuple(other if each is column else each for each in self.columns))


def line_of(cells: Sequence[str], style: Style) -> str:
    """A line of a file, its fields quoted as they need it."""
    signs = (style.separator, '"', "\n")
    quoted = [
        '"' + cell.replace('"', '""') + '"'
        if style.quotes_all or any(sign in cell for sign in signs)
        else cell
        for cell in cells
    ]
    return style.separator.join(quoted) + style.separator * style.is_padded


def content_of(lines: Sequence[str], style: Style) -> bytes:
    text = style.end.join(lines) + style.end
    return ("\ufeff" * style.mark + text).encode(style.encoding)


@dataclass(frozen=True)
class Defective:
    """A file with one defect.

    `same` are the rows whose predictions stay the same to the last bit. The notes tell `told`, a
    pattern, or the error does that refuses the file, by `refused`. Where the notes say `excused`,
    predictions may be others. A row may be `lost` if the notes tell it.
    """

    name: str
    content: bytes
    same: np.ndarray
    told: str = ""
    refused: str = "(?!)"
    excused: str = "(?!)"
    lost: bool = False


class Draw:
    """Choices by a generator of random numbers."""

    def __init__(self, *seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def some(self, count: int) -> list[int]:
        """The numbers of one to `MOST_CHANGED` of so many rows, in order."""
        size = int(self.rng.integers(1, min(MOST_CHANGED, count) + 1))
        return sorted(self.rng.choice(count, size, replace=False).tolist())


# Tables.


@dataclass(frozen=True)
class Training:
    """A table to train on, how it is written, the keys of its config, and new rows as written."""

    table: Rows
    style: Style
    keys: dict[str, Any]
    task: str
    new: Rows


def training(draw: Draw) -> Training:
    """A table with inputs of several kinds and a target, and one to many more such rows."""
    rows, new = 30, draw.pick((1, 2, 3, 5, 8, 16))
    is_legacy = draw.chance(0.3)
    encoding = draw.pick(tuple(LEGACY)) if is_legacy else draw.pick(UNICODE[:5])
    language = draw.pick(LEGACY[encoding] if is_legacy else tuple(WORDS))
    decimal = draw.pick((".", ".", ","))
    separator = draw.pick([sign for sign in (",", ";", "\t", "|") if sign != decimal])
    style = Style(separator, decimal, "", encoding, header=not draw.chance(0.15),
                  booleans=draw.pick(BOOLEANS))  # fmt: skip
    task = draw.pick(("classification", "regression"))
    kinds = ["number", *(draw.pick(("number", "word", "word", "boolean", "date"))
                         for _ in range(int(draw.rng.integers(1, 5))))]  # fmt: skip
    draw.rng.shuffle(kinds)
    kinds.append("word" if task == "classification" else "number")
    names = draw.rng.permutation(HEADERS[language])[: len(kinds)].tolist()
    words = [word for word in WORDS[language] if "\n" not in word and '"' not in word]
    columns = [_column(draw, name, kind, words, rows + new)
               for name, kind in zip(names, kinds, strict=True)]  # fmt: skip
    table, others = (
        Rows(tuple(_part(each, 0, rows) for each in columns)),
        Rows(tuple(_part(each, rows, rows + new) for each in columns)),
    )
    table = _with_gaps(draw, table)
    keys: dict[str, Any] = {"header": style.header, "fill": "median"}
    if is_legacy:
        keys["encoding"] = encoding
    if draw.chance(0.5):
        keys |= {"separator": separator, "decimal": decimal}
    return Training(table, style, keys, task, others)


def _part(column: Column, start: int, end: int) -> Column:
    return replace(column, values=column.values[start:end])


def _column(draw: Draw, name: str, kind: str, words: Sequence[str], rows: int) -> Column:
    if kind == "number":
        digits, scale = draw.pick((0, 1, 2)), draw.pick((10, 1000, 50_000))
        numbers = np.round(scale * draw.rng.random(rows), digits).tolist()
        return Column(name, kind, (*numbers,), digits=digits)
    if kind == "boolean":
        return Column(name, kind, (*_all_of(draw, (True, False), rows),))
    if kind == "date":
        form, day = draw.pick(DATES), draw.rng.integers
        dates = [form.format(day(1990, 2030), day(1, 13), day(1, 29)) for _ in range(rows - 1)]
        return Column(name, kind, (form.format(2001, 2, 28), *dates))
    chosen = [str(word) for word in draw.rng.permutation(words)[: int(draw.rng.integers(2, 5))]]
    return Column(name, kind, (*_all_of(draw, chosen, rows),), tuple(chosen))


def _all_of(draw: Draw, options: Sequence[T], rows: int) -> list[T]:
    """Random options, of which each is among the first."""
    return [*options, *(draw.pick(options) for _ in range(rows - len(options)))]


def _with_gaps(draw: Draw, table: Rows) -> Rows:
    """The table with gaps in some inputs, not in its first rows."""
    for column in table.columns[:-1]:
        if draw.chance(0.2):
            gaps = {row + 10: None for row in draw.some(len(table) - 10)}
            table = table.changed(column, dict(gaps))
    return table


# Defects.

Defect: TypeAlias = Callable[[Draw, Training], Defective | None]
DEFECTS: list[Defect] = []


def defect(function: Defect) -> Defect:
    DEFECTS.append(function)
    return function


def intact(case: Training, rows: Rows | None = None) -> bytes:
    rows = rows or case.new
    return content_of(rows.lines(case.style), case.style)


def defective(draw: Draw, case: Training) -> Defective:
    """New rows with one defect of those that the table can have."""
    while True:
        found = draw.pick(DEFECTS)(draw, case)
        if found is not None and found.content != intact(case):
            return found


def _all_same(case: Training) -> np.ndarray:
    return np.ones(len(case.new), bool)


def _all_but(case: Training, rows: Sequence[int]) -> np.ndarray:
    return ~np.isin(np.arange(len(case.new)), rows)


def _inputs(case: Training, *kinds: str) -> list[Column]:
    return [each for each in case.new.columns[:-1] if each.kind in kinds or not kinds]


def _restyled(case: Training, name: str, told: str = "", refused: str = "(?!)",
              excused: str = "(?!)", **style: Any) -> Defective:  # fmt: skip
    other = replace(case.style, **style)
    content = content_of(case.new.lines(other), other)
    return Defective(name, content, _all_same(case), told, refused, excused)


def _can_write(case: Training, encoding: str) -> bool:
    try:
        "\n".join(case.new.lines(case.style)).encode(encoding)
    except UnicodeError:
        return False
    return True


def _is_ascii(case: Training) -> bool:
    return all(line.isascii() for line in case.new.lines(case.style))


@defect
def unknown_word(draw: Draw, case: Training) -> Defective | None:
    if not (columns := _inputs(case, "word")):
        return None
    column, rows = draw.pick(columns), draw.some(len(case.new))
    word = draw.pick(("zzz", "new", column.words[0] + "x", column.words[0].swapcase() + "!"))
    content = intact(case, case.new.changed(column, dict.fromkeys(rows, word)))
    told = rf"{len(rows)} values? not seen in training: `{re.escape(word)}` \({len(rows)}"
    return Defective("unknown word", content, _all_but(case, rows), told)


@defect
def other_spelling(draw: Draw, case: Training) -> Defective | None:
    columns = [each for each in _inputs(case, "word") if each.words[0].swapcase() not in each.words]
    if not columns:
        return None
    column = draw.pick(columns)
    rows = [row for row, value in enumerate(column.values) if value == column.words[0]]
    other = column.words[0].swapcase()
    if not rows or other == column.words[0] or not _encodes(other, case.style.encoding):
        return None
    content = intact(case, case.new.changed(column, dict.fromkeys(rows, other)))
    told = rf"{len(rows)} values? not seen in training: .*similar to.*`casefold: true`"
    return Defective("other spelling", content, _all_but(case, rows), told)


@defect
def other_class_spelling(draw: Draw, case: Training) -> Defective | None:
    target = case.new.columns[-1]
    if target.kind != "word":
        return None
    swapped = [str(value).swapcase() for value in target.values]
    if not _encodes("".join(swapped), case.style.encoding):
        return None
    content = intact(case, case.new.changed(target, dict(enumerate(swapped))))
    return Defective("other class spelling", content, _all_same(case), "ignored target column|^$")


def _encodes(text: str, encoding: str) -> bool:
    try:
        return bool(text.encode(encoding))
    except UnicodeError:
        return False


@defect
def other_encoding(draw: Draw, case: Training) -> Defective | None:
    others = ["utf-8", "utf-8-sig", "utf-16", "cp1252", "gb18030", "cp932", "cp1251", "big5"]
    usable = [each for each in others if each != case.style.encoding and _can_write(case, each)]
    if not usable:
        return None
    encoding = draw.pick(usable)
    told = "read as|not seen in training" if "encoding" in case.keys and not _is_ascii(case) else ""
    refused = "encoding|there (is|are) no column|columns have no"
    excused = "not seen in training|read as"
    return _restyled(case, f"other encoding {encoding}", told, refused, excused, encoding=encoding)


@defect
def other_decimal(draw: Draw, case: Training) -> Defective | None:
    if not any(column.digits for column in _inputs(case, "number")):
        return None
    decimal = "," if case.style.decimal == "." else "."
    told = "decimal" if "decimal" in case.keys or decimal == "," else ""
    return _restyled(case, "other decimal", told, "is not a number|decimal",
                     decimal=decimal)  # fmt: skip


@defect
def other_separator(draw: Draw, case: Training) -> Defective | None:
    signs = {",", ";", "\t", "|"} - {case.style.separator, case.style.decimal}
    told = "separator" if "separator" in case.keys else ""
    return _restyled(case, "other separator", told,
                     "there (is|are) no column|separator|columns have no",
                     separator=draw.pick(sorted(signs)))  # fmt: skip


@defect
def other_signs(draw: Draw, case: Training) -> Defective | None:
    """As another country writes tables."""
    decimal, separator = (",", ";") if case.style.decimal == "." else (".", ",")
    told = "separator" if "separator" in case.keys else ""
    return _restyled(case, "other signs", told, "separator|is not a number"
                     "|decimal|there (is|are) no column|columns have no",
                     decimal=decimal, separator=separator)  # fmt: skip


@defect
def missing_column(draw: Draw, case: Training) -> Defective | None:
    column = draw.pick(_inputs(case))
    rows = Rows(tuple(each for each in case.new.columns if each is not column))
    refused = f"there is no column `{re.escape(column.name)}`"
    if not case.style.header:
        return None  # as many columns as inputs: the target may be the one that is missing
    return Defective("missing column", intact(case, rows), _all_same(case), "(?!)", refused)


@defect
def renamed_column(draw: Draw, case: Training) -> Defective | None:
    if not case.style.header:
        return None
    column = draw.pick(_inputs(case))
    rows = case.new.exchanged(column, replace(column, name=draw.pick(("zz", "other", "q 2"))))
    refused = f"there is no column `{re.escape(column.name)}`"
    return Defective("renamed column", intact(case, rows), _all_same(case), "(?!)", refused)


@defect
def permuted_columns(draw: Draw, case: Training) -> Defective | None:
    if not case.style.header:
        return None
    order = draw.rng.permutation(len(case.new.columns))
    rows = Rows(tuple(case.new.columns[index] for index in order))
    return Defective("permuted columns", intact(case, rows), _all_same(case))


@defect
def without_target(draw: Draw, case: Training) -> Defective | None:
    return Defective("no target", intact(case, Rows(case.new.columns[:-1])), _all_same(case))


@defect
def gaps(draw: Draw, case: Training) -> Defective | None:
    column, rows = draw.pick(_inputs(case)), draw.some(len(case.new))
    changed = case.new.changed(column, dict.fromkeys(rows, None))
    told = rf"filled {len(rows)} missing values?: `{re.escape(column.name)}` \({len(rows)}, by "
    if not case.style.header:
        told = rf"filled {len(rows)} missing values?: "
    return Defective("gaps", intact(case, changed), _all_but(case, rows), told)


@defect
def blank_rows(draw: Draw, case: Training) -> Defective | None:
    lines = case.new.lines(case.style)
    count = int(draw.rng.integers(1, 4))
    blank = case.style.separator * (len(case.new.columns) - 1)
    for _ in range(count):
        lines.insert(int(draw.rng.integers(1, len(lines) + 1)), blank)
    told = rf"ignored {count} rows? without any value"
    return Defective("rows of separators", content_of(lines, case.style), _all_same(case), told)


@defect
def blank_lines(draw: Draw, case: Training) -> Defective | None:
    lines = case.new.lines(case.style)
    for _ in range(int(draw.rng.integers(1, 4))):
        lines.insert(int(draw.rng.integers(len(lines) + 1)), "")
    return Defective("blank lines", content_of(lines, case.style), _all_same(case))


@defect
def extra_columns(draw: Draw, case: Training) -> Defective | None:
    if not case.style.header:
        return None
    extra = Column("extra", "number", tuple(map(float, range(len(case.new)))))
    columns = list(case.new.columns)
    columns.insert(int(draw.rng.integers(len(columns) + 1)), extra)
    told = "ignored column: `extra`"
    return Defective("extra columns", intact(case, Rows(tuple(columns))), _all_same(case), told)


@defect
def header_lost(draw: Draw, case: Training) -> Defective | None:
    if not case.style.header:
        return None
    return _restyled(case, "header lost", "no header|no names|by position",
                     "columns have no|there (is|are) no column|header", header=False)  # fmt: skip


@defect
def header_added(draw: Draw, case: Training) -> Defective | None:
    if case.style.header:
        return None
    return _restyled(case, "header added", "header|names", "header|names|not a number", header=True)


@defect
def header_doubled(draw: Draw, case: Training) -> Defective | None:
    if not case.style.header:
        return None
    lines = case.new.lines(case.style)
    lines.insert(int(draw.rng.integers(1, len(lines) + 1)), lines[0])
    told = "ignored 1 row equal to the header|not seen in training|has (text|units)"
    return Defective("header doubled", content_of(lines, case.style), _all_same(case), told,
                     "is not a number|header")  # fmt: skip


@defect
def other_booleans(draw: Draw, case: Training) -> Defective | None:
    if not _inputs(case, "boolean"):
        return None
    others = (*BOOLEANS, ("1", "0"), ("yes", "no"), ("T", "F"), ("tRUE", "fALSE"), ("Ja", "Nein"))
    words = draw.pick(others)
    return _restyled(case, f"other booleans {words}", "", "neither true nor false|is not a number",
                     booleans=words)  # fmt: skip


@defect
def quotes(draw: Draw, case: Training) -> Defective | None:
    return _restyled(case, "quotes", quotes_all=True)


@defect
def line_ends(draw: Draw, case: Training) -> Defective | None:
    return _restyled(case, "line ends", end=draw.pick(("\r\n", "\r")))


@defect
def byte_order_mark(draw: Draw, case: Training) -> Defective | None:
    if case.style.encoding not in ("utf-8", "utf-16-le"):
        return None
    return _restyled(case, "byte order mark", mark=True)


@defect
def thousands(draw: Draw, case: Training) -> Defective | None:
    numbers = _inputs(case, "number")
    large = [(column, value) for column in numbers for value in column.values if value >= 1000]
    if not large or any(value % 10 == 0 for column, value in large if not column.digits):
        return None  # 2.440 is like 2.44
    signs = [sign for sign in (",", ".", " ", "'", "’") if sign != case.style.decimal]
    sign = draw.pick([each for each in signs if _encodes(each, case.style.encoding)])
    told = "thousands|is read as a decimal"
    return _restyled(case, f"thousands {sign}", told, "is not a number|thousands", told,
                     thousands=sign)  # fmt: skip


@defect
def trailing_separators(draw: Draw, case: Training) -> Defective | None:
    return _restyled(case, "trailing separators", "ends? with a separator", is_padded=True)


@defect
def gap_words(draw: Draw, case: Training) -> Defective | None:
    column, rows = draw.pick(_inputs(case)), draw.some(len(case.new))
    lines = case.new.lines(case.style)
    word = draw.pick(MISSING[1:])
    for row in rows:
        _set(case, lines, row, column, word)
    told = rf"filled {len(rows)} missing values?: "
    return Defective(f"gaps as {word}", content_of(lines, case.style), _all_but(case, rows), told)


def _set(case: Training, lines: list[str], row: int, column: Column, cell: str) -> None:
    """Write another cell in a line."""
    cells = [each.cell(each.values[row], case.style) for each in case.new.columns]
    cells[case.new.place(column)] = cell
    lines[row + case.style.header] = line_of(cells, case.style)


@defect
def empty_column(draw: Draw, case: Training) -> Defective | None:
    column = draw.pick(_inputs(case))
    changed = case.new.changed(column, dict.fromkeys(range(len(case.new)), None))
    told = rf"filled {len(case.new)} missing values?: "
    return Defective("empty column", intact(case, changed), ~_all_same(case), told)


@defect
def percent(draw: Draw, case: Training) -> Defective | None:
    column = draw.pick(_inputs(case, "number"))
    lines = case.new.lines(case.style)
    for row, value in enumerate(column.values):
        _set(case, lines, row, column, column.cell(value, case.style) + draw.pick(("%", " %")))
    return Defective("percent", content_of(lines, case.style), _all_same(case), "% is read as ",
                     "is not a number")  # fmt: skip


@defect
def title(draw: Draw, case: Training) -> Defective | None:
    lines = ["Report of 2020", *draw.pick(((), ("",))), *case.new.lines(case.style)]
    return Defective("title", content_of(lines, case.style), _all_same(case), "begins at line",
                     "fields|there (is|are) no column|columns have no|begin")  # fmt: skip


@defect
def comments(draw: Draw, case: Training) -> Defective | None:
    lines = ["# made by hand", *case.new.lines(case.style)]
    return Defective("comment", content_of(lines, case.style), _all_same(case),
                     "ignored (as comments|1 row)|begins at line",
                     "fields|there (is|are) no column|columns have no|begin")  # fmt: skip


@defect
def row_numbers(draw: Draw, case: Training) -> Defective | None:
    numbers = Column("", "number", tuple(map(float, range(len(case.new)))))
    rows = Rows((numbers, *case.new.columns))
    return Defective("row numbers", intact(case, rows), _all_same(case),
                     "no name|row name|ignored", "columns have no")  # fmt: skip


@defect
def units(draw: Draw, case: Training) -> Defective | None:
    if not case.style.header:
        return None
    cells = ["(kg)" if column.kind == "number" else "" for column in case.new.columns]
    lines = case.new.lines(case.style)
    lines.insert(1, line_of(cells, case.style))
    return Defective("units", content_of(lines, case.style), _all_same(case), "has units",
                     "is not a number")  # fmt: skip


@defect
def repeated_column(draw: Draw, case: Training) -> Defective | None:
    if not case.style.header:
        return None
    rows = Rows((*case.new.columns, draw.pick(_inputs(case))))
    return Defective("repeated column", intact(case, rows), _all_same(case), "repeats names")


@defect
def other_case_of_a_name(draw: Draw, case: Training) -> Defective | None:
    column = draw.pick(_inputs(case))
    name = column.name.swapcase()
    if not case.style.header or name == column.name or not _encodes(name, case.style.encoding):
        return None
    rows = case.new.exchanged(column, replace(column, name=name))
    told = f"column `{re.escape(name)}` is read as `{re.escape(column.name)}`"
    refused = f"there is no column `{re.escape(column.name)}`; .*`{re.escape(name)}`"
    return Defective("other case of a name", intact(case, rows), _all_same(case), told, refused)


@defect
def spaces(draw: Draw, case: Training) -> Defective | None:
    sign = case.style.separator
    lines = [line.replace(sign, f" {sign} ") for line in case.new.lines(case.style)]
    if any('"' in line for line in lines):
        return None
    return Defective("spaces", content_of(lines, case.style), _all_same(case))


@defect
def other_dates(draw: Draw, case: Training) -> Defective | None:
    if not (columns := _inputs(case, "date")):
        return None
    column, sign = draw.pick(columns), draw.pick(" _:")
    other = {row: re.sub(r"[-./]", sign, str(each)) for row, each in enumerate(column.values)}
    return Defective("other dates", intact(case, case.new.changed(column, dict(other))),
                     _all_same(case), "(?!)", "is not a date|fields|no (known )?names")  # fmt: skip


@defect
def infinite(draw: Draw, case: Training) -> Defective | None:
    column, row = draw.pick(_inputs(case, "number")), int(draw.rng.integers(len(case.new)))
    lines = case.new.lines(case.style)
    _set(case, lines, row, column, draw.pick(("inf", "-Infinity", "1e999", "abc", "1_000")))
    refused = f"column `.*`, row {row + 1}: (the value is infinite|.* is not a number)"
    return Defective("infinite", content_of(lines, case.style), _all_same(case), "(?!)", refused)


@defect
def long_row(draw: Draw, case: Training) -> Defective | None:
    lines = case.new.lines(case.style)
    row = int(draw.rng.integers(len(case.new)))
    lines[row + case.style.header] += case.style.separator + "7"
    return Defective("long row", content_of(lines, case.style), _all_but(case, [row]),
                     "row name|begins at line",
                     "fields|columns have no|is not a|neither true", "row name",
                     lost=True)  # fmt: skip


@defect
def short_row(draw: Draw, case: Training) -> Defective | None:
    lines = case.new.lines(case.style)
    row = int(draw.rng.integers(len(case.new)))
    cells = [column.cell(column.values[row], case.style) for column in case.new.columns]
    kept = cells[: int(draw.rng.integers(1, len(cells)))]
    if len(case.new) == 1 and len(kept) == len(cells) - 1 and not case.style.header:
        return None  # a file without the target
    lines[row + case.style.header] = line_of(kept, case.style)
    return Defective("short row", content_of(lines, case.style), _all_but(case, [row]),
                     "filled|fields|ignored 1 row|begins at line",
                     "fields|no (known )?names|there (is|are) no column", lost=True)  # fmt: skip
