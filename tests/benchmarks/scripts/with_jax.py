"""The shortest JAX script: make the rows, train in float64, save parameters and losses.

`python with_jax.py ROWS LAYERS HIDDEN RATE EPOCHS`, such as `50 3-4-1 relu 0.1 500`.
"""

import sys
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

rows, layers, hidden, rate, epochs = sys.argv[1:]
sizes = [int(size) for size in layers.split("-")]
jax.config.update("jax_enable_x64", True)

rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(0,)))
x, A, B = (rng.standard_normal(s) for s in ((int(rows), sizes[0]), (sizes[0], 10), (10, sizes[-1])))
y = np.tanh(x @ A / sizes[0] ** 0.5) @ B / 10**0.5
y += rng.normal(0, 0.1, y.shape)
if sizes[-1] > 1:
    y = np.eye(sizes[-1])[y.argmax(axis=1)]
start = [
    (rng.standard_normal((inputs, units)) / inputs**0.5, np.zeros(units))
    for inputs, units in pairwise(sizes)
]
activation = {"tanh": jnp.tanh, "relu": jax.nn.relu}[hidden]


def loss(params, X, Y):
    a = X
    for W, b in params[:-1]:
        a = activation(a @ W + b)
    W, b = params[-1]
    z = a @ W + b
    if sizes[-1] > 1:
        return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(z), axis=1))
    return jnp.mean((z - Y) ** 2)


@jax.jit
def train(params, X, Y):
    def epoch(params, _):
        value, grads = jax.value_and_grad(loss)(params, X, Y)
        return jax.tree.map(lambda w, g: w - float(rate) * g, params, grads), value

    return jax.lax.scan(epoch, params, length=int(epochs))


params, losses = train(start, x, y)
np.savez("params.npz", *jax.tree.leaves(params))
np.save("losses.npy", losses)
