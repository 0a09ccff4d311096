from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for the tests of a module.

    Not of the session: while it is open, this thread has a running event loop, with which tests of
    other modules could not run one of their own.
    """
    with chromium() as browser:
        yield browser
