"""optimistix' LevenbergMarquardt, on the residuals; JAX differentiates them.

`linear_solver` is lineax' QR, its default, or `cholesky` of the normal equations.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import lineax as lx
import optimistix as optx

from benchmarks.solution.solvers.jax_loop import CompiledSolver, loop, outputs

_NO_TAGS: frozenset[object] = frozenset()


class Solver(CompiledSolver):
    """A step evaluates the Jacobian where the last one has led, also if it is rejected."""

    def __init__(self, folder: Path, linear_solver: str = "qr") -> None:
        self._linear_solver = linear_solver
        super().__init__(folder, linear_solver)

    def solve(self) -> Any:
        factor = (2 * self.problem.scale) ** 0.5
        linear = lx.QR() if self._linear_solver == "qr" else lx.Normal(lx.Cholesky())
        solver = optx.LevenbergMarquardt(rtol=0.0, atol=0.0, linear_solver=linear)

        def residuals(params: Any, rows: Any) -> tuple[Any, None]:
            X, Y = rows
            return factor * (outputs(params, X) - Y), None

        static: Any = None

        def begin(params: Any, rows: Any) -> Any:
            nonlocal static
            shape = jax.eval_shape(lambda: residuals(params, rows)[0])
            state = solver.init(residuals, params, rows, {}, shape, None, _NO_TAGS)
            dynamic, static = eqx.partition(state, eqx.is_array)
            return params, dynamic

        def step(state: Any, rows: Any) -> Any:
            params, dynamic = state
            whole = eqx.combine(dynamic, static)
            params, whole, _ = solver.step(residuals, params, rows, {}, whole, _NO_TAGS)
            return params, eqx.filter(whole, eqx.is_array)

        def value(state: Any) -> Any:
            return 0.5 * jnp.sum(state[1].f_info.residual ** 2)

        return loop(begin, step, value)

    def counts(self, steps: int, state: Any) -> dict[str, int]:
        return {"jacobians": steps}
