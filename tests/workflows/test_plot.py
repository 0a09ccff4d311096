"""Which plots of a run are drawn, into which files, and what is said where there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from systems import System, trained

from bpcli.errors import ConfigError, RunError
from bpcli.plots import PLOTS
from bpcli.workflows import plot as module
from bpcli.workflows.plot import chosen_kinds, save_plots
from bpcli.workflows.subject import load_subject


@pytest.fixture
def system(tmp_path: Path) -> System:
    return trained(tmp_path, "xor", training__epochs=2)


def test_each_kind_that_is_asked_for_is_drawn_once_in_that_order(system: System) -> None:
    subject = load_subject(system.run, "best", None)
    assert chosen_kinds(subject, ["weights", "loss", "weights"]) == ["weights", "loss"]
    every = chosen_kinds(subject, [])
    assert every == [kind for kind in PLOTS if PLOTS[kind]().why_not(subject) is None]
    assert {"loss", "weights"} < {*every} < {*PLOTS}


def test_only_the_kinds_that_are_asked_for_are_judged(system: System) -> None:
    subject = load_subject(system.run, "best", None)
    chosen_kinds(subject, ["loss"])
    assert not subject._predictions
    chosen_kinds(subject, ["roc"])
    assert [*subject._predictions] == ["train"]


def test_what_cannot_be_drawn_is_said(system: System) -> None:
    subject = load_subject(system.run, "best", None)
    with pytest.raises(ConfigError, match=r"^There is no plot `los`; did you mean `loss`\?; allow"):
        chosen_kinds(subject, ["loss", "los"])
    lacking = next(kind for kind in PLOTS if PLOTS[kind]().why_not(subject) is not None)
    with pytest.raises(RunError) as caught:
        chosen_kinds(subject, ["loss", lacking])
    reason = PLOTS[lacking]().why_not(subject)
    assert str(caught.value) == f"{system.run.run_id} has no plot `{lacking}`: {reason}"


def test_of_a_run_of_which_nothing_is_left_each_fault_is_said_once(system: System) -> None:
    subject = load_subject(system.run, "best", None)
    gone = dict.fromkeys(("log", "network", "weights"), "Gone.")
    nothing = replace(subject, lines=[], rebuilt=None, errors=gone)
    with pytest.raises(RunError) as caught:
        chosen_kinds(nothing, [])
    assert str(caught.value) == f"No plot of {system.run.run_id} can be drawn. Gone."


def test_files_are_in_the_runs_own_folder_or_all_kinds_in_one(
    system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn = []

    def draw(kinds: list[str], _: object, suffix: str) -> bytes:
        drawn.append(([*kinds], suffix))
        return b"a plot"

    monkeypatch.setattr(module, "plot_file", draw)
    subject = load_subject(system.run, "best", None)
    own = [system.run.path("plots") / f"{kind}.png" for kind in ("loss", "units")]
    assert save_plots(system.run, subject, ["loss", "units"], None) == own
    assert all(path.read_bytes() == b"a plot" for path in own)
    one = tmp_path / "deep" / "all.PDF"
    assert save_plots(system.run, subject, ["loss", "units"], one) == [one]
    assert one.read_bytes() == b"a plot"
    assert drawn == [(["loss"], ".png"), (["units"], ".png"), (["loss", "units"], ".pdf")]


def test_a_folder_of_plots_that_is_none_is_refused(system: System, tmp_path: Path) -> None:
    subject, folder = load_subject(system.run, "best", None), system.run.path("plots")
    folder.symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(RunError) as caught:
        save_plots(system.run, subject, ["loss"], None)
    assert str(caught.value) == f"{folder} is a symbolic link: remove it, or name a file with -o."
    folder.unlink()
    folder.write_text("mine")
    with pytest.raises(RunError, match="is not a folder: remove it, or name a file with -o"):
        save_plots(system.run, subject, ["loss"], None)
    assert folder.read_text() == "mine"
