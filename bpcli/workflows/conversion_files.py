"""The files of a conversion that is under way: the cells of its rows, and the journal of both.

They are beside the array that is to be written. A line of the journal says how many bytes of cells
belong to the pieces that were read so far, with their digest, and where the next piece begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from bpcli import system
from bpcli.data.conversion.cells import Cells, Plan
from bpcli.data.conversion.rows import ReadPosition
from bpcli.nn.arrays import Array
from bpcli.runs.files import (
    GrowingFile,
    not_read,
    not_saved,
    remove,
    strict_json,
    to_json,
    write_atomically,
)
from bpcli.runs.lock import Lock

_PIECES_BETWEEN_SYNCS = 16

SCHEMA = 1


@dataclass(frozen=True)
class Files:
    """The names of the intermediate files of an array."""

    array: Path

    def named(self, suffix: str) -> Path:
        return self.array.with_name(f"{self.array.name}.partial{suffix}")

    @property
    def cells(self) -> Path:
        return self.named(".cells")

    @property
    def journal(self) -> Path:
        return self.named(".journal")

    @property
    def written(self) -> Path:
        """The array while it is being written."""
        return self.named("")

    @property
    def lock(self) -> Path:
        return self.named(".lock")

    def remove(self) -> None:
        """Remove all of them except the lock."""
        for path in (self.journal, self.cells, self.written):
            remove(path)


def locked(files: Files, stack: ExitStack) -> None:
    """Lock the conversion until the stack is closed, which also removes the file of the lock.

    Raises `LockHeld` if another process makes the same array.
    """
    lock = Lock(files.lock, f"{files.array} is being written")
    stack.callback(_unlock, lock, files.lock)


def _unlock(lock: Lock, path: Path) -> None:
    """Release a lock and remove its file: before that, where an open file can be removed."""
    if not system.pins_open_files():
        system.unlink(path)
    lock.close()
    if system.pins_open_files():
        with suppress(OSError):  # another process may have taken it
            system.unlink(path)


@dataclass(frozen=True)
class Resumed:
    """What a journal says: the plan, the state of the cells, and where to go on."""

    plan: Plan
    position: ReadPosition
    size: int
    modes: Mapping[str, Any]
    texts: Mapping[str, list[tuple[str, int]]]
    rounded: Mapping[str, int]


class Journal:
    """Writes the cells of each piece, and then a line about them.

    `size` are the bytes of the cells. Every method raises `RunError` if the system refuses it.
    """

    def __init__(self, files: Files, header: Mapping[str, Any], resumed: Resumed | None) -> None:
        self._files = files
        self._header = header
        self._pieces = 0
        if resumed is None:
            self._begin(Plan())
            return
        self._known = {name: len(texts) for name, texts in resumed.texts.items()}
        self._modes = dict(resumed.modes)
        self._cells = GrowingFile(files.cells, resumed.size)
        self._lines = GrowingFile(files.journal, files.journal.stat().st_size)

    @property
    def size(self) -> int:
        return self._cells.size

    def _begin(self, plan: Plan) -> None:
        self._known, self._modes = {}, {}
        first = {**self._header, "plan": asdict(plan)}
        write_atomically(self._files.journal, _line(first))
        self._cells = GrowingFile(self._files.cells)
        self._lines = GrowingFile(self._files.journal, self._files.journal.stat().st_size)

    def begin_again(self, plan: Plan) -> None:
        """Begin without rows, by another plan."""
        self.close()
        self._begin(plan)

    def append(self, array: Array, cells: Cells, position: ReadPosition) -> None:
        """Add the cells of a piece, and the place after it."""
        self._cells.grow(array.tobytes())
        line = {
            "size": self._cells.size,
            "sha256": self._cells.digest(),
            "place": asdict(position),
            "modes": {k: mode for k, mode in cells.modes.items() if self._modes.get(k) != mode},
            "rounded": cells.rounded,
            "texts": {k: new for k in cells.texts if (new := self._new_texts(cells, k))},
        }
        self._pieces += 1
        is_due = self._pieces % _PIECES_BETWEEN_SYNCS == 0
        if is_due:
            self._cells.sync()  # first: a line must not be on the disk without its cells
        self._lines.grow(_line(line))
        if is_due:
            self._lines.sync()
        self._modes = dict(cells.modes)
        self._known = {name: len(texts) for name, texts in cells.texts.items()}

    def _new_texts(self, cells: Cells, name: str) -> list[tuple[str, int]]:
        known = self._known.get(name, 0)
        texts = [*cells.texts[name]][known:]
        return list(zip(texts, cells.firsts[name][known:], strict=True))

    def close(self) -> None:
        """Close the files."""
        self._cells.close()
        self._lines.close()


def _line(value: Mapping[str, Any]) -> bytes:
    return (to_json(value, indent=None) + "\n").encode()


def resumed(files: Files, header: Mapping[str, Any]) -> Resumed | None:
    """Where to go on; None if there are no files of a conversion with this header.

    Lines whose cells are not on the disk, or are damaged, do not count.
    """
    try:
        content = files.journal.read_bytes()
        lines = [strict_json(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]
        first, *others = lines or [{}]
        plan = first.pop("plan", {})
        if first != strict_json(to_json(header)):
            return None
        return _state(files, Plan(**{k: _plain(v) for k, v in plan.items()}), others)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # of another program
        return None
    except OSError as error:
        raise not_read(files.journal, error) from None


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _state(files: Files, plan: Plan, lines: list[Any]) -> Resumed | None:
    whole = _whole_lines(files.cells, lines) if lines else []
    _cut(files.journal, 1 + len(whole))
    if not whole:
        return Resumed(plan, ReadPosition(), 0, {}, {}, {})
    modes: dict[str, Any] = {}
    texts: dict[str, list[tuple[str, int]]] = {}
    for line in whole:
        modes |= line["modes"]
        for name, new in line["texts"].items():
            texts.setdefault(name, []).extend((str(text), int(row)) for text, row in new)
    last = whole[-1]
    position = ReadPosition(**{key: _plain(value) for key, value in last["place"].items()})
    rounded = {str(name): int(count) for name, count in last["rounded"].items()}
    return Resumed(plan, position, last["size"], modes, texts, rounded)


def _whole_lines(cells: Path, lines: list[Any]) -> list[Any]:
    """The lines, from the first on, whose cells are in the file as they were written."""
    digest, whole = hashlib.sha256(), []
    with cells.open("rb") as file:
        for line in lines:
            if not _goes_on(file, line["size"], digest) or digest.hexdigest() != line["sha256"]:
                break
            whole.append(line)
    return whole


def _goes_on(file: BinaryIO, end: int, digest: Any) -> bool:
    """Add the bytes up to `end` to a digest; false if the file ends before."""
    while (rest := end - file.tell()) > 0:
        piece = file.read(min(rest, 2**20))
        if not piece:
            return False
        digest.update(piece)
    return rest == 0


def _cut(journal: Path, lines: int) -> None:
    """Leave out the lines of a journal after the first ones."""
    content = journal.read_bytes().splitlines(keepends=True)
    if len(content) > lines:
        write_atomically(journal, b"".join(content[:lines]))


def replace_array(files: Files, sidecar: Path, names: bytes) -> None:
    """Give the array its name, after the file with the names of its columns is beside it.

    Raises `RunError` if the system refuses it.
    """
    remove(files.array)  # not an old array beside new names, if the process is killed just here
    write_atomically(sidecar, names)
    try:
        system.replace(files.written, files.array)
        system.sync_folder(files.array.parent)
    except OSError as error:
        raise not_saved(files.array, error) from None
