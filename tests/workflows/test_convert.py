"""A conversion from its command to the array: killed, resumed, refused, and trained on."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bpcli.config.load import config_of
from bpcli.data.conversion import pieces, rows, store
from bpcli.data.conversion.table import Choices, Gaps
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.look import layout_as_asked
from bpcli.data.files.sidecar import read_sidecar
from bpcli.errors import BpnetError, ConfigError, DataError, Interrupted, RunError
from bpcli.experiment import build
from bpcli.runs import files
from bpcli.terminal.progress.conversion import SilentConversion
from bpcli.workflows import conversion_reading
from bpcli.workflows import convert as module
from bpcli.workflows.conversion_reading import Request
from bpcli.workflows.convert import Conversion, convert
from bpcli.workflows.in_memory import fit

PIECES = 12


class Notes(SilentConversion):
    """Remembers notes and the rows read; calls `act` after each piece."""

    def __init__(self, act: Callable[[int], None] = lambda _: None) -> None:
        self.notes: list[str] = []
        self.rows: list[int] = []
        self._act = act

    def note(self, text: str) -> None:
        self.notes.append(text)

    def read(self, done: int, total: int, rows: int) -> None:
        self.rows.append(rows)
        self._act(len(self.rows))


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for changed in (pieces, rows):
        monkeypatch.setattr(changed, "SIZE", 400)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table with numbers, gaps, a late category, quotes and classes, in a dozen pieces."""
    path = tmp_path / "t.csv"
    lines = [
        f'{i / 7:.6f},{"late" if i > 280 else "abc"[i % 3]},"{i % 2}\n,x",{i % 5},{"pq"[i % 2]}'
        for i in range(300)
    ]
    path.write_text("\n".join(["a,b,c,d,y", *lines]) + "\n")
    return path


def request_of(table: Path, name: str = "t.npy", **options: object) -> Request:
    return Request(table, table.with_name(name), **options)  # type: ignore[arg-type]


def whole(table: Path) -> bytes:
    """The bytes of a conversion that nothing interrupted."""
    convert(request_of(table, "whole.npy"), SilentConversion())
    return table.with_name("whole.npy").read_bytes()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if "whole" not in path.name}


# Going on.


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it kills a process")
@pytest.mark.parametrize("killed_after", [1, 2, 7])
def test_a_killed_conversion_goes_on_and_gives_the_same_bytes(
    table: Path, killed_after: int
) -> None:
    expected = whole(table)
    child = os.fork()
    if not child:
        kill = lambda piece: piece == killed_after and os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
        convert(request_of(table), Notes(kill))  # type: ignore[arg-type]
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert names(table.parent) == {
        "t.csv", "t.npy.partial.cells", "t.npy.partial.journal", "t.npy.partial.lock",
    }  # fmt: skip
    seen = Notes()
    convert(request_of(table), seen)
    assert seen.notes[-1].startswith("continues after row ")
    assert seen.rows[0] > 17 * killed_after, "the rows before are not read again"
    assert table.with_name("t.npy").read_bytes() == expected
    assert names(table.parent) == {"t.csv", "t.npy", "t.npy.json"}


class Stop(Exception):
    """Ends a conversion at once, as nothing that it expects."""


def stop_after(count: int) -> Callable[[int], None]:
    def act(piece: int) -> None:
        if piece == count:
            raise Stop

    return act


def stopped(table: Path, after: int = 5) -> None:
    with pytest.raises(Stop):
        convert(request_of(table), Notes(stop_after(after)))


def resumed(table: Path, **options: object) -> Notes:
    seen = Notes()
    convert(request_of(table, **options), seen)
    return seen


def test_torn_files_count_up_to_their_last_whole_piece(table: Path) -> None:
    expected = whole(table)
    cells, journal = (table.with_name(f"t.npy.partial.{each}") for each in ("cells", "journal"))
    for damage in (
        lambda: journal.write_bytes(journal.read_bytes()[:-30]),
        lambda: journal.write_bytes(journal.read_bytes() + b'{"size": 1'),
        lambda: cells.write_bytes(cells.read_bytes()[:-1]),
        lambda: cells.write_bytes(cells.read_bytes() + b"more"),
        lambda: cells.write_bytes(cells.read_bytes()[:-9] + b"123456789"),
    ):
        stopped(table)
        damage()
        seen = resumed(table)
        assert any(note.startswith("continues after row ") for note in seen.notes)
        assert table.with_name("t.npy").read_bytes() == expected
        table.with_name("t.npy").unlink()
        table.with_name("t.npy.json").unlink()


