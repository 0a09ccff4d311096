from __future__ import annotations

import pytest
from systems import CONFIGS

from bpcli.config.source import Source
from bpcli.config.templates import template_text, templates
from bpcli.errors import ConfigError


def test_every_shipped_config_is_one_those_that_need_a_file_last() -> None:
    names = [*templates()]
    assert {*names} == {path.stem for path in CONFIGS.rglob("*.yaml")}
    needs_file = ["file" in Source.parse(template_text(name), name).tree["data"] for name in names]
    assert needs_file == sorted(needs_file)
    assert any(needs_file)


def test_each_says_in_its_first_line_what_it_is() -> None:
    for name, meaning in templates().items():
        assert template_text(name).startswith(f"# {meaning}\n")
        assert meaning


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("xorr", "There is no template `xorr`; did you mean `xor`? `bpnet init` lists them."),
        ("zzzzzz", "There is no template `zzzzzz`; `bpnet init` lists them."),
        ("tables/iris", "There is no template `tables/iris`"),
    ],
)
def test_a_name_of_none_is_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        template_text(name)
    assert str(caught.value).startswith(message)
