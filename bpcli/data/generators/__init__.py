"""Sources of data that need no file: each a frozen dataclass of options that makes a table."""

from __future__ import annotations

from bpcli.data.generators.base import MOST_ROWS, Generator
from bpcli.data.generators.formulas import Plane, Sinc, Sine, Teacher
from bpcli.data.generators.patterns import And, Encoder, Nand, Or, Parity, Symmetry, Xor
from bpcli.data.generators.points import Diamond, Gaussians, Spirals, Square, TwoSpirals
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
    "parity": Parity,
    "symmetry": Symmetry,
    "encoder": Encoder,
    "plane": Plane,
    "sine": Sine,
    "sinc": Sinc,
    "diamond": Diamond,
    "square": Square,
    "two_spirals": TwoSpirals,
    "spirals": Spirals,
    "gaussians": Gaussians,
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
