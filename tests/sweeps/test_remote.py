"""Trainings on the workers of a cluster have the results of those in local processes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

import psutil
from trainings import (
    VAL_LOSS,
    Recorder,
    ask_to_stop,
    moons,
    restarts,
    run,
    sweep_in,
    trainings_of,
)
from work import no_hang

from bpcli.cluster import members
from bpcli.cluster.connection import ClusterConnection, connected
from bpcli.cluster.local import LocalCluster, local_cluster
from bpcli.config.load import Config, config_of
from bpcli.errors import ClusterError, ConfigError, WorkerLost
from bpcli.runs.store import Run
from bpcli.sweeps import remote
from bpcli.sweeps.folder import SweepFolder
from bpcli.sweeps.halving import Halving
from bpcli.sweeps.parcels import files_of
from bpcli.sweeps.remote import ClusterPlace, refuse_shared
from bpcli.sweeps.training import Training, TrainingResult
from bpcli.workflows.interrupts import StopRequest

LONG = ("training.epochs=1000000", "training.stop={}")


@pytest.fixture(autouse=True)
def _never_for_ever() -> Iterator[None]:
    with no_hang():
        yield


@pytest.fixture(scope="module")
def local() -> Iterator[LocalCluster]:
    with local_cluster(2, None, "127.0.0.1:0") as started:
        yield started


@pytest.fixture
def cluster(local: LocalCluster) -> Iterator[ClusterConnection]:
    with connected(local.address) as connection:
        while connection.workers < 2:  # one that another test has killed returns
            connection.keep_up()
            time.sleep(0.05)
        yield connection


def place(cluster: ClusterConnection, sweep: SweepFolder, most: int = 100) -> ClusterPlace:
    return ClusterPlace(cluster, sweep.trainings, most)


def without_times(results: list[TrainingResult]) -> list[TrainingResult]:
    return sorted((replace(each, seconds=0.0) for each in results), key=lambda each: each.name)


def programs(local: LocalCluster) -> list[psutil.Process]:
    """The processes that train."""
    found = psutil.Process(local.pid).children(recursive=True)
    return [each for each in found if remote.PROGRAM in _command(each)]


def _command(process: psutil.Process) -> list[str]:
    """The command of a process; empty if it has ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_results_do_not_depend_on_the_place(cluster: ClusterConnection, tmp_path: Path) -> None:
    linear = ("network.activations=[identity, identity]", "loss=mse")
    configs = [moons(), moons("network.layers=[5, 3, 1]"), moons("training.optimizer=lbfgs"),
               moons(*linear, "training.learning_rate=1e300")]  # fmt: skip
    trainings = [*trainings_of(configs), *(replace(each, seed=7) for each in restarts(2))]
    here, there = sweep_in(tmp_path), sweep_in(tmp_path)
    expected = run(here, trainings)
    recorder = Recorder()
    found = run(there, trainings, place=place(cluster, there), recorder=recorder)
    assert without_times(found) == without_times(expected)
    assert sorted(each.status for each in found) == ["diverged", "failed", *["finished"] * 4]
    assert recorder.started == [each.name for each in trainings]
    names = [files_of(sweep.trainings / "0000-0").keys() for sweep in (here, there)]
    assert names[0] == names[1]
    records = [Run(sweep.trainings / "0000-0").record() for sweep in (here, there)]
    assert records[0].argv == records[1].argv
    assert records[0].config == records[1].config
    assert not [*there.trainings.glob(".*")]


def test_a_paused_training_goes_on_with_the_same_bits(
    cluster: ClusterConnection, tmp_path: Path
) -> None:
    trainings = restarts(4, "training.epochs=27")
    here, there = sweep_in(tmp_path), sweep_in(tmp_path)
    expected = run(here, trainings, schedule=Halving(trainings, VAL_LOSS))
    schedule = Halving(trainings, VAL_LOSS)
    found = run(there, trainings, schedule=schedule, place=place(cluster, there))
    one, two = ({(each.key, each.weights_sha256) for each in one} for one in (expected, found))
    assert one == two
    assert len(found) > len(trainings)


