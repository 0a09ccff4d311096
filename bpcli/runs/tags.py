"""Tags, names that a user gives to runs: a run may have several, a tag belongs to one run.

They are in a separate file of the run's folder, as the record never changes once training has
ended. Reading needs no lock. A change locks the folder of runs, as a tag may move from one run to
another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from bpcli.errors import RunError
from bpcli.runs.lock import Lock
from bpcli.runs.sealed import read_sealed, write_sealed
from bpcli.runs.store import Run
from bpcli.text import NAMES, is_name

TAGS = "tags.json"
TAGS_LOCK = ".tags.lock"
_PATIENCE_SECONDS = 10.0
_RESERVED = re.compile(r"latest|\d{4,8}(-.*)?")


def tags_of(run: Run) -> list[str]:
    """A run's tags, sorted; none if the file is missing or damaged."""
    try:
        return saved_tags(run)
    except RunError:
        return []


def saved_tags(run: Run) -> list[str]:
    """A run's tags, sorted. Raises `RunError` if their file is damaged."""
    path = run.path(TAGS)
    if not os.path.lexists(path):
        return []
    names = read_sealed(path).get("tags")
    if not isinstance(names, list) or not all(map(_is_tag, names)):
        raise RunError(f"{path} is damaged: it is not a list of tags.")
    return sorted({*names})


def _is_tag(name: object) -> bool:
    return isinstance(name, str) and bool(is_name(name) and not _RESERVED.fullmatch(name))


@contextmanager
def changing_tags(runs_dir: Path) -> Iterator[None]:
    """Lock the tags of all runs in a folder, after waiting for other processes.

    Raises `RunError` if that takes too long, or if the folder cannot be written.
    """
    with closing(
        Lock(runs_dir / TAGS_LOCK, f"The tags in {runs_dir} are being changed", _PATIENCE_SECONDS)
    ):
        yield


def tagged(runs: Sequence[Run], tag: str) -> list[Run]:
    """Return the runs that have a tag: at most one, unless folders were copied."""
    return [run for run in runs if tag in tags_of(run)]


def add_tag(run: Run, tag: str, runs: Sequence[Run], *, moves: bool = False) -> None:
    """Give a run a tag; with `moves`, take it from another run that has it.

    Raises `RunError` if it is not a valid tag, is the name of runs, or belongs to another run.
    """
    _check(tag)
    if any(tag == each.name for each in runs):
        raise RunError(f"`{tag}` is already the name of runs: choose another tag.")
    others = [each for each in tagged(runs, tag) if each.run_id != run.run_id]
    if others and not moves:
        raise RunError(f"`{tag}` is a tag of {others[0].run_id}; --force moves it.")
    _write(run, {*saved_tags(run), tag})
    for other in others:
        _write(other, {*tags_of(other)} - {tag})


def remove_tag(run: Run, tag: str) -> None:
    """Remove a tag from a run. Raises `RunError` if the run does not have it."""
    tags = saved_tags(run)
    if tag not in tags:
        known = f"its tags are {', '.join(tags)}" if tags else "it has no tags"
        raise RunError(f"{run.run_id} has no tag `{tag}`: {known}.")
    _write(run, {*tags} - {tag})


def _check(tag: str) -> None:
    if not is_name(tag):
        raise RunError(f"`{tag[:80]}` cannot be a tag: {NAMES}.")
    if _RESERVED.fullmatch(tag):
        raise RunError(f"`{tag}` cannot be a tag: it could be the beginning of an id, or `latest`.")


def _write(run: Run, tags: set[str]) -> None:
    write_sealed(run.path(TAGS), {"tags": sorted(tags)})
