"""The languages say the same things."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from bpcli import diagnosis
from bpcli.report.words import FOLDER, LANGUAGES, words_of


def _texts(language: str, file: str) -> dict[str, str]:
    import yaml

    tree: dict[str, str] = yaml.safe_load((FOLDER / language / file).read_text("utf-8"))
    return tree


FILES = sorted(path.name for path in (FOLDER / "en").glob("*.yaml"))


def _fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


TRANSLATED = "findings.yaml"
"""The titles of findings, which are in English already."""


def test_every_language_has_the_same_files() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*LANGUAGES}
    for language in LANGUAGES:
        more = [] if language == "en" else [TRANSLATED]
        assert sorted(path.name for path in (FOLDER / language).iterdir()) == sorted(FILES + more)


def test_every_kind_of_finding_is_translated() -> None:
    sources = (path.read_text("utf-8") for path in Path(diagnosis.__file__).parent.glob("*.py"))
    kinds = re.findall(r"Finding\.of\(\s*\"(\w+)\"", "".join(sources))
    assert len(kinds) > 20
    assert {*_texts("zh", TRANSLATED)} == {f"finding.{kind}" for kind in kinds}


@pytest.mark.parametrize("file", FILES)
def test_every_language_has_the_same_keys_and_placeholders(file: str) -> None:
    one, other = _texts("en", file), _texts("zh", file)
    assert [*one] == [*other]
    assert all(isinstance(text, str) for text in (*one.values(), *other.values()))
    assert {key: _fields(text) for key, text in one.items()} == {
        key: _fields(text) for key, text in other.items()
    }


def test_values_are_filled_in() -> None:
    words = words_of("en")
    assert words("page.contents") == "Contents"
    assert words.get("page.contents", "other") == "Contents"
    assert words.get("page.nothing", "other") == "other"
    with pytest.raises(KeyError):
        words("page.nothing")
