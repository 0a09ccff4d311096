"""Sweeps whose settings a sampler chooses."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from small_configs import MOONS

from bpcli.errors import ConfigError, RunError
from bpcli.runs.layout import SETTINGS
from bpcli.sweeps import sampled
from bpcli.sweeps.folder import SweepFolder, list_sweeps
from bpcli.sweeps.options import SweepOptions, load_sweep
from bpcli.sweeps.run_plan import PlanResults
from bpcli.sweeps.sampler import BATCH, Observed, propose
from bpcli.sweeps.sweep import plan_sweep, resumed_config
from bpcli.terminal.sweep import SilentProgress

BASE = f"""\
{MOONS}training: {{optimizer: rprop, epochs: 6}}
sweep:
  random:
    training.l2: loguniform(1e-4, 10)
    hidden: int(1, 6)
    training.optimizer: [rprop, {{name: adam, beta1: 0.5}}]
  sampler: tpe
  trials: 10
  seeds: 2
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "t.yaml"
    path.write_text(BASE)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> PlanResults:
    """The sweep of `config`, done at once by one process; for all tests that compare with it."""
    path = tmp_path_factory.mktemp("whole") / "t.yaml"
    path.write_text(BASE)
    return swept(path, "a")


def swept(path: Path, runs: str, *, processes: int = 1, **options: Any) -> PlanResults:
    """A new sweep in a folder of its own beside the config."""
    planned = plan_sweep(load_sweep(path, ["data.split.val=0.25"], SweepOptions(**options)))
    return planned.start(path.parent / runs, SilentProgress(), processes)


def resumed(path: Path, runs: str, *, processes: int = 1, **options: Any) -> PlanResults:
    """The sweep in a folder, resumed."""
    (sweep,) = list_sweeps(path.parent / runs)
    planned = plan_sweep(resumed_config(sweep, SweepOptions(**options)), sweep)
    return planned.resume(sweep, SilentProgress(), processes)


def content(done: PlanResults) -> dict[str, Any]:
    """The document of a sweep without its times and places."""
    document = done.document
    for each in (*document["settings"], *document["trainings"]):
        each.pop("seconds", None)
        each.pop("folder", None)
    return {key: value for key, value in document.items() if key not in ("sweep", "folder")}


def settings_file(done: PlanResults) -> str:
    return (done.plan.folder / SETTINGS).read_text()


@pytest.mark.parametrize("halving", [False, True])
def test_the_settings_are_the_same_for_any_number_of_processes(
    config: Path, whole: PlanResults, halving: bool
) -> None:
    one = swept(config, "a", halving=True) if halving else whole
    several = swept(config, "b", processes=3, halving=halving)
    assert content(one) == content(several)
    assert settings_file(one) == settings_file(several)
    counts = content(one)["counts"]
    assert counts["settings"] == 10
    assert counts["finished"] + counts["stopped"] == counts["trainings"] == 20
    assert bool(counts["stopped"]) == halving


def test_another_seed_and_another_result_lead_to_other_settings(config: Path) -> None:
    first = settings_file(swept(config, "a", seeds=1))
    lines = first.splitlines()
    config.write_text(BASE + "seed: 1\n")
    assert {*settings_file(swept(config, "b", seeds=1)).splitlines()} & {*lines} == set()
    config.write_text(BASE + "seed: 0\n")
    assert settings_file(swept(config, "c", seeds=1)) == first
    config.write_text(BASE.replace("epochs: 6", "epochs: 60"))
    others = settings_file(swept(config, "d", seeds=1)).splitlines()
    assert others[:BATCH] == lines[:BATCH]
    assert others != lines


def test_all_earlier_settings_are_told_in_order_with_the_mean_of_their_trainings(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int, list[Observed]]] = []

    def recorded(domains: Any, seed: int, batch: int, told: Sequence[Observed]) -> Any:
        calls.append((seed, batch, [*told]))
        return propose(domains, seed, batch, told)

    monkeypatch.setattr(sampled, "propose", recorded)
    config.write_text(BASE + "seed: 3\n")
    done = swept(config, "a", processes=3)
    by_number = sorted(content(done)["settings"], key=lambda each: int(each["setting"]))
    told = [Observed(each["values"], each["mean"]) for each in by_number]
    assert calls == [(3, 0, []), (3, 1, told[:BATCH]), (3, 2, told[: 2 * BATCH])]
    assert by_number[0]["mean"] == sum(by_number[0]["values_by_training"]) / 2


