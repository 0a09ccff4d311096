"""The note on the import of scikit-learn."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from systems import CONFIGS

from bpcli.cli.waiting import IMPORTS_SCIKIT_LEARN, say_what_takes_long
from bpcli.data.generators import GENERATORS


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    say_what_takes_long([str(argument) for argument in arguments])
    return terminal.getvalue()


def test_the_names_are_those_of_the_registry() -> None:
    modules = {name: type(GENERATORS[name]()).__module__ for name in GENERATORS}
    using = [name for name, module in modules.items() if module.endswith(".scikit_learn")]
    assert set(using) == set(IMPORTS_SCIKIT_LEARN)


def test_a_config_or_an_option_may_name_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    note = "note: loading scikit-learn, for the generator `{}`\n"
    assert said(monkeypatch, "train", CONFIGS / "softmax_iris.yaml") == note.format("iris")
    option = ("--set", "data.generator=digits")
    assert said(monkeypatch, "check", CONFIGS / "xor.yaml", *option) == note.format("digits")


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", CONFIGS / "moons.yaml"],
        ["train", "no such.yaml"],
        ["train", CONFIGS],
        ["init", "iris"],
        ["train", CONFIGS / "softmax_iris.yaml", "--quiet"],
        ["train", CONFIGS / "softmax_iris.yaml", "--json"],
    ],
)
def test_otherwise_nothing_is_said(
    arguments: list[str | Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(monkeypatch, *arguments) == ""


def test_a_stream_gets_no_note(capsys: pytest.CaptureFixture[str]) -> None:
    say_what_takes_long(["train", str(CONFIGS / "softmax_iris.yaml")])
    assert capsys.readouterr().err == ""


def test_it_is_said_before_anything_slow_is_imported(tmp_path: Path) -> None:
    probe = (
        "import sys; from bpcli.cli.main import main\n"
        "class Terminal:\n"
        "    encoding = 'utf-8'\n"
        "    loaded = None\n"
        "    def isatty(self): return True\n"
        "    def flush(self): pass\n"
        "    def write(self, text): self.loaded = self.loaded or set(sys.modules)\n"
        "sys.stderr = Terminal()\n"
        f"main(['check', {str(CONFIGS / 'softmax_iris.yaml')!r}])\n"
        "print('LOADED', *sys.stderr.loaded)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split("LOADED")[1].split())
    assert "click" in loaded
    assert not loaded & {"numpy", "yaml", "pydantic", "sklearn"}
