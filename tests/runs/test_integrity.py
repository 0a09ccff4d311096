"""Run folders that were damaged, swapped or made to do harm: refused in one clear sentence."""

from __future__ import annotations

import copy
import functools
import io
import json
import math
import os
import pickle
import random
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Result
from confused import places
from tampered import change_arrays, change_record, record_of, vouch, vouch_for_all

from bpcli.runs.files import file_digest, temporary_name
from bpcli.runs.layout import LOCK, METRICS, PATH, RECORD, RESOLVED, SPLIT, WEIGHTS
from bpcli.runs.sealed import write_sealed
from bpcli.runs.store import Run

Bpnet = Callable[..., Result]
READERS = (
    ("eval", "latest"),
    ("predict", "latest"),
    ("export", "latest", "--to", "json", "--force"),
    ("plot", "latest", "loss"),
    ("train", "--resume", "latest", "--set", "training.epochs=9", "--quiet"),
    ("verify", "latest"),
)


NEXT = [temporary_name(Path(file)).name for file in (RECORD, "tags.json")]
"""Where this process will write before it replaces the files."""
NEXT_NAMED = [pytest.param(name, id=f"next {i}") for i, name in enumerate(NEXT)]
"""Without the number of the process, which differs between processes that share the tests."""


@pytest.fixture
def run(bpnet: Bpnet) -> Run:
    config = ROOT / "configs" / "plane.yaml"
    fast = ("--set", "training.epochs=6", "--set", "training.record_params=true")
    return Run(Path("runs", bpnet("train", config, *fast, "--quiet").out.strip()))


def outcomes(bpnet: Bpnet) -> list[Result]:
    """What each command that reads a run makes of it."""
    return [bpnet(*arguments) for arguments in READERS]


def assert_refused(result: Result, *words: str) -> None:
    assert result.code == 2, result
    assert "Traceback" not in result.err
    assert "\x1b" not in result.err
    for word in words:
        assert word in result.err


def test_the_record_has_the_digest_of_every_file(run: Run) -> None:
    files = {path.name for path in run.folder.iterdir() if not path.name.startswith((".", "ch"))}
    assert set(run.record().sha256) == files - {RECORD, "lock"}
    for file, digest in run.record().sha256.items():
        assert digest == file_digest(run.path(file))


@pytest.mark.parametrize("file", [WEIGHTS, RESOLVED, METRICS, PATH])
def test_a_changed_file_is_noticed_wherever_it_is_read(file: str, run: Run) -> None:
    content = bytearray(run.path(file).read_bytes())
    content[len(content) // 2] ^= 1
    run.path(file).write_bytes(content)
    with pytest.raises(
        Exception, match=f"{file} is damaged: its digest is not the one in run.json"
    ):
        run.checked(file)


def test_commands_refuse_changed_weights(run: Run, bpnet: Bpnet) -> None:
    content = bytearray(run.path(WEIGHTS).read_bytes())
    content[-1] ^= 1
    run.path(WEIGHTS).write_bytes(content)
    for command in ("eval", "predict", "verify"):
        assert_refused(bpnet(command, "latest"), "weights.safetensors is damaged")


def test_commands_refuse_a_changed_config(run: Run, bpnet: Bpnet) -> None:
    text = run.path(RESOLVED).read_text()
    run.path(RESOLVED).write_text(text.replace("seed: 0", "seed: 1"))
    for arguments in READERS:
        if arguments[0] != "plot":  # the log alone is enough for a curve
            assert_refused(bpnet(*arguments), "resolved.yaml is damaged")


def test_a_log_that_somebody_changed_is_not_taken_further(run: Run, bpnet: Bpnet) -> None:
    text = run.path(METRICS).read_text()
    run.path(METRICS).write_text(text.replace('"epoch": 3', '"epoch": 4'))
    on = ("--set", "training.epochs=9")
    refused = bpnet("train", "--resume", "latest", *on)
    assert_refused(refused, "does not match metrics.jsonl, which was changed or truncated later")


def test_a_damaged_checkpoint_is_said_even_where_nothing_else_is(run: Run, bpnet: Bpnet) -> None:
    on = ("--set", "training.epochs=9", "--set", "training.checkpoint_every=1")
    assert bpnet("train", "--resume", "latest", *on, "--quiet").err == ""
    newest = run.path("checkpoint-9.safetensors")
    newest.write_bytes(newest.read_bytes()[:-1])
    result = bpnet("train", "--resume", "latest", "--set", "training.epochs=12", "--quiet")
    assert (result.code, result.out) == (0, f"{run.run_id}\n")
    assert result.err.startswith("warning: ")
    assert "checkpoint-9.safetensors is damaged" in result.err


def test_files_of_another_run_are_noticed(run: Run, bpnet: Bpnet) -> None:
    config = ROOT / "configs" / "plane.yaml"
    other = bpnet("train", config, "--set", "training.epochs=6", "--set", "seed=1", "--quiet").out
    for file in (RESOLVED, WEIGHTS):  # the weights are looked at first
        shutil.copy(Path("runs", other.strip(), file), run.path(file))
        assert_refused(bpnet("eval", run.run_id), f"{file} is damaged")


def _absurd_header() -> bytes:
    return struct.pack("<Q", 2**62) + b"{}"


def _deep_header() -> bytes:
    header = b'{"a":' * 10_000
    return struct.pack("<Q", len(header)) + header


def _array_beyond_the_file() -> bytes:
    header = json.dumps(
        {"best.W1": {"dtype": "F64", "shape": [1 << 40], "data_offsets": [0, 1 << 43]}}
    ).encode()
    return struct.pack("<Q", len(header)) + header


def _huge_shape() -> bytes:
    header = json.dumps(
        {"best.W1": {"dtype": "F64", "shape": [1 << 62, 8], "data_offsets": [0, 0]}}
    ).encode()
    return struct.pack("<Q", len(header)) + header


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("harmed",))


