from __future__ import annotations

from pathlib import Path

import pytest

from bpcli.data.files.beside import has_sidecar, sidecar_of, sidecar_path
from bpcli.system import can_fork


def test_only_an_array_of_its_own_has_names_beside_it(tmp_path: Path) -> None:
    for name in ("a.npy", "b.npz", "c.csv"):
        sidecar_path(tmp_path / name).write_text("{}")
    assert sidecar_path(tmp_path / "a.npy") == tmp_path / "a.npy.json"
    assert has_sidecar(tmp_path / "a.npy")
    assert not has_sidecar(tmp_path / "b.npz")
    assert not has_sidecar(tmp_path / "c.csv")
    assert not has_sidecar(tmp_path / "d.npy")


@pytest.mark.skipif(not can_fork(), reason="links need rights on other systems")
def test_a_link_to_an_array_has_the_names_beside_the_array(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    array, link, other = tmp_path / "data" / "big.npy", tmp_path / "one.npy", tmp_path / "two.npy"
    array.touch()
    link.symlink_to(Path("data", "big.npy"))
    other.symlink_to("one.npy")
    assert not has_sidecar(link)
    sidecar_path(array).touch()
    assert sidecar_of(link) == sidecar_of(other) == sidecar_path(array)
    assert has_sidecar(other)
    sidecar_path(link).touch()
    assert sidecar_of(link) == sidecar_path(link)
    link.unlink()
    link.symlink_to("two.npy")  # each leads to the other
    sidecar_path(link).unlink()
    assert not has_sidecar(other)
