"""Gaps, unknown words, rows without a target and dates: from the table to predictions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Bpnet = Callable[..., Any]
WORDS = ("red", "green", "blue")
LINES = [
    f"{i % 7 + 0.5},{WORDS[i % 3]},2024-{i % 12 + 1:02}-{i % 28 + 1:02},{(i % 7) * 2 + i % 3}"
    for i in range(60)
]
HEADER = "size,colour,day,y\n"
CONFIG = """\
data:
  file: t.csv
  calendar: [month, weekday]
  split: {test: 0.2}
  scale: {inputs: standard, targets: standard}
network: {layers: [auto, 3, auto], activations: [tanh, identity]}
loss: mse
training: {epochs: 10, optimizer: rprop}
"""


def write(name: str, lines: list[str], header: str = HEADER) -> None:
    Path(name).write_text(header + "\n".join(lines) + "\n")


@pytest.fixture
def trained(bpnet: Bpnet) -> Bpnet:
    write("t.csv", LINES)
    Path("c.yaml").write_text(CONFIG)
    assert bpnet("train", "c.yaml", "--quiet").code == 0
    return bpnet


def fills() -> dict[str, str]:
    """The fills of the training rows, as the run's JSON export has them."""
    columns = json.loads(Path("m.json").read_text())["columns"]
    days = np.datetime64("1970-01-01") + np.round(columns[2]["fill"]).astype("timedelta64[D]")
    return {"size": str(columns[0]["fill"]), "colour": columns[1]["fill"], "day": str(days)}


def test_gaps_in_new_rows_are_filled_as_stored_and_counted(trained: Bpnet) -> None:
    assert trained("export", "latest", "--to", "json", "-o", "m.json").code == 0
    fill = fills()
    write("gaps.csv", [",blue,2024-01-05", "3.5,,2024-01-05", "3.5,blue,NA", ",red,2024-02-01"],
          "size,colour,day\n")  # fmt: skip
    write(
        "whole.csv",
        [
            f"{fill['size']},blue,2024-01-05", f"3.5,{fill['colour']},2024-01-05",
            f"3.5,blue,{fill['day']}", f"{fill['size']},red,2024-02-01",
        ],
        "size,colour,day\n",
    )  # fmt: skip
    gaps = trained("predict", "latest", "gaps.csv")
    assert gaps.out == trained("predict", "latest", "whole.csv").out
    assert f"filled 4 missing values: `size` (2, by {float(fill['size']):g}), " in gaps.err


def test_unknown_words_in_new_rows_are_counted_with_the_nearest(trained: Bpnet) -> None:
    write("new.csv", ["1,gren,2024-01-05", "1,red,2024-01-05", "1,gren,2024-01-05"],
          "size,colour,day\n")  # fmt: skip
    done = trained("predict", "latest", "new.csv")
    assert (
        "column `colour`: 2 values not seen in training: `gren` (2, similar to `green`)" in done.err
    )


def test_evaluation_counts_gaps_unknown_words_and_rows_without_a_target(trained: Bpnet) -> None:
    write("new.csv", [*LINES[:9], ",gren,2024-01-05,3", "1,red,2024-01-05,", "1,red,2024-01-05,?"])
    write("same.csv", [*LINES[:9], ",gren,2024-01-05,3"])
    done = trained("eval", "latest", "--data", "new.csv", "--json")
    assert "2 rows have no value of `y` and cannot be used: 11, 12" in done.err
    assert "filled 1 missing value: `size`" in done.err
    assert "`gren` (1, similar to `green`)" in done.err
    same = trained("eval", "latest", "--data", "same.csv", "--json")
    document, expected = json.loads(done.out), json.loads(same.out)
    assert document["rows"] == 10
    assert document["metrics"] == expected["metrics"]


def test_rows_without_a_target_are_not_trained_on_but_predicted(bpnet: Bpnet) -> None:
    whole = [line for i, line in enumerate(LINES) if i not in {3, 40}]
    lacking = [line if line in whole else line.rpartition(",")[0] + ",NA" for line in LINES]
    Path("c.yaml").write_text(CONFIG)
    outputs = []
    for lines in (whole, lacking):
        write("t.csv", lines)
        done = bpnet("train", "c.yaml")
        assert done.code == 0
        outputs.append(bpnet("predict", "latest", "t.csv").out.splitlines())
    assert "2 rows have no value of `y` and cannot be used: 4, 41" in done.err
    own = [line.split("\t")[0] for line in bpnet("predict", "latest").out.splitlines()]
    assert own[1:] == [str(number) for number in range(1, 61) if number not in {4, 41}]
    every = outputs[1]
    assert len(every) == 61
    assert [line for i, line in enumerate(every) if i not in {4, 41}] == outputs[0]


