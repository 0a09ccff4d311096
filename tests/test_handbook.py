"""The handbook: what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bpcli

PACKAGE = Path(bpcli.__file__).parent
DOCS = PACKAGE / "docs"
GUIDE = (DOCS / "contributing.md").read_text("utf-8")
ROOT = PACKAGE.parent


@pytest.mark.parametrize("name", sorted({*re.findall(r"`((?:bpcli/|tests/)[\w/]+\.py)`", GUIDE)}))
def test_every_file_that_the_guide_names_exists(name: str) -> None:
    assert (ROOT / name).is_file()


def test_the_guide_describes_every_folder() -> None:
    table = GUIDE.partition("From the ground:")[2].partition("`tests/` has")[0]
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | {"docs"}
    assert folders - {*re.findall(r"`(\w+)/`", table)} == set()


def test_the_changelog_begins_with_this_version() -> None:
    newest = re.search(r"^## (\S+)", (DOCS / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == bpcli.__version__
