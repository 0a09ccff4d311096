"""The README is a test: its commands run, its configs are valid, and nothing in it is missing."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from bpcli.cli.main import bpnet as group
from bpcli.cli.main import main
from bpcli.config.load import validate
from bpcli.config.reference import keys_page
from bpcli.config.schema import json_schema
from bpcli.config.source import Source
from bpcli.data.files.dialect import MISSING
from bpcli.data.generators import GENERATORS
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import LOSSES
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS
from bpcli.optimizers.schedules import SCHEDULES
from bpcli.plots import PLOTS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text("utf-8")
TABLES = re.findall(r"\(`(\w+\.(?:csv|yaml))`.*?\n\n```\w+\n(.*?)```", TEXT, re.DOTALL)
CONSOLE = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
FLOWERS, *PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
(WRONG,) = re.findall(r"```text\n(data:\n.*?)```", TEXT, re.DOTALL)


def tokens(row: str) -> list[str]:
    """The words of a row, without what differs from run to run: ids and times."""
    row = re.sub(r"\d{8}-\d{6}-(\w+)-\w{4}", r"ID-\1", row)
    row = re.sub(r"[\d.e+-]+ (us|ms|s)\b", "TIME", row)
    row = re.sub(r"[\d.]+ %", "SHARE", row)
    return row.replace("─", "").split()


def same(shown: list[str], printed: list[str]) -> bool:
    """Words equal, numbers to a percent; errors of rounding only as to their smallness."""
    return len(shown) == len(printed) and all(map(_same_word, shown, printed))


def _same_word(shown: str, printed: str) -> bool:
    if shown == printed:
        return True
    try:
        a, b = float(shown), float(printed)
    except ValueError:
        return False
    return abs(a - b) <= 0.01 * abs(a) or max(abs(a), abs(b)) < 1e-8


def test_the_commands_print_what_the_readme_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "configs", "configs")
    Path("wrong.yaml").write_text(WRONG)
    for name, content in TABLES:
        Path(name).write_text(content)
    exec(FLOWERS)
    ran = set()
    for block in CONSOLE:
        for command, shown in re.findall(r"\$ bpnet (.*)\n((?:(?!\$ ).*\n?)*)", block):
            line, _, note = command.partition("    # exit code ")
            capfd.readouterr()
            assert main(shlex.split(line)) == int(note or 0), command
            captured = capfd.readouterr()
            printed = [tokens(row) for row in (captured.out + captured.err).splitlines()]
            for row in shown.splitlines():
                assert row == "..." or any(same(tokens(row), found) for found in printed), (
                    f"bpnet {command} does not print: {row}"
                )
            ran.add(line.split()[0])
    assert ran >= {
        "init",
        "data",
        "train",
        "eval",
        "predict",
        "export",
        "gradcheck",
        "compare",
        "plot",
        "trace",
    }
    monkeypatch.syspath_prepend(tmp_path)
    for code in PYTHON:  # what is printed stands in a comment beside it
        capfd.readouterr()
        exec(compile(code, "README.md", "exec"), {})
        assert capfd.readouterr().out.splitlines() == re.findall(r"print.*  # (.*)", code)


def test_every_command_is_in_the_readme() -> None:
    for name in group.list_commands(None):  # type: ignore[arg-type]  # it needs no context
        assert f"bpnet {name}" in TEXT


def test_the_test_command_is_the_one_ci_runs() -> None:
    (command,) = re.findall(r"^    (python3 -m venv .*pytest -n 2)$", TEXT, re.MULTILINE)
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert script.splitlines()[-1] == command


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL))
def test_configs_in_the_readme_are_valid(block: str) -> None:
    for alternative in (block, re.sub(r"name: maxout, pieces: 3", "name: elu", block)):
        source = Source.parse(alternative, "README.md")
        source.tree.setdefault("name", "x")
        validate(source)


def test_every_plot_is_there_and_made_by_a_command_beside_it() -> None:
    shown = set(re.findall(r"!\[[^]]+\]\(\.plots/(\w+\.png)\)", TEXT))
    assert shown == {path.name for path in (ROOT / ".plots").iterdir()}
    assert shown <= set(re.findall(r"^\$ bpnet plot .* -o (\S+)$", TEXT, re.MULTILINE))
    assert len(shown) >= 8


def anchor(heading: str) -> str:
    """The name by which GitHub links to a heading: its words, with hyphens between."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_link_within_the_readme_leads_to_a_heading() -> None:
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    headings = [anchor(row) for row in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)]
    assert len(set(headings)) == len(headings)
    assert set(re.findall(r"\]\(#([^)]+)\)", prose)) <= set(headings)


