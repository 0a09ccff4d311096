from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import read_frame
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.files import text as text_file
from bpcli.data.files.delimited import cleaner_of, layout_of, read, read_blocks
from bpcli.data.files.dialect import FIELD_END, FIXED, Dialect
from bpcli.data.files.fixed_width import are_aligned, fields_of, gaps_of, table_of
from bpcli.errors import DataError

WORDS = st.text(st.sampled_from("ab1.,;|é"), min_size=1, max_size=6)
TABLES = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(WORDS, min_size=width, max_size=width), min_size=1)
)
CARS = (
    "Aveo 4dr            11690  1.6\n"
    "Aveo LS 4dr hatch   12585  1.6\n"
    "Cavalier 2dr          610  2.2\n"
    "Civic EX                   1.7\n"
)
NAMES = ["Aveo 4dr", "Aveo LS 4dr hatch", "Cavalier 2dr", "Civic EX"]


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "t.txt"
        path.write_text(text)
        return path

    return write


def lines_of(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def split(text: str) -> list[list[str]]:
    """The fields of all lines that are not blank."""
    lines = lines_of(text)
    fields = table_of(lines, gaps_of(lines))
    return [line.removesuffix("\n").split(FIELD_END) for line in fields if line != "\n"]


@given(TABLES, st.sampled_from([str.ljust, str.rjust]), st.integers(1, 3))
def test_aligned_columns_are_read_back(
    rows: list[list[str]], align: Callable[[str, int], str], space: int
) -> None:
    lines = [(" " * space).join(align(cell, 6) for cell in row) + "\n" for row in rows]
    assert split("".join(lines)) == rows


@pytest.mark.parametrize("above", ["", "Cars\n", "Prices of cars, as sold in the year 2004\n\n"])
@pytest.mark.parametrize(
    "head", ["name                price size\n", "name price_in_dollars size\n"]
)
def test_titles_and_names_above_the_columns_tell_no_gaps(above: str, head: str) -> None:
    rows = split(above + head + "-----------  -----  ----\n" + CARS)
    assert rows[-5:] == [
        head.split(),
        ["Aveo 4dr", "11690", "1.6"],
        ["Aveo LS 4dr hatch", "12585", "1.6"],
        ["Cavalier 2dr", "610", "2.2"],
        ["Civic EX", "", "1.7"],
    ]
    assert len(rows) == 5 + bool(above)


def test_a_long_name_in_the_first_rows_is_no_title() -> None:
    rows = split("Mercedes Benz E320     1  2  3\n" + "Kia Rio                4  5  6\n" * 9)
    assert rows[0][-3:] == ["1", "2", "3"]
    assert "".join(rows[0]) == "MercedesBenzE320123"


def test_a_cell_that_only_the_first_rows_have_is_one_of_a_column() -> None:
    rows = split("a  5  b  1\n" * 2 + "c     d  2\n" * 8)
    assert rows[0] == ["a", "5", "b", "1"]
    assert rows[-1] == ["c", "", "d", "2"]


def test_a_field_may_be_longer_than_in_the_lines_that_told_the_gaps() -> None:
    gaps = ((4, 8),)
    assert fields_of("abcdef 3\n", gaps) == f"abcdef{FIELD_END}3\n"
    assert fields_of("ab   12345\n", gaps) == f"ab{FIELD_END}12345\n"
    assert fields_of("abcd\n", gaps) == f"abcd{FIELD_END}\n"
    assert fields_of("abcdefgh\n", gaps) == "abcdefgh\n"
    assert fields_of("    \n", gaps) == "\n"


def test_tabs_are_blanks_up_to_the_next_eighth_place() -> None:
    assert split("a\t1\nlonger\t2\nb       3\n") == [["a", "1"], ["longer", "2"], ["b", "3"]]


def test_only_padded_lines_are_aligned() -> None:
    assert are_aligned(lines_of(CARS))
    assert not are_aligned(lines_of("a b\n" * 9))
    assert not are_aligned(lines_of("a  b\tc\n" * 9))
    assert not are_aligned(lines_of("a  b\n"))


def test_columns_of_a_fixed_width_are_found_and_told(table) -> None:
    layout = layout_of(table(CARS), Dialect(header=False))
    assert layout.dialect.separator == FIXED
    assert layout.notes == (
        "t.txt: columns are separated at the blanks that all lines have; see `separator`",
    )
    frame, _ = read(layout)
    assert frame["x1"].tolist() == NAMES
    np.testing.assert_array_equal(frame["x2"], [11690, 12585, 610, np.nan])
    blocks = list(read_blocks(layout, 2, cleaner_of(layout)))
    assert pd.concat(blocks)["x3"].tolist() == frame["x3"].tolist() == [1.6, 1.6, 2.2, 1.7]


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a  b   c\n1  2   3\n4  5   6\n7  8   9\n10 11 12\n", "whitespace"),
        ("one word   here\n" * 2 + "a word   here\n" * 3, "whitespace"),
        ("Prices\n" + '"1 €"   5   x  7\n"2 €"  15  y   8\n"3 €"  25  y   9\n', "whitespace"),
        ("a b; 1\n" * 3 + "a   c; 2\n" * 9, ";"),
    ],
)
def test_other_tables_have_no_fixed_width(table, text: str, separator: str) -> None:
    assert layout_of(table(text), Dialect(header=None)).dialect.separator == separator


