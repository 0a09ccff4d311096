"""The shortest scikit-learn script: make the rows, train in float64, save parameters and losses.

`python with_scikit_learn.py ROWS LAYERS HIDDEN RATE EPOCHS`, such as `50 3-4-1 relu 0.1 500`.
"""

import sys

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

rows, layers, hidden, rate, epochs = sys.argv[1:]
sizes = [int(size) for size in layers.split("-")]

rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(0,)))
x, A, B = (rng.standard_normal(s) for s in ((int(rows), sizes[0]), (sizes[0], 10), (10, sizes[-1])))
y = np.tanh(x @ A / sizes[0] ** 0.5) @ B / 10**0.5
y += rng.normal(0, 0.1, y.shape)

network = (MLPClassifier if sizes[-1] > 1 else MLPRegressor)(
    hidden_layer_sizes=sizes[1:-1],
    activation=hidden,
    solver="sgd",
    alpha=0,
    batch_size=int(rows),
    learning_rate_init=float(rate),
    max_iter=int(epochs),
    shuffle=False,
    tol=0,
    momentum=0,
    n_iter_no_change=int(epochs),
)
network.fit(x, y.argmax(axis=1) if sizes[-1] > 1 else y[:, 0])
np.savez("params.npz", *network.coefs_, *network.intercepts_)
np.save("losses.npy", network.loss_curve_)
