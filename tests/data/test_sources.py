from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets

from bpcli.data.generators import GENERATORS
from bpcli.data.generators.formulas import Plane
from bpcli.data.generators.scikit_learn import Classification, Regression
from bpcli.data.generators.teacher import Teacher
from bpcli.data.inline import InlineArrays
from bpcli.data.table import Table
from bpcli.errors import DataError

RNG = np.random.default_rng


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_makes_a_finite_table_and_repeats_itself(name: str) -> None:
    generator = GENERATORS[name]()
    table, again = generator.table(RNG(5)), generator.table(RNG(5))
    assert table.X.dtype == np.float64
    assert np.isfinite(table.X).all()
    assert len(table.input_names) == table.X.shape[1]
    np.testing.assert_array_equal(table.X, again.X)
    assert (table.labels is None) != (table.Y is None)
    if table.labels is not None:
        assert set(table.labels) == set(range(len(table.class_names)))
    else:
        assert table.Y is not None
        assert table.Y.shape == (len(table), len(table.target_names))


@pytest.mark.parametrize(
    "name",
    ["regression", "moons", "plane", "diamond", "teacher", "blobs", "sine", "spirals", "gaussians"],
)
def test_another_seed_makes_other_rows(name: str) -> None:
    generator = GENERATORS[name]()
    assert not np.array_equal(generator.table(RNG(5)).X, generator.table(RNG(6)).X)


@pytest.mark.parametrize(
    ("name", "rows", "inputs", "classes"),
    [
        ("iris", 150, 4, 3),
        ("wine", 178, 13, 3),
        ("breast_cancer", 569, 30, 2),
        ("digits", 1797, 64, 10),
    ],
)
def test_bundled_classes(name: str, rows: int, inputs: int, classes: int) -> None:
    table = GENERATORS[name]().table(RNG(0))
    assert (*table.X.shape, len(table.class_names)) == (rows, inputs, classes)


def test_iris_is_scikit_learns_and_the_csvs(shared_data) -> None:
    table = GENERATORS["iris"]().table(RNG(0))
    np.testing.assert_array_equal(table.X, datasets.load_iris().data)
    assert table.class_names == ("setosa", "versicolor", "virginica")
    csv = np.loadtxt(shared_data / "csv" / "iris.csv", delimiter=",", usecols=range(4))
    # UCI's file differs from Fisher's paper in two rows, which scikit-learn has mended.
    assert (csv != table.X).any(axis=1).sum() <= 2


def test_diabetes_is_a_regression_of_442_rows() -> None:
    table = GENERATORS["diabetes"]().table(RNG(0))
    assert table.Y is not None
    assert (*table.X.shape, *table.Y.shape) == (442, 10, 442, 1)


def test_the_plane_has_its_slopes_and_noise() -> None:
    table = Plane(n_samples=20_000).table(RNG(0))
    design = np.column_stack([np.ones(20_000), table.X])
    assert table.Y is not None
    solution = np.linalg.lstsq(design, table.Y[:, 0], rcond=None)[0]
    np.testing.assert_allclose(solution, [1.5, 2, 5], atol=0.05)
    assert (table.Y[:, 0] - design @ solution).std() == pytest.approx(0.5, rel=0.02)
    assert (table.X.min(), table.X.max()) == pytest.approx((0, 10), abs=0.01)


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


def test_options_reach_scikit_learn() -> None:
    table = Regression(n_samples=30, n_features=4, n_targets=2).table(RNG(0))
    assert table.Y is not None
    assert (table.X.shape, table.Y.shape) == ((30, 4), (30, 2))


def test_contradicting_options_are_a_data_error() -> None:
    with pytest.raises(DataError, match="make_classification"):
        Classification(n_features=2, n_informative=5).table(RNG(0))


def test_inline_numbers_are_values_and_words_are_classes() -> None:
    table = InlineArrays([[1, 2], [3, 4]], [5, 6]).table(RNG(0))
    assert table.Y is not None
    assert table.Y.tolist() == [[5], [6]]
    table = InlineArrays([1, 2, 3], ["no", "yes", "no"]).table(RNG(0))
    assert table.X.tolist() == [[1], [2], [3]]
    assert table.class_names == ("no", "yes")
    assert table.labels is not None
    assert table.labels.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        ([], [], "inputs has no rows"),
        ([[], []], [1, 2], "inputs has no columns"),
        ([[1, 2], [3]], [1, 2], "row 1 has 2 numbers, row 2 has 1"),
        ([[1], [2]], [1], "2 rows of inputs but 1 of targets"),
        ([[1], [float("inf")]], [1, 2], "row 2, column 1"),
        ([1, 2], ["a", "a\0"], "has control characters"),
    ],
)
def test_inline_rows_that_form_no_table_are_refused(inputs, targets, message: str) -> None:
    with pytest.raises(DataError, match=message):
        InlineArrays(inputs, targets).table(RNG(0))


def test_values_and_classes_turn_into_each_other() -> None:
    table = Table(np.zeros((3, 1)), Y=np.array([[7.0], [2], [7]]))
    classes = table.with_classes_as_targets()
    assert classes.class_names == ("2", "7")
    assert classes.labels is not None
    assert classes.labels.tolist() == [1, 0, 1]
    values = classes.with_values_as_targets()
    assert values.Y is not None
    assert values.Y.tolist() == [[1], [0], [1]]
    one_hot = Table(np.zeros((2, 1)), Y=np.array([[0.0, 1], [1, 0]]), target_names=("a", "b"))
    assert one_hot.with_classes_as_targets().class_names == ("a", "b")
    with pytest.raises(DataError, match="neither one column nor one-hot"):
        Table(np.zeros((1, 1)), Y=np.array([[0.5, 0.5]])).with_classes_as_targets()


def test_the_intercept_moves_a_regressions_targets() -> None:
    plain, moved = (Regression(intercept=by).table(RNG(0)).Y for by in (0.0, 7.0))
    assert plain is not None
    np.testing.assert_allclose(moved, plain + 7)


def test_classes_from_numbers_keep_names_that_tell_them_apart() -> None:
    values = np.array([[1000001.0], [1000002], [0.1], [0.1 + 1e-12]])
    table = Table(np.zeros((4, 1)), Y=values).with_classes_as_targets()
    assert len(set(table.class_names)) == 4
    assert "1000001" in table.class_names
