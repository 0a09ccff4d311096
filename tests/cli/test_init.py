from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Result
from systems import CONFIGS

from bpcli.config.load import load_config
from bpcli.config.templates import template_text, templates

Bpnet = Callable[..., Result]
XOR = CONFIGS / "xor.yaml"
SHORT = ("--set", "training.epochs=40")


def test_init_lists_copies_and_never_overwrites(bpnet: Bpnet, tmp_path: Path) -> None:
    listed = bpnet("init")
    assert [line.split()[0] for line in listed.out.splitlines() if line] == [
        path.stem
        for folder in (CONFIGS, CONFIGS / "tables")
        for path in sorted(folder.glob("*.yaml"))
    ]
    assert bpnet("init", "xor").code == 0
    assert (tmp_path / "xor.yaml").read_bytes() == XOR.read_bytes()
    (tmp_path / "xor.yaml").write_text("mine")
    refused = bpnet("init", "xor")
    assert refused.code == 2
    assert "--force" in refused.err
    assert (tmp_path / "xor.yaml").read_text() == "mine"
    assert bpnet("init", "xor", "--force").code == 0
    assert bpnet("init", "moons", "-o", "my.yaml").code == 0
    assert (tmp_path / "my.yaml").read_bytes() == (CONFIGS / "moons.yaml").read_bytes()
    assert bpnet("init", "adult").code == 0
    assert (tmp_path / "adult.yaml").read_bytes() == (CONFIGS / "tables/adult.yaml").read_bytes()
    assert "did you mean `moons`" in bpnet("init", "moon").err


def test_init_says_what_it_wrote_on_stderr(bpnet: Bpnet) -> None:
    result = bpnet("init", "xor")
    assert result.out == ""
    assert "wrote xor.yaml" in result.err


def test_what_is_there_stays_as_it_is(bpnet: Bpnet, tmp_path: Path) -> None:
    (tmp_path / "xor.yaml").symlink_to("nowhere.yaml")
    assert "--force overwrites it" in bpnet("init", "xor").err
    assert not (tmp_path / "nowhere.yaml").exists()
    assert bpnet("init", "xor", "-o", "no/such/folder.yaml").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["xor.yaml"]


def test_a_config_that_cannot_be_written_whole_is_not_begun(
    bpnet: Bpnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xor.yaml").write_text("mine")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bpcli.runs.files.os.fsync", full)
    result = bpnet("init", "xor", "--force")
    assert (result.code, "No space left" in result.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["xor.yaml"]
    assert (tmp_path / "xor.yaml").read_text() == "mine"


def test_a_template_goes_to_standard_output(bpnet: Bpnet, tmp_path: Path) -> None:
    result = bpnet("init", "xor", "-o", "-")
    assert (result.code, result.out, result.err) == (0, template_text("xor"), "")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    assert bpnet("init", "t.csv", "-o", "-").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["xor", "--target", "y"], "are for a FILE; `xor` is not a file."),
        (["xor", "--no-header"], "are for a FILE; `xor` is not a file."),
        (["xor", "--missing", "?"], "are for a FILE; `xor` is not a file."),
        (["xor", "--json", "-o", "-"], "-o - prints the config and --json a document about it"),
        (["t.csv", "-o", "-"], "-o - is for a TEMPLATE"),
        (["no.csv"], "there is no file no.csv"),
        (["x" * 5000], "There is no template"),
    ],
)
def test_options_that_do_not_fit_write_nothing(
    arguments: list[str], message: str, bpnet: Bpnet, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    result = bpnet("init", *arguments)
    assert result.code == 2
    assert "error" in result.out if "--json" in arguments else not result.out
    assert message in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_templates_are_listed_in_a_document_too(bpnet: Bpnet) -> None:
    document = json.loads(bpnet("init", "--json").out)
    assert document == {"schema": 1, "templates": templates()}


def test_a_file_is_a_table_whatever_its_name(bpnet: Bpnet, tmp_path: Path) -> None:
    (tmp_path / "xor").write_text("a,b\n1,2\n3,4\n5,6\n")
    assert bpnet("init", "xor").code == 0
    assert load_config(tmp_path / "xor.yaml").spec.data.files == (tmp_path / "xor",)


def test_a_table_gets_a_config_of_its_name_and_guesses_are_told(
    bpnet: Bpnet, tmp_path: Path
) -> None:
    rows = [f"{number % 7},{['no', 'yes'][number % 2]}\n" for number in range(20)]
    (tmp_path / "my table.csv").write_text("".join(["size,sold\n", *rows]))
    result = bpnet("init", "my table.csv", "--json")
    assert result.code == 0
    document = json.loads(result.out)
    assert document["file"] == "my table.yaml"
    assert (document["target"], document["task"]) == ("sold", "classification")
    assert document["header"] is True
    assert result.err.endswith("train it with: bpnet train 'my table.yaml'\n")
    assert load_config(tmp_path / "my table.yaml").spec.name == "my-table"


def test_the_config_tells_what_was_given_from_what_was_guessed(bpnet, tmp_path: Path) -> None:
    rows = "".join(f"{day}.04.2024;{day % 7};{day % 3},5\n" for day in range(10, 29))
    (tmp_path / "t.csv").write_text(f"day;a;y\n{rows}")
    assert bpnet("init", "t.csv", "--separator", ";", "--date-format", "%d.%m.%Y").code == 0
    comments = dict(
        re.findall(r"^  (\w+): .*#  ?(.*)$", (tmp_path / "t.yaml").read_text(), re.MULTILINE)
    )
    assert comments["separator"] == comments["date_format"] == "as requested"
    assert comments["decimal"] == "guessed from the first rows"
