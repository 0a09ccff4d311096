"""The house: a file imports from its own floor or from floors below, and nothing is in a cycle."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

import bpcli
from bpcli.data.generators import GENERATORS
from bpcli.optimizers import OPTIMIZERS

PACKAGE = Path(bpcli.__file__).parent
FLOORS = [
    {"errors", "registry", "system", "text", "version"},
    {"docs", "workbook"},
    {"nn"},
    {"notation"},
    {"engine"},
    {"optimizers"},
    {"data"},
    {"metrics"},
    {"intervals", "pruning", "explanation"},
    {"training"},
    {"config"},
    {"imports"},
    {"experiment"},
    {"runs"},
    {"cluster"},
    {"terminal"},
    {"gradient_check", "trace", "export", "plots", "diagnosis"},
    {"workflows"},
    {"sweeps"},
    {"report"},
    {"api"},
    {"estimators"},
    {"cli"},
    {"start", "__init__"},
    {"__main__"},
]
FLOOR_OF = {name: number for number, names in enumerate(FLOORS) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))


def _place(path: Path) -> str:
    """The folder, or the module at the top, that a file belongs to."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def _imports(path: Path) -> list[tuple[int, str]]:
    """Line and place of every import of our own, also of those inside functions."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bpcli":
            modules = [node.module]
            if node.module == "bpcli":
                modules = [f"bpcli.{alias.name}" for alias in node.names]
            found += [(node.lineno, module.split(".")[1]) for module in modules]
        if isinstance(node, ast.Import):
            found += [
                (node.lineno, alias.name.split(".")[1])
                for alias in node.names
                if alias.name.startswith("bpcli.")
            ]
    return [(line, place if place in FLOOR_OF else "__init__") for line, place in found]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_from_its_own_floor_or_below(path: Path) -> None:
    own = _place(path)
    assert own in FLOOR_OF, f"{path} stands on no floor: add it to FLOORS"
    above = [
        f"line {line}: {place}"
        for line, place in _imports(path)
        if place != own and FLOOR_OF[place] >= FLOOR_OF[own]
    ]
    assert not above, f"{path} imports from its own floor's neighbours or from above: {above}"


def test_the_check_itself_notices_an_import_from_above(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def f():\n    from bpcli.cli import main\n    import bpcli.training.loop\n")
    assert _imports(wrong) == [(2, "cli"), (3, "training")]


def _modules(package: Path) -> dict[str, Path]:
    """The files of a package by the names under which they are imported."""
    dotted = {
        path: ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for path in package.rglob("*.py")
    }
    return {name.removesuffix(".__init__"): path for path, name in dotted.items()}


def _imported(path: Path, modules: Mapping[str, Path]) -> set[str]:
    """The modules that a file imports: at the top, in functions, and for the types alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {member if member in modules else node.module for member in members}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & modules.keys()


