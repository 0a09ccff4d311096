from __future__ import annotations

import re

import pytest

from bpcli import docs
from bpcli.terminal.handbook import rendered
from bpcli.text import text_width

TABLE = "| key | type | meaning |\n|---|---|---|\n| `a.b` | text | {} |\n| `c` |  | less |\n"


def plain(text: str, width: int = 60) -> list[str]:
    """The lines that are shown, without styles and empty lines."""
    shown = re.sub(r"\x1b\[[\d;]*m", "", rendered(text, width, colors=False))
    return [line for line in shown.splitlines() if line]


def test_links_name_the_command_that_shows_their_chapter() -> None:
    text = "See [gaps](tables.md#missing-values), [files](files.md), [here](#x), [zh](../zh.md)."
    assert plain(text, 100) == [
        "See gaps (bpnet docs tables#missing-values), files, here, zh.",
    ]
    assert plain("见[文件](files.md)一章") == ["见文件（bpnet docs files）一章"]
    assert plain("![Two moons](plots/moons.png)") == ["(plot plots/moons.png: Two moons)"]


def test_code_is_indented_if_it_fits_and_never_shortened() -> None:
    assert plain("```console\n$ ls\nx   y\n```") == ["    $ ls", "    x   y"]
    assert plain(f"```\n{'a' * 58}\n```") == ["a" * 58]
    assert "".join(plain(f"```\n{'a' * 130}\n```")) == "a" * 130
    assert plain(f"```\n{'权' * 29}\n```") == ["权" * 29]


def test_a_table_that_does_not_fit_is_a_paragraph_for_each_row() -> None:
    assert plain(TABLE.format("short"))[2] == " a.b  text  short"
    words = "a meaning that is long enough to be prose, whatever the width"
    assert plain(TABLE.format(words), 30) == [
        "a.b",
        "    type: text",
        "    a meaning that is long",
        "    enough to be prose,",
        "    whatever the width",
        "c",
        "    less",
    ]
    assert plain(TABLE.format("short"), 16)[:3] == ["a.b", "    type: text ·", "    meaning:"]
    chinese = "| 键 | 默认 | 含义 |\n|---|---|---|\n| `l2` | 0 | 权重衰减 |\n"
    assert plain(chinese, 16) == ["l2", "    默认：0 · 含", "    义：权重衰减"]


def test_a_break_between_wide_characters_is_no_space() -> None:
    assert plain("损失，\n权重\n`w` 和\nb 的\n均值") == ["损失，权重 w 和 b 的均值"]
    assert plain("用 `l2`\n（权重衰减）；\nE 不变") == ["用 l2（权重衰减）；E 不变"]


def test_lines_of_wide_characters_are_full_and_begin_with_no_comma() -> None:
    assert plain("网络有两个隐层，和一个输出。", 14) == ["网络有两个隐", "层，和一个输", "出。"]
    assert plain("- 用 `learning_rate`（学习率）", 18) == [
        " • 用",
        "   learning_rate",
        "   （学习率）",
    ]
    table = "| 键 | 含义 |\n|---|---|\n| `l2` | 权重衰减的系数，即正则化，按样本数平均 |\n"
    cells = [line.rstrip() for line in plain(table, 30)[2:]]
    assert cells == [" l2  权重衰减的系数，即正则", "     化，按样本数平均"]
    assert plain("- an English text, and no 中") == [" • an English text, and no 中"]


def test_without_colors_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# A\n\n`code` and **bold**\n"
    monkeypatch.setenv("TERM", "xterm")
    assert not re.search(r"\x1b\[[\d;]*3\d", rendered(text, 60, colors=False))
    assert re.search(r"\x1b\[[\d;]*3\d", rendered(text, 60, colors=True))


def test_a_dumb_terminal_gets_lines_of_its_width_without_styles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert rendered("`code` and **bold** words", 12, colors=True) == "code and\nbold words\n"


@pytest.mark.parametrize("topic", ["README", *docs.topics()])
@pytest.mark.parametrize("width", [60, 80])
def test_no_chapter_is_wider_than_the_terminal(topic: str, width: int) -> None:
    assert all(text_width(line) <= width for line in plain(docs.read(topic), width))
