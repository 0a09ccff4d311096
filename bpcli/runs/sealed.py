"""JSON files that contain a digest of their own content, so that changes are detected.

The digest is the value of the key `seal`: the SHA-256 of all other keys as JSON on one line. It
detects damage and edited numbers. It is not a signature: any program can seal a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from bpcli.errors import RunError
from bpcli.runs.files import not_read, strict_json, to_json, write_atomically

SEAL = "seal"
_MOST_BYTES = 2**26
"""The largest file accepted; the record of 20,000 layers takes 3 MB."""


def write_sealed(path: Path, document: Mapping[str, object]) -> None:
    """Write a document and its seal. Raises `RunError` if that fails."""
    write_atomically(path, (to_json({**document, SEAL: _seal(document)}) + "\n").encode())


def read_sealed(path: Path) -> dict[str, object]:
    """Read a document, without its seal.

    Raises `RunError` if the file is not a JSON object, or its seal does not match; `NotRead` if the
    system refuses to read it.
    """
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:  # a pipe might never open
            raise RunError(f"{path} is damaged: it is not a file of at most 64 MiB.")
        document = strict_json(path.read_bytes())
    except OSError as error:
        raise not_read(path, error) from None
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged: {error}.") from None
    if not isinstance(document, dict):
        raise RunError(f"{path} is damaged: it is not a JSON object.")
    seal = document.pop(SEAL, None)
    if seal is None:
        raise RunError(
            f"{path} has no `{SEAL}`: an earlier version of bpnet wrote it, or it was removed."
        )
    if seal != _seal(document):
        raise RunError(f"{path} is damaged: its content does not match its `{SEAL}`.")
    return document


def _seal(document: Mapping[str, object]) -> str:
    text = to_json(document, indent=None)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