def test_no_more_than_the_given_number_run_at_once(
    cluster: ClusterConnection, tmp_path: Path
) -> None:
    sweep, running = sweep_in(tmp_path), []
    recorder = Recorder()
    recorder.on_start = lambda _: running.append(len(recorder.started) - len(recorder.ended))
    run(sweep, restarts(3), place=place(cluster, sweep, 1), recorder=recorder)
    assert max(running) == 1


def test_after_a_signal_runs_are_saved_and_resumed_anywhere_to_the_same_bits(
    local: LocalCluster, cluster: ClusterConnection, tmp_path: Path
) -> None:
    trainings = restarts(3, *LONG)  # they cannot have ended before the signal
    sweep, request, recorder = sweep_in(tmp_path), StopRequest(), Recorder()

    def tick() -> None:
        training = [*filter(_trains, programs(local))]
        if request.signal_number is None and len(training) == 2:
            ask_to_stop(request)

    recorder.on_tick = tick
    before = run(sweep, trainings, place=place(cluster, sweep), request=request, recorder=recorder)
    assert request.signal_number is not None
    assert (before, recorder.started) == ([], [each.name for each in trainings[:2]])
    saved = [Run(sweep.trainings / name) for name in recorder.started]
    assert {each.record().status for each in saved} == {"interrupted"}
    until = max(each.record().epochs for each in saved) + 100
    rest = [replace(each, until=until) for each in trainings]
    assert without_times(run(sweep, rest)) == without_times(run(sweep_in(tmp_path), rest))
    assert all(each.record().resumed for each in saved)


def _trains(program: psutil.Process) -> bool:
    """Whether a program has a run with an epoch."""
    folders = _command(program)[-1:]
    logs = [path for folder in folders for path in Path(folder).glob("*/metrics.jsonl")]
    return any(path.exists() and path.stat().st_size for path in logs)


def test_the_training_of_a_killed_worker_begins_again_on_another(
    local: LocalCluster, cluster: ClusterConnection, tmp_path: Path
) -> None:
    trainings = restarts(4, "training.epochs=3000")
    expected = run(sweep_in(tmp_path), trainings)
    sweep, recorder, killed = sweep_in(tmp_path), Recorder(), []

    def kill_a_worker() -> None:
        busy = [each for each in programs(local) if _trains(each)]
        if busy and not killed:
            killed.append(busy[0])
            worker = busy[0].parent()
            assert worker is not None
            worker.kill()

    recorder.on_tick = kill_a_worker
    found = run(sweep, trainings, place=place(cluster, sweep), recorder=recorder)
    assert without_times(found) == without_times(expected)
    assert cluster.traffic.repeated_trainings >= 1
    psutil.wait_procs(killed, timeout=20)
    assert not killed[0].is_running(), "its program has ended with the worker"


