from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plotted import logged, subject_of

from bpcli.report.lesson import questions, questions_of, section, units
from bpcli.report.lesson.questions import Pupil, Question
from bpcli.report.words import words_of
from bpcli.runs.subject import Subject

EN = words_of("en")


def told(question: Question | None) -> str:
    """The answer as text."""
    assert question is not None
    bare = re.sub(r"<script.*?</script>", "", str(question.answer), flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", bare))


def pupil(tmp_path: Path, config: str, **overrides: object) -> Pupil:
    changes = {"training__epochs": 12, **overrides}
    return Pupil(subject_of(tmp_path, config, **changes), EN)


def with_params(subject: Subject, params: np.ndarray) -> Subject:
    assert subject.rebuilt is not None
    return replace(subject, rebuilt=replace(subject.rebuilt, params=params))


@pytest.mark.parametrize(
    ("config", "terms"),
    [
        ("xor", ["17 numbers", "4 × (2 + 1) = 12", "1 × (4 + 1) = 5"]),
        ("maxout_moons", ["Layer 1: 8 × 3 × (2 + 1) = 72"]),
    ],
)
def test_parameters_are_counted(tmp_path: Path, config: str, terms: list[str]) -> None:
    answer = told(questions.count_of_parameters(pupil(tmp_path, config)))
    assert all(term in answer for term in terms)


def test_frozen_biases_are_not_trained(tmp_path: Path) -> None:
    answer = told(questions.count_of_parameters(pupil(tmp_path, "xor", network__bias="frozen")))
    assert "12 numbers" in answer
    assert "5 biases are frozen" in answer


def test_gradients_before_training_are_those_of_the_log(tmp_path: Path) -> None:
    one = pupil(tmp_path, "moons")
    _, norms = one.subject.layer_series("grad_norms")
    answer = told(questions.largest_gradient(one))
    assert f"Layer {norms[0].argmax() + 1}." in answer
    for value in norms[0]:
        assert f"{value:.4g}" in answer
    assert questions.largest_gradient(pupil(tmp_path, "logistic_regression")) is None


def test_the_last_step_is_read_from_the_path(tmp_path: Path) -> None:
    one = pupil(tmp_path, "xor", training__record_params=True, training__log_every=1)
    _, losses = one.subject.series("loss")
    question = questions.last_step(one)
    assert question is not None
    assert f"from {losses[0]:.6g} to {losses[1]:.6g}" in question.text
    assert f"by {losses[-1] - losses[-2]:.6g}, to {losses[-1]:.6g}" in told(question)
    assert questions.last_step(pupil(tmp_path, "xor")) is None, "nothing was recorded"
    path = np.array(one.subject.path)
    path[-1] = path[-2]
    still = Pupil(replace(one.subject, path=path), EN)
    assert "The last epoch changed no weight." in told(questions.last_step(still))


def test_overfitting_is_a_rise_of_the_validation_loss_alone(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "moons", training__epochs=2)

    def asked(train: list[float], val: list[float]) -> str:
        lines = [{"train.loss": a, "val.loss": b} for a, b in zip(train, val, strict=True)]
        return told(questions.overfitting(Pupil(logged(subject, *lines), EN)))

    falling = [5.0, 4.0, 3.0, 2.0, 1.0]
    assert asked(falling, [5.0, 4.0, 3.0, 4.0, 5.0]).strip().startswith("Yes.")
    assert "at epoch 2" in asked(falling, [5.0, 4.0, 3.0, 4.0, 5.0])
    assert asked(falling, falling).strip().startswith("No.")
    assert asked([1.0, 1.0, 1.0, 2.0, 3.0], [1.0, 1.0, 1.0, 2.0, 3.0]).strip().startswith("No.")
    assert questions.overfitting(pupil(tmp_path, "xor")) is None, "no validation set"


def relu_subject(tmp_path: Path) -> Subject:
    return subject_of(
        tmp_path, "moons", training__epochs=3, network__activations="[relu, tanh, sigmoid]"
    )


def test_dead_units_are_found_and_no_others(tmp_path: Path) -> None:
    subject = relu_subject(tmp_path)
    assert told(units.dead_units(Pupil(subject, EN))).strip().startswith("No.")
    params = np.array(subject.params)
    W, b = (dict(subject.network.tensors(params))[name] for name in ("W1", "b1"))
    W[4], b[4] = 0, -1
    answer = told(units.dead_units(Pupil(with_params(subject, params), EN)))
    assert answer.strip().startswith("Yes: unit 5 of layer 1.")
    for config in ("xor", "leaky_relu_moons"):
        assert units.dead_units(pupil(tmp_path, config)) is None


def test_saturated_units_are_named_with_their_share(tmp_path: Path) -> None:
    subject = relu_subject(tmp_path)
    params = np.array(subject.params)
    tensors = dict(subject.network.tensors(params))
    tensors["W2"][2], tensors["b2"][2] = 0, 9
    answer = told(units.saturated_units(Pupil(with_params(subject, params), EN)))
    assert "Saturated most often: unit 3 of layer 2. For 100%" in answer
    for tensor in tensors.values():
        tensor[...] *= 1e-3
    assert units.saturated_units(Pupil(with_params(subject, params), EN)) is None


@pytest.mark.parametrize(
    ("config", "rate", "text"),
    [
        ("sine", "0.1", "Training diverges: with 1,"),
        ("xor", "1", "It falls faster"),
        ("xor", "0.00001", "It ends at about the same value"),
        ("moons", "0.5", "It ends higher"),
    ],
)
def test_ten_times_the_rate(tmp_path: Path, config: str, rate: str, text: str) -> None:
    epochs = 300 if config == "xor" else 60
    one = pupil(tmp_path, config, training__learning_rate=rate, training__epochs=epochs)
    assert text in told(questions.ten_times_the_rate(one))


def test_an_optimizer_without_a_rate_is_not_asked_for_it(tmp_path: Path) -> None:
    assert questions.ten_times_the_rate(pupil(tmp_path, "two_spirals", training__epochs=2)) is None


def test_zero_weights_keep_units_equal(tmp_path: Path) -> None:
    one = pupil(tmp_path, "xor", training__epochs=50)
    assert "still 0, as no gradient" in told(questions.zero_weights(one))
    moving = pupil(
        tmp_path, "moons", training__epochs=9, network__activations="[softplus, softplus, sigmoid]"
    )
    assert "after 9 epochs they still have the same weights" in told(questions.zero_weights(moving))
    assert questions.zero_weights(pupil(tmp_path, "logistic_regression")) is None


def test_units_that_differ_are_not_called_equal(tmp_path: Path) -> None:
    one = pupil(tmp_path, "xor")
    assert not questions._are_equal(one, one.subject.params)


def test_the_hidden_layer_of_xor_is_needed(tmp_path: Path) -> None:
    one = pupil(tmp_path, "xor", training__epochs=400, training__learning_rate=5)
    answer = told(questions.no_hidden_layer(one))
    assert answer.strip().startswith("Yes: without one, the loss is 0.693")
    assert questions.no_hidden_layer(pupil(tmp_path, "logistic_regression")) is None


def test_other_seeds_are_compared(tmp_path: Path) -> None:
    one = pupil(tmp_path, "xor", training__epochs=300)
    answer = told(questions.other_seeds(one))
    assert "the losses of 5 initialisations lie between" in answer
    given = pupil(tmp_path, "xor_by_hand")
    assert questions.other_seeds(given) is None, "its weights are not random"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("config", ["xor", "moons", "softmax_iris", "plane"])
def test_a_lesson_has_its_questions_in_each_language(
    tmp_path: Path, config: str, language: str
) -> None:
    subject = subject_of(tmp_path, config, training__epochs=6, training__record_params=True)
    made = section(subject, words_of(language))
    assert made is not None
    text = str(made.body)
    asked = questions_of(subject, words_of(language))
    assert text.count("<details>") == len(asked) >= 3
    assert "{" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def test_a_run_that_cannot_be_rebuilt_has_no_lesson(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=2)
    assert section(replace(subject, rebuilt=None, errors={"network": "gone"}), EN) is None
