"""Random tables of numbers, words, codes and booleans, in random dialects, with what they hold.

Left out is what a person could not tell from the file either:

- a decimal or thousands sign that every cell leaves open, as `1.234` alone does;
- a first row of data without a header that has no number, so that it may be one;
- a title or comment with as many fields as the table, or one field less above a table that has no
  header, no numbers, or names of rows: it may be the header;
- a column without any value, and a row that is nothing but gaps;
- a unit above fewer than three rows, or beside names of rows for which the header has no field;
- a repeated header in a table of words only, or of fewer than three rows: it may be a row;
- `-`, `None` and the like for missing values in more than a few cells of a column of words: they
  may be a category;
- an encoding before Unicode with few letters beyond ASCII: many encodings fit them;
- separators at the end of rows together with names of rows: one hides the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import numpy as np

from bpcli.data.files.dialect import MISSING, WHITESPACE
from bpcli.data.values import AMBIGUOUS

Value: TypeAlias = float | str | None
T = TypeVar("T")

WORDS: dict[str, Sequence[str]] = {
    "plain": ("red", "dark blue", "Smith, John", "north-west", "A/B", "x1", "semi; colon", "a|b",
              'so "called"', "two\nlines", "Nr. 5", "e", "1st", "10-20", "C#"),
    "german": ("Zürich", "Köln", "groß", "Öl", "schön, aber", "Fuß", "Äpfel", "müde", "Grüße"),
    "french": ("été", "garçon", "hôtel", "où", "forêt noire", "naïve", "déjà", "français", "œuf"),
    "czech": ("červená", "žluť", "město", "růžová", "déšť", "škola", "říjen", "kůň", "ještě"),
    "russian": ("Москва", "красный", "зелёный", "очень большой", "дом", "север", "река", "площадь"),
    "japanese": ("東京", "大阪", "あかい", "りんご", "カタカナ", "北海道", "さくら", "学生"),
    "chinese": ("北京", "上海", "广州", "红色", "蓝色", "学生", "男", "女", "中国人民"),
    "taiwanese": ("台北", "高雄", "紅色", "藍色", "學生", "國家", "電話", "臺灣大學"),
    "korean": ("서울", "부산", "빨강", "파랑", "학생", "남자", "여자", "대한민국"),
}  # fmt: skip

UNICODE = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
LEGACY = {
    "cp1252": ("german", "french"), "latin-1": ("german",), "cp1250": ("czech",),
    "cp1251": ("russian",), "koi8-r": ("russian",), "cp932": ("japanese",),
    "euc_jp": ("japanese",), "gb18030": ("chinese",), "big5": ("taiwanese",), "cp949": ("korean",),
}  # fmt: skip
FEWEST_LETTERS = 14

NAMES = ("id", "name", "Temp", "weight (kg)", "n", "x 1", "y", "class", "group", "net, gross",
         "col_7", "T2")  # fmt: skip
UNITS = ("m", "kg", "°C", "m/s", "[mm]", "%", "(s)", "µg/l")
PROSE = ("made by hand", "Report", "Sales of 2020", "All regions, all years", "x = 5; y = 7",
         "exported 2021-03-04 12:30", "Table 1: results")  # fmt: skip
COMMENTS = ("#", "%", "//")
BOOLEANS = (("true", "false"), ("True", "False"), ("TRUE", "FALSE"))


@dataclass
class Column:
    """A column's kind, its values, and the cells that show them."""

    kind: str
    values: list[Value]
    cells: list[str]


@dataclass
class Drawn:
    """A file, and the table that it shows."""

    content: bytes
    names: list[str]
    columns: list[Column]


@dataclass
class Writing:
    """How a table is written, and with which words."""

    rng: np.random.Generator
    separator: str
    decimal: str
    thousands: str
    encoding: str
    words: Sequence[str]
    quoting: str = "minimal"
    spacing: str = ""
    missing: list[str] = field(default_factory=list)
    height: int = 1

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def can_write(self, text: str) -> bool:
        try:
            text.encode(self.encoding)
        except UnicodeError:
            return False
        return True

    def line(self, cells: Sequence[str]) -> str:
        written = [self._quoted(cell) for cell in cells]
        if self.separator == WHITESPACE:
            return "".join(" " * int(self.rng.integers(1, 4)) + cell for cell in written)[
                int(self.chance(0.5)) :
            ]
        return (
            {"": "{}", "after": "{} ", "both": " {} "}[self.spacing]
            .format(self.separator)
            .join(written)
        )

    def _quoted(self, cell: str) -> str:
        blank = (" ", "\t") if self.separator == WHITESPACE else (self.separator,)
        is_needed = any(sign in cell for sign in (*blank, '"', "\n"))
        is_word = any(map(str.isalpha, cell))
        if is_needed or self.quoting == "all" or (self.quoting == "words" and is_word):
            return '"' + cell.replace('"', '""') + '"'
        return cell


