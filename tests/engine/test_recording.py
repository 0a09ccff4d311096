from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from strategies import Problem, problems

from bpcli.engine.passes import Pass, RecordedPass
from bpcli.engine.recording import Tape, moved
from bpcli.engine.rows import Block, Rows
from bpcli.nn.activations import Softmax, Tanh
from bpcli.nn.losses import CrossEntropy
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import backward


def direct(network: Network, block: Block, params: np.ndarray) -> Pass:
    return Pass(network, params, block, backward)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(problem=problems())
def test_a_recorded_pass_repeats_the_kernel_to_the_bit(problem: Problem, dtype: type) -> None:
    rows = Rows.of(problem.network, problem.X, problem.Y, np.dtype(dtype), problem.weight)
    params = np.zeros(problem.network.n_params, dtype)
    recorded = RecordedPass(problem.network, params, rows.block(0, len(rows)))
    for scale in (1, -2, 0.3):
        params[:] = scale * problem.params  # other numbers, other signs than when it was recorded
        with np.errstate(over="ignore", invalid="ignore"):  # as in training: exp of large numbers
            assert_equal(recorded, direct(problem.network, rows.block(0, len(rows)), params))


def test_a_recorded_pass_frees_its_memory_and_its_rows() -> None:
    """numpy's arrays take no part in garbage collection: a cycle through one would stay."""
    network = Network((Layer(3, 4, Tanh()), Layer(4, 2, Softmax())), CrossEntropy())
    inputs = np.ones((5, 3))
    rows = Rows.of(network, inputs, np.eye(2)[[0, 1, 0, 1, 0]], np.dtype(float))
    block = rows.block(0, len(rows))
    params = np.ones(network.n_params)
    recorded = RecordedPass(network, params, block)
    kept = [weakref.ref(array) for array in (params, block.inputs)]
    del recorded, rows, block, params
    gc.collect()
    assert all(each() is None for each in kept)


WIDE = Network((Layer(101, 72, Tanh()), Layer(72, 3, Softmax())), CrossEntropy())
"""Wide enough for products by groups of units."""


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_recorded_pass_moves_to_other_blocks(dtype: type, weighted: bool) -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(3000, 101)), np.eye(3)[rng.integers(3, size=3000)]
    weight = rng.uniform(size=3000) if weighted else None
    rows = Rows.of(WIDE, X, Y, np.dtype(dtype), weight)
    params = rng.normal(size=WIDE.n_params).astype(dtype)
    size = rows.block_size
    recorded = RecordedPass(WIDE, params, rows.block(0, size))
    full = range(0, 3000 - size + 1, size)
    assert len(full) >= 3
    for start in [*full, 0]:
        block = rows.block(start, start + size)
        recorded.move_to(block)
        assert_equal(recorded, direct(WIDE, block, params))


def assert_equal(recorded: Pass, plain: Pass) -> None:
    np.testing.assert_array_equal(recorded.grad(), plain.grad())
    np.testing.assert_array_equal(recorded.Z, plain.Z)
    np.testing.assert_array_equal(recorded.loss(), plain.loss())  # which may both be NaN


def test_an_operation_moves_with_the_array_whose_method_it_is() -> None:
    tape = Tape()
    here, there = np.arange(6.0).reshape(2, 3), np.arange(6.0, 12).reshape(2, 3)
    out, largest = np.empty((2, 2)), np.empty(3)
    traced = tape.trace(here)
    traced.dot(np.ones((3, 2)), out)
    np.maximum.reduce(traced[::-1], axis=0, out=largest)
    untouched = np.dot, (np.ones(3), np.ones(3))
    for operation in tape.close():
        func, args = moved(operation, here, there)
        func(*args)
    assert out.tolist() == [[21, 21], [30, 30]]
    assert largest.tolist() == [9, 10, 11]
    assert moved(untouched, here, there) is untouched


def test_a_recorded_pass_reads_its_block_anew_each_time() -> None:
    tape = Tape()
    x, out = np.arange(3.0), np.empty(3)
    np.multiply(tape.trace(x), 2, out=tape.trace(out))
    ((func, args),) = tape.close()
    x[:] = 5
    func(*args)
    assert out.tolist() == [10, 10, 10]


def test_intermediate_results_keep_their_place() -> None:
    tape = Tape()
    x, out = np.array([1.0, -1.0]), tape.zeros((2,), np.float64)
    traced = tape.trace(x)
    np.multiply(traced, traced > 0, out=out)
    operations = tape.close()
    x[:] = [-3, 4]
    for func, args in operations:
        func(*args)
    assert np.asarray(out).tolist() == [0, 4]


def test_what_cannot_be_recorded_is_refused() -> None:
    traced = Tape().trace(np.ones(3))
    with pytest.raises(TypeError, match="cumsum cannot be recorded"):
        np.cumsum(traced)
    with pytest.raises(TypeError, match=r"use np\.copyto"):
        traced[1:] = 0
    for lost in (
        lambda: traced.copy(),
        lambda: traced.astype("f4"),
        lambda: traced[[0, 1]],
        lambda: traced[traced > 0],
        lambda: bool((traced > 0).all()),
    ):
        with pytest.raises(TypeError, match="cannot be recorded"):
            lost()


def test_a_closed_tape_notes_nothing_more() -> None:
    tape = Tape()
    traced = tape.trace(np.ones(3))
    assert len(tape.close()) == 0
    traced[0] = 4
    assert (traced + 1).sum() == 9
    assert not tape.operations
