from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from small_configs import XOR, errors, load

import bpcli
from bpcli.config.load import config_of
from bpcli.config.schema import json_schema
from bpcli.config.source import Source
from bpcli.config.sweep_spec import SweepSpec
from bpcli.config.writing import dump

SWEEP = """\
sweep:
  grid:
    training.learning_rate: [0.01, 0.1]
    hidden: [5, 10, [10, 5]]
  random:
    training.l2: loguniform(1e-4, 10)
    training.optimizer: "choice(rprop, lbfgs, {name: adam})"
  trials: 40
  seeds: 5
"""
NOTE = "`sweep` is used by `bpnet sweep` only"


def test_the_section_is_kept_as_written() -> None:
    sweep = load(XOR + SWEEP).spec.sweep
    assert sweep == SweepSpec(
        grid={"training.learning_rate": [0.01, 0.1], "hidden": [5, 10, [10, 5]]},
        random={
            "training.l2": "loguniform(1e-4, 10)",
            "training.optimizer": "choice(rprop, lbfgs, {name: adam})",
        },
        trials=40,
        seeds=5,
    )
    again = Source.parse(dump({"sweep": sweep.model_dump()}), "again")
    assert load(XOR + again.text).spec.sweep == sweep


def test_the_defaults() -> None:
    assert load(XOR).spec.sweep is None
    sweep = load(XOR, "sweep={grid: {training.epochs: [1]}}").spec.sweep
    assert sweep is not None
    assert (sweep.trials, sweep.seeds, sweep.halving, sweep.sampler) == (None, 1, False, "random")


def test_a_python_program_may_have_one_too() -> None:
    tree = Source.parse(XOR, "c.yaml").tree | {"sweep": {"grid": {"training.epochs": (1, 2)}}}
    sweep = config_of(tree).spec.sweep
    assert sweep is not None
    assert sweep.grid == {"training.epochs": [1, 2]}


@pytest.mark.parametrize(
    ("section", "place", "message"),
    [
        ("{grid: {training.l2: uniform(0)}}", "7:29", "`uniform(0)` draws values: put it under"),
        ("{grid: {training.l2: 3}}", "7:29", "found 3, expected a list, range(0, 1, 0.25), logr"),
        ("{grid: {training.l2: []}}", "7:29", "the list is empty: expected at least one value"),
        ("{grid: {training.l2: }}", "7:28", "found nothing, expected a list"),
        ("{grid: [training.l2]}", "7:15", "found a list of 1, expected a mapping of keys"),
        ("{random: {training.l2: unifrm}}", "7:31", "did you mean `uniform`?"),
        ("{random: {training.l2: uniform(2, 1)}}", "7:31", ""),
        ("{random: {training.epochs: [1, 2]}, trials: 0}", "7:52", "a number of at least 1"),
        ("{random: {training.epochs: [1, 2]}, seeds: 1.5}", "7:51", "expected a whole number"),
        ("{random: {training.epochs: [1, 2]}, halving: yes}", "7:53", "write `true`"),
        ("{random: {training.epochs: [1, 2]}, sampler: gp}", "7:53", "expected `random` or `tpe`"),
        ("{random: {training.epochs: [1, 2]}, sed: 2}", "7:44", "did you mean `seeds`?"),
        ("5", "7:8", "found 5, expected a mapping of keys and values"),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(section: str, place: str, message: str) -> None:
    # A comma in a bracket ends plain text, so calls with two limits are quoted here.
    section = section.replace("uniform(2, 1)", "'uniform(2, 1)'")
    found = errors(f"{XOR}sweep: {section}\n")
    assert len(found) == 1, found
    assert found[0].startswith(f"c.yaml:{place}: ")
    assert message in found[0]


def test_the_schema_has_it() -> None:
    validator = Draft202012Validator(json_schema())
    validator.validate(Source.parse(XOR + SWEEP, "c.yaml").tree)
    for wrong in ("{grid: {training.l2: 3}}", "{grids: {}}", "{random: {training.l2: []}}"):
        assert not validator.is_valid(Source.parse(f"{XOR}sweep: {wrong}", "c.yaml").tree)


@pytest.mark.filterwarnings("ignore::bpcli.BpnetWarning")  # three epochs do not suffice
def test_one_training_does_not_use_it(tmp_path: Path) -> None:
    plain, swept = load(XOR), load(XOR + SWEEP)
    assert plain.notes == ()
    assert swept.notes == (NOTE,)
    assert swept.resolved() == plain.resolved()
    assert swept.spec.model_dump() == plain.spec.model_dump()
    config = tmp_path / "t.yaml"
    config.write_text(XOR + SWEEP)
    one = bpcli.train(config, overrides=["training.epochs=3"])
    assert NOTE in one.notes
    config.write_text(XOR)
    other = bpcli.train(config, overrides=["training.epochs=3"])
    assert one.resolved == other.resolved
    assert one.config == other.config
    assert (
        one.record["sha256"]["weights.safetensors"]
        == (other.record["sha256"]["weights.safetensors"])
    )