def _cycle(package: Path) -> tuple[str, ...]:
    """Modules that import each other in a circle; empty where there are none."""
    modules = _modules(package)
    graph = {name: _imported(path, modules) for name, path in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def test_no_files_import_each_other_in_a_circle() -> None:
    assert not _cycle(PACKAGE)


def test_that_check_itself_notices_a_circle(tmp_path: Path) -> None:
    package = tmp_path / "house"
    package.mkdir()
    (package / "a.py").write_text("def f():\n    from house.b import g\n")
    (package / "b.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import house.c\n"
    )
    (package / "c.py").write_text("import os\n")
    assert not _cycle(package)
    (package / "c.py").write_text("from house import a\n")
    assert {*_cycle(package)} == {"house.a", "house.b", "house.c"}


_OF_ONE_SYSTEM = {
    "_signal", "_winapi", "ctypes", "fcntl", "grp", "mmap", "msvcrt", "multiprocessing", "platform",
    "posix", "pty", "pwd", "resource", "select", "socket", "subprocess", "syslog", "termios", "tty",
    "winreg",
}  # fmt: skip
_OF_EVERY_SYSTEM = {
    "os": {
        "O_APPEND", "O_CREAT", "O_RDONLY", "O_RDWR", "O_WRONLY", "PathLike", "close", "curdir",
        "environ", "fspath", "ftruncate", "getpid", "path", "read", "scandir", "sep", "write",
    },
    "signal": {"getsignal", "raise_signal", "signal", "SIGINT"},
}  # fmt: skip
_MAY_DEPEND_ON_THE_SYSTEM = {
    "system": "the place for it",
    "start.py": "runs before anything is imported, by what every Python has",
    "engine/pool/forked.py": "of POSIX altogether, and imported where forking is safe only",
    "runs/provenance.py": "names the system",
    "cluster/address.py": "connects to a port, as every system can",
    "cluster/local.py": "starts a Python, as every system does",
    "cluster/programs.py": "starts a Python, as every system does",
    "export/child.py": "starts programs that are installed, as every system can",
    "nn/numerics.py": "names the kind of processor",
}


def _depends_on_the_system(source: str) -> list[str]:
    """What a file does that not every system can, or that asks which one it is."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name in _OF_ONE_SYSTEM]
        elif isinstance(node, ast.ImportFrom) and node.module in _OF_ONE_SYSTEM | {"os", "signal"}:
            found.append(node.module)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module, name = node.value.id, node.attr
            if name not in _OF_EVERY_SYSTEM.get(module, {name}) or (module, name) == (
                "sys", "platform",
            ):  # fmt: skip
                found.append(f"{module}.{name}")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("hasattr", "getattr"):
            asked = getattr(node.args[0], "id", "")
            found += [f"what is in {asked}"] if asked in _OF_EVERY_SYSTEM else []
        elif isinstance(node, ast.Constant) and str(node.value).startswith(("/proc", "/sys/")):
            found.append(str(node.value))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_depends_on_the_system_stands_in_one_folder(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    if not {relative.as_posix(), relative.parts[0]} & _MAY_DEPEND_ON_THE_SYSTEM.keys():
        assert not _depends_on_the_system(path.read_text("utf-8"))


def test_that_check_itself_notices_what_depends_on_the_system() -> None:
    source = """
import os, signal, sys, fcntl
from os import fork
os.O_NOFOLLOW; os.getpid(); signal.SIGHUP; signal.signal; sys.platform; sys.argv
hasattr(os, "fork"); getattr(sys, "argv"); open("/proc/self/maps")
"""
    assert sorted(_depends_on_the_system(source)) == [
        "/proc/self/maps", "fcntl", "os", "os.O_NOFOLLOW", "signal.SIGHUP", "sys.platform",
        "what is in os",
    ]  # fmt: skip


def test_workers_are_forked_only_where_that_is_safe() -> None:
    importers = [path for path in MODULES if "bpcli.engine.pool.forked" in path.read_text("utf-8")]
    assert [path.name for path in importers] == ["choice.py"]
    source = importers[0].read_text("utf-8")
    assert source.index("if not can_fork()") < source.index("from bpcli.engine.pool.forked")


def test_importing_the_system_loads_nothing_that_a_command_would_not() -> None:
    probe = (
        "import __future__, sys, click, pathlib, signal; before = set(sys.modules)\n"
        "import bpcli.start, bpcli.system\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert [name for name in done.stdout.split() if not name.startswith("bpcli.system")] == [
        "bpcli", "bpcli.start", "bpcli.version",
    ]  # fmt: skip


_MOST_LINES_OF_A_FILE, _MOST_LINES_OF_A_FUNCTION, _HIGHEST_MEDIAN = 400, 45, 7


def _lengths(source: str) -> dict[str, int]:
    """The lines of each function, from `def` to its last line, by its place and name."""
    return {
        f"line {node.lineno}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_are_short(path: Path) -> None:
    source = path.read_text("utf-8")
    assert len(source.splitlines()) <= _MOST_LINES_OF_A_FILE
    lengths = _lengths(source).items()
    assert not {name: lines for name, lines in lengths if lines > _MOST_LINES_OF_A_FUNCTION}


def test_half_of_the_functions_are_very_short() -> None:
    lengths = [lines for path in MODULES for lines in _lengths(path.read_text("utf-8")).values()]
    assert median(lengths) <= _HIGHEST_MEDIAN


def test_that_check_itself_counts_whole_functions() -> None:
    source = "@cache\ndef f(\n    x\n):\n    async def g():\n        pass\n    return g\n"
    assert _lengths(source) == {"line 2: f": 6, "line 5: g": 2}


def test_every_file_opens_with_a_docstring() -> None:
    silent = [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert not silent


@pytest.mark.parametrize(
    ("action", "forbidden"),
    [
        ("import bpcli", ["click", "numpy"]),
        ("from bpcli.cli.main import main; main(['--help'])", _HEAVY := [
            "numpy", "rich", "pydantic", "yaml", "sklearn", "scipy", "safetensors", "matplotlib",
            "pandas", "onnx", "onnxruntime", "optuna",
        ]),
        ("from bpcli.cli.main import main; main(['train', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['gradcheck', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['compare', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['predict', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['export', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['import', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['weights', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['verify', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['schema', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['check', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['plot', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['report', '--help'])", _HEAVY),
        ("from bpcli.cli.main import main; main(['trace', '--help'])", _HEAVY),
        ("import bpcli.export.export", ["pandas", "onnx", "onnxruntime", "sklearn", "scipy"]),
        (
            "import bpcli.workflows.compare, bpcli.terminal.comparison",
            ["sklearn", "scipy", "click", "matplotlib"],
        ),
        ("from bpcli.cli.main import main; main(['sweep', '--help'])", _HEAVY),
        ("import bpcli.engine.sums, bpcli.workflows.train", ["distributed", "dask"]),
        ("import bpcli.sweeps.sweep", ["click", "rich", "matplotlib", "optuna"]),
        (
            "import bpcli.terminal.sweep, bpcli.terminal.sizes",
            ["sklearn", "scipy", "click", "rich", "matplotlib"],
        ),
        (
            "import bpcli.workflows.train, bpcli.terminal.progress",
            ["sklearn", "scipy", "click", "rich", "bpcli.config.schema"],
        ),
    ],
)  # fmt: skip
def test_nothing_heavy_is_imported_before_it_is_needed(action: str, forbidden: list[str]) -> None:
    probe = f"import sys\n{action}\nprint('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split("LOADED")[1].split())
    assert not loaded & set(forbidden)


@pytest.mark.parametrize("config", ["xor", "moons", "linear_regression"])
def test_training_generated_rows_does_not_import_scikit_learn(config: str, tmp_path: Path) -> None:
    path = PACKAGE.parent / "configs" / f"{config}.yaml"
    probe = (
        "import sys; from bpcli.cli.main import main\n"
        f"assert main(['train', {str(path)!r}, '--quiet', '--set', 'training.epochs=3']) == 0\n"
        "assert not {'sklearn', 'scipy', 'pandas', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, check=True)


_UNNEEDED = [
    "sklearn",
    "scipy",
    "pandas",
    "matplotlib",
    "numpy.ma",
    "subprocess",
    "asyncio",
    "rich",
]


@pytest.mark.parametrize("options", [["--quiet"], ["--json"], []])
def test_training_xor_imports_only_what_it_uses(tmp_path: Path, options: list[str]) -> None:
    config = PACKAGE.parent / "configs" / "xor.yaml"
    probe = (
        # Older versions of these import more by themselves.
        "import sys, numpy, threadpoolctl; before = set(sys.modules)\n"
        "from bpcli.cli.main import main\n"
        f"assert main(['train', {str(config)!r}, '--set', 'training.epochs=3', *{options}]) == 0\n"
        f"found = set({_UNNEEDED}) & set(sys.modules) - before\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, check=True)


def test_the_command_looks_for_no_plugins_and_begins_no_workers_for_xor(tmp_path: Path) -> None:
    """A plugin is found in the metadata of what is installed, and named nowhere else."""
    plugin = tmp_path / "plugin-1.dist-info"
    plugin.mkdir()
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    (plugin / "entry_points.txt").write_text("[pydantic]\nplugin = this_plugin:plugin\n")
    (tmp_path / "this_plugin.py").write_text(
        "class plugin:\n    new_schema_validator = lambda *_, **__: (None, None, None)\n"
    )
    config = PACKAGE.parent / "configs" / "xor.yaml"
    probe = (
        f"import os, sys; sys.path.append({str(tmp_path)!r}); from bpcli.cli.main import run\n"
        "os._exit = lambda code: print('LOADED', code, *sys.modules)\n"
        f"sys.argv = ['bpnet', 'train', {str(config)!r}, '--set', 'training.epochs=3']\n"
        "run()"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYDANTIC")}

    def loaded(**switch: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", probe],
            cwd=tmp_path, env=env | switch, capture_output=True, text=True, check=True,
        )  # fmt: skip
        code, *modules = done.stdout.split("LOADED")[1].split()
        assert code == "0"
        return set(modules)

    assert not {"this_plugin", "bpcli.engine.pool.forked"} & loaded()
    assert "this_plugin" in loaded(PYDANTIC_DISABLE_PLUGINS="another"), "it would be found"


def test_training_from_a_generator_loads_neither_readers_of_files_nor_other_optimizers(
    tmp_path: Path,
) -> None:
    config = PACKAGE.parent / "configs" / "xor.yaml"
    probe = (
        "import sys; from bpcli.cli.main import main\n"
        f"assert main(['train', {str(config)!r}, '--quiet', '--set', 'training.epochs=3']) == 0\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split("LOADED")[1].split())
    entries = {
        f"{registry.package}{path.partition(':')[0]}"
        for registry in (GENERATORS, OPTIMIZERS)
        for path in registry.paths.values()
    }
    assert entries & loaded == {
        "bpcli.data.generators.patterns",
        "bpcli.optimizers.gradient_descent",
    }
    assert not {name for name in loaded if name.startswith("bpcli.data.files")}
    assert not loaded & {"bpcli.data.columns", "bpcli.data.inline"}
    assert "bpcli.config.file_models" not in loaded
