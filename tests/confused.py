"""Runs whose files hold other things than bpnet writes, with digests and seals that fit.

A value of run.json, of metrics.jsonl, of the descriptions or arrays of weights and checkpoints is
replaced by something of another type or size, or left out; bytes of split.npz or params_path.npy
are changed; at one place or at three. Then some commands are run.

    python tests/confused.py 5000 --seed 1
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import functools
import io
import json
import math
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from tampered import change_arrays, record_of, vouch

from bpcli.cli.main import main as bpnet
from bpcli.runs.layout import METRICS, PATH, RECORD, SPLIT, WEIGHTS
from bpcli.runs.sealed import write_sealed
from bpcli.runs.store import Run
from bpcli.runs.tags import TAGS

CANARY = "harmed"
CODE = f"__import__('os').mkdir('{CANARY}')"
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2, 2**31, 2**63, -(2**64), 10**300, 1e308, -0.5, math.inf,
    math.nan, "", "x", "name", CODE, f"'''\n{CODE}\n'''", f"1, {{}}), {CODE}, (1", "\x1b[31m",
    "\x9b2J", "a\nb", "\ud800", "9" * 5000, "=1+1", "../..", [], {}, [1], [[]], [{}], {"a": 1},
    {"name": "x"}, {"name": CODE}, ["x"] * 3, [None], {"schedule": "x"}, [math.nan], "elu",
    [1e308, -1e308],
]  # fmt: skip
ODD_NUMBERS = [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e308, -1e-320, 2.0**62]

TABLE = """age,job,is_old,y
1,clerk,true,a
2,smith,false,b
,clerk,true,a
4,smith,false,b
5,clerk,true,a
6,smith,false,b
7,,true,a
8,smith,false,b
9,clerk,true,a
10,smith,false,b
"""
CONFIGS = {
    "table": "data: {file: t.csv, targets: y, fill: mean, indicator: true, casefold: true, "
    "split: {train: 0.6, val: 0.2, test: 0.2}}\n"
    "network: {layers: [auto, 3, auto], activations: [{name: elu, alpha: 0.5}, sigmoid]}\n"
    "loss: binary_cross_entropy\ntraining: {epochs: 6, optimizer: adam, record_params: true, "
    "checkpoint_every: 2, learning_rate: {schedule: cosine, start: 0.1}, stop: {max_fail: 9, "
    "generalization_loss: 90, progress: 0.0001}}\n",
    "points": "data: {generator: moons, n_samples: 20}\n"
    "network: {layers: [2, 3, 1], activations: [tanh, sigmoid]}\nloss: mse\n"
    "training: {epochs: 6, optimizer: levenberg_marquardt, checkpoint_every: 3}\n",
    "line": "data: {inputs: [[1], [2], [3], [4]], targets: [[1], [3], [5], [7]]}\n"
    "network: {layers: [1, 2, 1], activations: [tanh, identity]}\nloss: mse\n"
    "training: {epochs: 5, optimizer: scaled_conjugate_gradient, checkpoint_every: 2}\n",
    "diverged": "data: {inputs: [[1.0e+200], [2.0e+200]], targets: [[1], [2]], "
    "scale: {inputs: none}}\nnetwork: {layers: [1, 1], activations: [identity]}\nloss: mse\n",
}  # fmt: skip

COMMANDS: list[list[str]] = [
    ["runs", "list"], ["runs", "list", "--json"], ["runs", "list", "--sort", "train.loss"],
    ["runs", "show", "RUN"], ["runs", "show", "RUN", "--json"], ["runs", "diff", "RUN", "OTHER"],
    ["runs", "tag", "RUN", "good"], ["eval", "RUN"], ["eval", "RUN", "--json"],
    ["eval", "RUN", "--weights", "last", "--split", "train"], ["predict", "RUN"],
    ["predict", "RUN", "t.csv"], ["predict", "RUN", "t.csv", "--json"],
    ["export", "RUN", "--to", "python", "-o", "out.py", "--force"],
    ["export", "RUN", "--to", "json", "-o", "out.json", "--force"],
    ["export", "RUN", "--to", "onnx", "-o", "out.onnx", "--force"],
    ["train", "--resume", "RUN", "--set", "training.epochs=9", "--quiet"],
    ["train", "--resume", "RUN", "--set", "training.epochs=9"],
    ["verify", "RUN"], ["trace", "RUN"], ["gradcheck", "RUN"],
    ["plot", "RUN", "--list"], ["plot", "RUN", "loss", "-o", "out.svg"],
    ["plot", "RUN", "metrics", "gradient_norms", "learning_rate", "units", "-o", "out.svg"],
    ["plot", "RUN", "weights", "activations", "network", "path", "-o", "out.svg"],
    ["plot", "RUN", "confusion", "roc", "regions", "-o", "out.svg"],
]  # fmt: skip
SLOW = {"plot": 0.15, "verify": 0.5}
"""How often a command that takes long is chosen, where others are chosen once."""

SECONDS = 60
"""No command on such small runs takes so long: it hangs."""


# What is confused; a record last, as it vouches for the others.
KINDS = ["record", "log", "weights", "checkpoint", "tags", "array", "split", "path"]


class Hangs(Exception):
    """A command did not come to its end."""


@dataclass
class Tally:
    """What became of the commands."""

    commands: int = 0
    codes: dict[int, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return f"{self.commands} commands, exit codes {self.codes}, {len(self.wrong)} wrong"


def places(tree: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value of a JSON tree."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in pairs:
        yield (*place, key)
        if isinstance(value, dict | list):
            yield from places(value, (*place, key))


def confuse(tree: Any, rng: random.Random) -> str:
    """Replace a value of a JSON tree, leave it out, or add one; where that was."""
    if not tree:
        return ""
    *way, key = rng.choice(list(places(tree)))
    inner = functools.reduce(lambda found, step: found[step], way, tree)
    kind = rng.random()
    if kind < 0.08:
        del inner[key]
    elif kind < 0.12 and isinstance(inner, dict):
        inner[rng.choice(["more", CODE, "\x1b[2J", "a\nb"])] = rng.choice(ODD)
    else:
        value, others = inner[key], [odd for odd in ODD if type(odd) is type(inner[key])]
        inner[key] = copy.deepcopy(rng.choice(others if others and rng.random() < 0.4 else ODD))
        if isinstance(value, list) and rng.random() < 0.3:
            inner[key] = value + value[:1]
    return ".".join(str(step) for step in (*way, key) if not isinstance(step, int))


class Confuser:
    """Trains a few small runs in a folder, and runs commands on confused copies of them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._rng = folder, random.Random(seed)
        self.tally = Tally()
        os.chdir(folder)
        Path("t.csv").write_text(TABLE)
        for name, text in CONFIGS.items():
            Path(f"{name}.yaml").write_text(f"name: {name}\n{text}")
            code, said = self._bpnet(["train", f"{name}.yaml", "--quiet", "--runs-dir", "whole"])
            assert code == (3 if name == "diverged" else 0), said
            tag = ["runs", "tag", "latest", f"of-{name}", "--runs-dir", "whole"]
            assert self._bpnet(tag)[0] == 0
        self._runs = sorted(path.name for path in Path("whole").glob("*-*"))

    def confuse(self, commands: int) -> Tally:
        """Run so many commands."""
        weights = [SLOW.get(command[0], 1.0) for command in COMMANDS]
        while self.tally.commands < commands:
            shutil.rmtree("runs", ignore_errors=True)
            shutil.copytree("whole", "runs")
            name = self._rng.choice(self._runs)
            kinds = {*self._rng.choices(KINDS, k=1 if self._rng.random() < 0.7 else 3)}
            run, in_order = (
                Run(Path("runs", name)),
                sorted(kinds, key=lambda kind: (kind == "record", kind)),
            )
            where = "; ".join(self._confuse_one(run, kind) for kind in in_order)
            self.tally.touched.add(where)
            for command in self._rng.choices(COMMANDS, weights, k=3):
                other = self._rng.choice(self._runs)
                words = {"RUN": name, "OTHER": other}
                self._try([words.get(word, word) for word in command], where)
        return self.tally

    def _confuse_one(self, run: Run, kind: str) -> str:
        if kind in ("split", "path"):
            path = run.path(SPLIT if kind == "split" else PATH)
            where = path.name
            if path.is_file():
                path.write_bytes(self._odd_bytes(path.read_bytes()))
                vouch(run)
        elif kind == "record":
            record = record_of(run)
            where = confuse(record, self._rng)
            _write(run.path(RECORD), record)
        elif kind == "log":
            lines = [json.loads(line) for line in run.path(METRICS).read_text().splitlines()]
            where = confuse(lines, self._rng)
            run.path(METRICS).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
            vouch(run)
        elif kind == "tags":
            tags = {"tags": ["good", "better"]}
            where = confuse(tags, self._rng)
            _write(run.path(TAGS), tags)
        else:
            files = list(run.folder.glob("checkpoint-*")) if kind != "weights" else []
            if kind == "array":
                files.append(run.path(WEIGHTS))
            path = self._rng.choice(files or [run.path(WEIGHTS)])
            where = self._confuse_arrays(path, is_array=kind == "array")
        return f"{kind}: {where}"

    def _odd_bytes(self, content: bytes) -> bytes:
        """Bytes changed where headers are, or all of another kind of file."""
        kind = self._rng.randrange(4)
        if kind == 0:
            return self._rng.choice([b"", b"PK", b"\x93NUMPY", b"{}", pickle.dumps({"a": 1})])
        if kind == 1:
            return content[: self._rng.randrange(len(content))]
        changed = bytearray(content)
        for _ in range(self._rng.randrange(1, 4)):
            changed[self._rng.randrange(min(len(content), 300))] = self._rng.randrange(256)
        return bytes(changed)

    def _confuse_arrays(self, path: Path, *, is_array: bool) -> str:
        where = ""

        def change(arrays: dict[str, Any], meta: dict[str, Any]) -> None:
            nonlocal where
            if is_array:
                where = self._rng.choice(list(arrays))
                arrays[where] = self._odd_array(arrays[where])
            else:
                where = confuse(meta, self._rng)

        with contextlib.suppress(UnicodeEncodeError, ValueError):  # what JSON cannot hold
            change_arrays(path, change)
        return where

    def _odd_array(self, array: Any) -> Any:
        kind = self._rng.randrange(6)
        if kind == 0:
            dtype = self._rng.choice(["f4", "f8", "i8", "u1", "?", "f2", "c8"])
            return array.astype(dtype)
        if kind == 1:
            return array.reshape(-1)[: self._rng.randrange(array.size + 1)]
        if kind == 2:
            return np.stack([array, array])
        changed = np.atleast_1d(array.copy()).reshape(array.shape)
        where = ... if kind == 3 else (0,) * array.ndim
        with np.errstate(all="ignore"):
            changed[where] = np.asarray(self._rng.choice(ODD_NUMBERS)).astype(array.dtype)
        return changed

    def _try(self, command: list[str], where: str) -> None:
        code, said = self._bpnet(command)
        self.tally.commands += 1
        self.tally.codes[code] = self.tally.codes.get(code, 0) + 1
        is_printable = all(c.isprintable() or c in "\n\t" for c in said)
        if code not in (0, 2, 3, 4) or Path(CANARY).exists() or not is_printable:
            self.tally.wrong.append(f"{where}: {' '.join(command)}: {code}: {said[-3000:]!r}")
            shutil.rmtree(CANARY, ignore_errors=True)

    def _bpnet(self, command: list[str]) -> tuple[int, str]:
        """The exit code and all that was said; -1 where it hangs or raises."""
        said = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
        signal.signal(signal.SIGALRM, _hang)
        signal.alarm(SECONDS)
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = bpnet(command)
        except Hangs:
            code = -1
        except BaseException as error:
            said.write(f"{type(error).__name__}: {error}")
            code = -1
        finally:
            signal.alarm(0)
        said.seek(0)
        return code, said.read()


def _hang(number: int, frame: FrameType | None) -> None:
    raise Hangs


def _write(path: Path, document: Any) -> None:
    try:
        write_sealed(path, document)
    except (ValueError, TypeError, AttributeError):  # what a seal cannot be put on
        path.write_text(json.dumps(document, default=str))


def main() -> None:
    """Run as many commands as the command line says, and print what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = Confuser(Path(folder), asked.seed).confuse(asked.commands)
    print(*tally.wrong, tally, sep="\n")
    sys.exit(bool(tally.wrong))


if __name__ == "__main__":
    main()
