"""Print each lower bound in pyproject.toml as a pin, for pip's `--constraint`."""

from __future__ import annotations

import tomllib
from itertools import chain
from pathlib import Path

text = (Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8")
project = tomllib.loads(text)["project"]
requirements = chain(project["dependencies"], *project["optional-dependencies"].values())
print(*(each.replace(">=", "==") for each in requirements if ">=" in each), sep="\n")
