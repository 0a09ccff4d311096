"""The shortest PyTorch script: make the rows, train in float64, save parameters and losses.

`python with_pytorch.py ROWS LAYERS HIDDEN RATE EPOCHS`, such as `50 3-4-1 relu 0.1 500`.
"""

import sys
from itertools import pairwise

import numpy as np
import torch
from torch import nn

rows, layers, hidden, rate, epochs = sys.argv[1:]
sizes = [int(size) for size in layers.split("-")]

rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(0,)))
x, A, B = (rng.standard_normal(s) for s in ((int(rows), sizes[0]), (sizes[0], 10), (10, sizes[-1])))
y = np.tanh(x @ A / sizes[0] ** 0.5) @ B / 10**0.5
y += rng.normal(0, 0.1, y.shape)
X, Y = torch.from_numpy(x), torch.from_numpy(y)

torch.set_default_dtype(torch.float64)
activation = {"tanh": nn.Tanh, "relu": nn.ReLU}[hidden]
modules = []
for inputs, units in pairwise(sizes):
    modules += [nn.Linear(inputs, units), activation()]
network = nn.Sequential(*modules[:-1])
if sizes[-1] > 1:
    Y, loss_of = Y.argmax(1), nn.CrossEntropyLoss()
else:
    loss_of = nn.MSELoss()
optimizer = torch.optim.SGD(network.parameters(), lr=float(rate))

losses = []
for _ in range(int(epochs)):
    optimizer.zero_grad()
    loss = loss_of(network(X), Y)
    loss.backward()
    optimizer.step()
    losses.append(loss.detach())
torch.save(network.state_dict(), "params.pt")
np.save("losses.npy", torch.stack(losses).numpy())
