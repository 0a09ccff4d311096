"""The network: a diagram of its units and weights, and a table of its layers."""

from __future__ import annotations

from bpcli.report.diagram import about_diagram, diagram
from bpcli.report.html import Html, joined, paragraph
from bpcli.report.phrases import activation_names
from bpcli.report.section import Section
from bpcli.report.tables import Cell, Column, table
from bpcli.report.words import Words
from bpcli.runs.subject import Subject


def section(subject: Subject, words: Words) -> Section | None:
    """The diagram if the weights are known; the layers always."""
    picture: Html
    if subject.rebuilt is None:
        picture = paragraph(words("network.no_weights", why=subject.errors["network"]))
    else:
        picture = joined(
            paragraph(about_diagram(subject, words)),
            diagram(subject, words),
        )
    return Section("network", words("network.title"), joined(picture, _layers(subject, words)))


def _layers(subject: Subject, words: Words) -> Html:
    columns = [
        Column(words("network.layer")),
        *(Column(words(f"network.{key}"), True) for key in ("inputs", "units")),
        Column(words("network.activation")),
        Column(words("network.biases")),
    ]
    layers, names = subject.record.layers, activation_names(subject.record)
    rows: list[list[Cell]] = [
        [
            words("network.number", number=number),
            layer.inputs,
            layer.units,
            name,
            words.get(f"bias.{layer.bias}", layer.bias),
        ]
        for number, (layer, name) in enumerate(zip(layers, names, strict=True), 1)
    ]
    return table(words("network.layers"), columns, rows, sorts=False)
