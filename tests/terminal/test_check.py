"""The resolved config with the origins of its values, and tables of what it will be."""

from __future__ import annotations

from bpcli.terminal.check import commented, layers_table, splits_table

TEXT = "seed: 0\nnetwork:\n  layers: [2, 3, 1]\n  - x: 1\n"


def test_origins_stand_in_one_column_beside_their_lines() -> None:
    lines = commented(TEXT, {0: ["default"], 2: ["file", "file", "--set"]}, None)
    assert lines == [
        "seed: 0              # default",
        "network:",
        "  layers: [2, 3, 1]  # file, --set",
        "  - x: 1",
    ]


def test_where_there_is_no_room_they_stand_above_and_defaults_are_not_told() -> None:
    lines = commented(TEXT, {0: ["default"], 2: ["file"], 3: ["--set"]}, 20)
    assert lines == [
        "seed: 0", "network:", "  # file", "  layers: [2, 3, 1]", "    # --set", "  - x: 1",
    ]  # fmt: skip


def test_a_line_that_is_very_long_moves_no_comment() -> None:
    long = "name: " + "x" * 80
    assert commented(f"{long}\nseed: 0\n", {0: ["file"], 1: ["default"]}, None) == [
        f"{long}  # file", "seed: 0  # default",
    ]  # fmt: skip


def test_layers_have_their_shapes_and_biases_and_add_up() -> None:
    layers = [
        {"activation": {"name": "elu", "alpha": 1.0}, "weights": [3, 2], "bias": "trained",
         "n_params": 9},
        {"activation": {"name": "tanh"}, "weights": [4, 3], "bias": "frozen", "n_params": 1600},
        {"activation": {"name": "identity"}, "weights": [1, 4], "bias": "none", "n_params": 4},
    ]  # fmt: skip
    *rows, total = layers_table(layers).rows
    assert rows == [
        ["1", "elu (alpha 1)", "3 x 2", "3", "9"],
        ["2", "tanh", "4 x 3", "4 frozen", "1,600"],
        ["3", "identity", "1 x 4", "-", "4"],
    ]
    assert total[-1] == "1,613"


def test_a_split_without_rows_of_a_class_has_0_of_it() -> None:
    classes = {"train": {"a": 1000, "b": 7}, "test": {"a": 3}}
    grid = splits_table({"train": 1007, "test": 3}, classes, ["a", "b"])
    assert grid.headers == ["split", "rows", "a", "b"]
    assert grid.rows == [["train", "1,007", "1,000", "7"], ["test", "3", "3", "0"]]
