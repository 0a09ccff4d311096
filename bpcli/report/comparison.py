"""The comparison of several runs: what differs in their configs, their curves and scores."""

from __future__ import annotations

from collections.abc import Sequence

from bpcli.config.writing import inline
from bpcli.data.types import SPLITS, SplitName
from bpcli.metrics.metrics import greater_is_better
from bpcli.report.charts import SERIES, Curve, line_chart
from bpcli.report.figures import text_of
from bpcli.report.findings import findings_of, title_of
from bpcli.report.html import Html, joined, paragraph, prose, tag
from bpcli.report.phrases import (
    cut,
    interval_in_text,
    interval_text,
    metric_text,
    optimizer_text,
    score_text,
    sizes_text,
    split_text,
)
from bpcli.report.scores import Score, main_score, scores
from bpcli.report.section import Section
from bpcli.report.tables import Cell, Column, table
from bpcli.report.words import Words
from bpcli.runs.listing import differing_keys
from bpcli.runs.subject import Subject

MOST_METRICS = 6


def labels_of(subjects: Sequence[Subject]) -> list[str]:
    """The name of each run; its id if another run has the same name."""
    names = [subject.name for subject in subjects]
    return [
        name if names.count(name) == 1 else subject.run_id
        for name, subject in zip(names, subjects, strict=True)
    ]


def comparison_banner(subjects: Sequence[Subject], words: Words) -> Html:
    """What is compared, and which run is best."""
    return joined(
        paragraph(words("compare.kind"), "kind"),
        tag("h1", words("compare.page", count=len(subjects))),
        tag(
            "p",
            words("compare.what", runs=words("page.comma").join(labels_of(subjects))),
            class_="lead",
        ),
        paragraph(_best(subjects, words), "verdict unknown"),
    )


def _best(subjects: Sequence[Subject], words: Words) -> str:
    """Which run is best by the score that all have, and whether the next one is as good."""
    scored = [
        (label, main_score(each)) for label, each in zip(labels_of(subjects), subjects, strict=True)
    ]
    known = [
        (label, score) for label, score in scored if score is not None and score.value is not None
    ]
    if len(known) < 2 or len({(score.split, score.metric) for _, score in known}) > 1:
        return words("compare.no_common")
    sign = -1 if greater_is_better(known[0][1].metric) else 1
    known.sort(key=lambda each: sign * (each[1].value or 0.0))
    (label, best), (_, second) = known[:2]
    said = words(
        "compare.best",
        name=label,
        metric=metric_text(best.metric, words),
        split=split_text(best.split, words),
        value=text_of(best.value),
        interval=interval_in_text(best.interval, words),
    )
    return said + (words("compare.overlap") if _overlap(best, second) else "")


def _overlap(one: Score, other: Score) -> bool:
    """Whether the intervals of two scores have a number in common."""
    if one.interval is None or other.interval is None:
        return False
    return one.interval.low <= other.interval.high and other.interval.low <= one.interval.high


def comparison_sections(subjects: Sequence[Subject], words: Words) -> list[Section]:
    """Scores, curves, differing keys, and what looks wrong with each run."""
    labels = labels_of(subjects)
    bodies = {
        "scores": _scores(subjects, labels, words),
        "curves": _curves(subjects, labels, words),
        "differences": _differences(subjects, labels, words),
        "diagnosis": _diagnosis(subjects, labels, words),
    }
    return [Section(name, words(f"compare.{name}"), body) for name, body in bodies.items()]


def _scores(subjects: Sequence[Subject], labels: Sequence[str], words: Words) -> Html:
    """One table per metric, with a column for each split, and facts about the runs."""
    by_run = [scores(subject) for subject in subjects]
    metrics = list(dict.fromkeys(score.metric for own in by_run for score in own))
    main = [metric for metric in metrics if "." not in metric][:MOST_METRICS]
    tables = [_metric_table(metric, by_run, labels, words) for metric in main]
    return joined(_facts(subjects, labels, words), tag("h3", words("compare.by_metric")), tables)