def test_the_contents_lead_to_every_section() -> None:
    contents, *sections = re.findall(r"^## (.+?)$(?=\n)", TEXT, re.MULTILINE)
    (list_,) = re.findall(rf"^## {contents}\n(.*?)^## ", TEXT, re.DOTALL | re.MULTILINE)
    assert re.findall(r"\]\(#([^)]+)\)", list_)[:2] == [anchor(row) for row in sections[:2]]
    assert {anchor(row) for row in sections} <= set(re.findall(r"\]\(#([^)]+)\)", list_))


def test_every_key_and_name_of_a_config_is_in_the_readme() -> None:
    example = next(
        block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if "seed" in block
    )
    tree = yaml.safe_load(example)
    from bpcli.config.data_models import SplitConfig
    from bpcli.config.models import NetworkSpec, Spec, Stop, Training

    assert set(tree) == set(Spec.model_fields)
    assert set(tree["network"]) == set(NetworkSpec.model_fields)
    assert set(tree["training"]) == set(Training.model_fields)
    assert set(tree["training"]["stop"]) == set(Stop.model_fields)
    assert set(tree["data"]["split"]) == set(SplitConfig.model_fields)
    registries = (ACTIVATIONS, LOSSES, INITIALIZERS, GENERATORS, OPTIMIZERS, SCHEDULES)
    for names in (*registries, ACTIVATION_ALIASES, OPTIMIZER_ALIASES):
        for name in names:
            assert re.search(rf"\b{name}\b", TEXT), name


def test_the_page_of_keys_is_what_the_schema_says() -> None:
    (page,) = re.findall(r"<!-- every key -->\n\n(.*?)\n\n<!--", TEXT, re.DOTALL)
    assert page == keys_page(json_schema())


def test_every_key_of_a_table_in_a_file_is_in_the_readme() -> None:
    from bpcli.config.file_models import FileData, FileSplit

    keys = [key for key in FileData.model_fields if key not in ("split", "scale")]
    for key in [*keys, *(f"split.{key}" for key in FileSplit.model_fields)]:
        assert re.search(rf"^\| `data\.{key}` \|", TEXT, re.MULTILINE), key
    for word in MISSING:
        assert re.search(rf"^\| `data.missing_only` \|.*{re.escape(word)}", TEXT, re.MULTILINE), (
            word
        )


def test_every_option_is_in_the_readme() -> None:
    for registry in (ACTIVATIONS, LOSSES, INITIALIZERS, GENERATORS, OPTIMIZERS, SCHEDULES):
        for kind in registry.values():
            for option in fields(kind):
                assert re.search(rf"\b{option.name}\b", TEXT), f"{kind.__name__}.{option.name}"


def test_every_kind_of_plot_is_in_the_readme() -> None:
    for kind in PLOTS:
        assert f"\n| `{kind}` |" in TEXT, kind


def test_every_shipped_config_is_in_the_readme() -> None:
    for path in (ROOT / "configs").rglob("*.yaml"):
        assert f"`{path.stem}`" in TEXT or f"configs/{path.name}" in TEXT


def test_the_repository_holds_only_what_it_should() -> None:
    done = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    top = {name.split("/")[0] for name in done.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    assert visible <= {
        "pyproject.toml",
        "bpcli",
        "configs",
        "tests",
        "runs",
        "README.md",
        "LICENSE",
    }
    assert [name for name in done.stdout.splitlines() if name.startswith("runs/")] == [
        "runs/README.md"
    ]