@pytest.mark.parametrize(
    "content",
    [b"", _absurd_header(), _deep_header(), _array_beyond_the_file(), _huge_shape(),
     pickle.dumps(_Bomb()), b"\x00" * 4096],
    ids=["empty", "absurd", "deep", "beyond", "huge", "pickle", "zeros"],
)  # fmt: skip
def test_hostile_weights_with_a_right_digest_are_refused(
    content: bytes, run: Run, bpnet: Bpnet
) -> None:
    run.path(WEIGHTS).write_bytes(content)
    vouch(run)
    for command in ("eval", "predict", "verify"):
        assert_refused(bpnet(command, "latest"), "weights.safetensors is damaged")
    assert not Path("harmed").exists()


def _npy(header: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


@pytest.mark.parametrize(
    "content",
    [
        _npy(header)
        for header in (
            b"{'descr': (((\n", b"-" * 5000 + b"\n", b"{[]: 1}\n",
            b"{'descr': (), 'fortran_order': False, 'shape': (1, 3)}\n",
            b"{'descr': '<f8', 'fortran_order': False, 'shape': (2**70, 3)}\n",
            b"{'descr': '<f8', 'fortran_order': False, 'shape': (%d, 3)}\n" % 2**70,
            b"{'descr': '<f8', 'fortran_order': False, 'shape': (-7, 3)}\n",
            b"{'descr': '<f8', 'fortran_order': False, 'shape': (True, 3)}\n",
            b"{'descr': '|O', 'fortran_order': False, 'shape': (1, 3)}\n",
            b"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 4)}\n" + bytes(32),
        )
    ] + [b"PK\x03\x04" + bytes(60)],
)  # fmt: skip
def test_recorded_parameters_of_any_content_are_refused(
    content: bytes, run: Run, bpnet: Bpnet
) -> None:
    run.path(PATH).write_bytes(content)
    vouch_for_all(run)
    assert_refused(bpnet("plot", "latest", "path"), "params_path.npy is damaged")
    assert bpnet("plot", "latest", "--list").code == 0
    assert_refused(bpnet("verify", "latest"), "params_path.npy is damaged")


def _zip(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), content)  # not the time, which is in a test's name
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"PK", b"PK\x05\x06" + bytes(18), _zip("train.npy", b"raw"), _zip("train", b"raw"),
        _zip("train.npy", _npy(b"{'descr': (((\n")),
    ],
)  # fmt: skip
def test_a_split_of_any_content_is_refused(content: bytes, run: Run, bpnet: Bpnet) -> None:
    run.path(SPLIT).write_bytes(content)
    vouch(run)
    assert_refused(bpnet("verify", "latest"), "split.npz is damaged")


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "F8_E5M2"])
def test_weights_of_types_that_bpnet_does_not_write_are_refused(
    dtype: str, run: Run, bpnet: Bpnet
) -> None:
    content = run.path(WEIGHTS).read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + size])
    tensor = header["best.W1"]
    width = {"BF16": 2}.get(dtype, 1)
    begin, end = tensor["data_offsets"]
    header["best.W1"] = tensor | {"dtype": dtype, "shape": [(end - begin) // width]}
    text = json.dumps(header).encode()
    run.path(WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size :])
    vouch(run)
    for command in ("eval", "predict", "verify"):
        assert_refused(bpnet(command, "latest"), "weights.safetensors")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("stopping.progress.losses", np.zeros((2, 2))),
        ("stopping.progress.losses", np.zeros(2, np.complex64)),
        ("stopping.generalization_loss.losses", np.zeros((1, 1))),
        ("stopping.generalization_loss.losses", np.zeros(2)),
        ("stopping.max_fail.start", np.asarray(1, np.complex64)),
        ("stopping.max_fail.is_fresh", np.asarray(1)),
        ("stopping.epochs.now", np.zeros(2)),
        ("params", np.zeros(0)),
        ("state.velocity", np.zeros(1)),
    ],
)
def test_checkpoints_of_other_arrays_are_refused(
    name: str, array: Any, bpnet: Bpnet, tmp_path: Path
) -> None:
    stops = "training.stop={max_fail: 9, generalization_loss: 90, progress: 0.0001}"
    config = ROOT / "configs" / "moons.yaml"
    fast = ("--set", "training.epochs=6", "--set", stops, "--quiet")
    run = Run(Path("runs", bpnet("train", config, *fast).out.strip()))
    (path,) = run.folder.glob("checkpoint-*")
    change_arrays(path, lambda arrays, _: arrays.update({name: array}))
    resumed = bpnet("train", "--resume", "latest", "--set", "training.epochs=9", "--quiet")
    assert_refused(resumed, "checkpoint")


