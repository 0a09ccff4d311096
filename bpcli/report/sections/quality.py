"""How good the network is: scores of each split, errors, and the worst predictions."""

from __future__ import annotations

from collections.abc import Sequence

from bpcli.report.classes import class_parts
from bpcli.report.html import Html, joined, paragraph
from bpcli.report.labels import label_parts
from bpcli.report.phrases import interval_text, kept_reason, metric_text, split_text
from bpcli.report.picture import picture_part
from bpcli.report.scores import MOST_WITH_REPORT, Score, is_log_loss, is_sampled, rounded, scores
from bpcli.report.section import Section
from bpcli.report.tables import Cell, Column, folded, table
from bpcli.report.values import value_parts
from bpcli.report.words import Words
from bpcli.report.worst import worst_rows
from bpcli.runs.subject import Subject


def section(subject: Subject, words: Words) -> Section | None:
    """Scores from the record; everything else if the network and its rows are there."""
    parts: list[Html | None] = [_scores(subject, words)]
    if subject.rebuilt is None:
        parts.append(paragraph(words("quality.no_network", why=subject.errors["network"])))
    else:
        if is_sampled(subject):
            parts.append(paragraph(words("quality.sampled")))
        elif max(map(len, subject.experiment.splits.values())) > MOST_WITH_REPORT:
            parts.append(paragraph(words("quality.no_intervals", most=f"{MOST_WITH_REPORT:,}")))
        parts += [picture_part(subject, words), *_parts(subject, words)]
        parts.append(worst_rows(subject, words))
    return Section("quality", words("quality.title"), joined(*parts))


def _parts(subject: Subject, words: Words) -> list[Html | None]:
    preprocessor = subject.experiment.preprocessor
    if preprocessor.class_names:
        return class_parts(subject, words)
    if preprocessor.words:
        return label_parts(subject, words)
    return value_parts(subject, words)


def _scores(subject: Subject, words: Words) -> Html:
    record, all_scores = subject.record, scores(subject)
    if not all_scores:
        return paragraph(words("quality.no_scores"))
    main = [score for score in all_scores if "." not in score.metric]
    main.sort(key=lambda score: score.metric.startswith("loss"))
    others = [score for score in all_scores if "." in score.metric]
    baselines = list(dict.fromkeys(name for score in all_scores for name in score.baselines))
    caption = words("quality.scores")
    if is_log_loss(subject):
        main = [score for score in main if score.metric != "loss"]
        caption = words("quality.scores_once")
    content = score_table(caption, main, baselines, words)
    each = None
    if others:
        own = score_table(words("quality.each_target"), others, baselines, words)
        each = folded(words("quality.each_target"), own)
    of_epoch = words(f"quality.of.{kept_reason(record)}", epoch=f"{record.best_epoch:,}")
    return joined(paragraph(of_epoch + words("quality.how")), content, each)


def score_table(
    caption: str, scores: Sequence[Score], baselines: Sequence[str], words: Words
) -> Html:
    """One row per metric and split: the network, its interval, and the baselines."""
    heads = [
        Column(words("quality.metric")),
        Column(words("data.split")),
        Column(words("quality.network"), True),
        Column(words("quality.interval"), True),
        *(Column(_baseline(name, words), True) for name in baselines),
    ]
    rows: list[list[Cell]] = [
        [
            metric_text(score.metric, words),
            split_text(score.split, words),
            rounded(score.value, score.metric),
            interval_text(score.interval, words),
            *(rounded(score.baselines.get(name), score.metric) for name in baselines),
        ]
        for score in scores
    ]
    return table(caption, heads, rows)


def _baseline(name: str, words: Words) -> str:
    count, _, rest = name.partition(" ")
    if rest == "principal components":
        return words("baseline.components", count=count)
    return words.get(f"baseline.{name}", name)
