"""The config's `data` for a table in a file; its splits may be files too.

This module is only loaded when a config names a file: that keeps start-up fast for other configs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field, field_validator

from bpcli.config.data_models import SPLIT, TASK, Data, SplitConfig
from bpcli.config.named import Strict
from bpcli.data.column_rules import ColumnRules, FillRule
from bpcli.data.date_formats import CalendarPart, is_date_format
from bpcli.data.files.array_files import is_array_file
from bpcli.data.files.arrays import ArraySource
from bpcli.data.files.beside import has_sidecar, sidecar_of
from bpcli.data.files.dialect import (
    MISSING,
    SEPARATORS,
    Decimal,
    Dialect,
    Samples,
    Thousands,
    is_separator,
    is_sign,
)
from bpcli.data.files.splits import FileSplits
from bpcli.data.files.stored_array import StoredArraySource
from bpcli.data.files.stored_parquet import StoredParquetSource
from bpcli.data.files.table import FileSource
from bpcli.data.selection import Selector, TargetSelectors
from bpcli.data.types import SPLITS, AskedTask, SplitName
from bpcli.data.values import text_of
from bpcli.text import quoted

Selectors: TypeAlias = Selector | Annotated[list[Selector], Field(min_length=1)]
Count0: TypeAlias = Annotated[int, Field(ge=0)]
Word: TypeAlias = str | bool | int | float
FileName: TypeAlias = Annotated[str, Field(min_length=1)]


class SplitFiles(Strict):
    """One file for each split."""

    val: FileName | None = Field(default=None, description="The file for the validation set.")
    test: FileName | None = Field(default=None, description="The file for the test set.")

    @property
    def paths(self) -> dict[SplitName, Path]:
        names = {split: getattr(self, split, None) for split in SPLITS}
        return {split: Path(name) for split, name in names.items() if name is not None}


class SplitIndexFiles(SplitFiles):
    """Text files with the row numbers of one split each, counted from 1 without the header."""

    train: FileName | None = Field(default=None, description="The file for the training set.")


class FileSplit(SplitConfig):
    """Splits of a table in a file: drawn, or given by files, by row numbers or by a column."""

    files: SplitFiles | None = Field(
        default=None, description="A separate file for each split: {val: a.csv, test: b.csv}."
    )
    index: SplitIndexFiles | None = Field(
        default=None,
        description="Text files with row numbers, counted from 1 without the header: "
        "{train: a.txt, val: b.txt, test: c.txt}.",
    )
    column: Selector | None = Field(
        default=None, description="The column that contains train, val or test for each row."
    )
    order_by: Selector | None = Field(
        default=None,
        description="The column of dates or numbers by which rows are sorted for `order`; rows "
        "with equal values keep the order of the file. The column is also an input, unless "
        "`inputs` excludes it. null: the order of the file.",
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
        description="The path of the table, relative to the config's folder: .csv, .tsv, .txt and "
        "other text, also compressed (.gz, .bz2, .xz, .zip); .xlsx, .xls and .ods; .json, .jsonl; "
        '.arff; .svm; .parquet (`pip install "bpcli[parquet]"`); .npy, .npz and .mat.'
    )
    header: bool = Field(
        default=True,
        description="Whether the first row contains the column names; without a header, they are "
        "`x1`, `x2`, … or those in `columns`.",
    )
    columns: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None, description="Column names, one per column, instead of the header's."
    )
    separator: str | None = Field(
        default=None,
        description="The column separator: one character, `whitespace`, or `fixed` for columns of "
        "a fixed width; null: detected.",
    )
    quote: str = Field(
        default='"', description="The quote character around fields that contain separators."
    )
    decimal: Decimal | None = Field(
        default=None, description="The decimal sign, `.` or `,`; null: detected, with a note."
    )
    thousands: Thousands | None = Field(
        default=None,
        description="The sign between groups of three digits; empty: none; null: detected, with a "
        "note.",
    )
    encoding: str | None = Field(
        default=None,
        description="The text encoding; null: UTF-8 or that of a byte order mark, else detected, "
        "with a note.",
    )
    sheet: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="The sheet of a spreadsheet, by name; null: the first."
    )
    skip: Count0 | None = Field(
        default=None,
        description="The number of lines before the table; null: detected, with a note.",
    )
    skip_last: Count0 = Field(
        default=0,
        description="The number of lines at the end of the file that are not rows, such as totals; "
        "blank lines do not count.",
    )
    comment: Annotated[str, Field(max_length=8)] | None = Field(
        default=None,
        description="The sign that comment lines begin with; empty: none; null: `#`, `%` or `//` "
        "if the file begins with it.",
    )
    layout: Samples | None = Field(
        default=None,
        description="Whether the samples in arrays are the `rows` or, as in MATLAB's networks, "
        "the `columns`; null: inferred from the sizes, with a note.",
    )
    date_format: str | None = Field(
        default=None,
        description="The format of dates, such as `%d.%m.%Y` (that of Python's `strptime`); empty: "
        "no column contains dates; null: detected for each column.",
    )
    missing: list[str | int | float] = Field(
        default_factory=list,
        description="Additional entries that mean a missing value, such as -999. Missing values "
        "are an error without `fill`.",
    )
    missing_only: list[str | int | float] | None = Field(
        default=None,
        description="The only entries that mean a missing value, instead of the usual ones: "
        + ", ".join(f"`{word}`" for word in MISSING if word)
        + " and empty ones.",
    )
    inputs: Selectors = Field(
        default="*",
        description='The input columns, by name, number from 1 or pattern: `[age, 3, "x*"]`; '
        '`"!id"` excludes one. The exact name of a column is never read as a '
        'pattern, except `"*"`, which means every column. Target columns are never '
        "inputs. With `layers: [auto, …]`, columns of a table with one value in all "
        "training rows (of a fold) are left out, and a note names them. They are "
        "kept, with a warning, with a first layer of a given size, in an "
        "autoencoder, and if the file has arrays (.npy, .npz or .mat).",
    )
    targets: Selectors | None = Field(
        default=None,
        description="The columns to predict, one or several; null: the last column. "
        "`same_as_inputs` makes an autoencoder.",
    )
    categories: list[Selector] = Field(
        default_factory=list,
        description="Columns to read as categories although they look like numbers or have more "
        "than 50 unique values.",
    )
    casefold: bool | list[Selector] = Field(
        default=False,
        description="Merges categories and classes that differ only in case, width, spaces or "
        "the encoding of accents, and shows them in the most frequent spelling: "
        "true for every column, or a list of columns.",
    )
    rename: dict[str, Word | dict[str, Word]] = Field(
        default_factory=dict,
        description="New names of categories and classes: `{JA: yes, NEIN: no}`, or those of some "
        "columns, by name or pattern: `{ok: {JA: yes}}`.",
    )
    fill: FillRule | dict[str, FillRule] | None = Field(
        default=None,
        description="What replaces missing values: one rule for all columns, or rules by name or "
        "pattern; for categories, it is always the most frequent one. Without `fill`, missing "
        "values in the file are an error, and those in new rows are replaced by the median.",
    )
    calendar: list[CalendarPart] = Field(
        default_factory=list,
        description="Parts of dates that become additional inputs, as sine and cosine: `month`, "
        "`weekday`, `hour`. A date itself is an input in days since 1970.",
    )
    indicator: bool | list[Selector] = Field(
        default=False,
        description="Adds an input that is 1 where a value was missing: true for every column with "
        "missing values, or a list of columns.",
    )
    weight: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="The column of row weights, numbers greater than 0; it is not an input.",
    )
    task: AskedTask | None = Field(default=None, description=TASK)

    @field_validator("separator")
    @classmethod
    def _separating_sign(cls, sign: str | None) -> str | None:
        if sign is None or is_separator(sign):
            return sign
        raise ValueError(f"found {quoted(sign)}, expected {SEPARATORS}")

    @field_validator("quote")
    @classmethod
    def _quoting_sign(cls, sign: str) -> str:
        if not is_sign(sign):
            raise ValueError(f"found {quoted(sign)}, expected one character (ASCII)")
        return sign

    @field_validator("date_format")
    @classmethod
    def _format_of_dates(cls, text: str | None) -> str | None:
        if text and not is_date_format(text):
            raise ValueError(f"found {quoted(text)}, expected a format such as %d.%m.%Y")
        return text

    @property
    def path(self) -> Path:
        return Path(self.file)

    @property
    def files(self) -> tuple[Path, ...]:
        splits = self.split.splits
        paths = (self.path, *splits.files.values(), *splits.index.values())
        return (*paths, *(sidecar_of(path) for path in paths if has_sidecar(path)))

    @property
    def asked_task(self) -> AskedTask | None:
        return self.task

    @property
    def source(self) -> FileSource | ArraySource:
        path, inputs, splits = Path(self.file), _selectors(self.inputs), self.split.splits
        if is_array_file(path):
            return ArraySource(path, inputs, self._targets, self.task, splits, self.layout)
        return FileSource(
            path,
            self.dialect,
            self._rules,
            inputs,
            self._targets,
            self.task,
            splits,
            self.weight,
            self.split.order_by,
        )

    @property
    def _rules(self) -> ColumnRules:
        return ColumnRules(
            self.fill,
            self.indicator if isinstance(self.indicator, bool) else tuple(self.indicator),
            tuple(self.categories),
            tuple(self.calendar),
            casefold=self.casefold if isinstance(self.casefold, bool) else tuple(self.casefold),
            rename={key: _words(new) for key, new in self.rename.items()},
        )

    @property
    def stored_source(self) -> StoredArraySource | StoredParquetSource:
        """The source whose rows stay in their file."""
        inputs, splits = _selectors(self.inputs), self.split.splits
        if is_array_file(self.path):
            return StoredArraySource(
                self.path, inputs, self._targets, self.task, splits, self.layout
            )
        return StoredParquetSource(self.path, self._rules, inputs, self._targets, self.task, splits)

    @property
    def inputs_array(self) -> str | None:
        """The name of the array of inputs, if the file has arrays and the config names it."""
        named = isinstance(self.inputs, str) and self.inputs != "*"
        return str(self.inputs) if named and is_array_file(Path(self.file)) else None

    @property
    def dialect(self) -> Dialect:
        usual = MISSING if self.missing_only is None else map(str, self.missing_only)
        return Dialect(
            header=self.header,
            columns=tuple(self.columns or ()),
            separator=self.separator,
            quote=self.quote,
            decimal=self.decimal,
            thousands=self.thousands,
            encoding=self.encoding,
            missing=(*usual, *map(str, self.missing)),
            skip=self.skip,
            skip_last=self.skip_last,
            comment=self.comment,
            sheet=self.sheet,
            date_format=self.date_format,
            layout=self.layout,
        )

    @property
    def _targets(self) -> TargetSelectors:
        if self.targets is None or self.targets == "same_as_inputs":
            return self.targets  # type: ignore[return-value]  # a literal, by the comparison
        return _selectors(self.targets)


def _words(new: Word | dict[str, Word]) -> str | dict[str, str]:
    """New names as text."""
    if isinstance(new, dict):
        return {old: text_of(each) for old, each in new.items()}
    return text_of(new)


def _selectors(chosen: Selectors) -> tuple[Selector, ...]:
    return tuple(chosen) if isinstance(chosen, list) else (chosen,)
