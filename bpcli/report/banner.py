"""The head of a report: what was trained, its scores, and likely problems."""

from __future__ import annotations

from bpcli.data.types import SPLITS
from bpcli.report.figures import text_of
from bpcli.report.findings import findings_of, title_of
from bpcli.report.html import Html, joined, paragraph, prose, tag
from bpcli.report.phrases import (
    activation_names,
    interval_in_text,
    kept_reason,
    metric_text,
    optimizer_text,
    score_text,
    sizes_text,
    spaced,
    split_text,
)
from bpcli.report.scores import CONSTANT, Score, compared, main_score, rows_of
from bpcli.report.words import Words
from bpcli.runs.run_json import BROKEN_OFF, RunRecord
from bpcli.runs.subject import Subject


def banner(subject: Subject, words: Words) -> Html:
    """Three sentences on the run, and its most important numbers."""
    score = main_score(subject)
    return joined(
        paragraph(words("banner.kind"), "kind"),
        tag("h1", subject.name),
        paragraph(_trained(subject, words), "lead"),
        paragraph(_good(subject, score, words), f"verdict {_tone(score)}"),
        _overfits(subject, words),
        tag("p", _wrong(subject, words), class_="lead"),
        _numbers(subject, score, words),
    )


def _trained(subject: Subject, words: Words) -> str:
    record = subject.record
    return words(
        "banner.trained",
        sizes=sizes_text(record),
        activations=", ".join(activation_names(record)),
        params=f"{record.n_params:,}",
        rows=f"{record.rows.train:,}",
        task=words.get(f"task.{record.task}", record.task),
        optimizer=optimizer_text(record),
        loss=spaced(record.loss),
    ) + _ended(subject, words)


def _ended(subject: Subject, words: Words) -> str:
    record = subject.record
    if record.status == "finished":
        return words.counted("banner.finished", record.epochs)
    key = "broken_off" if record.status == BROKEN_OFF else record.status
    return words(f"banner.{key}", epochs=f"{_epochs(subject):,}")


def _epochs(subject: Subject) -> int:
    """The epochs of a training; of one that has not ended, those in its log."""
    if subject.record.has_results or not subject.lines:
        return subject.record.epochs
    return subject.lines[-1].epoch


def _good(subject: Subject, score: Score | None, words: Words) -> str:
    if score is None:
        return words("banner.no_scores")
    verdict = compared(score)
    sentence = words(
        f"banner.{verdict}",
        metric=metric_text(score.metric, words),
        value=text_of(score.value),
        interval=interval_in_text(score.interval, words),
        constant=text_of(score.baselines.get(CONSTANT)),
        rows=f"{rows_of(subject, score.split):,}",
        split=split_text(score.split, words),
    )
    return sentence + (words("banner.only_train") if score.split == "train" else "")


def _tone(score: Score | None) -> str:
    return "unknown" if score is None else compared(score)


def _overfits(subject: Subject, words: Words) -> Html | None:
    """The losses of the training rows and of held-out rows, and whether it overfits."""
    from bpcli.diagnosis import overfitting_gap
    from bpcli.diagnosis.rules_scores import GAP

    gap, scores = overfitting_gap(subject), subject.record.metrics
    if gap is None or not scores:
        return None
    losses = words(
        "banner.losses",
        train=text_of(scores["train.loss"]),
        held=text_of(scores[f"{gap.split}.loss"]),
        split=split_text(gap.split, words),
        of_train=_percent(gap.of_train),
        of_held=_percent(gap.of_held),
    )
    return paragraph(losses + words(f"banner.fit.{gap.verdict}", least=_percent(GAP)), "lead")


def _percent(share: float) -> str:
    return f"{text_of(100 * share, 3)} %"


def _wrong(subject: Subject, words: Words) -> Html:
    """The titles of what looks wrong, or else those of the notes, and a link to the diagnosis."""
    findings = findings_of(subject)
    if not findings:
        return joined(words("banner.nothing_wrong"))
    wrong = [each for each in findings if each.severity != "note"]
    key, shown = ("banner.wrong", wrong) if wrong else ("banner.notes", findings)
    titles = words("page.semicolon").join(title_of(each, words).rstrip(".。") for each in shown[:3])
    said = words.counted(key, len(shown), titles=titles)
    return joined(prose(said), tag("a", words("banner.details"), href="#diagnosis"))


def _numbers(subject: Subject, score: Score | None, words: Words) -> Html:
    record = subject.record
    pairs = [
        (words("banner.epochs"), f"{_epochs(subject):,}"),
        (words(f"banner.kept.{kept_reason(record)}"), _kept(record)),
        (words("banner.parameters"), f"{record.n_params:,}"),
        (words("banner.rows", splits=_splits(subject, words)), _rows(subject)),
    ]
    if score is not None:
        pairs.insert(0, (score_text(score.split, score.metric, words), text_of(score.value)))
    return tag(
        "dl", [tag("div", tag("dt", name), tag("dd", text)) for name, text in pairs], class_="tiles"
    )


def _kept(record: RunRecord) -> str:
    """The epoch whose weights were kept; a dash if there is none."""
    has_one = record.has_results and kept_reason(record) in ("val", "last")
    return f"{record.best_epoch:,}" if has_one else "–"


def _splits(subject: Subject, words: Words) -> str:
    names = [name for name in SPLITS if rows_of(subject, name)]
    return " / ".join(words(f"brief.{name}") for name in names)


def _rows(subject: Subject) -> str:
    rows = subject.record.rows
    return " / ".join(f"{count:,}" for count in (rows.train, rows.val, rows.test) if count)
