"""The array types that signatures of the kernel name."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""Any array; its shape is in the docstring that mentions it."""

Vector: TypeAlias = npt.NDArray[Any]
"""The flat parameter vector, or anything of its shape: a gradient, an optimizer slot."""