def test_a_metric_that_is_better_when_greater_is_told_as_a_cost(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs: list[float | None] = []

    def recorded(domains: Any, seed: int, batch: int, told: Sequence[Observed]) -> Any:
        costs[:] = [each.cost for each in told]
        return propose(domains, seed, batch, told)

    monkeypatch.setattr(sampled, "propose", recorded)
    done = swept(config, "a", trials=BATCH + 1, metric="val.accuracy")
    means = {each["setting"]: each["mean"] for each in done.document["settings"]}
    assert costs == [-means[number] for number in range(BATCH)]


def test_a_setting_whose_trainings_fail_is_told_as_failed_and_the_rest_goes_on(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest: list[Observed] = []

    def recorded(domains: Any, seed: int, batch: int, told: Sequence[Observed]) -> Any:
        latest[:] = told
        return propose(domains, seed, batch, told)

    monkeypatch.setattr(sampled, "propose", recorded)
    config.write_text(
        BASE.replace(
            "training.optimizer: [rprop, {name: adam, beta1: 0.5}]",
            "training.learning_rate: [0.1, 1e+300]",
        ).replace("optimizer: rprop", "optimizer: sgd")
    )
    done = swept(config, "a")
    assert {each.cost is None for each in latest} == {True, False}
    for each in latest:
        assert (each.cost is None) == (each.values["training.learning_rate"] == 1e300)
    counts = done.document["counts"]
    assert counts["failed"] > 0
    assert counts["failed"] + counts["finished"] == 20


def test_values_that_make_no_valid_config_fail_without_being_trained(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def invalid(*given: Any) -> list[dict[str, Any]]:
        drawn = propose(*given)
        drawn[1]["training.l2"] = -1.0
        return drawn

    monkeypatch.setattr(sampled, "propose", invalid)
    done = swept(config, "a", trials=3)
    trainings = done.document["trainings"]
    assert [each["status"] for each in trainings] == [*["finished"] * 2, *["failed"] * 2] + [
        "finished"
    ] * 2
    assert "-1" in trainings[2]["error"]
    assert not (done.plan.folder / "trainings" / "0001-0").exists()


def test_an_extended_sweep_has_the_settings_that_it_would_have_had_at_once(
    config: Path, whole: PlanResults
) -> None:
    short = swept(config, "b", trials=BATCH + 2)
    assert settings_file(whole).startswith(settings_file(short))
    extended = resumed(config, "b", processes=2, trials=10)
    assert content(extended) == content(whole)
    assert settings_file(extended) == settings_file(whole)


def test_more_seeds_keep_the_settings(config: Path) -> None:
    first = swept(config, "a", seeds=1)
    more = resumed(config, "a", seeds=2)
    assert settings_file(more) == settings_file(first)
    assert content(more)["counts"]["finished"] == 20


_KILLED = """
import os, signal, sys
from pathlib import Path
from bpcli.sweeps.options import SweepOptions, load_sweep
from bpcli.sweeps.sweep import plan_sweep
from bpcli.terminal.sweep import SilentProgress

class Killer(SilentProgress):
    left = int(sys.argv[3])
    def on_training_start(self, training):
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1

planned = plan_sweep(load_sweep(Path(sys.argv[1]), ["data.split.val=0.25"], SweepOptions()))
planned.start(Path(sys.argv[2]), Killer(), 1)
"""


@pytest.mark.parametrize("trainings", [0, 2 * BATCH, 2 * BATCH + 3])
def test_a_sweep_that_was_killed_is_resumed_with_the_same_settings(
    config: Path, whole: PlanResults, trainings: int
) -> None:
    runs = config.parent / "b"
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, config, runs, str(trainings)], check=False
    )
    assert done.returncode == -signal.SIGKILL
    (sweep,) = list_sweeps(runs)
    written = (sweep.folder / SETTINGS).read_text()
    assert len(sweep.results()) == trainings
    assert written.count("\n") == (trainings // (2 * BATCH) + 1) * BATCH
    again = resumed(config, "b", processes=2)
    assert content(again) == content(whole)
    assert settings_file(again) == settings_file(whole)
    assert again.document["counts"]["missing"] == 0


def test_settings_that_are_written_are_trained_whatever_the_sampler_would_choose_now(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = swept(config, "a")
    (first.plan.folder / "trainings.jsonl").write_text("")
    monkeypatch.setattr(sampled, "propose", None)
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert content(resumed(config, "a")) == content(first)


def test_settings_that_another_process_has_written_meanwhile_win(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = swept(config, "a", trials=BATCH)
    (sweep,) = list_sweeps(config.parent / "a")
    planned = plan_sweep(resumed_config(sweep, SweepOptions(trials=BATCH + 1)), sweep)
    other = json.loads(settings_file(first).splitlines()[0])["values"]
    with (first.plan.folder / SETTINGS).open("a") as file:
        file.write(json.dumps({"setting": BATCH, "values": other}) + "\n")
    done = planned.resume(sweep, SilentProgress(), 1)
    assert done.plan.settings[BATCH] == other
    assert len(done.results) == 2 * (BATCH + 1)


def test_damaged_settings_are_refused_and_nothing_is_trained(config: Path) -> None:
    first = swept(config, "a", trials=2, seeds=1)
    path = first.plan.folder / SETTINGS
    path.write_text(settings_file(first).replace('"setting": 1', '"setting": 7'))
    with pytest.raises(RunError, match="in line 2, the setting is 7, not 1"):
        resumed(config, "a")


def test_the_total_is_known_from_the_start(config: Path) -> None:
    documents: list[Mapping[str, Any]] = []

    class View(SilentProgress):
        def on_start(self, document: Mapping[str, Any], processes: int) -> None:
            documents.append(document)
            assert processes == 2 * BATCH

        def on_training_end(self, training: Any, document: Mapping[str, Any]) -> None:
            documents.append(document)

    planned = plan_sweep(load_sweep(config, [], SweepOptions()))
    done = planned.start(config.parent / "a", View(), 50)
    assert {each["counts"]["trainings"] for each in documents} == {20}
    assert {each["counts"]["settings"] for each in documents} == {10}
    assert [each["counts"]["missing"] for each in documents] == [*range(20, -1, -1)]
    assert len(documents[0]["settings"]) == BATCH
    assert len(done.document["settings"]) == 10


def test_a_mistake_in_a_range_is_found_before_the_first_training(config: Path) -> None:
    config.write_text(BASE.replace("loguniform(1e-4, 10)", "uniform(-10, 0.1)"))
    with pytest.raises(ConfigError, match=r"sweep|l2"):
        swept(config, "a")
    assert not (config.parent / "a").exists()


def test_without_optuna_nothing_begins_and_other_sweeps_work(
    config: Path, bpnet: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    refused = bpnet("sweep", config)
    assert refused.code == 2
    assert refused.err.startswith(
        'Error: The sampler `tpe` needs the package optuna: pip install "bpcli[optuna]".'
    )
    assert not (config.parent / "runs").exists()
    assert bpnet("check", config).code == 0
    assert bpnet("sweep", config, "--sampler", "random", "--trials", 2).code == 0


def test_the_command_takes_the_sampler_prints_nothing_else_and_keeps_it_on_resume(
    config: Path, bpnet: Callable[..., Any]
) -> None:
    config.write_text(MOONS)
    drawn = ["--random", "hidden=int(1, 4)", "--set", "training.epochs=3"]
    done = bpnet("sweep", config, *drawn, "--sampler", "tpe", "--trials", 6, "--set",
                 "data.split.val=0.25", "--json")  # fmt: skip
    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    assert document["counts"]["finished"] == 6
    other = bpnet("sweep", "--resume", document["sweep"], "--sampler", "random")
    assert other.code == 2
    assert "keeps its keys and values" in other.err
    more = bpnet("sweep", "--resume", document["sweep"], "--trials", 7, "--json")
    assert (more.code, more.err) == (0, "")
    assert json.loads(more.out)["counts"]["finished"] == 7
    assert len(SweepFolder(Path(document["folder"])).results()) == 7
