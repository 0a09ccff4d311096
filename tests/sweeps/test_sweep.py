from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_configs import load
from sweep_runs import SINE, lasting
from trainings import moons

from bpcli.config.load import Config
from bpcli.errors import ConfigError, RunError
from bpcli.runs.layout import GIVEN, JOURNAL, SWEEP
from bpcli.sweeps.folder import SweepFolder
from bpcli.sweeps.listing import listed_sweep, listed_sweeps
from bpcli.sweeps.options import SweepOptions
from bpcli.sweeps.run_plan import PlanResults
from bpcli.sweeps.sweep import plan_sweep, resume_sweep, resumed_config, start_sweep
from bpcli.terminal.sweep import SilentProgress

FOLDS = "data.split={folds: 2}"


def swept(sweep: str, *overrides: str) -> Config:
    return moons(*overrides, f"sweep={sweep}")


def test_settings_are_trained_with_each_seed_and_on_each_fold() -> None:
    planned = plan_sweep(swept("{grid: {training.l2: [0, 1]}, seeds: 2}", FOLDS, "seed=5"))
    assert [training.name for training in planned.trainings] == [
        "0000-5-fold1", "0000-5-fold2", "0000-6-fold1", "0000-6-fold2",
        "0001-5-fold1", "0001-5-fold2", "0001-6-fold1", "0001-6-fold2",
    ]  # fmt: skip
    assert [training.config.spec.training.l2 for training in planned.trainings] == [0] * 4 + [1] * 4
    document = planned.plan(Path("s")).document({})
    assert (document["seeds"], document["folds"], document["keys"]) == ([5, 6], 2, ["training.l2"])


def test_restarts_of_the_config_are_left_out() -> None:
    planned = plan_sweep(swept("{grid: {training.l2: [0, 1]}}", "training.restarts=4"))
    assert [each.config.spec.training.all_restarts.count for each in planned.trainings] == [1, 1]


@pytest.mark.parametrize(
    ("overrides", "metric", "warns"),
    [
        ([], "val.loss", False),
        ([FOLDS], "test.loss", False),
        (["data.split={}"], "objective", True),
        (["data.split={test: 0.3}"], "objective", True),
    ],
)
def test_settings_are_ranked_by_rows_that_training_has_not_used(
    overrides: list[str], metric: str, warns: bool
) -> None:
    planned = plan_sweep(swept("{grid: {training.l2: [0, 1]}}", *overrides))
    assert planned.criterion.name == metric
    assert [text.partition(",")[0] for text in planned.warnings] == [
        "there are no validation rows"
    ] * warns


def test_a_metric_must_be_one_that_trainings_have() -> None:
    planned = plan_sweep(swept("{grid: {training.l2: [0, 1]}, metric: val.accuracy}"))
    assert planned.criterion.greater_is_better
    with pytest.raises(
        ConfigError, match=r"found `test\.loss`, expected one of train\.loss, .*val"
    ):
        plan_sweep(swept("{grid: {training.l2: [0, 1]}, metric: test.loss}"))


def test_a_config_needs_a_sweep() -> None:
    with pytest.raises(ConfigError, match="no `sweep` section: add one, or use options such as"):
        plan_sweep(moons())


# Resuming.


def drawn(trials: int, seeds: int) -> str:
    return f"sweep={{random: {{training.l2: 'uniform(0, 1)'}}, trials: {trials}, seeds: {seeds}}}"


def begun(folder: Path, *overrides: str) -> tuple[SweepFolder, PlanResults]:
    config = load(SINE, "training.epochs=5", *overrides, drawn(2, 2))
    done = start_sweep(plan_sweep(config), folder, SilentProgress(), 1)
    return SweepFolder(done.plan.folder), done


def resumed(sweep: SweepFolder, **options: Any) -> PlanResults:
    config = resumed_config(sweep, SweepOptions(**options))
    return resume_sweep(sweep, plan_sweep(config), SilentProgress(), 1)


def test_more_trials_and_seeds_add_to_what_was_trained(tmp_path: Path) -> None:
    sweep, before = begun(tmp_path)
    after = resumed(sweep, trials=3, seeds=3)
    assert len(sweep.results()) == 9, "four of them before"
    assert [result.name for result in sweep.results()[:4]] == [
        "0000-0", "0000-1", "0001-0", "0001-1",
    ]  # fmt: skip
    for name, result in before.results.items():
        assert after.results[name] == result
    record = sweep.record()
    assert (record.trainings, len(record.resumed)) == (9, 1)
    again = resumed(sweep)
    assert again.document == after.document
    assert len(sweep.results()) == 9, "none is trained again"
    at_once = load(SINE, "training.epochs=5", drawn(3, 3))
    fresh = start_sweep(plan_sweep(at_once), tmp_path / "b", SilentProgress(), 1)
    assert lasting(fresh.document) == lasting(after.document)


