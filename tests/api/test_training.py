from __future__ import annotations

import gc
import signal
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from portable import needs_portable_numerics
from systems import CONFIGS, trained

import bpcli
from bpcli.cli.main import main
from bpcli.errors import Interrupted, NumericsNotPinned
from bpcli.nn.numerics import blas_libraries, in_force
from bpcli.runs.layout import METRICS, RESOLVED, SPLIT, SWEEP, TRAININGS, WEIGHTS
from bpcli.terminal.sweep import SilentProgress

XOR = CONFIGS / "xor.yaml"
MOONS = CONFIGS / "moons.yaml"
PLANE = CONFIGS / "linear_regression.yaml"
WILD = {"training.learning_rate": 100.0}
SHORT = {"training.epochs": 40}
X = np.random.default_rng(7).normal(size=(60, 3))
CLASSES = np.array(["low", "high"])[(X.sum(axis=1) > 0).astype(int)]


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    """Short trainings are no better than a constant; tests of warnings look at them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bpcli.BpnetWarning)
        yield


def arrays(**data: Any) -> dict[str, Any]:
    return {
        "data": {"inputs": X, "targets": CLASSES, "scale": {"inputs": "standard"}} | data,
        "network": {"layers": ["auto", 4, "auto"], "activations": ["tanh", "sigmoid"]},
        "loss": "binary_cross_entropy",
        "training": {"optimizer": "lbfgs", "epochs": 15},
    }


def test_a_run_has_the_files_and_bits_of_the_command(tmp_path: Path) -> None:
    run = bpcli.train(MOONS, tmp_path / "mine", overrides=SHORT)
    known = trained(tmp_path / "known", "moons", training__epochs=40).run
    assert {path.name for path in run.folder.iterdir()} == {
        path.name for path in known.folder.iterdir()
    }
    for file in (WEIGHTS, SPLIT, RESOLVED):
        assert (run.folder / file).read_bytes() == known.path(file).read_bytes()
    assert [line.loss for line in known.metrics()] == run.history.loss.tolist()


def test_a_run_that_is_not_kept_vanishes_with_its_last_object() -> None:
    run = bpcli.train(XOR, overrides=SHORT)
    folder = run.folder
    last = run.with_weights("last")
    del run
    gc.collect()
    assert (folder / METRICS).is_file()
    del last
    gc.collect()
    assert not folder.parent.exists()


def test_it_changes_nothing_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bpcli.train(XOR, overrides=SHORT).predict([[0, 1]])
    assert not list(tmp_path.iterdir())


def test_callbacks_see_every_epoch_and_may_end_training() -> None:
    losses: list[float] = []
    run = bpcli.train(
        XOR, callbacks=[lambda epoch: losses.append(epoch.loss), lambda epoch: epoch.number == 12]
    )
    assert (run.epochs, run.stop_reason, run.status) == (12, "callback", "finished")
    assert len(losses) == 13
    assert losses[-1] == run.metrics["train.loss"]


def test_an_error_in_a_callback_is_raised_with_the_run() -> None:
    def fails(epoch: Any) -> None:
        if epoch.number == 5:
            raise ZeroDivisionError("in a callback")

    with pytest.raises(ZeroDivisionError, match="in a callback") as caught:
        bpcli.train(XOR, callbacks=[fails])
    run = caught.value.run  # type: ignore[attr-defined]  # added to any error
    assert (run.status, run.epochs) == ("failed", 5)
    assert run.predict([[0, 1]]).shape == (1,)


def test_warnings_point_at_the_line_that_trains() -> None:
    with pytest.warns(bpcli.BpnetWarning) as caught:
        run = bpcli.train(XOR, overrides={"training.epochs": 1})
    assert {Path(warning.filename).name for warning in caught} == {"test_training.py"}
    assert tuple(str(warning.message) for warning in caught) == run.warnings
    assert "that of a constant prediction is" in run.warnings[0]


def test_what_was_guessed_is_a_note_and_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = bpcli.train(
            {**arrays(targets=np.arange(60) % 2 + 1), "loss": "binary_cross_entropy"},
            overrides={"training.epochs": 60, "network.layers": [3, 4, 1]},
        )
    assert run.notes == (
        "the targets 1, 2 are read as classes, because the loss or the output layer is for classes",
    )


def test_divergence_raises_with_the_run_until_then() -> None:
    with pytest.raises(bpcli.Diverged, match="no longer finite after epoch") as caught:
        bpcli.train(PLANE, overrides=WILD)
    run = caught.value.run
    assert isinstance(run, bpcli.Run)
    assert run.status == "diverged"
    assert len(run.predict([[1.0]])) == 1
    assert not hasattr(caught.value, "__notes__"), "they name a folder that is removed"


def test_an_error_of_a_callback_keeps_its_own_notes_alone() -> None:
    def fails(epoch: Any) -> None:
        error = LookupError("no such thing")
        error.add_note("look elsewhere")
        raise error

    with pytest.raises(LookupError, match="no such thing") as caught:
        bpcli.train(MOONS, overrides=SHORT, callbacks=[fails])
    assert caught.value.__notes__ == ["look elsewhere"]


def test_a_kept_run_that_diverged_says_where_it_is(tmp_path: Path) -> None:
    with pytest.raises(bpcli.Diverged) as caught:
        bpcli.train(PLANE, tmp_path, overrides=WILD)
    assert f"The run is saved as {caught.value.run.id}" in caught.value.full_text


def test_ctrl_c_gives_the_run_so_far_which_resumes_to_the_same_bits() -> None:
    def interrupts(epoch: Any) -> None:
        if epoch.number == 7:
            signal.raise_signal(signal.SIGINT)

    with pytest.warns(bpcli.BpnetWarning, match="interrupted after epoch 7: `resume` continues"):
        run = bpcli.train(MOONS, overrides=SHORT, callbacks=[interrupts])
    assert (run.status, run.epochs) == ("interrupted", 7)
    assert len(run.predict([[0.0, 1.0]])) == 1
    whole = bpcli.train(MOONS, overrides=SHORT)
    resumed = run.resume()
    assert resumed.status == "finished"
    for mine, wanted in zip(resumed.parameters, whole.parameters, strict=True):
        np.testing.assert_array_equal(mine["W"], wanted["W"])


def test_another_signal_is_not_swallowed() -> None:
    with pytest.raises(Interrupted, match="Training was interrupted") as caught:
        bpcli.train(
            XOR,
            callbacks=[lambda epoch: epoch.number == 3 and signal.raise_signal(signal.SIGTERM)],
        )
    assert caught.value.run.epochs == 3


def test_folds_are_refused_with_a_way_on() -> None:
    folds = {"data.split": {"folds": 3}, "training.stop": {}}
    with pytest.raises(bpcli.ConfigError, match=r"set `data\.split\.fold` to the fold to train"):
        bpcli.train(MOONS, overrides=folds)
    run = bpcli.train(MOONS, overrides={**folds, "data.split.fold": 2, **SHORT})
    assert run.record["fold"]["number"] == 2


def test_portable_numerics_name_the_variables_to_set() -> None:
    needs_portable_numerics()
    if in_force(blas_libraries()) == "portable":
        pytest.skip("this process has them")
    with pytest.raises(NumericsNotPinned, match=r'OPENBLAS_CORETYPE="Haswell".* before numpy is'):
        bpcli.train(XOR, overrides={"training.numerics": "portable"})


def test_progress_is_shown_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    bpcli.train(XOR, overrides=SHORT)
    assert capsys.readouterr() == ("", "")
    with pytest.warns(bpcli.BpnetWarning, match="many units are dead or saturated before"):
        run = bpcli.train(arrays(inputs=1e4 * X, scale={}), progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "warning" not in err, "it is a Python warning"
    assert "optimizer" in err
    assert err.splitlines()[-1].split()[0] == str(run.epochs)


# Data as arrays.


def test_runs_on_the_same_arrays_share_one_file(tmp_path: Path) -> None:
    runs = [bpcli.train(arrays(), tmp_path, overrides={"seed": seed}) for seed in (0, 1)]
    (file,) = tmp_path.glob("data-*.npz")
    assert all(run.config["data"]["file"] == str(file) for run in runs)
    bpcli.train(arrays(inputs=X + 1), tmp_path)
    assert len(list(tmp_path.glob("data-*.npz"))) == 2


def test_a_damaged_file_of_arrays_is_written_again(tmp_path: Path) -> None:
    bpcli.train(arrays(), tmp_path)
    (file,) = tmp_path.glob("data-*.npz")
    content = file.read_bytes()
    file.write_bytes(content[:100])
    bpcli.train(arrays(), tmp_path)
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("data", "rest"),
    [
        ({}, {}),
        ({"targets": (CLASSES == "low").astype(int)}, {}),
        ({"targets": (CLASSES == "low") + 1}, {}),
        ({"targets": np.zeros(60, int) + (X[:, 0] > 0), "classes": ["z", "a"]}, {}),
        ({"weight": np.arange(1, 61) / 30}, {}),
        ({"inputs": X.astype(np.float32), "input_names": ["a", "b", "c"]}, {}),
        ({"inputs": np.asfortranarray(X)}, {}),
        ({"splits": {"val": np.arange(40, 60)}}, {}),
        ({"split": {"train": 0.6, "val": 0.2, "test": 0.2, "stratify": True}}, {}),
        ({"targets": X[:, :2] ** 2, "target_names": ["p", "q"]}, {"loss": "mse"}),
        ({"targets": "same_as_inputs"}, {"loss": "mse"}),
        ({"targets": (X[:, :2] > 0).astype(int)}, {}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else None,
)
def test_a_run_on_arrays_is_repeatable_from_its_folder(
    data: dict[str, Any], rest: dict[str, Any], tmp_path: Path
) -> None:
    config = arrays(**data) | rest
    if rest:
        config["network"] = {"layers": ["auto", 4, "auto"], "activations": ["tanh", "identity"]}
    run = bpcli.train(config, tmp_path)
    loaded = bpcli.load_run(run.folder)
    assert loaded.verify(), loaded.verify().text
    assert loaded.evaluate("train")["metrics"]["train.loss"] == run.metrics["train.loss"]
    again = bpcli.train(run.folder / "config.yaml")
    assert (again.folder / WEIGHTS).read_bytes() == (run.folder / WEIGHTS).read_bytes()


def test_the_order_of_arrays_in_memory_changes_no_bit(rng: np.random.Generator) -> None:
    wide = rng.normal(size=(60, 12))
    runs = [bpcli.train(arrays(inputs=each)) for each in (wide, np.asfortranarray(wide))]
    first, second = (run.parameters[0]["W"] for run in runs)
    np.testing.assert_array_equal(first, second)


def test_changed_arrays_are_noticed(tmp_path: Path) -> None:
    run = bpcli.train(arrays(), tmp_path)
    other = bpcli.train(arrays(inputs=X + 1), tmp_path)
    Path(other.config["data"]["file"]).replace(run.config["data"]["file"])
    with pytest.raises(bpcli.RunError, match="have changed since its training"):
        bpcli.load_run(run.folder).evaluate()


# Restarts.

RESTARTS = {"training.restarts": 3, "training.epochs": 20}


def check_restarts(run: bpcli.Run) -> None:
    """The run is the best of three trainings, and nothing else is left of them."""
    restarts = run.record["restarts"]
    values = [each["value"] for each in restarts["trainings"]]
    assert [each["status"] for each in restarts["trainings"]] == ["finished"] * 3
    assert restarts["kept"] == [min(range(3), key=lambda number: values[number])]
    assert not (run.folder / TRAININGS).exists()
    assert not (run.folder / SWEEP).exists()


def test_the_best_of_restarts_has_the_bits_of_the_command(tmp_path: Path) -> None:
    run = bpcli.train(MOONS, tmp_path / "mine", overrides=RESTARTS)
    check_restarts(run)
    command = ["train", str(MOONS), "--runs-dir", str(tmp_path / "known"), "--quiet"]
    sets = [part for key, value in RESTARTS.items() for part in ("--set", f"{key}={value}")]
    assert main([*command, *sets]) == 0
    (known,) = (tmp_path / "known").iterdir()
    assert (run.folder / WEIGHTS).read_bytes() == (known / WEIGHTS).read_bytes()
    assert bpcli.load_run(run.folder).verify()


def test_restarts_that_are_not_kept_vanish_with_their_run() -> None:
    run = bpcli.train(MOONS, overrides=RESTARTS)
    check_restarts(run)
    folder = run.folder.parent
    assert [path.name for path in folder.iterdir()] == [run.folder.name]
    assert len(run.predict([[0.0, 1.0]])) == 1
    del run
    gc.collect()
    assert not folder.exists()


def test_restarts_learn_from_arrays(tmp_path: Path) -> None:
    run = bpcli.train(arrays(), tmp_path, overrides=RESTARTS)
    check_restarts(run)
    (_,) = tmp_path.glob("data-*.npz")
    loaded = bpcli.load_run(run.folder)
    assert loaded.verify(), loaded.verify().text
    assert loaded.evaluate("train")["metrics"]["train.loss"] == run.metrics["train.loss"]
    assert len(bpcli.train(arrays(), overrides=RESTARTS).predict(X)) == 60


def test_restarts_in_a_thread_have_the_same_bits() -> None:
    """A process with other threads is not forked: the trainings follow one another in it."""
    wanted = bpcli.train(MOONS, overrides=RESTARTS)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(bpcli.train, MOONS, overrides=RESTARTS).result()
    check_restarts(run)
    for mine, known in zip(run.parameters, wanted.parameters, strict=True):
        np.testing.assert_array_equal(mine["W"], known["W"])


def test_the_average_of_restarts_is_one_wider_network() -> None:
    mean = {"count": 3, "combine": "mean", "keep": 2}
    run = bpcli.train(MOONS, overrides={**RESTARTS, "training.restarts": mean})
    one = bpcli.train(MOONS, overrides=SHORT)
    assert len(run.parameters[0]["b"]) == 2 * len(one.parameters[0]["b"])
    assert len(run.record["restarts"]["kept"]) == 2


def test_callbacks_do_not_watch_restarts(tmp_path: Path) -> None:
    with pytest.raises(bpcli.ConfigError, match="`callbacks` cannot be combined with `training"):
        bpcli.train(arrays(), tmp_path, overrides=RESTARTS, callbacks=[print])
    assert not list(tmp_path.iterdir())


def test_restarts_that_all_diverge_raise() -> None:
    with pytest.raises(bpcli.Diverged, match=r"All 3 restarts diverged\. The first one: Training"):
        bpcli.train(PLANE, overrides={**WILD, "training.restarts": 3, "network.init": "normal"})


@pytest.mark.parametrize("is_kept", [True, False])
def test_ctrl_c_ends_restarts_which_the_command_resumes(
    is_kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = [signal.SIGINT]  # a second one would end this process at once

    def interrupts(*_: object) -> None:
        while pending:
            signal.raise_signal(pending.pop())

    wanted = bpcli.train(MOONS, overrides=RESTARTS)
    with monkeypatch.context() as patched:
        patched.setattr(SilentProgress, "on_training_end", interrupts)
        with pytest.raises(Interrupted, match="of 3 restarts were finished") as caught:
            bpcli.train(MOONS, tmp_path if is_kept else None, overrides=RESTARTS)
    if not is_kept:
        assert not hasattr(caught.value, "__notes__"), "they name a folder that is removed"
        return
    (folder,) = tmp_path.iterdir()
    assert caught.value.__notes__ == [f"Finish them with: bpnet train --resume {folder}"]
    assert main(["train", "--resume", str(folder), "--quiet"]) == 0
    assert (folder / WEIGHTS).read_bytes() == (wanted.folder / WEIGHTS).read_bytes()


def test_progress_of_restarts_is_shown_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    bpcli.train(MOONS, overrides=RESTARTS)
    assert capsys.readouterr() == ("", "")
    bpcli.train(MOONS, overrides=RESTARTS, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "3 of 3: restart " in err
