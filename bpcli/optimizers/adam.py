"""Adam: each parameter moves by about the learning rate, whatever the gradient's scale.

    m ← β₁ m + (1 - β₁) g          v ← β₂ v + (1 - β₂) g²          g = ∂objective/∂params
    params ← params - η m̂ / (√v̂ + ε),      m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)

in step t = 1, 2, … Kingma & Ba 2015, arXiv:1412.6980, Algorithm 1. The code uses the faster order
that the paper recommends at the end of its section 2, with ε scaled so that the result is the same:

    params ← params - η √(1 - β₂ᵗ)/(1 - β₁ᵗ) · m / (√v + ε √(1 - β₂ᵗ))
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Lt, doc

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import COUNT, Bounds, Objective, Optimizer, Point, State


@dataclass(frozen=True)
class Adam(Optimizer):
    """Gradient descent with running means of the gradient and of its square."""

    formulas = (
        "m ← beta1 m + (1 - beta1) ∂objective/∂params",
        "v ← beta2 v + (1 - beta2) (∂objective/∂params)²",
        "m_hat = m / (1 - beta1^t)",
        "v_hat = v / (1 - beta2^t)",
        "params ← params - η m_hat / (√v_hat + epsilon)",
    )
    notation = "t counts the updates; m and v are running means, called mean and square below."

    default_learning_rate: ClassVar[float | None] = 0.05
    mini_batch_learning_rate: ClassVar[float | None] = 0.01
    full_batch_because: ClassVar[str | None] = None

    beta1: Annotated[float, Ge(0), Lt(1), doc("Decay of the mean gradient, per step.")] = 0.9
    beta2: Annotated[float, Ge(0), Lt(1), doc("Decay of the mean square, per step.")] = 0.999
    epsilon: Annotated[float, Gt(0), doc("Keeps the divisor above 0.")] = 1e-8

    def memory_bytes(self, n_params: int, itemsize: int) -> int:
        return 4 * n_params * itemsize  # both means, before and after a step

    def init(self, params: Vector) -> State:
        return {
            "mean": np.zeros_like(params),
            "square": np.zeros_like(params),
            "steps": np.asarray(0),
        }

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {"steps": COUNT}

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        grad = point.grad(objective)
        mean = self.beta1 * state["mean"]
        mean += (1 - self.beta1) * grad
        square = self.beta2 * state["square"]
        square += (1 - self.beta2) * grad * grad
        steps = int(state["steps"]) + 1
        scale = math.sqrt(1 - self.beta2**steps)  # √v = scale · √v̂
        change = np.sqrt(square)
        change += self.epsilon * scale
        np.divide(mean, change, change)
        change *= learning_rate * (scale / (1 - self.beta1**steps))
        np.subtract(point.params, change, change)
        return Point(change), {"mean": mean, "square": square, "steps": np.asarray(steps)}