def drawn(seed: int, number: int) -> Drawn:
    """The table of this number, of those that a person can read."""
    rng = np.random.default_rng([seed, number])
    while True:
        table = _attempt(rng)
        if table is not None:
            return table


def _attempt(rng: np.random.Generator) -> Drawn | None:
    writing = _writing(rng)
    width = int(rng.integers(2, 9))
    columns = [_column(writing) for _ in range(width)]
    _fill_gaps(writing, columns)
    if not _is_telling(columns):
        return None
    has_header = writing.chance(0.75)
    has_numbers = any(column.kind == "number" for column in columns)
    if not has_header and not any(_begins_with_number(column) for column in columns):
        return None
    lines, names = _lines(writing, columns, has_header, has_numbers)
    text = _text(writing, lines)
    letters = {sign for sign in text if not sign.isascii()}
    if not writing.can_write(text) or (
        writing.encoding in LEGACY and 0 < len(letters) < FEWEST_LETTERS
    ):
        return None
    return Drawn(text.encode(writing.encoding), names, columns)


def _writing(rng: np.random.Generator) -> Writing:
    def pick(options: Sequence[Any]) -> Any:
        return options[int(rng.integers(len(options)))]

    is_legacy = rng.random() < 0.3
    encoding = pick(tuple(LEGACY)) if is_legacy else pick(UNICODE)
    language = pick(LEGACY[encoding] if is_legacy else tuple(WORDS))
    decimal = pick((".", ".", ","))
    thousands = pick(("", "", "", ",", ".", " ", "'", "’"))
    separator = pick((",", ",", ";", ";", "\t", "|", WHITESPACE))
    writing = Writing(
        rng,
        separator,
        decimal,
        "" if thousands == decimal else thousands,
        encoding,
        (*WORDS[language], *WORDS["plain"]),
        pick(("minimal", "minimal", "words", "all")),
        pick(("", "", "", "after", "both")) if separator in ",;|" else "",
        height=int(rng.integers(1, 81 if rng.random() < 0.7 else 8)),
    )
    words = [pick(MISSING) for _ in range(int(rng.integers(0, 3)))]
    can_be_gap = separator != WHITESPACE or writing.quoting == "all"
    writing.missing = [word for word in words if word or can_be_gap]
    return writing


# Columns.


def _column(writing: Writing) -> Column:
    return writing.pick((*_NUMBERS, *_NUMBERS, *_OTHERS))(writing)


def _numbers(writing: Writing, plain: Iterator[str]) -> Column:
    """Numbers from texts such as -1234.5, as the table writes them."""
    texts = [next(plain) for _ in range(writing.height)]
    is_grouped = writing.chance(0.7) and writing.thousands
    mark = writing.pick(("",) * 8 + ("{} %", "{}%", "${}", "€{}", "{} €", "EUR {}"))
    mark = mark if mark and writing.can_write(mark) else "{}"
    minus = "−" if writing.chance(0.1) and writing.can_write("−") else "-"
    cells = [
        mark.format(_with_signs(writing, text, bool(is_grouped))).replace("-", minus)
        for text in texts
    ]
    return Column("number", [float(text) for text in texts], cells)


def _with_signs(writing: Writing, text: str, is_grouped: bool) -> str:
    whole, point, rest = text.partition(".")
    if is_grouped and "e" not in text:
        sign, digits = whole[: whole.startswith("-")], whole.lstrip("-")
        whole = sign + f"{int(digits):,}".replace(",", writing.thousands)
    return whole + point.replace(".", writing.decimal) + rest


def _whole(writing: Writing) -> Column:
    high = writing.pick((10, 100, 3000, 10**6))
    low = writing.pick((0, 0, -high))
    return _numbers(writing, (str(writing.rng.integers(low, high)) for _ in iter(int, 1)))