@pytest.mark.parametrize("content", [b"", b"no JSON\n", b"[]\n", b'{"schema": 1}\n', b"1\n"])
def test_a_journal_of_something_else_is_not_used(table: Path, content: bytes) -> None:
    expected = whole(table)
    stopped(table)
    table.with_name("t.npy.partial.journal").write_bytes(content)
    assert any(note.startswith("starts over: ") for note in resumed(table).notes)
    assert table.with_name("t.npy").read_bytes() == expected


def test_another_table_or_other_options_begin_anew(table: Path) -> None:
    for change in ({"targets": ["d"]}, {"inputs": ["!a"]}, {"signs": {"missing": ["late"]}}):
        stopped(table)
        seen = resumed(table, overwrites=True, choices=Choices(fill="median"), **change)
        assert any(note.startswith("starts over: ") for note in seen.notes), change
        stopped_again = table.with_name("t.npy")
        stopped_again.unlink()
        table.with_name("t.npy.json").unlink()
    stopped(table)
    table.write_text(table.read_text() + "1,a,b,2,p\n")
    assert any(note.startswith("starts over: ") for note in resumed(table).notes)
    assert len(np.load(table.with_name("t.npy"))) == 301


def test_a_column_that_surprises_after_an_interruption_is_read_again(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,y\n" + "".join(f"{'x' if i > 240 else i % 3},{i}\n" for i in range(300)))
    expected = whole(table)
    for after in (1, 2, 4):
        stopped(table, after)
        resumed(table)
        assert table.with_name("t.npy").read_bytes() == expected
        table.with_name("t.npy").unlink()
        table.with_name("t.npy.json").unlink()


def test_ctrl_c_says_how_to_go_on(table: Path) -> None:
    interrupt = Notes(lambda piece: signal.raise_signal(signal.SIGINT) if piece == 3 else None)
    with pytest.raises(Interrupted, match="Repeat the command") as caught:
        convert(request_of(table), interrupt)
    assert caught.value.signal_number == signal.SIGINT
    assert len(interrupt.rows) == 3
    assert resumed(table).rows[0] > interrupt.rows[-1]


def test_a_full_disk_keeps_what_was_read(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, write, count = whole(table), os.write, 0

    def full(handle: int, content: bytes) -> int:
        nonlocal count
        count += 1
        if count > 9:
            write(handle, bytes(content[:7]))  # what still fitted
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, content)

    monkeypatch.setattr(files.os, "write", full)
    with pytest.raises(RunError, match="No space left") as caught:
        convert(request_of(table), SilentConversion())
    assert "repeat the command to continue" in caught.value.full_text
    assert not table.with_name("t.npy").exists()
    monkeypatch.undo()
    resumed(table)
    assert table.with_name("t.npy").read_bytes() == expected


def test_a_disk_that_is_full_at_the_end_too(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = whole(table)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Full(SilentConversion):
        def written(self, rows: int, total: int) -> None:
            monkeypatch.setattr(module.system, "sync_file", full)

    with pytest.raises(RunError, match="could not be"):
        convert(request_of(table), Full())
    monkeypatch.undo()
    assert names(table.parent) == {"t.csv", "t.npy.partial.cells", "t.npy.partial.journal"}
    assert resumed(table).rows == [], "all rows were read"
    assert table.with_name("t.npy").read_bytes() == expected


def test_an_old_array_is_never_beside_new_names(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert(request_of(table, targets=["d"]), SilentConversion())

    def killed(*_: object) -> None:
        raise Stop

    class Killed(SilentConversion):
        def written(self, rows: int, total: int) -> None:
            monkeypatch.setattr(module.system, "sync_folder", killed)  # after the names are there

    with pytest.raises(Stop):
        convert(request_of(table, overwrites=True), Killed())
    monkeypatch.undo()
    assert "t.npy" not in names(table.parent)
    seen = resumed(table, overwrites=True)
    assert table.with_name("t.npy").read_bytes() == whole(table)
    assert seen.notes


def test_two_conversions_to_one_file_are_refused(table: Path) -> None:
    def other(piece: int) -> None:
        if piece == 1:
            with pytest.raises(RunError, match="is being written by process"):
                convert(request_of(table), SilentConversion())

    convert(request_of(table), Notes(other))
    assert table.with_name("t.npy").read_bytes() == whole(table)


# Missing values.


def with_gaps(tmp_path: Path) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(
        "a,b,c,y\n" + "".join(
            f"{'' if i % 10 == 3 else i},{'' if i % 7 == 0 else 'pq'[i % 5 == 0]},"
            f"{'' if i == 5 else i % 3 == 0},{'' if i == 50 else i}\n"
            for i in range(60)
        )
    )  # fmt: skip
    return path


def test_gaps_are_refused_counted_and_then_filled_without_reading_again(tmp_path: Path) -> None:
    table = with_gaps(tmp_path)
    with pytest.raises(Gaps, match=r"16 missing values: `b` \(9\), `a` \(6\), `c` \(1\)") as caught:
        convert(request_of(table), SilentConversion())
    assert "--fill median" in str(caught.value)
    assert "t.npy.partial.cells" in caught.value.full_text
    seen = resumed(table, choices=Choices(fill="mean", indicator=True))
    assert seen.rows == []
    assert seen.notes[-2:] == [
        "left out 1 row without a value of `y`",
        "filled 16 missing values: `b` (9, by p), `a` (6, by 29.283), `c` (1, by false)",
    ]
    array = np.load(tmp_path / "t.npy")
    about = json.loads((tmp_path / "t.npy.json").read_text())
    assert about["columns"] == ["a", "a missing", "b=p", "b=q", "b missing", "c", "c missing", "y"]
    known = [i for i in range(60) if i % 10 != 3 and i != 50]
    assert array[3].tolist() == [np.mean(known), 1, 1, 0, 0, 1, 0, 3]
    assert array[5].tolist() == [5, 0, 0, 1, 0, 0, 1, 5]
    assert array[7].tolist() == [7, 0, 1, 0, 1, 0, 0, 7]
    assert len(array) == 59


@pytest.mark.parametrize(("fill", "value"), [("median", 29.0), ("zero", 0.0)])
def test_other_fills(tmp_path: Path, fill: str, value: float) -> None:
    table = with_gaps(tmp_path)
    done = convert(request_of(table, choices=Choices(fill=fill)), SilentConversion())  # type: ignore[arg-type]
    known = [i for i in range(60) if i % 10 != 3 and i != 50]
    assert value == (np.median(known) if fill == "median" else 0)
    assert np.load(tmp_path / "t.npy")[3, 0] == value
    assert done.to_json()["filled"]["a"] == {"values": 6, "by": f"{value:g}"}


def test_rows_with_gaps_can_be_left_out(tmp_path: Path) -> None:
    done = convert(
        request_of(with_gaps(tmp_path), choices=Choices(drop_missing=True)), SilentConversion()
    )
    kept = [i for i in range(60) if i % 10 != 3 and i % 7 and i not in (5, 50)]
    assert np.load(tmp_path / "t.npy")[:, 0].tolist() == kept
    assert done.to_json()["left_out"] == {
        "without_target": 1, "with_missing_values": 59 - len(kept),
    }  # fmt: skip


def test_a_column_without_a_value_cannot_be_filled(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b,y\n1,,2\n2,,3\n")
    with pytest.raises(DataError, match="column `b` has no value in any row"):
        convert(request_of(table, choices=Choices(fill="zero")), SilentConversion())
    with pytest.raises(DataError, match="every row has a missing value"):
        convert(request_of(table, choices=Choices(drop_missing=True)), SilentConversion())
    assert names(tmp_path) == {"t.csv", "t.npy.partial.cells", "t.npy.partial.journal"}


# Numbers and targets.


def dtype_of(tmp_path: Path, *numbers: object, **options: object) -> Conversion:
    table = tmp_path / "t.csv"
    table.write_text("a,y\n" + "".join(f"{each},{i}\n" for i, each in enumerate(numbers)))
    choices = Choices(**options)  # type: ignore[arg-type]
    return convert(request_of(table, choices=choices, overwrites=True), SilentConversion())


def test_float32_is_chosen_where_it_loses_nothing(tmp_path: Path) -> None:
    assert dtype_of(tmp_path, 1, 0.5, 2**24).table.dtype == "float32"
    assert dtype_of(tmp_path, 1, 0.5, 2**24 + 1).table.dtype == "float64"
    assert dtype_of(tmp_path, 1, 0.1).table.dtype == "float64"
    assert dtype_of(tmp_path, "$1", "$0.5").table.dtype == "float32"
    assert dtype_of(tmp_path, "$1", "$0.1").table.dtype == "float64"
    assert dtype_of(tmp_path, 1, "", 2, 4, fill="mean").table.dtype == "float64", "7/3"


def test_what_float32_cannot_hold_is_counted_or_refused(tmp_path: Path) -> None:
    done = dtype_of(tmp_path, 0.1, 3, 1e-42, -1.1e-44, dtype="float32")
    assert done.inexact == {"a": 2}
    assert done.notes[-1] == (
        "2 numbers in `a` change by more than 1e-7 of their size as float32: --dtype float64 keeps "
        "them"
    )
    with pytest.raises(DataError, match="row 2: float32 cannot represent 1e"):
        dtype_of(tmp_path, 1, 1e39, dtype="float32")
    assert not (tmp_path / "t.npy.partial").exists()
    assert resumed(tmp_path / "t.csv", overwrites=True).rows == [], "nothing is read again"


def test_several_targets_are_numbers_or_labels(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "a,p,q,r\n" + "".join(f"{i},{i * 2},{['no', 'yes'][i % 2]},{i % 3 > 0}\n" for i in range(9))
    )
    done = convert(request_of(table, targets=["q", "r"]), SilentConversion())
    assert done.to_json()["classes"] == {"q": ("no", "yes"), "r": ("false", "true")}
    assert np.load(tmp_path / "t.npy")[1:3].tolist() == [[1, 2, 1, 1], [2, 4, 0, 1]]
    with pytest.raises(DataError, match="`p` contains numbers"):
        convert(request_of(table, targets=["p", "q"], overwrites=True), SilentConversion())


def test_points_that_may_separate_thousands_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a;b;y\n" + "".join(f"{i};{i};{i}\n" for i in range(99)))
    found = layout_as_asked(table, Dialect())
    assert found.is_sign_open
    with table.open("a") as file:  # far below what is examined first
        file.write("1.234;1.2345;7\n2.345;2.345;7\n")
    monkeypatch.setattr(conversion_reading, "layout_as_asked", lambda *_: found)
    notes = resumed(table).notes
    (said,) = (note for note in notes if "1.234" in note)
    assert said == (
        "t.csv: the '.' in numbers such as 1.234 of column `a` is read as a decimal sign; if it "
        "separates thousands, set `thousands`"
    )
    assert not any("`b`" in note for note in notes)


# Files.


def test_paths_that_cannot_be_used(table: Path) -> None:
    def refused(match: str, request: Request, error: type[BpnetError] = ConfigError) -> None:
        with pytest.raises(error, match=match):
            convert(request, SilentConversion())

    refused("expected a name that ends in .npy", request_of(table, "t.csv"))
    refused("there is no file", request_of(table.with_name("no.csv")), DataError)
    refused("could not be", Request(table, table.parent / "no" / "t.npy"), RunError)
    table.with_name("t.npy").mkdir()
    refused("not a regular file", request_of(table))
    table.with_name("b.npy").hardlink_to(table)
    refused("is the table itself", request_of(table, "b.npy"))
    refused("already contains arrays", Request(table.with_name("b.npy"), table.with_name("c.npy")))
    table.with_name("t.arff").write_text("@relation a\n@attribute a numeric\n@data\n1\n")
    refused("save it as CSV", request_of(table.with_name("t.arff"), "d.npy"))
    whole(table)
    refused("exists; --force overwrites", request_of(table, "whole.npy"))
    convert(request_of(table, "whole.npy", overwrites=True), SilentConversion())


def test_parquet_without_pyarrow_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"pip install \"bpcli\[parquet\]\""):
        convert(request_of(tmp_path / "t.parquet"), SilentConversion())
    assert names(tmp_path) == {"t.parquet"}


def test_the_memory_does_not_grow_with_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for changed in (pieces, rows):
        monkeypatch.setattr(changed, "SIZE", 2**15)
    monkeypatch.setattr(store, "_VALUES_AT_ONCE", 2**12)

    def peak(count: int) -> int:
        table = tmp_path / f"{count}.csv"
        with table.open("w") as file:
            file.write("a,b,c,y\n")
            file.writelines(
                f"{i / 7},{'' if i % 9 == 0 else i},{'pq'[i % 2]},{i}\n" for i in range(count)
            )
        request = request_of(table, f"{count}.npy", choices=Choices(fill="mean"))
        tracemalloc.start()
        convert(request, SilentConversion())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)  # what is imported and cached
    few, many = peak(40_000), peak(100_000)  # more than is examined first
    assert many < few + 2**19, (few, many)


# Training.


@pytest.mark.parametrize("columns", ["numbers", "categories"])
def test_training_on_the_array_gives_the_weights_of_training_on_the_table(
    tmp_path: Path, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    is_text = columns == "categories"
    rows = (
        f"{i * i % 17 / 7},{'rgb'[i % 3] if is_text else i % 11},{i % 2 == 0},"
        f"{'xyz'[i * i % 7 % 3] if is_text else i % 5 / 3}\n"
        for i in range(60)
    )
    Path("t.csv").write_text("a,b,c,y\n" + "".join(rows))
    convert(Request(Path("t.csv"), Path("t.npy")), SilentConversion())
    weights = []
    for file in ("t.csv", "t.npy"):
        for scale in ("none", "standard"):
            config = {
                "name": "t",
                "data": {
                    "file": file,
                    "split": {"order": "time", "train": 0.7, "val": 0.3},
                    "scale": {"inputs": scale},
                },
                "network": {
                    "layers": ["auto", 5, "auto"],
                    "activations": ["tanh", "softmax" if is_text else "identity"],
                },
                "loss": "cross_entropy" if is_text else "mse",
                "training": {"epochs": 20},
            }
            experiment = build(config_of(config, name="t"))
            assert experiment.table.class_names == (("x", "y", "z") if is_text else ())
            weights.append(fit(experiment).params.tobytes())
    assert weights[:2] == weights[2:]


@pytest.mark.parametrize("name", ["a\x01b.csv", "a\nb.csv", "a\u200bb.csv", "a\udcff.csv"])
@pytest.mark.skipif(sys.platform == "win32", reason="such names are not possible there")
def test_the_name_of_the_table_may_have_any_characters(tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    source.write_text("x,y\n" + "".join(f"{row},{2 * row}\n" for row in range(9)))
    done = convert(Request(source, tmp_path / "t.npy"), Notes())
    assert done.table.rows == 9
    recorded = json.loads((tmp_path / "t.npy.json").read_text())["source"]["name"]
    assert recorded.isprintable()
    assert recorded.endswith(".csv")


def with_long_texts(path: Path, name: str, text: str) -> Path:
    """A table with a long name of a column, a long category, and a long class."""
    rows = (f"{row},{text if row % 2 else 'v'},{text if row % 3 else 'w'}\n" for row in range(30))
    path.write_text(f"{name},b,y\n{''.join(rows)}")
    return path


def test_names_and_categories_may_be_long(tmp_path: Path) -> None:
    source = with_long_texts(tmp_path / "t.csv", "n" * 20_000, "u" * 20_000)
    done = convert(Request(source, tmp_path / "t.npy", targets=["y"]), Notes())
    assert read_sidecar(tmp_path / "t.npy", (30, 4)).names_of == {"y": ("u" * 20_000, "w")}
    assert done.table.names[1] == f"b={'u' * 20_000}"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "n",
            "u" * 100_001,
            r"column `b`, row 2: a text has 100,001 characters, more than the 100",
        ),
        ("n" * 100_001, "u", r"the name of column `n+\.\.\.` has 100,001 characters, more than"),
    ],
)
def test_longer_ones_are_refused_while_they_are_read(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    source, seen = with_long_texts(tmp_path / "t.csv", name, text), Notes()
    with pytest.raises(DataError, match=message):
        convert(Request(source, tmp_path / "t.npy", targets=["y"]), seen)
    assert len(seen.rows) <= 1
    assert [each.name for each in tmp_path.iterdir()] == ["t.csv"]


def test_names_that_need_too_much_together_are_refused(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 300)
    with pytest.raises(
        DataError, match=r"the names of \d+ columns need 0 MB, more than the 0 allow"
    ):
        convert(Request(table, table.with_suffix(".npy"), choices=Choices("mean")), Notes())
    assert [each.name for each in table.parent.iterdir()] == [table.name]


def test_whole_numbers_that_double_precision_changes_are_counted(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    rows = (f"{row % 7},{2**53 + row},{2**52 + row},{row / 8}\n" for row in range(200))
    source.write_text(f"a,id,small,y\n{''.join(rows)}")
    request, notes = Request(source, tmp_path / "t.npy"), Notes()
    stopping = Notes(lambda piece: os.kill(os.getpid(), signal.SIGINT) if piece == 3 else None)
    with pytest.raises(Interrupted):
        convert(request, stopping)
    convert(request, notes)
    assert any(
        "cannot represent 100 whole numbers in `id` exactly: they are rounded" in n
        for n in notes.notes
    )
    as_codes = Request(source, tmp_path / "c.npy", categories=["id"])
    assert len({*convert(as_codes, Notes()).table.names}) == 203


def test_whole_numbers_beside_missing_ones_are_counted_too(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    from pyarrow import parquet

    whole = pa.array([None, *range(2**60, 2**60 + 29)])
    columns = {"id": whole, "n": pa.array([None, *range(29)]), "y": pa.array(np.arange(30.0))}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    notes = Notes()
    done = convert(
        Request(tmp_path / "t.parquet", tmp_path / "t.npy", choices=Choices("median")), notes
    )
    assert any("cannot represent 28 whole numbers in `id`" in note for note in notes.notes)
    assert done.table.names == ("id", "n", "y")
