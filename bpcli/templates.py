"""The configs that come with bpnet: `configs/` in a checkout, inside the package once installed."""

from __future__ import annotations

from pathlib import Path

from bpcli.errors import ConfigError
from bpcli.spec.faults import did_you_mean

_PACKAGED = Path(__file__).parent / "configs"
_CHECKOUT = Path(__file__).parent.parent / "configs"


def _folder() -> Path:
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def templates() -> dict[str, str]:
    """The first comment line of each template, by name."""
    found = {}
    for path in sorted(_folder().glob("*.yaml")):
        first = path.read_text("utf-8").partition("\n")[0]
        found[path.stem] = first.lstrip("# ")
    return found


def template_text(name: str) -> str:
    """The text of a template. Raises `ConfigError` where there is none of that name."""
    names = list(templates())
    if name not in names:
        hint = did_you_mean(name, names) or ";"
        raise ConfigError(f"There is no template `{name}`{hint} `bpnet init` lists them.")
    return (_folder() / f"{name}.yaml").read_text("utf-8")
