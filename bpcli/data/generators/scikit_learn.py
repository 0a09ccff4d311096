"""scikit-learn's generators, with its names and, mostly, its defaults; and its data sets.

scikit-learn is imported only when one of them is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le, Lt, doc

from bpcli.data.generators.base import (
    MOST_ROWS,
    Features,
    Generator,
    Intercept,
    Noise,
    Samples,
    Targets,
    class_table,
)
from bpcli.data.table import Classes, Table, value_table
from bpcli.errors import DataError
from bpcli.nn.arrays import Array


def _sklearn(make: str, rng: np.random.Generator, **options: Any) -> tuple[Array, Any]:
    from sklearn import datasets

    try:
        X, y = getattr(datasets, make)(random_state=int(rng.integers(2**31)), **options)
    except ValueError as error:
        raise DataError(f"scikit-learn's {make} refuses these options: {error}") from None
    return np.asarray(X, np.float64), y


@dataclass(frozen=True)
class Regression(Generator):
    """A random linear function of the inputs plus N(0, noise) (make_regression)."""

    n_samples: Samples = 100
    n_features: Features = 1
    n_informative: Annotated[int, Ge(1), doc("Number of inputs that the targets depend on.")] = 10
    n_targets: Targets = 1
    intercept: Intercept = 0.0
    noise: Noise = 0.0

    def table(self, rng: np.random.Generator) -> Table:
        options = vars(self) | {"bias": self.intercept}
        del options["intercept"]
        return value_table(*_sklearn("make_regression", rng, **options))


@dataclass(frozen=True)
class Classification(Generator):
    """Normal clusters on the corners of a cube (make_classification)."""

    n_samples: Samples = 100
    n_features: Features = 20
    n_informative: Annotated[int, Ge(1), doc("Number of inputs that the targets depend on.")] = 2
    n_redundant: Annotated[
        int, Ge(0), doc("Number of inputs that are linear combinations of informative ones.")
    ] = 2
    n_classes: Annotated[int, Ge(2), doc("Number of classes.")] = 2
    n_clusters_per_class: Annotated[int, Ge(1), doc("Number of clusters per class.")] = 2
    class_sep: Annotated[float, Gt(0), doc("Half the edge length of the cube.")] = 1.0
    flip_y: Annotated[float, Ge(0), Lt(1), doc("The fraction of rows with a random class.")] = 0.01

    def table(self, rng: np.random.Generator) -> Table:
        X, labels = _sklearn("make_classification", rng, **vars(self))
        return class_table(X, labels, self.n_classes)


@dataclass(frozen=True)
class Moons(Generator):
    """Two interleaving half circles (make_moons)."""

    n_samples: Annotated[int, Ge(2), Le(MOST_ROWS), doc("Rows.")] = 100
    noise: Noise = 0.0

    def table(self, rng: np.random.Generator) -> Table:
        return class_table(*_sklearn("make_moons", rng, **vars(self)), count=2)


@dataclass(frozen=True)
class Circles(Generator):
    """A circle within a circle (make_circles)."""

    n_samples: Annotated[int, Ge(2), Le(MOST_ROWS), doc("Rows.")] = 100
    noise: Noise = 0.0
    factor: Annotated[float, Ge(0), Lt(1), doc("The inner radius relative to the outer.")] = 0.8

    def table(self, rng: np.random.Generator) -> Table:
        return class_table(*_sklearn("make_circles", rng, **vars(self)), count=2)


@dataclass(frozen=True)
class Blobs(Generator):
    """Isotropic normal clusters, one per class (make_blobs)."""

    n_samples: Samples = 100
    n_features: Features = 2
    centers: Annotated[int, Ge(2), doc("Number of clusters, one per class.")] = 3
    cluster_std: Annotated[float, Ge(0), doc("Standard deviation of a cluster.")] = 1.0

    def table(self, rng: np.random.Generator) -> Table:
        return class_table(*_sklearn("make_blobs", rng, **vars(self)), count=self.centers)


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
            labels = np.asarray(bunch.target, np.intp)
            classes = Classes(labels, tuple(map(str, bunch.target_names)))
            return Table(X, targets=classes, input_names=names)
        return replace(value_table(X, bunch.target), input_names=names)


class Iris(_Bundled):
    """150 flowers, 4 measurements, 3 species (Fisher 1936)."""

    loader = "load_iris"


class Wine(_Bundled):
    """178 wines, 13 measurements, 3 cultivars (UCI)."""

    loader = "load_wine"


class BreastCancer(_Bundled):
    """569 tumours, 30 measurements, malignant or benign (UCI)."""

    loader = "load_breast_cancer"


class Digits(_Bundled):
    """1797 handwritten digits of 8 × 8 pixels with values from 0 to 16 (UCI)."""

    loader = "load_digits"


class Diabetes(_Bundled):
    """442 patients, 10 measurements, disease progression after a year (Efron et al. 2004)."""

    loader = "load_diabetes"