def _big(writing: Writing) -> Column:
    return _numbers(writing, (str(writing.rng.integers(0, 10**15)) for _ in iter(int, 1)))


def _fractions(writing: Writing) -> Column:
    digits, scale = writing.pick((1, 2, 3, 3, 6)), writing.pick((1, 100, 10_000, 10**7))
    center = writing.pick((0.0, 0.5))
    draw = writing.rng.random
    return _numbers(writing, (f"{scale * (draw() - center):.{digits}f}" for _ in iter(int, 1)))


def _exact(writing: Writing) -> Column:
    """Floats with all their digits."""
    return _numbers(writing, (f"{writing.rng.normal():.17f}" for _ in iter(int, 1)))


def _exponents(writing: Writing) -> Column:
    def draw() -> str:
        return f"{writing.rng.normal():.4f}e{writing.rng.integers(-30, 30)}"

    return _numbers(writing, (draw() for _ in iter(int, 1)))


def _codes(writing: Writing) -> Column:
    """Codes of one length, one of which at least begins with a zero."""
    digits = writing.pick((3, 5))
    codes = [f"{writing.rng.integers(10**digits):0{digits}d}" for _ in range(writing.height)]
    codes[int(writing.rng.integers(writing.height))] = "0" * (digits - 1) + "7"
    return Column("category", list(codes), codes)


def _words(writing: Writing) -> Column:
    some = [writing.pick(writing.words) for _ in range(int(writing.rng.integers(1, 12)))]
    words = [writing.pick(some) for _ in range(writing.height)]
    return Column("category", list(words), words)


def _dates(writing: Writing) -> Column:
    form = writing.pick(("{0}-{1:02}-{2:02}", "{2}.{1}.{0}", "{2:02}/{1:02}/{0}", "{3:02}:{1:02}"))
    draw = writing.rng.integers
    dates = [
        form.format(draw(1990, 2030), draw(1, 13), draw(1, 29), draw(0, 24))
        for _ in range(writing.height)
    ]
    return Column("date", list(dates), dates)


def _booleans(writing: Writing) -> Column:
    words = writing.pick(BOOLEANS)
    cells = [writing.pick(words) for _ in range(writing.height)]
    return Column("boolean", [cell.lower() for cell in cells], cells)


_NUMBERS: tuple[Callable[[Writing], Column], ...] = (_whole, _fractions, _fractions)
_OTHERS: tuple[Callable[[Writing], Column], ...] = (
    _whole, _big, _exact, _exponents, _codes, _words, _words, _words, _dates, _booleans,
)  # fmt: skip


def _fill_gaps(writing: Writing, columns: list[Column]) -> None:
    """Put words for missing values, or gaps, into some columns."""
    for column in columns:
        share = writing.pick((0.0, 0.0, 0.1, 0.3)) if writing.missing else 0.0
        words = [w for w in writing.missing if column.kind != "category" or w not in AMBIGUOUS]
        rare = [] if column.kind != "category" else list({*writing.missing} - {*words})
        if rare and writing.height >= 10 and share:
            _miss(column, int(writing.rng.integers(writing.height)), writing.pick(rare))
        for row in np.flatnonzero(writing.rng.random(writing.height) < share) if words else ():
            _miss(column, int(row), writing.pick(words))
    for row in range(writing.height):
        if not any(column.cells[row] for column in columns):
            _miss(columns[0], row, "NA")


def _miss(column: Column, row: int, word: str) -> None:
    """A missing value, unless it is the column's last."""
    if sum(value is not None for value in column.values) > (column.values[row] is not None):
        kept = _CODE.match(column.cells[row]) and sum(map(bool, map(_CODE.match, column.cells))) < 2
        if not kept:
            column.values[row], column.cells[row] = None, word


_CODE = re.compile(r"0\d+$")


# What a person can tell.


def _is_telling(columns: list[Column]) -> bool:
    """Whether a number shows which sign is the decimal one, if any number has one."""
    cells = [
        "".join(re.findall(r"[\d.,' ’e]", cell)).strip()
        for column in columns
        if column.kind == "number"
        for cell, value in zip(column.cells, column.values, strict=True)
        if value is not None
    ]
    signed = [cell for cell in cells if "." in cell or "," in cell]
    return not signed or not all(map(_OPEN.fullmatch, signed))


_OPEN = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")


