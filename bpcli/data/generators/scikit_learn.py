"""scikit-learn's classification, with its names and, mostly, its defaults; and its data sets.

scikit-learn is imported only when one of them is used. `replicas.py` has its simpler generators.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Lt, doc

from bpcli.data.generators.base import Features, Generator, Samples, class_table
from bpcli.data.generators.replicas import legacy_seed
from bpcli.data.table import Classes, Table, value_table
from bpcli.errors import DataError


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
        from sklearn import datasets

        try:
            X, labels = datasets.make_classification(random_state=legacy_seed(rng), **vars(self))
        except ValueError as error:
            raise DataError(
                f"scikit-learn's make_classification refuses these options: {error}"
            ) from None
        return class_table(X, labels, self.n_classes)


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
