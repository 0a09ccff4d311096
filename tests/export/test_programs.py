"""What holds for every exported file that is a program: literals alone, and run before written."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from models import TOUCH, a_model

from bpcli.data.columns import InputColumn
from bpcli.errors import GateFailed, RunError
from bpcli.export.child import NotVerified
from bpcli.export.export import FORMATS
from bpcli.nn.activations import ACTIVATIONS, LeakyRelu

TANH = ACTIVATIONS["tanh"]()
PROGRAMS = ("python", "c", "javascript", "matlab")
RUNNERS = {"c": "cc", "javascript": "node", "matlab": "octave-cli"}


@pytest.mark.parametrize(
    ("to", "complaint"),
    [("c", "no C compiler found"), ("javascript", "no Node found"), ("matlab", "no Octave found")],
)
def test_without_its_runner_a_file_is_not_verified(
    to: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = a_model(TANH)
    content = FORMATS[to].content(model)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotVerified, match=f"^{complaint}$"):
        FORMATS[to].verify(content, model)


WRONG: dict[str, list[tuple[tuple[str, str], str]]] = {
    "c": [
        (("tanh(z[i])", "tanh(z[i]) + 1e-9"), "The C file gives .* where bpnet gives"),
        (("outputs[largest]", "-outputs[largest]"), "The classes of the C file do not match"),
        (("int largest = 0;", "int largest = ;"), "The C file failed in a test run"),
        (("? \"\" :", "? \"\\t\" :"), "printed something other than its predictions"),
        (("int main(void)\n{", "int main(void)\n{\n    return 3;"), "failed .*: exit code 3"),
    ],
    "javascript": [
        (("Math.tanh(z[i])", "Math.tanh(z[i]) + 1e-9"), "JavaScript file gives .* where bpnet"),
        (("Math.max(...y)", "Math.min(...y)"), "The classes of the JavaScript file do not match"),
        (("export function predict", "export unction"), "The JavaScript file failed"),
        (("export function predict", "console.log(3);\nexport function predict"), "something o"),
        (("[name, y[k]]", "[name, 'a']"), "gives something other than numbers"),
    ],
    "matlab": [
        (("a = tanh(z)", "a = tanh(z) + 1e-9"), "The MATLAB file gives .* where bpnet gives"),
        (("max(y1,[],1)", "min(y1,[],1)"), "The classes of the MATLAB file do not match"),
        (("y1 = a2", "y1 = a2; disp('hello')"), "printed something other than its predictions"),
        (("Q = size", "Q = = size"), "The MATLAB file failed in a test run"),
    ],
}  # fmt: skip
"""Changes of a right file, and what is said of it then."""


@pytest.mark.parametrize(
    ("to", "change", "complaint"), [(to, *case) for to, cases in WRONG.items() for case in cases]
)
def test_a_wrong_file_is_not_written(to: str, change: tuple[str, str], complaint: str) -> None:
    if shutil.which(RUNNERS[to]) is None:
        pytest.skip(f"there is no {RUNNERS[to]}")
    model = a_model(TANH, output="softmax", outputs=2, classes=("a", "b"))
    text = FORMATS[to].content(model).decode()
    assert change[0] in text
    with pytest.raises(GateFailed, match=complaint):
        FORMATS[to].verify(text.replace(*change).encode(), model)


# A stranger's run.


@pytest.mark.parametrize("to", PROGRAMS)
@pytest.mark.parametrize(
    ("column", "complaint"),
    [
        (InputColumn("x", f"{TOUCH} or str"), "expected number, boolean, category or date"),  # type: ignore[arg-type]
        (InputColumn("x", fill=TOUCH), "expected a finite number"),
        (InputColumn("x", "category", ("a",), fill=1.5), "expected a"),
        (InputColumn("x", "category", (1,)), "expected a name"),  # type: ignore[arg-type]
        (InputColumn(["x"]), "expected a name"),  # type: ignore[arg-type]
    ],
)
def test_the_text_is_made_of_literals_alone(to: str, column: InputColumn, complaint: str) -> None:
    with pytest.raises(RunError, match=complaint):
        FORMATS[to].content(a_model(TANH, columns=(column,)))


@pytest.mark.parametrize("to", ["c", "javascript", "matlab"])
def test_a_part_of_a_calendar_is_one_of_three(to: str) -> None:
    column = InputColumn("x", "date", calendar=(TOUCH,))  # type: ignore[arg-type]
    with pytest.raises(RunError, match="expected month, weekday or hour"):
        FORMATS[to].content(a_model(TANH, columns=(column,)))


@pytest.mark.parametrize("to", PROGRAMS)
@pytest.mark.parametrize("slope", [TOUCH, float("inf"), True, None])
def test_an_option_that_is_no_number_is_no_code(to: str, slope: Any) -> None:
    with pytest.raises(RunError, match="a finite number"):
        FORMATS[to].content(a_model(LeakyRelu(slope)))
