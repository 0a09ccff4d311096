"""jaxopt's LBFGS with its default line search (zoom), ten pairs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxopt import LBFGS

from benchmarks.solution.solvers.jax_loop import CompiledSolver, loop, outputs


class Solver(CompiledSolver):
    """Its states know what they have evaluated."""

    def solve(self) -> Any:
        problem = self.problem
        scale, decay, has_classes = problem.scale, problem.decay, problem.has_classes

        def objective(params: Any, X: Any, Y: Any) -> Any:
            z = outputs(params, X)
            if has_classes:
                loss = -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(z), axis=1))
            else:
                loss = scale * jnp.sum((z - Y) ** 2)
            return loss + 0.5 * decay * (jnp.sum(params[0] ** 2) + jnp.sum(params[2] ** 2))

        solver = LBFGS(jax.value_and_grad(objective), value_and_grad=True, history_size=10, tol=0)

        def begin(params: Any, rows: Any) -> Any:
            return params, solver.init_state(params, *rows)

        def step(state: Any, rows: Any) -> Any:
            return tuple(solver.update(*state, *rows))

        return loop(begin, step, lambda state: state[1].value)

    def counts(self, steps: int, state: Any) -> dict[str, int]:
        return {"gradients": int(state[1].num_grad_eval)}
