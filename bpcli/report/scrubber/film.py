"""The section with the scrubber: an explanation in pictures, then the views that move together."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.report.charts import legend, sample
from bpcli.report.html import Html, data_block, joined, tag
from bpcli.report.scrubber.diagram import NARROWEST, WIDEST, can_be_drawn, diagram_of, drawn
from bpcli.report.scrubber.equations import (
    Equations,
    Stations,
    equations_of,
    stations_of,
)
from bpcli.report.scrubber.loss_chart import STYLES, LossChart, loss_chart
from bpcli.report.scrubber.matrices import Matrix, matrices_of
from bpcli.report.scrubber.multiples import Views, multiples
from bpcli.report.scrubber.pictures import ACROSS, Curves, Field, picture_of, points_of
from bpcli.report.scrubber.plane import SIDE, definitions, kind_of, moving
from bpcli.report.scrubber.recording import Recording, recording_of
from bpcli.report.section import Section
from bpcli.report.words import Words
from bpcli.runs.subject import Subject
from bpcli.trace.cells import number

_STEPS = 32767
"""Weights and curves are drawn from numbers of 16 bits."""

_SECONDS = 12.0
"""How long all frames play at normal speed."""


def section(subject: Subject, words: Words) -> Section | None:
    """The section of a run that recorded its parameters; None for others."""
    recording = recording_of(subject)
    if recording is None:
        return None
    views = _views(recording)
    chart = loss_chart(recording, words)
    body = joined(
        tag("p", _opening(recording, words)),
        definitions(views.picture, views.points) if views.picture and views.points else None,
        multiples(recording, views, words),
        tag("p", _how_to_read(recording, views, words), class_="aside"),
        tag("p", words("scrubber.needs_script"), class_="aside film-needs"),
        *_film(recording, views, chart, words),
    )
    return Section("scrubber", words("scrubber.title"), body, ("scrubber",))


def _views(recording: Recording) -> Views:
    subject = recording.subject
    picture = picture_of(subject, recording.params)
    points = None if picture is None else points_of(subject, picture)
    if can_be_drawn(subject.network):
        return Views(picture, points, diagram_of(recording), ())
    return Views(picture, points, None, matrices_of(recording))


# Sentences.


def _opening(recording: Recording, words: Words) -> str:
    last, kept = (f"{int(recording.epochs[at]):,}" for at in (-1, recording.best))
    parts = [words("scrubber.opening", epochs=last, network=recording.subject.network.summary)]
    if not recording.shows_every_epoch:
        counts = {"frames": f"{len(recording):,}", "recorded": f"{recording.recorded:,}"}
        parts.append(words("scrubber.some_epochs", **counts))
    if recording.is_cut:
        parts.append(words("scrubber.cut", epoch=last))
    criterion = "last" if recording.val_losses is None else "val"
    parts.append(words(f"scrubber.opens.{criterion}", epoch=kept))
    return words("scrubber.space").join(parts)


def _how_to_read(recording: Recording, views: Views, words: Words) -> str:
    """What the pictures show, in a few sentences."""
    parts = []
    if views.picture is not None:
        view = kind_of(recording.subject, views.picture)
        parts.append(words(f"scrubber.read.{view}"))
        names, count = views.picture.names, recording.subject.network.outputs
        if len(names) < count:
            shown = words("page.comma").join(names)
            parts.append(words("scrubber.read.some_outputs", names=shown, count=count))
    if views.points is not None and views.points.rows < views.points.total:
        counts = {"shown": f"{views.points.rows:,}", "rows": f"{views.points.total:,}"}
        parts.append(words("scrubber.read.some_rows", **counts))
    parts.append(words("scrubber.read.diagram" if views.diagram else "scrubber.read.matrices"))
    if any(matrix.is_cut for matrix in views.matrices):
        parts.append(words("scrubber.read.some_weights"))
    return words("scrubber.space").join(parts)


# The film.


def _film(recording: Recording, views: Views, chart: LossChart, words: Words) -> Iterator[Html]:
    subject = recording.subject
    equations = stations = None
    if views.diagram is not None:
        has_weights = subject.experiment.splits["train"].weight is not None
        equations = equations_of(subject.network, has_weights)
        stations = stations_of(recording, equations)
    yield tag(
        "div",
        _picture(subject, views, words),
        _track(recording, chart.drawing, words),
        _weights(subject, recording, views, words),
        _numbers(recording, equations, stations, words) if equations and stations else None,
        class_="film" if views.picture is not None else "film no-picture",
        id="film", hidden=True,
    )  # fmt: skip
    yield data_block("film-data", _data(recording, views, chart, equations, stations, words))


def _picture(subject: Subject, views: Views, words: Words) -> Html | None:
    if views.picture is None:
        return None
    return tag("figure", moving(subject, views.picture, words), class_="film-picture")


def _weights(subject: Subject, recording: Recording, views: Views, words: Words) -> Html:
    if views.diagram is not None:
        drawing: Html = drawn(views.diagram, subject, recording.params[-1], words)
        return tag("figure", drawing, class_="film-network")
    canvases = [_canvas(number, matrix, words) for number, matrix in enumerate(views.matrices)]
    return tag("div", canvases, class_="film-matrices")


def _canvas(number: int, matrix: Matrix, words: Words) -> Html:
    rows, columns = matrix.full
    text = words("scrubber.matrix", name=matrix.name, rows=rows, columns=columns)
    canvas = tag("canvas", role="img", aria_label=text, id=f"film-matrix-{number}")
    return tag("figure", canvas, tag("figcaption", text))


def _track(recording: Recording, drawing: Html, words: Words) -> Html:
    """The loss curve, the slider below it, and the buttons."""
    slider = tag(
        "input", type="range", id="film-slider", min=0, max=int(recording.epochs[-1]), step=1,
        value=int(recording.epochs[-1]), aria_label=words("scrubber.slider"),
    )  # fmt: skip
    return tag(
        "div",
        _legend(recording, words),
        drawing,
        tag("div", slider, class_="slider"),
        tag("p", "", id="film-now", class_="now-text"),
        tag("div", _buttons(words), _speeds(words), class_="controls"),
        tag("p", words("scrubber.keys"), class_="aside keys"),
        tag("p", "", id="film-said", class_="unseen", aria_live="polite"),
        class_="film-track",
    )


def _legend(recording: Recording, words: Words) -> Html | None:
    if recording.val_losses is None:
        return tag("p", words("scrubber.loss.label"), class_="chart-title")
    names = words("scrubber.loss.train"), words("scrubber.loss.val")
    return legend([(name, sample(style)) for name, style in zip(names, STYLES, strict=True)])


_ICONS = {
    "reset": "M3 2h2v12H3zM14 2v12L6 8z",
    "back": "M8 2v12L1 8zM13 2h2v12h-2z",
    "play": "M3 1.5v13L14 8z",
    "pause": "M3 2h4v12H3zM9 2h4v12H9z",
    "forward": "M8 2v12l7-6zM1 2h2v12H1z",
}


def _buttons(words: Words) -> list[Html]:
    small = [_button(name, words(f"scrubber.button.{name}")) for name in ("reset", "back")]
    play = tag(
        "button",
        _icon("play"),
        _icon("pause"),
        tag("span", words("scrubber.button.play")),
        type="button", id="film-play", class_="play", aria_pressed="false",
    )  # fmt: skip
    return [*small, play, _button("forward", words("scrubber.button.forward"))]


def _button(name: str, label: str) -> Html:
    return tag(
        "button", _icon(name), type="button", id=f"film-{name}", aria_label=label, title=label
    )


def _icon(name: str) -> Html:
    return tag(
        "svg", tag("path", d=_ICONS[name]), viewBox="0 0 16 16", aria_hidden="true",
        focusable="false", class_=f"icon icon-{name}",
    )  # fmt: skip


def _speeds(words: Words) -> Html:
    options = [
        tag("option", text, value=value, selected=value == "1")
        for value, text in (("0.25", "¼ ×"), ("0.5", "½ ×"), ("1", "1 ×"), ("2", "2 ×"))
    ]
    choice = tag("select", options, id="film-speed")
    return tag("label", tag("span", words("scrubber.speed")), choice, class_="choice")


def _numbers(recording: Recording, equations: Equations, stations: Stations, words: Words) -> Html:
    """The panel with the equations of the chosen unit or weight for the chosen row."""
    return tag(
        "div",
        tag("h3", words("scrubber.numbers.title"), id="film-numbers-title"),
        tag(
            "div",
            _entries(equations, words),
            _rows(recording, stations, words),
            class_="choices",
        ),
        tag("p", "", id="film-station", class_="station"),
        tag("div", id="film-equations", class_="equations"),
        tag("p", words("scrubber.numbers.note"), class_="aside"),
        class_="film-numbers", role="group", aria_labelledby="film-numbers-title",
    )  # fmt: skip


def _entries(equations: Equations, words: Words) -> Html:
    layers = dict.fromkeys(name.partition(".")[0] for name in equations.units)
    groups = [
        tag("optgroup", _entries_of(layer, equations, words),
            label=words("scrubber.numbers.layer", layer=layer))
        for layer in layers
    ]  # fmt: skip
    choice = tag("select", groups, id="film-entry")
    return tag("label", tag("span", words("scrubber.numbers.entry")), choice, class_="choice")


def _entries_of(layer: str, equations: Equations, words: Words) -> Iterator[Html]:
    for name in equations.units:
        of, _, unit = name.partition(".")
        if of == layer:
            text = words("scrubber.numbers.unit", unit=unit, layer=layer)
            yield tag("option", text, value=f"u{name}")
    for name in equations.params:
        if name[1:].startswith(f"{layer}["):
            yield tag("option", name, value=f"p{name}")


def _rows(recording: Recording, stations: Stations, words: Words) -> Html:
    table = recording.experiment.table
    options = []
    for at, (index, row) in enumerate(
        zip(stations.rows.tolist(), table.numbers_of(stations.rows).tolist(), strict=True)
    ):
        key = "scrubber.numbers.worst" if index == stations.worst else "scrubber.numbers.row"
        options.append(tag("option", words(key, row=f"{row:,}"), value=at))
    choice = tag("select", options, id="film-row")
    return tag("label", tag("span", words("scrubber.numbers.of_row")), choice, class_="choice")


# The data.


def _data(
    recording: Recording,
    views: Views,
    chart: LossChart,
    equations: Equations | None,
    stations: Stations | None,
    words: Words,
) -> dict[str, Any]:
    ends = len(recording)
    return {
        "epochs": recording.epochs.tolist(),
        "lossTexts": [number(value, 4) for value in recording.losses.tolist()],
        "valTexts": _texts(recording.val_losses),
        "right": None if recording.right is None else recording.right.tolist(),
        "x": chart.x.round(1).tolist(),
        "y": chart.y[0].round(1).tolist(),
        "valY": chart.y[1].round(1).tolist() if len(chart.y) > 1 else None,
        "best": recording.best,
        "seconds": max(_SECONDS * min(1.0, ends / 240), 3.0),
        "weights": _weights_data(recording) if views.diagram is not None else None,
        "matrices": [_matrix_data(matrix) for matrix in views.matrices],
        "picture": _picture_data(views.picture),
        "equations": _equations_data(recording, equations, stations),
        "words": {key: words(f"scrubber.js.{key}") for key in _SCRIPT_WORDS},
        "joint": words("scrubber.facts.joint"),
        "rows": f"{recording.training_rows:,}",
    }


_SCRIPT_WORDS = ("now", "val", "right", "station", "nearest", "ended", "kept")


def _texts(values: Array | None) -> list[str] | None:
    return None if values is None else [number(value, 4) for value in values.tolist()]


def _weights_data(recording: Recording) -> dict[str, Any]:
    """The parameters (F, n_params) as numbers of 16 bits, as wide as the lines of a diagram."""
    return {
        "values": _shorts(recording.params / recording.largest),
        "count": recording.params.shape[1],
        "widest": WIDEST,
        "narrowest": NARROWEST,
    }


def _shorts(shares: Array) -> str:
    """Numbers from -1 to 1 as little-endian 16 bits in base64."""
    shorts = np.rint(np.clip(shares, -1, 1) * _STEPS).astype("<i2")
    return base64.b64encode(shorts.tobytes()).decode()


def _matrix_data(matrix: Matrix) -> dict[str, Any]:
    rows, columns = matrix.tiles.shape[1:]
    return {"sheet": matrix.address, "rows": rows, "columns": columns, "across": matrix.columns}


def _picture_data(picture: Field | Curves | None) -> dict[str, Any] | None:
    if picture is None:
        return None
    if isinstance(picture, Field):
        return {"sheet": picture.address, "side": ACROSS, "across": picture.columns}
    low, high = picture.window[2:]
    shares = np.nan_to_num((picture.values - low) / (high - low), nan=0.5, posinf=2, neginf=-1)
    # From -½ to 1½ of the area's height, so that a curve leaves it at its edges.
    return {
        "curves": _shorts(np.clip(shares, -0.5, 1.5) - 0.5),
        "count": picture.values.shape[1],
        "points": picture.values.shape[2],
        "size": SIDE,
    }


def _equations_data(
    recording: Recording, equations: Equations | None, stations: Stations | None
) -> dict[str, Any] | None:
    if equations is None or stations is None:
        return None
    shared, by_row = stations.encoded()
    return {
        "units": equations.units,
        "params": list(equations.params.items()),
        "frames": stations.frames.tolist(),
        "shared": shared,
        "byRow": by_row,
        "rows": len(stations.rows),
        "slots": len(equations.quantities),
        "nParams": recording.params.shape[1],
        "single": recording.params.dtype.itemsize == 4,
    }