def _begins_with_number(column: Column) -> bool:
    return (
        column.values[0] is not None
        and any(map(str.isdigit, column.cells[0]))
        and (column.kind == "number")
    )


# Lines.


def _lines(
    writing: Writing, columns: list[Column], has_header: bool, has_numbers: bool
) -> tuple[list[str], list[str]]:
    """The lines of the file, and the names of the columns."""
    width = len(columns)
    names = [f"x{index}" for index in range(1, width + 1)]
    rows = [list(row) for row in zip(*(column.cells for column in columns), strict=True)]
    header: list[list[str]] = []
    has_row_names = has_header and writing.chance(0.06)
    is_padded = not has_row_names and writing.separator != WHITESPACE and writing.chance(0.1)
    if has_header:
        usable = (*NAMES, *(f"{word} 2" for word in writing.words[:4] if word.isalpha()))
        order = writing.rng.permutation(len(usable))[:width]
        names = [usable[index] for index in order]
        header = [list(names)]
        if has_numbers and not has_row_names and writing.height >= 3 and writing.chance(0.15):
            header.append(_units(writing, columns))
    if has_row_names:
        stem = writing.pick(("", "row ", "r"))
        rows = [[f"{stem}{number}", *row] for number, row in enumerate(rows, start=1)]
    if is_padded:
        rows = [[*row, ""] for row in rows]
        is_open = writing.chance(0.5)
        header = [[*row, *[""] * is_open] for row in header]
    body = [writing.line(row) for row in rows]
    head = [writing.line(row) for row in header]
    is_clear = has_header and has_numbers and not has_row_names
    before, comment = _before(writing, width + has_row_names, is_clear)
    body = _interrupted(writing, body, head, comment, len(rows[0]), has_numbers)
    return [*before, *head, *body], names


def _units(writing: Writing, columns: list[Column]) -> list[str]:
    usable = [unit for unit in UNITS if writing.can_write(unit)]
    other = "-" if writing.separator == WHITESPACE else writing.pick(("", "-"))
    return [writing.pick(usable) if column.kind == "number" else other for column in columns]


def _before(writing: Writing, width: int, is_clear: bool) -> tuple[list[str], str]:
    """The lines before the table, and the sign of comments, if any."""
    comment = writing.pick(COMMENTS) if writing.chance(0.2) else ""
    lines = [
        f"{comment}{' ' * writing.chance(0.8)}{writing.pick(PROSE)}"
        for _ in range(int(writing.rng.integers(1, 4)) if comment else 0)
    ]
    lines += [writing.pick(PROSE) for _ in range(writing.pick((0, 0, 0, 1, 2)))]
    lines = [line for line in lines if _is_prose(writing, line, comment, width, is_clear)]
    if lines and writing.chance(0.3):
        lines.append("")
    if not lines and writing.separator in ",;|\t" and writing.chance(0.03):
        lines = [f"sep={writing.separator}"]
    has_comments = any(line.startswith(comment) for line in lines) if comment else False
    return lines, comment if has_comments else ""


def _is_prose(writing: Writing, line: str, comment: str, width: int, is_clear: bool) -> bool:
    """Whether a line before the table can be no row and no header."""
    fields = len(line.split(None if writing.separator == WHITESPACE else writing.separator))
    is_comment = bool(comment) and line.startswith(comment)
    return fields != width and (is_clear or is_comment or fields != width - 1)


def _interrupted(
    writing: Writing, body: list[str], head: list[str], comment: str, width: int, has_numbers: bool
) -> list[str]:
    """The rows, and between some of them comments, blank rows and the header."""
    between: list[str] = []
    if comment:
        between.append(f"{comment} checked")
    if writing.chance(0.1):
        between.append("")
    if writing.chance(0.1) and writing.separator != WHITESPACE:
        between.append(writing.separator * (width - 1))
    if writing.chance(0.08) and has_numbers and len(body) > 2:
        between += head[:1]
    for line in between:
        if not comment or writing.chance(0.5):
            body.insert(int(writing.rng.integers(1, len(body) + 1)), line)
    return body


def _text(writing: Writing, lines: list[str]) -> str:
    end = writing.pick(("\n", "\n", "\r\n", "\r"))
    byte_order_mark = "\ufeff" * (writing.encoding in ("utf-16-le", "utf-16-be"))
    text = end.join(lines) + end * writing.chance(0.8)
    return byte_order_mark * writing.chance(0.5) + text
