"""A trace for people: what is shown is right, fits a page, and is the same in every format."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strangers import any_name, is_harmless
from strategies import problems
from systems import CONFIGS

from bpcli.cli.signs import HANDLER
from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES
from bpcli.optimizers import OPTIMIZERS, GradientDescent
from bpcli.terminal.stream import Stream
from bpcli.text import text_width
from bpcli.trace import formulas, latex, markdown, plain
from bpcli.trace.blocks import Arrays, Block, Chain, Heading, Named, Prose
from bpcli.trace.cells import Sheet, sheets
from bpcli.trace.numbers import Entry, Setting, Trace, trace
from bpcli.trace.updates import trace_updates
from bpcli.trace.walk import walk
from bpcli.training.batches import Batches
from bpcli.training.loop import Training

EVERYTHING = (
    "name=iris_50",
    "loss=mse",
    "network.layers=[4,3,12,3]",
    "network.activations=[{name: maxout, pieces: 2}, elu, softmax]",
    "network.bias=[true,false,frozen]",
    "training.l2=0.1",
    "training.optimizer=adam",
    "training.class_weights=balanced",
)
"""Most that a page can show, in one config of iris."""


def traced(name: str, *overrides: str, **options: object) -> Trace:
    config = load_config(CONFIGS / f"{name}.yaml", overrides)
    experiment = build(config, needs_targets=False)
    return trace(experiment, experiment.initial_params, **options)  # type: ignore[arg-type]


def text_of(shown: Trace, encoding: str = "utf-8") -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding)
    plain.show(
        walk(shown),
        Stream(file),
        lambda text: text.encode(encoding, HANDLER).decode(encoding),
    )
    file.seek(0)
    return file.read()


def sheets_of(blocks: Iterable[Block]) -> list[Sheet]:
    return [sheet for block in blocks if isinstance(block, Arrays) for sheet in sheets(block)]


# What formulas there are.


def test_every_activation_loss_and_optimizer_has_its_formula() -> None:
    for activation in (kind() for kind in ACTIVATIONS.values()):
        assert activation.formula.startswith("a")
        is_slope = activation.derivative.startswith("f'(z) = ")
        assert is_slope or activation.derivative.startswith("delta")
        assert is_slope == activation.is_elementwise
    for loss in LOSSES.values():
        assert loss.formula.startswith("loss_i = ")
        assert loss.derivative.startswith("delta = " if loss.is_canonical else "∂loss_i/∂a = ")
        assert loss.is_canonical == (loss.output_activations is not None)
    for optimizer in set(OPTIMIZERS.values()) - {GradientDescent}:
        assert optimizer.formulas
        assert optimizer.notation


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"maxout", "softmax"}))
@pytest.mark.parametrize("z", [-1.3, 0.7])
def test_the_formulas_of_an_activation_are_what_it_computes(name: str, z: float) -> None:
    activation = ACTIVATIONS[name]()
    column = np.array([[z]])
    a, slope = np.empty((1, 1)), np.empty((1, 1))
    activation.forward(column, a)
    activation.pullback(column, a, np.ones((1, 1)), slope)
    words = vars(activation) | {"z": "(z)", "a": "(a)"}
    for formula, expected in ((activation.formula, a), (activation.derivative, slope)):
        shown = formulas.worded(formula, words).partition(" = ")[2]
        assert value_of(shown, z=z, a=a.item()) == pytest.approx(expected.item())


def value_of(formula: str, **names: float) -> float:
    """A formula of the plain notation as a number."""
    code = formula.replace("²", "**2").replace("·", "*").replace("∘", "*")
    code = re.sub(r"\|([^|]*)\|", r"abs(\1)", code)
    code = re.sub(r"([\d)]) (?=[\d(a-z](?!lse|here))", r"\1 * ", code)
    branch = re.fullmatch(r"(.*) where (.*), else (.*)", code)
    if branch:
        code = f"({branch[1]}) if ({branch[2]}) else ({branch[3]})"
    functions = {"exp": np.exp, "ln": np.log, "tanh": np.tanh, "max": max, "abs": abs}
    functions |= {"sign": np.sign, "clip": np.clip}
    return float(eval(code, functions | names))  # a formula of our own


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("a - y", "(a - y)"),
        ("-0.2 - (-0.3)", "(-0.2 - (-0.3))"),
        ("(a) + (y)", "((a) + (y))"),
        ("2 (a - y)", "2 (a - y)"),
        ("tanh(2 (a - y))", "tanh(2 (a - y))"),
        ("1e-05 a", "1e-05 a"),
    ],
)
def test_a_sum_gets_brackets_as_a_factor(text: str, factor: str) -> None:
    assert formulas.bracketed(text) == factor


# Worked-out lines.


def test_a_piece_that_is_not_the_largest_has_the_delta_0() -> None:
    shown = traced(
        "xor", "network.activations=[{name: maxout, pieces: 2}, sigmoid]", entry="W1[1,1]"
    )
    deltas = [
        block.parts
        for block in walk(shown)
        if isinstance(block, Chain) and block.parts[0] == "delta1[1]"
    ]
    lost = [parts for parts in deltas if len(parts) == 2]
    assert set(lost) == {("delta1[1]", "0")}
    assert all(parts[1] == "g1[1]" for parts in deltas if parts not in lost)
    assert 0 < len(lost) < len(deltas)


def worked(blocks: Iterable[Block]) -> Iterator[tuple[str, str]]:
    """The numbers of each chain, and their result."""
    for block in blocks:
        if isinstance(block, Chain) and len(block.parts) > 2:
            *_, numbers, result = block.parts
            words = re.sub(r"sign|clip|(?<=\d)e(?=[-+]\d)", "", numbers)
            if not re.search(r"[^\W\d]|…|Σ", words):
                yield numbers, result


@settings(max_examples=60)
@given(problems(most_rows=4))
def test_what_is_worked_out_is_right(problem: object) -> None:
    shown = trace_of(problem)
    count = 0
    for numbers, result in worked(walk(shown)):
        assert value_of(numbers) == pytest.approx(float(result), rel=2e-4, abs=2e-4), numbers
        count += 1
    assert count >= 2


def trace_of(problem: object, entry: Entry | None = None) -> Trace:
    """Two updates with momentum on a random network's own rows, with their weights."""
    objective = problem.objective()  # type: ignore[attr-defined]
    optimizer = GradientDescent(momentum=0.5)
    rng = np.random.default_rng(0)
    training = Training(
        objective,
        optimizer,
        problem.params,  # type: ignore[attr-defined]
        learning_rate=0.1,
        batches=Batches(),
        rng=rng,
    )
    rows = len(objective.data)
    setting = Setting(
        "random", objective.network, optimizer, 0.1, np.arange(rows), ("train",) * rows, "rows",
        (), objective.data.columns[1], objective.data.weight, objective.l2, objective.reduction,
        rows,
    )  # fmt: skip
    updates = tuple(trace_updates(training, optimizer, 2))
    layers = objective.network.layers
    place = len(layers)
    chosen = entry or Entry(f"W{place}", place, layers[-1].rows, 1)
    return Trace(setting, updates[0].passes[0].forward, updates, chosen)


