"""The configs that come with bpnet: `configs/` in a checkout, inside the package once installed.

The configs in `configs/tables/` need a data file that is not included; their comments link to it.
"""

from __future__ import annotations

from pathlib import Path

from bpcli.errors import ConfigError
from bpcli.text import did_you_mean

_PACKAGE = Path(__file__).parents[1]
_PACKAGED = _PACKAGE / "configs"
_CHECKOUT = _PACKAGE.parent / "configs"


def _folder() -> Path:
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def _paths() -> dict[str, Path]:
    """Each template's file by name; templates that need a data file come last."""
    folder = _folder()
    paths = [*sorted(folder.glob("*.yaml")), *sorted((folder / "tables").glob("*.yaml"))]
    return {path.stem: path for path in paths}


def templates() -> dict[str, str]:
    """The first comment line of each template, by name."""
    return {
        name: path.read_text("utf-8").partition("\n")[0].lstrip("# ")
        for name, path in _paths().items()
    }


def template_text(name: str) -> str:
    """The text of a template. Raises `ConfigError` if there is none of that name."""
    paths = _paths()
    if name not in paths:
        hint = did_you_mean(name, list(paths)) or ";"
        raise ConfigError(f"There is no template `{name}`{hint} `bpnet init` lists them.")
    return paths[name].read_text("utf-8")
