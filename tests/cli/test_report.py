from __future__ import annotations

import json
from pathlib import Path

import pytest
from systems import CONFIGS

XOR = CONFIGS / "xor.yaml"


@pytest.fixture
def run(bpnet, tmp_path: Path) -> Path:
    """The folder of a short run of xor, in the runs of an empty folder."""
    done = bpnet("train", XOR, "--quiet", "--set", "training.epochs=3")
    return tmp_path / "runs" / done.out.strip()


def test_a_report_is_in_the_folder_of_its_run(bpnet, run: Path) -> None:
    done = bpnet("report", "latest")
    assert (done.code, done.err) == (0, "")
    assert Path(done.out.strip()) == Path("runs", run.name, "report.html")
    first = (run / "report.html").read_bytes()
    assert first.startswith(b"<!doctype html>\n")
    assert bpnet("report", "latest").code == 0, "it is written again"
    assert (run / "report.html").read_bytes() == first


def test_the_language_and_the_file_are_chosen(bpnet, run: Path) -> None:
    done = bpnet("report", run.name[:17], "--lang", "zh", "-o", "deep/a.html")
    assert (done.code, done.out) == (0, "deep/a.html\n")
    assert '<html lang="zh-CN">' in Path("deep/a.html").read_text("utf-8")
    assert not (run / "report.html").exists()


def test_json_names_the_file_and_what_is_missing(bpnet, run: Path) -> None:
    document = json.loads(bpnet("report", "latest", "--json").out)
    path = Path(document["file"])
    assert document["bytes"] == path.stat().st_size
    assert document["runs"] == [{"run_id": run.name, "missing": {}}]
    (run / "weights.safetensors").unlink()
    document = json.loads(bpnet("report", "latest", "--json").out)
    assert [*document["runs"][0]["missing"]] == ["network", "weights"]


def test_several_runs_need_a_file_of_their_own(bpnet, run: Path) -> None:
    done = bpnet("report", "latest", "latest")
    assert done.code == 2
    assert "name its file with -o FILE.html" in done.err
    assert bpnet("report", "latest", "latest", "-o", "both.html").code == 0
    assert Path("both.html").is_file()


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.png"])
def test_another_ending_is_refused_before_anything_is_read(bpnet, run: Path, name: str) -> None:
    done = bpnet("report", "latest", "-o", name)
    assert done.code == 2
    assert "expected a name that ends in .html" in done.err
    assert not Path(name).exists()


def test_a_link_in_the_folder_of_a_run_is_not_followed(bpnet, run: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (run / "report.html").symlink_to(tmp_path / "precious")
    done = bpnet("report", "latest")
    assert done.code == 2
    assert "is a symbolic link" in done.err
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_folder_of_that_name_is_refused(bpnet, run: Path) -> None:
    (run / "report.html").mkdir()
    done = bpnet("report", "latest")
    assert done.code == 2
    assert "is not a file" in done.err


@pytest.mark.parametrize("has_browser", [True, False])
def test_the_page_is_opened_in_the_browser(
    bpnet, run: Path, monkeypatch: pytest.MonkeyPatch, has_browser: bool
) -> None:
    addresses: list[str] = []
    monkeypatch.setattr(
        "webbrowser.open", lambda address: bool(addresses.append(address)) or has_browser
    )
    done = bpnet("report", "latest", "--open")
    assert addresses == [(run / "report.html").as_uri()]
    assert ("no browser was found" in done.err) is not has_browser
