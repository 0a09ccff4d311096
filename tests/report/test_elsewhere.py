"""A run is repeated from its page alone, in another folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from browser import opened
from systems import trained

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.report.elsewhere import config_name, config_text, short_names
from bpcli.report.report import report_of
from bpcli.runs.layout import RESOLVED
from bpcli.runs.store import Run
from bpcli.terminal.progress import SilentView
from bpcli.workflows.subject import load_subject
from bpcli.workflows.train import train

TABLE = """\
data: {file: below/t.csv, targets: y, task: regression, split: {test: 0.25}}
network: {layers: [2, 3, 1], activations: [tanh, identity]}
loss: mse
training: {epochs: 4}
"""


def run_on_a_table(folder: Path) -> Run:
    rows = np.random.default_rng(0).normal(size=(40, 3)).round(3)
    (folder / "below").mkdir(parents=True)
    lines = ["a,b,y", *(",".join(map(str, row)) for row in rows.tolist())]
    (folder / "below" / "t.csv").write_text("\n".join(lines))
    (folder / "c.yaml").write_text(TABLE)
    settings = ["seed=7", "training.learning_rate=0.2"]
    outcome = train(build(load_config(folder / "c.yaml", settings)), folder / "runs", SilentView())
    assert outcome.failure is None
    return outcome.run


def test_the_config_on_the_page_trains_the_same_weights_in_another_folder(
    browser: Any, tmp_path: Path
) -> None:
    run = run_on_a_table(tmp_path / "secret")
    subject = load_subject(run, "best", None)
    file = tmp_path / "r.html"
    file.write_text(report_of([subject], "en"), "utf-8")
    with opened(browser, file) as found:
        found.page.locator("details", has_text="Show the whole config").locator("summary").click()
        text = found.page.locator(".config").inner_text()
        commands = found.page.locator(".command").all_inner_texts()
        shown = found.page.locator("#repeat").inner_text()
    assert commands == ["bpnet train c.yaml", f"bpnet verify {run.run_id}"]
    assert str(tmp_path) not in file.read_text("utf-8")
    assert "The seed is 7." in shown
    other = tmp_path / "other"
    other.mkdir()
    (other / config_name(subject)).write_text(text)
    (other / "t.csv").write_bytes((tmp_path / "secret" / "below" / "t.csv").read_bytes())
    again = train(build(load_config(other / "c.yaml")), other / "runs", SilentView()).run
    weights = [load_subject(each, "best", None).params for each in (run, again)]
    assert weights[0].tobytes() == weights[1].tobytes()


def test_files_of_one_name_in_two_folders_stay_apart(tmp_path: Path) -> None:
    record = trained(tmp_path, "xor", training__epochs=1).run.record()
    files = [str(Path.home() / part / "t.csv") for part in ("train", "test")]
    both = replace(record, data_files=dict.fromkeys(files, "0" * 64))
    assert [*short_names(both).values()] == ["train/t.csv", "test/t.csv"]
    one = replace(record, data_files={files[0]: "0" * 64})
    assert [*short_names(one).values()] == ["t.csv"]
    assert short_names(record) == {}


def test_a_damaged_config_is_not_shown(tmp_path: Path) -> None:
    run = trained(tmp_path, "xor", training__epochs=1).run
    assert config_text(load_subject(run, "best", None)) is not None
    run.path(RESOLVED).write_text("name: other\n")
    subject = load_subject(run, "best", None)
    assert config_text(subject) is None
    assert "The config cannot be copied from here" in report_of([subject], "en")
