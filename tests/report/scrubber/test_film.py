"""The scrubber in a browser: what it shows, how it is used, and how much it does."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Opened, opened
from plotted import subject_of

from bpcli.report.html import tag
from bpcli.report.page import page
from bpcli.report.scrubber import section
from bpcli.report.scrubber.equations import equations_of, stations_of
from bpcli.report.scrubber.plane import POINTS_ID
from bpcli.report.scrubber.recording import recording_of
from bpcli.report.words import words_of
from bpcli.runs.subject import Subject
from bpcli.trace.numbers import objective_on
from bpcli.trace.row_equations import Numbers, RowEquations, Rows
from bpcli.trace.updates import trace_pass

MOST_BYTES = 1_400_000


def written(subject: Subject, folder: Path, language: str = "en") -> Path:
    words = words_of(language)
    made = section(subject, words)
    assert made is not None
    file = folder / f"{subject.name[:8]}-{language}.html"
    file.write_text(page(subject.name, tag("h1", subject.name), [made], words), "utf-8")
    return file


@pytest.fixture(scope="module")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The film of a shipped config, as a file; it is made once for all tests that open it."""

    @cache
    def made(config: str, language: str = "en", **overrides: object) -> Path:
        folder = tmp_path_factory.mktemp("film")
        changes = {"training__epochs": 20, "training__record_params": True, **overrides}
        return written(subject_of(folder / "runs", config, **changes), folder, language)

    return made


def moving(found: Opened) -> Any:
    """The page, reloaded for a reader who wants to see motion."""
    found.page.emulate_media(reduced_motion="no-preference")
    found.page.reload()
    return found.page


def slider(page: Any) -> int:
    return int(page.locator("#film-slider").input_value())


def until(page: Any, is_so: Callable[[], bool]) -> None:
    """Wait; the policy of the page forbids playwright's own way, which evaluates a string."""
    for _ in range(600):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it never was so")


def test_it_opens_at_the_epoch_that_was_kept_and_says_so(browser: Any, tmp_path: Path) -> None:
    settings = {"training__epochs": 62, "training__record_params": True}
    subject = subject_of(tmp_path / "runs", "moons", **settings)
    best = subject.record.best_epoch
    assert 0 < best < 62
    with opened(browser, written(subject, tmp_path)) as found:
        assert slider(found.page) == best
        assert found.page.locator("#film-now").inner_text().endswith(", the epoch kept")
        first = found.page.locator("#scrubber p").first.inner_text()
        assert first.endswith(f"the epoch kept, {best}, which has the lowest validation loss.")
        found.page.locator("#film-back").click()
        assert "the epoch kept" not in found.page.locator("#film-now").inner_text()


def test_without_recorded_parameters_there_is_no_section(tmp_path: Path) -> None:
    assert section(subject_of(tmp_path, "xor", training__epochs=2), words_of("en")) is None


@pytest.mark.parametrize("config", ["xor", "sine", "softmax_iris", "plane", "maxout_moons"])
def test_every_kind_of_network_has_its_views_and_no_errors(
    browser: Any, page_of: Callable[..., Path], config: str
) -> None:
    file = page_of(config)
    assert file.stat().st_size < MOST_BYTES
    for width in (1280, 390):
        with opened(browser, file, width=width) as found:
            found.page.locator("#film-back").click()
            assert slider(found.page) == 19
            assert found.said == []
            assert found.requests() == []
            assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    has_diagram = config != "maxout_moons"
    text = file.read_text("utf-8")
    assert ('id="film-equations"' in text) is has_diagram
    assert ('id="film-matrix-0"' in text) is not has_diagram


def inline(inputs: list[Any], targets: list[Any]) -> str:
    return f"{{inputs: {inputs}, targets: {targets}}}"


LINE = [[row / 10] for row in range(300)]
OF_ONE_INPUT = {
    "three classes": ("softmax_iris", [1, 3], inline(LINE[:105], [*"abc"] * 35)),
    "many rows of three classes": ("softmax_iris", [1, 3], inline(LINE, [*"abc"] * 100)),
    "two targets": ("sine", [1, 4, 2], inline(LINE[:90], [[x, -x] for (x,) in LINE[:90]])),
    "many rows of two targets": ("sine", [1, 4, 2], inline(LINE, [[x, -x] for (x,) in LINE])),
}