def test_another_metric_only_ranks_again(tmp_path: Path) -> None:
    sweep, _ = begun(tmp_path)
    document = resumed(sweep, metric="val.r2").document
    assert (document["metric"], document["greater_is_better"]) == ("val.r2", True)
    means = [each["mean"] for each in document["settings"]]
    assert means == sorted(means, reverse=True)
    assert len(sweep.results()) == 4


@pytest.mark.parametrize("fewer", [{"trials": 1}, {"seeds": 1}, {"trials": 3, "seeds": 1}])
def test_what_was_trained_is_not_left_out(fewer: dict[str, int], tmp_path: Path) -> None:
    sweep, _ = begun(tmp_path)
    before = (sweep.folder / SWEEP).read_bytes(), (sweep.folder / GIVEN).read_bytes()
    with pytest.raises(RunError, match="cannot be resumed with fewer trainings: 2 of those that"):
        resumed(sweep, **fewer)
    assert before == ((sweep.folder / SWEEP).read_bytes(), (sweep.folder / GIVEN).read_bytes())


def test_a_sweep_that_is_being_trained_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    sweep, _ = begun(tmp_path)
    before = (sweep.folder / SWEEP).read_bytes(), (sweep.folder / GIVEN).read_bytes()
    with sweep.open():
        assert listed_sweep(sweep)["status"] == "running"
        with pytest.raises(RunError, match=f"{sweep.sweep_id} is being trained by process"):
            resumed(sweep, trials=3)
    assert before == ((sweep.folder / SWEEP).read_bytes(), (sweep.folder / GIVEN).read_bytes())
    assert listed_sweep(sweep)["status"] == "finished"


def test_changed_data_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("x,y\n" + "".join(f"{n},{n % 3}\n" for n in range(30)))
    config = load(
        SINE, "data={file: " + str(table) + ", targets: y, task: regression, split: {val: 0.3}}",
        "training.epochs=5", "sweep={grid: {training.l2: [0, 1]}}",
    )  # fmt: skip
    done = start_sweep(plan_sweep(config), tmp_path, SilentProgress(), 1)
    sweep = SweepFolder(done.plan.folder)
    assert resumed(sweep).document == done.document
    table.write_text(table.read_text().replace("7,1", "7,2"))
    with pytest.raises(RunError, match=r"its data have changed since it began\. Restore the data"):
        resumed(sweep)


# Lists of sweeps.


def test_a_list_counts_and_names_the_best(tmp_path: Path) -> None:
    sweep, done = begun(tmp_path, "training.learning_rate=0.2")
    (facts,) = listed_sweeps(tmp_path)
    values = [each["value"] for each in done.document["trainings"]]
    assert facts["best"] == min(values)
    assert (facts["ended"], facts["trainings"], facts["failed"]) == (4, 4, 0)
    assert (facts["kind"], facts["name"], facts["status"]) == ("sweep", "sine", "finished")
    assert sweep.record().ended
    sweep.write(replace(sweep.record(), trainings=6, ended=""))
    assert listed_sweep(sweep)["status"] == "interrupted, resumable"


def test_a_sweep_whose_journal_was_cut_is_not_finished(tmp_path: Path) -> None:
    sweep, _ = begun(tmp_path)
    assert listed_sweep(sweep)["status"] == "finished"
    journal = sweep.folder / JOURNAL
    journal.write_text(journal.read_text().splitlines(keepends=True)[0])
    assert listed_sweep(sweep)["status"] == "interrupted, resumable"


@pytest.mark.parametrize("file", ["sweep.json", "trainings.jsonl"])
def test_a_damaged_sweep_does_not_hide_the_others(file: str, tmp_path: Path) -> None:
    sweep, _ = begun(tmp_path)
    begun(tmp_path)
    (sweep.folder / file).write_text("{\n")
    damaged = next(each for each in listed_sweeps(tmp_path) if each["sweep"] == sweep.sweep_id)
    assert damaged["status"] == "damaged"
    assert damaged["error"].startswith(f"{sweep.folder / file} is damaged: ")
    assert sorted(each["status"] for each in listed_sweeps(tmp_path)) == ["damaged", "finished"]
