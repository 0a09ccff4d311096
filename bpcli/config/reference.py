"""Every key of a config as a page of Markdown, made from the JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from bpcli.config.keys import NAMING_KEYS

Node: TypeAlias = Mapping[str, Any]


class _Row(NamedTuple):
    key: str
    type: str = ""
    default: str = ""
    meaning: str = ""


def keys_page(schema: Node) -> str:
    """Tables of all keys with type, default and meaning, and of all names and their options."""
    page = _Page(schema)
    return "\n\n".join(f"## {title}\n\n{_table(rows)}" for title, rows in page.sections().items())


def _table(rows: Sequence[_Row]) -> str:
    lines = [("key", "type", "default", "meaning"), ("---",) * 4, *rows]
    escaped = ([cell.replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


class _Page:
    """Walks the JSON Schema of a config."""

    def __init__(self, schema: Node) -> None:
        self._schema = schema

    def sections(self) -> dict[str, list[_Row]]:
        """The rows of each table by its title."""
        keys = self._schema["properties"]
        network = self._real(keys["network"])["properties"]
        training = self._section(keys["training"])["properties"]
        data = [self._real(node) for node in keys["data"]["oneOf"]]
        made = [node for node in data if "generator" in node["properties"]]
        (file,) = (node for node in data if "file" in node["properties"])
        (written,) = (node for node in data if "inputs" in node["required"])
        shared = ("split", "scale", "generator")
        any_data = [*self._rows("data.", written, ("inputs", "targets", "task"))]
        any_keys = {row.key for row in any_data}
        file_only = [row for row in self._rows("data.", file) if row.key not in any_keys]
        return {
            "A config": [*self._rows("", self._schema)],
            "`data.split` and `data.scale`": any_data,
            "`data` from a file": sorted(file_only, key=lambda row: "split" in row.key),
            "`data` written in the config": [*self._rows("data.", written, shared)],
            "`data` from a `generator` and its options": [*self._entries(made, skipped=shared)],
            "`network.activations`": [*self._names(network["activations"]["items"])],
            "`network.init`": [*self._names(self._section(network["init"]))],
            "`loss`": [*self._names(keys["loss"])],
            "`training.optimizer`": [*self._names(self._section(training["optimizer"]))],
            "`training.learning_rate` by a schedule": [*self._entries(_schedules(training))],
        }

    def _rows(self, path: str, node: Node, skipped: Sequence[str] = ()) -> Iterator[_Row]:
        """One row per key; the keys of a mapping follow its own row."""
        for key, value in node["properties"].items():
            if key not in skipped:
                yield self._row(f"`{path}{key}`", value, key in node.get("required", ()))
                inner = self._section(value)
                if "properties" in inner:
                    yield from self._rows(f"{path}{key}.", inner)

    def _row(self, key: str, node: Node, is_required: bool = False) -> _Row:
        default = (
            "required" if is_required else _shown(node["default"]) if "default" in node else ""
        )
        meaning = node.get("description") or self._real(node).get("description", "")
        return _Row(key, self._type(self._without_null(node)), default, meaning)

    def _names(self, node: Node) -> Iterator[_Row]:
        yield from self._entries(node["oneOf"][1:])  # the first is the short form

    def _entries(self, nodes: Sequence[Node], skipped: Sequence[str] = ()) -> Iterator[_Row]:
        """The common options of all names, then each name with its aliases and other options."""
        entries = [self._real(node) for node in nodes]
        common = [key for key in entries[0]["properties"] if key not in (*NAMING_KEYS, *skipped)]
        common = [key for key in common if all(key in node["properties"] for node in entries)]
        for key in common:
            is_required = key in entries[0].get("required", ())
            yield self._row(f"all: `{key}`", entries[0]["properties"][key], is_required)
        for node in entries:
            name, *aliases = _spellings(node)
            known_as = f" ({', '.join(aliases)})" if aliases else ""
            yield _Row(f"`{name}`{known_as}", meaning=_summary(node))
            for key, value in node["properties"].items():
                if key not in (*NAMING_KEYS, *skipped, *common):
                    is_required = key in node.get("required", ())
                    yield self._row(f"`{name}`: `{key}`", value, is_required)

    def _real(self, node: Node) -> Node:
        """What a node refers to."""
        if "$ref" not in node:
            return node
        real: Node = self._schema["$defs"][node["$ref"].rpartition("/")[2]]
        return real

    def _without_null(self, node: Node) -> Node:
        """A node without the null that stands for a default mapping."""
        is_section = "properties" in self._section(node)
        if node.get("default", {} if is_section else None) is None:
            return node
        return {"anyOf": [arm for arm in node.get("anyOf", [node]) if arm != {"type": "null"}]}

    def _section(self, node: Node) -> Node:
        """The definition of a node, or of its only alternative to null."""
        arms = [arm for arm in node.get("anyOf", [node]) if arm.get("type") != "null"]
        return self._real(arms[0] if len(arms) == 1 else node)

    def _type(self, node: Node) -> str:
        """The allowed types and values, as text."""
        node = self._real(node)
        if "oneOf" in node:
            return self._type_of_one(node["oneOf"])
        if "anyOf" in node:
            return " or ".join(dict.fromkeys(map(self._type, node["anyOf"])))
        if "const" in node or "enum" in node:
            values = node.get("enum", [node.get("const")])
            return " or ".join(f"`{value}`" if value else '`""`' for value in values)
        return self._plain_type(node)

    def _type_of_one(self, arms: Sequence[Node]) -> str:
        if "enum" in arms[0]:
            return "name, or mapping of `name` and options"
        is_mixed = any("oneOf" in arm for arm in arms)
        return " or ".join(map(self._type, arms)) if is_mixed else "mapping, see below"

    def _plain_type(self, node: Node) -> str:
        noun, values = _NOUNS[node.get("type", "")], node.get("additionalProperties")
        if noun == "list" and node.get("items"):
            return f"list of {_grouped(self._type(node['items']))}"
        if isinstance(values, dict):
            return f"mapping to {_grouped(self._type(values))}"
        bounds = [f"{sign} {node[key]:g}" for key, sign in _BOUNDS.items() if key in node]
        return " ".join([noun, ", ".join(bound for bound in bounds if "e+" not in bound)]).strip()


_NOUNS = {
    "": "anything",
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "array": "list",
    "object": "mapping",
}
_BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


def _grouped(alternatives: str) -> str:
    """Several types in parentheses, so that the extent of a list or mapping is clear."""
    return f"({alternatives})" if " or " in alternatives else alternatives


def _schedules(training: Node) -> Sequence[Node]:
    """The schedules: the alternatives of a learning rate besides a number and null."""
    rate = training["learning_rate"]["anyOf"][0]
    (schedule,) = (arm for arm in rate["oneOf"] if "oneOf" in arm)
    schedules: Sequence[Node] = schedule["oneOf"]
    return schedules


def _spellings(node: Node) -> list[str]:
    """The name of an entry, and its aliases."""
    tag = next(node["properties"][tag] for tag in NAMING_KEYS if tag in node["properties"])
    return tag.get("enum") or [tag["const"]]


def _shown(value: Any) -> str:
    """A default as written in YAML."""
    if isinstance(value, list):
        return f"`[{', '.join(item or chr(34) * 2 for item in value)}]`"
    if isinstance(value, dict):
        return f"`{{{', '.join(f'{key}: {option}' for key, option in value.items())}}}`"
    if value is None or isinstance(value, bool):
        return f"`{str(value).lower().replace('none', 'null')}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _summary(node: Node) -> str:
    """The first paragraph of a description, on one line."""
    return " ".join(node.get("description", "").partition("\n\n")[0].split())
