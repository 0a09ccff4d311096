"""Write a config as YAML."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from bpcli.config.source import resolve


class _Dumper(yaml.SafeDumper):
    """Short lists on one line, and quotes around every text that would not be read as text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_str(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        is_plain = resolve(text) == text
    except ValueError:
        is_plain = False
    style = None if is_plain else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.SequenceNode:
    is_flat = not any(isinstance(item, list | dict) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=is_flat)


_Dumper.add_representer(str, _represent_str)
_Dumper.add_representer(list, _represent_list)


def dump(value: Any) -> str:
    """YAML that `Source.parse` reads back as the same value."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, explicit_end=False
    )
    return text.removesuffix("...\n")


def inline(value: Any) -> str:
    """YAML on one line that `Source.parse` reads back as the same value.

    Plain words are not quoted; all else is JSON, with YAML's escapes for unprintable characters.
    """
    if isinstance(value, dict):
        return f"{{{', '.join(f'{inline(key)}: {inline(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and resolve(value) == value:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*")
