"""Clauses become sentences, and findings become lines."""

from __future__ import annotations

import pytest

from bpcli.diagnosis import Finding
from bpcli.diagnosis.finding import clause, sentence


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("the loss grew", "The loss grew."), ("`x` is 1", "`x` is 1."), ("3 rows", "3 rows.")],
)
def test_a_clause_becomes_a_sentence_and_back(text: str, wanted: str) -> None:
    assert sentence(text) == wanted
    assert clause(wanted) == text
    assert sentence("") == clause("") == ""


def test_a_line_has_title_cause_and_remedy_or_the_first_consequence() -> None:
    found = Finding.of("a", "warning", "it is so", "1", "that is why", "do this", "bpnet")
    assert found.line == "it is so: that is why: do this"
    other = Finding.of("b", "error", "the loss is large", "2", "", "")
    assert found.explaining([other]).line == "the loss is large: it is so: do this"
    assert found.explaining([other]).severity == "error"
