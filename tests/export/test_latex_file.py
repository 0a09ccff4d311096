"""Equations in LaTeX: their numbers are read back, and a program for TeX's formulas is at hand."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_models import drawn_models
from models import MIXED, NAMES, a_model, named_model
from strangers import is_harmless

from bpcli.errors import ConfigError, GateFailed
from bpcli.export import latex_file
from bpcli.export.child import NotVerified
from bpcli.export.export import FORMATS, export
from bpcli.export.latex_file import latex_text, rounded, verify_latex
from bpcli.export.model import Model
from bpcli.export.verify import encoded, probes
from bpcli.nn.activations import ACTIVATIONS, LeakyRelu

TANH = ACTIVATIONS["tanh"]()
ODD = ["50%", "what?", "a_b^c", "\\input{x}", "中文", "a & b \\\\"]
SMALL = [model for model in drawn_models(40) if model.network.inputs <= 16]


def verified(content: bytes, model: Model, digits: int = latex_file.DIGITS) -> None:
    try:
        verify_latex(content, model, digits)
    except NotVerified as reason:
        assert "its numbers were read back" in str(reason)  # noqa: PT017  # there may be TeX


@pytest.mark.parametrize("digits", [1, 5, 17])
def test_the_numbers_of_drawn_networks_are_read_back(digits: int) -> None:
    assert len(SMALL) > 15
    with np.errstate(over="ignore", invalid="ignore"):
        for model in SMALL:
            verified(latex_text(model, digits).encode(), model, digits)


def test_with_all_digits_nothing_is_rounded() -> None:
    model = a_model(LeakyRelu(0.3))
    np.testing.assert_array_equal(rounded(model, 17).params, model.params)
    assert not np.array_equal(rounded(model, 16).params, model.params)


@pytest.mark.parametrize(("old", "new"), [(r"1\.", "2."), (r"-(\d)", r"\1"), (r" \\\\\n", "\n")])
def test_other_numbers_are_not_written(old: str, new: str) -> None:
    model = a_model(TANH)
    text = latex_text(model)
    head, matrices = text.split("W^{(1)} = ")
    wrong = head + "W^{(1)} = " + re.sub(old, new, matrices, count=1)
    assert wrong != text
    with pytest.raises(GateFailed, match="differ when read back: it was not written"):
        verify_latex(wrong.encode(), model)


def test_the_equations_are_those_of_the_handbook() -> None:
    model = a_model(LeakyRelu(0.3), output="sigmoid", classes=("no", "yes"), columns=MIXED[:3])
    params = np.zeros_like(model.params)
    params[:7] = [1.25, -2e-7, 3, 0, 0, 0, 1e30]
    text = latex_text(replace(model, params=params), 3)
    assert (
        "z^{(1)} &= W^{(1)} a^{(0)} + b^{(1)} \\\\\n"
        "a^{(1)} &= \\max(z^{(1)}, 0.3 z^{(1)})\n\\end{align*}"
    ) in text
    assert "a^{(2)} &= 1 / (1 + \\exp(-z^{(2)}))" in text
    assert "1.25 & -2 \\cdot 10^{-7} & 3 & 0 & 0 & 0 & 1 \\cdot 10^{30}" in text
    assert "A missing value of age is replaced by 38.5." in text
    assert "class: yes if $y_{1} \\ge \\tfrac{1}{2}$, otherwise no." in text


def test_a_comment_says_how_much_the_rounding_changes() -> None:
    model = a_model(TANH, outputs=2)
    X = encoded(model, next(probes(model)))
    for digits in (2, 6):
        change = abs(rounded(model, digits).outputs(X) - model.outputs(X)).max()
        text = latex_text(model, digits)
        assert f"this changes an output by at most {change:.2g} (the largest output is" in text
    assert float(f"{change:.2g}") < 0.1


@pytest.mark.parametrize("name", [*NAMES, *ODD])
def test_no_name_becomes_a_command(name: str) -> None:
    model = named_model(name)
    text = latex_text(model)
    assert is_harmless(text)
    plain = latex_text(named_model("x"))
    commands = [
        re.findall(r"\\[a-z]+", t.replace("\\{", "").replace("\\}", "")) for t in (text, plain)
    ]
    written = {"\\textbackslash", "\\textasciicircum", "\\char", "\\textasciitilde"}
    written |= {"\\textless", "\\textgreater", "\\textbar"}
    assert [each for each in commands[0] if each not in written] == commands[1]
    is_shown = name.isprintable() and not re.search("[^\x00-\xff]", name)
    assert ("characters that are written as ?" in text) == (not is_shown)
    verified(text.encode(), model)


def test_a_network_that_is_too_large_for_a_page_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(latex_file, "_MOST_COLUMNS", 3)
    message = r"has 4 rows and 5 columns, and a page has room for 40 and 3: export to python, xlsx"
    with pytest.raises(ConfigError, match=message):
        latex_text(a_model(TANH))


def test_it_is_compiled_or_said_not_to_be_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = a_model(TANH, columns=MIXED[:3], output="softmax", outputs=2, classes=("a", "50%"))
    has_tex = any(map(shutil.which, latex_file._ENGINES))
    found = export(model, "latex", tmp_path / "m.tex", variant="3")
    assert found.path.read_text() == latex_text(model, 3)
    assert (found.not_verified is None) == has_tex
    engine = tmp_path / "pdflatex"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for code in (0, 1):
        engine.write_text(f"#!/bin/sh\ngrep -q amsmath page.tex && exit {code}\nexit 2\n")
        engine.chmod(0o755)
        if code:
            with pytest.raises(GateFailed, match="LaTeX file failed in a test run"):
                FORMATS["latex"].verify(latex_text(model).encode(), model)
        else:
            FORMATS["latex"].verify(latex_text(model).encode(), model)
