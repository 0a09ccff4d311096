"""The rows of files before their columns are inputs, and how they become numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bpcli.data.column_rules import ColumnRules
from bpcli.data.columns import FeatureEncoder
from bpcli.data.dates import ambiguity_of
from bpcli.data.files.frames import naming, read_joined, rows_in
from bpcli.data.files.notes_on_inputs import first_notes, note_on_constants, without_constants
from bpcli.data.row_index import RowIndex
from bpcli.data.sentinels import sentinels_of
from bpcli.data.spellings import Spellings
from bpcli.data.table import RawTable, Table
from bpcli.data.tally import Tally
from bpcli.data.types import DataFrame, Labels
from bpcli.data.values import counted_in, dates_of
from bpcli.data.variants import ColumnWords, useless_renames, variants_text
from bpcli.nn.arrays import Array


@dataclass(frozen=True, kw_only=True)
class FileTable(RawTable):
    """Rows of one or several files whose columns are not yet inputs.

    `target_spellings` has the spelling rules of each target that holds text.
    """

    frames: Mapping[Path, DataFrame]
    inputs: tuple[str, ...]
    target_columns: tuple[str, ...]
    rules: ColumnRules
    target_spellings: Spellings = field(default_factory=dict)

    def __len__(self) -> int:
        return rows_in(self.frames)

    def fit(
        self,
        training: RowIndex,
        encoder: FeatureEncoder | None = None,
        *,
        keeps_constants: bool = True,
    ) -> Table:
        """Encode the inputs. Raises `DataError` naming file, column and row."""
        training = training[:]
        is_first, tally = encoder is None, Tally()
        encoder = encoder or self._fitted(training)
        X = self._encoded(encoder, tally)
        said: list[str] = []
        if is_first and not keeps_constants:
            fitted, encoder = encoder, without_constants(encoder, X, training)
            if encoder != fitted:
                said, tally = [note_on_constants(fitted, encoder)], Tally()
                X = self._encoded(encoder, tally)
        said += self._notes_on_columns(X, encoder) if is_first else ()
        table = Table(
            X,
            encoder.names,
            encoder,
            targets=self.targets,
            splits=self.splits,
            notes=(*self.notes, *said, *tally.notes()),
            weight=self.weight,
            row_numbers=self.row_numbers,
        )
        return table.with_inputs_as_targets() if self.is_autoencoder else table

    def _encoded(self, encoder: FeatureEncoder, tally: Tally) -> Array:
        return read_joined(self.frames, lambda frame: encoder.encode(frame, tally))

    def _notes_on_columns(self, X: Array, encoder: FeatureEncoder) -> Iterator[str]:
        """Notes on columns of inputs: outlying numbers, ambiguous dates, spellings."""
        numbers = [start for column, start in encoder.starts if column.kind == "number"]
        said = list(sentinels_of(X[:, numbers], [encoder.names[index] for index in numbers]))
        yield from first_notes(said, "a number far from all others")
        first = next(iter(self.frames.values()))
        for column in encoder.inputs:
            if column.kind == "date":
                dates = dates_of(first[column.name], self.rules.date_format)
                if dates is not None and dates.other is not None:
                    yield f"column `{column.name}` {ambiguity_of(dates)}"
        yield from self._notes_on_words(encoder)

    def _notes_on_words(self, encoder: FeatureEncoder) -> Iterator[str]:
        """Notes on spellings that may be, or are, one category or class."""
        columns = [
            ColumnWords(column.name, "category", self._rows_of_words(column.name), column.spelling)
            for column in encoder.inputs
            if column.kind == "category"
        ]
        noun = "class" if self.class_names else "value"
        for name, spelling in self.target_spellings.items():
            columns.append(ColumnWords(name, noun, self._rows_of_words(name), spelling))
        texts = [(words.column, variants_text(words)) for words in columns]
        notes = [f"column `{name}` {text}" for name, text in texts if text]
        yield from first_notes(notes, "several spellings of one value")
        yield from useless_renames(self.rules.renames(encoder.file_columns), columns)

    def _rows_of_words(self, name: str) -> Mapping[str, int]:
        return counted_in([frame[name] for frame in self.frames.values()])

    def _fitted(self, training: Labels) -> FeatureEncoder:
        """The encoder of the training rows. Raises `DataError` naming the column."""
        frame = self._concatenated()
        with naming(next(iter(self.frames))):
            columns = self.rules.fit(frame, training, self.inputs)
        classes, names = self.class_names, tuple(frame.columns)
        spellings = {
            name: spelling
            for name, spelling in self.target_spellings.items()
            if not spelling.is_plain
        }
        return FeatureEncoder(tuple(columns), self.target_columns, classes, names, spellings)

    def _concatenated(self) -> DataFrame:
        """The rows of all files; for several files, the index has the file's name and the row."""
        import pandas as pd

        first, *others = self.frames.values()
        if not others:
            return first
        categorical = first.select_dtypes("category").columns
        rows = pd.concat([first, *others], keys=[path.name for path in self.frames])
        return rows.astype(dict.fromkeys(categorical, "category"))
