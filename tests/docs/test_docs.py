from __future__ import annotations

import re
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
    for cached in (docs._text, docs._sections):
        cached.cache_clear()
    yield tmp_path
    for cached in (docs._text, docs._sections):
        cached.cache_clear()


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
def test_search_finds_words_in_any_case_and_number_and_shows_the_line() -> None:
    (cook,) = docs.search("HEADINGS")
    assert cook == docs.Hit("b#how-to-cook", "# not a heading, but it is indented")
    assert [hit.reference for hit in docs.search("egg")] == ["b#eggs-in-3-minutes", "zh/a#炒鸡蛋"]
    assert [hit.line for hit in docs.search("两个")] == ["Eggs 两个。"]
    assert [hit.line for hit in docs.search("cook")] == ["# not a heading, but it is indented"]
    assert docs.search("nothing of this") == []


def test_the_contents_of_the_handbook_exist() -> None:
    for topic in docs.topics():
        assert docs.read(topic).startswith("# "), topic


_ANSWERS = [
    "mathematics#l2-weight-decay", "predictions#missing-values-and-new-categories",
    "output#exit-codes", "contributing#an-activation", "files#gbk-and-other-old-encodings",
    "evaluation#best-and-last-weights", "runs#interrupt-and-resume-a-training",
    "optimizers#how-to-choose", "notes-to-config#the-loss", "runs#what-a-run-was-trained-on",
    "export#python", "files#dates", "evaluation#cross-validation",
    "problems#the-training-diverges-exit-code-3", "runs#name-a-run",
    "mathematics#dead-and-saturated-units", "matlab#names-of-functions",
    "reliability#the-same-bits-on-another-machine", "predictions#from-excel-to-excel",
    "optimizers#learning-rate-batches-and-cost",
]  # fmt: skip
"""The sections that answer the questions for a reader in contributing.md."""


def test_search_answers_the_questions_for_a_reader() -> None:
    text = docs.read("contributing#questions-for-a-reader")
    questions = re.findall(r"^\d+\. ((?:.|\n   )+)$", text, re.MULTILINE)
    ranks = []
    for question, answer in zip(questions, _ANSWERS, strict=True):
        hits = [hit.reference for hit in docs.search(question) if "questions" not in hit.reference]
        ranks.append(hits.index(answer) + 1)
    assert sum(rank <= 15 for rank in ranks) >= 18, ranks  # as many as are shown


@pytest.mark.parametrize(
    ("words", "section"),
    [
        ("exit code 4", "output#exit-codes"),
        ("L2", "mathematics#l2-weight-decay"),
        ("gbk", "files#gbk-and-other-old-encodings"),
        ("k-fold", "evaluation#cross-validation"),
        ("saturated", "mathematics#dead-and-saturated-units"),
        ("diverged", "problems#the-training-diverges-exit-code-3"),
        ("max_fail", "evaluation#early-stopping"),
    ],
)
def test_search_shows_first_where_a_word_is_explained(words: str, section: str) -> None:
    assert section in [hit.reference for hit in docs.search(words)[:3]]
