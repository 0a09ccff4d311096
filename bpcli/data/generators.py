"""Sources of data that need no file: each a frozen dataclass of options that makes a table.

scikit-learn is imported only by those that use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeAlias

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from bpcli.data.drawn import Inputs, normal_rows, row_blocks
from bpcli.data.table import Table, numbered
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

MOST_ROWS = 10**9
"""More rows than any machine trains on: a typing error, not a wish."""

Samples: TypeAlias = Annotated[int, Ge(1), Le(MOST_ROWS)]


@dataclass(frozen=True)
class Generator:
    """Makes a table; the same generator state gives the same rows."""

    def table(self, rng: np.random.Generator) -> Table:
        """The rows. Raises `DataError` where the options contradict each other."""
        raise NotImplementedError


def _classes(X: Inputs, labels: Any, count: int) -> Table:
    """A table of classes 0, 1, 2 …."""
    return Table(
        X,
        labels=np.asarray(labels, np.intp),
        class_names=tuple(str(number) for number in range(count)),
        input_names=numbered("x", X.shape[1]),
    )


# Logic gates: the four rows of a truth table.


@dataclass(frozen=True)
class _Gate(Generator):
    outputs: ClassVar[tuple[int, int, int, int]]

    def table(self, rng: np.random.Generator) -> Table:
        X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        return _classes(X, self.outputs, count=2)


class And(_Gate):
    """1 where both inputs are 1."""

    outputs = (0, 0, 0, 1)


class Or(_Gate):
    """1 where any input is 1."""

    outputs = (0, 1, 1, 1)


class Nand(_Gate):
    """0 where both inputs are 1."""

    outputs = (1, 1, 1, 0)


class Xor(_Gate):
    """1 where the inputs differ: no single unit can learn it."""

    outputs = (0, 1, 1, 0)


# Shapes in the plane.


@dataclass(frozen=True)
class Plane(Generator):
    """y = intercept + slope1 x1 + slope2 x2 + N(0, noise), x uniform on [low, high]²."""

    n_samples: Samples = 100
    noise: Annotated[float, Ge(0)] = 0.5
    intercept: float = 1.5
    slope1: float = 2.0
    slope2: float = 5.0
    low: float = 0.0
    high: float = 10.0

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"`low` ({self.low:g}) to be at most `high` ({self.high:g})")
        if math.isinf(self.high - self.low):
            raise ValueError("`low` and `high` less far apart")

    def table(self, rng: np.random.Generator) -> Table:
        X = rng.uniform(self.low, self.high, (self.n_samples, 2))
        y = self.intercept + X @ [self.slope1, self.slope2]
        y += rng.normal(0, self.noise, self.n_samples)
        return _values(X, y)


@dataclass(frozen=True)
class _Region(Generator):
    n_samples: Samples = 500

    def table(self, rng: np.random.Generator) -> Table:
        X = rng.uniform(-1, 1, (self.n_samples, 2))
        return _classes(X, self._inside(np.abs(X)), count=2)

    @staticmethod
    def _inside(distance: Array) -> Any:
        raise NotImplementedError


class Diamond(_Region):
    """1 inside |x1| + |x2| < 1, x uniform on [-1, 1]²."""

    @staticmethod
    def _inside(distance: Array) -> Any:
        return distance.sum(axis=1) < 1


class Square(_Region):
    """1 inside max(|x1|, |x2|) < 0.5, x uniform on [-1, 1]²."""

    @staticmethod
    def _inside(distance: Array) -> Any:
        return distance.max(axis=1) < 0.5


def _values(X: Inputs, Y: Array) -> Table:
    Y = Y.reshape(len(X), -1)
    targets = ("y",) if Y.shape[1] == 1 else numbered("y", Y.shape[1])
    return Table(X, Y, input_names=numbered("x", X.shape[1]), target_names=targets)


# A network as the teacher of a network.


@dataclass(frozen=True)
class Teacher(Generator):
    """What a random tanh network answers: y = tanh(x A / √n_features) B / √n_hidden + N(0, noise).

    x, A (n_features, n_hidden) and B (n_hidden, n_targets) are drawn from N(0, 1), in this order.
    With `n_classes`, B has a column for each class, and the class is the largest y's.
    """

    n_samples: Samples = 100
    n_features: Annotated[int, Ge(1)] = 10
    n_hidden: Annotated[int, Ge(1)] = 10
    n_targets: Annotated[int, Ge(1)] = 1
    n_classes: Annotated[int, Ge(2)] | None = None
    noise: Annotated[float, Ge(0)] = 0.1

    def __post_init__(self) -> None:
        if self.n_classes is not None and self.n_targets != 1:
            raise ValueError("`n_targets` to be left out where there are `n_classes`")

    def table(self, rng: np.random.Generator) -> Table:
        X = normal_rows(rng, (self.n_samples, self.n_features))
        A = rng.standard_normal((self.n_features, self.n_hidden))
        B = rng.standard_normal((self.n_hidden, self.n_classes or self.n_targets))
        Y = np.empty((len(X), B.shape[1]))
        for some in row_blocks(X.shape):  # all rows, or hidden units, at once would be large
            Y[some] = np.tanh(X[some] @ A / math.sqrt(self.n_features)) @ B
        Y /= math.sqrt(self.n_hidden)
        Y += rng.normal(0, self.noise, Y.shape)
        return _values(X, Y) if self.n_classes is None else _classes(X, Y.argmax(1), self.n_classes)


# scikit-learn's generators, with its names and defaults unless they make no sense here.


def _sklearn(make: str, rng: np.random.Generator, **options: Any) -> tuple[Array, Any]:
    from sklearn import datasets

    try:
        X, y = getattr(datasets, make)(random_state=int(rng.integers(2**31)), **options)
    except ValueError as error:
        raise DataError(f"scikit-learn's {make} cannot do this: {error}") from None
    return np.asarray(X, np.float64), y


@dataclass(frozen=True)
class Regression(Generator):
    """A random linear function of the inputs plus N(0, noise) (make_regression)."""

    n_samples: Samples = 100
    n_features: Annotated[int, Ge(1)] = 1
    n_informative: Annotated[int, Ge(1)] = 10
    n_targets: Annotated[int, Ge(1)] = 1
    intercept: float = 0.0
    noise: Annotated[float, Ge(0)] = 0.0

    def table(self, rng: np.random.Generator) -> Table:
        X, Y = _sklearn(
            "make_regression",
            rng,
            n_samples=self.n_samples,
            n_features=self.n_features,
            n_informative=self.n_informative,
            n_targets=self.n_targets,
            bias=self.intercept,
            noise=self.noise,
        )
        return _values(X, Y)


@dataclass(frozen=True)
class Classification(Generator):
    """Normal clusters on the corners of a cube (make_classification)."""

    n_samples: Samples = 100
    n_features: Annotated[int, Ge(1)] = 20
    n_informative: Annotated[int, Ge(1)] = 2
    n_redundant: Annotated[int, Ge(0)] = 2
    n_classes: Annotated[int, Ge(2)] = 2
    n_clusters_per_class: Annotated[int, Ge(1)] = 2
    class_sep: Annotated[float, Gt(0)] = 1.0
    flip_y: Annotated[float, Ge(0), Lt(1)] = 0.01

    def table(self, rng: np.random.Generator) -> Table:
        X, labels = _sklearn("make_classification", rng, **vars(self))
        return _classes(X, labels, self.n_classes)


@dataclass(frozen=True)
class Moons(Generator):
    """Two interleaving half circles (make_moons)."""

    n_samples: Annotated[int, Ge(2), Le(MOST_ROWS)] = 100
    noise: Annotated[float, Ge(0)] = 0.0

    def table(self, rng: np.random.Generator) -> Table:
        return _classes(*_sklearn("make_moons", rng, **vars(self)), count=2)


@dataclass(frozen=True)
class Circles(Generator):
    """A circle within a circle (make_circles)."""

    n_samples: Annotated[int, Ge(2), Le(MOST_ROWS)] = 100
    noise: Annotated[float, Ge(0)] = 0.0
    factor: Annotated[float, Ge(0), Lt(1)] = 0.8

    def table(self, rng: np.random.Generator) -> Table:
        return _classes(*_sklearn("make_circles", rng, **vars(self)), count=2)


@dataclass(frozen=True)
class Blobs(Generator):
    """Round normal clusters, a class each (make_blobs)."""

    n_samples: Samples = 100
    n_features: Annotated[int, Ge(1)] = 2
    centers: Annotated[int, Ge(2)] = 3
    cluster_std: Annotated[float, Ge(0)] = 1.0

    def table(self, rng: np.random.Generator) -> Table:
        return _classes(*_sklearn("make_blobs", rng, **vars(self)), count=self.centers)


# Data sets that come with scikit-learn.


@dataclass(frozen=True)
class _Bundled(Generator):
    loader: ClassVar[str]

    def table(self, rng: np.random.Generator) -> Table:
        from sklearn import datasets

        load: Callable[[], Any] = getattr(datasets, self.loader)
        bunch = load()
        X = np.asarray(bunch.data, np.float64)
        names = tuple(str(name) for name in bunch.feature_names)
        if "target_names" in bunch:
            classes = tuple(str(name) for name in bunch.target_names)
            labels = np.asarray(bunch.target, np.intp)
            return Table(X, labels=labels, class_names=classes, input_names=names)
        return Table(X, bunch.target[:, np.newaxis], input_names=names, target_names=("y",))


class Iris(_Bundled):
    """150 flowers, 4 measures, 3 species (Fisher 1936)."""

    loader = "load_iris"


class Wine(_Bundled):
    """178 wines, 13 measures, 3 cultivars (UCI)."""

    loader = "load_wine"


class BreastCancer(_Bundled):
    """569 tumours, 30 measures, malignant or benign (UCI)."""

    loader = "load_breast_cancer"


class Digits(_Bundled):
    """1797 handwritten digits of 8 × 8 pixels, 0 to 16 (UCI)."""

    loader = "load_digits"


class Diabetes(_Bundled):
    """442 patients, 10 measures, progression after a year (Efron et al. 2004)."""

    loader = "load_diabetes"


GENERATORS: dict[str, type[Generator]] = {
    "and": And,
    "or": Or,
    "nand": Nand,
    "xor": Xor,
    "plane": Plane,
    "diamond": Diamond,
    "square": Square,
    "teacher": Teacher,
    "regression": Regression,
    "classification": Classification,
    "moons": Moons,
    "circles": Circles,
    "blobs": Blobs,
    "iris": Iris,
    "wine": Wine,
    "breast_cancer": BreastCancer,
    "digits": Digits,
    "diabetes": Diabetes,
}
