"""Reports of runs, opened in a browser: nothing loads, nothing fails, and all can be reached."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import opened
from systems import CONFIGS, trained

from bpcli.report.report import report_of
from bpcli.runs.store import Run
from bpcli.runs.subject import Subject
from bpcli.workflows.subject import load_subject

IS_FULL = bool(os.environ.get("BPNET_FULL"))
SHIPPED = sorted({path.stem for path in CONFIGS.glob("*.yaml")} - {"forward_3443"})
"""All but one that has no targets, which cannot be trained."""
SLOW = {"digits", "autoencoder_digits", "symmetry", "encoder_8_3_8", "parity"}
CLOSELY = ["xor", "moons", "sine", "softmax_iris"]
MOST_BYTES = 1_500_000
SECTIONS = {"data", "network", "history", "quality", "diagnosis", "repeat"}


def subject_of(run: Run) -> Subject:
    return load_subject(run, "best", None)


@pytest.fixture(scope="module")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The report of a shipped config after a few epochs, as a file; each is made once."""

    @cache
    def made(config: str, language: str = "en", **overrides: object) -> Path:
        folder = tmp_path_factory.mktemp("report")
        run = trained(folder / "runs", config, **{"training__epochs": 12, **overrides}).run
        file = folder / f"{config.replace('/', '-')}-{language}.html"
        file.write_text(report_of([subject_of(run)], language), "utf-8")
        return file

    return made


def assert_is_quiet(found: Any) -> None:
    assert found.said == []
    assert found.requests() == []


def sections_in(found: Any) -> set[str]:
    ids = found.page.evaluate("[...document.querySelectorAll('main > section')].map(s => s.id)")
    return {*ids}


@pytest.mark.parametrize("config", SHIPPED if IS_FULL else sorted({*CLOSELY, *SHIPPED[::6]}))
def test_the_report_of_a_shipped_config_is_whole(
    browser: Any, page_of: Callable[..., Path], config: str
) -> None:
    if config in SLOW and not IS_FULL:
        pytest.skip("slow: set BPNET_FULL=1")
    file = page_of(config)
    assert file.stat().st_size < MOST_BYTES
    with opened(browser, file) as found:
        assert_is_quiet(found)
        assert sections_in(found) >= SECTIONS
        assert found.page.locator("h1").inner_text() == config
    with opened(browser, file, width=390) as narrow:
        assert narrow.page.evaluate("document.documentElement.scrollWidth") == 390
        assert_is_quiet(narrow)


TABLES = {
    "tables/adult": {"data__file": "csv/adult.csv", "data__split": "{test: 0.2}"},
    "tables/ionosphere": {"data__file": "csv/ionosphere.csv", "data__split": "{test: 0.4}"},
    "tables/wine_red": {
        "data__file": "uci/wine-quality-red/data.txt",
        "data__split": "{test: 0.2}",
    },
}


@pytest.mark.parametrize("config", TABLES)
def test_the_report_of_a_real_table_is_whole(
    browser: Any, page_of: Callable[..., Path], shared_data: Path, config: str
) -> None:
    files = {**TABLES[config], "data__file": shared_data / TABLES[config]["data__file"]}
    file = page_of(config, training__epochs=3, **files)
    assert file.stat().st_size < MOST_BYTES
    with opened(browser, file) as found:
        assert_is_quiet(found)
        assert sections_in(found) >= SECTIONS


EVERY_LOOK = [
    *product(SHIPPED, ["en"], ["light", "dark"]),
    *product(CLOSELY, ["zh"], ["light", "dark"]),
]
SOME_LOOKS = [("moons", "en", "light"), ("softmax_iris", "zh", "dark")]
"""Configs with a language and a colour scheme."""


@pytest.mark.parametrize(("config", "language", "scheme"), EVERY_LOOK if IS_FULL else SOME_LOOKS)
def test_axe_finds_nothing_serious(
    browser: Any, page_of: Callable[..., Path], config: str, language: str, scheme: str
) -> None:
    with opened(browser, page_of(config, language), scheme=scheme) as found:
        assert found.violations() == []
        found.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert found.violations() == []
        assert found.page.get_attribute("html", "lang") == {"en": "en", "zh": "zh-CN"}[language]


