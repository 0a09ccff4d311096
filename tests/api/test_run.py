from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Result
from matplotlib.image import imread
from plotted import heading_texts
from systems import CONFIGS

import bpcli
from bpcli.errors import ConfigError, GateFailed, NoSuchRun
from bpcli.plots import fonts

Bpnet = Callable[..., Result]
MOONS = CONFIGS / "moons.yaml"


@pytest.fixture(scope="module")
def moons(tmp_path_factory: pytest.TempPathFactory) -> bpcli.Run:
    folder = tmp_path_factory.mktemp("runs")
    return bpcli.train(MOONS, folder, overrides={"training.epochs": 120, "training.log_every": 30})


@pytest.fixture
def here(moons: bpcli.Run, bpnet: Bpnet) -> Callable[..., Any]:
    """The JSON document of a command about the run."""

    def document(command: str, *options: str) -> Any:
        printed = json.loads(bpnet(command, str(moons.folder), *options, "--json").out)
        del printed["schema"]
        return printed

    return document


def test_it_tells_what_the_record_has(moons: bpcli.Run) -> None:
    record = json.loads((moons.folder / "run.json").read_text("utf-8"))
    assert (moons.id, moons.name, moons.status) == (record["run_id"], "moons", "finished")
    assert (moons.epochs, moons.best_epoch) == (record["epochs"], record["best_epoch"])
    assert (moons.stop_reason, moons.seconds) == ("epochs", record["seconds"])
    assert (moons.metrics, moons.baselines) == (record["metrics"], record["baselines"])
    assert list(moons.warnings) == record["warnings"]
    assert moons.record["layers"] == record["layers"]
    assert moons.resolved == (moons.folder / "resolved.yaml").read_text("utf-8")
    assert moons.config["training"]["stop"]["max_fail"] == 300


def test_its_numbers_cannot_be_changed_from_outside(moons: bpcli.Run) -> None:
    moons.metrics.clear()
    moons.baselines["constant"].clear()
    assert moons.metrics
    assert moons.baselines["constant"]


def test_the_history_is_the_log(moons: bpcli.Run) -> None:
    history = moons.history
    assert history.index.tolist() == [0, 30, 60, 90, 120]
    lines = [json.loads(line) for line in (moons.folder / "metrics.jsonl").read_text().splitlines()]
    assert history.loc[60, "loss"] == lines[2]["loss"]
    assert history.loc[60, "val.accuracy"] == lines[2]["val.accuracy"]
    norms = history.loc[60, ["grad_norms.1", "grad_norms.2", "grad_norms.3"]]
    assert norms.tolist() == lines[2]["grad_norms"]
    assert {str(dtype) for dtype in history.dtypes} == {"float64"}


