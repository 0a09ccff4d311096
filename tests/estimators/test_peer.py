"""Scikit-learn's own tests of its networks, run with our estimators in place of theirs.

The file of the installed scikit-learn is read, and one line of it is replaced: the import. Those of
its tests that cannot pass are listed here, with the reason.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from xml.etree import ElementTree

import pytest

import bpcli

_PRIVATE = {
    "test_fit": "sets the weights and gradients of an estimator that was never fitted",
    "test_gradient": "calls `_loss_grad_lbfgs`; `bpnet gradcheck` proves our gradients",
    "test_learning_rate_warmstart": "reads `_optimizer.learning_rate`",
    "test_adaptive_learning_rate": "reads `_optimizer.learning_rate`",
    "test_n_iter_no_change": "reads `_no_improvement_count`",
    "test_n_iter_no_change_inf": "reads `_no_improvement_count`",
}
"""Tests of private attributes."""

_WORDS = {
    "test_nonfinite_params": "wants the words of a check after the solver; ours is before it",
    "test_early_stopping_stratified": "wants words that name a class as it is encoded inside",
}
"""Tests of the words of an error."""

_SOLVER_LEFT_OUT = {
    "test_shuffle": "theirs has mini-batches to shuffle",
    "test_mlp_classifier_dtypes_casting": "rprop takes signs, which differ between precisions",
    "test_mlp_loading_from_joblib_partial_fit": "rprop comes to 0.6 % in the given epochs",
}
"""Tests that leave the solver out, and pass with the one that is their default."""

_LISTED = _PRIVATE | _WORDS | _SOLVER_LEFT_OUT

_IMPORT = re.compile(
    r"^from sklearn\.neural_network import MLPClassifier, MLPRegressor$", re.MULTILINE
)
_OURS = """\
from bpcli.estimators import BPClassifier as MLPClassifier
from bpcli.estimators import BPRegressor as MLPRegressor
"""
_OURS_WITH_THEIR_SOLVER = """\
from functools import partial
from bpcli.estimators import BPClassifier, BPRegressor
MLPClassifier = partial(BPClassifier, solver="adam")
MLPRegressor = partial(BPRegressor, solver="adam")
"""

# Scikit-learn's own conftest gives this fixture to its tests.
_CONFTEST = """\
import pytest


@pytest.fixture
def global_random_seed():
    return 42
"""


def _peers_file() -> Path:
    package = "sklearn.neural_network.tests"
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"scikit-learn was installed without its tests: there is no {package}")
    return Path(spec.origin).parent / "test_mlp.py"


def _messages(folder: Path, classes: str, names: Collection[str] = ()) -> dict[str, list[str]]:
    """For each test of the peer, or for some, why it failed: a message for each failed case."""
    source, replaced = _IMPORT.subn(classes, _peers_file().read_text("utf-8"))
    assert replaced == 1, "the import of the peer's classes has other words in this version"
    (folder / "test_peers_file.py").write_text(source, "utf-8")
    (folder / "conftest.py").write_text(_CONFTEST, "utf-8")
    messages: dict[str, list[str]] = defaultdict(list)
    for case in _report(folder, names).iter("testcase"):
        failures = [*case.iter("failure"), *case.iter("error")]
        messages[case.attrib["name"].split("[")[0]] += [
            each.get("message", "") for each in failures
        ]
    return dict(messages)


def _report(folder: Path, names: Collection[str]) -> ElementTree.Element:
    """What pytest reports of the peer's tests in a folder."""
    report = folder / "report.xml"
    options = ["-q", "--rootdir", folder, "-p", "no:cacheprovider", "-p", "no:randomly"]
    tests = [f"test_peers_file.py::{name}" for name in names] or ["test_peers_file.py"]
    imports = [str(Path(bpcli.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", *tests],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, imports))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    return ElementTree.parse(report).getroot()


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return _messages(tmp_path_factory.mktemp("peer"), _OURS)


def test_every_test_of_public_behaviour_passes(messages: dict[str, list[str]]) -> None:
    failed = [f"{name}: {why[0]}" for name, why in messages.items() if why and name not in _LISTED]
    assert not failed, "\n".join(failed)


def test_all_of_them_ran(messages: dict[str, list[str]]) -> None:
    assert len(messages) >= 39  # so many has scikit-learn 1.6


def test_a_test_of_the_list_exists_and_fails(messages: dict[str, list[str]]) -> None:
    """Few tests use the fixture: two processes that share them run the peer's file twice."""
    assert [name for name in _LISTED if not messages.get(name)] == []


def test_a_test_of_private_attributes_fails_for_want_of_them(
    messages: dict[str, list[str]],
) -> None:
    for name in _PRIVATE:
        assert all(why.startswith("AttributeError") for why in messages[name]), name


def test_what_leaves_the_solver_out_passes_with_theirs(tmp_path: Path) -> None:
    messages = _messages(tmp_path, _OURS_WITH_THEIR_SOLVER, _SOLVER_LEFT_OUT)
    assert messages == {name: [] for name in _SOLVER_LEFT_OUT}
