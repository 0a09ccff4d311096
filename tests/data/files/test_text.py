from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.grid import Grid
from bpcli.data.files.text import TableText, comments_in, first_lines, open_text
from bpcli.errors import DataError

TEXT = "a,b\r\n1,ä\n3,4\n"
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "t.csv": lambda data: data,
    "t.csv.gz": gzip.compress,
    "t.csv.bz2": bz2.compress,
    "t.csv.XZ": lzma.compress,
}


def zipped(path: Path, *names: str) -> Path:
    with ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return path


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_the_text_of_a_file_packed_or_not(tmp_path: Path, name: str, encoding: str) -> None:
    path = tmp_path / name
    path.write_bytes(PACKERS[name](TEXT.encode(encoding)))
    assert first_lines(path, encoding, None) == TEXT.splitlines(keepends=True)
    with open_text(path, encoding, skip=1) as text:
        assert text.read() == "1,ä\n3,4\n"


def test_the_only_file_of_an_archive(tmp_path: Path) -> None:
    path = zipped(tmp_path / "t.zip", "folder/", "folder/t.csv")
    assert first_lines(path, "utf-8", None) == TEXT.splitlines(keepends=True)
    for count in (0, 2):
        path = zipped(tmp_path / f"{count}.zip", *"ab"[:count])
        with pytest.raises(
            DataError, match=f"the archive contains {count} files, expected one table"
        ):
            first_lines(path, "utf-8", None)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zip"])
def test_a_damaged_archive_is_one_sentence(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    packed = PACKERS.get(f"t.csv{suffix}", gzip.compress)(TEXT.encode() * 100)
    broken = packed[:10] + b"\xff" * 20 + packed[30:]
    for content in (b"no archive at all", packed[: len(packed) // 2], broken):
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"^this is not a \{suffix} file, or it is damaged: "):
            first_lines(path, "latin-1", None)


def test_an_encrypted_archive_is_one_sentence(tmp_path: Path) -> None:
    path = zipped(tmp_path / "t.zip", "t.csv")
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="encrypted"):
        first_lines(path, "utf-8", None)


def test_a_file_that_is_not_there_stays_that(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        first_lines(tmp_path / "t.csv", "utf-8", None)


def test_the_first_megabyte_is_looked_at_in_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    line = "x" * 99 + "\n"
    path.write_text(line * 20_000)
    lines = first_lines(path, "utf-8", None)
    assert set(lines) == {line}
    assert 2**20 <= sum(map(len, lines)) < 2**20 + 2 * len(line)


@given(
    st.lists(st.sampled_from(["1,2\n", "# no\n", "  # no\n", "1 # yes\n", "\n"])),
    st.integers(1, 9),
)
def test_a_text_without_comments_is_the_same_in_pieces(lines: list[str], size: int) -> None:
    rows = [line for line in lines if not line.strip().startswith("#")]
    assert list(TableText(io.StringIO("".join(lines)), "#")) == rows
    assert TableText(io.StringIO("".join(lines)), "#").read() == "".join(rows)
    text = TableText(io.StringIO("".join(lines)), "#")
    pieces = list(iter(lambda: text.read(size), ""))
    assert "".join(pieces) == "".join(rows)
    assert all(len(piece) < size + 8 for piece in pieces)


def test_comments_between_rows_are_counted_and_none_is_within_quotes() -> None:
    lines = [
        '1,"x\n',
        "# in a cell\n",
        'y"\n',
        "# one\n",
        '3" pipe,2\n',
        "# two\n",
        '"a ""b""",1\n',
    ]
    text = TableText(io.StringIO("".join(lines)), "#", '"')
    assert text.read() == "".join(line for line in lines if line not in ("# one\n", "# two\n"))
    assert text.comments == 2


@pytest.mark.parametrize("end", ["\x1a", "\n\x1a", "\n\x1a\n"])
def test_the_sign_by_which_dos_ends_a_file_is_left_out(tmp_path: Path, end: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2" + end)
    frame, _ = read(layout_of(path, Dialect()))
    assert frame.to_numpy().tolist() == [[1, 2]]


def test_what_macos_adds_to_an_archive_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("t.csv", TEXT)
        archive.writestr("__MACOSX/._t.csv", b"\0")
    assert first_lines(path, "utf-8", None) == TEXT.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("line", "is_open"),
    [
        ('1,"x', True),
        ('1,"x"', False),
        ('"a ""b""', True),
        ('"a ""b"""', False),
        ('3" pipe,2', False),
        ('"x","y', True),
        ("", False),
    ],
)
def test_a_comment_is_none_where_quotes_are_open(line: str, is_open: bool) -> None:
    lines = [line + "\n", "# x\n"]
    assert [is_one for _, is_one in comments_in(lines, "#", '"')] == [False, not is_open]


def test_lines_of_spaces_and_quotes_take_no_time() -> None:
    lines = [" " * 500_000 + '"x\n', '"x" y' * 100_000 + "\n", '""' * 300_000 + "\n"]
    assert len(list(comments_in(lines, "#", '"'))) == 3
    for separator in (",", "whitespace"):
        assert Grid.of(lines, separator, '"').misquoted <= 1