def test_a_training_whose_worker_is_lost_again_and_again_has_failed(
    cluster: ClusterConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise OSError

    sweep = sweep_in(tmp_path)
    monkeypatch.setattr(remote.RemoteSeat, "_answer", lost)
    (result,) = run(sweep, restarts(1), place=place(cluster, sweep))
    assert result.status == "failed"
    assert result.error == "The worker that trained it was lost 3 times."


def test_a_training_whose_process_is_killed_has_failed(
    local: LocalCluster, cluster: ClusterConnection, tmp_path: Path
) -> None:
    sweep, recorder = sweep_in(tmp_path), Recorder()

    def kill() -> None:
        for each in filter(_trains, programs(local)):
            each.kill()

    recorder.on_tick = kill
    (result,) = run(sweep, restarts(1, *LONG), place=place(cluster, sweep), recorder=recorder)
    assert result.status == "failed"
    expected = r"Its process on tcp://127\.0\.0\.1:\d+ was killed by signal 9\."
    assert re.fullmatch(expected, result.error or "")


def test_an_end_at_once_leaves_no_training(
    local: LocalCluster, cluster: ClusterConnection, tmp_path: Path
) -> None:
    sweep, recorder = sweep_in(tmp_path), Recorder()
    training: list[psutil.Process] = []

    def tick() -> None:
        training.extend(filter(_trains, programs(local)))
        if training:
            raise KeyboardInterrupt

    recorder.on_tick = tick
    with pytest.raises(KeyboardInterrupt):
        run(sweep, restarts(2, *LONG), place=place(cluster, sweep), recorder=recorder)
    _, alive = psutil.wait_procs(training, timeout=20)
    assert not alive, "they would end after a minute by themselves"


def table(path: Path) -> Config:
    path.write_text("x,y\n" + "".join(f"{n},{n * n}\n" for n in range(20)))
    return config_of(
        {
            "data": {"file": str(path), "split": {"val": 0.3}},
            "network": {"layers": ["auto", 2, 1], "activations": ["tanh", "identity"]},
            "loss": "mse",
            "training": {"epochs": 2},
        }
    )


def test_workers_read_the_same_file(cluster: ClusterConnection, tmp_path: Path) -> None:
    trainings = [Training(n, 0, None, table(tmp_path / "t.csv")) for n in range(2)]
    sweep = sweep_in(tmp_path)
    assert without_times(run(sweep, trainings, place=place(cluster, sweep))) == without_times(
        run(sweep_in(tmp_path), trainings)
    )


@pytest.mark.parametrize(
    ("found", "reason"),
    [("0" * 64, r"has another file \S+t\.csv"), (None, r"cannot read \S+t\.csv: No such file")],
)
def test_workers_with_another_file_are_refused(
    found: str | None, reason: str, cluster: ClusterConnection, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(remote, "_PATIENCE_WITH_OTHERS_SECONDS", 0.5)
    training = Training(0, 0, None, table(tmp_path / "t.csv"))
    sweep = sweep_in(tmp_path)
    there = place(cluster, sweep)
    digest = found or there._digests.of(str(tmp_path / "t.csv"))
    monkeypatch.setattr(there._digests, "of", lambda _: digest)
    if found is None:
        (tmp_path / "t.csv").unlink()
    with pytest.raises(ClusterError, match=rf"^The worker tcp://\S+ {reason}"):
        run(sweep, [training], place=there)
    assert len(cluster.refused) == 2
    assert sweep.results() == []


def test_a_file_that_this_process_cannot_read_is_a_failure(
    cluster: ClusterConnection, tmp_path: Path
) -> None:
    training = Training(0, 0, None, table(tmp_path / "t.csv"))
    (tmp_path / "t.csv").unlink()
    sweep = sweep_in(tmp_path)
    (result,) = run(sweep, [training], place=place(cluster, sweep))
    assert "No such file" in (result.error or "")


def test_a_training_goes_to_the_worker_with_most_free_threads(tmp_path: Path) -> None:
    members = SimpleNamespace(threads={"a": 2, "b": 3}, keep_up=lambda: None)
    fake = SimpleNamespace(members=members, refused=[])
    there = ClusterPlace(fake, tmp_path, 100)  # type: ignore[arg-type]
    chosen = []
    while (address := there.free_worker()) is not None:
        chosen.append(address)
        there.in_use[address] += 1
    assert chosen[0] == "b"
    assert sorted(chosen) == ["a", "a", "b", "b", "b"]


def test_a_worker_is_in_use_while_it_trains(cluster: ClusterConnection, tmp_path: Path) -> None:
    sweep, used = sweep_in(tmp_path), []
    there = place(cluster, sweep)
    recorder = Recorder()
    recorder.on_tick = lambda: used.append(there.in_use.total())
    run(sweep, restarts(3, "training.epochs=3000"), place=there, recorder=recorder)
    assert max(used) == 2
    assert there.in_use.total() == 0


def test_a_cluster_without_workers(
    cluster: ClusterConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(cluster.members, "keep_up", lambda: None)
    sweep = sweep_in(tmp_path)
    cluster.members.threads.clear()
    with pytest.raises(WorkerLost, match="has had no worker"):
        run(sweep, restarts(1), place=place(cluster, sweep))


def test_a_training_for_all_workers_is_refused() -> None:
    refuse_shared([moons()])
    shared = moons()
    training = shared.spec.training.model_copy(update={"engine": "dask"})
    spec = shared.spec.model_copy(update={"training": training})
    with pytest.raises(ConfigError, match=r"`training.engine: dask` shares each among all"):
        refuse_shared([moons(), replace(shared, spec=spec)])
