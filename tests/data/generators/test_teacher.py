"""The teacher, against its formula."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.generators.teacher import Teacher

RNG = np.random.default_rng


def test_the_teacher_answers_as_its_formula_says() -> None:
    table = Teacher(n_samples=50, n_features=3, n_hidden=7, n_targets=2, noise=0).table(RNG(4))
    rng = RNG(4)
    x, A, B = (rng.standard_normal(shape) for shape in ((50, 3), (3, 7), (7, 2)))
    np.testing.assert_array_equal(table.X, x)
    np.testing.assert_array_equal(table.Y, np.tanh(x @ A / 3**0.5) @ B / 7**0.5)


def test_the_teachers_noise_has_its_spread() -> None:
    answers = [Teacher(n_samples=20_000, noise=noise).table(RNG(0)).Y for noise in (0.0, 0.3)]
    assert answers[0] is not None
    assert (answers[1] - answers[0]).std() == pytest.approx(0.3, rel=0.02)


def test_the_teachers_class_is_its_largest_answers() -> None:
    values = Teacher(n_samples=200, n_targets=4).table(RNG(1))
    classes = Teacher(n_samples=200, n_classes=4).table(RNG(1))
    assert values.Y is not None
    np.testing.assert_array_equal(classes.labels, values.Y.argmax(axis=1))
    assert classes.class_names == ("0", "1", "2", "3")
    with pytest.raises(ValueError, match="n_targets"):
        Teacher(n_targets=2, n_classes=4)
