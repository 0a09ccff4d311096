from __future__ import annotations

from pathlib import Path

from bpcli.data.files.beside import has_sidecar, sidecar_path


def test_only_an_array_of_its_own_has_names_beside_it(tmp_path: Path) -> None:
    for name in ("a.npy", "b.npz", "c.csv"):
        sidecar_path(tmp_path / name).write_text("{}")
    assert sidecar_path(tmp_path / "a.npy") == tmp_path / "a.npy.json"
    assert has_sidecar(tmp_path / "a.npy")
    assert not has_sidecar(tmp_path / "b.npz")
    assert not has_sidecar(tmp_path / "c.csv")
    assert not has_sidecar(tmp_path / "d.npy")
