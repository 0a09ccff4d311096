"""What pyproject.toml declares: lower bounds that are tested, Pythons, and what is distributed."""

from __future__ import annotations

import ast
import re
import subprocess
import symtable
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import bpcli

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
METADATA = PROJECT["project"]
DRAWN_FROM = re.compile(
    r"(np\.random\.)?(default_rng|Generator|RandomState)|(random\.)?Random"
    r"|(itertools\.)?(count|cycle)|iter"
)
"""Calls that make what gives another value at each use."""
COMPREHENSIONS = {"genexpr", "listcomp", "setcomp", "dictcomp"}


def test_every_dependency_has_a_lower_bound_and_nothing_else_once() -> None:
    extras = METADATA["optional-dependencies"]
    found = [*map(Requirement, chain(METADATA["dependencies"], *extras.values()))]
    bounds = [each for each in found if each.name != METADATA["name"]]
    assert [each for each in bounds if not re.fullmatch(r">=[\d.]+", str(each.specifier))] == []
    assert len({each.name for each in bounds}) == len(bounds)


def test_the_lowest_versions_that_are_tested_are_the_lower_bounds() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "floors.py"], capture_output=True, text=True, check=True
    )
    extras = METADATA["optional-dependencies"]
    declared = {*METADATA["dependencies"], *chain(*extras.values())}
    own = {text for text in declared if Requirement(text).name == METADATA["name"]}
    assert {line.replace("==", ">=") for line in done.stdout.splitlines()} == declared - own


def test_the_oldest_python_is_that_of_the_lowest_versions() -> None:
    oldest = METADATA["requires-python"].removeprefix(">=")
    assert f"\npython{oldest} -m venv " in (ROOT / ".ci" / "lowest").read_text("utf-8")
    named = [text.rpartition(" ")[2] for text in METADATA["classifiers"] if "Python :: 3." in text]
    assert named[0] == oldest
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


def test_whoever_develops_has_every_extra_that_tests_need() -> None:
    own = [each for each in METADATA["optional-dependencies"]["dev"] if each.startswith("bpcli[")]
    assert [Requirement(each).extras for each in own] == [
        {*METADATA["optional-dependencies"]} - {"bench", "dev"}
    ]


def files_of_the_repository(*options: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return {*listed.stdout.splitlines()}


def test_the_repository_holds_only_what_it_should() -> None:
    tracked = files_of_the_repository()
    visible = {name.split("/")[0] for name in tracked if not name.startswith(".")}
    folders = {"bpcli", "configs", "tests", "runs"}
    assert visible == folders | {"pyproject.toml", "README.md", "LICENSE"}
    assert {name for name in tracked if name.startswith("runs/")} == {"runs/README.md"}


def test_the_source_distribution_holds_every_file_of_the_repository(tmp_path: Path) -> None:
    tracked = files_of_the_repository()
    untracked = files_of_the_repository("--others", "--exclude-standard")
    subprocess.run(
        [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", tmp_path, ROOT],
        check=True, capture_output=True,
    )  # fmt: skip
    with tarfile.open(tmp_path / f"bpcli-{bpcli.__version__}.tar.gz") as file:
        packed = {name.partition("/")[2] for name in file.getnames()}
    assert tracked - packed == set()
    assert packed - tracked - untracked == {"PKG-INFO"}


def _globals_of_functions(table: symtable.SymbolTable, inside: bool = False) -> Iterator[str]:
    inside = inside or (table.get_type() == "function" and table.get_name() not in COMPREHENSIONS)
    if inside:
        yield from (each.get_name() for each in table.get_symbols() if each.is_global())
    for child in table.get_children():
        yield from _globals_of_functions(child, inside)


def drawn_from_in_functions(text: str, name: str) -> set[str]:
    """What an import makes once, and what gives its functions another value at each use."""
    made = {
        ast.unparse(target)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call)
        if DRAWN_FROM.fullmatch(ast.unparse(node.value.func))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }
    return made & {*_globals_of_functions(symtable.symtable(text, name, "exec"))} if made else made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("R = np.random.default_rng(0)\ndef test(): return [R.random() for _ in X]", {"R"}),
        ("R: Random = random.Random(0)\nclass T:\n    def test(self): R.random()", {"R"}),
        ("R = itertools.count()\ndef test(): return lambda: next(R)", {"R"}),
        ("R = np.random.default_rng(0)\nX = [R.random() for _ in range(9)]", set()),
        ("R = np.random.default_rng(0)\n@parametrize(R.random())\ndef test(R): R", set()),
        ("R = np.random.default_rng(0).random(9)\ndef test(): return R", set()),
    ],
)
def test_what_tests_would_draw_from_in_turn_is_found(text: str, found: set[str]) -> None:
    assert drawn_from_in_functions(text, "test.py") == found


def test_no_test_draws_other_numbers_after_other_tests() -> None:
    """They run in any order: a failure after one order of draws could not be repeated."""
    found = {
        str(path.relative_to(ROOT)): names
        for path in (ROOT / "tests").rglob("*.py")
        if (names := drawn_from_in_functions(path.read_text("utf-8"), path.name))
    }
    assert found == {}
