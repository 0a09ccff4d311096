"""The option `--scheduler`: what it takes, and how many trainings use it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click
import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

from small_configs import MOONS, load

from bpcli.cli.scheduler import Where, _checked, _say_what_went_wrong, keys_of
from bpcli.cluster.traffic import Traffic
from bpcli.errors import ClusterError


@pytest.mark.parametrize("value", [None, "local", "tcp://10.0.0.1:8786", "tls://h:1"])
def test_an_address_is_taken(value: str | None) -> None:
    context = click.Context(click.Command("train"))
    assert _checked(context, click.Option(["--scheduler"]), value) == value


@pytest.mark.parametrize("command", ["train", "sweep", "size"])
def test_a_config_is_not_taken_for_an_address(bpnet, command: str) -> None:
    result = bpnet(command, "--scheduler", "c.yaml")
    assert result.code == 2
    assert "write --scheduler at the end, or --scheduler=local" in result.err


def test_the_keys_of_one_training() -> None:
    assert keys_of("local") == ("training.engine=dask",)
    assert keys_of("tcp://h:1") == ("training.engine=dask", "training.scheduler=tcp://h:1")


def test_without_a_scheduler_there_is_no_cluster() -> None:
    with Where(None, 3).open([load(MOONS)], is_silent=False) as place:
        assert place == (3, None)


def test_a_cluster_of_this_machine_has_as_many_workers_as_processes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Where("local", 1).open([load(MOONS)], is_silent=False) as (processes, cluster):
        assert processes == 1
        assert cluster is not None
        assert cluster.workers == 1
        said = capsys.readouterr().err
        assert said == f"{cluster.description}\n"
    assert capsys.readouterr().err == ""


def test_a_scheduler_that_does_not_answer_leaves_no_folder(
    bpnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(MOONS)
    monkeypatch.setattr("bpcli.cluster.connection._CONNECT_SECONDS", 0.2)
    result = bpnet("sweep", "c.yaml", "--grid", "hidden=1,2", "--scheduler", "tcp://127.0.0.1:1")
    assert result.code == ClusterError.exit_code
    assert "No scheduler answers at tcp://127.0.0.1:1" in result.err
    assert not Path("runs").exists()


def test_what_went_wrong_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = SimpleNamespace(refused=["It is old."], traffic=Traffic(repeated_trainings=2))
    _say_what_went_wrong(cluster, is_silent=False)  # type: ignore[arg-type]
    assert capsys.readouterr().err == (
        "warning: It is old.\nnote: 2 trainings restarted because a worker was lost\n"
    )
    _say_what_went_wrong(cluster, is_silent=True)  # type: ignore[arg-type]
    assert capsys.readouterr().err == "warning: It is old.\n"
