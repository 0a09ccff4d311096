"""How classes are confused, and how well outputs rank the rows of each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.data.types import SPLITS, SplitName
from bpcli.metrics.roc import defined_roc_curve
from bpcli.nn.arrays import Array
from bpcli.report.charts import SERIES, Curve, line_chart
from bpcli.report.figures import text_of
from bpcli.report.html import Html, joined, paragraph, tag
from bpcli.report.outputs import outputs_of
from bpcli.report.phrases import cut, split_text
from bpcli.report.scores import details
from bpcli.report.tables import Cell, Column, scrolling, table
from bpcli.report.words import Words
from bpcli.runs.subject import Subject
from bpcli.workflows.evaluate import ClassReport

MOST_CLASSES = 20
_SHADES = 8


def class_parts(subject: Subject, words: Words) -> list[Html | None]:
    """A confusion matrix per split, scores of each class, and ROC curves."""
    by_split = details(subject)
    reports = {name: by_split[name].report for name in reversed(SPLITS) if name in by_split}
    matrices = [
        _matrix(name, report, words)
        for name, report in reports.items()
        if isinstance(report, ClassReport)
    ]
    shown = reports.get(subject.split)
    return [
        tag("h3", words("classes.confusion")),
        paragraph(words("classes.how")),
        tag("div", matrices, class_="matrices"),
        _class_scores(subject, shown, words) if isinstance(shown, ClassReport) else None,
        _roc_curves(subject, words),
    ]


def _matrix(split: SplitName, report: ClassReport, words: Words) -> Html:
    """True classes down, predicted classes across, with totals and shares that are right."""
    names = [str(each["name"]) for each in report.classes]
    caption = words("classes.matrix", split=split_text(split, words))
    counts = np.array(report.confusion)
    if len(names) > MOST_CLASSES:
        return paragraph(words("classes.too_many", count=len(names), most=MOST_CLASSES))
    corner = tag("td", words("classes.corner"), class_="corner")
    heads = [tag("th", cut(name, 14), scope="col", class_="n") for name in names]
    totals = [words("classes.total"), words("classes.recall")]
    heads += [tag("th", text, scope="col", class_="n total") for text in totals]
    rows = [_row(names, counts, position) for position in range(len(names))]
    content = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", corner, heads)),
        tag("tbody", rows, _totals(counts, words), _precision(counts, words)),
        class_="confusion",
    )
    return scrolling(caption, content)


def _row(names: Sequence[str], counts: Array, position: int) -> Html:
    total, right = int(counts[position].sum()), int(counts[position, position])
    cells = [
        tag(
            "td",
            f"{count:,}",
            class_=f"n {'right' if column == position else 'wrong'} h{_shade(count, total)}",
        )
        for column, count in enumerate(counts[position].tolist())
    ]
    return tag(
        "tr",
        tag("th", cut(names[position], 14), scope="row"),
        cells,
        tag("td", f"{total:,}", class_="n total"),
        tag("td", _percent(right, total), class_="n total"),
    )


def _shade(count: int, total: int) -> int:
    """0 for none, else 1 to 8 by the share of the row."""
    return 0 if not count else 1 + min(_SHADES - 1, int(_SHADES * count / total))


def _totals(counts: Array, words: Words) -> Html:
    sums = [tag("td", f"{count:,}", class_="n total") for count in counts.sum(axis=0).tolist()]
    total = int(counts.sum())
    last = [tag("td", f"{total:,}", class_="n total"), tag("td", "", class_="n total")]
    return tag("tr", tag("th", words("classes.total"), scope="row", class_="total"), sums, last)


def _precision(counts: Array, words: Words) -> Html:
    right, sums = counts.diagonal().tolist(), counts.sum(axis=0).tolist()
    cells = [
        tag("td", _percent(one, all_), class_="n total")
        for one, all_ in zip(right, sums, strict=True)
    ]
    overall = _percent(sum(right), int(counts.sum()))
    accuracy = words("classes.accuracy", share=overall)
    last = [tag("td", accuracy, class_="n total", colspan=2)]
    return tag(
        "tr", tag("th", words("classes.precision"), scope="row", class_="total"), cells, last
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}".removesuffix(".0") if whole else "–"


def _class_scores(subject: Subject, report: ClassReport, words: Words) -> Html:
    keys = ("precision", "recall", "f1")
    heads = [
        Column(words("classes.class")),
        *(Column(words(f"metric.{key}"), True) for key in keys),
        Column(words("data.rows"), True),
    ]
    rows: list[list[Cell]] = [
        [str(each["name"]), *(float(each[key]) for key in keys), int(each["rows"])]
        for each in report.classes
    ]
    split = split_text(subject.split, words)
    area = None
    if report.roc_auc is not None:
        area = paragraph(words("classes.auc", area=text_of(report.roc_auc), split=split))
    return joined(table(words("classes.scores", split=split), heads, rows), area)


def _roc_curves(subject: Subject, words: Words) -> Html | None:
    """One curve per split of two classes; of more, one per class on the split to show."""
    charts: list[Html] = []
    if len(subject.experiment.preprocessor.class_names) == 2:
        charts = _of_two(subject, words)
    else:
        charts = _of_many(subject, words)
    if not charts:
        return None
    return joined(tag("h3", words("roc.title")), tag("div", charts, class_="charts"))


def _of_two(subject: Subject, words: Words) -> list[Html]:
    curves = []
    for style, name in enumerate(SPLITS):
        outputs = outputs_of(subject, name)
        if outputs is not None and outputs.labels is not None:
            curve = defined_roc_curve(outputs.labels == 1, outputs.ranks[:, -1])
            if curve is not None:
                x, y, area = curve
                text = words("roc.named", name=split_text(name, words), area=text_of(area))
                curves.append(Curve(text, x, y, style))
    positive = subject.experiment.preprocessor.class_names[1]
    return [roc_chart(curves, words("roc.two", name=positive), words)] if curves else []


def _of_many(subject: Subject, words: Words) -> list[Html]:
    outputs = outputs_of(subject, subject.split)
    names = subject.experiment.preprocessor.class_names
    if outputs is None or outputs.labels is None or outputs.ranks.shape[1] != len(names):
        return []
    by_area = []
    for label, name in enumerate(names):
        curve = defined_roc_curve(outputs.labels == label, outputs.ranks[:, label])
        if curve is not None:
            by_area.append((curve[2], name, curve))
    by_area.sort(key=lambda each: each[0])
    curves = [
        Curve(words("roc.named", name=cut(name), area=text_of(area)), curve[0], curve[1], style)
        for style, (area, name, curve) in enumerate(by_area[:SERIES])
    ]
    caption = words("roc.many", split=split_text(subject.split, words))
    if len(by_area) > SERIES:
        caption += words("roc.lowest", shown=SERIES, count=len(by_area))
    return [roc_chart(curves, caption, words)] if curves else []


def roc_chart(curves: Sequence[Curve], caption: str, words: Words) -> Html:
    """Curves from (0, 0) to (1, 1), and the diagonal of chance."""
    return line_chart(
        "roc", curves, caption, words,
        x_title=words("roc.false"), y_title=words("roc.true"), bounds=(0.0, 1.0),
        diagonal=True, is_log=False,
    )  # fmt: skip
