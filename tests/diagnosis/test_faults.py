"""Every kind of finding is found where its fault was planted."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from faults import FAULTS, found_in, is_found

from bpcli import diagnosis
from bpcli.config.load import load_config
from bpcli.diagnosis import Finding
from bpcli.diagnosis.diagnose import EXPLAINS
from bpcli.experiment import build

IS_FULL = bool(os.environ.get("BPNET_FULL"))
RULES = Path(diagnosis.__file__).parent
KIND = re.compile(r'Finding\.of\(\s*"(\w+)"')
SEEDS, WANTED = (20, 19) if IS_FULL else (1, 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_from_nearly_every_seed(fault: str, tmp_path: Path) -> None:
    plant = FAULTS[fault]
    found = [found_in(plant(seed), tmp_path / str(seed)) for seed in range(SEEDS)]
    hits = sum(is_found(fault.split()[0], each) for each in found)
    print(f"{fault}: {hits} of {SEEDS}")
    assert hits >= WANTED
    for finding in (finding for each in found for finding in each):
        check(finding)


def check(finding: Finding) -> None:
    """Each part is a sentence, and the command can be given as it stands."""
    for part in (finding.title, finding.evidence, finding.cause, finding.remedy):
        assert part.endswith(".")
        assert part[0].isupper() or part[0] in "`0123456789"
        assert "None" not in part
        assert "nan" not in part
    if finding.command:
        program, command, config, *options = shlex.split(finding.command)
        assert (program, command) == ("bpnet", "train")
        assert Path(config).is_file()
        load_and_build(Path(config), options)


def load_and_build(config: Path, options: list[str]) -> None:
    """Fails if the config does not accept the values that a command sets."""
    overrides = [value for option, value in zip(options[::2], options[1::2], strict=True)]
    if options[:1] == ["--restarts"]:
        overrides = [f"training.restarts={overrides[0]}"]
    experiment = load_config(config, overrides)
    if not experiment.spec.data.split.has_all_folds:
        build(experiment)


def test_there_is_a_fault_for_every_kind() -> None:
    """The kinds are the first arguments of `Finding.of` in the code of the rules."""
    named = {kind for file in RULES.glob("*.py") for kind in KIND.findall(file.read_text())}
    planted = {fault.split()[0] for fault in FAULTS}
    assert planted == named
    assert EXPLAINS.keys() <= planted
