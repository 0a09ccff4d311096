"""What every optimizer of the registry does, whoever wrote it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import pytest
import safetensors.numpy
from descents import passes_counted

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Relu, Tanh
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.nn.numerics import repeatable_numerics
from bpcli.optimizers import OPTIMIZERS, Optimizer, State, StepFailed
from bpcli.optimizers.base import Evaluation, Point
from bpcli.optimizers.damping import DampingRule
from bpcli.training.objective import NetworkObjective


@dataclass(frozen=True)
class Setting:
    """How an optimizer is run where its defaults do not do."""

    learning_rate: float | None = None
    steps: int = 2000
    options: dict[str, object] = field(default_factory=dict)
    returns_within: float = 1e-5
    """How much higher than the minimum, relatively, it may end when it begins there."""


SETTINGS = {
    "gradient_descent": Setting(learning_rate=0.5),
    # With its default of 1.04 a rate at which the loss grows by up to 4 % a step is kept for good:
    # on these problems it ends far above the minimum.
    "adaptive_gradient_descent": Setting(options={"max_loss_increase": 1.0}),
    # At a constant rate it moves about the minimum.
    "adam": Setting(learning_rate=0.01, steps=3000, returns_within=1e-3),
}
VARIANTS = {
    "adaptive_gradient_descent": [{}, {"momentum": 0.5}],
    "rprop": [
        {"variant": variant}
        for variant in ("irprop_minus", "irprop_plus", "rprop_minus", "rprop_plus")
    ],
    "gradient_descent": [{}, {"momentum": 0.5}, {"momentum": 0.5, "nesterov": True}],
    "conjugate_gradient": [
        {"variant": variant} for variant in ("polak_ribiere", "fletcher_reeves", "powell_beale")
    ],
    "lbfgs": [{}, {"memory": 1}],
    "levenberg_marquardt": [
        *({"damping_rule": rule} for rule in get_args(DampingRule)),
        {"solver": "cg"},
    ],
}
MINIMISES_ANOTHER_FUNCTION = {
    "bayesian_regularization": "weighs the errors against the weights by itself",
}

Subject = tuple[Optimizer, Setting]


def subjects(*, of_the_objective: bool = False) -> Iterator[object]:
    for name, kind in OPTIMIZERS.items():
        if of_the_objective and name in MINIMISES_ANOTHER_FUNCTION:
            continue
        setting = SETTINGS.get(name, Setting())
        for options in VARIANTS.get(name, [{}]):
            label = "-".join([name, *map(str, options.values())])
            yield pytest.param((kind(**setting.options, **options), setting), id=label)


every_optimizer = pytest.mark.parametrize("subject", list(subjects()))
every_minimiser = pytest.mark.parametrize("subject", list(subjects(of_the_objective=True)))

LINEAR = Network((Layer(3, 2, Identity()),), HalfSquaredError())
CURVED = Network((Layer(3, 4, Tanh()), Layer(4, 2, Identity())), HalfSquaredError())
L2 = 8.0


def table() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)) * [0.5, 1, 1.5]
    return X, X @ rng.normal(size=(3, 2)) + [1, -1] + rng.normal(0, 0.5, (40, 2))


def objective(network: Network, dtype: str = "f8", l2: float = 0.0) -> NetworkObjective:
    return NetworkObjective(network, Rows.of(network, *table(), np.dtype(dtype)), l2=l2)


def start(network: Network, dtype: str = "f8") -> np.ndarray:
    rng = np.random.default_rng(1)
    return network.initial_params(INITIALIZERS["xavier_uniform"](), rng).astype(dtype)


def least_squares(l2: float = 0.0) -> np.ndarray:
    """The parameters of LINEAR at the minimum, from the normal equations; biases are not shrunk."""
    X, Y = table()
    X = np.column_stack([X, np.ones(len(X))])
    return np.linalg.solve(X.T @ X + l2 * np.diag([1, 1, 1, 0]), X.T @ Y).T.ravel()


@dataclass
class Course:
    """Where steps have led."""

    point: Point
    state: State
    ended: StepFailed | None = None

    @property
    def params(self) -> np.ndarray:
        return self.point.params


def run(
    subject: Subject,
    fit: NetworkObjective,
    params: np.ndarray,
    steps: int,
    state: State | None = None,
    known: Evaluation | None = None,
) -> Course:
    optimizer, setting = subject
    rate = setting.learning_rate or optimizer.default_learning_rate or np.nan
    course = Course(Point(params, known), optimizer.init(params) if state is None else state)
    with repeatable_numerics():
        for _ in range(steps):
            try:
                course.point, course.state = optimizer.step(
                    fit, course.point, course.state, np.asarray(rate, params.dtype)
                )
            except StepFailed as ended:
                course.ended = ended
                break
    return course


@every_minimiser
def test_it_reaches_the_minimum_of_a_convex_quadratic(subject: Subject) -> None:
    fit = objective(LINEAR, l2=L2)
    end = run(subject, fit, start(LINEAR), subject[1].steps).params
    np.testing.assert_allclose(end, least_squares(L2), atol=1e-4)


@every_minimiser
@pytest.mark.parametrize(("dtype", "tolerance"), [("f8", 1e-6), ("f4", 1e-5)])
def test_it_solves_linear_regression(subject: Subject, dtype: str, tolerance: float) -> None:
    X, Y = table()
    X = np.column_stack([X, np.ones(len(X))])
    _, residuals, _, _ = np.linalg.lstsq(X, Y, rcond=None)
    lowest = residuals.sum() / len(X) / 2
    end = run(subject, objective(LINEAR, dtype), start(LINEAR, dtype), subject[1].steps)
    assert end.params.dtype == dtype
    of_params = [slot for slot in end.state.values() if slot.shape[-1:] == end.params.shape]
    assert {slot.dtype for slot in of_params} <= {np.dtype(dtype)}
    loss = objective(LINEAR).value(end.params.astype(float))
    assert lowest * (1 - 1e-12) <= loss <= lowest * (1 + tolerance)


@every_optimizer
def test_it_lowers_the_loss_of_a_curved_network(subject: Subject) -> None:
    fit = objective(CURVED)
    end = run(subject, fit, start(CURVED), 40)
    assert fit.value(end.params) < 0.8 * fit.value(start(CURVED))


def through_savez(arrays: State) -> State:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    buffer.seek(0)
    return dict(np.load(buffer, allow_pickle=False))


def through_safetensors(arrays: State) -> State:
    return safetensors.numpy.load(safetensors.numpy.save(dict(arrays)))


@every_optimizer
@pytest.mark.parametrize("saved", [through_savez, through_safetensors])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_its_state_survives_a_save_to_the_bit(subject: Subject, saved, dtype: str) -> None:
    for before in (0, 1, 2, 9):
        half = run(subject, objective(CURVED, dtype), start(CURVED, dtype), before)
        assert all(type(slot) is np.ndarray for slot in half.state.values())
        loaded = saved({"params": half.params, **half.state})
        params = loaded.pop("params")
        straight = run(subject, objective(CURVED, dtype), half.params, 9, half.state)
        again = run(subject, objective(CURVED, dtype), params, 9, loaded)
        assert straight.params.tobytes() == again.params.tobytes()
        assert straight.state.keys() == again.state.keys()
        for name, slot in straight.state.items():
            assert slot.tobytes() == again.state[name].tobytes(), name
            assert (slot.dtype, slot.shape) == (again.state[name].dtype, again.state[name].shape)


@every_optimizer
def test_it_changes_neither_the_old_parameters_nor_the_old_state(subject: Subject) -> None:
    fit, course = objective(CURVED, l2=0.1), run(subject, objective(CURVED), start(CURVED), 0)
    for _ in range(12):
        arrays = {"params": course.params, **course.state}
        arrays["grad"] = fit.value_and_grad(course.params).grad
        before = {name: array.tobytes() for name, array in arrays.items()}
        for array in arrays.values():
            array.flags.writeable = False
        course = run(subject, fit, course.params, 1, course.state)
        assert {name: array.tobytes() for name, array in arrays.items()} == before
    assert (course.params != start(CURVED)).any()


DEAD = Network((Layer(3, 4, Relu()), Layer(4, 2, Identity())), HalfSquaredError())


@every_minimiser
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_without_a_gradient_it_ends_by_name_or_stays(subject: Subject, dtype: str) -> None:
    params = np.full(DEAD.n_params, -1.0, dtype)  # no unit of the first layer is ever on
    X = np.abs(table()[0])
    rows = Rows.of(DEAD, X, np.full((40, 2), -1.0), np.dtype(dtype))
    fit, calls = passes_counted(NetworkObjective(DEAD, rows))
    known = fit.value_and_grad(params)
    assert not known.grad.any()
    course = run(subject, fit, params, 20, known=known)
    np.testing.assert_array_equal(course.params, params)
    assert len(calls) <= 20
    if course.ended is not None:
        assert course.ended.reason.isidentifier()
        assert str(course.ended)


@every_minimiser
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_from_a_minimum_it_ends_by_name_or_comes_back(subject: Subject, dtype: str) -> None:
    params = least_squares().astype(dtype)
    fit, calls = passes_counted(objective(LINEAR, dtype))
    course = run(subject, fit, params, subject[1].steps)
    assert np.isfinite(course.params).all()
    exact = objective(LINEAR)
    most = exact.value(least_squares()) * (1 + subject[1].returns_within)
    assert exact.value(course.params.astype(float)) <= most
    assert len(calls) <= 60 * subject[1].steps


NO_BIAS = Network((Layer(3, 2, Identity(), "none"),), HalfSquaredError())


@every_optimizer
@pytest.mark.parametrize(
    ("dtype", "scale"),
    [("f8", 1e-70), ("f8", 1e-80), ("f8", 1e80), ("f8", 1e140), ("f4", 1e-12), ("f4", 1e15)],
)
def test_numbers_whose_squares_are_none_are_no_fault(
    subject: Subject, dtype: str, scale: float
) -> None:
    X, Y = (scale * array for array in table())
    fit = NetworkObjective(NO_BIAS, Rows.of(NO_BIAS, X, Y, np.dtype(dtype)))
    assert np.isfinite(fit.value(start(NO_BIAS, dtype)))
    course = run(subject, fit, start(NO_BIAS, dtype), 60)
    if subject[0].default_learning_rate is None:
        assert np.isfinite(course.params).all()
        assert fit.value(course.params) <= fit.value(start(NO_BIAS, dtype))