def test_the_first_row_may_be_mostly_empty(table) -> None:
    text = "ALFA ROMEO                 101\nALFETTA      3   8  74   7 102\n" * 4
    frame = read_frame(table(text), Dialect(header=None))
    assert frame["x6"].tolist() == [101, 102] * 4


LONG = CARS * 10_000


def test_a_line_far_below_that_does_not_fit_is_refused(
    table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gaps are found in 8 kilobytes here, not in a megabyte, which takes seconds."""
    monkeypatch.setattr(text_file, "_SAMPLE", 2**13)
    asked = Dialect(header=False, separator=FIXED)
    path = table(LONG + "Mercedes-Benz E320 and more 1 2\nAveo 4dr            11690  1.6\n")
    message = "row 40001 has text where the others have a blank between columns; see `separator`"
    with pytest.raises(DataError, match=message):
        read_frame(path, asked)
    with pytest.raises(DataError, match=message):
        list(read_blocks(layout := layout_of(path, asked), 1000, cleaner_of(layout)))


def test_comments_and_notes_are_no_rows_of_a_fixed_width(table) -> None:
    path = table(
        "# made by hand\n" + CARS + "# more\n" + CARS + "\nSource: the makers of cars, 2004\n"
    )
    frame, notes = read(layout_of(path, Dialect(header=False)))
    assert frame["x1"].tolist() == NAMES * 2
    assert "t.txt: ignored 1 row below the table: Source: the makers of cars, 2004" in notes


def test_quotes_are_plain_text_and_codes_stay(table) -> None:
    path = table('3" pipe   007    5\n12" pipe  008   15\noak tube  010   25\nx         012   3\n')
    frame = read_frame(path, Dialect(header=False))
    assert frame["x1"].tolist() == ['3" pipe', '12" pipe', "oak tube", "x"]
    assert frame["x2"].tolist() == ["007", "008", "010", "012"]


CELLS = ["red", "dark blue", "light green", "St. Mary", "x", "Ann of Cleves", "São Paulo"]
HEADS = ["weight", "h", "name of it", "Conf", "total"]


def random_table(rng: np.random.Generator) -> list[list[str]]:
    """Columns of words, one of numbers, and gaps, below a header."""
    count, words = rng.integers(9, 60), rng.integers(1, 4)
    rows = [
        [*(rng.choice(CELLS) for _ in range(words)), "" if rng.random() < 0.1 else f"{number:.2f}"]
        for number in rng.normal(size=count) * 20
    ]
    return [HEADS[: words + 1], *rows]


@pytest.mark.parametrize("told", [None, FIXED])
def test_random_tables_of_a_fixed_width_are_read_or_told(table, told: str | None) -> None:
    equal = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rows = random_table(rng)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        aligns = [rng.choice([str.ljust, str.rjust]) for _ in widths]
        cells = [[a(c, w) for a, c, w in zip(aligns, row, widths, strict=True)] for row in rows]
        space = " " * int(rng.integers(1, 4))
        text = "\n".join(map(space.join, cells)) + "\n"
        layout = layout_of(table(text), Dialect(header=True, separator=told))
        found = layout.dialect.columns == tuple(rows[0])
        if found:
            frame, _ = read(layout)
            assert frame.iloc[:, :-1].astype(str).to_numpy().tolist() == [r[:-1] for r in rows[1:]]
        assert found or told or any("see `separator`" in note for note in layout.notes), text
        equal += found
    assert equal >= 95