@pytest.mark.parametrize("case", OF_ONE_INPUT)
def test_the_rows_that_are_said_to_be_drawn_are_drawn(tmp_path: Path, case: str) -> None:
    config, layers, data = OF_ONE_INPUT[case]
    overrides = {"data": data, "network__layers": layers, "training__epochs": 2}
    subject = subject_of(tmp_path, config, training__record_params=True, **overrides)
    made = section(subject, words_of("en"))
    assert made is not None
    text = str(made.body)
    marks = re.search(f'<g id="{POINTS_ID}">(.*?)</g>', text)
    assert marks is not None
    drawn = len({place.partition(" ")[0] for place in re.findall(r"M([\d.-]+ [\d.-]+)m", marks[1])})
    rows = len(subject.experiment.splits["train"])
    said = re.search("Of the ([0-9]+) rows, ([0-9]+) are drawn", text)
    assert (rows, drawn) == ((rows, rows) if said is None else (int(said[1]), int(said[2])))
    assert (said is None) is (rows < 240)


SQUARE = [[k % 5, k // 5] for k in range(25)]


@pytest.mark.parametrize(
    ("layers", "data", "said"),
    [
        ([1, 4, 2], inline(LINE[:20], [[x, -x] for (x,) in LINE[:20]]), None),
        (
            [1, 4, 5],
            inline(LINE[:20], [[9 * x, 0, 8 * x, x, 7 * x] for (x,) in LINE[:20]]),
            "Of the 5 outputs, the plot shows predicted y1, predicted y3, predicted y5.",
        ),
        (
            [2, 4, 2],
            inline(SQUARE, [[x, 9 * y] for x, y in SQUARE]),
            "Of the 2 outputs, the plot shows predicted y2.",
        ),
    ],
)
def test_the_outputs_that_are_drawn_are_said(
    tmp_path: Path, layers: list[int], data: str, said: str | None
) -> None:
    overrides = {"data": data, "network__layers": layers, "training__epochs": 2}
    subject = subject_of(tmp_path, "sine", training__record_params=True, **overrides)
    made = section(subject, words_of("en"))
    assert made is not None
    found = re.search("Of the [0-9]+ outputs, [^<]*?[.]", str(made.body))
    assert said == (found and found[0])


def test_without_scripts_the_pictures_tell_the_story(
    browser: Any, page_of: Callable[..., Path]
) -> None:
    with opened(browser, page_of("xor"), scripts=False) as found:
        assert not found.page.locator("#film").is_visible()
        figures = found.page.locator(".multiples figure")
        assert 3 <= figures.count() <= 4
        assert "Epoch 0." in figures.first.inner_text()
        assert re.search(r"Loss 0\.\d+, \d of 4 training rows right\.", figures.last.inner_text())
        assert found.page.locator(".film-needs").is_visible()


def test_steps_and_reset_show_the_epochs(browser: Any, page_of: Callable[..., Path]) -> None:
    with opened(browser, page_of("xor")) as found:
        page = found.page
        assert slider(page) == 20
        page.locator("#film-reset").click()
        assert slider(page) == 0
        page.locator("#film-back").click()
        assert slider(page) == 0
        for _ in range(3):
            page.locator("#film-forward").click()
        assert slider(page) == 3
        said = page.locator("#film-said").inner_text()
        assert said.startswith("epoch 3, loss 0.")
        assert page.locator("#film-now").inner_text() == said
        text = page.locator("#film-slider").get_attribute("aria-valuetext")
        assert re.fullmatch(r"epoch 3, loss 0\.\d+", text)


def test_the_keyboard_reaches_and_uses_everything(
    browser: Any, page_of: Callable[..., Path]
) -> None:
    with opened(browser, page_of("xor")) as found:
        page = moving(found)
        page.locator("#film-slider").focus()
        page.keyboard.press("Home")
        assert slider(page) == 0
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert slider(page) == 2
        page.keyboard.press("End")
        assert slider(page) == 20
        order = []
        for _ in range(7):
            page.keyboard.press("Tab")
            order.append(page.evaluate("document.activeElement.id"))
        assert order == [
            "film-reset", "film-back", "film-play", "film-forward", "film-speed", "film-entry",
            "film-row",
        ]  # fmt: skip
        before = page.locator("#film-equations").inner_text()
        page.keyboard.press("ArrowDown")
        assert page.locator("#film-equations").inner_text() != before


def test_playing_runs_to_the_end_and_says_so(browser: Any, page_of: Callable[..., Path]) -> None:
    with opened(browser, page_of("xor")) as found:
        page = moving(found)
        page.locator("#film-speed").select_option("2")
        play = page.locator("#film-play")
        play.click()
        assert play.get_attribute("aria-pressed") == "true"
        until(page, lambda: play.get_attribute("aria-pressed") == "false")
        assert slider(page) == 20
        assert page.locator("#film-said").inner_text().startswith("The end of training: epoch 20")
        assert found.said == []


def test_pausing_stays_where_it_is(browser: Any, page_of: Callable[..., Path]) -> None:
    with opened(browser, page_of("xor", training__epochs=400)) as found:
        page = moving(found)
        page.locator("#film-play").click()
        until(page, lambda: slider(page) > 3)
        page.locator("#film-play").click()
        at = slider(page)
        assert 3 < at < 400
        page.wait_for_timeout(100)
        assert slider(page) == at
        assert page.locator("#film-said").inner_text().startswith(f"epoch {at},")


def test_with_reduced_motion_there_are_steps_only(
    browser: Any, page_of: Callable[..., Path]
) -> None:
    with opened(browser, page_of("xor")) as found:
        assert not found.page.locator("#film-play").is_visible()
        assert found.page.locator("#film-forward").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("config", ["xor", "maxout_moons"])
def test_nothing_serious_is_wrong_with_its_accessibility(
    browser: Any, page_of: Callable[..., Path], config: str, scheme: str
) -> None:
    with opened(browser, page_of(config), scheme=scheme) as found:
        moving(found)
        assert found.violations() == []


_EVERY_TEXT = """
() => {
  const pick = (id, value) => {
    const element = document.getElementById(id);
    element.value = value;
    element.dispatchEvent(new Event("input"));
  };
  const values = (id) => [...document.querySelectorAll(`#${id} option`)].map((each) => each.value);
  const found = [];
  for (const epoch of EPOCHS) {
    pick("film-slider", epoch);
    for (const row of values("film-row")) {
      pick("film-row", row);
      for (const entry of values("film-entry")) {
        pick("film-entry", entry);
        const lines = [...document.querySelectorAll("#film-equations p")];
        found.push([epoch, Number(row), entry, lines.map((each) => each.textContent)]);
      }
    }
  }
  return found;
}
"""


@pytest.mark.parametrize(
    ("config", "overrides"),
    [
        ("xor", {}),
        ("xor", {"network__dtype": "float32"}),
        ("sine", {}),
        ("softmax_iris", {"training__class_weights": "{setosa: 0.5, versicolor: 3, virginica: 1}"}),
        ("mazur", {}),
    ],
)
def test_every_text_is_that_of_trace(
    browser: Any, tmp_path: Path, config: str, overrides: dict[str, object]
) -> None:
    changes = {"training__epochs": 12, "training__record_params": True, **overrides}
    subject = subject_of(tmp_path, config, **changes)
    epochs = [0, 1, 7, 12]
    with opened(browser, written(subject, tmp_path)) as found:
        shown = found.page.evaluate(_EVERY_TEXT.replace("EPOCHS", str(epochs)))
    expected = texts_of(subject)
    assert len(shown) > 4 * len(epochs)
    for epoch, row, entry, lines in shown:
        assert lines == expected(epoch, row, entry)


def texts_of(subject: Subject) -> Callable[[int, int, str], list[str]]:
    """The lines of an entry, by the pen that `trace` uses."""
    recording = recording_of(subject)
    assert recording is not None
    has_weights = subject.experiment.splits["train"].weight is not None
    equations = equations_of(subject.network, has_weights)
    rows = stations_of(recording, equations).rows
    objective = objective_on(subject.experiment, rows)

    def lines(epoch: int, row: int, entry: str) -> list[str]:
        passed = trace_pass(objective, np.array(recording.params[epoch]))
        data = Rows(passed, objective.data.columns[1], objective.data.weight)
        texts = by_numbers(subject, Numbers(data, row), has_weights)
        templates = equations.units if entry[0] == "u" else equations.params
        assert entry[1:] in templates
        return texts[entry]

    return lines


def by_numbers(subject: Subject, pen: Numbers, has_weights: bool) -> dict[str, list[str]]:
    """All equations with their numbers, written again from the row's equations."""
    from bpcli.trace.cells import number
    from bpcli.trace.followed import parse_entry
    from bpcli.trace.row_equations import Quantity

    row = RowEquations(subject.network, pen, has_weights)
    found: dict[str, list[str]] = {}
    for name, tensor in subject.network.tensors(np.zeros(subject.network.n_params)):
        for index in np.ndindex(tensor.shape):
            entry = parse_entry(
                f"{name}[{','.join(str(each + 1) for each in index)}]", subject.network
            )
            layer, unit = entry.layer, entry.row - 1
            deltas = [*row.delta(layer, unit)]
            chains = [row.z(layer, unit), row.a(layer, unit), *deltas]
            found[f"u{layer}.{unit + 1}"] = [" = ".join(chain.parts) for chain in chains]
            value = pen.number(Quantity(name[0], layer, *entry.indices))
            delta = pen.number(Quantity("delta", layer, unit))
            last = (
                (f"delta{layer}[{unit + 1}]", delta)
                if entry.column is None
                else row.product(entry).parts
            )
            found[f"p{entry}"] = [
                f"{entry} = {value}",
                *(" = ".join(chain.parts) for chain in deltas),
                " = ".join((f"∂loss/∂{entry}", *last)),
            ]
    assert number(0.0) == "0"
    return found


def test_pointing_at_a_line_shows_its_numbers(browser: Any, page_of: Callable[..., Path]) -> None:
    with opened(browser, page_of("xor")) as found:
        page = found.page
        page.locator(".film-network svg").scroll_into_view_if_needed()
        box = page.locator(".film-network svg").bounding_box()
        size = page.evaluate(
            "(({width, height}) => [width, height])"
            "(document.querySelector('.film-network svg').viewBox.baseVal)"
        )
        ends = page.evaluate(
            "['x1', 'y1', 'x2', 'y2'].map(side => Number("
            "document.querySelector('.film-network .edges line').getAttribute(side)))"
        )
        x, y = ((ends[0] + ends[2]) / 2, (ends[1] + ends[3]) / 2)
        where = (box["x"] + x * box["width"] / size[0], box["y"] + y * box["height"] / size[1])
        page.mouse.move(*where)
        assert page.locator("#film-equations p").first.inner_text().startswith("W1[1,1] = ")
        page.mouse.move(box["x"] + 2, box["y"] + 2)
        assert page.locator("#film-equations p").first.inner_text().startswith("z1[1] = ")
        page.mouse.click(*where)
        assert page.locator("#film-entry").input_value() == "pW1[1,1]"


_CHANGES = """
() => new Promise((done) => {
  const film = document.getElementById("film");
  const slider = document.getElementById("film-slider");
  const seen = [];
  const observer = new MutationObserver((list) => seen.push(...list));
  observer.observe(film, {subtree: true, attributes: true, childList: true, characterData: true});
  const counts = [];
  const next = (epoch) => {
    if (epoch > Number(slider.max)) return done(counts);
    seen.length = 0;
    slider.value = epoch;
    slider.dispatchEvent(new Event("input"));
    setTimeout(() => {
      const added = seen.filter((each) => each.type === "childList" && each.addedNodes.length);
      counts.push([seen.length, added.length]);
      next(epoch + 1);
    });
  };
  next(0);
})
"""


def test_the_work_of_a_frame_is_bounded(browser: Any, page_of: Callable[..., Path]) -> None:
    """Two attributes for each line that changes, some for the rest, and no new elements."""
    with opened(browser, page_of("moons", training__epochs=60)) as found:
        counts = found.page.evaluate(_CHANGES)
    assert len(counts) == 61
    assert max(changes for changes, _ in counts) <= 2 * 193 + 30
    assert max(added for _, added in counts[1:]) <= 12, "the texts of a panel"


def test_only_shown_epochs_are_reached_in_a_long_training(
    browser: Any, page_of: Callable[..., Path]
) -> None:
    with opened(browser, page_of("xor", training__epochs=3000)) as found:
        page = found.page
        page.locator("#film-reset").click()
        seen = [0]
        for _ in range(5):
            page.locator("#film-slider").press("ArrowRight")
            seen.append(slider(page))
        assert seen == sorted(set(seen)), "each key leads to a later epoch"
        page.locator("#film-slider").press("ArrowLeft")
        assert slider(page) == seen[-2]


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "</svg>{0}{~1}&amp;"]


def test_hostile_names_are_shown_as_they_are(browser: Any, tmp_path: Path) -> None:
    table = tmp_path / "data.csv"
    names = ",".join('"' + name.replace('"', '""') + '"' for name in HOSTILE)
    classes = ["</script><b>one", "{epoch}"]
    rows = [f"{i % 7},{i % 5},{classes[i % 2]}" for i in range(30)]
    table.write_text("\n".join([names, *rows]), "utf-8")
    subject = subject_of(
        tmp_path / "runs", "moons",
        data=f"{{file: '{table}', targets: '{HOSTILE[2]}', split: {{val: 0.3}}}}",
        network__layers=[2, 3, 2, 1], training__epochs=5, training__record_params=True,
    )  # fmt: skip
    for language in ("en", "zh"):
        with opened(browser, written(subject, tmp_path, language)) as found:
            found.page.locator("#film-back").click()
            assert found.said == []
            assert found.requests() == []
            assert found.page.locator("#film b, #film img, main script:not([type])").count() == 0
            assert "<script>" in found.page.locator(".film-picture").text_content()
