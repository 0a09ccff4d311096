"""The languages say the same things."""

from __future__ import annotations

import string

import pytest

from bpcli.report.words import FOLDER, LANGUAGES, words_of


def _texts(language: str, file: str) -> dict[str, str]:
    import yaml

    tree: dict[str, str] = yaml.safe_load((FOLDER / language / file).read_text("utf-8"))
    return tree


FILES = sorted(path.name for path in (FOLDER / "en").glob("*.yaml"))


def _fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_language_has_the_same_files() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*LANGUAGES}
    for language in LANGUAGES:
        assert sorted(path.name for path in (FOLDER / language).iterdir()) == FILES


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
    assert "page.contents" in words
    with pytest.raises(KeyError):
        words("page.nothing")
