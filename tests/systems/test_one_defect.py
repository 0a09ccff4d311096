"""New rows with one defect: predicted as without it and told, or refused by its name."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from defects import Defective, Draw, Training, content_of, defective, intact, training

from bpcli.config.load import load_config
from bpcli.errors import DataError
from bpcli.experiment import build
from bpcli.export.model import Model, load_model
from bpcli.nn.numerics import repeatable_numerics
from bpcli.terminal.progress import SilentView
from bpcli.workflows.new_rows import new_rows
from bpcli.workflows.train import train

TABLES = 500 if os.environ.get("BPNET_FULL") else 24
DEFECTS_PER_TABLE = 10
CHUNKS = 2
SEED = 11


def trained(case: Training, folder: Path) -> Model:
    """A network that was trained on the table for an epoch."""
    (folder / "t.csv").write_bytes(content_of(case.table.lines(case.style), case.style))
    is_classification = case.task == "classification"
    config = {
        "data": {"file": "t.csv", "task": case.task, "scale": {"inputs": "standard"}} | case.keys,
        "network": {
            "layers": ["auto", 3, "auto"],
            "activations": ["tanh", "softmax" if is_classification else "identity"],
        },
        "loss": "cross_entropy" if is_classification else "mse",
        "training": {"epochs": 1},
    }
    (folder / "c.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    outcome = train(build(load_config(folder / "c.yaml")), folder / "runs", SilentView())
    return load_model(outcome.run)


def predictions(model: Model, content: bytes, folder: Path) -> tuple[np.ndarray, str]:
    """The predictions for a file, and the notes."""
    path = folder / "new.csv"
    path.write_bytes(content)
    rows = new_rows(path, model)
    outputs = np.concatenate([block.outputs for block in rows.predictions().blocks])
    return outputs, "\n".join([*rows.notes, *rows.later_notes])


def wrong(model: Model, defect: Defective, expected: np.ndarray, folder: Path) -> str:
    """What is wrong with the predictions for a defective file; empty if nothing is."""
    try:
        outputs, notes = predictions(model, defect.content, folder)
    except DataError as error:
        return "" if re.search(defect.refused, str(error)) else f"refused: {error}"
    if not re.search(defect.told, notes):
        return f"not told: {notes}"
    if len(outputs) != len(expected):
        return "" if defect.lost else f"{len(outputs)} rows for {len(expected)}: {notes}"
    is_same = (outputs == expected).all(axis=1) | ~defect.same
    if not is_same.all() and not re.search(defect.excused, notes):
        return f"{np.count_nonzero(~is_same)} rows differ: {notes}"
    return ""


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_defect_changes_no_other_row_and_is_told(chunk: int, tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    for number in range(chunk, TABLES, CHUNKS):
        draw = Draw(SEED, number)
        case, folder = training(draw), tmp_path / str(number)
        folder.mkdir()
        with repeatable_numerics():
            model = trained(case, folder)
            expected, _ = predictions(model, intact(case), folder)
            assert len(expected) == len(case.new)
            for index in range(DEFECTS_PER_TABLE):
                defect = defective(draw, case)
                found = wrong(model, defect, expected, folder)
                assert not found, (number, index, defect.name, found, case, defect.content)
                counts[defect.name.split()[0]] += 1
    print(dict(counts))
    assert len(counts) >= 20, "of many kinds"


def test_the_check_itself_notices_what_is_wrong(tmp_path: Path) -> None:
    draw = Draw(SEED, 0)
    case = training(draw)
    column = next(each for each in case.new.columns[:-1] if each.kind == "number")
    other = intact(case, case.new.changed(column, {0: float(column.values[0] or 0) + 1}))
    every = np.ones(len(case.new), bool)
    with repeatable_numerics():
        model = trained(case, tmp_path)
        expected, _ = predictions(model, intact(case), tmp_path)
        for defect, said in (
            (Defective("", intact(case), every), ""),
            (Defective("", intact(case), every, told="(?!)"), "not told: "),
            (Defective("", other, every), "1 rows differ: "),
            (Defective("", other, ~every), ""),
            (Defective("", b"", every), "refused: "),
        ):
            found = wrong(model, defect, expected, tmp_path)
            assert found.startswith(said)
            assert bool(found) == bool(said)