def test_a_checkpoint_of_a_longer_log_is_not_used(run: Run, bpnet: Bpnet) -> None:
    (path,) = run.folder.glob("checkpoint-*")
    whole = file_digest(run.path(METRICS))
    meta = {"log_bytes": 2**36, "log_sha256": whole}
    change_arrays(path, lambda _, known: known.update(meta))
    refused = bpnet("train", "--resume", "latest", "--set", "training.epochs=9")
    assert_refused(refused, "does not match metrics.jsonl")
    assert file_digest(run.path(METRICS)) == whole


def test_a_split_that_unpacks_to_much_more_is_not_unpacked(run: Run, bpnet: Bpnet) -> None:
    with run.path(SPLIT).open("wb") as file:
        np.savez_compressed(file, train=np.zeros(10**7, np.int64))
    vouch(run)
    result = bpnet("verify", "latest")
    assert (result.code, "the size of split.npz" in result.out) == (4, True)


def test_tags_of_a_stranger_stand_for_no_beginning_of_an_id(run: Run, bpnet: Bpnet) -> None:
    write_sealed(run.path("tags.json"), {"tags": [run.run_id[:8], "latest"]})
    assert "tags.json is damaged" in bpnet("runs", "list").err
    assert bpnet("eval", run.run_id[:8]).code == 0


