from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from systems import CONFIGS
from tampered import change_record, record_of, vouch

from bpcli.plots import PLOTS, fonts, reasons
from bpcli.plots.fonts import drawable
from bpcli.runs.files import temporary_name
from bpcli.runs.layout import METRICS, PATH, WEIGHTS
from bpcli.runs.references import find_run
from bpcli.runs.run_json import OF_THE_END
from bpcli.runs.store import Run
from bpcli.workflows.subject import load_subject

XOR = CONFIGS / "xor.yaml"


@pytest.fixture
def run(bpnet, tmp_path: Path) -> Path:
    """The folder of a short run of xor, in the runs of an empty folder."""
    done = bpnet("train", XOR, "--quiet", "--set", "training.epochs=3")
    return tmp_path / "runs" / done.out.strip()


def applying() -> list[str]:
    subject = load_subject(find_run("latest", Path("runs")), "best", None)
    return [kind for kind, reason in reasons(subject).items() if reason is None]


def test_without_a_kind_every_plot_that_the_run_has_is_in_its_folder(bpnet, run: Path) -> None:
    done = bpnet("plot", "latest")
    expected = [Path("runs", run.name, "plots", f"{kind}.png") for kind in applying()]
    assert (done.code, done.err) == (0, "")
    assert [Path(line) for line in done.out.splitlines()] == expected
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in expected)
    assert sorted((run / "plots").iterdir()) == sorted(path.absolute() for path in expected)


@pytest.mark.parametrize(
    ("name", "start"), [("a.svg", b"<?xml"), ("deep/b.png", b"\x89PNG"), ("c.PDF", b"%PDF")]
)
def test_one_kind_goes_to_the_file_that_is_named(
    bpnet, run: Path, tmp_path: Path, name: str, start: bytes
) -> None:
    done = bpnet("plot", run.name[:17], "loss", "-o", name)
    assert (done.code, done.out, done.err) == (0, f"{name}\n", "")
    content = (tmp_path / name).read_bytes()
    assert content.startswith(start)
    assert bpnet("plot", "latest", "loss", "-o", name).code == 0, "it is drawn again"
    assert (tmp_path / name).read_bytes() == content
    assert not (run / "plots").exists()


