"""Epochs that were not trained, for what only reads them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np


def epoch(number: int, loss: float = 1.0, **changes: Any) -> Any:
    """An epoch of a training without a validation set, a second long."""
    return SimpleNamespace(**{
        "number": number, "loss": loss, "mean_loss": loss, "val_loss": None, "grad_norm": 2.0,
        "grad_norms": [1.0, 1.0], "params": np.array([float(number), 0.5]), "ended": None,
        "seconds": float(number), "diagnostics": {"learning_rate": 0.5}, "is_evaluated": True,
        "state": number, "release": lambda: None, **changes,
    })  # fmt: skip