@settings(max_examples=40)
@given(problems(most_rows=4))
def test_a_weight_of_the_first_layer_is_followed_rightly_too(problem: object) -> None:
    first = problem.network.layers[0]  # type: ignore[attr-defined]
    shown = trace_of(problem, Entry("W1", 1, first.rows, first.inputs))
    for numbers, result in worked(walk(shown)):
        assert value_of(numbers) == pytest.approx(float(result), rel=2e-4, abs=2e-4), numbers


def test_the_worked_example_reads_as_in_a_book() -> None:
    text = text_of(traced("mazur", entry="W1[2,1]"))
    assert "delta2[2] = (a2[2] - y[2]) · f'(z2[2])" in text
    assert "= (0.772928 - 0.99) · 0.17551 = -0.0380982" in text
    assert "delta1[2] = f'(z1[2]) · Σ_k W2[k,2] delta2[k]" in text
    assert "= 0.25 - 0.5 · 0.000497713 = 0.249751144" in text


# Pages.


def every_config() -> list[str]:
    return sorted(path.stem for path in CONFIGS.glob("*.yaml"))


@pytest.mark.parametrize("name", every_config())
def test_every_config_is_shown_in_every_format(name: str) -> None:
    shown = traced(name)
    text = text_of(shown)
    assert text.startswith(("One update of", "Forward pass of"))
    assert max(map(text_width, text.splitlines())) <= 80
    _check_markdown(markdown.document(walk(shown)))
    _check_latex(latex.document(walk(shown)))
    assert shown.to_json()["name"] == name


