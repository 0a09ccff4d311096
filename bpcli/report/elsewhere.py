"""The config of a run for another machine: without the folders of the one that trained it."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from bpcli.config.source import Source
from bpcli.config.writing import dump
from bpcli.errors import BpnetError
from bpcli.report.once import once
from bpcli.runs.layout import RESOLVED
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run
from bpcli.runs.subject import Subject
from bpcli.text import as_name


def short_names(record: RunRecord) -> Mapping[str, str]:
    """The data files by their full paths: their paths below the folder that has all of them."""
    given = record.config.get("data.file")  # it has no digest if its rows were not kept
    files = [*dict.fromkeys([*record.data_files, *([given] if isinstance(given, str) else [])])]
    try:
        common = os.path.commonpath([PurePath(file).parent for file in files])
        return {file: PurePath(os.path.relpath(file, common)).as_posix() for file in files}
    except ValueError:  # files of several drives have no folder in common
        return {file: PurePath(file).name for file in files}


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A value of a config in which the files have these names."""
    if isinstance(value, dict):
        return {key: renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [renamed(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value


@once
def config_text(subject: Subject) -> str | None:
    """The resolved config as YAML, with file names instead of paths; None if it is damaged."""
    if subject.folder is None:
        return None
    try:
        source = Source.read(Run(subject.folder).checked(RESOLVED, subject.record))
    except BpnetError:
        return None
    return dump(renamed(source.tree, short_names(subject.record)))


def config_name(subject: Subject) -> str:
    """A name for the file of the config."""
    return f"{as_name(subject.record.name) or 'run'}.yaml"
