"""Damaged CSV files through the command line: exit code 2 and a sentence, never a traceback."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

FILES = 1000 if os.environ.get("BPNET_FULL") else 110
CONFIG = """\
data: {file: t.csv, task: regression}
network: {layers: [auto, 1], activations: [identity]}
loss: mse
training: {epochs: 1, workers: 1, learning_rate: 1e-300}
"""
Damage = Callable[[np.random.Generator, list[list[str]]], "bytes | list[list[str]]"]


def _a_place(rng: np.random.Generator, rows: list[list[str]]) -> tuple[int, int]:
    """Any field but those of the header."""
    return int(rng.integers(1, len(rows))), int(rng.integers(len(rows[0])))


def ragged(rng: np.random.Generator, rows: list[list[str]]) -> list[list[str]]:
    row, _ = _a_place(rng, rows)
    rows[row] = rows[row] + ["1"] * int(rng.integers(1, 4)) if rng.random() < 0.5 else rows[row][1:]
    return rows


def text_in_numbers(rng: np.random.Generator, rows: list[list[str]]) -> list[list[str]]:
    row, column = _a_place(rng, rows)
    rows[row][column] = str(
        rng.choice(["abc", "1.2.3", "12,5", "<5", "0x1f", "1_000", "€ 5", "1e"])
    )
    if "," in rows[row][column]:
        rows[row][column] = f'"{rows[row][column]}"'
    return rows


def missing(rng: np.random.Generator, rows: list[list[str]]) -> list[list[str]]:
    row, column = _a_place(rng, [fields[:-1] for fields in rows])  # without target, rows are unused
    rows[row][column] = str(rng.choice(["", "?", "NA", "nan", "null"]))
    return rows


def infinite(rng: np.random.Generator, rows: list[list[str]]) -> list[list[str]]:
    row, column = _a_place(rng, rows)
    rows[row][column] = str(rng.choice(["inf", "-inf", "Infinity", "1e999"]))
    return rows


def nul_bytes(rng: np.random.Generator, rows: list[list[str]]) -> bytes:
    text = bytearray(as_bytes(rows))
    for place in rng.integers(0, len(text), 3):
        text[place] = 0
    return bytes(text)


def empty(rng: np.random.Generator, rows: list[list[str]]) -> bytes:
    return bytes(rng.choice([b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b" \n"]))


def header_only(rng: np.random.Generator, rows: list[list[str]]) -> list[list[str]]:
    return rows[:1]


def no_header(rng: np.random.Generator, rows: list[list[str]]) -> list[list[str]]:
    return rows[1:]


def too_wide(rng: np.random.Generator, rows: list[list[str]]) -> bytes:
    width = 100_000 + int(rng.integers(100))
    lines = [",".join(f"c{i}" for i in range(width)), ",".join(["1"] * width)]
    return "\n".join(lines).encode()


def wrong_encoding(rng: np.random.Generator, rows: list[list[str]]) -> bytes:
    row, column = _a_place(rng, rows)
    rows[row][column] = "größe"
    return as_bytes(rows, str(rng.choice(["cp1252", "utf-16", "utf-32-le", "cp037", "utf-7"])))


def open_quote(rng: np.random.Generator, rows: list[list[str]]) -> list[list[str]]:
    row, column = _a_place(rng, rows)
    rows[row][column] = '"' + rows[row][column]
    return rows


def no_text_at_all(rng: np.random.Generator, rows: list[list[str]]) -> bytes:
    return rng.bytes(int(rng.integers(1, 500)))


DAMAGES: list[Damage] = [
    *(ragged, text_in_numbers, missing, infinite, nul_bytes, empty, header_only),
    *(no_header, wrong_encoding, open_quote, no_text_at_all),
]
WITHOUT_ROW = {empty, header_only, no_header, no_text_at_all, wrong_encoding}

EXACT = {text_in_numbers, missing, infinite}


def as_bytes(rows: list[list[str]], encoding: str = "utf-8") -> bytes:
    return "\n".join(",".join(row) for row in rows).encode(encoding)


def a_table(rng: np.random.Generator) -> list[list[str]]:
    width, length = int(rng.integers(2, 8)), int(rng.integers(3, 40))
    numbers = rng.normal(size=(length, width)).round(3).tolist()
    return [[f"c{i}" for i in range(width)], *([str(x) for x in row] for row in numbers)]


def refused(bpnet, content: bytes) -> str:
    Path("t.csv").write_bytes(content)
    Path("c.yaml").write_text(CONFIG)
    done = bpnet("train", "c.yaml", "--quiet")
    assert done.code == 2, (content[:300], done)
    assert "t.csv" in done.err, (content[:300], done.err)
    assert "Traceback" not in done.err
    assert "Internal" not in done.err
    assert len(done.err) < 700, done.err
    return str(done.err)


def test_the_table_is_fine_before_it_is_damaged(bpnet) -> None:
    for seed in range(10):
        Path("t.csv").write_bytes(as_bytes(a_table(np.random.default_rng(seed))))
        Path("c.yaml").write_text(CONFIG)
        assert bpnet("train", "c.yaml", "--quiet").code == 0


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_file_is_refused_in_a_sentence_with_its_place(bpnet, damage: Damage) -> None:
    for number in range(FILES // len(DAMAGES) + 1):
        rng = np.random.default_rng([number, DAMAGES.index(damage)])
        whole = a_table(rng)
        damaged = damage(rng, [list(row) for row in whole])
        said = refused(bpnet, damaged if isinstance(damaged, bytes) else as_bytes(damaged))
        if damage not in WITHOUT_ROW:
            assert re.search(r"\b(row|line) \d+", said), said
        if damage in EXACT:
            (row,) = (i for i, fields in enumerate(whole) if fields != damaged[i])
            assert f", row {row}: " in said


def test_a_table_of_a_hundred_thousand_columns_is_refused(bpnet) -> None:
    for seed in range(20 if os.environ.get("BPNET_FULL") else 1):
        assert "columns" in refused(bpnet, too_wide(np.random.default_rng(seed), []))


def test_what_is_no_file_is_refused(bpnet, tmp_path: Path) -> None:
    Path("c.yaml").write_text(CONFIG)
    assert "there is no file" in bpnet("train", "c.yaml").err
    Path("t.csv").mkdir()
    assert "is a folder" in bpnet("train", "c.yaml").err
    Path("t.csv").rmdir()
    os.mkfifo("t.csv")  # opening it would wait for ever
    done = bpnet("train", "c.yaml")
    assert done.code == 2
    assert "is not a regular file" in done.err


def test_a_file_that_may_not_be_read_is_refused(bpnet, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("c.yaml").write_text(CONFIG)
    Path("t.csv").write_text("a,b\n1,2\n")
    may_open = Path.open

    def refuse(path: Path, *mode: str, **options: object) -> object:
        if path.name == "t.csv":  # the superuser may read everything, whatever the mode
            raise PermissionError(13, "Permission denied", str(path))
        return may_open(path, *mode, **options)

    monkeypatch.setattr(Path, "open", refuse)
    done = bpnet("train", "c.yaml")
    assert done.code == 2
    assert "cannot be read: Permission denied" in done.err
