"""Config values that name an entry of a registry: `tanh`, or `{name: elu, alpha: 0.5}`.

The registries hold frozen dataclasses, whose annotated fields are the options. Here each becomes a
pydantic model, so that what a registry gains the config accepts, and the validated value is the
entry itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, Literal, Union, get_type_hints

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    PlainSerializer,
    Tag,
    ValidationInfo,
    create_model,
)
from pydantic.functional_validators import AfterValidator

from bpcli.registry import as_mapping


class Strict(BaseModel):
    """No unknown keys, no conversions, no changes afterwards."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )


def options_of(kind: type) -> dict[str, Any]:
    """The fields of a dataclass as pydantic field definitions."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        field.name: (hints[field.name], ... if field.default is MISSING else field.default)
        for field in fields(kind)
    }


def named(
    what: str,
    registry: Mapping[str, type],
    aliases: Mapping[str, str] | None = None,
    default: str | None = None,
) -> Any:
    """The annotation of a config value that names an entry of `registry`.

    Options without a name are those of the default, if there is one.
    """
    members: list[Any] = []
    for name, kind in registry.items():
        fields_ = {"name": (Literal[name], ...), **options_of(kind)}
        model = create_model(f"{what}_{name}", __base__=Strict, **fields_)
        members.append(Annotated[model, AfterValidator(_entry_maker(kind)), Tag(name)])
    return Annotated[
        _union(members),
        BeforeValidator(_expander(aliases or {}, default)),
        PlainSerializer(lambda item: shortest(registry, item)),
    ]


def _union(members: list[Any]) -> Any:
    """One of the members, told apart by the name."""
    if len(members) == 1:
        return members[0]
    by_name = Discriminator(lambda value: value.get("name") if isinstance(value, dict) else None)
    return Annotated[Union[tuple(members)], by_name]  # noqa: UP007  # dynamic


def _entry_maker(kind: type) -> Callable[[BaseModel], Any]:
    def make(model: BaseModel) -> Any:
        return kind(**{field.name: getattr(model, field.name) for field in fields(kind)})

    return make


def _expander(
    aliases: Mapping[str, str], default: str | None
) -> Callable[[Any, ValidationInfo], Any]:
    """Turn the short form into the long one, and aliases into our names, with a note."""

    def expand(value: Any, info: ValidationInfo) -> Any:
        mapping = {"name": value} if isinstance(value, str) else value
        if isinstance(mapping, dict) and default is not None:
            mapping = {"name": default} | mapping
        if not isinstance(mapping, dict) or not isinstance(mapping.get("name"), str):
            return mapping
        name = mapping["name"]
        if name not in aliases:
            return mapping
        if info.context is not None:
            info.context.append(f"`{name}` is called `{aliases[name]}` here")
        return mapping | {"name": aliases[name]}

    return expand


def shortest(registry: Mapping[str, type], item: Any) -> Any:
    """The name alone where an entry has no options, else a mapping with all of them."""
    mapping = as_mapping(registry, item)
    return mapping["name"] if len(mapping) == 1 else mapping
