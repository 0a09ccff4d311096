from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import Problem, problems

from bpcli.nn.propagation import Workspace, backward, forward
from bpcli.nn.recording import Tape
from bpcli.training.rows import Rows
from bpcli.training.sums import RecordedPass


def direct(problem: Problem, rows: Rows, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    work = Workspace(problem.network, params)
    inputs, targets, weight = rows.block(0, len(rows))
    work.fit(len(rows))
    forward(work, inputs)
    backward(work, targets, weight)
    return work.grad, work.layers[-1].z


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(problem=problems())
@settings(max_examples=150, deadline=None)
def test_a_recorded_pass_repeats_the_kernel_to_the_bit(problem: Problem, dtype: type) -> None:
    rows = Rows.of(problem.network, problem.X, problem.Y, np.dtype(dtype), problem.weight)
    params = np.zeros(problem.network.n_params, dtype)
    recorded = RecordedPass(problem.network, params, rows.block(0, len(rows)))
    for scale in (1, -2, 0.3):
        params[:] = scale * problem.params  # other numbers, other signs than when it was recorded
        grad, z = direct(problem, rows, params)
        np.testing.assert_array_equal(recorded.grad(), grad)
        np.testing.assert_array_equal(recorded.Z, z)


def test_a_recorded_pass_reads_its_block_anew_each_time() -> None:
    tape = Tape()
    x, out = np.arange(3.0), np.empty(3)
    np.multiply(tape.watch(x), 2, out=tape.watch(out))
    (operation,) = tape.close()
    x[:] = 5
    operation()
    assert out.tolist() == [10, 10, 10]


def test_intermediate_results_keep_their_place() -> None:
    tape = Tape()
    x, out = np.array([1.0, -1.0]), tape.empty(2, np.float64)
    watched = tape.watch(x)
    np.multiply(watched, watched > 0, out=out)
    operations = tape.close()
    x[:] = [-3, 4]
    for operation in operations:
        operation()
    assert np.asarray(out).tolist() == [0, 4]


def test_what_cannot_be_recorded_is_refused() -> None:
    watched = Tape().watch(np.ones(3))
    with pytest.raises(TypeError, match="cumsum cannot be recorded"):
        np.cumsum(watched)
    with pytest.raises(TypeError, match=r"use np\.copyto"):
        watched[1:] = 0
    for lost in (
        lambda: watched.copy(),
        lambda: watched.astype("f4"),
        lambda: watched[[0, 1]],
        lambda: watched[watched > 0],
        lambda: bool((watched > 0).all()),
    ):
        with pytest.raises(TypeError, match="cannot be recorded"):
            lost()


def test_a_closed_tape_notes_nothing_more() -> None:
    tape = Tape()
    watched = tape.watch(np.ones(3))
    assert len(tape.close()) == 0
    watched[0] = 4
    assert (watched + 1).sum() == 9
    assert not tape.operations