def test_the_formats_show_the_same_numbers() -> None:
    shown = traced("softmax_iris", *EVERYTHING, rows=range(3), steps=2)
    tables = sheets_of(walk(shown))
    text, page = text_of(shown), markdown.document(walk(shown))
    fragment = latex.document(walk(shown))
    assert len(tables) > 30
    for sheet in tables:
        for label, cells in zip(sheet.labels, sheet.cells, strict=True):
            assert f"| {label} | {' | '.join(cells)} |" in page
            assert re.search(rf"^{label} +{' +'.join(map(re.escape, cells))}$", text, re.MULTILINE)
    matrices = re.findall(r"\\begin{pmatrix}\n(.*?)\n\\end{pmatrix}", fragment, re.DOTALL)
    rows = [[cell.strip() for cell in row.split("&")] for m in matrices for row in m.split("\\\\")]
    singles = [
        sheet
        for block in walk(shown)
        if isinstance(block, Arrays)
        for item in block.items
        for sheet in sheets(Arrays((item,)))
    ]
    dots = {"\\cdots", "\\vdots", "\\ddots"}
    found = [["…" if cell in dots else _plain(cell) for cell in row] for row in rows]
    assert found == [cells for sheet in singles for cells in sheet.cells]


def _plain(cell: str) -> str:
    """A number as it was before TeX."""
    match = re.fullmatch(r"(.*) \\cdot 10\^{(.)?(\d+)}", cell)
    return cell if match is None else f"{match[1]}e{match[2] or '+'}{int(match[3]):02d}"


def _check_markdown(page: str) -> None:
    """Every table has one rule, and as many cells in each row."""
    for table in re.findall(r"(?:^\|.*\|$\n?)+", page, re.MULTILINE):
        counts = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(counts) == 1
        assert set(table.splitlines()[1]) == set("|-: ")
    assert page.count("```") % 2 == 0


def _check_latex(fragment: str) -> None:
    """Balanced, and of ASCII and the accented letters that any TeX knows."""
    body = re.sub(r"^%.*\n|\\[{}%]", "", fragment)
    assert body.count("{") == body.count("}")
    names = [re.findall(rf"\\{word}{{(\w+\*?)}}", body) for word in ("begin", "end")]
    assert sorted(names[0]) == sorted(names[1])
    assert body.count("\\[") == body.count("\\]")
    assert all(c.isascii() or "À" <= c <= "ž" for c in body)
    assert "%" not in body


def test_wide_matrices_are_cut_on_a_page_and_whole_in_json() -> None:
    shown = traced("plane", "network.layers=[2,30,1]", "network.activations=[tanh,identity]",
                   "network.parameters=null")  # fmt: skip
    text = text_of(shown)
    assert "… " in text
    assert "--format json" in text
    assert "\\cdots" in latex.document(walk(shown))
    assert "\\vdots" in latex.document(walk(shown))
    assert "| … |" in markdown.document(walk(shown))
    assert np.shape(shown.to_json()["updates"][0]["after"]["W1"]) == (30, 2)
    assert "--format json" not in text_of(traced("xor"))


def test_a_cut_keeps_the_first_and_the_last() -> None:
    array = np.arange(900.0).reshape(30, 30)
    (sheet,) = sheets(Arrays((Named("x", array),)))
    assert (sheet.labels[0], sheet.labels[-1], sheet.headers[-1]) == ("1", "30", "30")
    assert (sheet.cells[0][0], sheet.cells[-1][-1]) == ("0", "899")


def test_several_updates_follow_each_other() -> None:
    text = text_of(traced("xor", steps=2))
    assert text.startswith("2 updates of xor on rows 0 to 3, the whole training set\n")
    first, second = text.split("Update 2\n")
    assert "Update 1\n" in first
    (after,) = re.findall(r"and is ([\d.]+) after", first)
    assert f"The objective was {after} before" in second


def test_layer_by_layer_there_is_a_pass_for_each() -> None:
    optimizer = "training.optimizer={name: gradient_descent, update: layerwise}"
    text = text_of(traced("mazur", optimizer))
    upper, lower = text.split("For layer 2, ")[1].split("For layer 1, ")
    for part, moved, kept in ((upper, 2, 1), (lower, 1, 2)):
        assert f"∂loss/∂W{moved} = delta{moved} a{moved - 1}ᵀ" in part
        assert f"W{moved} ← W{moved} - η" in part
        assert f"W{kept} ← " not in part
    assert "delta1" not in upper
    assert "delta2 = " in lower
    assert "One entry followed: W1[" in lower


