"""The names beside an array may come from a stranger."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bpcli.data.files.sidecar import Sidecar, read_sidecar
from bpcli.errors import DataError

DOCUMENT: dict[str, Any] = {
    "schema": 1,
    "rows": 3,
    "columns": ["a", "b=\n", "y"],
    "targets": ["y"],
    "classes": [{"target": "y", "names": ["no", "yes"]}],
    "dtype": "float64",
    "source": {"name": "t.csv", "size": 10, "modified_ns": 5},
    "dialect": {"encoding": "utf-8", "header": True},
    "notes": ["a note"],
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    about = Sidecar.model_validate(DOCUMENT)
    (tmp_path / "t.npy.json").write_bytes(about.to_bytes())
    assert read_sidecar(tmp_path / "t.npy", (3, 3)) == about
    assert json.loads(about.to_bytes()) == DOCUMENT
    assert about.names_of == {"y": ("no", "yes")}


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (3,), (3, 3, 1)])
def test_it_must_fit_the_array(tmp_path: Path, shape: tuple[int, ...]) -> None:
    (tmp_path / "t.npy.json").write_text(json.dumps(DOCUMENT))
    with pytest.raises(DataError, match=r"t.npy.json describes 3 rows of 3 columns, but t.npy has"):
        read_sidecar(tmp_path / "t.npy", shape)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 2}, "see schema"),
        ({"rows": -1}, "see rows"),
        ({"rows": True}, "see rows"),
        ({"columns": []}, "see columns"),
        ({"columns": ["a", "a", "y"]}, "`columns` contains a name twice"),
        ({"columns": ["a", "b", "z"]}, "`y` is used as a target, but is not listed"),
        ({"targets": ["y", "y"]}, "`targets` contains a name twice"),
        ({"targets": ["a"]}, "`y` is used as a target, but is not listed"),
        (
            {"classes": [{"target": "y", "names": ["p", "p"]}]},
            "`classes of y` contains a name twice",
        ),
        ({"classes": [{"target": "y", "names": []}]}, r"see classes.0.names"),
        ({"classes": [{"target": "y", "names": ["\x1b[2J"]}]}, "control characters"),
        ({"classes": [{"target": "y", "names": [str(i) for i in range(1001)]}]}, "at most 1000"),
        (
            {"targets": ["a", "y"], "classes": [{"target": "y", "names": ["p", "q", "r"]}]},
            "must have two classes each",
        ),
        ({"dtype": "object"}, "see dtype"),
        ({"more": 1}, "see more"),
        ({"source": {"name": "../x\n", "size": 1, "modified_ns": 1}}, "see source.name"),
    ],
)
def test_what_is_wrong_in_it_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    (tmp_path / "t.npy.json").write_text(json.dumps(DOCUMENT | change))
    with pytest.raises(DataError, match=said) as caught:
        read_sidecar(tmp_path / "t.npy", (3, 3))
    assert "t.npy.json is damaged or was not written by bpnet" in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_bytes(b"[" * 100_000),
        lambda path: path.mkdir(),
    ],
)
def test_other_files_are_one_sentence(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "t.npy.json")
    with pytest.raises(DataError, match=r"t\.npy\.json"):
        read_sidecar(tmp_path / "t.npy", (3, 3))


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "t.npy.json").open("wb") as file:
        file.truncate(2**26 + 1)
    with pytest.raises(DataError, match="more than 64 MB"):
        read_sidecar(tmp_path / "t.npy", (3, 3))
