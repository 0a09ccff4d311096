"""A config of few lines, loaded as it is or with mistakes in it."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from bpcli.config.load import Config, validate
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.errors import ConfigError

XOR = """\
name: t
data: {generator: xor}
network:
  layers: [2, 4, 1]
  activations: [tanh, sigmoid]
loss: binary_cross_entropy
"""
MOONS = """\
name: t
data: {generator: moons, n_samples: 40}
network:
  layers: [2, 4, 1]
  activations: [tanh, sigmoid]
loss: binary_cross_entropy
"""


def parsed(text: str, *overrides: str) -> Source:
    """The values of a text with overrides, not yet validated."""
    source = Source.parse(text, "c.yaml")
    for assignment in overrides:
        override(source, assignment)
    return source


def load(text: str, *overrides: str) -> Config:
    """The validated config of a text."""
    return validate(parsed(text, *overrides))


def errors(text: str, *overrides: str) -> list[str]:
    """The lines of a text's error that name a place, without excerpts."""
    with pytest.raises(ConfigError) as caught:
        load(text, *overrides)
    lines = str(caught.value).splitlines()
    found = [line for line in lines if line.startswith(("c.yaml:", "--set"))]
    assert lines[-1] == f"{len(found)} error{'s' if len(found) > 1 else ''} in c.yaml"
    return found


def only_error(assignment: str) -> str:
    """The one error that an option brings into a valid config; it heads the option."""
    found = errors(XOR, assignment)
    assert len(found) == 1, found
    assert found[0].startswith(f"--set {assignment}: ")
    return found[0]


def syntax_error(text: str) -> str:
    """The error of a text, whether it ends the parsing or is kept for later."""
    with pytest.raises(ConfigError) as caught:
        raise Source.parse(text, "c.yaml").error()
    return str(caught.value)


trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.text("abcné1e.:#-'\" \n0x_~[{&*!%@,", max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc1", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Whatever YAML can spell."""