def test_a_note_names_characters_without_a_font_and_a_package_that_has_one(
    bpnet, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpnet("train", XOR, "--quiet", "--set", "training.epochs=1", "--set", "name=温度")
    monkeypatch.setattr(fonts, "_file_with", lambda _: None)
    done = bpnet("plot", "latest", "loss", "-o", "loss.svg")
    assert (done.code, done.out) == (0, "loss.svg\n")
    note = (
        "note: boxes are drawn for characters that no installed font has (度 温): install one, on"
    )
    assert done.err.startswith(note)
    assert "fonts-noto-cjk" in done.err
    assert bpnet("plot", run.name, "loss", "-o", "loss.svg").err == ""


def test_several_kinds_are_pages_of_a_pdf_or_panels(bpnet, run: Path, tmp_path: Path) -> None:
    kinds = ["loss", "weights", "loss", "units"]
    for name in ("all.pdf", "all.svg"):
        assert bpnet("plot", "latest", *kinds, "-o", name).out == f"{name}\n"
    pages = (tmp_path / "all.pdf").read_bytes()
    assert pages.count(b"/Type /Page ") + pages.count(b"/Type /Page\n") == 3
    assert (tmp_path / "all.svg").read_text().count(">xor") == 3  # details each


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["los"], "There is no plot `los`; did you mean `loss`?; allowed: loss, metrics, "),
        (["loss", "-o", "a.gif"], "-o a.gif: expected a name that ends in .svg, .png, .pdf."),
        (["loss", "--split", "val"], "is empty: choose another split."),
        (["learning_rate"], "The optimizer rprop logs no learning rate, step length or damping."),
        (["loss", "-o", "xor/a.png"], "xor/a.png could not be saved: xor is a file."),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(
    bpnet, tmp_path: Path, arguments: list[str], told: str
) -> None:
    bpnet(
        "train", XOR, "--quiet", "--set", "training.epochs=1", "--set", "training.optimizer=rprop"
    )
    (tmp_path / "xor").touch()
    done = bpnet("plot", "latest", *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert done.err.count("\n") == 1


def test_the_list_names_every_kind_and_why_one_is_lacking(bpnet, run: Path) -> None:
    done = bpnet("plot", "latest", "--list")
    rows = [line.split(maxsplit=2) for line in done.out.splitlines()[2:] if line]
    assert [row[0] for row in rows] == list(PLOTS)
    assert {row[0] for row in rows if row[1] == "yes"} == set(applying())
    assert all(row[2].endswith(".") for row in rows if row[1] == "no")
    assert not (run / "plots").exists()


def test_a_run_without_weights_has_the_plots_of_its_log(bpnet, run: Path) -> None:
    (run / WEIGHTS).unlink()
    change_record(Run(run), {"status": "running"}, without=OF_THE_END)  # as if killed
    done = bpnet("plot", "latest")
    drawn = [Path(line).stem for line in done.out.splitlines()]
    assert (done.code, drawn) == (
        0,
        ["loss", "metrics", "gradient_norms", "learning_rate", "units"],
    )
    refused = bpnet("plot", "latest", "weights")
    assert refused.code == 2
    assert f"{run.name} has no weights: its status is `interrupted, resumable`." in refused.err


def test_a_run_without_a_log_has_the_plots_of_its_weights(bpnet, run: Path) -> None:
    (run / METRICS).unlink()
    done = bpnet("plot", "latest")
    drawn = {Path(line).stem for line in done.out.splitlines()}
    assert drawn >= {"weights", "activations"}
    assert not drawn & {"loss", "metrics", "units"}
    assert "is missing" in bpnet("plot", "latest", "loss").err


def test_a_run_of_which_nothing_is_left_is_one_sentence(bpnet, run: Path) -> None:
    (run / METRICS).write_text("")
    (run / WEIGHTS).unlink()
    vouch(Run(run))
    for arguments in ([], ["loss"]):
        done = bpnet("plot", "latest", *arguments)
        assert (done.code, done.out) == (2, "")
        assert "has no epochs: its status is `finished`." in done.err
    assert not (run / "plots").exists()


@pytest.mark.parametrize(
    "content", [b"[1]\n", b'{"loss": 1}\n', b'"epoch"\n', b"{\n", b"\xff\n", b"null\n"]
)
def test_a_damaged_log_takes_only_its_own_plots_along(bpnet, run: Path, content: bytes) -> None:
    (run / METRICS).write_bytes(content)
    assert bpnet("plot", "latest", "weights", "-o", "w.svg").code == 0
    done = bpnet("plot", "latest", "loss")
    assert done.code == 2
    assert f"{METRICS} is damaged: " in done.err


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00v\x00{}"])
def test_a_damaged_path_is_one_sentence(bpnet, run: Path, content: bytes) -> None:
    (run / PATH).write_bytes(content)
    done = bpnet("plot", "latest", "loss", "-o", "a.svg")
    assert (done.code, done.err) == (0, "")
    refused = bpnet("plot", "latest", "weights")
    assert refused.code == 2
    assert f"{PATH} is damaged" in refused.err


def test_a_run_that_diverged_has_plots(bpnet, tmp_path: Path) -> None:
    rate = "training.learning_rate=1e200"
    assert bpnet("train", CONFIGS / "plane.yaml", "--set", rate).code == 3
    done = bpnet("plot", "latest", "loss", "weights", "-o", "a.svg")
    assert (done.code, done.err) == (0, "")
    assert " · diverged" in (tmp_path / "a.svg").read_text()


def test_last_weights_differ_from_the_best_where_there_is_validation(bpnet, tmp_path: Path) -> None:
    bpnet("train", CONFIGS / "moons.yaml", "--quiet", "--set", "training.epochs=150")
    for weights in ("best", "last"):
        bpnet("plot", "latest", "weights", "--weights", weights, "-o", f"{weights}.svg")
    best, last = ((tmp_path / f"{name}.svg").read_text() for name in ("best", "last"))
    assert "last epoch (150)" in last
    assert "last epoch" not in best


def test_a_run_elsewhere_is_drawn_by_its_path(bpnet, run: Path, tmp_path: Path) -> None:
    shutil.move(run, tmp_path / "elsewhere")
    done = bpnet("plot", "./elsewhere", "loss")
    assert done.out.splitlines() == [str(tmp_path / "elsewhere" / "plots" / "loss.png")]


def test_the_help_names_every_kind(bpnet) -> None:
    text = bpnet("plot", "--help").out
    assert all(kind in text for kind in PLOTS)


def is_refused(done, *words: str) -> bool:
    """One sentence, and nothing drawn."""
    told = done.err.splitlines()
    return (done.code, done.out) == (2, "") and len(told) == 1 and all(w in told[0] for w in words)


def test_a_folder_of_plots_that_leads_elsewhere_is_refused(bpnet, run: Path, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (run / "inner").mkdir()
    for target in (elsewhere, run, run / "inner", tmp_path / "none"):
        (run / "plots").symlink_to(target, target_is_directory=True)
        assert is_refused(bpnet("plot", "latest"), "plots", "is a symbolic link", "-o")
        (run / "plots").unlink()
    assert not [*elsewhere.iterdir(), *run.rglob("*.png")]
    assert not (tmp_path / "none").exists()
    (run / "plots").write_text("mine")
    assert is_refused(bpnet("plot", "latest", "loss"), "plots", "is not a folder")
    assert (run / "plots").read_text() == "mine"
    assert bpnet("plot", "latest", "loss", "-o", "loss.png").code == 0


def test_a_plot_is_never_written_through_a_link(bpnet, run: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    (run / "plots").mkdir()
    plot = run / "plots" / "loss.png"
    for path in (plot, temporary_name(plot)):
        path.symlink_to(mine)
    assert bpnet("plot", "latest", "loss").code == 0
    assert mine.read_text() == "mine"
    assert not (run / "plots" / "loss.png").is_symlink()
    assert (run / "plots" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert len([*(run / "plots").iterdir()]) == 1


def test_the_name_of_a_plot_is_shown_as_text(bpnet, run: Path, tmp_path: Path) -> None:
    done = bpnet("plot", "latest", "loss", "-o", "a\x1b[31m\n\x9b.png")
    assert (done.code, done.out) == (0, "a\\x1b[31m\n\\x9b.png\n")
    assert (tmp_path / "a\x1b[31m\n\x9b.png").is_file()


def test_a_run_may_itself_be_a_link(bpnet, run: Path, tmp_path: Path) -> None:
    moved = run.rename(tmp_path / "moved")
    run.symlink_to(moved, target_is_directory=True)
    assert bpnet("plot", run.name, "loss").code == 0
    assert (moved / "plots" / "loss.png").is_file()


@pytest.mark.parametrize("name", ["$\\frac{$", "$x$", "\\alpha", "a\x1b[31m\nb", "_x", "中🙂", "$"])
def test_a_record_s_words_are_drawn_as_they_are(bpnet, run: Path, name: str) -> None:
    layers = record_of(Run(run))["layers"]
    for layer in layers:
        layer["activation"]["name"] = name
    change_record(Run(run), {"layers": layers, "optimizer": {"name": name}})
    kinds = ["loss", "gradient_norms", "learning_rate", "units", "weights", "activations"]
    done = bpnet("plot", "latest", *kinds, "-o", "all.svg")
    assert done.code == 0, done.err
    boxed = any(drawable(each) != each for each in name if each.isprintable())
    assert done.err.startswith("note: boxes are drawn for") == boxed, done.err
    assert done.err.count("\n") == boxed
    assert bpnet("plot", "latest", "--list").code == 0


def test_intervals_are_drawn_and_said_or_refused(bpnet, run: Path) -> None:
    refused = bpnet("plot", "latest", "loss", "--interval", "0.9")
    assert (refused.code, refused.out) == (2, "")
    assert "predicts classes: plots show intervals of values" in refused.err
    split = "data.split={val: 0.5}"
    config = CONFIGS / "linear_regression.yaml"
    bpnet("train", config, "--quiet", "--set", "training.epochs=3", "--set", split)
    refused = bpnet("plot", "latest", "loss", "--interval", "0.9")
    assert "Intervals are drawn by the plots predicted and fit: name one of them." in refused.err
    assert "add --interval LEVEL" in bpnet("plot", "latest", "fit", "--method", "delta").err
    done = bpnet("plot", "latest", "fit", "--interval", "0.9", "-o", "fit.svg")
    assert (done.code, done.out) == (0, "fit.svg\n")
    assert done.err.startswith("note: an interval contains the target with a probability of at ")
    plain = bpnet("plot", "latest", "fit", "-o", "plain.svg")
    assert (plain.code, plain.err) == (0, "")
    assert "90 % intervals" in Path("fit.svg").read_text("utf-8")
    assert "intervals" not in Path("plain.svg").read_text("utf-8")
