"""The objective in plain numpy, for the solvers of scipy: value, gradient, residuals, Jacobian."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from benchmarks.solution.problem import Problem


class NumpyNetwork:
    """A vector is W1, b1, W2, b2. The forward pass of the last vector is kept, as MINPACK asks for
    a Jacobian where it has asked for residuals.

    Large arrays are made once: a new one costs as much as what is written into it. So the next
    Jacobian overwrites the last one, which scipy's solvers no longer need then.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._shapes = [array.shape for array in problem.start]
        self._ends = np.cumsum([array.size for array in problem.start])[:-1]
        self._at: np.ndarray | None = None
        rows, units = len(problem.X), len(problem.start[1])
        self._a, self._hidden = np.empty((rows, units)), np.empty((rows, units))

    def _unpack(self, vector: np.ndarray) -> list[np.ndarray]:
        parts = np.split(vector, self._ends)
        return [part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def value_and_grad(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """The objective and its gradient."""
        W1, b1, W2, b2 = self._unpack(vector)
        X, decay, a, hidden = self.problem.X, self.problem.decay, self._a, self._hidden
        self._write_hidden_values(W1, b1)
        value, delta = self._loss(a @ W2.T + b2)
        grads = [delta.T @ a, delta.sum(axis=0)]
        np.matmul(delta, W2, out=hidden)
        np.multiply(a, a, out=a)
        np.subtract(1, a, out=a)
        np.multiply(hidden, a, out=hidden)
        grads = [hidden.T @ X, hidden.sum(axis=0), *grads]
        if decay:
            value += 0.5 * decay * float(np.vdot(W1, W1) + np.vdot(W2, W2))
            grads[0] += decay * W1
            grads[2] += decay * W2
        return value, np.concatenate([grad.ravel() for grad in grads])

    def _write_hidden_values(self, W1: np.ndarray, b1: np.ndarray) -> None:
        np.matmul(self.problem.X, W1.T, out=self._a)
        np.add(self._a, b1, out=self._a)
        np.tanh(self._a, out=self._a)

    def _loss(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """The mean loss, and its derivative by z (n, outputs)."""
        if not self.problem.has_classes:
            residual = z - self.problem.Y
            scale = self.problem.scale
            return scale * float(np.vdot(residual, residual)), 2 * scale * residual
        z -= z.max(axis=1, keepdims=True)
        exp = np.exp(z)
        total = exp.sum(axis=1, keepdims=True)
        value = float(np.log(total).sum() - np.vdot(self.problem.Y, z))
        return value / len(z), (exp / total - self.problem.Y) / len(z)

    # Least squares: objective = ½ Σ residual².

    @cached_property
    def _J(self) -> np.ndarray:  # noqa: N802  # a matrix
        """(parameters, rows, outputs); an output does not depend on the weights of the others."""
        return np.zeros((self.problem.vector.size, *self.problem.Y.shape))

    def residuals(self, vector: np.ndarray) -> np.ndarray:
        """√(2 scale) (a - y), for rows and outputs in this order."""
        self._forward(vector)
        return self._residuals

    def jacobian(self, vector: np.ndarray) -> np.ndarray:
        """The derivatives of the residuals: (n · outputs, parameters), stored by columns."""
        self._forward(vector)
        X, (units, inputs) = self.problem.X, self._shapes[0]
        outputs = self.problem.Y.shape[1]
        J = self._J
        slope = (1 - self._a * self._a).T
        for k, weights in enumerate(self._W2):
            hidden = (self._factor * weights)[:, None] * slope
            first = J[: units * inputs, :, k].reshape(units, inputs, len(X))
            np.multiply(hidden[:, None, :], X.T[None], out=first)
            J[units * inputs : units * (inputs + 1), :, k] = hidden
            at = units * (inputs + 1) + k * units
            J[at : at + units, :, k] = self._factor * self._a.T
            J[len(vector) - outputs + k, :, k] = self._factor
        return J.reshape(len(vector), -1).T

    def _forward(self, vector: np.ndarray) -> None:
        if self._at is not None and np.array_equal(vector, self._at):
            return
        self._at = vector.copy()
        self._factor = (2 * self.problem.scale) ** 0.5
        W1, b1, self._W2, b2 = self._unpack(self._at)
        self._write_hidden_values(W1, b1)
        z = self._a @ self._W2.T + b2
        self._residuals = (self._factor * (z - self.problem.Y)).ravel()
