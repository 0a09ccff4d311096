"""How to repeat the training: command, config with origins, versions, digests, and a check."""

from __future__ import annotations

import shlex
from dataclasses import replace

from bpcli.config.load import read_source
from bpcli.config.origins import origins
from bpcli.config.source import Source
from bpcli.config.writing import inline
from bpcli.errors import BpnetError
from bpcli.report.elsewhere import config_name, config_text, renamed, short_names
from bpcli.report.html import Html, joined, paragraph, tag
from bpcli.report.section import Section
from bpcli.report.tables import Cell, Column, folded, table
from bpcli.report.words import Words
from bpcli.runs.layout import CONFIG, METRICS, PATH, RESOLVED
from bpcli.runs.store import Run
from bpcli.runs.subject import Subject

_TIMED = (METRICS, PATH)
"""Files that have times or are large: two equal runs have other digests of these."""


def section(subject: Subject, words: Words) -> Section | None:
    """All that is needed to train the run again, and to see that it is the same."""
    body = joined(
        tag("h3", words("repeat.config")),
        _copy(subject, words),
        _config(subject, words),
        tag("h3", words("repeat.verify")),
        paragraph(words("repeat.verify_how", folder=subject.run_id)),
        command(shlex.join(["bpnet", "verify", subject.run_id])),
        tag("h3", words("repeat.files")),
        _digests(subject, words),
        tag("h3", words("repeat.machine")),
        _machine(subject, words),
    )
    return Section("repeat", words("repeat.title"), body)


def _copy(subject: Subject, words: Words) -> Html:
    """The whole config to copy, and the commands that train it anywhere."""
    text, name = config_text(subject), config_name(subject)
    if text is None:
        return paragraph(words("repeat.no_copy"))
    start = [name for name in subject.record.sha256 if name.startswith("start.")]
    names = [*short_names(subject.record).values(), *start]  # a network to start from is in RUN
    files = words("page.comma").join(f"`{file}`" for file in names)
    versions = subject.record.versions
    return joined(
        paragraph(words("repeat.copy", file=name)),
        folded(words("repeat.whole", file=name), tag("pre", tag("code", text), class_="config")),
        paragraph(words("repeat.data_files", files=files)) if files else None,
        paragraph(words("repeat.how")),
        command(shlex.join(["bpnet", "train", name])),
        paragraph(
            words(
                "repeat.install",
                version=versions.get("bpcli", "–"),
                python=versions.get("python", "–"),
                numpy=versions.get("numpy", "–"),
                seed=subject.record.seed,
            )
        ),
    )


def command(text: str) -> Html:
    """A command on a line of its own, which scrolls if it is long."""
    return tag("pre", tag("code", text), tabindex=0, class_="command")


def _config(subject: Subject, words: Words) -> Html:
    """The values that are not defaults, with their origins if these are known."""
    heads = [
        Column(words("repeat.key")),
        Column(words("repeat.value")),
        Column(words("repeat.origin")),
    ]
    known, names = _origins(subject), short_names(subject.record)
    rows: list[list[Cell]] = [
        [tag("code", key), tag("code", inline(renamed(value, names))), origin]
        for key, value in subject.record.config.items()
        if value is not None or key in known
        if not (origin := known.get(key, "–")).startswith("default")
    ]
    note = None if known else paragraph(words("repeat.no_origins"))
    return joined(note, table(words("repeat.set", count=len(rows)), heads, rows))


def _origins(subject: Subject) -> dict[str, str]:
    """The origin of each value, under dotted keys; empty if the config cannot be read again."""
    if subject.folder is None or subject.rebuilt is None:
        return {}
    run = Run(subject.folder)
    try:
        source = read_source(run.checked(CONFIG, subject.record), subject.record.overrides)
        resolved = Source.read(run.checked(RESOLVED, subject.record))
        by_location = origins(replace(subject.experiment.config, source=source), resolved)
    except BpnetError:
        return {}
    by_key: dict[str, str] = {}
    for location, origin in by_location.items():
        key = ".".join(map(str, (part for part in location if not isinstance(part, int))))
        by_key.setdefault(key, origin)
    return by_key


def _digests(subject: Subject, words: Words) -> Html:
    record = subject.record
    heads = [Column(words("repeat.file")), Column("SHA-256")]
    rows: list[list[Cell]] = [[words("repeat.data"), tag("code", record.data_sha256)]]
    names = short_names(record)
    rows += [[names[file], tag("code", digest)] for file, digest in record.data_files.items()]
    rows += [
        [name, tag("code", digest)] for name, digest in record.sha256.items() if name not in _TIMED
    ]
    return table(words("repeat.digests"), heads, rows, sorts=False)


def _machine(subject: Subject, words: Words) -> Html:
    record = subject.record
    pairs = [*record.versions.items()]
    pairs += [(words("repeat.system"), record.platform), (words("repeat.processor"), record.cpu)]
    pairs += [(words("repeat.numerics"), record.numerics), ("BLAS", _blas(subject))]
    pairs += [
        (words("repeat.workers"), str(record.workers)),
        (words("repeat.seed"), str(record.seed)),
    ]
    return tag("dl", [tag("div", tag("dt", name), tag("dd", text)) for name, text in pairs])


def _blas(subject: Subject) -> str:
    libraries = [" ".join(filter(None, each.values())) for each in subject.record.blas]
    return ", ".join(libraries) or "–"
