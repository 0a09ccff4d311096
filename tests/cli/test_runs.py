from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Result
from tampered import change_record

from bpcli.runs.files import file_digest
from bpcli.runs.store import Run

Bpnet = Callable[..., Result]
XOR = ROOT / "configs" / "xor.yaml"
SHORT = ("--set", "training.epochs=40")


def folders() -> list[str]:
    return sorted(path.name for path in Path("runs").iterdir() if path.is_dir())


@pytest.fixture
def three(bpnet: Bpnet) -> list[str]:
    """Three short runs, oldest first."""
    moons = ROOT / "configs" / "moons.yaml"
    fast = ("--quiet", "--set", "training.epochs=4")
    return [
        bpnet("train", moons, *fast, "--set", "training.learning_rate=0.25").out.strip(),
        bpnet("train", moons, *fast, "--set", "seed=3").out.strip(),
        bpnet("train", ROOT / "configs" / "xor.yaml", *fast).out.strip(),
    ]


def test_list_shows_what_became_of_the_runs_and_what_differs(
    bpnet: Bpnet, three: list[str]
) -> None:
    out = bpnet("runs", "list").out
    assert [line.split()[0] for line in out.splitlines()[2:-1]] == three[::-1]
    assert out.split()[:4] == ["run", "age", "status", "stop"]
    moons = [
        row for row in bpnet("runs", "list", "--sort", "seed").out.splitlines() if "moons" in row
    ]
    assert ["0.25" in row for row in moons] == [True, False]


def test_list_has_the_two_that_differ_least(bpnet: Bpnet, three: list[str]) -> None:
    shutil.rmtree(f"runs/{three[2]}")
    head, _, newer, older, *_ = bpnet("runs", "list").out.splitlines()
    assert head.split() == [
        "run", "age", "status", "stop", "reason", "val.accuracy", "test.accuracy", "seed",
        "learning_rate", "epochs", "time",
    ]  # fmt: skip
    assert newer.split()[:1] + newer.split()[-5:-3] == [three[1], "3", "0.5"]
    assert older.split()[:1] + older.split()[-5:-3] == [three[0], "0", "0.25"]


def test_list_sorts_and_limits(bpnet: Bpnet, three: list[str]) -> None:
    found = json.loads(bpnet("runs", "list", "--sort", "training.learning_rate", "--json").out)[
        "runs"
    ]
    assert [each["config"]["training.learning_rate"] for each in found] == [0.25, 0.5, 1.0]
    assert len(json.loads(bpnet("runs", "list", "--limit", "2", "--json").out)["runs"]) == 2
    wrong = bpnet("runs", "list", "--sort", "nothing")
    assert wrong.code == 2
    assert "No run has `nothing` to sort by" in wrong.err


def test_a_thousand_runs_are_listed(bpnet: Bpnet, three: list[str]) -> None:
    for number in range(1000):
        folder = Path(f"runs/20250101-000000-moons-{'abcdefghij'[number // 100]}{number:03d}")
        folder.mkdir()
        for file in ("run.json", "config.yaml"):
            os.link(f"runs/{three[0]}/{file}", folder / file)
    assert len(bpnet("runs", "list").out.splitlines()) == 2 + 1003 + 1


def test_diff_shows_what_differs_then_the_losses(bpnet: Bpnet, three: list[str]) -> None:
    document = json.loads(bpnet("runs", "diff", three[0], three[1], "--json").out)
    assert document["runs"] == three[:2]
    assert document["config"] == {"seed": [0, 3], "training.learning_rate": [0.25, 0.5]}
    assert set(document["environment"]) == {"data_sha256"}
    logs = [Run(Path("runs", run_id)).metrics() for run_id in three[:2]]
    assert document["losses"] == [
        {"epoch": epoch, "loss": [log[epoch].loss for log in logs]} for epoch in range(5)
    ]
    text = bpnet("runs", "diff", three[0], three[1]).out
    assert "training.learning_rate   0.25" in text
    assert "dtype" not in text


