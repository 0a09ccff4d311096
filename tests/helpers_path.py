"""Lets processes that are started find the helpers of tests."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest.mock import patch

TESTS = str(Path(__file__).parent)


def finding_tests() -> AbstractContextManager[Any]:
    """Let the processes that are started within the block find the helpers of tests."""
    return patch.dict(os.environ, PYTHONPATH=TESTS)
