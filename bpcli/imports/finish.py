"""From a chain of layers to a model with names."""

from __future__ import annotations

from collections.abc import Sequence

from bpcli.imports.model import (
    CLASSES_ARE_NUMBERED,
    ImportedModel,
    checked,
    default_names,
    plain_columns,
)
from bpcli.imports.steps import Chain
from bpcli.text import listed_names, plural


def finished(
    form: str,
    chain: Chain,
    *,
    input_names: Sequence[str] = (),
    target_names: Sequence[str] = (),
    classes: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> ImportedModel:
    """The model of a chain. Names that are not given are x1, x2, … and y1, y2, …

    The outputs of softmax are probabilities of classes, called 1, 2, … as MATLAB counts them.
    """
    inputs, outputs = default_names(len(chain.inputs.shift), chain.layers[-1].units)
    inputs = tuple(input_names) or inputs
    said = list(notes)
    classes = tuple(classes)
    is_scaled = not chain.targets.changes_nothing
    if not classes and chain.layers[-1].activation.gives_distribution and not is_scaled:
        classes = tuple(map(str, range(1, len(outputs) + 1)))
        said.append(
            f"the {len(outputs)} outputs are probabilities: {CLASSES_ARE_NUMBERED} {classes[0]} to "
            f"{classes[-1]}; --classes names them"
        )
    if chain.unused:
        names = [inputs[number] for number in chain.unused]
        said.append(
            f"{plural(len(names), 'input')} without influence ({listed_names(names)}), which were "
            "constant in training, have weights of 0"
        )
    targets = tuple(target_names) or (("class",) if classes else outputs)
    return checked(
        ImportedModel(
            form,
            chain.layers,
            chain.inputs,
            chain.targets,
            plain_columns(inputs),
            targets,
            classes,
            notes=tuple(said),
        )
    )
