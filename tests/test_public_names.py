"""The names that `import bpcli` offers: cheap, typed, listed, and never overwritten by a module."""

from __future__ import annotations

import os
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from chapters import DOCS
from mypy import api as mypy

import bpcli
from bpcli import errors

ROOT = Path(__file__).parent.parent


def _probed(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_importing_the_package_loads_nothing_else() -> None:
    probe = "import sys; before = {*sys.modules}; import bpcli; print(*{*sys.modules} - before)"
    assert {*_probed(probe).split()} == {"bpcli", "bpcli.version"}


def test_an_error_is_imported_without_the_engine() -> None:
    probe = "import sys, bpcli; bpcli.ConfigError; print('numpy' in sys.modules)"
    assert _probed(probe).split() == ["False"]


def test_every_public_name_is_there_and_shown() -> None:
    assert {*bpcli.__all__} <= {*dir(bpcli)}
    for name in bpcli.__all__:
        assert getattr(bpcli, name) is not None
    assert bpcli.ConfigError is errors.ConfigError
    with pytest.raises(AttributeError, match="module 'bpcli' has no attribute 'fit'"):
        bpcli.fit  # noqa: B018


def test_no_module_takes_the_place_of_a_public_name() -> None:
    for room in pkgutil.iter_modules(bpcli.__path__, "bpcli."):
        if room.name != "bpcli.__main__":  # it runs the command
            import_module(room.name)
    import_module("bpcli.cli.main")
    for name in bpcli.__all__:
        value = getattr(bpcli, name)
        assert isinstance(value, str) or value.__module__ == f"bpcli.{bpcli._MODULES[name]}"


def test_the_handbook_lists_the_public_names() -> None:
    text = (DOCS / "python.md").read_text("utf-8")
    _, _, listed = text.partition("\n## Public names\n")
    names = re.findall(r"^- (.*?):", listed.partition("\n## ")[0], re.MULTILINE)
    assert {*re.findall(r"`bpcli\.(\w+)`", " ".join(names))} == {*bpcli.__all__}


def test_a_typed_program_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        """
import numpy as np
import bpcli

config = bpcli.load_config({"data": {"generator": "xor"}}, {"training.epochs": 5})
run: bpcli.Run = bpcli.train(config, callbacks=[lambda epoch: epoch.loss < 0.1])
score: float | None = run.metrics["train.accuracy"]
network = bpcli.Network([2, 3, 1], ["tanh", "sigmoid"], "mse")
value, grads = network.value_and_grad(np.zeros((4, 2)), np.zeros(4))
network.weights = [W - 0.1 * dW for W, (dW, _) in zip(network.weights, grads)]
try:
    bpcli.load_run("latest").plot("loss").savefig("loss.png")
except bpcli.Diverged as error:
    print(error.run.epochs)
bpcli.train(5)
run.epochs = 7
"""
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPYPATH", str(ROOT))
    cache = ROOT / ".mypy_cache"
    said, _, _ = mypy.run(["--strict", f"--cache-dir={cache}", os.fspath(program)])
    wrong = [line.partition(" error: ")[2] for line in said.splitlines() if " error: " in line]
    assert len(wrong) == 2, said
    assert wrong[0].startswith('Argument 1 to "train" has incompatible type "int"')
    assert wrong[1].startswith('Property "epochs" defined in "SavedRun" is read-only')
