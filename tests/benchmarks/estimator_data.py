"""Data sets on which the estimators are compared with scikit-learn's, by name.

Six of classes and six of numbers: bundled with scikit-learn, drawn from a known law, or read from
the folder of real data, whose README names the sources.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn import datasets

from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class DataSet:
    """Inputs X (n, d) and targets y: classes (n,), or numbers (n,) or (n, k)."""

    X: Array
    y: Array
    is_classes: bool


def _iris(_: Path) -> DataSet:
    return DataSet(*datasets.load_iris(return_X_y=True), is_classes=True)


def _wine(_: Path) -> DataSet:
    return DataSet(*datasets.load_wine(return_X_y=True), is_classes=True)


def _breast_cancer(_: Path) -> DataSet:
    return DataSet(*datasets.load_breast_cancer(return_X_y=True), is_classes=True)


def _digits(_: Path) -> DataSet:
    return DataSet(*datasets.load_digits(return_X_y=True), is_classes=True)


def _moons(_: Path) -> DataSet:
    return DataSet(*datasets.make_moons(500, noise=0.3, random_state=0), is_classes=True)


def _glass(folder: Path) -> DataSet:
    X, Y = proben1(folder / "proben1/glass1.dt")
    return DataSet(X, Y.argmax(axis=1), is_classes=True)


def _diabetes(_: Path) -> DataSet:
    return DataSet(*datasets.load_diabetes(return_X_y=True), is_classes=False)


def _friedman1(_: Path) -> DataSet:
    return DataSet(*datasets.make_friedman1(500, noise=1.0, random_state=0), is_classes=False)


def _curve(_: Path) -> DataSet:
    """A sine whose frequency rises, with noise: 200 rows of one input."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, 200)
    y = np.sin(2 * x + x**2) + rng.normal(0, 0.2, 200)
    return DataSet(x[:, None], y, is_classes=False)


def _power_plant(folder: Path) -> DataSet:
    return _uci(folder / "uci/power-plant")


def _red_wine(folder: Path) -> DataSet:
    return _uci(folder / "uci/wine-quality-red")


def _building(folder: Path) -> DataSet:
    return DataSet(*proben1(folder / "proben1/building2.dt"), is_classes=False)


DATA_SETS: dict[str, Callable[[Path], DataSet]] = {
    "iris": _iris,
    "wine": _wine,
    "breast cancer": _breast_cancer,
    "digits": _digits,
    "moons": _moons,
    "glass": _glass,
    "diabetes": _diabetes,
    "friedman1": _friedman1,
    "curve": _curve,
    "power plant": _power_plant,
    "red wine": _red_wine,
    "building": _building,
}

FROM_FOLDER = ("glass", "power plant", "red wine", "building")
"""The data sets that are read from the folder of real data."""


def proben1(path: Path) -> tuple[Array, Array]:
    """Inputs and targets of all rows of a file of PROBEN1."""
    lines = path.read_text("utf-8").splitlines()
    header = dict(line.split("=") for line in lines[:7])
    inputs = int(header["bool_in"]) + int(header["real_in"])
    rows = np.array([line.split() for line in lines[7:] if line.strip()], float)
    return rows[:, :inputs], rows[:, inputs:]


def _uci(folder: Path) -> DataSet:
    rows = np.loadtxt(folder / "data.txt")
    features = np.loadtxt(folder / "index_features.txt", int)
    target = int(np.loadtxt(folder / "index_target.txt"))
    return DataSet(rows[:, features], rows[:, target], is_classes=False)