def test_a_run_that_cannot_be_deleted_is_listed_still(
    run: Run, bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("bpcli.runs.store.shutil.rmtree", refuse)
    assert_refused(bpnet("runs", "rm", "latest", "--yes"), "could not be deleted")
    assert run.run_id in bpnet("runs", "list").out


def test_a_digest_of_a_file_elsewhere_is_refused(run: Run, bpnet: Bpnet) -> None:
    known = run.record().sha256
    change_record(run, {"sha256": known | {"../../secret": "0" * 64}})
    assert_refused(bpnet("verify", "latest"), "`../../secret` is not a file of a run")


def test_a_hard_link_is_not_written_through(run: Run, bpnet: Bpnet) -> None:
    os.link(run.path(METRICS), "elsewhere")
    before = file_digest(Path("elsewhere"))
    refused = bpnet("train", "--resume", "latest", "--set", "training.epochs=9")
    assert_refused(refused, "metrics.jsonl could not be written", "hard link")
    assert file_digest(Path("elsewhere")) == before


def test_a_number_too_large_to_sort_by_is_refused(run: Run, bpnet: Bpnet) -> None:
    config = run.record().config
    for number in (10**400, -(10**400)):
        change_record(run, {"config": config | {"seed": number}})
        assert_refused(bpnet("runs", "list", "--sort", "seed"), "No run has `seed` to sort by")
    text = run.path(RECORD).read_text()
    run.path(RECORD).write_text(text.replace(str(number), "1e999"))
    assert_refused(bpnet("runs", "show", "latest"))


def test_a_pickle_is_never_run(run: Run, bpnet: Bpnet) -> None:
    for file in (PATH, SPLIT):
        with run.path(file).open("wb") as opened:
            np.save(opened, np.array([_Bomb()], object), allow_pickle=True)
    vouch(run)
    assert_refused(bpnet("plot", "latest", "path"), "params_path.npy is damaged")
    outcomes(bpnet)
    assert not Path("harmed").exists()


@pytest.mark.parametrize("file", [WEIGHTS, RESOLVED, METRICS, RECORD])
def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(file: str, run: Run, bpnet: Bpnet) -> None:
    run.path(file).unlink()
    os.mkfifo(run.path(file))
    for arguments in READERS:
        result = bpnet(*arguments)
        assert "Traceback" not in result.err
    assert bpnet("runs", "list").code == 0


def test_links_that_lead_out_of_the_run_are_not_written_through(run: Run, bpnet: Bpnet) -> None:
    secret = Path("secret").absolute()
    secret.write_text("kept")
    for file in (WEIGHTS, RESOLVED, METRICS, "tags.json"):
        run.path(file).unlink(missing_ok=True)
        run.path(file).symlink_to(secret)
    outcomes(bpnet)
    bpnet("runs", "tag", "latest", "good")
    assert secret.read_text() == "kept"
    assert not any("kept" in result.out + result.err for result in outcomes(bpnet))


ODD = [None, True, 10**400, math.inf, math.nan, "x", [], {}, [1], {"a": 1}, [[]], [{}]]


def test_whatever_stands_in_a_record_is_shown_or_refused(run: Run, bpnet: Bpnet) -> None:
    rng, whole = random.Random(1), record_of(run)
    ways = [*places(whole)]
    for place in ways if os.environ.get("BPNET_FULL") else rng.sample(ways, 40):
        record = copy.deepcopy(whole)
        inner = functools.reduce(lambda tree, key: tree[key], place[:-1], record)
        inner[place[-1]] = rng.choice(ODD)
        write_sealed(run.path(RECORD), record)
        for arguments in (("list",), ("show", run.run_id), ("diff", run.run_id, "latest")):
            assert bpnet("runs", *arguments).code in (0, 2), (place, inner)


def test_a_record_without_metrics_is_shown(run: Run, bpnet: Bpnet) -> None:
    change_record(run, {"metrics": {}})  # as where a long epoch was given up
    assert bpnet("runs", "show", "latest").code == 0
    change_record(run, {"metrics": {"train.loss": []}})
    assert_refused(bpnet("runs", "show", "latest"), "see its `metrics.train.loss`")
    assert "damaged" in bpnet("runs", "list").out


@pytest.mark.parametrize("file", [LOCK, METRICS, *NEXT_NAMED])
def test_a_link_in_the_place_of_what_is_written_next_is_not_followed(
    file: str, run: Run, bpnet: Bpnet
) -> None:
    secret = Path("secret").absolute()
    secret.write_text("kept" * 3000)
    run.path(file).unlink(missing_ok=True)
    run.path(file).symlink_to(secret)
    bpnet("runs", "tag", "latest", "good")
    bpnet("train", "--resume", "latest", "--set", "training.epochs=9", "--quiet")
    assert secret.read_text() == "kept" * 3000


@pytest.mark.parametrize("file", [LOCK, "checkpoint-99.safetensors", *NEXT_NAMED])
def test_a_pipe_in_the_place_of_what_is_opened_next_holds_nobody_up(
    file: str, run: Run, bpnet: Bpnet
) -> None:
    run.path(file).unlink(missing_ok=True)
    os.mkfifo(run.path(file))
    assert bpnet("runs", "list").code == 0
    assert bpnet("runs", "tag", "latest", "good").code == 0
    resumed = bpnet("train", "--resume", "latest", "--set", "training.epochs=9", "--quiet")
    assert "Traceback" not in resumed.err


@pytest.mark.parametrize("key", ["status", "stop_reason", "task", "loss", "name"])
def test_escape_codes_in_a_record_do_not_reach_the_terminal(
    key: str, run: Run, bpnet: Bpnet
) -> None:
    change_record(run, {key: "\x1b]0;owned\x07\x9b31m"})
    for arguments in (("runs", "list"), ("runs", "show", "latest"), ("eval", "latest")):
        result = bpnet(*arguments)
        assert not {"\x1b", "\x07", "\x9b"} & {*result.out, *result.err}


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b'{"a": ' * 50_000, b"\xff\xfe", b"null", b"{}", b'{"status": 1e999}'],
)
def test_records_that_are_none(content: bytes, run: Run, bpnet: Bpnet) -> None:
    run.path(RECORD).write_bytes(content)
    for arguments in READERS:
        assert_refused(bpnet(*arguments), "run.json")
    assert "damaged" in bpnet("runs", "list").out


@pytest.mark.parametrize("reference", ["../runs", "runs/..", "/etc", "a\nb", "\x1b[2J", "latest~x"])
def test_references_that_lead_nowhere(reference: str, run: Run, bpnet: Bpnet) -> None:
    for command in ("eval", "verify"):
        assert_refused(bpnet(command, reference))
    assert_refused(bpnet("runs", "rm", reference, "--yes"))
    assert run.path(RECORD).is_file()
