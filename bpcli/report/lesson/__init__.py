"""The section of a lesson: questions about a run, with answers that open when they are wanted."""

from __future__ import annotations

from bpcli.report.html import Html, joined, tag
from bpcli.report.lesson.questions import (
    Pupil,
    Question,
    count_of_parameters,
    largest_gradient,
    last_step,
    no_hidden_layer,
    other_seeds,
    overfitting,
    ten_times_the_rate,
    zero_weights,
)
from bpcli.report.lesson.trials import Trials
from bpcli.report.lesson.units import dead_units, saturated_units
from bpcli.report.section import Section
from bpcli.report.words import Words
from bpcli.runs.subject import Subject

BEFORE = (count_of_parameters, largest_gradient)
WITH_TRIALS = (ten_times_the_rate, zero_weights, no_hidden_layer, other_seeds)
AFTER = (last_step, dead_units, saturated_units, overfitting)
"""Questions in the order in which they are asked: before training, variants, and afterwards."""


def section(subject: Subject, words: Words) -> Section | None:
    """The questions that fit a run; None if its network could not be rebuilt."""
    if subject.rebuilt is None:
        return None
    questions = questions_of(subject, words)
    items = [_item(number, question, words) for number, question in enumerate(questions, start=1)]
    body = joined(
        tag("p", words("lesson.opening")),
        None if has_trials(subject) else tag("p", words("lesson.no_trials"), class_="aside"),
        tag("ol", items, class_="lesson"),
    )
    return Section("lesson", words("lesson.title"), body, ("scrubber", "lesson"))


def questions_of(subject: Subject, words: Words) -> list[Question]:
    """All questions whose answers are known for this run."""
    pupil = Pupil(subject, words)
    makers = [*BEFORE, *(WITH_TRIALS if has_trials(subject) else ()), *AFTER]
    return [question for make in makers if (question := make(pupil)) is not None]


def has_trials(subject: Subject) -> bool:
    """Whether short trainings are quick enough to be made for a page."""
    is_stored = subject.experiment.table.is_stored
    return not is_stored and Trials(subject.experiment).are_affordable


def _item(number: int, question: Question, words: Words) -> Html:
    return tag(
        "li",
        tag("p", question.text, class_="question"),
        tag(
            "details",
            tag("summary", words("lesson.reveal", number=number)),
            tag("div", question.answer, class_="answer"),
        ),
    )
