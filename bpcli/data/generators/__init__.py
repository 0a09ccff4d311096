"""Sources of data that need no file: each a frozen dataclass of options that makes a table."""

from __future__ import annotations

from bpcli.data.generators.base import MOST_ROWS, Generator
from bpcli.registry import LazyRegistry

__all__ = ["GENERATORS", "MOST_ROWS", "Generator"]

GENERATORS: LazyRegistry[Generator] = LazyRegistry(
    __name__,
    {
        "and": ".patterns:And",
        "or": ".patterns:Or",
        "nand": ".patterns:Nand",
        "xor": ".patterns:Xor",
        "parity": ".patterns:Parity",
        "symmetry": ".patterns:Symmetry",
        "encoder": ".patterns:Encoder",
        "plane": ".formulas:Plane",
        "sine": ".formulas:Sine",
        "sinc": ".formulas:Sinc",
        "diamond": ".points:Diamond",
        "square": ".points:Square",
        "two_spirals": ".points:TwoSpirals",
        "spirals": ".points:Spirals",
        "gaussians": ".points:Gaussians",
        "teacher": ".teacher:Teacher",
        "regression": ".replicas:Regression",
        "classification": ".scikit_learn:Classification",
        "moons": ".replicas:Moons",
        "circles": ".replicas:Circles",
        "blobs": ".replicas:Blobs",
        "iris": ".scikit_learn:Iris",
        "wine": ".scikit_learn:Wine",
        "breast_cancer": ".scikit_learn:BreastCancer",
        "digits": ".scikit_learn:Digits",
        "diabetes": ".scikit_learn:Diabetes",
    },
)
