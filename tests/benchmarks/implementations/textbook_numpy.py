"""Back-propagation on numpy as a textbook writes it: rows are samples, the whole batch at once."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from benchmarks.problem import Problem, named


class Trainer:
    """Fresh arrays for every intermediate result; BLAS uses the threads it likes."""

    def __init__(self, folder: Path) -> None:
        self.problem = Problem.load(folder)

    def run(self, epochs: int) -> float:
        self.weights = [W.copy() for W in self.problem.weights]
        self.biases = [b.copy() for b in self.problem.biases]
        began = time.perf_counter()
        for _ in range(epochs):
            self._epoch()
        return time.perf_counter() - began

    def _epoch(self) -> None:
        rate = self.problem.learning_rate
        a = self._forward()
        delta = (a[-1] - self.problem.Y) / len(self.problem.Y)
        for layer in reversed(range(len(self.weights))):
            W, b = self.weights[layer], self.biases[layer]
            grad_W, grad_b = delta.T @ a[layer], delta.sum(axis=0)
            if layer > 0:
                delta = (delta @ W) * self._slope(a[layer])
            W -= rate * grad_W
            b -= rate * grad_b

    def _forward(self) -> list[np.ndarray]:
        a = [self.problem.X]
        for W, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = a[-1] @ W.T + b
            a.append(np.tanh(z) if self.problem.hidden == "tanh" else np.maximum(z, 0))
        z = a[-1] @ self.weights[-1].T + self.biases[-1]
        return [*a, _softmax(z) if self.problem.has_classes else z]

    def _slope(self, a: np.ndarray) -> np.ndarray:
        return 1 - a**2 if self.problem.hidden == "tanh" else a > 0

    def params(self) -> dict[str, np.ndarray]:
        return named(self.weights, self.biases)


def _softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