def _facts(subjects: Sequence[Subject], labels: Sequence[str], words: Words) -> Html:
    heads = [
        Column(words("compare.run")),
        Column(words("compare.sizes")),
        Column(words("compare.optimizer")),
        *(Column(words(f"banner.{key}"), True) for key in ("parameters", "epochs")),
        Column(words("compare.kept"), True),
    ]
    rows: list[list[Cell]] = [
        [label, sizes_text(record), optimizer_text(record), record.n_params, record.epochs,
         record.best_epoch]
        for label, record in zip(labels, (each.record for each in subjects), strict=True)
    ]  # fmt: skip
    return table(words("compare.runs"), heads, rows)


def _metric_table(
    metric: str, by_run: Sequence[Sequence[Score]], labels: Sequence[str], words: Words
) -> Html:
    splits = [
        name
        for name in SPLITS
        if any((score.split, score.metric) == (name, metric) for own in by_run for score in own)
    ]
    heads = [Column(words("compare.run"))]
    for name in splits:
        heads.append(Column(split_text(name, words), True))
        heads.append(Column(words("quality.interval"), True))
    rows = [
        [label, *(cell for name in splits for cell in _cells(own, name, metric, words))]
        for label, own in zip(labels, by_run, strict=True)
    ]
    return table(metric_text(metric, words), heads, rows)


def _cells(scores: Sequence[Score], split: SplitName, metric: str, words: Words) -> list[Cell]:
    for score in scores:
        if (score.split, score.metric) == (split, metric):
            return [score.value, interval_text(score.interval, words)]
    return [None, "–"]


def _curves(subjects: Sequence[Subject], labels: Sequence[str], words: Words) -> Html:
    """A chart per split and key that at least one run has logged."""
    keys = dict.fromkeys(
        key for each in subjects for key in each.keys if key.partition(".")[0] in ("train", "val")
    )
    charts = [
        chart
        for number, key in enumerate(list(keys)[: 2 * MOST_METRICS])
        if (chart := _chart(subjects, labels, key, f"curve-{number}", words)) is not None
    ]
    parts: list[Html] = []
    if len(subjects) > SERIES:
        parts.append(paragraph(words("compare.of_runs", shown=SERIES, count=len(subjects))))
    return joined(*parts, tag("div", charts, class_="charts"))


def _chart(
    subjects: Sequence[Subject], labels: Sequence[str], key: str, id_: str, words: Words
) -> Html | None:
    curves = [
        Curve(cut(label, 40), *subject.series(key), style)
        for style, (label, subject) in enumerate(zip(labels, subjects, strict=True))
        if style < SERIES and key in subject.keys and subject.has_numbers(key)
    ]
    if not curves:
        return None
    split, _, metric = key.partition(".")
    name = metric_text(metric, words)
    caption = score_text(split, metric, words)  # type: ignore[arg-type]
    return line_chart(
        id_, curves, caption, words, x_title=words("history.epoch"), y_title=name,
        is_log=False if greater_is_better(metric) else None,
    )  # fmt: skip


def _differences(subjects: Sequence[Subject], labels: Sequence[str], words: Words) -> Html:
    """The keys of the configs whose values are not all the same."""
    records = [subject.record for subject in subjects]
    differing = differing_keys(records)
    data = {record.data_sha256 for record in records}
    about = paragraph(words("compare.same_data" if len(data) == 1 else "compare.other_data"))
    if not differing:
        return joined(about, paragraph(words("compare.same_config")))
    heads = [Column(words("repeat.key")), *map(Column, labels)]
    rows: list[list[Cell]] = [
        [tag("code", key), *(tag("code", _shown(record.config.get(key))) for record in records)]
        for key in differing
    ]
    return joined(about, table(words("compare.differing"), heads, rows))


def _shown(value: object) -> str:
    return "–" if value is None else inline(value)


def _diagnosis(subjects: Sequence[Subject], labels: Sequence[str], words: Words) -> Html:
    """The titles of the findings of each run."""
    items = []
    for label, subject in zip(labels, subjects, strict=True):
        titles = [title_of(each, words) for each in findings_of(subject)]
        texts = tag("ul", [tag("li", prose(title)) for title in titles])
        nothing = paragraph(words("diagnosis.nothing"))
        items.append(joined(tag("h3", label), texts if titles else nothing))
    return joined(*items)