def test_dates_are_read_alike_by_training_prediction_and_export(trained: Bpnet) -> None:
    assert trained("export", "latest", "--to", "python", "-o", "m.py").code == 0
    assert trained("export", "latest", "--to", "onnx", "-o", "m.onnx").code == 0
    write("new.csv", ["1,red,2024-03-05", "2,blue,2031-12-31"], "size,colour,day\n")
    ours = trained("predict", "latest", "new.csv").out.splitlines()[1:]
    exported: dict[str, Any] = {}
    exec(Path("m.py").read_text(), exported)
    rows = {"size": [1, 2], "colour": ["red", "blue"], "day": ["2024-03-05", "2031-12-31"]}
    theirs = exported["predict"](rows)["predicted y"]
    np.testing.assert_allclose(theirs, [float(line) for line in ours], rtol=1e-12)


def test_another_format_of_dates_is_told_or_refused(trained: Bpnet) -> None:
    write("iso.csv", ["1,red,2024-03-05"], "size,colour,day\n")
    write("new.csv", ["1,red,5.3.2024"], "size,colour,day\n")
    refused = trained("predict", "latest", "new.csv")
    assert refused.code == 2
    assert "column `day`, row 1: `5.3.2024` is not a date like 2024-01-31" in refused.err
    told = trained("predict", "latest", "new.csv", "--date-format", "%d.%m.%Y")
    assert told.out == trained("predict", "latest", "iso.csv").out


def test_dates_in_which_day_and_month_can_swap_are_told_when_training(bpnet: Bpnet) -> None:
    swapped = [
        f"{i % 7},red,{5 * i % 12 + 1:02}/{7 * i % 12 + 1:02}/2024,{i % 5}" for i in range(60)
    ]
    write("t.csv", swapped)
    Path("c.yaml").write_text(CONFIG)
    done = bpnet("train", "c.yaml")
    assert "fit two formats and are read as %m/%d/%Y" in done.err
    told = bpnet("train", "c.yaml", "--set", "data.date_format='%d/%m/%Y'")
    assert told.code == 0
    assert "fit two formats" not in told.err
    assert bpnet("init", "t.csv", "--date-format", "%d/%m/%Y").code == 0
    assert 'date_format: "%d/%m/%Y"' in Path("t.yaml").read_text()


def test_numbers_that_may_stand_for_missing_values_are_told(bpnet: Bpnet) -> None:
    lines = [f"{-999 if i in {4, 9} else i % 7},{i % 5}" for i in range(60)]
    write("t.csv", lines, "temp,y\n")
    done = bpnet("data", "t.csv")
    assert "warning: temp has -999 in 2 rows, far from its other values (0 to 6)" in done.out
    started = bpnet("init", "t.csv")
    assert "warning: temp has -999 in 2 rows" in started.err
    assert "# Warning: temp has -999 in 2 rows" in Path("t.yaml").read_text()
    trained = bpnet("train", "t.yaml", "--set", "training.epochs=2")
    assert "note: column `temp` has -999 in 2 rows" in trained.err
    assert "-999" not in bpnet("eval", "latest").err
    about = json.loads(bpnet("data", "t.csv", "--missing", "-999", "--json").out)
    assert (about["columns"][0]["missing"], about["warnings"]) == (2, [])


def test_new_rows_in_unicode_are_met_by_a_training_file_in_an_older_encoding(bpnet: Bpnet) -> None:
    lines = [f"{i % 7};{('Süd', 'Nord', 'Köln')[i % 3]};{i % 5}" for i in range(60)]
    Path("t.csv").write_bytes(("n;wo;y\n" + "\n".join(lines)).encode("cp1252"))
    assert bpnet("init", "t.csv").code == 0
    assert bpnet("train", "t.yaml", "--quiet", "--set", "training.epochs=3").code == 0
    old = bpnet("predict", "latest", "t.csv")
    assert "as in training" not in old.err
    Path("new.csv").write_text("n;wo;y\n" + "\n".join(lines))
    new = bpnet("predict", "latest", "new.csv")
    assert new.out == old.out
    assert "new.csv: read as utf-8, not cp1252 as in training" in new.err
    Path("ascii.csv").write_text("n;wo\n1;Nord\n")
    assert "as in training" not in bpnet("predict", "latest", "ascii.csv").err


