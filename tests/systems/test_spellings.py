"""Several spellings of a word: told, merged by a key, and read alike in new rows everywhere."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import run_python

from bpcli.text import folded

Bpnet = Callable[..., Any]
WIDE = "ＹＥＳ"
ACCENT = unicodedata.normalize("NFD", "été")
SEASONS = ("été", ACCENT, "ÉTÉ ", "hiver", "Hiver")
ANSWERS = ("yes", "Yes", "no", "YES", "No", "nein", WIDE)
LINES = [f"{i % 9},{SEASONS[i % 5]},{i % 2 == 0},{ANSWERS[i % 7]}" for i in range(70)]
HEADER = "n,season,flag,ok"
CONFIG = """\
data:
  file: t.csv
  scale: {inputs: standard}
network: {layers: [auto, 3, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
training: {epochs: 12, optimizer: rprop}
"""
MERGED = ("--set", "data.casefold=true", "--set", "data.rename={Nein: no}")


def write(name: str, lines: list[str], header: str = HEADER) -> None:
    Path(name).write_text("\n".join([header, *lines]) + "\n", "utf-8")


@pytest.fixture
def trained(bpnet: Bpnet) -> Bpnet:
    """A run that was trained on many spellings, read as one."""
    write("t.csv", LINES)
    Path("c.yaml").write_text(CONFIG)
    done = bpnet("train", "c.yaml", *MERGED)
    assert done.code == 0, done.err
    return bpnet


def predicted(bpnet: Bpnet, name: str) -> tuple[list[list[str]], str]:
    Path("p.csv").unlink(missing_ok=True)
    done = bpnet("predict", "latest", name, "-o", "p.csv")
    assert done.code == 0, done.err
    with Path("p.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file)), done.err


def test_spellings_are_told_by_data_init_check_and_train(bpnet: Bpnet) -> None:
    write("t.csv", [line.replace("nein", "no") for line in LINES])
    of_answers = "`YES` (10), `Yes` (10) and 2 more; `no` (20) and `No` (10)"
    warning = (
        "ok has spellings that may be one class each (`casefold: true` merges them): " + of_answers
    )
    assert f"warning: {warning}" in bpnet("data", "t.csv").out
    done = bpnet("init", "t.csv", "-o", "i.yaml")
    assert f"warning: {warning}" in done.err
    assert "task: classification into 2 classes" in done.err
    config = Path("i.yaml").read_text("utf-8")
    assert "casefold: [season, ok]" in config
    assert "# Warning: season has spellings that may be one category each" in config
    Path("c.yaml").write_text(CONFIG.replace("sigmoid", "softmax").replace("binary_", ""))
    for command in ("check", "train"):
        said = bpnet(command, "c.yaml")
        notes = said.out + said.err
        assert "note: column `ok` has spellings that may be one class each" in notes
        assert "note: column `season` has spellings that may be one category each" in notes


def test_a_config_of_init_trains_one_class_for_all_spellings(bpnet: Bpnet) -> None:
    write("t.csv", [line.replace("nein", "no") for line in LINES])
    assert bpnet("init", "t.csv").code == 0
    done = bpnet("train", "t.yaml", "--json", "--set", "training.epochs=3")
    assert done.code == 0, done.err
    assert json.loads(done.out)["layers"][-1]["units"] == 1
    names = json.loads(bpnet("check", "t.yaml", "--json").out)["classes"]["train"]
    assert names.keys() == {"YES", "no"}


def test_spellings_are_one_in_training_and_named_by_the_most_frequent(trained: Bpnet) -> None:
    done = trained("train", "c.yaml", "--json", *MERGED)
    shown = {"yes": "YES", "no": "no", "nein": "no", "été": ACCENT, "hiver": "Hiver"}
    cells = [line.split(",") for line in LINES]
    write("t.csv", [",".join(shown.get(folded(cell), cell) for cell in row) for row in cells])
    plain = trained("train", "c.yaml", "--json")
    assert (done.code, plain.code) == (0, 0), done.err
    merged, other = json.loads(done.out), json.loads(plain.out)
    assert merged["metrics"] == other["metrics"]
    notes = trained("check", "c.yaml", "--json", *MERGED)
    assert json.loads(notes.out)["classes"]["train"].keys() == {"YES", "no"}


def test_new_rows_in_any_spelling_are_predicted_alike(trained: Bpnet) -> None:
    header = "n,season,flag"
    write("a.csv", [f"{i},été,true" for i in range(5)], header)
    write("b.csv", [f"{i},{s},TRUE" for i, s in enumerate((*SEASONS[:3], " Été", "ÉＴé"))], header)
    ours, said = predicted(trained, "b.csv")
    assert ours == predicted(trained, "a.csv")[0]
    assert "not seen in training" not in said


def test_rows_of_another_file_are_scored_alike_in_any_spelling(trained: Bpnet) -> None:
    lines = [f"{i % 9},été,true,{'yes' if i % 2 else 'no'}" for i in range(20)]
    write("a.csv", lines)
    odd = ("NEIN", "no", "No", "nein")
    write("b.csv", [line.replace("yes", WIDE).replace(",no", f",{odd[i % 4]}")
                    for i, line in enumerate(lines)])  # fmt: skip
    ours, theirs = (
        json.loads(trained("eval", "latest", "--data", name, "--json").out)
        for name in ("a.csv", "b.csv")
    )
    assert ours["metrics"] == theirs["metrics"]


def test_spellings_of_labels_are_one_in_training_new_files_and_scores(bpnet: Bpnet) -> None:
    words, odd = ("no", "yes"), (("NO", "Nein", "no"), ("Yes", WIDE, "yes"))
    rows = [(f"{i % 9},{i % 5}", i % 9 > 4, i % 5 > 2, i % 3) for i in range(60)]
    plain = [f"{x},{words[ok]},{int(old)}" for x, ok, old, _ in rows]
    write("t.csv", plain, "a,b,ok,old")
    write("odd.csv", [f"{x},{odd[ok][form]},{int(old)}" for x, ok, old, form in rows], "a,b,ok,old")
    Path("c.yaml").write_text(CONFIG.replace("scale", "targets: [ok, old]\n  scale", 1))
    keys = ("--json", "--set", "data.task=multilabel", *MERGED)
    runs = [
        json.loads(done.out)
        for file in ("t.csv", "odd.csv")
        if not (done := bpnet("train", "c.yaml", "--set", f"data.file={file}", *keys)).code
    ]
    assert len(runs) == 2
    assert runs[0]["metrics"] == runs[1]["metrics"]
    Path("odd.csv").rename("new.csv")
    for run in runs:
        done = bpnet("eval", run["run_id"], "--data", "new.csv", "--json")
        scores = json.loads(done.out)["metrics"]
        assert scores["data.f1"] == run["metrics"]["train.f1"]
    assert (
        "`rename`: `Nein`" not in bpnet("check", "c.yaml", "--set", "data.file=new.csv", *keys).err
    )


def test_class_weights_name_classes_in_any_spelling_and_by_old_names(trained: Bpnet) -> None:
    weights = [
        json.loads(done.out)["class_weights"]
        for names in ("{YES: 2, no: 3}", "{yes: 2, No: 3}", "{Yes: 2, nein: 3}")
        if not (done := trained("train", "c.yaml", "--json", *MERGED,
                                "--set", f"training.class_weights={names}")).code
    ]  # fmt: skip
    assert weights == [{"YES": 2, "no": 3}] * 3
    twice = ("--set", "training.class_weights={yes: 2, Yes: 3}")
    said = trained("check", "c.yaml", *MERGED, *twice).err
    assert "class `YES` already has a weight, as `yes`" in said


def test_splits_in_files_are_read_alike_in_any_spelling(trained: Bpnet) -> None:
    write("v.csv", [f"{i},Hiver,false,{WIDE if i % 2 else 'NEIN'}" for i in range(10)])
    write("w.csv", [f"{i},hiver,false,{'yes' if i % 2 else 'no'}" for i in range(10)])
    found = [
        json.loads(trained("train", "c.yaml", "--json", *MERGED,
                           "--set", f"data.split={{files: {{val: {name}}}}}").out)["metrics"]
        for name in ("v.csv", "w.csv")
    ]  # fmt: skip
    assert found[0] == found[1]


def test_exported_python_reads_any_spelling_alike(trained: Bpnet) -> None:
    assert trained("export", "latest", "--to", "python", "-o", "m.py").code == 0
    assert trained("export", "latest", "--to", "json", "-o", "m.json").code == 0
    season = json.loads(Path("m.json").read_text("utf-8"))["columns"][1]
    assert season["spelling"] == {"casefold": True, "rename": {"Nein": "no"}}
    predict = run_python(Path("m.py").read_text("utf-8"))["predict"]
    seasons = ["été", "ÉTÉ ", ACCENT, "HIVER", "hiver", "elsewhere"]
    rows = [{"n": 3.0, "season": each, "flag": True} for each in seasons]
    write("n.csv", [f"3.0,{each},true" for each in seasons], "n,season,flag")
    found, (names, *ours) = predict(rows), predicted(trained, "n.csv")[0]
    probability = [float(row[0]) for row in ours]
    np.testing.assert_allclose(found[names[0]], probability, rtol=1e-9)
    assert len({*np.round(found[names[0]], 12)}) == 3
    assert found["class"].tolist() == [row[-1] for row in ours]


def test_a_class_in_another_spelling_is_refused_with_the_key(bpnet: Bpnet) -> None:
    write("t.csv", [f"{i % 9},{'a' if i % 2 else 'b'},{'yes' if i % 3 else 'no'}"
                    for i in range(30)], "n,c,ok")  # fmt: skip
    Path("c.yaml").write_text(CONFIG)
    assert bpnet("train", "c.yaml", "--quiet").code == 0
    write("new.csv", ["1,A,yes", "2,b,YES"], "n,c,ok")
    done = bpnet("eval", "latest", "--data", "new.csv")
    assert done.code == 2
    assert (
        "new.csv: column `ok`, row 2: `YES` is not one of the classes no, yes; the nearest is "
        "`yes`; training with `casefold: true` merges the two" in done.err
    )
    _, said = predicted(bpnet, "new.csv")
    assert (
        "column `c`: 1 value not seen in training: `A` (1, similar to `a`); training with "
        "`casefold: true` merges spellings" in said
    )


def test_classes_of_numbers_get_names(bpnet: Bpnet) -> None:
    write("t.csv", [f"{i % 9},{i % 2}" for i in range(30)], "n,ill")
    Path("c.yaml").write_text(CONFIG)
    keys = ("--set", "data.rename={0: healthy, 1: ill}", "--set", "data.task=classification")
    assert bpnet("train", "c.yaml", "--quiet", *keys).code == 0
    rows, _ = predicted(bpnet, "t.csv")
    assert {row[-1] for row in rows[1:]} <= {"healthy", "ill"}
    assert bpnet("eval", "latest", "--data", "t.csv").code == 0


@pytest.mark.parametrize(("header", "more"), [("n,ill", ""), ("n,well,ill", "1,")])
def test_numbers_that_are_classes_by_the_loss_alone_keep_their_names(
    header: str, more: str, bpnet: Bpnet
) -> None:
    ones = [f"{i % 9},{(i + 1) % 2}," * bool(more) or f"{i % 9}," for i in range(30)]
    write("t.csv", [f"{start}{i % 2}" for i, start in enumerate(ones)], header)
    Path("c.yaml").write_text(CONFIG.replace("scale", "targets: [ill]\n  scale", 1))
    targets = "data.targets=[well,ill]" if more else "data.targets=ill"
    output = ("--set", "network.activations.1=softmax", "--set", "loss=cross_entropy")
    done = bpnet("train", "c.yaml", "--set", targets, "--set", "data.rename={0: healthy}",
                 *(output if more else ()))  # fmt: skip
    assert done.code == 0, done.err
    assert (
        "`rename`: `0` is not a category or class of any column: numbers become classes by"
        in done.err
    )
    assert bpnet("eval", "latest", "--data", "t.csv").code == 0


def test_a_new_name_that_stands_for_a_missing_value_is_refused_at_its_place(bpnet: Bpnet) -> None:
    write("t.csv", LINES)
    Path("c.yaml").write_text(
        CONFIG.replace("  scale", '  rename: {n.d.: "", ok: {n.b.: NA}}\n  scale')
    )
    done = bpnet("check", "c.yaml")
    assert done.code == 2
    assert "c.yaml:3:18: `` means a missing value: list `n.d.` in `missing` instead" in done.err
    assert "`NA` means a missing value: list `n.b.` in `missing` instead" in done.err


def test_an_unused_new_name_is_told(trained: Bpnet) -> None:
    done = trained("train", "c.yaml", *MERGED, "--set", "data.rename={Neun: no, season: {no: x}}")
    assert "note: `rename`: `Neun` is not a category or class of any column" in done.err
    assert "note: `rename`: `no` is not a category or class of column `season`" in done.err
