"""What bpnet writes is accepted; whatever else stands in its place is refused in one sentence."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from confused import CONFIGS, ODD, TABLE, places
from tampered import RECORD_OF_A_RUN, log_of, record_of

from bpcli.config.load import load_config
from bpcli.errors import RunError
from bpcli.experiment import build
from bpcli.runs.files import load_arrays
from bpcli.runs.layout import SWEEP, WEIGHTS
from bpcli.runs.metrics_log import INLINED, Log, LogLine
from bpcli.runs.run_json import (
    CalibrationRecord,
    Description,
    Fold,
    LayerRecord,
    Machine,
    Origin,
    Restart,
    RestartsRecord,
    ResumedSession,
    Rows,
    Rule,
    RunRecord,
    Unreadable,
)
from bpcli.runs.saved import Saved, check
from bpcli.runs.saved_checkpoint import CheckpointMeta, GeneratorState, RandomState
from bpcli.runs.saved_weights import (
    SavedColumn,
    SavedColumns,
    SavedLayer,
    SavedSpelling,
    WeightsMeta,
)
from bpcli.runs.sealed import read_sealed
from bpcli.runs.store import Run
from bpcli.sweeps.chosen import ChosenSetting
from bpcli.sweeps.folder import SweepFolder, SweepRecord, new_record
from bpcli.sweeps.training import Training, TrainingResult, result_of, run_training

STRUCTURES: dict[type[Saved], tuple[Any, ...]] = {
    RunRecord: (),
    Rule: ("stop", 0),
    Fold: ("fold",),
    RestartsRecord: ("restarts",),
    Restart: ("restarts", "trainings", 0),
    CalibrationRecord: ("calibration",),
    Origin: ("imported",),
    Rows: ("rows",),
    LayerRecord: ("layers", 0),
    ResumedSession: ("resumed", 0),
    Machine: ("resumed", 0, "machine"),
    WeightsMeta: (),
    SavedColumns: ("columns",),
    SavedColumn: ("columns", "inputs", 1),
    SavedSpelling: ("columns", "target_spellings", "y"),
    SavedLayer: ("layers", 0),
    LogLine: ("lines", 0),
    Log: (),
    CheckpointMeta: (),
    RandomState: ("random_state",),
    GeneratorState: ("random_state", "state"),
    SweepRecord: (),
    TrainingResult: (),
    ChosenSetting: (),
}
"""Every structure, and where it stands in the file that has it."""


@pytest.fixture
def saved(bpnet) -> dict[type[Saved], Any]:
    """What the files of a run hold that has all there can be, and those of a sweep.

    The run is a fold with columns, chosen from restarts, resumed, and failed.
    """
    Path("t.csv").write_text(TABLE)
    text = CONFIGS["table"].replace("{train: 0.6, val: 0.2, test: 0.2}", "{folds: 3, val: 0.2}")
    Path("t.yaml").write_text(f"name: t\n{text}")
    fold = "data.split.fold=2"
    assert bpnet("train", "t.yaml", "--set", fold, "--restarts", "2", "--quiet").code == 0
    assert bpnet("train", "--resume", "latest", "--set", "training.epochs=9", "--quiet").code == 0
    (folder,) = Path("runs").iterdir()
    run = Run(folder)
    (checkpoint, *_) = run.folder.glob("checkpoint-*")
    config = load_config(Path("t.yaml"), [fold])
    begun = new_record("restarts", config, build(config), 2, "val.loss")
    sweep = SweepFolder.new(Path("sweeps"), config, begun)
    training = Training(0, 0, 2, config)
    assert run_training(training, sweep.trainings) == ""
    result = result_of(training, sweep.trainings)
    assert result is not None
    origin = Origin("net.m", "0" * 64, "MATLAB function").to_json()
    scores = {"log_loss": 0.4, "calibration_error": 0.1}
    calibration = CalibrationRecord("temperature", 5, 0.8, 1.2, None, scores, scores).to_json()
    others = {"imported": origin, "started_from": origin, "calibration": calibration}
    return {
        RunRecord: record_of(run) | {"error": "No space left."} | others,
        WeightsMeta: load_arrays(run.path(WEIGHTS))[1],
        Log: {"lines": log_of(run)},
        CheckpointMeta: load_arrays(checkpoint)[1],
        SweepRecord: read_sealed(sweep.folder / SWEEP),
        TrainingResult: result.to_json(),
        ChosenSetting: ChosenSetting(3, {"training.l2": 0.25, "hidden": [10, 5]}).to_json(),
    }


def at(tree: Any, way: tuple[Any, ...]) -> Any:
    return functools.reduce(lambda found, step: found[step], way, tree)


def checked(model: type[Saved], value: Any) -> Saved:
    return check(model, value, Path("a file"), INLINED if model is Log else ())


def test_what_bpnet_writes_is_accepted_with_every_key(saved: dict[type[Saved], Any]) -> None:
    for model, value in saved.items():
        found = checked(model, value)
        if model is not WeightsMeta:  # which is written as plain JSON, without its classes
            assert found.to_json() == value
    for model, way in STRUCTURES.items():
        owners = [value for value in saved.values() if _has(value, way, model)]
        assert owners, model


def _has(value: Any, way: tuple[Any, ...], model: type[Saved]) -> bool:
    """Whether a structure stands there with all its keys; a line of the log has more.

    A run of classes has no words of labels.
    """
    try:
        found = at(value, way)
    except (KeyError, IndexError, TypeError):
        return False
    keys = {*found} if isinstance(found, dict) else set()
    wanted = {field.name for field in fields(model)} - (
        {"words"} if model is WeightsMeta else set()
    )
    return keys == wanted or (model is LogLine and keys > wanted - {*INLINED})


def test_no_structure_is_left_out() -> None:
    def below(model: type[Any]) -> Iterator[type[Any]]:
        for each in model.__subclasses__():
            yield each
            yield from below(each)

    assert {*below(Saved)} == {*STRUCTURES, Description, Unreadable}  # in no file of their own


def test_whatever_stands_in_the_place_of_a_value_is_accepted_or_refused(
    saved: dict[type[Saved], Any],
) -> None:
    said = []
    for model, value in saved.items():
        tree = value | ({"lines": value["lines"][:1]} if model is Log else {})
        for *way, key in [*places(tree)]:
            inner = at(tree, tuple(way))
            kept = inner[key]
            for odd in ODD:
                inner[key] = odd
                said += refusal(model, tree)
            inner[key] = kept
    assert len(said) > 3000
    assert all(text.isprintable() for text in said)
    assert all(
        text.startswith("a file is damaged or was not written by bpnet: see its `") for text in said
    )


def refusal(model: type[Saved], value: Any) -> list[str]:
    try:
        checked(model, value)
    except RunError as error:
        return [str(error)]
    return []


@pytest.mark.parametrize(
    ("model", "way", "value", "message"),
    [
        (RunRecord, ("seed",), True, "`seed`: Input should be a valid integer"),
        (RunRecord, ("seed",), 2**63, "`seed`: Input should be less than 9223372036854775808"),
        (RunRecord, ("status",), "done", "`status`: Input should be 'running', 'finished'"),
        (RunRecord, ("config", "name"), [[[[[[[[[[1]]]]]]]]]], "nested deeper than 8 levels"),
        (RunRecord, ("optimizer",), {}, "`optimizer`: it has no `name`"),
        (RunRecord, ("more",), 1, "`more`: Extra inputs are not permitted"),
        (RunRecord, ("metrics", "a\nb"), 1, "a name must not have control characters"),
        (RunRecord, ("sha256",), {}, "the digest of config.yaml is missing"),
        (RunRecord, ("layers",), [], "`layers`: List should have at least 1 item"),
        (Log, ("lines", 1, "epoch"), 0, "epochs do not rise from line to line"),
        (Log, ("lines", 1, "train.loss"), "0", "`lines.1.train.loss`"),
        (Log, ("lines", 1, "\x9b"), 0.0, "a name must not have control characters"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(
    model: type[Saved], way: tuple[Any, ...], value: Any, message: str, saved
) -> None:
    at(saved[model], way[:-1])[way[-1]] = value
    with pytest.raises(RunError) as caught:
        checked(model, saved[model])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("learning_rate", "x", "learning_rate"),
        ("optimizer", {"name": "adam", "b": [1]}, "optimizer.b"),
        ("class_weights", {"a": "b"}, "class_weights.a"),
        ("batch_size", 0, "batch_size"),
    ],
)
def test_a_place_is_made_of_the_files_own_keys(key: str, value: Any, place: str) -> None:
    with pytest.raises(RunError, match=f"see its `{place}`: Input should be "):
        checked(RunRecord, RECORD_OF_A_RUN | {key: value})
