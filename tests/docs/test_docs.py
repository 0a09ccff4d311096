from __future__ import annotations

from pathlib import Path

import pytest

from bpcli import docs
from bpcli.errors import ConfigError

CHAPTER = """\
# Title

Some words.

## How to cook

    # not a heading, but it is indented

```sh
# not a heading either
```

### Eggs, in 3 minutes

Boil them.

## Other
"""


@pytest.fixture
def handbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "README.md").write_text("# All\n\n- [b](b.md): x\n- [zh/a](zh/a.md): y\n")
    (tmp_path / "b.md").write_text(CHAPTER)
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "a.md").write_text("# 炒鸡蛋\n\nEggs 两个。\n", "utf-8")
    monkeypatch.setattr(docs, "FOLDER", tmp_path)
    docs._text.cache_clear()
    yield tmp_path
    docs._text.cache_clear()


@pytest.mark.usefixtures("handbook")
def test_topics_are_those_of_the_contents_in_their_order() -> None:
    assert docs.topics() == ["b", "zh/a"]
    assert docs.read("README").startswith("# All")
    assert docs.read("zh/a") == "# 炒鸡蛋\n\nEggs 两个。\n"


@pytest.mark.usefixtures("handbook")
def test_a_section_ends_at_the_next_heading_of_its_level() -> None:
    assert docs.read("b#eggs-in-3-minutes") == "### Eggs, in 3 minutes\n\nBoil them.\n"
    section = docs.read("b#how-to-cook")
    assert section.startswith("## How to cook\n")
    assert section.endswith("Boil them.\n")
    assert docs.read("b#title") == CHAPTER.rstrip() + "\n"


@pytest.mark.usefixtures("handbook")
@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("zh/b", "no chapter `zh/b`; did you mean `zh/a`? `bpnet docs` lists"),
        ("../b", "no chapter `../b`; "),
        ("b#egs-in-3-minutes", "no section `egs-in-3-minutes`; did you mean `eggs-in-3-minutes`?"),
        ("b#x", "Chapter `b` has no section `x`; `bpnet docs b` shows"),
    ],
)
def test_an_unknown_chapter_or_section_is_named(reference: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        docs.read(reference)
    assert message in str(error.value)


@pytest.mark.usefixtures("handbook")
def test_search_finds_all_words_in_any_case_and_headings_come_first() -> None:
    (cook,) = docs.search("HEADING either")
    assert cook == docs.Hit("b#how-to-cook", "How to cook", "# not a heading either")
    assert [hit.reference for hit in docs.search("eggs")] == ["b#eggs-in-3-minutes", "zh/a#炒鸡蛋"]
    assert [hit.line for hit in docs.search("两个")] == ["Eggs 两个。"]
    assert docs.search("eggs words") == []


def test_the_contents_of_the_handbook_exist() -> None:
    for topic in docs.topics():
        assert docs.read(topic).startswith("# "), topic


@pytest.mark.parametrize(
    ("words", "section"),
    [
        ("exit code 4", "output#exit-codes"),
        ("L2", "mathematics#l2-weight-decay"),
        ("gbk", "files#gbk-and-other-old-encodings"),
        ("cross-validation", "evaluation#cross-validation"),
        ("saturated", "mathematics#dead-and-saturated-units"),
        ("diverged", "problems#the-training-diverges-exit-code-3"),
    ],
)
def test_search_shows_first_where_a_word_is_explained(words: str, section: str) -> None:
    assert section in [hit.reference for hit in docs.search(words)[:3]]
