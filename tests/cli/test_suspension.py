"""Ctrl-Z, `fg` and `bg` in an interactive shell."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from systems import CONFIGS

pytest.importorskip("pty", reason="this system has no pseudo-terminals")
from jobs import ENTER, HIDE_CURSOR, HOME, LEAVE, SHOW_CURSOR, Shell

pytestmark = [
    pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc"),
]
SUSPEND, INTERRUPT = "\x1a", "\x03"
ENDLESS = "--set training.epochs=100000000 --set training.stop={}"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.end()


def begin(shell: Shell, command: str) -> None:
    shell.send(f"{sys.executable} -m bpcli {command}; echo code $?\n")


def test_ctrl_z_gives_the_terminal_back_and_fg_returns_to_the_live_view(shell: Shell) -> None:
    begin(shell, f"train {CONFIGS / 'moons.yaml'} {ENDLESS}")
    shell.expect(re.escape(ENTER))
    shell.send(SUSPEND)
    shell.expect(r"Stopped[^$]*\$ ")
    screen, _, first = shell.text.partition(LEAVE)
    assert "Stopped" not in screen
    assert SHOW_CURSOR in first
    assert ENTER not in first
    assert shell.states() == {"T"}
    shell.send("fg\n")
    shell.read_until(lambda: shell.text.partition(ENTER)[2].count(HOME) > 3)
    assert HIDE_CURSOR in shell.text
    shell.send(INTERRUPT)
    shell.expect("Resume with")
    assert re.search(r"best \S+ at epoch \d+", shell.text.partition(LEAVE)[2])


def test_in_the_background_a_training_draws_nothing_before_it_is_back(shell: Shell) -> None:
    begin(shell, f"train {CONFIGS / 'moons.yaml'} {ENDLESS}")
    shell.expect(re.escape(ENTER))
    shell.send(SUSPEND)
    shell.expect(r"Stopped[^$]*\$ ")
    shell.send("bg; sleep 1; echo slept\n")
    shell.expect("\r\nslept")
    assert ENTER not in shell.text
    assert HOME not in shell.text
    assert "T" not in shell.states()
    shell.send("fg\n")
    shell.expect(re.escape(ENTER))
    shell.send(INTERRUPT)
    shell.expect("Resume with")


def test_ctrl_z_suspends_the_processes_of_restarts_and_fg_continues_them(shell: Shell) -> None:
    begin(shell, f"train {CONFIGS / 'moons.yaml'} {ENDLESS} --set training.restarts=3")
    shell.expect("running: restart 0; restart 1")
    shell.send(SUSPEND)
    shell.expect(r"Stopped[^$]*\$ ")
    assert SHOW_CURSOR in shell.text.partition("Stopped")[0]
    shell.read_until(lambda: shell.states() == {"T"})
    shell.send("fg\n")
    shell.expect("running: restart 0; restart 1")
    shell.read_until(lambda: "T" not in shell.states())
    shell.send(INTERRUPT)
    shell.expect("0 of 3 restarts were finished")


def test_a_plain_view_of_restarts_suspends_its_processes_too(shell: Shell) -> None:
    command = f"train {CONFIGS / 'moons.yaml'} {ENDLESS} --set training.restarts=3 --quiet"
    begin(shell, f"{command} 2>&1 | cat")
    shell.read_until(lambda: len(shell.jobs()) == 4)
    shell.send(SUSPEND)
    shell.expect(r"Stopped[^$]*\$ ")
    shell.read_until(lambda: shell.states() == {"T"})
    shell.send("fg\n")
    shell.read_until(lambda: "T" not in shell.states())


def test_ctrl_z_suspends_the_workers_of_one_training(shell: Shell) -> None:
    data = "--set data.n_samples=20000 --set training.workers=2"
    begin(shell, f"train {CONFIGS / 'moons.yaml'} {ENDLESS} {data}")
    shell.expect(re.escape(ENTER))
    assert len(shell.jobs()) == 2
    shell.send(SUSPEND)
    shell.expect(r"Stopped[^$]*\$ ")
    shell.read_until(lambda: shell.states() == {"T"})
    shell.send("fg\n")
    shell.read_until(lambda: shell.text.partition(ENTER)[2].count(HOME) > 3)
    shell.send(INTERRUPT)
    shell.expect("Resume with")
