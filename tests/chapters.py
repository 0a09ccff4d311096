"""Documents as tests: their files are written, their commands run, their output compared.

A paragraph that names a file in brackets, (`table.csv`), is followed by a block with its content.
A `console` block holds commands after `$ ` with what they print; `...` stands for lines that are
left out, and `    # exit code 2` after a command for its failure. The `python` and `pycon` blocks
of a document are one session. In a `python` block, what is printed is in a comment beside it; a
`pycon` block has it below what is typed after `>>> `, with `...` within a line for any text. A
`console slow` block takes long or needs a process for each command: it runs in a shell, and only
with BPNET_FULL=1. A `python power-plant` block needs the files of that public data set in a folder
of this name; it stands alone.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bpcli import docs
from bpcli.cli.main import main

ROOT = Path(__file__).parent.parent
DOCS = docs.FOLDER
README = ROOT / "README.md"
CHAPTERS = sorted(path for path in DOCS.rglob("*.md") if path.name != "CHANGELOG.md")

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED_FILE = re.compile(r"[(（]`([\w.-]+\.(?:csv|yaml|m))`")
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its first line in two parts, the file it is, if any, and its content."""

    language: str
    mark: str
    file: str | None
    content: str


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a document, in order."""
    end = 0
    for match in _BLOCK.finditer(text):
        language, _, mark = match[1].partition(" ")
        paragraph = text[end : match.start()].strip().rpartition("\n\n")[2]
        named = _NAMED_FILE.findall(paragraph)
        is_file = bool(named) and language in ("csv", "yaml", "matlab")
        yield Block(language, mark, named[-1] if is_file else None, match[2])
        end = match.end()


def prose(text: str) -> str:
    """A document without its fenced blocks."""
    return _BLOCK.sub("", text)


def anchors(text: str) -> list[str]:
    """The anchors of all headings of a document."""
    return [docs.anchor(section.heading) for section in docs.sections_of(text)]


def run_document(path: Path) -> None:
    """Do what a document says, in the current folder; fail at the first difference."""
    shutil.copytree(ROOT / "configs", "configs")
    session: dict[str, object] = {"__name__": "document"}
    for block in blocks(path.read_text("utf-8")):
        if block.file is not None:
            Path(block.file).write_text(block.content, "utf-8")
        elif block.language == "console" and (not block.mark or os.environ.get("BPNET_FULL")):
            for command, shown in _COMMAND.findall(block.content):
                _check_command(command, shown, in_shell=block.mark == "slow")
        elif block.language == "python" and not block.mark:
            check_python(block.content, session)
        elif block.language == "pycon":
            _check_dialogue(block.content, session)


def _check_dialogue(text: str, session: dict[str, object]) -> None:
    """Run what is typed after `>>> `, in the session, and compare what follows."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(text, session, "document", "document.py", 0)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=flags)
    runner.run(test, out=report.write, clear_globs=False)
    session.update(test.globs)  # which is a copy
    assert not runner.failures, report.getvalue()
    assert runner.tries, text


def check_python(code: str, session: dict[str, object]) -> None:
    """Run a program, and compare what it prints with its comments."""
    with _captured() as printed:
        exec(compile(code, "document.py", "exec"), session)
    assert printed.read_text("utf-8").splitlines() == re.findall(r"print.*  # (.*)", code), code


def _check_command(command: str, shown: str, in_shell: bool) -> None:
    line, _, exit_code = command.partition("    # exit code ")
    with _captured() as printed:
        code = _run(line, in_shell)
    output = printed.read_text("utf-8")
    assert code == int(exit_code or 0), f"$ {line}\n{output}"
    missing = _first_missing(shown, output)
    assert missing is None, f"$ {line}\ndoes not print, or not here: {missing}\nbut:\n{output}"


_OF_A_SHELL = {"|", ">", "2>", "--portable"}


def _run(line: str, in_shell: bool) -> int:
    """Run a `bpnet` command in this process, unless `in_shell`, and any other in a shell."""
    name, *arguments = shlex.split(line)
    if name == "bpnet" and not in_shell and not _OF_A_SHELL & {*arguments}:
        return main(arguments)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line], env=os.environ | {"PATH": path}, stdout=sys.stdout, stderr=sys.stderr
    ).returncode  # fmt: skip


@contextlib.contextmanager
def _captured() -> Iterator[Path]:
    """Both outputs in one file, in the order in which they are printed."""
    path = Path(".printed")
    with (
        path.open("w", encoding="utf-8", buffering=1) as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        yield path


def _first_missing(shown: str, printed: str) -> str | None:
    """The first line that is shown and not printed where it should be; None if all are."""
    rows = [words for words in map(_words, printed.splitlines()) if words]
    position, may_skip = 0, False
    for line in map(str.strip, shown.splitlines()):
        if line == "...":
            may_skip = True
        if line == "..." or not _words(line):
            continue
        candidates = range(position, len(rows) if may_skip else position + 1)
        found = (i for i in candidates if i < len(rows) and _equal(_words(line), rows[i]))
        here = next(found, None)
        if here is None:
            return line
        position, may_skip = here + 1, False
    if position < len(rows) and not may_skip and shown.strip():
        return f"the end; more follows: {' '.join(rows[position])}"
    return None


def _words(line: str) -> list[str]:
    """The words of a line, without what differs from run to run: ids and times."""
    line = re.sub(r"\d{8}-\d{6}-([\w-]+?)-\w{4}\b", r"ID-\1", line)
    line = re.sub(r"[\d.e+-]+ (us|ms|s)\b", "TIME", line)
    line = re.sub(r"[\d.]+ %", "SHARE", line)
    return re.sub("[─│]", "", line).split()


def _equal(shown: list[str], printed: list[str]) -> bool:
    """Words are equal, and numbers to a percent; of errors of rounding only the size counts."""
    return len(shown) == len(printed) and all(map(_equal_words, shown, printed))


def _equal_words(shown: str, printed: str) -> bool:
    if shown == printed:
        return True
    try:
        a, b = float(shown), float(printed)
    except ValueError:
        return False
    return abs(a - b) <= 0.01 * abs(a) or max(abs(a), abs(b)) < 1e-8
