"""Runs of strangers: nothing in them becomes markup or a script of the page."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import pytest
from browser import opened
from strangers import printable_name
from systems import trained
from tampered import change_record, record_of

from bpcli.config.load import load_config
from bpcli.errors import RunError
from bpcli.experiment import build
from bpcli.report.report import report_of
from bpcli.runs.store import Run
from bpcli.terminal.progress import SilentView
from bpcli.workflows.subject import load_subject
from bpcli.workflows.train import train

ATTACKS = [
    "</script><img src=x onerror=window.hit=1>",
    '"><svg onload=window.hit=1>',
    "' onfocus='window.hit=1' autofocus='",
    "<style>*{display:none}</style>",
    "-->]]></title></textarea><script>window.hit=1</script>",
    "{0}{name}%s`code`",
    "x" * 300,
]
STEERING = "\u202egnp\u2066\x1b[31m\u2028\u200b"
CONFIG = """\
name: stranger
data: {file: t.csv, targets: 3, task: classification, split: {val: 0.2, test: 0.2}, fill: median}
network: {layers: [auto, 3, auto], activations: [tanh, softmax]}
loss: cross_entropy
training: {epochs: 4, optimizer: rprop, record_params: true}
"""


def run_with_names(folder: Path, names: list[str]) -> Run:
    """A run on a table whose columns, categories and classes have these names."""
    classes = [f"{name} {number}" for number, name in enumerate(names[:3])]
    rows = [[f"{i % 7}", names[i % len(names)], classes[i % 3]] for i in range(90)]
    with (folder / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[f"{names[0]} a", f"{names[1]} b", f"{names[2]} c"], *rows])
    config = folder / "c.yaml"
    config.write_text(CONFIG)
    outcome = train(build(load_config(config)), folder / "runs", SilentView())
    assert outcome.failure is None
    return outcome.run


def assert_is_harmless(browser: Any, text: str, file: Path) -> None:
    file.write_text(text, "utf-8")
    with opened(browser, file) as found:
        assert (found.said, found.requests()) == ([], [])
        page = found.page
        assert page.evaluate("window.hit") is None
        assert (
            page.locator("img[onerror], [onload], [onfocus], [onclick], [autofocus]").count() == 0
        )
        assert page.locator("h1").is_visible()
        assert page.evaluate("document.querySelectorAll('main script:not([type])').length") == 0
        assert page.evaluate("document.querySelectorAll('main style').length") == 0
        shown = page.locator("body").inner_text()
        assert all(sign.isprintable() or sign in "\n\t" for sign in shown)
        assert page.evaluate("document.documentElement.scrollWidth") == 1280


@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_of_a_table_stay_names(browser: Any, tmp_path: Path, language: str) -> None:
    run = run_with_names(tmp_path, ATTACKS)
    text = report_of([load_subject(run, "best", None)], language)
    assert_is_harmless(browser, text, tmp_path / "r.html")


@pytest.mark.parametrize("seed", range(3))
def test_random_names_stay_names(browser: Any, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    names = list(dict.fromkeys(printable_name(rng).strip() or "x" for _ in range(12)))
    try:
        run = run_with_names(tmp_path, names)
    except Exception as error:
        pytest.skip(f"the table is refused: {error}")
    text = report_of([load_subject(run, "best", None)], "en")
    assert_is_harmless(browser, text, tmp_path / "r.html")


def _everywhere(value: Any, attack: str) -> Any:
    """A value with the attack in every text of it."""
    if isinstance(value, str):
        return attack
    if isinstance(value, list):
        return [_everywhere(each, attack) for each in value] or [attack]
    if isinstance(value, dict):
        return {key: _everywhere(each, attack) for key, each in value.items()}
    return value


def changes_of(record: dict[str, Any], attack: str) -> dict[str, dict[str, Any]]:
    """Texts of a record that become the attack, by what they are."""
    return {
        "argv": {"argv": ["train", attack]},
        "overrides": {"overrides": [attack]},
        "warnings": {"warnings": [attack]},
        "stop message": {"stop_message": attack},
        "config": {"config": {**_everywhere(record["config"], attack), f"{attack}.b": [attack]}},
        "data files": {"data_files": {attack: "0" * 64}},
        "versions": {"versions": {attack: attack}},
        "machine": {"platform": attack, "cpu": attack},
        "name": {"name": attack},
        "metrics": {"metrics": {**record["metrics"], f"test.{attack}": 1.0}},
        "baselines": {"baselines": {attack: {"test.accuracy": 0.5}}},
    }


def accepted(run: Run, change: dict[str, Any]) -> bool:
    """Whether the record is read with the change; it is put back."""
    before = record_of(run)
    change_record(run, change)
    try:
        run.record()
    except RunError:
        return False
    finally:
        change_record(run, before)
    return True


@pytest.mark.parametrize("attack", [ATTACKS[0], ATTACKS[1], ATTACKS[4], STEERING, "\x00"])
def test_a_changed_record_does_no_harm(browser: Any, tmp_path: Path, attack: str) -> None:
    run = trained(tmp_path / "runs", "moons", training__epochs=3).run
    changes = changes_of(record_of(run), attack)
    kept = {name: change for name, change in changes.items() if accepted(run, change)}
    assert {"argv", "warnings", "config"} <= kept.keys() or not attack.isprintable()
    for change in kept.values():
        change_record(run, change)
    text = report_of([load_subject(run, "best", None)], "en")
    assert_is_harmless(browser, text, tmp_path / "r.html")
