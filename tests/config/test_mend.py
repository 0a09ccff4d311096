from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_configs import MOONS, XOR, errors, only_error, parsed, trees
from systems import CONFIGS

from bpcli.config.mend import mend, under
from bpcli.config.source import Source


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("momentum: 0.5", "c.yaml:7:1: unknown key `momentum`; it belongs under `training.optimi"),
        ("n_samples: 3", "c.yaml:7:1: unknown key `n_samples`; it belongs under `data`"),
        ("max_fail: 3", "c.yaml:7:1: unknown key `max_fail`; it belongs under `training.stop`"),
        ("slope: 1", "it belongs under `network.activations`, with `leaky_relu`"),
        ("training: {noise: 1}", "c.yaml:7:12: unknown key `noise`; it belongs under `data`"),
        ("training: {optimizer: {name: rprop, momentum: 0.9}}", "an option of `gradient_descent`"),
        ("training: {optimizer: {name: sgd, mometum: 0.9}}", "did you mean `momentum`?"),
        ("training: {learning_rate: {name: step, start: 1, factor: 0.5, every: 9}}", "`schedule`?"),
        ("training: {learning_rate: {schedule: null, start: 1}}", "`inverse_time`"),
    ],
)
def test_a_mistake_is_one_error_that_says_what_to_do(text: str, message: str) -> None:
    found = errors(f"{MOONS}{text}\n")
    assert len(found) == 1, found
    assert message in found[0]


@pytest.mark.parametrize("value", ["null", "2", "true"])
def test_what_is_no_word_is_near_to_none(value: str) -> None:
    for text in (f"training: {{learning_rate: {{schedule: {value}}}}}", f"metrics: [{value}]"):
        assert not [line for line in errors(MOONS + text) if "did you mean" in line]


def test_a_section_in_the_wrong_place_is_looked_into() -> None:
    text = MOONS.replace("loss:", "  stop: {gaol: 1, max_fail: 0}\nloss:")
    assert [line.partition(": ")[2] for line in errors(text)] == [
        "unknown key `stop`; it belongs under `training`",
        "unknown key `gaol`; did you mean `goal`?",
        "found 0, expected a number of at least 1",
    ]


def test_a_misspelt_section_is_looked_into_although_a_key_of_it_stands_elsewhere() -> None:
    text = "generator: moons\n" + MOONS.replace("data: {generator: moons,", "dataa: {noise: x,")
    assert [line.partition(": ")[2] for line in errors(text)] == [
        "unknown key `generator`; it belongs under `data`",
        "unknown key `dataa`; did you mean `data`?",
        "found `x`, expected a number",
    ]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("training.learning_rate={start: 0.5}", "the key `schedule` is missing under"),
        ("training.learning_rate={schedul: cosine, start: 1}", "did you mean `schedule`?"),
        ("training.learning_rate={schedule: cosin, start: 1}", "did you mean `cosine`?"),
        (
            "training.learning_rate={schedule: step, start: 1, factor: 0.5, evry: 2, every: 2}",
            "did you mean `every`?",
        ),
        ("training.optimizer=adma", "found `adma`, expected `gradient_descent`"),
        ("network.inputs=1", "it belongs under `data`"),
        ("training.patience=3", "the keys under `training` are optimizer, epochs, batch_size,"),
        ("training.loss=mse", "unknown key `loss`; it belongs at the top level"),
        ("epochs=3", "unknown key `epochs`; it belongs under `training`"),
        ("data.n_samples=3", "unknown key `n_samples`"),
        ("data.split={fold: 1, foldz: 5}", "did you mean `folds`?"),  # `fold` is there
        ("data={fil: a.csv}", "did you mean `file`?"),  # without a source, not `fill`
        ("data.fill=mean", "unknown key `fill`; it is for tables in files (`file`)"),
        ("loss={name: mse, delta: 1}", "unknown key `delta`; it is an option of `huber`"),
        ("foo.bar.baz=1", "unknown key `foo`"),
        ("network.init={name: uniform, hihg: 1}", "did you mean `high`?"),
        ("loss=mean_squared", "found `mean_squared`, expected `mse`"),
    ],
)
def test_a_wrong_key_or_name_is_one_error_with_what_is_allowed(
    assignment: str, message: str
) -> None:
    assert message in only_error(assignment)


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_valid_config_stays_as_it_is(path: Path) -> None:
    source = Source.read(path)
    mended = mend(source)
    assert mended.tree == source.tree
    assert not mended.issues
    assert not mended.doubtful | mended.guessed | mended.incomplete


def test_a_moved_value_is_found_where_it_was_written() -> None:
    source = parsed(XOR, "stop.gaol=1")
    mended = mend(source)
    assert mended.get(("training", "stop")) == {"goal": 1}
    assert mended.in_text(("training", "stop", "goal")) == ("stop", "gaol")
    assert mended.in_text(("training", "epochs")) == ("training", "epochs")
    assert mended.in_text(("loss",)) == ("loss",)
    assert source.tree["stop"] == {"gaol": 1}


def test_a_moved_section_joins_the_one_that_is_there_which_wins() -> None:
    mended = mend(parsed(XOR, "training.stop={goal: 1, strip: 4}", "stop={goal: 2, max_fail: 3}"))
    stop = ("training", "stop")
    assert mended.get(stop) == {"goal": 1, "strip": 4, "max_fail": 3}
    assert mended.in_text((*stop, "goal")) == (*stop, "goal")
    assert mended.in_text((*stop, "strip")) == (*stop, "strip")
    assert mended.in_text((*stop, "max_fail")) == ("stop", "max_fail")


def test_a_moved_section_hides_no_mistake_in_the_one_that_is_there() -> None:
    found = errors(XOR + "stop: {goal: 1, strip: 0}\ntraining: {stop: {goal: x, max_fail: 0}}\n")
    assert [line.split(": ")[0] for line in found] == [
        "c.yaml:7:1", "c.yaml:7:24", "c.yaml:8:25", "c.yaml:8:38",
    ]  # fmt: skip


def test_a_misplaced_option_makes_the_short_form_of_its_entry_long() -> None:
    mended = mend(parsed(XOR, "training.optimizer=sgd", "momentum=0.5"))
    assert mended.get(("training", "optimizer")) == {"name": "sgd", "momentum": 0.5}
    assert mended.in_text(("training", "optimizer", "name")) == ("training", "optimizer")


def test_a_name_is_guessed_from_its_options_where_it_resembles_none() -> None:
    mended = mend(parsed(XOR, "training.optimizer={name: 7, memory: 5}"))
    assert mended.get(("training", "optimizer", "name")) == "lbfgs"
    assert mended.guessed == {("training", "optimizer")}


def test_what_could_not_be_read_is_unread_wherever_it_was_moved() -> None:
    mended = mend(parsed(XOR + "stop: {goal: 010, max_fail: 3}\n"))
    assert mended.is_unread(("training", "stop", "goal"))
    assert not mended.is_unread(("training", "stop", "max_fail"))


@given(st.dictionaries(st.sampled_from(["data", "network", "loss", "training", "stop"]), trees))
def test_nothing_that_yaml_can_spell_breaks_it(tree: dict[str, Any]) -> None:
    before = repr(tree)
    for issue in mend(Source("c.yaml", "", tree=tree)).issues:
        assert issue.message
    assert repr(tree) == before


def test_sections_in_a_message() -> None:
    assert under(()) == "at the top level"
    assert under(("training", "stop")) == "under `training.stop`"
    assert under(("network", "activations", 1)) == "under `network.activations.1`"
