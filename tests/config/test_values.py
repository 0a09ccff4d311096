from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError
from small_configs import XOR, errors, only_error, parsed

from bpcli.config.issues import MOST_ISSUES
from bpcli.config.models import Spec
from bpcli.config.values import value_issues
from bpcli.errors import ConfigIssue


def test_missing_keys_are_named_where_they_belong() -> None:
    found = errors("name: t\nnetwork:\n  layers: [2, 1]\n")
    assert [line.split(": ", 1)[1] for line in found] == [
        "the key `data` is missing at the top level",
        "the key `loss` is missing at the top level",
        "the key `activations` is missing under `network`",
    ]
    assert found[2].startswith("c.yaml:2:1")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("training.epochs=2.5", "found 2.5, expected a whole number"),
        ("training.epochs=-1", "found -1, expected a number of at least 0"),
        ("training.epochs=yes", "found `yes`, expected a whole number"),
        ("training.learning_rate=0", "a number greater than 0"),
        ("training.learning_rate=.nan", "expected a finite number"),
        ("training.learning_rate=fast", "or a mapping with `schedule` and its options"),
        ("training.learning_rate={schedule: cosine}", "the key `start` is missing under"),
        ("training.learning_rate={schedule: cosine, start: 0}", "a number greater than 0"),
        ("training.record_params=1", "found 1, expected true or false"),
        ("training.optimizer={name: lbfgs, memory: 0}", "a number of at least 1"),
        ("training.optimizer={name: cg, variant: hestenes}", "expected `polak_ribiere`"),
        ("training.optimizer={name: scg, sigma: 0}", "a number greater than 0"),
        ("training.optimizer.momentum=1", "a number less than 1"),
        ("training.stop.progress=0", "a number greater than 0"),
        ("training.optimizer={name: rprop, max_step: 0.01}", "`initial_step` (0.07) must lie"),
        ("data.split={folds: 1}", "a number of at least 2"),
        ("training.stop.goal.x=3", "found a mapping, expected a number"),
        ("data.scale={inputs: {divide_by: 0}}", "a number greater than 0"),
        ("data.scale={inputs: standrad}", "did you mean `standard`?"),
        ("network.layers=[2]", "a list of at least 2"),
        ("network.layers=[2, 0, 1]", "a number of at least 1"),
        ("network.activations.0={name: leaky_relu, slope: 1}", "a number less than 1"),
        ("metrics=[accuracy, accuracy]", "each metric once"),
        ("network.init={name: uniform, low: 2, high: 1}", "`low` (2) must be at most `high` (1)"),
        ("data={generator: plane, low: 11}", "`low` (11) must be at most `high` (10)"),
        (
            "data={generator: moons, n_samples: 100000000000000000000}",
            "a number of at most 1000000000",
        ),
        ("metrics=[acuracy]", "did you mean `accuracy`?"),
        ("name=../up", "at most 64 letters and digits of any script"),
        ("seed=-1", "a number of at least 0"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(assignment: str, message: str) -> None:
    assert message in only_error(assignment)


def issues(tree: Mapping[str, Any]) -> list[ConfigIssue]:
    try:
        Spec.model_validate(tree)
    except ValidationError as error:
        return [*value_issues(tree, error)]
    return [*value_issues(tree, None)]


@pytest.mark.parametrize(
    ("assignment", "location", "message"),
    [
        (
            "network.layers=[2, x, 1]",
            "network.layers.1",
            "found `x`, expected a whole number or `auto`",
        ),
        ("network.bias=[1]", "network.bias.0", "found 1, expected true or false or `frozen`"),
        ("network.bias=froze", "network.bias", "a list; did you mean `frozen`?"),
        (
            "training.checkpoint_every={seconds: x}",
            "training.checkpoint_every.seconds",
            "found `x`, expected a number",
        ),
        (
            "training.stop=[]",
            "training.stop",
            "found a list of 0, expected a mapping of keys and values",
        ),
        ("training.stop=goal:5", "training.stop", "put a space after the colon, `goal: …`"),
        ("data=xor", "data", "expected a mapping with `generator`, `file` or `inputs`"),
        (
            "loss={name: huber, delta: 0}",
            "loss.delta",
            "found 0, expected a number greater than 0",
        ),
        (
            "network.layers=[2]",
            "network.layers",
            "found a list of 1, expected a list of at least 2",
        ),
        ("training.epochs=1_000", "training.epochs", "a whole number; write `1000`"),
        ("training.l2='0,5'", "training.l2", "found `0,5`, expected a number; write `0.5`"),
        (
            "training.record_params=On",
            "training.record_params",
            "found `On`, expected true or false; write `true`",
        ),
        (
            "metrics=[2]",
            "metrics.0",
            "found 2, expected `accuracy`, `exact_match`, `precision`, `recall`, `f1`, ",
        ),
        (
            "name=''",
            "name",
            "found ``, expected at most 64 letters and digits of any script, - _ and ., the first",
        ),
    ],
)
def test_alternatives_are_one_issue_with_all_that_is_allowed(
    assignment: str, location: str, message: str
) -> None:
    (issue,) = issues(parsed(XOR, assignment).tree)
    assert message in issue.message
    assert issue.key == location
    assert not issue.at_key


def test_a_valid_tree_has_none() -> None:
    assert issues(parsed(XOR).tree) == []


def test_a_missing_key_is_an_issue_of_its_section() -> None:
    (issue,) = issues(parsed(XOR, "network.parameters=[{bias: [1]}, {weights: [[1]]}]").tree)
    assert issue.message == "the key `weights` is missing under `network.parameters.0`"
    assert issue.location == ("network", "parameters", 0, "weights")
    assert issue.at_key


def test_a_default_that_depends_on_a_wrong_value_is_no_issue() -> None:
    (issue,) = issues(parsed(XOR, "training.optimizer={name: rprop, max_step: 0.01}").tree)
    assert issue.location == ("training", "optimizer", "name")


def test_a_tree_with_very_many_has_the_first() -> None:
    tree = parsed(XOR).tree
    tree["network"]["layers"] = ["x"] * 3 * MOST_ISSUES
    assert 0 < len(issues(tree)) <= MOST_ISSUES
