"""What compressed files hold, by their names or the one in an archive."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from bpcli.data.files.packed import content_suffix, is_packed


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("t.csv", ".csv"),
        ("t.TSV", ".tsv"),
        ("t.tsv.gz", ".tsv"),
        ("a.b.Tab.XZ", ".tab"),
        ("t.zip", ""),
    ],
)
def test_the_suffix_of_the_content(name: str, suffix: str) -> None:
    assert content_suffix(Path(name)) == suffix
    assert is_packed(Path(name)) is (suffix != Path(name).suffix.lower())


@pytest.mark.parametrize(("names", "suffix"), [(["a/t.TSV"], ".tsv"), (["a.csv", "b.csv"], "")])
def test_the_suffix_of_what_an_archive_holds(tmp_path: Path, names: list[str], suffix: str) -> None:
    with ZipFile(tmp_path / "t.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "")
    assert content_suffix(tmp_path / "t.zip") == suffix


def test_what_is_no_archive_has_no_suffix_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "t.csv.zip").write_bytes(b"PK")
    assert content_suffix(tmp_path / "t.csv.zip") == ".csv"
