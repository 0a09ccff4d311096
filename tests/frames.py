"""Tables in files, read in one step."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Dialect


def read_frame(path: Path, asked: Dialect) -> pd.DataFrame:
    return read(layout_of(path, asked))[0]
