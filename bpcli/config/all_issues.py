"""All faults of a config at once, each once, and none that only follows from another.

A misspelt name hides what stands beside it, and a key in the wrong place leaves a gap in the right
one. So what was probably meant is put in, in a copy, which is looked at again; and what lies
between two keys is not looked at where one of them is in doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from bpcli.config.crosscheck import Complaint, cross_check, faults_of
from bpcli.config.explain import MissingKey, UnknownKey, UnknownName, WrongValue, explain
from bpcli.config.issues import Fault
from bpcli.config.keys import NAMING_KEYS, choice_at, known_keys
from bpcli.config.source import Location, Source

_RATE, _OPTIMIZER = ("training", "learning_rate"), ("training", "optimizer")
_MOST_ROUNDS = 10
"""What is put right may show what is wrong inside it; so deep do sections lie in each other."""


def all_faults(
    source: Source,
    error: ValidationError | None,
    validate: Callable[[Source], ValidationError | None],
) -> list[Fault]:
    """The faults of a source beside those of its text; `error` is what validation found."""
    search = _Search(_copy(source), set(source.unread))
    faults: list[Fault] = []
    complaints = explain(source, error)
    for _ in range(_MOST_ROUNDS):
        hiding = _hiding(complaints)
        if not hiding:
            break
        faults += faults_of(
            search.source, search.worth_saying(search.better_said(hiding, complaints))
        )
        search.mend(hiding)
        complaints = explain(search.source, validate(search.source))
    said = search.worth_saying(complaints)
    search.doubt(said)
    between = cross_check(search.source, search.doubtful)
    return [*faults, *faults_of(search.source, [*said, *between])]


def _hiding(complaints: Iterable[Complaint]) -> list[UnknownKey | UnknownName]:
    """Those that hide others, the ones that hide most: first what tells the kind of a section.

    A key that is moved may be the name that lacks, and a section may lack what belongs in it.
    """
    keys = [each for each in complaints if isinstance(each, UnknownKey)]
    naming = [each for each in keys if each.meant is not None and each.meant[-1] in _NAMING]
    if keys:
        return sorted(naming or keys, key=lambda each: len(each.meant or each.location))
    return [each for each in complaints if isinstance(each, UnknownName)]


_NAMING = (*NAMING_KEYS, "file")


def _copy(source: Source) -> Source:
    return replace(
        source,
        tree=deepcopy(source.tree),
        key_marks=dict(source.key_marks),
        value_marks=dict(source.value_marks),
        unread=set(source.unread),
    )


@dataclass
class _Search:
    """A copy of the config that is put right, and what is in doubt in it."""

    source: Source
    doubtful: set[Location]
    guessed: set[Location] = field(default_factory=set)
    """Sections that are not as they were written: made for a key that was moved, or under a name
    of ours, the one closest to what was given, or to its options."""

    def worth_saying(self, complaints: Iterable[Complaint]) -> list[Complaint]:
        """Those that do not only follow from what was said before."""
        return [each for each in complaints if not self._follows(each)]

    def _follows(self, complaint: Complaint) -> bool:
        location = complaint.location
        if any(_is_within(unread, location) for unread in self.source.unread):
            return not complaint.at_key  # nothing stands there, or it is not known what
        if location == _RATE and _OPTIMIZER in self.guessed and self.source.get(_RATE) is None:
            return True  # whether there has to be one is not known
        section = next((each for each in self.guessed if _is_within(location, each)), None)
        if section is None:
            return False
        if isinstance(complaint, MissingKey):
            return True
        choice = choice_at(section)
        is_option = isinstance(complaint, UnknownKey) and location[:-1] == section
        return is_option and choice is not None and bool(choice.with_option(str(location[-1])))

    def better_said(
        self, hiding: Iterable[Complaint], complaints: Iterable[Complaint]
    ) -> list[Complaint]:
        """Of those that hide others, what the keys around them say more about."""
        doubtful = self.doubtful | {each.location for each in complaints if not each.at_key}
        between = {each.location: each for each in cross_check(self.source, doubtful)}
        return [between.get(each.location, each) for each in hiding]

    def doubt(self, complaints: Iterable[Complaint]) -> None:
        self.doubtful |= {each.location for each in complaints if isinstance(each, WrongValue)}

    def mend(self, complaints: Iterable[UnknownKey | UnknownName]) -> None:
        """Put in what was probably meant, or leave out what means nothing."""
        for complaint in complaints:
            if isinstance(complaint, UnknownName):
                self._name(complaint)
            else:
                self._move(complaint.location, complaint.meant)

    def _name(self, complaint: UnknownName) -> None:
        section = complaint.section
        here, choice = self.source.get(section), choice_at(section)
        self.doubtful.add(section)
        self.guessed.add(section)
        if choice is None:
            return
        if not isinstance(here, dict):
            parent: Any = self.source.get(section[:-1])
            parent[section[-1]] = complaint.meant or next(iter(choice.registry))
            return
        here[choice.key] = complaint.meant or choice.closest(here)

    def _move(self, old: Location, new: Location | None) -> None:
        parent: Any = self.source.get(old[:-1])
        value = parent.pop(old[-1], None)
        home = None if new is None else self._section(new[:-1])
        if new is None or home is None:
            return
        there = home.get(str(new[-1]))
        if isinstance(there, dict) and isinstance(value, dict):
            value |= there  # something else that was moved needed the section
        elif new[-1] in home:
            return
        home[str(new[-1])] = value
        self.doubtful.add(new)
        for marks in (self.source.key_marks, self.source.value_marks):
            for inner in [known for known in marks if _is_within(known, old)]:
                marks.setdefault((*new, *inner[len(old) :]), marks[inner])
        self.source.unread |= {
            (*new, *inner[len(old) :]) for inner in self.source.unread if _is_within(inner, old)
        }

    def _section(self, location: Location) -> dict[str, Any] | None:
        """The mapping at a location, made where there is none yet; None where there cannot be."""
        there = self.source.get(location)
        if isinstance(there, dict):
            return there
        parent = self._section(location[:-1]) if location else None
        if parent is None:
            return None
        if location[-1] not in parent:
            self.guessed.add(location)
        here = parent.setdefault(str(location[-1]), {})
        if isinstance(here, str) and "name" in known_keys(self.source, location):
            here = parent[str(location[-1])] = {"name": here}
            mark = self.source.value_marks.get(location)
            if mark is not None:
                self.source.value_marks[(*location, "name")] = mark
        return here if isinstance(here, dict) else None


def _is_within(location: Location, section: Location) -> bool:
    return location[: len(section)] == section
