"""All commands on terminals of 40 and 80 columns that know no Unicode: a pseudo-terminal each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")

ROOT = Path(__file__).parents[2]
SHORT = ["--set", "training.epochs=3", "--set", "training.workers=1"]
COMMANDS = [
    ["init"],
    ["init", "xor"],
    ["check", "xor.yaml"],
    ["train", "xor.yaml", *SHORT],
    ["train", "moons.yaml", *SHORT],
    ["eval", "latest", "--require", "test.accuracy>=2"],
    ["predict", "latest"],
    ["gradcheck", "xor.yaml", "--corrupt", "no-derivative"],
    ["compare", "xor.yaml", "--optimizers", "rprop,adam", *SHORT],
    ["runs", "list"],
    ["runs", "show", "latest"],
    ["data", "table.csv"],
    ["train", "wrong.yaml"],
]
SCRIPT = """
import json, sys
from bpcli.cli.main import main
for arguments in json.loads(sys.argv[1]):
    print("$$", *arguments, flush=True)
    main(arguments)
"""
WRONG = """\
data: {generator: mooons}
network: {layers: [2, 4, 1], activations: [tanh]}
loss: cross_entropy
training: {epoch: 50}
"""


def on_a_terminal(folder: Path, encoding: str, width: int) -> str:
    """What all commands print, without the codes that steer a terminal."""
    import json

    main, side = pty.openpty()
    environment = {"PYTHONIOENCODING": encoding, "COLUMNS": str(width), "TERM": "xterm"}
    done = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, json.dumps(COMMANDS)],
        stdin=subprocess.DEVNULL, stdout=side, stderr=side, cwd=folder,
        env=os.environ | environment | {"NO_COLOR": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    os.close(side)
    pieces = []
    while True:
        try:
            pieces.append(os.read(main, 65536))
        except OSError:  # how Linux says that all is read
            break
        if not pieces[-1]:
            break
    os.close(main)
    assert done.wait() == 0
    text = b"".join(pieces).decode(encoding)
    text = re.sub(r"\x1b\[[0-9;?]*[AKJ]|\r(?!\n)", "\n", text)  # what is drawn again
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r\n", "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "moons.yaml").write_bytes((ROOT / "configs/moons.yaml").read_bytes())
    (tmp_path / "wrong.yaml").write_text(WRONG)
    rows = "\n".join(f"{k},{k % 3},{'ab'[k % 2]}" for k in range(20))
    (tmp_path / "table.csv").write_text(f"age,size of it,Größe\n{rows}\n", "utf-8")
    return tmp_path


def may_be_wide(line: str) -> bool:
    """Commands are not cut, nor are the lines of a config with their carets; ß takes two places."""
    return bool(re.search(r"^bpnet \w+ |^\$\$ |^ {4}|Grosse", line))


@pytest.mark.parametrize(("encoding", "width"), [("ascii", 40), ("gbk", 80)])
def test_all_commands_are_readable(folder: Path, encoding: str, width: int) -> None:
    text = on_a_terminal(folder, encoding, width)
    commands, lines = re.findall(r"^\$\$ .*", text, re.MULTILINE), text.splitlines()
    assert len(commands) == len(COMMANDS)
    assert "Traceback" not in text
    assert "Internal error" not in text
    assert "\\u" not in text
    assert [line for line in lines if re.search(r"\?\S", line)] == [], "no sign is lost"
    wide = [line for line in lines if len(line) > width]
    assert [line for line in wide if not may_be_wide(line)] == []
    assert "Grosse" in text or encoding == "gbk"
