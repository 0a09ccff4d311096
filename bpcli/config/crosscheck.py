"""Issues between two keys, checked in the config as written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress

from bpcli.config import data_checks, network_checks, split_checks, training_checks
from bpcli.config.reader import Doubt, Issues, Reader
from bpcli.config.source import Location, Source
from bpcli.errors import ConfigIssue


def _sweep(read: Reader) -> Issues:
    if isinstance(read("sweep"), dict):
        from bpcli.config.sweep_checks import sweep_issues  # here: few configs have a sweep

        yield from sweep_issues(read.source, read.doubtful)


_CHECKS = (
    *network_checks.CHECKS,
    *data_checks.CHECKS,
    *split_checks.CHECKS,
    *training_checks.CHECKS,
    _sweep,
)


def cross_check(source: Source, doubtful: Collection[Location] = ()) -> Iterator[ConfigIssue]:
    """The issues between keys; a check that reads a doubtful value yields nothing more."""
    read = Reader(source, doubtful)
    for check in _CHECKS:
        with suppress(Doubt):
            yield from check(read)
