from __future__ import annotations

from bpcli.terminal.runs import difference_table


def test_an_activation_with_options_is_one_entry_of_the_list() -> None:
    activations = [[{"name": "maxout", "pieces": 3}, "softmax"], ["tanh", "softmax"]]
    document = {"runs": ["a", "b"], "config": {"network.activations": activations}}
    (row,) = difference_table(document, "config", "config").rows
    assert row == ["network.activations", "[maxout (pieces 3), softmax]", "[tanh, softmax]"]
