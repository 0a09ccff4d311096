from __future__ import annotations

import os
import platform
import signal

import numpy as np
import pytest
import threadpoolctl

from bpcli.data.table import Classes, Table, Values
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.provenance import data_digest, machine
from bpcli.workflows.interrupts import stop_requests


def test_the_digest_of_data_sees_inputs_values_and_labels() -> None:
    X = np.zeros((2, 1))
    tables = [
        Table(X),
        Table(X + 1),
        Table(X, targets=Values(X)),
        Table(X, targets=Values(X + 1)),
        Table(X, targets=Classes(np.array([0, 1]), ())),
        Table(X, targets=Classes(np.array([1, 0]), ())),
    ]
    assert len({data_digest(table) for table in tables}) == 6
    assert data_digest(tables[2]) == data_digest(Table(X.copy(), targets=Values(X.copy())))


def test_the_machine_is_described() -> None:
    found = machine()
    assert found.versions["numpy"] == np.__version__
    assert found.platform == platform.platform()
    assert any(library["architecture"] for library in found.blas)


def test_blas_is_pinned_to_one_thread() -> None:
    def threads() -> set[int]:
        libraries = threadpoolctl.threadpool_info()
        return {info["num_threads"] for info in libraries if info["user_api"] == "blas"}

    with threadpoolctl.threadpool_limits(2, "blas"), repeatable_numerics():
        assert threads() == {1}


def test_the_second_signal_leaves_at_once_and_all_is_put_back() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with stop_requests() as request:
        os.kill(os.getpid(), signal.SIGINT)
        assert request.signal_number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert {number: signal.getsignal(number) for number in before} == before


def test_a_block_within_a_block_is_split_of_it() -> None:
    with stop_requests() as outer:
        with stop_requests() as inner:
            os.kill(os.getpid(), signal.SIGINT)
        assert outer is inner
        assert outer.signal_number == signal.SIGINT
        assert signal.getsignal(signal.SIGINT) == outer.receive  # still ours after the inner one
    assert signal.getsignal(signal.SIGINT) != outer.receive
