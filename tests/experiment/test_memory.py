"""What a training needs of memory, as its config tells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from builds import MOONS, built

from bpcli.config.load import load_config
from bpcli.errors import ConfigError
from bpcli.experiment import build
from bpcli.experiment.memory import needs, size_text
from bpcli.experiment.network import network_of_sizes

CONFIG = """\
data: {generator: teacher, n_features: 10, n_samples: 1000}
network: {layers: [10, 20, 1], activations: [tanh, identity]}
loss: mse
training: {workers: 2}
"""
HUGE = "network.layers=[10, 1000000000, 1000000000, 1]"
TESTS = Path(__file__).parents[1]
PROBE = f"""
import json, re, sys
sys.path.insert(0, {str(TESTS)!r})
import bpcli.cli.main
from work import at_most
with at_most(1_000_000):  # most of them imports
    code = bpcli.cli.main.main(sys.argv[1:])
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(json.dumps({{"code": code, "megabytes": int(peak) / 1024}}))
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "big.yaml"
    path.write_text(CONFIG)
    return path


def refused(config: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        build(load_config(config, overrides))
    return str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("command", ["train", "gradcheck", "predict", "compare", "check"])
def test_an_absurd_network_is_refused_before_anything_is_made(config: Path, command: str) -> None:
    options = ["--optimizers", "rprop,adam"] if command == "compare" else []
    layers = ["--set", HUGE, "--set", "network.activations=[tanh, tanh, identity]"]
    done = subprocess.run(
        [sys.executable, "-c", PROBE, command, config, *layers, *options],
        cwd=config.parent, capture_output=True, text=True, check=True,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    measured = json.loads(done.stdout)
    assert measured["code"] == 2
    assert "1,000,000,013,000,000,001 parameters" in done.stderr
    assert "use fewer units" in done.stderr
    assert measured["megabytes"] < 200
    assert list(config.parent.rglob("*")) == [config], "not even a folder for runs"


def test_each_need_is_told_from_the_config(config: Path) -> None:
    spec = build(load_config(config)).spec
    network = build(load_config(config)).network
    found = {need.what: need.bytes for need in needs(spec, network, rows=1000, table_bytes=7)}
    assert network.n_params == 11 * 20 + 21
    # One shard leaves the second worker nothing to do; z, a, delta and grad_a of 21 units.
    block = (1 + 2) * (2 * 21 + 2 * 21) * 1000 * 8
    assert found == {
        "241 parameters with their gradients and copies": 10 * 241 * 8,
        "activations of 1,000 rows at a time": block,
        "1,000 rows in float64": 1000 * (11 + 1) * 8,
        "outputs and metrics of all rows": 1000 * (1 + 4) * 4 * 8,
        "the table": 7,
    }


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (HUGE.replace("[10,", "[auto,"), "--set network.layers="),
        ("data.n_samples=1000000000", "use fewer rows"),
        ("training={optimizer: {name: lbfgs, memory: 10000000000}}", "use `conjugate_gradient`"),
        ("training={record_params: true, epochs: 1000000000}", "remove `record_params`"),
    ],
)
def test_what_is_too_large_is_said_with_a_remedy(
    config: Path, override: str, expected: str
) -> None:
    extra = ["network.activations=[tanh, tanh, identity]"] if "layers" in override else []
    assert expected in refused(config, override, *extra)


def test_the_figures_stand_in_the_message(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bpcli.experiment.memory.available_memory", lambda: 2_200_000)
    monkeypatch.setattr("bpcli.experiment.memory._TOO_LITTLE_TO_ASK", 0)
    assert (
        "this needs about 2.2 MiB of memory (1.9 MiB for activations of 1,000 rows at a time, "
        "156 KiB for outputs and metrics of all rows, 94 KiB for 1,000 rows in float64), and "
        "2.1 MiB are free: use fewer units"
    ) in refused(config)


def test_a_wide_net_with_few_rows_is_not_refused(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bpcli.experiment.memory.available_memory", lambda: 2**28)
    build(load_config(config, ["network.layers=[10, 100000, 1]", "data.n_samples=4"]))


def test_rows_of_a_file_count_once_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "1,2\n3,4\n" * 10000)
    path = tmp_path / "c.yaml"
    path.write_text(
        CONFIG.replace(
            "{generator: teacher, n_features: 10, n_samples: 1000}", "{file: t.csv}"
        ).replace("[10, 20", "[1, 1")
    )
    monkeypatch.setattr("bpcli.experiment.memory.available_memory", lambda: 400_000)
    monkeypatch.setattr("bpcli.experiment.memory._TOO_LITTLE_TO_ASK", 0)
    assert "469 KiB of memory for 20,000 rows in float64" in refused(path)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1536, "1.5 KiB"), (2**40, "1,024 GiB"), (15 * 2**20, "15 MiB")],
)
def test_sizes_have_the_unit_that_suits_them(size: int, text: str) -> None:
    assert size_text(size) == text


def test_matrices_of_parameters_must_fit_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    wide, squares = "network.layers=[2, 10000, 1]", "training.optimizer=levenberg_marquardt"
    monkeypatch.setattr("bpcli.experiment.memory.available_memory", lambda: 2**33)
    with pytest.raises(
        ConfigError, match="36 GiB of memory for the state and equations of `levenberg_marquardt`"
    ):
        built(MOONS, wide, "loss=mse", squares)
    assert built(MOONS, wide, "loss=mse").network.n_params == 40_001
    assert built(MOONS, "loss=mse", squares).network.n_params == 13


@pytest.mark.parametrize(
    ("file", "way"),
    [
        ("a.npy", "or read them in pieces by `training.engine: stream`"),
        ("a.csv", "or convert the file by `bpnet data convert a.csv`"),
    ],
)
def test_rows_of_a_file_that_do_not_fit_have_a_way_on(tmp_path: Path, file: str, way: str) -> None:
    text = CONFIG.replace(
        "{generator: teacher, n_features: 10, n_samples: 1000}", f"{{file: {file}}}"
    )
    (tmp_path / "c.yaml").write_text(text)
    config = load_config(tmp_path / "c.yaml", [])
    network = network_of_sizes(config.spec, [10, 20, 1])
    remedies = {need.what: need.remedy for need in needs(config.spec, network, 10**6, 1)}
    assert way in remedies["1,000,000 rows in float64"]
    assert way in remedies["the table"]


def test_streamed_rows_need_buffers_and_what_the_config_asks_for(tmp_path: Path) -> None:
    text = CONFIG.replace("{generator: teacher, n_features: 10, n_samples: 1000}", "{file: a.npy}")
    (tmp_path / "c.yaml").write_text(text)

    def stored(*overrides: str) -> dict[str, int]:
        spec = load_config(tmp_path / "c.yaml", overrides).spec
        found = needs(spec, network_of_sizes(spec, [10, 20, 1]), 10**9, 0, buffer_bytes=2**20)
        return {need.what: need.bytes for need in found if "rows at a time" not in need.what}

    few = stored()
    assert sum(few.values()) < 100 * 2**20
    assert few["pieces of the file"] == 3 * 17 * 2**20
    assert stored("data.split.val=0.1")["the splits of 1,000,000,000 rows"] == 10**9
    in_order = stored("data.split={val: 0.1, order: time}")
    assert in_order == few
    batches = stored("training.batch_size=100")
    assert batches["the order of 1,000,000,000 rows in batches"] == 8 * 10**9
    robust = stored("data.scale.inputs=robust")
    assert robust["a column of 1,000,000,000 numbers to sort"] == 24 * 10**9
