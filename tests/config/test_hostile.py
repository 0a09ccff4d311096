from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile import HOSTILE, maimed
from systems import CONFIGS
from work import at_most

from bpcli.config.load import load_config
from bpcli.errors import ConfigError

MOST_CALLS = 5_000_000


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_clear_words(
    name: str, tmp_path: Path, bpnet: Callable[..., Any]
) -> None:
    content, message = HOSTILE[name]
    (tmp_path / "hostile.yaml").write_bytes(content)
    bpnet("train", "missing.yaml")  # imports what is needed, which is not counted
    with at_most(MOST_CALLS):
        result = bpnet("train", "hostile.yaml")
    assert result.code == 2
    assert message in result.err
    assert result.err.startswith("Error: hostile.yaml")
    assert all(c.isprintable() or c == "\n" for c in result.err)
    assert not (tmp_path / "runs").exists()


# Not the ru_maxrss of a child, which has what its parent had when it was forked.
PROBE = """
import re
from bpcli.cli.main import main
code = main(["train", "中文.yaml"])
print(code, re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize("name", ["alias bomb", "brackets", "many values", "long line"])
def test_refusing_takes_little_memory_and_any_terminal_can_show_it(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "中文.yaml").write_bytes(HOSTILE[name][0])
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=True,
    )
    assert done.stderr.decode("ascii").startswith("Error: ????.yaml")
    code, peak = map(int, done.stdout.split())
    assert code == 2
    assert peak < 300 * 1024  # KiB


CASES = 100_000 if os.environ.get("BPNET_FULL") else 600


def test_maimed_configs_are_read_or_refused(tmp_path: Path) -> None:
    corpus = [path.read_bytes() for path in sorted(CONFIGS.rglob("*.yaml"))]
    corpus += [content for content, _ in HOSTILE.values() if len(content) < 1000]
    path = tmp_path / "c.yaml"
    for number in range(CASES):
        path.write_bytes(maimed(corpus, random.Random(number)))
        try:
            with at_most(MOST_CALLS):
                load_config(path)
        except ConfigError as error:
            said = str(error)
            assert all(c.isprintable() or c == "\n" for c in said), number