@pytest.mark.parametrize("spelling", [("true", "false"), ("True", "False"), ("TRUE", "FALSE")])
def test_true_and_false_are_met_again_in_any_case(spelling: tuple[str, str], bpnet: Bpnet) -> None:
    yes, no = spelling
    lines = [f"{i % 7},{(yes, no, 'unknown')[i % 3]},{yes if i % 7 > 3 else no}" for i in range(60)]
    write("t.csv", lines, "n,flag,y\n")
    assert bpnet("init", "t.csv").code == 0
    assert bpnet("train", "t.yaml", "--quiet", "--set", "training.epochs=5").code == 0
    own = bpnet("eval", "latest", "--data", "t.csv", "--json")
    assert own.code == 0, own.err
    for case in (str.lower, str.title, str.upper):
        write("new.csv", [line.replace(yes, case(yes)).replace(no, case(no)) for line in lines],
              "n,flag,y\n")  # fmt: skip
        other = bpnet("eval", "latest", "--data", "new.csv", "--json")
        assert json.loads(other.out)["metrics"] == json.loads(own.out)["metrics"]
        assert "not seen in training" not in other.err
    assert bpnet("export", "latest", "--to", "python", "-o", "m.py").code == 0
    exported: dict[str, Any] = {}
    exec(Path("m.py").read_text(), exported)
    flags = [True, "True", "true", "TRUE"]
    p = exported["predict"]({"n": [1] * 4, "flag": flags})[exported["OUTPUTS"][0]]
    assert len({*p}) == 1


PLAIN = "network: {layers: [auto, 3, auto], activations: [tanh, identity]}\nloss: mse\n"


@pytest.mark.parametrize("data", ["header: false", "columns: [size, colour, y]"])
def test_columns_go_by_position_where_the_training_file_gave_no_names(
    data: str, bpnet: Bpnet
) -> None:
    lines = [f"{i % 7},{('red', 'blue')[i % 2]},{i % 5}" for i in range(40)]
    header = "" if data == "header: false" else "A,B,C\n"
    write("t.csv", lines, header)
    training = "training: {epochs: 3, optimizer: rprop}\n"
    Path("c.yaml").write_text(f"data: {{file: t.csv, {data}}}\n{PLAIN}{training}")
    assert bpnet("train", "c.yaml", "--quiet").code == 0
    own = bpnet("predict", "latest", "t.csv")
    assert len(own.out.splitlines()) == 41
    write("headed.csv", lines, "Größe,Farbe,Ziel\n")
    headed = bpnet("predict", "latest", "headed.csv")
    assert headed.out == own.out
    assert "the names in its header differ from training: columns are matched" in headed.err
    write("inputs.csv", [line.rpartition(",")[0] for line in lines], "")
    assert bpnet("predict", "latest", "inputs.csv", "--no-header").out == own.out
    write("gap.csv", [",red", "?,blue", "3,red"], "")
    gap = bpnet("predict", "latest", "gap.csv", "--no-header")
    assert len(gap.out.splitlines()) == 4
    assert "filled 2 missing values" in gap.err
    write("more.csv", ["1,2,3,4"], "")
    refused = bpnet("predict", "latest", "more.csv", "--no-header")
    assert "expected the 2 inputs, or the 3 columns of the training file" in refused.err
    scored = bpnet("eval", "latest", "--data", "t.csv")
    assert scored.code == 0, scored.err


@pytest.mark.parametrize(
    ("targets", "loss", "wrong", "message"),
    [
        ("[a, b]", "cross_entropy", "1,1,1", "row 3: the targets are not one-hot"),
        ("[a, b]", "cross_entropy", "1,0,0", "row 3: the targets are not one-hot"),
        ("[a]", "binary_cross_entropy", "1,-1,0", "`-1` is not one of the classes 0, 1"),
        ("[a, b]", "binary_cross_entropy", "1,0.5,-1", "targets between 0 and 1"),
    ],
)
def test_other_rows_are_refused_as_training_refuses_them(
    targets: str, loss: str, wrong: str, message: str, bpnet: Bpnet
) -> None:
    lines = [f"{i},{i % 2},{1 - i % 2}" for i in range(20)]
    output = "softmax" if loss == "cross_entropy" else "sigmoid"
    if loss == "binary_cross_entropy" and targets == "[a, b]":
        lines = [f"{i},{i % 3 / 2},{i % 2}" for i in range(20)]
    write("t.csv", lines, "n,a,b\n")
    Path("c.yaml").write_text(
        f"data: {{file: t.csv, inputs: n, targets: {targets}}}\n"
        f"network: {{layers: [auto, 3, auto], activations: [tanh, {output}]}}\n"
        f"loss: {loss}\ntraining: {{epochs: 3, optimizer: rprop}}\n"
    )
    trained = bpnet("train", "c.yaml", "--quiet")
    assert trained.code == 0, trained.err
    write("new.csv", [*lines[:2], wrong], "n,a,b\n")
    done = bpnet("eval", "latest", "--data", "new.csv")
    assert done.code == 2
    assert "new.csv" in done.err
    assert message in done.err
