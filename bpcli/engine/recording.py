"""Numpy operations on arrays that stay in place, recorded once and then repeated.

A small network's epoch takes as long as its dozen numpy calls, and Python between them takes as
long again. So its forward and backward pass run once on watched arrays, which note every operation
they take part in; repeating the notes is all that is left to do (50 rows of 3-4-1: 5 instead of
9 µs an epoch). What is repeated is what `propagation` did: the same functions on the same memory,
or, once `moved`, on another block of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from bpcli.nn.arrays import Array, aligned_zeros

Recorded: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and its arguments. A `partial` takes 10 ns more to call, a `NamedTuple` to unpack."""


class Tape:
    """Notes what is done to the arrays it watches, until it is closed."""

    def __init__(self) -> None:
        self.operations: list[Recorded] = []
        self.is_open = True

    def watch(self, array: Array) -> Watched:
        """A view of an array whose operations are noted, and so are those on its own views."""
        watched = array.view(Watched)
        watched.tape = self
        return watched

    def zeros(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """As `aligned_zeros`, watched."""
        return self.watch(aligned_zeros(shape, dtype))

    def close(self) -> list[Recorded]:
        """Note nothing from here on; what there is, in order."""
        self.is_open = False
        return self.operations


_KEYWORD_ONLY = (np.maximum, np.minimum)
"""They deprecate a third argument in the place of `out`."""


class Watched(np.ndarray[Any, np.dtype[Any]]):
    """An array that notes, on its tape, the operations it takes part in.

    An operation's result is kept as the place its repetition writes to, so repeating allocates
    nothing. What a tape cannot note raises `TypeError`: it must not be lost.
    """

    tape: Tape
    plain: Array | None

    def __array_finalize__(self, source: Any) -> None:
        self.plain = None
        self.tape = getattr(source, "tape", None)  # type: ignore[assignment]  # set by `watch`
        if self.tape is not None and self.tape.is_open and self.flags.owndata:
            raise TypeError("a copy cannot be recorded")

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if self.tape.is_open and not all(_is_basic(part) for part in keys):
            raise TypeError("a choice of elements cannot be recorded")
        return super().__getitem__(key)

    def __bool__(self) -> bool:
        if self.tape.is_open:
            raise TypeError("a decision cannot be recorded")
        return bool(_plain(self))

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: tuple[Any, ...] = (), **options: Any
    ) -> Any:
        # The function itself where it is called: its `__call__` takes a slower way.
        run = ufunc if method == "__call__" else getattr(ufunc, method)
        plain = _constants_in_place([_plain(value) for value in inputs])
        result = run(*plain, out=tuple(map(_plain, out)) or None, **options)
        if run is ufunc and not options and ufunc not in _KEYWORD_ONLY:
            return self._note(run, (*plain, result), result)
        return self._note(partial(run, out=result, **options), plain, result)  # 0.1 µs more

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        plain = [_plain(value) for value in args]
        if self.tape.is_open and func is not np.copyto:
            raise TypeError(f"{func.__name__} cannot be recorded")
        return self._note(partial(func, **kwargs), plain, func(*plain, **kwargs))

    def dot(self, other: Array, out: Array) -> Array:  # type: ignore[override]  # out is a must
        """The matrix product, into `out`."""
        factors = _plain(self), _plain(other)
        result = np.ndarray.dot(*factors, _plain(out))
        noted: Array = self._note(np.ndarray.dot, (*factors, result), result)
        return noted

    def argmax(self, axis: int) -> Array:  # type: ignore[override]  # what the kernel uses
        """Where the largest value stands."""
        plain = _plain(self)
        result = plain.argmax(axis)
        noted: Array = self._note(np.ndarray.argmax, (plain, axis, result), result)
        return noted

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.tape.is_open:
            raise TypeError("an assignment to elements cannot be recorded: use np.copyto")
        _plain(self)[key] = value

    def _note(self, func: Callable[..., Any], args: Iterable[Any], result: Any) -> Any:
        if not self.tape.is_open:
            return result
        if isinstance(result, np.generic):
            raise TypeError("a single number cannot be recorded")
        self.tape.operations.append((func, tuple(args)))
        return None if result is None else self.tape.watch(result)


def _is_basic(key: Any) -> bool:
    """Whether a key of an array makes a view."""
    return key is None or key is Ellipsis or isinstance(key, int | slice)


def moved(operation: Recorded, here: Array, there: Array) -> Recorded:
    """A recorded operation with another array, laid out alike, in place of one that it reads.

    The operation itself if it reads neither that array nor a view of it.
    """
    func, args = operation
    there_args = tuple(_moved(value, here, there) for value in args)
    if all(new is old for new, old in zip(there_args, args, strict=True)):
        return operation
    return func, there_args


def _moved(value: Any, here: Array, there: Array) -> Any:
    if not isinstance(value, np.ndarray) or not np.may_share_memory(value, here):
        return value
    offset = value.__array_interface__["data"][0] - here.__array_interface__["data"][0]
    return np.ndarray(value.shape, value.dtype, there, offset, value.strides)


def kind_of(func: Callable[..., Any]) -> str:
    """What sort of work the function of a recorded operation does."""
    name = (func.func if isinstance(func, partial) else func).__name__
    kinds = {
        "dot": "matrix products",
        "matmul": "matrix products",
        "reduce": "sums and maxima",
        "argmax": "sums and maxima",
    }
    return kinds.get(name, "elementwise functions")


def _plain(value: Any) -> Any:
    """The array itself, always the same: of two that share memory numpy asks how (0.2 µs)."""
    if not isinstance(value, Watched):
        return value
    if value.plain is None:
        value.plain = value.view(np.ndarray)
    return value.plain


def _constants_in_place(inputs: list[Any]) -> list[Any]:
    """Python numbers as arrays of the others' dtype: numpy would convert them at every call.

    The conversion took half the time of an operation on 50 numbers.
    """
    floats = [x.dtype for x in inputs if isinstance(x, np.ndarray) and x.dtype.kind in "fc"]
    if len(set(floats)) != 1:
        return inputs
    return [np.asarray(x, floats[0]) if isinstance(x, int | float) else x for x in inputs]