def test_a_run_does_not_differ_from_itself(bpnet: Bpnet, three: list[str]) -> None:
    document = json.loads(bpnet("runs", "diff", "latest", three[2], "--json").out)
    assert document["config"] == document["environment"] == document["results"] == {}
    assert "config: no difference" in bpnet("runs", "diff", "latest", "latest").out


def test_rows_of_data_are_compared_by_digest(bpnet: Bpnet) -> None:
    for extra in (0, 5):
        rows = ", ".join(f"[{row}.{extra}]" for row in range(200))
        Path("many.yaml").write_text(
            f"data: {{inputs: [{rows}], targets: [{rows}]}}\n"
            "network: {layers: [1, 1], activations: [identity]}\n"
            "loss: mse\ntraining: {epochs: 1, learning_rate: 1.0e-9}\n"
        )
        assert bpnet("train", "many.yaml", "--quiet").code == 0
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    assert record["config"]["data.inputs"].startswith("sha256:")
    found = json.loads(bpnet("runs", "diff", "latest", "latest~1", "--json").out)
    assert set(found["config"]) == {"data.inputs", "data.targets"}


def test_tag(bpnet: Bpnet, three: list[str]) -> None:
    before = file_digest(Path("runs", three[0], "run.json"))
    assert bpnet("runs", "tag", three[0], "good").err == f"{three[0]}: good\n"
    assert json.loads(bpnet("runs", "show", "good", "--json").out)["run_id"] == three[0]
    assert "good" in bpnet("runs", "list").out
    assert bpnet("runs", "tag", "latest", "good").code == 2
    assert bpnet("runs", "tag", "latest", "good", "--force").code == 0
    assert bpnet("runs", "tag", "good", "good", "--remove").err == f"{three[2]}: no tags\n"
    assert bpnet("eval", "good").code == 2
    assert file_digest(Path("runs", three[0], "run.json")) == before