def test_a_refused_step_is_told() -> None:
    text = text_of(traced("plane", "data.n_samples=6", "training.optimizer=bfgs", steps=100))
    assert "No step was made. " in text


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "latin-1"])
def test_a_poorer_encoding_gets_words_for_symbols(encoding: str) -> None:
    text = text_of(traced("xor"), encoding)
    assert "?" not in text
    if encoding == "ascii":
        assert "dloss/dW1 = delta1 a0^T" in text


def test_numbers_keep_their_digits_however_small_or_large() -> None:
    array = np.array([[0.5, 1e-7, -2e9, 0.0, -0.0]])
    (sheet,) = sheets(Arrays((Named("x", array),)))
    found = [float(cell) for cell in sheet.cells[0]]
    np.testing.assert_allclose(found, array[0], rtol=1e-3)
    assert sheet.cells[0][3] == sheet.cells[0][4]


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 4), st.integers(1, 5)),
        elements=st.floats(-1e9, 1e9, allow_subnormal=False),
    )
)
def test_what_a_cell_shows_is_its_number(array: np.ndarray) -> None:
    (sheet,) = sheets(Arrays((Named("x", array),)))
    for row, cells in zip(array, sheet.cells, strict=True):
        for value, cell in zip(row, cells, strict=True):
            digits = len(cell.partition(".")[2].partition("e")[0])
            unit = 10.0**-digits * 10.0 ** int(cell.partition("e")[2] or 0)
            assert abs(float(cell) - value) <= 0.5000001 * unit
            assert abs(float(cell) - value) <= 0.05 * abs(value)


@given(st.randoms(use_true_random=False))
def test_a_name_is_text_in_every_format(rng: Random) -> None:
    name = any_name(rng)
    blocks = [
        Heading(1, name),
        Prose(name),
        Arrays((Named(name, np.ones((1, 2)), (name, name)),)),
        Arrays((Named("x", np.ones((2, 2)), (name, name)),)),
    ]
    stream = Stream(io.StringIO())
    plain.show(blocks, stream, str)
    page, fragment = markdown.document(blocks), latex.document(blocks)
    for text in (stream.file.getvalue(), page, fragment):  # type: ignore[attr-defined]  # a StringIO
        assert is_harmless(text)
    assert not re.search(r"(?<!\\)(\\\\)*[<`$&]", page)
    title = re.search(r"section\*\{(.*)\}", fragment)
    assert title is not None
    assert not re.search(r"\\(input|end|frac|write|def)", fragment.replace("\\end{pmatrix}", ""))
    words = re.sub(r"\\[{}&#_%]|\\text\w+\{\}|\{\\char36\}|\$[^$]*\$", "", title[1])
    assert not set(words) & set("\\{}$&#^_~%")


ENGINES = ("pdflatex", "lualatex", "xelatex", "tectonic")


def test_the_latex_compiles(tmp_path: Path) -> None:
    engine = next((name for name in ENGINES if shutil.which(name)), None)
    if engine is None:
        pytest.skip(f"no TeX engine is installed: {', '.join(ENGINES)}")
    special = '50% _ $ # & ~ ^ \\ { } < > | " é 字 ∂loss ᵀ · … Σ ½ ²'
    fragments = [latex.document([Heading(1, special), Prose(special)])]
    fragments += [
        latex.document(walk(shown))
        for shown in (
            traced("mazur"),
            traced("forward_3443"),
            traced("softmax_iris", *EVERYTHING, rows=range(3), steps=2),
            *(traced("plane", "data.n_samples=9", f"loss={name}") for name in formulas.GRAD_A),
            *(traced("plane", "data.n_samples=9", f"training.optimizer={name}")
              for name in OPTIMIZERS),
            *(traced("plane", "network.layers=[2,2,1]", "network.parameters=null",
                     f"network.activations=[{name},identity]") for name in ACTIVATIONS),
        )
    ]  # fmt: skip
    (tmp_path / "notes.tex").write_text(
        "\\documentclass{article}\\usepackage{amsmath}\\begin{document}\n"
        + "\n\n".join(fragments)
        + "\n\\end{document}\n",
        "utf-8",
    )
    options = [] if engine == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run(
        [engine, *options, "notes.tex"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-2000:]
    assert (tmp_path / "notes.pdf").is_file()
