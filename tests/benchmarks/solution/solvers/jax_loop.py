"""What both JAX solvers share: the network, and a whole solution compiled into one loop.

Compiled once for each shape: the rows are arguments. Processor time for compiling is not that of
the solution; it is told beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.solution.problem import STALLED, STALLED_AFTER, Problem
from benchmarks.solution.progress import Solution

jax.config.update("jax_enable_x64", True)

Step = Callable[[Any, Any], tuple[Any, Any]]
_LONG_ENOUGH = 0.1
_MOST = 10_000
_COMPILED: dict[Any, tuple[Any, float, float]] = {}


def outputs(params: list[Any], X: Any) -> Any:
    """The z of the output layer: (n, outputs)."""
    W1, b1, W2, b2 = params
    return jnp.tanh(X @ W1.T + b1) @ W2.T + b2


def loop(begin: Callable[..., Any], step: Callable[..., Any], value: Callable[..., Any]) -> Any:
    """A function of the parameters, the rows, the target and the most steps, to be compiled.

    `begin` makes the state, `step` makes the next one, and `value` gives its objective.
    """

    def solve(params: Any, rows: Any, target: Any, most: Any) -> tuple[Any, Any, Any]:
        first = step(begin(params, rows), rows)

        def goes_on(carried: Any) -> Any:
            state, steps, _, _, idle = carried
            waits = (target > -jnp.inf) | (idle <= STALLED_AFTER)
            return (value(state) > target) & (steps < most) & waits

        def advance(carried: Any) -> Any:
            state, steps, start, mark, idle = carried
            state = step(state, rows)
            falls = value(state) < mark - STALLED * (start - mark)
            mark, idle = jnp.where(falls, value(state), mark), jnp.where(falls, 0, idle + 1)
            return state, steps + 1, start, mark, idle

        begun = value(first)
        state, steps, *_ = jax.lax.while_loop(goes_on, advance, (first, 1, begun, begun, 0))
        return value(state), steps, state

    return solve


class CompiledSolver:
    """Runs a compiled loop; `counts` turns the steps and the last state into evaluations."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.problem = problem = Problem.load(folder)
        self._start = [jnp.asarray(array) for array in problem.start]
        self._rows = (jnp.asarray(problem.X), jnp.asarray(problem.Y))
        shapes = tuple(array.shape for array in (*self._start, *self._rows))
        key = (shapes, problem.loss, problem.l2, *options)
        if key not in _COMPILED:
            began = process_time()
            self._compiled = jax.jit(self.solve()).lower(self._start, self._rows, 0.0, 0).compile()
            seconds = process_time() - began
            _COMPILED[key] = (self._compiled, seconds, self._measured_step())
        self._compiled, self._compile_seconds, self._step_seconds = _COMPILED[key]

    def solve(self) -> Any:
        """The function to compile, made by `loop`."""
        raise NotImplementedError

    def counts(self, steps: int, state: Any) -> dict[str, int]:
        """What was evaluated."""
        raise NotImplementedError

    def _measured_step(self) -> float:
        """Processor time of a step, without that of the first one, which takes longer."""
        steps, seconds, longer = 1, 0.0, 0.0
        while longer < _LONG_ENOUGH and steps < _MOST:
            seconds, longer = (self._timed(-jnp.inf, most)[1] for most in (steps, 2 * steps))
            steps *= 2
        return max(longer - seconds, 0.1 * longer) / (steps // 2)

    def run(self, target: float | None, budget: float, counted: bool) -> Solution:
        most = max(1, int(budget / self._step_seconds))
        goal = -jnp.inf if target is None else target
        (value, steps, state), seconds = self._timed(goal, most)
        counts = self.counts(int(steps), state)
        return Solution(float(value), seconds, compile_seconds=self._compile_seconds, **counts)

    def _timed(self, target: float, most: int) -> tuple[Any, float]:
        began = process_time()
        found = self._compiled(self._start, self._rows, target, most)
        jax.block_until_ready(found)
        return found, process_time() - began
