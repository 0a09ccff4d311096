"""Fonts for characters that matplotlib's own font does not have."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib import font_manager, get_data_path
from matplotlib.figure import Figure
from matplotlib.text import Text

from bpcli.plots import fonts
from bpcli.plots.fonts import (
    BOX,
    OWN,
    drawable,
    families_for,
    missing_characters,
    note_on_fonts,
    set_fonts,
)
from bpcli.plots.style import house_style, literal, rendered

FONTS = Path(get_data_path(), "fonts", "ttf")
PRIVATE = "\N{LATIN SMALL LETTER A}\ue123"
has_chinese = pytest.mark.skipif(
    drawable("温") == BOX, reason="no installed font has Chinese characters"
)


def test_latin_greek_cyrillic_hebrew_and_arabic_need_no_other_font() -> None:
    for text in ("naïve", "αβγ", "Привет", "שלום", "عرب", "m²"):
        assert families_for(text) == []
        assert drawable(text) == text


def test_characters_without_a_font_are_boxes_and_are_collected() -> None:
    with missing_characters() as missing:
        assert literal(PRIVATE + "\n") == f"a{BOX}{BOX}"
        assert literal("a") == "a"
    assert missing == {"\ue123"}, "no font has line breaks"
    literal("\ue124")
    assert "\ue124" not in missing, "the context has ended"


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [
        ("温度", "(度 温): install one, on Debian or Ubuntu with `apt install fonts-noto-cjk`, "),
        ("カ각", "`apt install fonts-noto-cjk`"),
        ("ไह", "`apt install fonts-noto-core`"),
        ("🙂温", "`apt install fonts-noto-cjk fonts-symbola`"),
        ("\ue123", "(U+E123): use other names"),
        ([chr(0x4E00 + n) for n in range(20)], " and 8 more): "),
    ],
)
def test_a_note_names_characters_and_the_package_that_has_them(
    missing: list[str], remedy: str
) -> None:
    assert remedy in note_on_fonts(missing)


def test_there_is_no_note_without_boxes() -> None:
    assert note_on_fonts([]) == ""


@has_chinese
def test_chinese_labels_are_drawn_wherever_they_stand() -> None:
    with house_style():
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], label=literal("图例"))
        axes.set_xlabel(literal("温度 $x$"))
        axes.set_yticks([0, 1], [literal("高"), "low"])
        axes.legend()
        set_fonts(figure)
        figure.draw_without_rendering()  # missing glyphs would be a warning, which is an error
        foreign = [text for text in figure.findobj(Text) if families_for(text.get_text())]
    assert {text.get_text() for text in foreign} >= {"图例", "高"}
    for text in foreign:
        assert text.get_fontfamily()[0] == OWN
        assert len(text.get_fontfamily()) == 3
    assert "温度 $x$" in rendered(figure, ".svg").decode()


@has_chinese
def test_each_region_has_its_forms_of_the_characters() -> None:
    chinese, japanese = families_for("骨"), families_for("骨の")
    if "Noto Sans CJK SC" not in chinese:
        pytest.skip("the font is not Noto Sans CJK")
    assert "Noto Sans CJK JP" in japanese


@pytest.fixture
def no_cache() -> Iterator[None]:
    """What is known of the installed fonts is forgotten before and after a test."""
    caches = (fonts._files, fonts._file_with, fonts._codes)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.mark.usefixtures("no_cache")
def test_fonts_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = font_manager.findSystemFonts
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: asked.append(1) or real())
    for _ in range(3):
        drawable("温\ue125度")
    assert asked == [1]


@pytest.mark.usefixtures("no_cache")
def test_no_font_that_was_looked_through_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [str(path) for path in FONTS.glob("[!L]*.ttf")]  # the last resort has all characters
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: found)
    before = len([*Path("/dev/fd").iterdir()])
    assert drawable("\N{EGYPTIAN HIEROGLYPH A001}") == BOX, "all fonts were opened"
    assert len(found) > 30
    assert len([*Path("/dev/fd").iterdir()]) == before


@pytest.mark.usefixtures("no_cache")
def test_a_damaged_font_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    shutil.copy(FONTS / "STIXGeneral.ttf", tmp_path / "stix.ttf")
    found = [str(tmp_path / name) for name in ("broken.ttf", "stix.ttf")]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: found)
    assert drawable("a\ue125温") == f"a{BOX}{BOX}"
