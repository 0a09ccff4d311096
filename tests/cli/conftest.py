"""Fixtures of the tests of commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def document(bpnet: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command with `--json`; its exit code and its one document."""

    def run(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
        result = bpnet(*arguments, "--json")
        assert result.code == code, result.err
        found: dict[str, Any] = json.loads(result.out)
        assert next(iter(found)) == "schema"
        assert found.pop("schema") == 1
        assert ("error" in found) == bool(code)
        assert bool(result.err) or not code
        return found

    return run
