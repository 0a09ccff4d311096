"""The examples in the docstrings of the public names."""

from __future__ import annotations

import doctest
import shutil
from pathlib import Path

import pytest
from systems import CONFIGS

import bpcli


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the configs and a run."""
    path = tmp_path_factory.mktemp("examples")
    shutil.copytree(CONFIGS, path / "configs")
    bpcli.train(path / "configs" / "xor.yaml", path / "runs")
    return path


def _examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    functions = [bpcli.load_config, bpcli.train, bpcli.load_run, bpcli.gradcheck]
    found = [test for each in (*functions, bpcli.Run, bpcli.Network) for test in finder.find(each)]
    return [test for test in found if test.examples]


@pytest.mark.parametrize("example", _examples(), ids=lambda example: example.name)
def test_the_example_of_a_docstring_works(
    example: doctest.DocTest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    example.globs = {"bpcli": bpcli, "run": bpcli.load_run("latest")}
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example)
    assert result.failed == 0


def test_every_public_function_and_class_has_an_example() -> None:
    named = {example.name.partition(".")[0] for example in _examples()}
    assert named == {"load_config", "train", "load_run", "gradcheck", "Run", "Network"}
