"""Says what a command waits for, before it waits: importing scikit-learn takes a second."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

IMPORTS_SCIKIT_LEARN = (
    "classification", "iris", "wine", "breast_cancer", "digits", "diabetes",
)  # fmt: skip
"""A copy of names in the registry of generators, which cannot be imported as fast."""

_GENERATOR = re.compile(rf"\bgenerator[:=]\s*[\"']?({'|'.join(IMPORTS_SCIKIT_LEARN)})\b")


def say_what_takes_long(arguments: Sequence[str]) -> None:
    """Print a note on a terminal if a config or an option names such a generator.

    Only the text is searched, as the modules that read a config take longer than a tenth of a
    second to import. So the note may be missing, or in vain, for a config that is spelled oddly.
    """
    if not sys.stderr.isatty() or {"--quiet", "--json"} & set(arguments):
        return
    for argument in arguments:
        generator = _GENERATOR.search(_text_of(argument))
        if generator:
            print(
                f"note: loading scikit-learn, for the generator `{generator[1]}`", file=sys.stderr
            )
            return


def _text_of(argument: str) -> str:
    """The text of a config, or the argument itself; errors are the command's to report."""
    if not argument.endswith((".yaml", ".yml")):
        return argument
    try:
        with Path(argument).open(encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_SIGNS)
    except OSError:
        return ""


_MOST_SIGNS = 2**16
"""Only a config with rows in it is longer, and that has no generator."""