def test_scores_are_the_document_of_the_command(moons: bpcli.Run, here: Callable[..., Any]) -> None:
    assert moons.evaluate() == here("eval")
    assert moons.evaluate("val", intervals=False) == here(
        "eval", "--split", "val", "--no-intervals"
    )
    assert "mean loss" in moons.evaluate().text
    required = moons.evaluate(require=["test.accuracy>=0.1"])
    assert moons.evaluate(require="test.accuracy>=0.1") == required
    assert required["required"] == here("eval", "--require", "test.accuracy>=0.1")["required"]


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"split": "tests"}, ConfigError, "There is no split `tests`: expected train, val, test"),
        ({"split": "val", "data": "x.csv"}, ConfigError, "both select the rows to score"),
        (
            {"require": ["test.accuracy>=2"]},
            GateFailed,
            "required: test.accuracy >= 2",
        ),
        ({"data": pd.DataFrame({"x1": [0.0]})}, bpcli.RunError, "trained on a table in a file"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    moons: bpcli.Run, asked: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        moons.evaluate(**asked)


def test_the_other_documents_are_those_of_the_commands(
    moons: bpcli.Run, here: Callable[..., Any]
) -> None:
    assert moons.trace([1, 2], entry="W1[2,1]") == here(
        "trace", "--rows", "1:2", "--entry", "W1[2,1]"
    )
    assert "One entry in detail: W1[2,1]" in repr(moons.trace([1, 2], entry="W1[2,1]"))
    verdict = moons.verify()
    assert verdict
    assert verdict == here("verify")
    assert "bit-identical" in repr(verdict)
    assert list(moons.plots) == here("plot", "--list")["available"]


def test_a_run_that_was_changed_is_not_verified() -> None:
    run = bpcli.train(CONFIGS / "xor.yaml", overrides={"training.epochs": 500})
    log = run.folder / "metrics.jsonl"
    first, *rest = log.read_text().splitlines(keepends=True)
    entry = json.loads(first) | {"loss": 0.5}
    log.write_text(json.dumps(entry) + "\n" + "".join(rest))
    record = json.loads((run.folder / "run.json").read_text())
    del record["sha256"]["metrics.jsonl"]
    with pytest.raises(bpcli.RunError):
        run.verify()


def test_a_plot_shows_itself_in_a_notebook(moons: bpcli.Run, tmp_path: Path) -> None:
    import matplotlib.pyplot as plt

    figure = moons.plot("loss")
    png, size = figure._repr_png_()  # type: ignore[attr-defined]
    picture = imread(io.BytesIO(png))
    assert picture.shape[:2] == pytest.approx((920, 1400), abs=1)  # old versions round down
    assert size == {"width": 672}, "7 inches of a page"
    assert picture.std() > 0.05, "it is not blank"
    figure.savefig(tmp_path / "loss.svg")
    assert not plt.get_fignums()
    with pytest.raises(ConfigError, match="There is no plot `los`; did you mean `loss`"):
        moons.plot("los")
    with pytest.raises(bpcli.RunError, match="has no plot `residuals`"):
        moons.plot("residuals")
    with pytest.raises(ConfigError, match="There is no split `tests`"):
        moons.plot("confusion", split="tests")
    assert "validation set" in heading_texts(moons.plot("confusion", split="val"))[1]


def test_characters_that_no_font_has_are_a_warning(
    moons: bpcli.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, "_has_font", lambda character: character != "m")
    with pytest.warns(bpcli.BpnetWarning, match=r"no installed font has \(m\)") as caught:
        moons.plot("loss")
    assert caught[0].filename == __file__


def test_it_is_exported_as_by_the_command(
    moons: bpcli.Run, bpnet: Bpnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpnet("export", str(moons.folder), "--to", "json", "-o", "known.json")
    path = moons.export("json", "mine.json")
    assert path == Path("mine.json")
    assert path.read_bytes() == (tmp_path / "known.json").read_bytes()
    assert moons.export("python").name == "moons.py"
    with pytest.raises(ConfigError, match=r"mine\.json already exists"):
        moons.export("json", "mine.json")
    assert moons.export("json", "mine.json", force=True) == path
    with pytest.raises(ConfigError, match="There is no format `onx`; did you mean `onnx`"):
        moons.export("onx")
    with pytest.raises(ConfigError, match="There is no precision `half`"):
        moons.export("c", precision="half")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.warns(bpcli.BpnetWarning, match=r"m\.html is not verified: no Node found"):
        assert moons.export("javascript", "m.html", html=True) == Path("m.html")


def test_it_resumes_with_the_bits_of_an_uninterrupted_training(moons: bpcli.Run) -> None:
    run = bpcli.train(MOONS, overrides={"training.epochs": 50, "training.log_every": 30})
    seen: list[int] = []
    resumed = run.resume(120, callbacks=[lambda epoch: seen.append(epoch.number)])
    assert seen == [*range(51, 121)]
    assert resumed is run
    assert (run.epochs, run.history.index[-1]) == (120, 120)
    assert "epochs: 120" in run.resolved
    for mine, wanted in zip(resumed.parameters, moons.parameters, strict=True):
        np.testing.assert_array_equal(mine["W"], wanted["W"])
    with pytest.raises(bpcli.RunError, match="has finished at epoch 120"):
        resumed.resume()
    with pytest.raises(bpcli.RunError, match="cannot be changed on resume"):
        resumed.resume(200, overrides={"training.l2": 1})


def test_it_uses_the_best_or_the_last_weights() -> None:
    run = bpcli.train(
        MOONS, overrides={"training.optimizer": "adam", "training.learning_rate": 0.3,
                          "training.epochs": 60},
    )  # fmt: skip
    assert run.best_epoch < 60
    last = run.with_weights("last")
    assert (run.weights, last.weights) == ("best", "last")
    assert (run.parameters[0]["W"] != last.parameters[0]["W"]).any()
    assert last.evaluate("val")["weights"] == "last"
    with pytest.raises(ConfigError, match="The weights are `newest`: expected `best` or `last`"):
        run.with_weights("newest")  # type: ignore[arg-type]


def test_runs_are_found_as_on_the_command_line(moons: bpcli.Run, tmp_path: Path) -> None:
    runs_dir = moons.folder.parent
    for reference in ("latest", "moons", moons.id, moons.id[:18], moons.folder, str(moons.folder)):
        assert bpcli.load_run(reference, runs_dir).id == moons.id
    assert bpcli.load_run("latest", runs_dir, "last").weights == "last"
    with pytest.raises(NoSuchRun, match="There are no runs in"):
        bpcli.load_run(runs_dir=tmp_path)


def test_it_shows_itself_in_three_lines(moons: bpcli.Run) -> None:
    first, second, third = repr(moons).splitlines()
    assert first.startswith(f"Run {moons.id}: 2 - 16 tanh - 8 tanh - 1 sigmoid, binary_cross_ent")
    score = moons.metrics["test.accuracy"]
    constant = moons.baselines["constant"]["test.accuracy"]
    assert f"test.accuracy {score:.4g} (constant baseline {constant:.4g})" in second
    assert third == f"  best weights of {moons.folder}"


def test_a_notebook_shows_all_scores_and_no_markup_of_names(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 2))
    config = {
        "data": {"inputs": rows, "targets": rows, "target_names": ["<b>a", "c&d"]},
        "network": {"layers": [2, 2], "activations": ["identity"]},
        "loss": "mse",
        "training": {"optimizer": "lbfgs", "epochs": 20},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bpcli.BpnetWarning)
        html = bpcli.train(config, tmp_path / "<i>runs")._repr_html_()
    assert ">&lt;b&gt;a</td>" in html
    assert ">c&amp;d</td>" in html
    assert "&lt;i&gt;runs" in html
    assert "<b>" not in html.replace("<br>", "")
    assert html.count("<tr>") == html.count("</tr>") > 2
    assert '<td style="text-align: left">r2</td>' in html, "as `bpnet train` shows it"
    assert html.count("<table>") == 2, "all targets together, then each of them"


def test_a_trace_has_steps(moons: bpcli.Run) -> None:
    with pytest.raises(ConfigError, match="`steps` is 0"):
        moons.trace([1], steps=0)


def test_intervals_are_those_of_the_command(
    moons: bpcli.Run, here: Callable[..., Any], tmp_path: Path
) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 2))
    classes, sets = moons.predict(rows, interval=0.9)
    assert (classes == moons.predict(rows)).all()
    names = moons.input_names
    (tmp_path / "new.csv").write_text(
        "\n".join([",".join(names), *(",".join(map(repr, row)) for row in rows.tolist())])
    )
    by_file = moons.predict(tmp_path / "new.csv", interval=0.9)
    assert (by_file[1] == sets).all()
    printed = here("predict", str(tmp_path / "new.csv"), "--interval", "0.9")["rows"]
    assert [
        [name for name, inside in zip(moons.classes, row, strict=True) if inside] for row in sets
    ] == [row["class_set"] for row in printed]
    scored = moons.evaluate("test", intervals=False, interval=0.9, by="class")
    options = ("--interval", "0.9", "--by", "class", "--no-intervals")
    assert scored["coverage"] == here("eval", *options)["coverage"]