def test_a_run_that_recorded_its_parameters_has_a_scrubber_and_a_curve_of_the_test_set(
    browser: Any, page_of: Callable[..., Path]
) -> None:
    file = page_of("moons", training__record_params="true")
    with opened(browser, file) as found:
        assert_is_quiet(found)
        assert len(sections_in(found)) == len(SECTIONS) + 1
        legend = found.page.locator("#loss .legend").inner_text()
        assert "test set" in legend
        assert "epoch kept" not in legend


HEADINGS = """
[...document.querySelectorAll('h1, h2, h3, h4')].map(h => Number(h.tagName[1]))
"""


@pytest.mark.parametrize("config", CLOSELY)
def test_headings_are_in_order_and_nothing_has_two_ids(
    browser: Any, page_of: Callable[..., Path], config: str
) -> None:
    with opened(browser, page_of(config)) as found:
        levels = found.page.evaluate(HEADINGS)
        assert levels[0] == 1
        assert all(next_ - level <= 1 for level, next_ in pairwise(levels))
        ids = found.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len({*ids})


def test_without_scripts_the_page_shows_the_same(
    browser: Any, page_of: Callable[..., Path]
) -> None:
    file = page_of("moons")
    with opened(browser, file, scripts=False) as plain, opened(browser, file) as whole:
        shown = plain.page.locator("main").inner_text()
        assert "Confusion matrix, test set" in shown
        assert plain.page.locator("svg.chart path.line").count() == (
            whole.page.locator("svg.chart path.line").count()
        )
        assert plain.page.locator("th [role=button], output, .sensitive").count() == 0
        plain.page.locator("summary").first.click()
        assert plain.page.locator("details[open] table").count() == 1


def test_a_chart_is_read_out_by_keys_and_by_the_pointer(
    browser: Any, page_of: Callable[..., Path]
) -> None:
    with opened(browser, page_of("moons")) as found:
        page = found.page
        chart, output = page.locator("#loss .sensitive"), page.locator("#loss output")
        chart.focus()
        page.keyboard.press("Home")
        first = output.inner_text()
        assert re.fullmatch(r"epoch 0: training set 0\.\d+; validation set 0\.\d+", first)
        page.keyboard.press("ArrowRight")
        assert output.inner_text().startswith("epoch 1: ")
        page.keyboard.press("End")
        assert output.inner_text().startswith("epoch 12: ")
        page.keyboard.press("Escape")
        assert output.inner_text() == ""
        chart.hover()
        assert re.match(r"epoch [567]: ", output.inner_text())
        edge = page.locator("#diagram .sensitive")
        edge.focus()
        page.keyboard.press("Home")
        assert re.match(r"W\d\[\d+,\d+\] = −?0", page.locator("#diagram output").inner_text())


def test_a_chart_is_read_out_where_it_is_tapped(browser: Any, page_of: Callable[..., Path]) -> None:
    with opened(browser, page_of("moons"), width=390) as found:
        box, output = found.page.locator("#loss .sensitive"), found.page.locator("#loss output")
        place = box.bounding_box()
        at = {"clientX": place["x"] + place["width"] / 2, "pointerType": "touch"}
        for event in ("pointerdown", "pointerleave"):  # the finger is lifted at once
            box.dispatch_event(event, at)
        assert re.match(r"epoch [567]: ", output.inner_text())
        shown = found.page.locator("#diagram .scroll")
        assert shown.evaluate("e => e.scrollWidth <= e.clientWidth"), "the diagram is scaled"


def test_a_point_is_read_out_with_its_row(browser: Any, page_of: Callable[..., Path]) -> None:
    with opened(browser, page_of("sine")) as found:
        found.page.locator("#predicted-train-1 .sensitive").focus()
        found.page.keyboard.press("Home")
        said = found.page.locator("#predicted-train-1 output").inner_text()
        assert re.fullmatch(r"row \d+: true value −?[\d.]+; predicted value −?[\d.]+", said)


