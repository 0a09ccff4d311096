"""`bpnet size`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Result
from sweep_runs import SINE, lasting

from bpcli.runs.layout import JOURNAL
from bpcli.sweeps.folder import list_sweeps

Bpnet = Callable[..., Result]
Document = Callable[..., dict[str, Any]]
SMALL = ("--hidden", "1,2", "--restarts", "2", "--splits", "2")


@pytest.fixture(autouse=True)
def _config(bpnet: Bpnet) -> None:
    """A config in the folder of the test, in which `bpnet` runs."""
    Path("sine.yaml").write_text(SINE.replace("epochs: 30", "epochs: 4"))


def test_a_table_and_a_sentence_say_which_size_is_enough(bpnet: Bpnet) -> None:
    done = bpnet("size", "sine.yaml", *SMALL)
    assert done.code == 0
    header, _, first, second, *lines = done.out.splitlines()
    assert header.split() == ["hidden", "parameters", "val.loss", "lowest", "test.rmse", "epochs",
                              "time", "result"]  # fmt: skip
    assert (first.split()[0], second.split()[0]) == ("1", "2")
    assert any(" enough: " in line for line in lines)
    (sweep,) = list_sweeps(Path("runs"))
    assert f"plot saved in runs/{sweep.sweep_id}/size.svg" in done.out
    (command,) = [line for line in lines if line.startswith("train it with: bpnet train sine.yaml")]
    assert command.endswith("--restarts 2")
    shown = bpnet("runs", "show", sweep.sweep_id).out
    assert shown.splitlines()[:4] == done.out.splitlines()[:4]


def test_json_is_one_document_and_is_shown_again(document: Document) -> None:
    found = document("size", "sine.yaml", *SMALL)
    assert (found["restarts"], found["splits"], found["hidden_layers"]) == (2, 2, 1)
    assert found["counts"] == {"trainings": 8, "finished": 8, "failed": 0, "missing": 0}
    figure = found.pop("figure")
    assert Path(figure).is_file()
    assert document("runs", "show", found["sweep"]) == found


def test_more_sizes_restarts_and_splits_are_added(bpnet: Bpnet, document: Document) -> None:
    document("size", "sine.yaml", *SMALL)
    (sweep,) = list_sweeps(Path("runs"))
    before = (sweep.folder / JOURNAL).read_bytes()
    found = document("size", "--resume", "latest", "--hidden", "3", "--restarts", "3",
                     "--splits", "3")  # fmt: skip
    assert [each["hidden"] for each in found["sizes"]] == [1, 2, 3]
    assert (sweep.folder / JOURNAL).read_bytes().startswith(before)
    assert len(sweep.results()) == 27
    again = document("size", "--resume", "latest")
    assert again == found
    assert len(sweep.results()) == 27
    at_once = document("size", "sine.yaml", "--hidden", "1..3", "--restarts", "3", "--splits", "3",
                       "--runs-dir", "other")  # fmt: skip
    assert lasting(at_once) == lasting(found)
    refused = bpnet("size", "--resume", "latest", "--splits", "2")
    assert refused.code == 2
    assert "cannot be resumed with fewer trainings" in refused.err


def test_a_fixed_split_is_said_to_be_one(bpnet: Bpnet) -> None:
    Path("table.csv").write_text("x,y\n" + "".join(f"{n},{n % 3}\n" for n in range(30)))
    table = "data={file: table.csv, targets: y, task: regression, split: {val: 0.3, order: time}}"
    done = bpnet("size", "sine.yaml", *SMALL, "--set", table)
    assert done.code == 0, done.err
    assert "the split is not random: there is one split, and every restart counts" in done.err
    assert "4 trainings of 2 sizes, " in done.err
    changed = Path("table.csv").read_text().replace("7,1", "7,2")
    Path("table.csv").write_text(changed)
    refused = bpnet("size", "--resume", "latest")
    assert refused.code == 2
    assert "its data have changed since it began" in refused.err


def test_another_kind_is_refused_with_its_command(bpnet: Bpnet) -> None:
    assert bpnet("size", "sine.yaml", *SMALL).code == 0
    (sweep,) = list_sweeps(Path("runs"))
    refused = bpnet("sweep", "--resume", "latest")
    assert "There is no sweep `latest`" in refused.err
    refused = bpnet("sweep", "--resume", sweep.sweep_id)
    assert (refused.code, refused.err) == (
        2, f"Error: Resume {sweep.sweep_id} with: bpnet size --resume {sweep.sweep_id}\n",
    )  # fmt: skip


def test_failures_are_counted(bpnet: Bpnet, document: Document) -> None:
    wild = ("--set", "training.epochs=30", "--set", "training.learning_rate=1e+9")
    done = bpnet("size", "sine.yaml", *SMALL, *wild)
    assert done.code == 3
    assert "No size has a result.\n8 of 8 trainings failed.\n" in done.out
    assert "Error: All 8 trainings failed. The first one: Training diverged: " in done.err
    assert document("size", "sine.yaml", *SMALL, *wild, code=3)["best"] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Missing argument 'CONFIG', or --resume SEARCH."),
        (["sine.yaml", "--resume", "x"], ("--resume SEARCH uses the search's own config: leave out "
         "CONFIG, --set and --name.")),
        (["--resume", "none"], "There is no sweep `none` in runs: `bpnet runs list` shows all."),
        (["sine.yaml", "--hidden", ""], "--hidden : expected different numbers of hidden units "),
        (["sine.yaml", "--hidden", "1..x"], "--hidden 1..x: expected different numbers of hidden "),
        (["sine.yaml", "--restarts", "0"], "0 is not in the range 1<=x<=10000"),
        (["sine.yaml", "--set", "data.split.val=0"], ("There are no validation rows to compare "
         "sizes on: set `data.split.val`")),
        (["sine.yaml", "--set", "network={layers: [1, 1], activations: [identity]}"],
         "The network has no hidden layer whose size could be searched: add one to"),
    ],
)  # fmt: skip
def test_what_cannot_begin_is_refused(bpnet: Bpnet, arguments: list[str], sentence: str) -> None:
    done = bpnet("size", *arguments)
    assert done.code == 2
    assert sentence in done.err
    assert not Path("runs").exists()


def test_evidence_ranks_without_validation_rows(bpnet: Bpnet) -> None:
    bayesian = ("--set", "training.optimizer=bayesian_regularization", "--set", "data.split={}")
    done = bpnet("size", "sine.yaml", *SMALL, *bayesian)
    assert done.code == 0, done.err
    assert done.out.split()[:6] == [
        "hidden", "parameters", "log_evidence", "highest", "effective", "epochs",
    ]  # fmt: skip