def test_rm_asks(bpnet: Bpnet, three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = bpnet("runs", "rm", "latest")
    assert nobody.code == 2
    assert "--yes deletes without a confirmation" in nobody.err
    monkeypatch.setattr("bpcli.cli.runs._confirmed", lambda _: False)
    assert bpnet("runs", "rm", "latest").code == 2
    assert folders() == sorted(three)
    done = bpnet("runs", "rm", three[0], "latest", three[0], "--yes")
    assert (done.code, done.err.splitlines()[-1]) == (0, "deleted 2 runs")
    assert folders() == [three[1]]


def test_rm_deletes_all_or_none(bpnet: Bpnet, three: list[str]) -> None:
    assert bpnet("runs", "rm", "latest", "nothing", "--yes").code == 2
    assert len(folders()) == 3


def test_rm_never_leaves_the_runs_folder(bpnet: Bpnet, three: list[str]) -> None:
    elsewhere = Path("elsewhere").absolute()
    shutil.move(f"runs/{three[2]}", elsewhere)
    refused = bpnet("runs", "rm", elsewhere, "--yes")
    assert refused.code == 2
    assert "is outside runs: delete it by hand" in refused.err
    Path("runs", three[2]).symlink_to(elsewhere)
    Path("runs", three[0], "link").symlink_to(elsewhere)
    assert bpnet("runs", "rm", three[2], three[0], "--yes").code == 0
    assert (elsewhere / "run.json").is_file()
    assert folders() == [three[1]]


@pytest.mark.parametrize("target", ["elsewhere", "another run"])
def test_rm_of_a_path_that_is_a_link_removes_the_link_alone(
    target: str, bpnet: Bpnet, three: list[str]
) -> None:
    kept = Path("runs", three[0]).absolute()
    if target == "elsewhere":
        kept = Path(shutil.move(kept, Path("elsewhere").absolute()))
    Path("runs", "link").symlink_to(kept)
    removed = bpnet("runs", "rm", "runs/link", "--yes")
    assert removed.code == 0
    assert "link (a symbolic link: only the link is removed)" in removed.err
    assert not Path("runs", "link").is_symlink()
    assert (kept / "run.json").is_file()


def test_a_run_without_its_config_is_listed_as_damaged(bpnet: Bpnet, three: list[str]) -> None:
    Path("runs", three[1], "config.yaml").unlink()
    listed = {
        each["run_id"]: each for each in json.loads(bpnet("runs", "list", "--json").out)["runs"]
    }
    assert listed.keys() == {*three}
    assert listed[three[1]]["status"] == "damaged"
    assert listed[three[1]]["error"].endswith("config.yaml is missing.")
    assert bpnet("runs", "list").code == 0
    assert bpnet("runs", "rm", three[1], "--yes").code == 0


def test_a_folder_with_a_hostile_name_is_no_run(bpnet: Bpnet, three: list[str]) -> None:
    for name in ("20260101-000000-\x1b[31mred-aaaa", "20260101-000000-a\nb-aaaa", "..-aaaa"):
        shutil.copytree(f"runs/{three[2]}", f"runs/{name}")
    out = bpnet("runs", "list").out
    assert "\x1b" not in out
    assert len(json.loads(bpnet("runs", "list", "--json").out)["runs"]) == 3


def test_runs_list_and_show(bpnet: Bpnet) -> None:
    assert "no runs" in bpnet("runs", "list").err
    for name in ("first", "second"):
        bpnet("train", XOR, *SHORT, "--quiet", "--name", name)
    result = bpnet("runs", "list")
    ids = [line.split()[0] for line in result.out.splitlines() if line[:1].isdecimal()]
    assert [run_id.split("-")[2] for run_id in ids] == ["second", "first"]
    assert len(json.loads(bpnet("runs", "list", "--json", "--limit", "1").out)["runs"]) == 1
    shown = bpnet("runs", "show", "first").out
    for word in (
        "2 - 4 sigmoid - 1 sigmoid",
        "gradient_descent",
        "stop reason",
        "accuracy",
        "17",
    ):
        assert word in shown


def test_one_damaged_run_does_not_hide_the_others(bpnet: Bpnet) -> None:
    for name in ("good", "bad"):
        bpnet("train", XOR, *SHORT, "--quiet", "--name", name)
    (folder,) = Path("runs").glob("*-bad-*")
    (folder / "run.json").write_text("{")
    result = bpnet("runs", "list")
    assert result.code == 0
    assert "-good-" in result.out
    assert "damaged" in result.out


@pytest.mark.parametrize(
    "damage", [{"rows": 3}, {"seconds": "a"}, {"metrics": [1]}, {"loss": None}]
)
def test_a_record_of_another_shape_is_damaged(damage: dict, bpnet: Bpnet) -> None:
    for name in ("good", "bad"):
        bpnet("train", XOR, *SHORT, "--quiet", "--name", name)
    (folder,) = Path("runs").glob("*-bad-*")
    change_record(Run(folder), damage)
    shown = bpnet("runs", "show", "bad")
    assert shown.code == 2
    assert f"see its `{next(iter(damage))}`" in shown.err
    listed = bpnet("runs", "list")
    assert listed.code == 0
    assert "damaged" in listed.out


def test_a_renamed_run_is_known_by_its_folder(bpnet: Bpnet) -> None:
    run_id = bpnet("train", XOR, *SHORT, "--quiet").out.strip()
    Path("runs", run_id).rename(Path("runs", "20200101-000000-old-aaaa"))
    assert "20200101-000000-old-aaaa" in bpnet("runs", "list").out
    assert bpnet("eval", "old").code == 0
    os.chdir("runs/20200101-000000-old-aaaa")
    assert "20200101-000000-old-aaaa: best weights" in bpnet("eval", "./").err
