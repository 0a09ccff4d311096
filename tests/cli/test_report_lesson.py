"""`bpnet report CONFIG --lesson` as a person types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from conftest import Result
from systems import CONFIGS

XOR = CONFIGS / "xor.yaml"
Bpnet = Callable[..., Result]
FEW = ("--set", "training.epochs=8")


def test_a_config_is_trained_and_its_page_has_the_lesson(bpnet: Bpnet, tmp_path: Path) -> None:
    page = tmp_path / "lesson.html"
    done = bpnet("report", XOR, "--lesson", *FEW, "-o", page)
    assert (done.code, done.out) == (0, f"{page}\n")
    text = page.read_text("utf-8")
    assert '<section id="scrubber"' in text
    assert '<section id="lesson"' in text
    assert bpnet("runs", "list", "--json").code == 0


def test_the_run_is_kept_with_its_page(bpnet: Bpnet) -> None:
    done = bpnet("report", XOR, "--lesson", *FEW, "--lang", "zh", "--json")
    document = json.loads(done.out)
    assert document["language"] == "zh"
    (run,) = document["runs"]
    again = bpnet("report", run["run_id"], "--lesson", "--json")
    assert json.loads(again.out)["runs"] == [run]


def test_a_run_without_the_flag_has_no_lesson(bpnet: Bpnet, tmp_path: Path) -> None:
    bpnet("train", XOR, "--quiet", *FEW)
    page = tmp_path / "page.html"
    assert bpnet("report", "latest", "-o", page).code == 0
    text = page.read_text("utf-8")
    assert '<section id="lesson"' not in text
    assert '<section id="scrubber"' not in text, "it recorded nothing"


def test_what_does_not_fit_is_refused(bpnet: Bpnet) -> None:
    two = bpnet("report", XOR, XOR, "--lesson")
    assert two.code == 2
    assert "--lesson is about one RUN or CONFIG" in two.err
    bpnet("train", XOR, "--quiet", *FEW)
    changed = bpnet("report", "latest", "--lesson", *FEW)
    assert changed.code == 2
    assert "a RUN keeps its config" in changed.err


def test_a_divergence_is_said_and_shown(bpnet: Bpnet, tmp_path: Path) -> None:
    page = tmp_path / "lesson.html"
    done = bpnet(
        "report", CONFIGS / "linear_regression.yaml", "--lesson", "--set",
        "training.learning_rate=1e5", "--set", "training.epochs=200", "-o", page,
    )  # fmt: skip
    assert done.code == 0
    assert "warning: Training diverged" in done.err
    assert '<section id="lesson"' in page.read_text("utf-8")
