from __future__ import annotations

from dataclasses import replace

from bpcli.runs.run_json import Machine
from bpcli.terminal.runs import difference_table, machine_facts


def test_an_activation_with_options_is_one_entry_of_the_list() -> None:
    activations = [[{"name": "maxout", "pieces": 3}, "softmax"], ["tanh", "softmax"]]
    document = {"runs": ["a", "b"], "config": {"network.activations": activations}}
    (row,) = difference_table(document, "config", "config").rows
    assert row == ["network.activations", "[maxout (pieces 3), softmax]", "[tanh, softmax]"]


def test_what_is_the_same_is_said_once_and_what_differs_twice() -> None:
    then = Machine({"numpy": "2.0", "python": "3.11"}, "Linux", "old", "native", [], [])
    now = replace(then, versions={"numpy": "2.1", "python": "3.11"}, cpu="new")
    facts = dict(machine_facts(then, now))
    assert (facts["numpy"], facts["python"]) == ("then 2.0, now 2.1", "3.11, then and now")
    assert (facts["cpu"], facts["platform"]) == ("then old, now new", "Linux, then and now")
