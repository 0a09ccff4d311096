"""DataFrames and Series in a config, as the arrays that a config may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bpcli.errors import ConfigError

_NAMES = {"inputs": "input_names", "targets": "target_names"}


def with_arrays(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """A config whose `data` have arrays in place of tables, and the names of their columns.

    Raises `ConfigError` for inputs that are not numbers: a file's columns are encoded, an array's
    are not. Also for an array beside `inputs` that are a list, as in a config file.
    """
    data = tree.get("data")
    if not isinstance(data, Mapping):
        return tree
    arrays = dict(pair for key, value in data.items() for pair in _arrays(key, value))
    for key, value in {**data, **arrays}.items():
        if isinstance(value, np.ndarray) and isinstance(data.get("inputs"), list | tuple):
            raise ConfigError(
                f"`data.{key}` is an array, but `data.inputs` is a list: convert the list with "
                "`numpy.asarray`."
            )
    return {**tree, "data": {**data, **arrays}}


def _arrays(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A value of `data` as an array, and its names; nothing if it is not a pandas table."""
    if type(value).__module__.partition(".")[0] != "pandas":
        return
    if not hasattr(value, "columns"):
        yield key, value.to_numpy()
        return
    for name, dtype in value.dtypes.items():
        if not isinstance(dtype, np.dtype) or dtype.kind not in "biuf":
            raise ConfigError(
                f"`data.{key}`: column `{name}` has type {dtype}, expected numbers: save the "
                "table to a file and set `data.file` to its path; categories, dates and "
                "missing values in a file are encoded."
            )
    yield key, value.to_numpy(np.float64)
    if key in _NAMES:
        yield _NAMES[key], [str(name) for name in value.columns]
