"""Numpy operations on arrays that stay in place, recorded once and then repeated.

In a small network's epoch, the Python code between a dozen numpy calls takes as long as the calls.
So its forward and backward pass run once on traced arrays, which record every operation on them;
afterwards only the recorded operations are repeated (50 rows of 3-4-1: 5 instead of 9 µs per
epoch). These are the operations of `propagation`: the same functions on the same memory or, once
`moved`, on another block of rows.
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
    """Records the operations on the arrays that it traces, until it is closed."""

    def __init__(self) -> None:
        self.operations: list[Recorded] = []
        self.is_open = True

    def trace(self, array: Array) -> Traced:
        """A view of an array; operations on it and on its own views are recorded."""
        traced = array.view(Traced)
        traced.tape = self
        return traced

    def zeros(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Like `aligned_zeros`, traced."""
        return self.trace(aligned_zeros(shape, dtype))

    def close(self) -> list[Recorded]:
        """Stop recording; return the operations in order."""
        self.is_open = False
        return self.operations


_KEYWORD_ONLY = (np.maximum, np.minimum)
"""They deprecate `out` as a third positional argument."""


class Traced(np.ndarray[Any, np.dtype[Any]]):
    """An array that records the operations on it on its tape.

    A repeated operation writes to the array of its first result, so repeating allocates nothing.
    Raises `TypeError` for operations that cannot be recorded.
    """

    tape: Tape
    plain: Array | None

    def __array_finalize__(self, source: Any) -> None:
        self.plain = None
        self.tape = getattr(source, "tape", None)  # type: ignore[assignment]  # set by `trace`
        if self.tape is not None and self.tape.is_open and self.flags.owndata:
            raise TypeError("a copy cannot be recorded")

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if self.tape.is_open and not all(_is_basic(part) for part in keys):
            raise TypeError("indexing with an array or a list cannot be recorded")
        return super().__getitem__(key)

    def __bool__(self) -> bool:
        if self.tape.is_open:
            raise TypeError("a decision that depends on an array cannot be recorded")
        return bool(_plain(self))

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: tuple[Any, ...] = (), **options: Any
    ) -> Any:
        # The ufunc itself, as its `__call__` is slower.
        run = ufunc if method == "__call__" else getattr(ufunc, method)
        plain = _constants_in_place([_plain(value) for value in inputs])
        result = run(*plain, out=tuple(map(_plain, out)) or None, **options)
        if run is ufunc and not options and ufunc not in _KEYWORD_ONLY:
            return self._record(run, (*plain, result), result)
        return self._record(partial(run, out=result, **options), plain, result)  # 0.1 µs more

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        plain = [_plain(value) for value in args]
        if self.tape.is_open and func is not np.copyto:
            raise TypeError(f"{func.__name__} cannot be recorded")
        return self._record(partial(func, **kwargs), plain, func(*plain, **kwargs))

    def dot(self, other: Array, out: Array) -> Array:  # type: ignore[override]  # out is required
        """The matrix product, into `out`."""
        factors = _plain(self), _plain(other)
        result = np.ndarray.dot(*factors, _plain(out))
        traced: Array = self._record(np.ndarray.dot, (*factors, result), result)
        return traced

    def argmax(self, axis: int) -> Array:  # type: ignore[override]  # what the kernel uses
        """The index of the largest value."""
        plain = _plain(self)
        result = plain.argmax(axis)
        traced: Array = self._record(np.ndarray.argmax, (plain, axis, result), result)
        return traced

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.tape.is_open:
            raise TypeError("an assignment to elements cannot be recorded: use np.copyto")
        _plain(self)[key] = value

    def _record(self, func: Callable[..., Any], args: Iterable[Any], result: Any) -> Any:
        if not self.tape.is_open:
            return result
        if isinstance(result, np.generic):
            raise TypeError("a single number cannot be recorded")
        self.tape.operations.append((func, tuple(args)))
        return None if result is None else self.tape.trace(result)


def _is_basic(key: Any) -> bool:
    """Whether indexing with this key gives a view."""
    return key is None or key is Ellipsis or isinstance(key, int | slice)


def moved(operation: Recorded, old: Array, new: Array) -> Recorded:
    """A recorded operation that reads `new`, laid out alike, where it read `old` or a view of it.

    Returns the operation itself if it does not read `old`.
    """
    func, args = operation
    new_args = tuple(_moved(value, old, new) for value in args)
    if all(after is before for after, before in zip(new_args, args, strict=True)):
        return operation
    return func, new_args


def _moved(value: Any, old: Array, new: Array) -> Any:
    if not isinstance(value, np.ndarray) or not np.may_share_memory(value, old):
        return value
    return _same_view(value, old, new)


def _same_view(value: Array, old: Array, new: Array) -> Array:
    """The view of `new` that a value is of `old`."""
    offset = value.__array_interface__["data"][0] - old.__array_interface__["data"][0]
    return np.ndarray(value.shape, value.dtype, new, offset, value.strides)


def category_of(func: Callable[..., Any]) -> str:
    """The category of a recorded operation's function, as a profile sums them up."""
    name = (func.func if isinstance(func, partial) else func).__name__
    categories = {
        "dot": "matrix products",
        "matmul": "matrix products",
        "reduce": "sums and maxima",
        "argmax": "sums and maxima",
    }
    return categories.get(name, "elementwise functions")


def _plain(value: Any) -> Any:
    """The plain array, always the same object: numpy checks two with shared memory for overlap.

    That takes 0.2 µs.
    """
    if not isinstance(value, Traced):
        return value
    if value.plain is None:
        memory = _memory_of(value)
        value.plain = _same_view(value, memory, memory)
    return value.plain


def _memory_of(value: Array) -> Array:
    """The array that has the memory of a view.

    A plain view of a traced view would keep that by its `base`, and be kept by it: a cycle that
    garbage collection, in which arrays take no part, never frees.
    """
    memory = value
    while isinstance(memory.base, np.ndarray):
        memory = memory.base
    return memory


def _constants_in_place(inputs: list[Any]) -> list[Any]:
    """Python numbers as arrays of the others' dtype, as numpy would convert them at every call.

    The conversion takes half the time of an operation on 50 numbers.
    """
    floats = [x.dtype for x in inputs if isinstance(x, np.ndarray) and x.dtype.kind in "fc"]
    if len(set(floats)) != 1:
        return inputs
    return [np.asarray(x, floats[0]) if isinstance(x, int | float) else x for x in inputs]
