"""The description of the arrays of weights.safetensors; `saved` checks it.

It is a file of its own because it imports the activations, which a list of runs does not need.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from bpcli.config.models import ActivationSpec
from bpcli.data.date_formats import CalendarPart, is_date_format
from bpcli.data.types import Words
from bpcli.nn.network import Bias, Layer
from bpcli.runs.saved import Count, Flag, Name, Number, Positive, Saved, Text, structure


def _each_once(names: list[str]) -> list[str]:
    if len({*names}) < len(names):
        raise ValueError("a name is repeated")
    return names


Names: TypeAlias = Annotated[list[Name], AfterValidator(_each_once)]
Pair: TypeAlias = Annotated[Names, Field(min_length=2, max_length=2)]


def _a_date_format(text: str) -> str:
    if not is_date_format(text):
        raise ValueError("this is not a date format")
    return text


DateFormat: TypeAlias = Annotated[Text, AfterValidator(_a_date_format)]


@structure
class SavedSpelling(Saved):
    """How the text of a column is read."""

    casefold: Flag
    rename: dict[Text, Text]


@structure
class SavedColumn(Saved):
    """A column of the data file, and how it becomes one or several inputs."""

    name: Name
    kind: Literal["number", "boolean", "category", "date"]
    categories: list[Text]
    fill: Number | Text | None
    indicator: Flag
    date_format: DateFormat | None = None
    calendar: list[CalendarPart] = Field(default_factory=list)
    spelling: SavedSpelling | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> SavedColumn:
        if self.kind == "category":
            if self.fill is not None and self.fill not in self.categories:
                raise ValueError("`fill` is not one of the `categories`")
        elif self.categories or isinstance(self.fill, str):
            raise ValueError(f"a {self.kind} must have no `categories` and a number as `fill`")
        if self.kind != "date" and (self.calendar or self.date_format):
            raise ValueError(f"a {self.kind} must have no `date_format` and no `calendar`")
        _each_once(self.categories)
        return self


@structure
class SavedColumns(Saved):
    """The encoding of the rows of a file into inputs and targets."""

    inputs: Annotated[list[SavedColumn], Field(min_length=1)]
    targets: Names
    class_names: Names
    file_columns: Names
    target_spellings: dict[Text, SavedSpelling] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _each_column_once(self) -> SavedColumns:
        _each_once([column.name for column in self.inputs])
        return self


@structure
class SavedLayer(Saved):
    """A layer of the network."""

    inputs: Positive
    units: Positive
    activation: ActivationSpec
    bias: Bias

    @property
    def layer(self) -> Layer:
        return Layer(self.inputs, self.units, self.activation, self.bias)


@structure
class WeightsMeta(Saved):
    """The description of the arrays of weights.safetensors."""

    best_epoch: Count
    class_names: Names
    input_names: Annotated[list[Text], Field(min_length=1)]
    target_names: Names
    columns: SavedColumns | None
    layers: Annotated[list[SavedLayer], Field(min_length=1)]
    params: Count
    words: list[Pair] = Field(default_factory=list)

    @model_validator(mode="after")
    def _layers_fit(self) -> WeightsMeta:
        for below, above in pairwise(self.layers):
            if below.units != above.inputs:
                raise ValueError("the `inputs` of a layer differ from the units of the layer below")
        if self.layers[0].inputs != len(self.input_names):
            raise ValueError("the number of `input_names` differs from the first layer's `inputs`")
        if sum(saved.layer.size for saved in self.layers) != self.params:
            raise ValueError("`params` differs from the number of parameters of the layers")
        return self

    @model_validator(mode="after")
    def _classes_fit(self) -> WeightsMeta:
        classes, outputs = len(self.class_names), self.layers[-1].units
        if classes and classes != outputs and (classes, outputs) != (2, 1):
            raise ValueError(f"{classes} `class_names` do not fit {outputs} outputs")
        if self.columns is not None and self.columns.class_names != self.class_names:
            raise ValueError("`class_names` differ from those of the `columns`")
        return self

    @model_validator(mode="after")
    def _words_fit(self) -> WeightsMeta:
        counts = {len(self.words), len(self.target_names), self.layers[-1].units}
        if self.words and (self.class_names or len(counts) > 1):
            raise ValueError("`words` do not fit the `target_names` and the outputs")
        return self

    @property
    def words_of_labels(self) -> dict[str, Words]:
        """The words of each label by its name."""
        pairs = zip(self.target_names, self.words, strict=False)
        return {name: (zero, one) for name, (zero, one) in pairs}
