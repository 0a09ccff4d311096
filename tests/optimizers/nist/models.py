"""The models of the NIST problems, f(b, x), and their Jacobians ∂f/∂b.

Each function takes the parameters b (P,) and the predictors x, (n,) or for Nelson (2, n). It
returns f (n,) and the columns of its Jacobian, P arrays that broadcast to (n,). The formulas are
those of the data files; the derivatives are checked by the complex step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

Vector: TypeAlias = np.ndarray
Columns: TypeAlias = Sequence[np.ndarray]
Model: TypeAlias = Callable[[Vector, np.ndarray], tuple[Vector, Columns]]

_ONE = np.ones(1)


def bennett(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 (b2 + x)^(-1/b3)"""
    b1, b2, b3 = b
    power = (b2 + x) ** (-1 / b3)
    f = b1 * power
    return f, (power, -f / (b3 * (b2 + x)), f * np.log(b2 + x) / b3**2)


def saturation(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 (1 - exp(-b2 x)), for Misra1a and BoxBOD"""
    b1, b2 = b
    decay = np.exp(-b2 * x)
    return b1 * (1 - decay), (1 - decay, b1 * x * decay)


def misra1b(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 (1 - (1 + b2 x/2)^-2)"""
    b1, b2 = b
    base = 1 + b2 * x / 2
    return b1 * (1 - base**-2), (1 - base**-2, b1 * x * base**-3)


def misra1c(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 (1 - (1 + 2 b2 x)^-½)"""
    b1, b2 = b
    base = 1 + 2 * b2 * x
    return b1 * (1 - base**-0.5), (1 - base**-0.5, b1 * x * base**-1.5)


def misra1d(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 b2 x / (1 + b2 x)"""
    b1, b2 = b
    base = 1 + b2 * x
    return b1 * b2 * x / base, (b2 * x / base, b1 * x / base**2)


def chwirut(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """exp(-b1 x) / (b2 + b3 x)"""
    b1, b2, b3 = b
    line = b2 + b3 * x
    f = np.exp(-b1 * x) / line
    return f, (-x * f, -f / line, -x * f / line)


def power(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 x^b2, for DanWood"""
    b1, b2 = b
    return b1 * x**b2, (x**b2, b1 * x**b2 * np.log(x))


def lanczos(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 exp(-b2 x) + b3 exp(-b4 x) + b5 exp(-b6 x)"""
    decays = [np.exp(-rate * x) for rate in b[1::2]]
    columns = [
        column
        for size, decay in zip(b[::2], decays, strict=True)
        for column in (decay, -size * x * decay)
    ]
    return sum(size * decay for size, decay in zip(b[::2], decays, strict=True)), columns


def gauss(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 exp(-b2 x) + b3 exp(-(x - b4)²/b5²) + b6 exp(-(x - b7)²/b8²)"""
    decay = np.exp(-b[1] * x)
    f, columns = b[0] * decay, [decay, -b[0] * x * decay]
    for height, centre, width in (b[2:5], b[5:8]):
        u = (x - centre) / width
        bell = np.exp(-(u**2))
        f = f + height * bell
        columns += [bell, 2 * height * bell * u / width, 2 * height * bell * u**2 / width]
    return f, columns


def rational(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """(b1 + b2 x + … + b[d+1] x^d) / (1 + b[d+2] x + … + b[2d+1] x^d): Kirby2, Hahn1, Thurber"""
    degree = len(b) // 2
    powers = x ** np.arange(degree + 1)[:, None]
    denominator = 1 + b[degree + 1 :] @ powers[1:]
    f = b[: degree + 1] @ powers / denominator
    return f, [*(powers / denominator), *(-f * powers[1:] / denominator)]


def mgh09(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 (x² + x b2) / (x² + x b3 + b4)"""
    b1, b2, b3, b4 = b
    above, below = x**2 + x * b2, x**2 + x * b3 + b4
    f = b1 * above / below
    return f, (above / below, b1 * x / below, -f * x / below, -f / below)


def mgh10(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 exp(b2 / (x + b3))"""
    b1, b2, b3 = b
    growth = np.exp(b2 / (x + b3))
    f = b1 * growth
    return f, (growth, f / (x + b3), -f * b2 / (x + b3) ** 2)


def mgh17(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 + b2 exp(-x b4) + b3 exp(-x b5)"""
    b1, b2, b3, b4, b5 = b
    first, second = np.exp(-x * b4), np.exp(-x * b5)
    columns = (_ONE, first, second, -x * b2 * first, -x * b3 * second)
    return b1 + b2 * first + b3 * second, columns


def nelson(b: Vector, x: np.ndarray) -> tuple[Vector, Columns]:
    """b1 - b2 x1 exp(-b3 x2), of log y"""
    b1, b2, b3 = b
    x1, x2 = x
    loss = x1 * np.exp(-b3 * x2)
    return b1 - b2 * loss, (_ONE, -loss, b2 * x2 * loss)


def roszman(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 - b2 x - arctan(b3 / (x - b4)) / π"""
    b1, b2, b3, b4 = b
    u = x - b4
    circle = np.pi * (u**2 + b3**2)
    return b1 - b2 * x - np.arctan(b3 / u) / np.pi, (_ONE, -x, -u / circle, -b3 / circle)


def enso(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 + Σ_k c_k cos(2π x/T_k) + s_k sin(2π x/T_k), with T = 12, b4, b7"""
    f, columns = b[0], [_ONE]
    for period, cosine, sine in ((12, *b[1:3]), b[3:6], b[6:9]):
        angle = 2 * np.pi * x / period
        c, s = np.cos(angle), np.sin(angle)
        f = f + cosine * c + sine * s
        columns += [(cosine * s - sine * c) * angle / period, c, s]
    del columns[1]  # the first period is no parameter
    return f, columns


def rat42(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 / (1 + exp(b2 - b3 x))"""
    b1, b2, b3 = b
    growth = np.exp(b2 - b3 * x)
    f = b1 / (1 + growth)
    slope = f * growth / (1 + growth)
    return f, (1 / (1 + growth), -slope, x * slope)


def rat43(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """b1 / (1 + exp(b2 - b3 x))^(1/b4)"""
    b1, b2, b3, b4 = b
    growth = np.exp(b2 - b3 * x)
    share = (1 + growth) ** (-1 / b4)
    f = b1 * share
    slope = f * growth / (1 + growth) / b4
    return f, (share, -slope, x * slope, f * np.log(1 + growth) / b4**2)


def eckerle(b: Vector, x: Vector) -> tuple[Vector, Columns]:
    """(b1 / b2) exp(-½ ((x - b3)/b2)²)"""
    b1, b2, b3 = b
    u = (x - b3) / b2
    bell = np.exp(-(u**2) / 2) / b2
    f = b1 * bell
    return f, (bell, f * (u**2 - 1) / b2, f * u / b2)


MODELS: dict[str, Model] = {
    "Bennett5": bennett,
    "BoxBOD": saturation,
    "Chwirut1": chwirut,
    "Chwirut2": chwirut,
    "DanWood": power,
    "ENSO": enso,
    "Eckerle4": eckerle,
    "Gauss1": gauss,
    "Gauss2": gauss,
    "Gauss3": gauss,
    "Hahn1": rational,
    "Kirby2": rational,
    "Lanczos1": lanczos,
    "Lanczos2": lanczos,
    "Lanczos3": lanczos,
    "MGH09": mgh09,
    "MGH10": mgh10,
    "MGH17": mgh17,
    "Misra1a": saturation,
    "Misra1b": misra1b,
    "Misra1c": misra1c,
    "Misra1d": misra1d,
    "Nelson": nelson,
    "Rat42": rat42,
    "Rat43": rat43,
    "Roszman1": roszman,
    "Thurber": rational,
}
"""The model of each data file."""
