"""MATLAB's functions give the outputs that Octave computes with them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from imported import is_close, outputs_of, refusal
from matlab_functions import OCTAVE, Form, Net, octave_outputs, random_form, random_net, text

from bpcli.errors import ModelError
from bpcli.imports.matlab import matlab_model
from bpcli.imports.model import ImportedModel
from bpcli.nn.activations import ACTIVATIONS
from bpcli.registry import name_of

DATA = Path(__file__).parent / "data"
GOLDEN = json.loads((DATA / "octave.json").read_text())
FULL = bool(os.environ.get("BPNET_FULL"))


def refused(content: str) -> str:
    return refusal(matlab_model, content)


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_function_gives_the_outputs_of_octave(name: str) -> None:
    model = matlab_model((DATA / f"{name}.m").read_text())
    case = GOLDEN[name]
    assert is_close(outputs_of(model, np.array(case["X"])), np.array(case["Y"]))


def test_the_files_are_of_many_forms() -> None:
    assert len(GOLDEN) == 10
    texts = [(DATA / f"{name}.m").read_text() for name in GOLDEN]
    assert any("x1_step1_xoffset" in each for each in texts)
    assert any("X{1,ts}'" in each for each in texts)


@pytest.mark.skipif(OCTAVE is None, reason="Octave is not installed")
def test_random_functions_give_the_outputs_of_octave(tmp_path: Path) -> None:
    cases = []
    for seed in range(200 if FULL else 12):
        rng = np.random.default_rng(seed)
        net, form = random_net(rng), random_form(rng, f"net{seed}")
        X = rng.normal(size=(7, net.width)) * 5
        cases.append((form.name, text(net, form), X, form.by_row))
    expected = octave_outputs(cases, tmp_path)
    for (name, content, X, _), Y in zip(cases, expected, strict=True):
        assert is_close(outputs_of(matlab_model(content), X), Y), name


def test_weights_and_biases_are_those_of_the_file_and_activations_are_recognised() -> None:
    model = matlab_model((DATA / "fit_columns.m").read_text())
    text_of_file = (DATA / "fit_columns.m").read_text()
    for layer, name in zip(model.layers, ("b1", "b2"), strict=True):
        line = next(line for line in text_of_file.splitlines() if line.startswith(f"{name} ="))
        numbers = np.array(line.split("=")[1].strip(" [];").split(";"), float)
        assert np.array_equal(layer.bias, numbers)
    names = [name_of(ACTIVATIONS, layer.activation) for layer in model.layers]
    assert names == ["tanh", "identity"]


def test_classes_of_softmax_are_numbered_and_a_note_says_so() -> None:
    model = matlab_model((DATA / "pattern.m").read_text())
    assert model.classes == ("1", "2", "3")
    assert "--classes" in model.notes[0]


def test_removed_inputs_have_weights_of_zero() -> None:
    model = matlab_model((DATA / "constant_rows.m").read_text())
    assert model.sizes == [5, 4, 3]
    assert not model.layers[0].weights[:, [1, 4]].any()
    assert "`x2`, `x5`" in model.notes[0]


def test_the_number_of_inputs_follows_from_what_is_removed_or_kept() -> None:
    content = (DATA / "constant_rows.m").read_text().replace("%   X = 5xQ matrix, input #1", "")
    assert matlab_model(content).sizes[0] == 5
    without = content.replace("x1_step1.remove = [2 5];", "")
    model = matlab_model(without)
    assert model.sizes[0] == 4
    assert "assumed to be the last" in model.notes[0]


# Files that were edited by hand.


def edited(change: Callable[[str], str], name: str = "matrix_only") -> ImportedModel:
    before = (DATA / f"{name}.m").read_text()
    after = change(before)
    assert after != before
    return matlab_model(after)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);", "a1=tanh( IW1_1*xp1+b1 );"),
        ("a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);",
         "n1 = IW1_1 * xp1 + b1;\na1 = 2./(1+exp(-2*n1))-1;"),
        ("a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);",
         "a1 = tansig(bsxfun(@plus, b1, mtimes(IW1_1,xp1)));"),
        ("a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);",
         "n1 = (xp1'*IW1_1' + b1')';\na1 = -1 + 2 ./ ...\n (exp(-2.*n1) + 1);"),
        ("repmat(b1,1,Q) + IW1_1*xp1", "IW1_1*xp1 + b1*ones(1,Q)"),
        ("repmat(b1,1,Q) + IW1_1*xp1", "(xp1'*IW1_1' + repmat(b1',Q,1))'"),
        ("xp1 = mapminmax_apply(x1,x1_step1);",
         "xp1 = (x1 - x1_step1.xoffset) .* x1_step1.gain - 1;"),
        ("temp = mapminmax_reverse(a2,y1_step1);",
         "temp = (a2 + 1) ./ y1_step1.gain; temp = temp + y1_step1.xoffset;"),
        ("Q = size(x1,2);", "Q = size(x1,2);\nif Q > 5, disp('many'), end\nfigure; plot(x1')"),
        ("Q = size(x1,2);", "Q = size(x1,2);\n!ls $HOME\nhold on\ndisp it's"),
        ("Q = size(x1,2);", "Q = size(x1,2);\n# Octave's comment\n%{\nx1 = 0;\n%}"),
        ("Q = size(x1,2);", "Q = size(x1,2); xlim = [-Inf Inf]; t = [1 2;3]; u = 2*xlim - NaN;"),
        ("Q = size(x1,2);", "Q = size(x1,2); z = x1 .* [1e999;1;1]; big = z * [NaN 1;2];"),
    ],
)  # fmt: skip
def test_other_spellings_and_code_around_change_nothing(old: str, new: str) -> None:
    model = edited(lambda before: before.replace(old, new))
    case = GOLDEN["matrix_only"]
    assert is_close(outputs_of(model, np.array(case["X"])), np.array(case["Y"]))


def test_a_script_takes_the_variable_that_nothing_sets_as_its_input() -> None:
    before = (DATA / "matrix_only.m").read_text()
    body = before[before.index("% =====") : before.index("end\nfunction")]
    model = matlab_model(body + before[before.index("end\nfunction") + 4 :])
    case = GOLDEN["matrix_only"]
    assert is_close(outputs_of(model, np.array(case["X"])), np.array(case["Y"]))


def test_code_after_the_outputs_is_left_out_with_a_note() -> None:
    model = edited(lambda before: before.replace("y1 = temp;", "y1 = round(temp);"))
    assert "`round`" in model.notes[0]


def test_an_input_that_other_code_computes_is_named() -> None:
    model = edited(lambda b: b.replace("Q = size(x1,2);", "x1 = sort(x1); Q = size(x1,2);"))
    assert "`x1`, which other code computes" in model.notes[0]


# Refusals.


@pytest.mark.parametrize("function", ["satlin", "satlins", "radbas"])
@pytest.mark.parametrize("layer", [0, 1])
def test_a_function_that_bpnet_has_not_is_named(function: str, layer: int) -> None:
    functions = ["tansig", "tansig"]
    functions[layer] = function
    layers = [(np.ones((2, 2)) + np.eye(2), np.ones(2), each) for each in functions]
    said = refused(text(Net([], layers, [], 2), Form()))
    assert f"`{function}_apply`" in said
    assert "line" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mapminmax_apply(x1,x1_step1)", "fixunknowns_apply(x1,x1_step1)", "`fixunknowns_apply`"),
        ("mapminmax_apply(x1,x1_step1)", "processpca_apply(x1,x1_step1)", "`processpca_apply`"),
        ("IW1_1*xp1)", "IW1_1*tapdelay1)", "`tapdelay1` is a delay"),
        ("+ LW2_1*a1", "+ LW2_1*a1 + IW2_1*xp1", "skip connection"),
        ("IW1_1*xp1)", "IW1_1*xp1 + IW1_2*x2)", "two inputs"),
        ("IW1_1*xp1)", "IW1_1*(xp1.^2))", "`.^`"),
        ("a2 = repmat", "a1(1,:) = 0;\na2 = repmat", "`a1(…) = …`"),
        ("a2 = repmat", "if Q > 3, a1 = 2*a1; end\na2 = repmat", "under a condition"),
        ("a2 = repmat", "for k=1:3, a1 = 2*a1; end\na2 = repmat", "in a loop"),
        ("a2 = repmat", "if (Q > 3) a1 = 2*a1; end\na2 = repmat", "`if ( Q > 3 )"),
        ("b1 = [", "LW3_1 = [1 2];\nb1 = [", "`LW3_1` do not lead to the output"),
        ("repmat(b2,1,Q)", "repmat(b2,2,1)", "`repmat`"),
        ("y1 = temp;", "y1{1} = temp; y1{2} = a1;", "second element of `y1`"),
        ("a2 = repmat", "a1(a1 < 0) = 0;\na2 = repmat", "`a1(…) = …`"),
        ("b2 = [", "b2 = [Inf;NaN;", "`b2` contains Inf or NaN"),
        ("IW1_1 = [", "IW1_1 = [Inf,", "`IW1_1` has rows of 3 to 4 numbers"),
        ("x1_step1.ymin = -1;", "x1_step1.ymin = -1e999;", "`x1_step1.ymin` contains Inf or NaN"),
        ("y1_step1.ymin = -1;", "y1_step1.ymin = [NaN;1];", "`y1_step1.ymin` contains Inf or NaN"),
        ("b2 = [", "b2 = [1 2;3;", "`b2` has rows of 1 to 2 numbers"),
        ("b2 = [", "b2 = [[", "never closed"),
        ("a = 2 ./ (1 + exp(-2*n)) - 1;", "a = 1e999 ./ (1 + exp(n));", "`a` contains Inf or NaN"),
        ("a = 2 ./ (1 + exp(-2*n)) - 1;", "a = 2 ./ (2 + exp(-2*n)) - 1;", "no activation"),
    ],
)  # fmt: skip
def test_what_is_no_plain_network_is_refused(old: str, new: str, said: str) -> None:
    before = (DATA / "matrix_only.m").read_text()
    if "x2" in new:
        before = before.replace("(x1)", "(x1,x2)").replace(
            "b1 =", "IW1_2 = [1 2;3 4;5 6;7 8];\nb1 ="
        )
    if "IW2_1" in new:
        before = before.replace("b1 =", "IW2_1 = [1 2 3;4 5 6];\nb1 =")
    assert old in before
    assert said in refused(before.replace(old, new))


@pytest.mark.parametrize("content", ["W = []; y = W*x;", "W = zeros(0,3); y = W*x;"])
def test_a_file_without_weights_is_refused(content: str) -> None:
    assert refused(content).endswith(".")


def test_a_comment_of_several_lines_may_contain_another() -> None:
    model = edited(lambda b: b.replace("Q = size", "%{\n#{\nx1 = 0;\n#}\n[ ' (\n%}\nQ = size"))
    assert model.sizes == [3, 4, 2]


def test_very_many_steps_are_refused() -> None:
    steps = "a = tanh(a);\n" * 6000
    assert "more than 5,000 steps" in refused(f"function y = f(x)\na = [1 2]*x;\n{steps}y = a;\n")


def test_a_file_of_much_code_is_refused_by_its_line() -> None:
    assert "line 50000: it has too many statements" in refused("a = b;\n" * 60_000)


@pytest.mark.parametrize(
    "content", ["", "hello world", "x = 1;", "function y = f(x)\ny = 2*x;\nend"]
)
def test_a_file_without_a_network_is_refused(content: str) -> None:
    assert "no network" in refused(content)


def test_nothing_is_executed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    evil = f"system('touch {victim}'); delete('x'); eval('!touch {victim}'); unix('touch {victim}')"
    model = edited(lambda before: before.replace("Q = size(x1,2);", f"Q = size(x1,2); {evil}"))
    assert model.sizes == [3, 4, 2]
    assert not victim.exists()


# Weights by their names.

_NAMED = """
net = feedforwardnet(2);
net.inputs{1}.processSettings{1}.xoffset = [0; 10];
net.inputs{1}.processSettings{1}.gain = [2; 0.1];
net.inputs{1}.processSettings{1}.ymin = -1;
net.IW{1,1} = [0.5 -1; 2, ...
   3];
