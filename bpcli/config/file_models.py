"""The config's `data` where it is a table in a file, whose splits may be files too.

Most of it is for files alone, so it is loaded where a config names one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from bpcli.config.data_models import SPLIT, Data, SplitConfig
from bpcli.config.named import Strict
from bpcli.data.column_rules import ColumnRules, FillRule
from bpcli.data.files.arrays import ARRAY_SUFFIXES, ArraySource
from bpcli.data.files.delimited import MISSING, WHITESPACE, FileFormat
from bpcli.data.files.splits import FileSplits
from bpcli.data.files.table import FileSource, FileTask
from bpcli.data.selection import Selector
from bpcli.data.types import SPLITS, SplitName
from bpcli.text import quoted

Selectors: TypeAlias = Selector | Annotated[list[Selector], Field(min_length=1)]
FileName: TypeAlias = Annotated[str, Field(min_length=1)]


class SplitFiles(Strict):
    """Files that hold a split each."""

    val: FileName | None = Field(default=None, description="The file for the validation set.")
    test: FileName | None = Field(default=None, description="The file for the test set.")

    @property
    def paths(self) -> dict[SplitName, Path]:
        names = {split: getattr(self, split, None) for split in SPLITS}
        return {split: Path(name) for split, name in names.items() if name is not None}


class SplitIndexFiles(SplitFiles):
    """Text files with the row numbers of a split each, counted from 0."""

    train: FileName | None = Field(default=None, description="The file for the training set.")


class FileSplit(SplitConfig):
    """Splits of a table in a file, which may be told apart beforehand in one of three ways."""

    files: SplitFiles | None = Field(
        default=None, description="Files of their own for splits: {val: a.csv, test: b.csv}."
    )
    index: SplitIndexFiles | None = Field(
        default=None,
        description="Text files with row numbers, counted from 0: {train: a.txt, val: b.txt, "
        "test: c.txt}.",
    )
    column: Selector | None = Field(
        default=None, description="A column that says train, val or test."
    )

    @property
    def splits(self) -> FileSplits:
        files = {} if self.files is None else self.files.paths
        index = {} if self.index is None else self.index.paths
        return FileSplits(files, index, self.column)


class FileData(Data):
    """A table in a file; columns are chosen by name, number from 1, or pattern."""

    key: ClassVar[str] = "file"

    split: FileSplit = Field(default=FileSplit(), description=SPLIT)
    file: FileName = Field(
        description="The table, from the config's folder: .csv, .tsv, .txt and other text; "
        ".parquet (`pip install 'bpcli[parquet]'`); .npy, .npz and .mat."
    )
    header: bool = Field(
        default=True,
        description="false: the first row is data, and the columns are `x1`, `x2`, … or as "
        "`columns` says.",
    )
    columns: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None, description="Names, one for each column, instead of the header's."
    )
    separator: str | None = Field(
        default=None, description="Between columns: one character, or whitespace; null: found out."
    )
    quote: str = Field(default='"', description="Around fields with separators in them.")
    decimal: Literal[".", ","] = Field(default=".", description="`,` reads 1,5 as a number.")
    encoding: str | None = Field(
        default=None,
        description="null: UTF-8 or what the first bytes say, else cp1252 or latin-1, with a note.",
    )
    missing: list[str | int | float] = Field(
        default=[*MISSING],
        description="The words for a missing value, which is refused without `fill`.",
    )
    inputs: Selectors = Field(
        default="*",
        description='Columns by name, number from 1 or pattern: `[age, 3, "x*"]`; `"!id"` leaves '
        "one out. The targets never belong to them.",
    )
    targets: Selectors | None = Field(
        default=None,
        description="The columns to predict, one or several; null: the last. Or same_as_inputs.",
    )
    categories: list[Selector] = Field(
        default_factory=list,
        description="Columns that are words although they look like numbers, or have more than 50 "
        "of them.",
    )
    fill: FillRule | dict[str, FillRule] | None = Field(
        default=None,
        description="What stands in for missing values, for all columns or by name or pattern; "
        "words take the most frequent.",
    )
    indicator: bool | list[Selector] = Field(
        default=False,
        description="A further input says where a value was missing: true for each column with "
        "gaps, or a list of columns.",
    )
    weight: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="A column of weights, a number above 0 for each row, which is no input then.",
    )
    task: FileTask | None = Field(
        default=None, description="classification, where numbers are classes; null: by the target."
    )

    @field_validator("separator", "quote")
    @classmethod
    def _one_character(cls, sign: str | None, info: ValidationInfo) -> str | None:
        if info.field_name == "separator" and sign in (None, WHITESPACE):
            return sign
        if sign is None or len(sign) != 1 or sign in "\r\n" or not sign.isascii():
            word = f", or `{WHITESPACE}`" * (info.field_name == "separator")
            raise ValueError(f"found {quoted(sign)}, expected one character (ASCII){word}")
        return sign

    @property
    def files(self) -> tuple[Path, ...]:
        splits = self.split.splits
        return (Path(self.file), *splits.files.values(), *splits.index.values())

    @property
    def is_regression(self) -> bool:
        return self.task == "regression"

    @property
    def source(self) -> FileSource | ArraySource:
        path, inputs, splits = Path(self.file), _selectors(self.inputs), self.split.splits
        if path.suffix.lower() in ARRAY_SUFFIXES:
            return ArraySource(path, inputs, self._targets, self.task, splits)
        rules = ColumnRules(
            self.fill,
            self.indicator if isinstance(self.indicator, bool) else tuple(self.indicator),
            tuple(self.categories),
        )
        return FileSource(
            path, self.format, rules, inputs, self._targets, self.task, splits, self.weight
        )

    @property
    def format(self) -> FileFormat:
        return FileFormat(
            self.header,
            tuple(self.columns or ()),
            self.separator,
            self.quote,
            self.decimal,
            self.encoding,
            tuple(map(str, self.missing)),
        )

    @property
    def _targets(self) -> tuple[Selector, ...] | Literal["same_as_inputs"] | None:
        if self.targets is None or self.targets == "same_as_inputs":
            return self.targets  # type: ignore[return-value]  # a literal, by the comparison
        return _selectors(self.targets)


def _selectors(chosen: Selectors) -> tuple[Selector, ...]:
    return tuple(chosen) if isinstance(chosen, list) else (chosen,)
