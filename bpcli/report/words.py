"""The sentences of a report, in the languages in `languages/`.

A language is a folder of YAML files, each a mapping of keys to texts. Every language has the same
files with the same keys and the same `{placeholders}`. Only `findings.yaml` is left out of
English: a diagnosis has its titles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "languages"

LANGUAGES = ("en", "zh")


class Words:
    """The texts of one language: `words("data.rows", count=3)`."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, /, **values: object) -> str:
        """The text of a key with its placeholders filled in. The values stay plain text."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def get(self, key: str, otherwise: str) -> str:
        """The text of a key; the other text if there is no such key."""
        return self._texts.get(key, otherwise)

    def counted(self, key: str, count: int, /, **values: object) -> str:
        """The text of `key.one` for 1, else of `key.many`, with `{count}`."""
        form = "one" if count == 1 else "many"
        return self(f"{key}.{form}", count=f"{count:,}", **values)


@cache
def words_of(language: str) -> Words:
    """The words of a language, `en` or `zh`."""
    files = sorted((FOLDER / language).glob("*.yaml"))
    texts: dict[str, str] = {}
    for file in files:
        texts |= _texts(file)
    return Words(language, texts)


def _texts(file: Path) -> dict[str, str]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    tree: dict[str, str] = yaml.load(file.read_text("utf-8"), loader)
    return tree
