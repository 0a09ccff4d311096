"""The failures that bpnet expects: each has one clear sentence and an exit code.

Any other exception that reaches the shell is a bug, with exit code 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple


class Mark(NamedTuple):
    """A position in a config's text or in `origin`, the option that set a value; counted from 0."""

    line: int
    column: int
    end_column: int
    origin: str | None = None


class ConfigIssue(NamedTuple):
    """One error in a config: what was found, what is allowed, and where.

    `location` holds the keys and list indices from the top; `at_key` is true if the key itself is
    wrong, not its value. `mark` is the position in the text of `file`; None: the whole file.
    """

    message: str
    location: tuple[str | int, ...] = ()
    at_key: bool = False
    mark: Mark | None = None
    file: str | None = None

    @property
    def key(self) -> str:
        """The location with dots, as in `--set`."""
        return ".".join(map(str, self.location))

    @property
    def origin(self) -> str | None:
        """The option that set the value; None if the file set it."""
        return self.mark.origin if self.mark else None

    @property
    def line(self) -> int | None:
        """The line of the file, counted from 1."""
        return self.mark.line + 1 if self.mark and self.origin is None else None

    @property
    def column(self) -> int | None:
        """The column of that line, or of the option, counted from 1."""
        return self.mark.column + 1 if self.mark else None

    def to_json(self) -> dict[str, Any]:
        """The issue as `--json` prints it."""
        names = ("file", "line", "column", "origin", "key", "message")
        return {name: getattr(self, name) for name in names}


class BpnetError(Exception):
    """An expected failure: says what was found, where, and what is allowed.

    Callers add what only they know, such as where a run was saved, as notes (`add_note`). `kind` is
    the name of the class of failure in `--json`. `chapter` is the topic of the handbook to read.
    `run` is what a training that failed has saved, as a `bpcli.Run`, if a Python program trained.
    """

    exit_code: ClassVar[int] = 2
    kind: ClassVar[str]
    chapter: str | None = None
    run: Any = None

    @property
    def full_text(self) -> str:
        """The message and its notes, one per line."""
        return "\n".join([str(self), *getattr(self, "__notes__", ())])


class BpnetWarning(UserWarning):
    """A likely mistake, or what a computation had to guess, fill or leave out."""


class ConfigError(BpnetError):
    """The config or an option is not valid, or does not fit the data.

    `issues` holds each error in a config with its position; the message shows them all.
    """

    kind = "config"

    def __init__(self, message: str, issues: Iterable[ConfigIssue] = ()) -> None:
        super().__init__(message)
        self.issues = tuple(issues)
        if self.issues:
            is_of_data = all(issue.location[:1] == ("data",) for issue in self.issues)
            self.chapter = "tables" if is_of_data else "config"


class DataError(BpnetError):
    """The data cannot be used as the config asks; `key` is the key of `data` to change, if known.

    The message is one line, even if it quotes names and cells with line breaks. `file` is the name
    of the file with the error if a table is read from several files.
    """

    kind = "data"
    chapter = "files"

    def __init__(self, message: str, key: str | None = None, file: str | None = None) -> None:
        super().__init__(" ".join(message.splitlines()))
        self.key = key
        self.file = file


def see(*keys: str) -> str:
    """The end of a message on a table: the options or keys of `data` that may help."""
    return f"; see {', '.join(f'`{key}`' for key in keys)}"


class RunError(BpnetError):
    """A run cannot be used as asked: it is damaged, or something needed is missing."""

    kind = "run"


class NoSuchRun(RunError):
    """A run reference names no run, or several."""

    chapter = "runs"


class ModelError(BpnetError):
    """A file of another program has no network that bpnet can compute; the message names why."""

    kind = "model"
    chapter = "import"


class NumericsError(BpnetError):
    """The config asks for portable numerics, which this machine cannot provide."""

    kind = "numerics"


class NumericsNotPinned(NumericsError):
    """Portable numerics need a process that starts with other environment variables.

    `can_restart` is False if a new process could not read the input of this one again.
    """

    def __init__(self, variables: Mapping[str, str], *, can_restart: bool = True) -> None:
        assignments = " and ".join(f'{name}="{value}"' for name, value in variables.items())
        super().__init__(
            f"`training.numerics: portable` needs {assignments} in the environment before numpy is "
            "imported. The `bpnet` command sets that and restarts by itself if its config is a "
            "file."
        )
        self.variables = variables
        self.can_restart = can_restart


class LimitTooLow(BpnetError):
    """A limit of the system is too low for this process."""

    kind = "limit"


class Diverged(BpnetError):
    """Training produced NaN or infinity."""

    kind = "diverged"
    chapter = "problems"
    exit_code = 3


class WorkerLost(BpnetError):
    """A worker process ended during training: it was killed or ran out of memory."""

    kind = "worker"
    chapter = "problems"
    exit_code = 1


class ClusterError(BpnetError):
    """A cluster cannot be used for a training: it does not answer, or would give other results."""

    kind = "cluster"


class GateFailed(BpnetError):
    """A check failed whose exit code scripts may rely on."""

    kind = "gate"
    exit_code = 4


class Interrupted(BpnetError):
    """The user or the system asked training to stop; the run was saved first."""

    kind = "interrupted"

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


class LeftAtOnce(KeyboardInterrupt):
    """The second signal: the process ends at once and saves nothing more."""

    def __init__(self, signal_number: int) -> None:
        super().__init__()
        self.signal_number = signal_number
