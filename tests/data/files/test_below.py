from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bpcli.data.files.delimited import cleaner_of, layout_of, read, read_blocks
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.text import without_last
from bpcli.data.types import DataFrame
from bpcli.errors import DataError

WORDS = "name,code,n,m\nOslo,a,1,2\nRome,b,3,4\nParis,c,5,6\n"
LONG = "Students who received benefits in more than one state"


@pytest.fixture
def read_both(tmp_path: Path) -> Callable[..., tuple[DataFrame, str]]:
    """The rows of a text, which are the same block by block, and the notes in a text."""

    def both(text: str, **options: object) -> tuple[DataFrame, str]:
        path = tmp_path / "t.csv"
        path.write_text(text)
        layout = layout_of(path, Dialect(**options))
        frame, notes = read(layout)
        cleaner = cleaner_of(layout)
        blocks = read_blocks(layout, 2 + len(frame) // 9, cleaner)
        assert [row for block in blocks for row in block.index] == frame.index.tolist()
        ignored = [note for note in notes if note.startswith("t.csv: ignored")]
        assert ignored == [f"t.csv: {note}" for note in cleaner.notes if "ignored" in note]
        return frame, "\n".join(notes)

    return both


@pytest.mark.parametrize(
    ("below", "count", "said"),
    [
        (f"{LONG},,,\n", "1 row", "Students who received"),
        (f"Note: some,,,\n{LONG},,,\n", "2 rows", "Note: some; Students"),
        ("Source:,OECD,,\n\n", "", ""),
        ("\nSource:,OECD,,\n\n", "1 row", "Source: OECD"),
        ("Source: OECD,2020-21,,\n", "1 row", "Source: OECD 2020-21"),
        (
            "\nOslo: a city\nn: a, b and c, as told\n\n\nAll rights (c) 2001, 2021\n",
            "3 rows",
            "Oslo",
        ),
    ],
)
def test_texts_below_a_table_are_no_rows_and_told(
    read_both, below: str, count: str, said: str
) -> None:
    frame, notes = read_both(WORDS + below)
    ignored = f"ignored {count} below the table: {said}"
    assert (len(frame) == 3) == bool(count)
    assert (ignored in notes) == bool(count)


@pytest.mark.parametrize(
    "text",
    [
        WORDS + "Lima,,,\n",
        WORDS + "Lima,d,,\n",
        WORDS + f"{LONG},d,7,\n",
        WORDS + f"{LONG},7,,\n",
        WORDS.replace("Rome,b,3,4", f"{LONG},,,") + f"{LONG} and more than one year,,,\n",
        "name,n\nOslo,1\nRome,2\nParis,3\nThe whole of the world without Antarctica,\n",
        "n,a,b\n1,2,3\n4,5,6\n7,,\n",
    ],
)
def test_a_row_with_gaps_at_the_end_is_data(read_both, text: str) -> None:
    frame, notes = read_both(text)
    assert len(frame) == text.count("\n") - 1
    assert "ignored" not in notes


@pytest.mark.parametrize(
    "total", ["Total", "Totals of all", "Summe", "合计", "Grand total", "Итого"]
)
def test_a_total_is_told_but_stays_a_row(read_both, total: str) -> None:
    frame, notes = read_both(WORDS + f"{total},,10,14\n")
    assert len(frame) == 4
    assert f"the last row begins with {total}: if it is a total" in notes
    assert notes.endswith("by `skip_last: 1` (--skip-last 1)")


@pytest.mark.parametrize("end", ["\nSource: OECD\n", f"{LONG},,,\n", ",,,\n"])
def test_a_total_above_other_lines_is_left_out_with_them(read_both, end: str) -> None:
    for skipped in (0, 1):
        frame, notes = read_both(f"{WORDS}Total,,9,14\n{end}", skip_last=skipped)
        assert len(frame) == 4
        assert notes.endswith("by `skip_last: 2` (--skip-last 2)")
    frame, notes = read_both(f"{WORDS}Total,,9,14\n{end}", skip_last=2)
    assert len(frame) == 3
    assert "leave it out" not in notes


def test_a_total_that_is_a_sum_is_no_data(read_both) -> None:
    frame, notes = read_both(WORDS + "Total,,9,14\n")
    assert len(frame) == 4
    said = (
        "the last row, Total, has the sum of `n` and is not data: leave it out by `skip_last: 1` "
        "(--skip-last 1)"
    )
    assert notes.endswith(said)


@pytest.mark.parametrize(
    "text",
    [
        "Totally,d,9,12\n",
        "Total,d,9,12\nLima,d,1,2\n",
        "Total,d,9,12\nTotal,e,9,12\n",
        "x,Total,9,1\n",
    ],
)
def test_other_rows_are_no_totals(read_both, text: str) -> None:
    assert "skip_last" not in read_both(WORDS + text)[1]


@pytest.mark.parametrize(
    ("below", "skipped", "said"),
    [
        ("Total,,9,12\n", 1, "1 row at the end by `skip_last`: Total,,9,12"),
        ("\n\nTotal,,9,12\n\nSource: x, y, z, w, v\n\n", 2, "Total,,9,12; Source: x, y"),
        ("one, two, three, four, five, six", 1, "one, two"),
    ],
)
def test_the_last_lines_are_left_out_as_told(
    read_both, below: str, skipped: int, said: str
) -> None:
    frame, notes = read_both(WORDS + below, skip_last=skipped)
    assert frame["n"].tolist() == [1, 3, 5]
    assert said in notes


def test_the_last_lines_of_a_long_file_are_left_out(read_both) -> None:
    frame, notes = read_both("a,b\n" + "1000,2000\n" * 120_000 + "Total,1\n\n", skip_last=1)
    assert (len(frame), frame["a"].max()) == (120_000, 1000)
    assert "ignored 1 row at the end by `skip_last`: Total,1" in notes


def test_a_table_may_be_left_out_whole(read_both) -> None:
    with pytest.raises(DataError, match="the file has no rows; see `skip_last`"):
        read_both("a,b\n1,2\n", skip_last=2)


def test_blank_lines_do_not_count_among_the_last() -> None:
    last: list[str] = []
    assert [*without_last(["a\n", "\n", "b\n", " \n", "c"], 2, last)] == ["a\n"]
    assert last == ["\n", "b\n", " \n", "c"]
