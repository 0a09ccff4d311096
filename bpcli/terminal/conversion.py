"""What a conversion of a table made, as names and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bpcli.terminal.grid import Facts
from bpcli.text import listed_names, plural


def facts_of(document: Mapping[str, Any]) -> Facts:
    """The lines on an array, from the document of `bpnet data convert --json`."""
    targets, classes = document["targets"], document["classes"]
    inputs = len(document["columns"]) - len(targets)
    descriptions = [f"{name} ({_classes(classes, name)})" for name in targets]
    facts = [
        ("file", f"{document['file']}, {document['bytes']:,} bytes"),
        ("names", document["names"]),
        ("numbers", f"{document['dtype']}: {document['why_dtype']}"),
        ("rows", f"{document['rows']:,}"),
        ("inputs", f"{inputs:,}: {listed_names(document['columns'][:inputs])}"),
        (f"target{'s' * (len(targets) > 1)}", ", ".join(descriptions)),
    ]
    left_out = document["left_out"]
    lost = [
        f"{plural(left_out[key], 'row')} {why}"
        for key, why in (
            ("without_target", "without a target"),
            ("with_missing_values", "with a missing value"),
        )
        if left_out[key]
    ]
    return [*facts, *([("left out", ", ".join(lost))] if lost else [])]


def _classes(classes: Mapping[str, Any], name: str) -> str:
    """How many classes a target has, if it has no numbers."""
    return f"{len(classes[name]):,} classes" if name in classes else "numbers"
