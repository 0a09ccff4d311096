"""The built wheel: what it holds, and that it works without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import bpcli

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = out.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(out / "site")
    return out / "site"


def test_it_holds_the_package_the_handbook_and_the_configs_and_nothing_else(unpacked: Path) -> None:
    sources = {
        str(path.relative_to(ROOT))
        for ending in ("py", "mplstyle", "css", "js", "mjs", "c", "m", "html", "yaml")
        for path in (ROOT / "bpcli").rglob(f"*.{ending}")
    }
    handbook = (ROOT / "bpcli" / "docs").rglob("*.*")
    sources |= {str(path.relative_to(ROOT)) for path in handbook if path.suffix in (".md", ".png")}
    sources |= {f"bpcli/{path.relative_to(ROOT)}" for path in (ROOT / "configs").rglob("*.yaml")}
    packed = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert {path for path in packed if ".dist-info/" not in path} == sources | {"bpcli/py.typed"}
    assert f"bpcli-{bpcli.__version__}.dist-info/licenses/LICENSE" in packed


def test_its_description_has_no_link_that_works_in_the_repository_alone(unpacked: Path) -> None:
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
    description = metadata.read_text("utf-8").partition("\n\n")[2]
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "](" in readme
    assert "](" not in description
    assert len(description.splitlines()) > 0.9 * len(readme.splitlines())


def test_init_and_train_work_from_the_wheel_alone(unpacked: Path, tmp_path: Path) -> None:
    def bpnet(*arguments: str) -> str:
        probe = (
            "import sys, bpcli, bpcli.cli.main as m\n"
            f"assert bpcli.__file__.startswith({str(unpacked)!r}), bpcli.__file__\n"
            f"sys.exit(m.main({list(arguments)!r}))"
        )
        return subprocess.run(
            [sys.executable, "-c", probe], cwd=tmp_path, text=True, check=True,
            env=os.environ | {"PYTHONPATH": str(unpacked)}, stdout=subprocess.PIPE,
        ).stdout  # fmt: skip

    bpnet("init", "adult")  # from a folder in configs
    bpnet("init", "xor")
    run_id = bpnet("train", "xor.yaml", "--quiet").strip()
    assert (tmp_path / "runs" / run_id / "weights.safetensors").is_file()
    assert "accuracy" in bpnet("eval", "latest")