net.b{1} = [0.1; 0.2];
net.LW{2,1} = [1 -2];
net.b{2} = 0.3;
"""


def test_weights_are_read_by_their_names_and_functions_are_the_usual_ones() -> None:
    model = matlab_model(_NAMED)
    a = np.tanh(np.array([[0.5, -1], [2, 3]]) @ [2 * 0.25 - 1, 0.1 * 2 - 1] + [0.1, 0.2])
    expected = np.array([[1, -2]]) @ a + 0.3
    assert is_close(outputs_of(model, np.array([[0.25, 12.0]])), expected[None])
    assert "tansig, purelin" in model.notes[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("net.LW{1,2} = [1; 2];", "feeds back"),
        ("net.IW{2,1} = [1 2];", "cascadeforwardnet"),
        ("net.IW{1,2} = [1; 2];", "second input"),
        ("net.LW{3,1} = [1 2];", "skips a layer"),
        ("net.layers{1}.transferFcn = 'satlin';", "`satlin`"),
        ("net.b{1} = [1;2;3];", "`b1` has 3 numbers"),
    ],
)
def test_other_kinds_of_named_networks_are_refused(more: str, said: str) -> None:
    assert said in refused(_NAMED + more)


def test_the_functions_of_newff_are_read_and_other_settings_are_named() -> None:
    made = "net = newff(minmax(P), [2 1], {'logsig','purelin'}, 'traingdx');\nps.xmin = [1; 2];"
    model = matlab_model(_NAMED.replace("net = feedforwardnet(2);", made))
    names = [name_of(ACTIVATIONS, layer.activation) for layer in model.layers]
    assert names == ["sigmoid", "identity"]
    assert "`ps.xmin`" in model.notes[0]


def test_plain_names_and_given_functions_are_read() -> None:
    content = "IW1_1 = [1 2];\nb1 = 3;\nLW2_1 = -4;\nb2 = 5;\n"
    content += "net.layers{1}.transferFcn = 'logsig'; net.layers{2}.transferFcn = 'purelin';"
    model = matlab_model(content)
    assert not model.notes
    assert outputs_of(model, np.array([[0.1, 0.2]]))[0, 0] == pytest.approx(
        -4 / (1 + np.exp(-3.5)) + 5, rel=1e-15
    )


# Files of strangers.


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_damaged_files_are_refused_in_a_sentence_or_read(name: str) -> None:
    content = (DATA / f"{name}.m").read_text()
    rng = np.random.default_rng(3)
    signs = list("[](){};,.'\"=+-*/%~ \n@a190eij:")
    for _ in range(1000 if FULL else 15):
        cut = content[: rng.integers(len(content))] if rng.random() < 0.3 else content
        letters = list(cut)
        for _ in range(int(rng.integers(1, 6))):
            if letters:
                letters[rng.integers(len(letters))] = str(rng.choice(signs))
        with suppress(ModelError):  # and nothing else
            matlab_model("".join(letters))
