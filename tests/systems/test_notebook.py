"""A notebook, run by a kernel without a browser: what its cells show, and nothing else."""

from __future__ import annotations

import base64
import importlib.util
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

# Jupyter's own warnings are no errors of ours, and its sockets are closed with this process.
_EXECUTE = """\
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=300).execute()
nbformat.write(notebook, sys.argv[1])
"""

_CELLS = {
    "run": """\
import bpcli

run = bpcli.train(
    "moons.yaml",
    overrides={"data.split": {"train": 0.6, "val": 0.2, "test": 0.2}, "training.epochs": 300},
)
run""",
    "history": "run.history.tail()",
    "plot": 'run.plot("loss")',
    "scores": "run.evaluate()",
    "gradient": "bpcli.gradcheck(run)",
    "trace": "run.trace([1])",
    "verdict": "run.verify()",
    "network": "run.network",
    "estimator": "bpcli.BPClassifier(5, random_state=0)",
    "fitted": """\
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

X, y = load_iris(return_X_y=True, as_frame=True)
make_pipeline(PolynomialFeatures(), bpcli.BPClassifier(5, random_state=0)).fit(X, y)""",
    "not converged": "bpcli.BPClassifier(5, max_iter=2, random_state=0).fit(X, y)",
    "progress": "_ = run.resume(400, progress=True)",
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The outputs of each cell."""
    for package in ("nbclient", "ipykernel"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: it runs notebooks, and comes with [dev]")
    import nbformat

    folder = tmp_path_factory.mktemp("notebook")
    config = Path(__file__).parents[2] / "configs" / "moons.yaml"
    (folder / "moons.yaml").write_bytes(config.read_bytes())
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, _CELLS.values())])
    nbformat.write(notebook, folder / "notebook.ipynb")
    done = subprocess.run(
        [sys.executable, "-c", _EXECUTE, "notebook.ipynb"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    cells = nbformat.read(folder / "notebook.ipynb", as_version=4).cells
    return dict(zip(_CELLS, (cell.outputs for cell in cells), strict=True))


def data(outputs: list[dict[str, Any]]) -> dict[str, str]:
    """What the only output of a cell shows, by mime type."""
    (output,) = outputs
    shown: dict[str, str] = output["data"]
    return shown


def test_a_run_is_a_table_of_its_scores(shown: dict[str, list[dict[str, Any]]]) -> None:
    html = data(shown["run"])["text/html"]
    assert "moons" in html
    assert ">accuracy</td>" in html
    assert data(shown["run"])["text/plain"].startswith("Run ")
    assert "<table" in data(shown["history"])["text/html"]


def test_a_plot_is_a_picture_of_its_size_on_the_page(
    shown: dict[str, list[dict[str, Any]]],
) -> None:
    picture = imread(io.BytesIO(base64.b64decode(data(shown["plot"])["image/png"])))
    (output,) = shown["plot"]
    assert picture.std() > 0.05, "it is not blank"
    assert output["metadata"]["image/png"]["width"] == 672 < picture.shape[1]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("scores", "95 % interval"),
        ("gradient", "worst entry"),
        ("trace", "Backward"),
        ("verdict", "identical"),
    ],
)
def test_a_document_is_text_of_letters_of_one_width(
    cell: str, text: str, shown: dict[str, list[dict[str, Any]]]
) -> None:
    html = data(shown[cell])["text/html"]
    assert html.startswith('<pre style="font-family: monospace')
    assert text in html
    assert text in data(shown[cell])["text/plain"]


def test_an_estimator_is_a_diagram(shown: dict[str, list[dict[str, Any]]]) -> None:
    assert "BPClassifier" in data(shown["estimator"])["text/html"]
    assert "Not fitted" in data(shown["estimator"])["text/html"]
    html = data(shown["fitted"])["text/html"]
    assert "Pipeline" in html
    assert "BPClassifier" in html
    assert "Not fitted" not in html
    assert data(shown["network"])["text/plain"].startswith("Network(2 - 16 tanh")


def test_warnings_are_below_the_cell_that_they_are_about(
    shown: dict[str, list[dict[str, Any]]],
) -> None:
    warned, fitted = shown["not converged"]
    assert warned["name"] == "stderr"
    assert "ConvergenceWarning: Maximum iterations (2) reached" in warned["text"]
    assert ".fit(X, y)" in warned["text"], "it shows the line of the notebook"
    assert "text/html" in fitted["data"]


def test_nothing_else_is_printed_or_warned_of(shown: dict[str, list[dict[str, Any]]]) -> None:
    quiet = shown.keys() - {"not converged", "progress"}
    assert [name for name in quiet if any("name" in output for output in shown[name])] == []


def test_progress_is_lines_of_text(shown: dict[str, list[dict[str, Any]]]) -> None:
    text = "".join(output["text"] for output in shown["progress"])
    assert {output["name"] for output in shown["progress"]} == {"stderr"}
    assert "epoch" in text
    assert "\x1b" not in text, "no codes of a terminal"
