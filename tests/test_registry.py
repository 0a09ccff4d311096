from __future__ import annotations

import subprocess
import sys

import pytest

from bpcli.data.generators import GENERATORS, Generator
from bpcli.optimizers import OPTIMIZERS, Optimizer
from bpcli.registry import LazyRegistry, name_of

LAZY = pytest.mark.parametrize(
    ("registry", "base"), [(GENERATORS, Generator), (OPTIMIZERS, Optimizer)]
)


@LAZY
def test_every_place_has_an_entry_of_its_own(registry: LazyRegistry[object], base: type) -> None:
    kinds = list(registry.values())
    assert len(set(kinds)) == len(kinds) == len(registry)
    assert all(issubclass(kind, base) for kind in kinds)


@LAZY
def test_an_entry_is_found_by_its_name_and_the_name_by_the_entry(
    registry: LazyRegistry[object], base: type
) -> None:
    assert all(name_of(registry, kind()) == name for name, kind in registry.items())


def test_a_name_that_is_not_there_is_no_entry() -> None:
    assert "adma" not in OPTIMIZERS
    assert OPTIMIZERS.get("adma") is None
    with pytest.raises(StopIteration):
        name_of(OPTIMIZERS, GENERATORS["xor"]())


def test_what_is_not_an_entry_has_no_name_though_it_is_called_as_one() -> None:
    class Adam: ...

    with pytest.raises(StopIteration):
        name_of(OPTIMIZERS, Adam())


def test_asking_for_an_entry_imports_no_other() -> None:
    probe = (
        "import sys\n"
        "from bpcli.optimizers import OPTIMIZERS\n"
        "from bpcli.registry import name_of\n"
        "assert name_of(OPTIMIZERS, OPTIMIZERS['adam']()) == 'adam'\n"
        "assert 'rprop' in OPTIMIZERS and len(OPTIMIZERS) == len(list(OPTIMIZERS))\n"
        "own = {f'bpcli.optimizers.{name}' for name in OPTIMIZERS} & set(sys.modules)\n"
        "assert {name.rsplit('.')[-1] for name in own} == {'adam', 'gradient_descent'}, own"
    )
    subprocess.run([sys.executable, "-c", probe], check=True)
