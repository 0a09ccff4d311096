"""README and handbook: commands print what is shown, links work, nothing is missing."""

from __future__ import annotations

import os
import re
from dataclasses import fields
from pathlib import Path

import matplotlib
import pytest
import yaml
from chapters import (
    CHAPTERS,
    DOCS,
    README,
    ROOT,
    anchors,
    blocks,
    check_python,
    prose,
    run_document,
)
from click import Context

import bpcli
from bpcli.cli.main import bpnet as group
from bpcli.config.load import validate
from bpcli.config.reference import keys_page
from bpcli.config.schema import json_schema
from bpcli.config.source import Source
from bpcli.data.files.dialect import MISSING
from bpcli.data.generators import GENERATORS
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import LOSSES
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.schedules import SCHEDULES
from bpcli.plots import PLOTS

PACKAGE = Path(bpcli.__file__).parent
DOCUMENTS = [README, *CHAPTERS]
TEXTS = {path: path.read_text("utf-8") for path in DOCUMENTS}
GUIDE = TEXTS[DOCS / "contributing.md"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


documents = pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
RUN = [path for path in DOCUMENTS if path.parent.name != "zh" or os.environ.get("BPNET_FULL")]
"""The Chinese edition has the commands of the English one, and the same output beneath them."""


@pytest.mark.parametrize("path", RUN, ids=name_of)
def test_the_commands_print_what_is_shown(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with matplotlib.rc_context():  # a chapter sets a style
        run_document(path)


_ON_DATA = [
    pytest.param(block.mark, block.content, id=f"{name_of(path)}-{block.mark}")
    for path, text in TEXTS.items()
    for block in blocks(text)
    if block.language == "python" and block.mark
]


@pytest.mark.parametrize(("folder", "code"), _ON_DATA)
def test_a_program_on_public_data_prints_what_is_shown(
    folder: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_data: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / folder).symlink_to(shared_data / "uci" / folder)
    check_python(code, {"__name__": "document"})


def test_nearly_every_command_is_run() -> None:
    shown = "".join(
        block.content
        for text in TEXTS.values()
        for block in blocks(text)
        if (block.language, block.mark) == ("console", "")
    )
    ran = set(re.findall(r"^\$ bpnet (\w+)", shown, re.MULTILINE))
    assert ran >= {*group.list_commands(Context(group))} - {"schema", "docs"}


@documents
def test_every_config_is_valid(path: Path) -> None:
    for block in blocks(TEXTS[path]):
        if block.language == "yaml" and block.file != "wrong.yaml":
            source = Source.parse(block.content, name_of(path))
            source.tree.setdefault("name", "x")
            validate(source)


@documents
def test_every_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", prose(TEXTS[path])):
        file, _, heading = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        assert not heading or heading in anchors(target.read_text("utf-8")), link


@documents
def test_no_two_headings_have_one_anchor(path: Path) -> None:
    assert len(set(anchors(TEXTS[path]))) == len(anchors(TEXTS[path]))


def test_every_plot_is_shown_and_made_by_a_command_beside_it() -> None:
    shown = set()
    for path, text in TEXTS.items():
        here = set(re.findall(r"!\[[^]]+\]\([./\w]*plots/(\w+\.png)\)", text))
        assert here <= set(re.findall(r"^\$ bpnet plot .* -o (\S+)$", text, re.MULTILINE)), path
        shown |= here
    assert shown == {path.name for path in (DOCS / "plots").iterdir()}


def test_every_chapter_but_those_to_look_things_up_is_short_enough_to_read() -> None:
    lengths = {path: len(text.splitlines()) for path, text in TEXTS.items()}
    long = {path.name for path, length in lengths.items() if length > 400}
    assert long <= {"keys.md", "claims.md"}
    assert lengths[README] <= 250
    assert len(TEXTS[README].encode()) <= 14_000


def test_every_chapter_is_listed() -> None:
    listed = re.findall(r"\]\(([\w/-]+\.md)\)", TEXTS[DOCS / "README.md"])
    assert sorted(listed) == sorted(
        {str(path.relative_to(DOCS)) for path in CHAPTERS} - {"README.md"} | {"CHANGELOG.md"}
    )


def test_the_page_of_keys_is_what_the_schema_says() -> None:
    _, _, page = TEXTS[DOCS / "keys.md"].partition("\n## A config")
    assert f"## A config{page}" == f"{keys_page(json_schema())}\n"


def test_the_example_of_a_config_has_every_key() -> None:
    from bpcli.config.data_models import SplitConfig
    from bpcli.config.models import NetworkSpec, Spec, Stop, Training

    (example,) = (
        block.content
        for block in blocks(TEXTS[DOCS / "config.md"])
        if block.language == "yaml" and "\nseed" in block.content
    )
    tree = yaml.safe_load(example)
    assert set(tree) == set(Spec.model_fields)
    assert set(tree["network"]) == set(NetworkSpec.model_fields)
    assert set(tree["training"]) == set(Training.model_fields)
    assert set(tree["training"]["stop"]) == set(Stop.model_fields)
    assert set(tree["data"]["split"]) == set(SplitConfig.model_fields)


def test_every_option_of_an_entry_is_in_the_page_of_keys() -> None:
    page = TEXTS[DOCS / "keys.md"]
    for registry in (ACTIVATIONS, LOSSES, INITIALIZERS, GENERATORS, OPTIMIZERS, SCHEDULES):
        for name, kind in registry.items():
            assert re.search(rf"^\| `{name}`", page, re.MULTILINE), name
            for option in fields(kind):
                assert re.search(rf"\b{option.name}\b", page), f"{name}.{option.name}"


def test_every_kind_of_plot_is_described() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", TEXTS[DOCS / "plots.md"], re.MULTILINE)) == set(PLOTS)


def test_every_shipped_config_is_described() -> None:
    for path in (ROOT / "configs").rglob("*.yaml"):
        assert f"`{path.stem}`" in TEXTS[DOCS / "configs.md"], path


@pytest.mark.parametrize("name", sorted({*re.findall(r"`((?:bpcli/|tests/)[\w/]+\.py)`", GUIDE)}))
def test_every_file_that_the_guide_names_exists(name: str) -> None:
    assert (ROOT / name).is_file()


def test_the_guide_describes_every_folder() -> None:
    table = GUIDE.partition("From the bottom layer up:")[2].partition("`tests/` has")[0]
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | {"docs"}
    assert folders - {*re.findall(r"`(\w+)/`", table)} == set()


def test_the_changelog_begins_with_this_version() -> None:
    newest = re.search(r"^## (\S+)", (DOCS / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == bpcli.__version__


def test_every_command_is_in_the_readme_and_has_its_examples_in_the_order_of_help() -> None:
    names = group.list_commands(Context(group))
    assert re.findall(r"^\| `bpnet (\w+)` \|", TEXTS[README], re.MULTILINE) == names
    headings = re.findall(r"^## (\w+)$", TEXTS[DOCS / "commands.md"], re.MULTILINE)
    assert headings == names


def test_the_test_command_is_the_one_ci_runs() -> None:
    (command,) = re.findall(r"^    (python3 -m venv .*pytest -n 2)$", TEXTS[README], re.MULTILINE)
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert script.splitlines()[-1] == command


def test_every_word_for_a_missing_value_is_in_the_page_of_keys() -> None:
    (row,) = re.findall(r"^\| `data.missing_only` \|.*", TEXTS[DOCS / "keys.md"], re.MULTILINE)
    assert [word for word in MISSING if word and f"`{word}`" not in row] == []


CLAIMS, _, UNTESTED = TEXTS[DOCS / "claims.md"].partition("\n## Without a test\n")


@pytest.mark.parametrize("name", sorted({*re.findall(r"`([\w/]+\.py::\w+)`", CLAIMS)}))
def test_every_test_that_a_claim_names_exists(name: str) -> None:
    file, _, function = name.partition("::")
    text = (ROOT / "tests" / file).read_text("utf-8")
    assert re.search(rf"^def {function}\(", text, re.MULTILINE)


def test_every_claim_names_a_test_or_a_command_with_its_date() -> None:
    _, _, sections = CLAIMS.partition("\n## ")
    claims = re.findall(r"^- .+$", sections, re.MULTILINE)
    assert len(claims) > 100
    for claim in claims:
        assert re.search(r": (`[\w/]+\.py::\w+`|`.+`.* \(\d{4}-\d\d-\d\d\))$", claim), claim
    assert "\n## " not in UNTESTED


@pytest.mark.parametrize("path", sorted((DOCS / "zh").iterdir()), ids=name_of)
def test_the_chinese_edition_has_the_blocks_of_the_english_one(path: Path) -> None:
    assert without_remarks(TEXTS[path]) == without_remarks(TEXTS[DOCS / path.name])


def without_remarks(text: str) -> list[tuple[object, ...]]:
    """The blocks of a chapter without comments in configs and remarks on formulas."""
    shown = []
    for language, mark, file, content in blocks(text):
        if language == "yaml":
            content = yaml.safe_load(content)
        elif language == "text":
            content = re.sub(r" {2,}[a-z\u4e00-\u9fff ]+$", "", content, flags=re.MULTILINE)
        shown.append((language, mark, file, content))
    return shown
