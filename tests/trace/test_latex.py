"""A trace as LaTeX: formulas translated, all else escaped."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paged import EVERYTHING, page_of
from strangers import any_name

from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES, legal_losses
from bpcli.notation.tex import math, prose
from bpcli.optimizers import OPTIMIZERS
from bpcli.trace import latex
from bpcli.trace.blocks import Arrays, Chain, Formula, Heading, Named, Prose
from bpcli.trace.walk import walk


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("W1[2,1]", "W^{(1)}_{2,1}"),
        ("a0ᵀ", "a^{(0)\\top}"),
        ("W1 a0 + b1", "W^{(1)} a^{(0)} + b^{(1)}"),
        ("delta2[1]", "\\delta^{(2)}_{1}"),
        ("a1²", "{a^{(1)}}^{2}"),
        ("y[k]²", "{y_{k}}^{2}"),
        ("∂loss/∂W1", "\\frac{\\partial\\,\\mathrm{loss}}{\\partial W^{(1)}}"),
        ("Σ_k w_i", "\\sum_{k} w_{i}"),
        ("loss_i", "\\mathrm{loss}_{i}"),
        ("1.5e-07", "1.5 \\cdot 10^{-7}"),
        ("2e+10", "2 \\cdot 10^{10}"),
        ("√v_hat", "\\sqrt{\\hat v}"),
        ("tanh(z) clip(z)", "\\tanh(z) \\operatorname{clip}(z)"),
        ("z where y", "z\\text{ where } y"),
        ("η ½ ∘ ≤", "\\eta \\tfrac{1}{2} \\circ \\le"),
        ("50%", "50\\%"),
    ],
)
def test_the_plain_notation_is_translated(text: str, tex: str) -> None:
    assert re.sub(r" (?=\\text)", "", math(text)) == tex


def _formulas() -> list[str]:
    """Every formula that an activation, a loss or an optimizer has."""
    kinds = [*ACTIVATIONS.values(), *LOSSES.values()]
    found = [text for kind in kinds for text in (kind.formula, kind.derivative)]
    return found + [text for kind in OPTIMIZERS.values() for text in kind.formulas]


@pytest.mark.parametrize("formula", _formulas())
def test_no_sign_of_our_formulas_is_unknown(formula: str) -> None:
    tex = math(formula)
    assert "?" not in tex
    assert tex.isascii()
    assert tex.count("{") == tex.count("}")


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("50% _#&{}", "50\\% \\_\\#\\&\\{\\}"),
        ("\\input{x}", "\\textbackslash{}input\\{x\\}"),
        ("~^<>|", "\\textasciitilde{}\\textasciicircum{}\\textless{}\\textgreater{}\\textbar{}"),
        ("$x$", "{\\char36}x{\\char36}"),
        ("∂loss → η aᵀ", "$\\partial$loss $\\to$ $\\eta$ a${}^{\\top}$"),
        ("é 字 \x1b", "é ? ?"),
    ],
)
def test_text_is_escaped(text: str, tex: str) -> None:
    assert prose(text) == tex


def test_equations_are_aligned_at_their_signs() -> None:
    blocks = [Formula("a1 = z1"), Chain(("loss", "1 + 1", "2")), Formula("W1 ← W1 - η g1")]
    assert latex.document(blocks) == latex.PREAMBLE + (
        "\n\n\\begin{align*}\na^{(1)} &= z^{(1)} \\\\\n\\mathrm{loss} &= 1 + 1 \\\\\n&= 2 \\\\\n"
        "W^{(1)} &\\leftarrow W^{(1)} - \\eta g^{(1)}\n\\end{align*}"
    )


def test_a_long_sum_is_cut_at_its_plus_signs() -> None:
    text = " + ".join(["0.123456 · 0.234567"] * 9)
    lines = latex.document([Chain(("loss", "Σ_i loss_i", text, "1"))]).splitlines()
    pieces = [line for line in lines if "0.123456" in line]
    assert len(pieces) == 3
    assert sum(line.count("0.123456") for line in pieces) == 9
    assert all(line.startswith("&\\quad +") for line in pieces[1:])


def test_headings_and_matrices_have_their_commands() -> None:
    W, b = Named("W1", np.array([[1.0, 2.5]])), Named("b1", np.array([[-1e-9]]))
    text = latex.document([Heading(1, "A & B"), Heading(3, "C"), Arrays((W, b))])
    assert "\\section*{A \\& B}\n\n\\subsubsection*{C}" in text
    assert "W^{(1)} = \\begin{pmatrix}\n1.0 & 2.5\n\\end{pmatrix}, \\qquad\nb^{(1)} = " in text
    assert "-1.000 \\cdot 10^{-9}" in text


def test_a_matrix_that_is_cut_has_dots() -> None:
    text = latex.document([Arrays((Named("W1", np.arange(900.0).reshape(30, 30)),))])
    assert (text.count("\\vdots"), text.count("\\ddots")) == (5, 1)
    assert text.count("\\cdots") == 7


@given(st.randoms(use_true_random=False))
def test_no_name_becomes_a_command(rng: Random) -> None:
    found = prose(any_name(rng))
    words = re.sub(r"\\[{}&#_%]|\\text\w+\{\}|\{\\char36\}|\$[^$]*\$", "", found)
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
            page_of("mazur"),
            page_of("forward_3443"),
            page_of("softmax_iris", *EVERYTHING, rows=range(1, 4), steps=2),
            *(page_of("plane", "data.n_samples=9", f"loss={name}")
              for name in legal_losses("identity")),
            *(page_of("plane", "data.n_samples=9", f"training.optimizer={name}")
              for name in OPTIMIZERS),
            *(page_of("plane", "network.layers=[2,2,1]", "network.parameters=null",
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