def test_a_table_is_sorted_by_the_buttons_of_its_head(
    browser: Any, page_of: Callable[..., Path]
) -> None:
    with opened(browser, page_of("moons")) as found:
        table = found.page.locator("table[data-sort]").filter(has_text="95 % interval").first
        button = table.get_by_role("button", name="network")

        def column() -> list[float]:
            texts = table.locator("tbody tr td:nth-child(3)").all_inner_texts()
            return [float(text.replace("−", "-").replace(",", "")) for text in texts]

        button.focus()
        found.page.keyboard.press("Enter")
        assert column() == sorted(column())
        assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
        found.page.keyboard.press("Enter")
        assert column() == sorted(column(), reverse=True)
        assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_the_keyboard_reaches_everything_and_is_trapped_nowhere(
    browser: Any, page_of: Callable[..., Path]
) -> None:
    with opened(browser, page_of("xor")) as found:
        page = found.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.evaluate("document.activeElement.blur()")
        count = page.evaluate(
            "[...document.querySelectorAll('a, button, summary, select, input, [tabindex=\"0\"]')]"
            ".filter(e => e.checkVisibility({contentVisibilityAuto: true})).length"
        )
        page.evaluate(
            "window.seen = new Set();"
            "document.addEventListener('focusin', e => window.seen.add(e.target))"
        )
        for _ in range(count + 5):
            page.keyboard.press("Tab")
        assert page.evaluate("window.seen.size") >= count - 1  # without the region `main`


def test_printed_pages_are_light_and_have_no_controls(
    browser: Any, page_of: Callable[..., Path]
) -> None:
    with opened(browser, page_of("xor"), scheme="dark") as found:
        found.page.emulate_media(media="print")
        colour = found.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour == "rgb(255, 255, 255)"
        assert not found.page.locator("nav").is_visible()
        assert found.page.locator("details:not(.screen) .config").first.is_visible()
        assert not found.page.locator("details.screen table").first.is_visible()
        assert found.page.pdf().startswith(b"%PDF")


def without_id(text: str, run: Run) -> str:
    return text.replace(run.run_id, "RUN").replace(str(run.folder.parent), "RUNS")


def test_equal_runs_have_equal_reports_but_for_their_ids(tmp_path: Path) -> None:
    runs = [trained(tmp_path, "moons", training__epochs=5).run for _ in range(2)]
    pages = [without_id(report_of([subject_of(run)], "en"), run) for run in runs]
    assert pages[0] == pages[1]


def page_texts(file: Path) -> list[str]:
    """The text of each page of a PDF."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("there is no pdftotext: install poppler-utils")
    command = [program, "-layout", str(file), "-"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return text.split("\f")[:-1]


def test_a_table_on_two_sheets_has_its_head_on_both(
    browser: Any, page_of: Callable[..., Path], tmp_path: Path
) -> None:
    names = [f"column{number}" for number in range(60)]
    rows = np.random.default_rng(0).normal(size=(20, 60)).round(2)
    lines = [",".join([*names, "y"]), *(",".join(map(str, [*row, row[0]])) for row in rows)]
    (tmp_path / "wide.csv").write_text("\n".join(lines))
    data = f"{{file: {tmp_path / 'wide.csv'}, targets: y, task: regression, split: {{test: 0.2}}}}"
    file = page_of("sine", data=data, network__layers="[60, 2, 1]", training__batch_size="full")
    with opened(browser, file) as found:
        found.page.pdf(path=str(tmp_path / "r.pdf"), prefer_css_page_size=True)
    pages = page_texts(tmp_path / "r.pdf")
    of_columns = [text for text in pages if re.search(r"column\d+ +number", text)]
    assert len(of_columns) > 1
    assert all("deviation" in text for text in of_columns)
    assert not any("logged epochs" in text for text in pages)
