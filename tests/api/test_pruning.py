from __future__ import annotations

import numpy as np

import bpcli


def test_a_run_of_arrays_is_pruned_to_another_and_one_without_needless_inputs_stays() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = X[:, 0] - X[:, 2] + 0.1 * rng.normal(size=80)
    run = bpcli.train(
        {
            "data": {"inputs": X, "targets": y, "split": {"val": 0.3}},
            "network": {"layers": ["auto", 1], "activations": ["identity"]},
            "loss": "mse",
            "training": {"optimizer": "lbfgs", "epochs": 20},
        }
    )
    small, path = run.prune(overrides={"training.epochs": 10})
    assert (small.input_names, small.name) == (("x1", "x3"), "run-pruned")
    assert path["pruned"]["run_id"] == small.id
    assert path["paired"] is None
    assert "There is no test set." in repr(path)
    assert small.predict(X[:5, [0, 2]]).shape == (5,)
    assert bool(small.verify())
    same, path = small.prune()
    assert same is small
    assert path["pruned"] is None
