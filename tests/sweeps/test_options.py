from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_configs import XOR

from bpcli.config.load import load_config
from bpcli.config.sweep_spec import SweepSpec
from bpcli.errors import ConfigError
from bpcli.sweeps.options import SweepOptions, load_sweep
from bpcli.sweeps.space import Space, configs

SECTION = """\
sweep:
  grid:
    training.learning_rate: [0.01, 0.1]
    hidden: [5, 10, [10, 5]]
    training.epochs: 1..20
  random:
    training.l2: loguniform(1e-4, 10)
    training.optimizer: ["rprop", lbfgs, {name: adam, beta1: 0.5}]
  trials: 40
  seeds: 5
  halving: true
"""
OPTIONS = SweepOptions(
    grid=["training.learning_rate=0.01,0.1", "hidden=5, 10, [10,5]", "training.epochs=1..20"],
    random=[
        "training.l2=loguniform(1e-4, 10)",
        'training.optimizer=choice("rprop", lbfgs, {name: adam, beta1: 0.5})',
    ],
    trials="40",
    seeds="5",
    halving=True,
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "t.yaml"
    path.write_text(XOR)
    return path


def sweep_of(path: Path, *, section: str = "", **options: Any) -> SweepSpec:
    path.write_text(XOR + section)
    sweep = load_sweep(path, [], SweepOptions(**options)).spec.sweep
    assert sweep is not None
    return sweep


def errors(path: Path, *, section: str = "", **options: Any) -> list[str]:
    """The lines of the error."""
    path.write_text(XOR + section)
    with pytest.raises(ConfigError) as caught:
        load_sweep(path, [], SweepOptions(**options))
    return str(caught.value).splitlines()


def test_options_are_the_section(config: Path) -> None:
    by_options = load_sweep(config, [], OPTIONS)
    config.write_text(XOR + SECTION)
    by_section = load_config(config)
    one, other = by_options.spec.sweep, by_section.spec.sweep
    assert one is not None
    assert other is not None
    assert (one.grid, one.trials, one.seeds, one.halving) == (
        other.grid, other.trials, other.seeds, other.halving,
    )  # fmt: skip
    first, second = Space.of(by_options.spec), Space.of(by_section.spec)
    assert first == second
    assert [each.overrides for each in configs(by_options, first, range(40))] == [
        each.overrides for each in configs(by_section, second, range(40))
    ]


def test_options_add_to_the_section_and_replace_entries_of_it(config: Path) -> None:
    sweep = sweep_of(
        config,
        section=SECTION,
        grid=["hidden=3", "training.stop.goal=0.1,0.2", "training.l2=0,1"],
        random=["training.epochs=int(1, 3)"],
        seeds=2,
    )
    assert sweep == SweepSpec(
        grid={
            "training.learning_rate": [0.01, 0.1],
            "hidden": [3],
            "training.stop.goal": [0.1, 0.2],
            "training.l2": [0, 1],
        },
        random={
            "training.optimizer": ["rprop", "lbfgs", {"name": "adam", "beta1": 0.5}],
            "training.epochs": "int(1, 3)",
        },
        trials=40,
        seeds=2,
        halving=True,
    )


def test_name_and_overrides_are_those_of_a_training(config: Path) -> None:
    loaded = load_sweep(config, ["training.epochs=3"], SweepOptions(grid=["hidden=3"]), "other")
    assert (loaded.spec.name, loaded.spec.training.epochs) == ("other", 3)
    assert loaded.overrides == ("training.epochs=3",)


@pytest.mark.parametrize(
    ("grid", "values"),
    [
        ("hidden=0.., 3", None),
        ("hidden=1..3", "1..3"),
        ("training.l2=range(0, 1, 0.5)", "range(0, 1, 0.5)"),
        ("training.l2=0.5", [0.5]),
        ("data.file=../a.csv,../b.csv", ["../a.csv", "../b.csv"]),
        ('data.file="a,b.csv",c.csv', ["a,b.csv", "c.csv"]),
        ("training.stop.goal=null,0.1", [None, 0.1]),
    ],
)
def test_values_are_separated_at_commas_outside_brackets(
    config: Path, grid: str, values: Any
) -> None:
    if values is None:
        assert errors(config, grid=[grid])[0].startswith("--grid hidden=0.., 3: found `0..`, exp")
    else:
        assert sweep_of(config, grid=[grid]).grid == {grid.partition("=")[0]: values}


_ONE_KEY = "expected a key and its values, such as"


@pytest.mark.parametrize(
    ("options", "marked", "message"),
    [
        (
            {"grid": ["training.l2"]},
            "training.l2",
            f"{_ONE_KEY} --grid training.learning_rate=0.01,0.1",
        ),
        ({"grid": ["training.l2="]}, "training.l2=", _ONE_KEY),
        (
            {"random": ["=int(1, 2)"]},
            "=int(1, 2)",
            f'{_ONE_KEY} --random "training.l2=loguniform(1e-4, 10)"',
        ),
        (
            {"grid": ["training.epoch=1,2"]},
            "training.epoch",
            "unknown key `training.epoch`; did you mean `training.epochs`?",
        ),
        (
            {"grid": ["hidden=3,[5, 0],4"]},
            "[5, 0]",
            "found `[5, 0]`, expected sizes of hidden layers: a whole number such as 5",
        ),
        (
            {"grid": ["training.epochs=20..1"]},
            "20..1",
            "the range begins at 20, above its end 1: exchange them",
        ),
        ({"grid": ["training.l2=[1"]}, "[1", "this bracket is never closed: `]` is missing"),
        (
            {"random": ["training.l2=unifrm(0, 1)"]},
            "unifrm(0, 1)",
            "found `unifrm(0, 1)`, expected a list to choose from, uniform(0, 1)",
        ),
        (
            {"grid": ["training.l2=1"], "random": ["training.l2=uniform(0, 1)"]},
            "training.l2",
            "`training.l2` is in `grid` and in `random`: keep one",
        ),
        (
            {"grid": ["training.l2=1,2"], "seeds": "some"},
            "some",
            "found `some`, expected a whole number",
        ),
        (
            {"grid": ["training.l2=1,2"], "trials": 3},
            "3",
            "found 3, but the grid has only 2 combinations",
        ),
        ({"trials": 3}, "3", "`trials` is the number of settings, but no key varies: add `grid`"),
    ],
)
def test_a_mistake_is_shown_in_the_option(
    config: Path, options: dict[str, Any], marked: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_sweep(config, [], SweepOptions(**options))
    (issue,) = caught.value.issues
    name, given = [*options.items()][-1]
    assert issue.origin == f"--{name} {given[0] if isinstance(given, list) else given}"
    assert issue.mark is not None
    assert issue.origin[issue.mark.column : issue.mark.end_column] == marked
    assert issue.message.startswith(message)


def test_a_section_that_is_none_takes_no_options(config: Path) -> None:
    found = errors(config, section="sweep: 3\n", grid=["hidden=3"])
    at = found.index("--grid hidden=3: `sweep` is 3, which has no keys")
    assert found[at + 1 : at + 3] == ["    --grid hidden=3", "                  ^"]


def test_a_setting_that_fails_is_shown_in_the_option(config: Path) -> None:
    asked = SweepOptions(grid=["training.optimizer=rprop,{name: adam, beta1: 2}"])
    loaded = load_sweep(config, [], asked)
    with pytest.raises(ConfigError) as caught:
        configs(loaded, Space.of(loaded.spec), range(2))
    (issue,) = caught.value.issues
    assert issue.origin == "--grid training.optimizer=rprop,{name: adam, beta1: 2}"
    assert issue.column == 1 + issue.origin.index("2}")
