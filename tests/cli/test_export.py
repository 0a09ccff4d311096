from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Result
from systems import CONFIGS

from bpcli.cli.export import command
from bpcli.export.export import FORMATS
from bpcli.runs.files import file_digest


def test_the_command_offers_every_format() -> None:
    (to,) = [parameter for parameter in command.params if parameter.name == "to"]
    assert list(to.type.choices) == list(FORMATS)  # type: ignore[attr-defined]


def test_the_written_file_is_told_with_its_weights_and_digest(
    bpnet: Callable[..., Result], tmp_path: Path
) -> None:
    short = ("--quiet", "--set", "training.epochs=3")
    run_id = bpnet("train", CONFIGS / "xor.yaml", *short).out.strip()
    result = bpnet("export", "latest", "--to", "json")
    assert result.code == 0
    (path,) = tmp_path.glob("*.json")
    assert result.out == f"wrote {path.name}, equivalent to {run_id} (best weights)\n"
    refused = bpnet("export", "latest", "--to", "json")
    assert (refused.code, refused.out) == (2, "")
    again = bpnet("export", "latest", "--to", "json", "--force", "--weights", "last", "--json")
    assert json.loads(again.out) == {
        "schema": 1, "run_id": run_id, "weights": "last", "format": "json", "file": path.name,
        "sha256": file_digest(path), "not_verified": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing", "--to", "json"], "There is no run `nothing`"),
        (["latest", "--to", "pickle"], "'pickle' is not one of 'onnx', 'json', 'python', 'c'"),
        (["latest"], "Missing option '--to'"),
    ],
)
def test_a_run_or_format_that_is_none_is_refused(
    arguments: list[str], message: str, bpnet: Callable[..., Result]
) -> None:
    result = bpnet("export", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_a_file_that_cannot_be_run_is_written_with_a_note(
    bpnet: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    short = ("--quiet", "--set", "training.epochs=3")
    run_id = bpnet("train", CONFIGS / "xor.yaml", *short).out.strip()
    monkeypatch.setenv("PATH", "/nowhere")
    result = bpnet("export", "latest", "--to", "c", "-o", "m.c")
    assert result.code == 0
    assert result.out == f"wrote m.c, made from {run_id} (best weights)\n"
    assert result.err == "note: m.c is not verified: no C compiler found\n"
    said = bpnet("export", "latest", "--to", "javascript", "--html", "--json")
    assert json.loads(said.out)["not_verified"] == "no Node found"
    assert Path(json.loads(said.out)["file"]).suffix == ".html"


def test_a_variant_is_for_its_format(bpnet: Callable[..., Result]) -> None:
    bpnet("train", CONFIGS / "xor.yaml", "--quiet", "--set", "training.epochs=3")
    refused = bpnet("export", "latest", "--to", "json", "--precision", "float")
    assert (refused.code, refused.out) == (2, "")
    assert "Format json does not support `float`; supported by c" in refused.err
    assert not [*Path().glob("*.json")]
