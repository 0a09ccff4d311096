"""Sources of data that need no file: each a frozen dataclass of options that makes a table."""

from __future__ import annotations

from bpcli.data.generators.base import MOST_ROWS, Generator
from bpcli.data.generators.formulas import Plane, Teacher
from bpcli.data.generators.patterns import And, Nand, Or, Xor
from bpcli.data.generators.points import Diamond, Square
from bpcli.data.generators.scikit_learn import (
    Blobs,
    BreastCancer,
    Circles,
    Classification,
    Diabetes,
    Digits,
    Iris,
    Moons,
    Regression,
    Wine,
)

__all__ = ["GENERATORS", "MOST_ROWS", "Generator"]

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
