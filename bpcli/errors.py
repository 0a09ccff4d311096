"""The failures bpnet expects, each one clear sentence with the exit code a shell sees.

Anything else that escapes is a bug of ours and leaves with exit code 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class BpnetError(Exception):
    """An expected failure: says what was found, where, and what is allowed.

    What is known only further out, such as where a run was saved, is a note (`add_note`).
    """

    exit_code: ClassVar[int] = 2

    @property
    def full_text(self) -> str:
        """The message and its notes, a line each."""
        return "\n".join([str(self), *getattr(self, "__notes__", ())])


class ConfigError(BpnetError):
    """The config, or what it asks of the data, is not legal."""


class DataError(BpnetError):
    """The data cannot be used as asked; `key` is the key of `data` at fault, if it is known.

    The message is one line, whatever stands in the names and cells that it quotes.
    """

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(" ".join(message.splitlines()))
        self.key = key


class RunError(BpnetError):
    """A run reference names no run, several runs, or a damaged one."""


class NumericsError(BpnetError):
    """The config asks for portable numerics, which this machine cannot provide."""


class NumericsNotPinned(NumericsError):
    """Portable numerics are asked for, and need a process that starts with other variables.

    `can_restart` is False where such a process could not read again what this one has read.
    """

    def __init__(self, variables: Mapping[str, str], *, can_restart: bool = True) -> None:
        assignments = " and ".join(f'{name}="{value}"' for name, value in variables.items())
        super().__init__(
            f"`training.numerics: portable` needs {assignments} in the environment before numpy is "
            "imported. The `bpnet` command sets that and restarts by itself, if its config is a "
            "file."
        )
        self.variables = variables
        self.can_restart = can_restart


class LimitTooLow(BpnetError):
    """The system lets this process use less than it needs."""


class Diverged(BpnetError):
    """Training produced NaN or infinity."""

    exit_code = 3


class WorkerLost(BpnetError):
    """A worker process ended in the middle of training, killed or out of memory."""

    exit_code = 1


class GateFailed(BpnetError):
    """A check that a script may rely on did not hold."""

    exit_code = 4


class Interrupted(BpnetError):
    """The user or the system asked training to stop; the run was saved first."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


class LeftAtOnce(KeyboardInterrupt):
    """The second signal: nothing more is saved, whatever was being done."""

    def __init__(self, signal_number: int) -> None:
        super().__init__()
        self.signal_number = signal_number
