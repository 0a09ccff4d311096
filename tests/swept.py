"""Documents of sweeps and of searches of sizes, made up for the tests of what shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any


def setting(
    number: int, values: Mapping[str, Any], losses: Sequence[float | None], **changes: Any
) -> dict[str, Any]:
    """A setting with a validation loss per training."""
    finite = [loss for loss in losses if loss is not None and math.isfinite(loss)]
    return {
        "setting": number, "values": dict(values), "trainings": len(losses),
        "failed": len(losses) - len(finite), "stopped": None,
        "mean": fmean(finite) if finite else None,
        "sd": stdev(finite) if len(finite) > 1 else None, "values_by_training": list(losses),
        "test": {"metric": "test.accuracy", "mean": 0.95, "sd": 0.01} if finite else None,
        "epochs": 210 if finite else None, "seconds": 0.8 if finite else None, "n_params": 43,
        **changes,
    }  # fmt: skip


def sweep_document(*settings: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A sweep with these settings."""
    per_setting = max((each["trainings"] for each in settings), default=1)
    seeds = list(range(per_setting))
    trainings = [
        _training(each, seed, loss)
        for each in sorted(settings, key=lambda each: int(each["setting"]))
        for seed, loss in zip(seeds, each["values_by_training"], strict=True)
    ]
    statuses = [each["status"] for each in trainings]
    return {
        "sweep": "20261201-101112-iris-ab12", "name": "iris", "folder": "runs/sweep",
        "noun": "setting", "metric": "val.loss", "greater_is_better": False,
        "keys": list(settings[0]["values"]) if settings else [], "seeds": seeds, "folds": None,
        "counts": {
            "settings": len(settings), "trainings": len(trainings),
            **{name: statuses.count(name) for name in ("finished", "failed", "stopped", "missing")},
        },
        "interrupted": False,
        "settings": sorted(settings, key=_rank), "trainings": trainings,
        **changes,
    }  # fmt: skip


def _rank(setting: Mapping[str, Any]) -> float:
    mean = setting["mean"]
    return mean if mean is not None and math.isfinite(mean) else math.inf


def _training(setting: Mapping[str, Any], seed: int, loss: float | None) -> dict[str, Any]:
    if loss is None:
        return training(setting["setting"], seed, status="failed", error="no rows are left")
    if setting["stopped"] is not None:
        return training(setting["setting"], seed, loss, status="stopped", stop_reason="halving")
    return training(setting["setting"], seed, loss)


def training(setting: int, seed: int, loss: float | None = None, **changes: Any) -> dict[str, Any]:
    """A training of a sweep."""
    fold = changes.get("fold")
    return {
        "label": f"setting {setting}, seed {seed}" + ("" if fold is None else f", fold {fold}"),
        "setting": setting, "seed": seed, "fold": None, "value": loss, "status": "finished",
        "stop_reason": "epochs", "error": None, "epochs": 0 if loss is None else 210,
        "best_epoch": 0 if loss is None else 180, "seconds": 0.0 if loss is None else 0.8,
        "metrics": {} if loss is None else {"train.loss": loss / 2, "val.loss": loss},
        "weights_sha256": None if loss is None else "0" * 64,
        **changes,
    }  # fmt: skip


def size(
    hidden: int, losses: Sequence[float | None], *, test: bool = True, evidence: bool = False
) -> dict[str, Any]:
    """A hidden size with a validation loss per repetition."""
    finite = [loss for loss in losses if loss is not None and math.isfinite(loss)]
    sd = stdev(finite) if len(finite) > 1 else None
    has_test, has_evidence = test and finite, evidence and finite
    return {
        "hidden": hidden, "n_params": 6 * hidden + 3, "mean": fmean(finite) if finite else None,
        "sd": sd, "se": None if sd is None else sd / math.sqrt(len(finite)),
        "lowest": min(finite, default=None), "highest": max(finite, default=None),
        "values": list(losses), "failed": len(losses) - len(finite),
        "test": {"metric": "test.accuracy", "mean": 1 - fmean(finite) / 4, "sd": 0.01}
        if has_test else None,
        "evidence": {"mean": -100 - 50 * fmean(finite), "sd": 1.2, "highest": -100.0}
        if has_evidence else None,
        "effective_params": 4.5 * hidden if has_evidence else None,
        "epochs": 100 if finite else None, "seconds": 0.5 if finite else None,
    }  # fmt: skip


def size_document(*sizes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A search over these sizes, with what follows from their means; a value is of one split."""
    known = [each for each in sizes if each["mean"] is not None]
    best = min(known, key=lambda each: each["mean"], default=None)
    limit = None if best is None else best["mean"] + (best["se"] or 0.0)
    enough = [each["hidden"] for each in known if limit is not None and each["mean"] <= limit]
    splits = max((len(each["values"]) for each in sizes), default=1)
    trainings = sum(len(each["values"]) for each in sizes)
    failed = sum(each["failed"] for each in sizes)
    return {
        "sweep": "20261201-101112-iris-ab12", "name": "iris", "folder": "runs/search",
        "metric": "val.loss", "greater_is_better": False, "hidden_layers": 1,
        "restarts": 1, "splits": splits,
        "counts": {
            "trainings": trainings, "finished": trainings - failed, "failed": failed, "missing": 0,
        },
        "repetitions": splits, "sizes": list(sizes), "best": best and best["hidden"],
        "enough": min(enough, default=None), "limit": limit, "constant": None,
        "interrupted": False, **changes,
    }  # fmt: skip
