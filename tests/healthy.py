"""Trainings in which nothing is wrong: the shipped configs, and public tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from systems import CONFIGS

UNHEALTHY: Mapping[str, tuple[str, str]] = {
    "ten_layers_sigmoid": ("vanishing_gradients", "it shows a gradient that vanishes"),
    "tables/wine_red": ("leak", "240 of the 1,599 published rows repeat another one"),
}
"""Configs with a finding by design, or by their data: its kind, and the reason."""

NOT_TRAINED = ("forward_3443", "gate_nand", "gate_or")
"""A config without targets, and two that are `gate_and` with other targets."""


class Healthy(NamedTuple):
    """A config, and the values that are set for it."""

    config: str
    overrides: tuple[str, ...]


def shipped() -> Iterator[Healthy]:
    """The shipped configs as they are, and two of them from more seeds: 34 trainings."""
    for path in sorted(CONFIGS.glob("*.yaml")):
        if path.stem not in (*UNHEALTHY, *NOT_TRAINED):
            yield Healthy(path.stem, ())
    for config in ("moons", "softmax_iris", "matlab_defaults"):
        yield from (Healthy(config, (f"seed={seed}",)) for seed in (11, 12))


def tables(data: Path, folder: Path) -> Iterator[Healthy]:
    """The shipped tables with the files of `data`; what must be written goes to `folder`."""
    csv, uci = data / "csv", data / "uci"
    ionosphere = _listed(folder / "ionosphere.txt", np.arange(201, 352))
    yield _table("ionosphere", csv / "ionosphere.csv", f"{{index: {{test: {ionosphere}}}}}")
    yield _table("abalone", _abalone(csv, folder), "{test: 0.25}")
    yield _table("adult", csv / "adult.csv", "{folds: 5, fold: 1}")
    for number in range(2):
        given = np.loadtxt(uci / "power-plant" / f"index_test_{number}.txt", int) + 1
        rows = _listed(folder / f"power-{number}.txt", given)
        yield _table(
            "power_plant", uci / "power-plant" / "data.txt", f"{{index: {{test: {rows}}}}}"
        )
    test = f"{{files: {{test: {data / 'mnist' / 'test.npz'}}}}}"
    yield _table("mnist", data / "mnist" / "train.npz", test, "training.epochs=10")


def _table(name: str, file: Path, split: str, *more: str) -> Healthy:
    return Healthy(f"tables/{name}", (f"data.file={file}", f"data.split={split}", *more))


def _listed(file: Path, rows: np.ndarray) -> Path:
    np.savetxt(file, rows, "%d")
    return file


def _abalone(csv: Path, folder: Path) -> Path:
    """The table with the classes that the config's comment makes."""
    file = folder / "abalone_classes.csv"
    lines = (csv / "abalone.csv").read_text().splitlines()
    file.write_text("".join(f"{line},{_age(int(line.split(',')[8]))}\n" for line in lines))
    return file


def _age(rings: int) -> str:
    return "young" if rings <= 8 else "middle" if rings <= 10 else "old"
