from __future__ import annotations

import pytest

from bpcli.experiment.output_names import output_names
from bpcli.nn.activations import Identity, Sigmoid, Softmax, Tanh
from bpcli.nn.losses import CrossEntropy, Mse
from bpcli.nn.network import Layer, Network


def network(outputs: int, activation: Sigmoid | Identity | Softmax) -> Network:
    loss = CrossEntropy() if isinstance(activation, Softmax) else Mse()
    return Network((Layer(2, 3, Tanh()), Layer(3, outputs, activation)), loss)


@pytest.mark.parametrize(
    ("outputs", "activation", "classes", "targets", "expected"),
    [
        (1, Sigmoid(), ("no", "yes"), (), ("P(yes)",)),
        (2, Softmax(), ("no", "yes"), (), ("P(no)", "P(yes)")),
        (2, Identity(), ("no", "yes"), (), ("output(no)", "output(yes)")),
        (1, Identity(), ("no", "yes"), (), ("output(yes)",)),
        (2, Identity(), (), ("u", "v"), ("predicted u", "predicted v")),
        (2, Identity(), (), ("u",), ("output1", "output2")),
        (2, Sigmoid(), (), (), ("output1", "output2")),
    ],
)
def test_outputs_are_named_after_classes_or_targets(
    outputs: int,
    activation: Sigmoid | Identity | Softmax,
    classes: tuple[str, ...],
    targets: tuple[str, ...],
    expected: tuple[str, ...],
) -> None:
    assert output_names(network(outputs, activation), classes, targets) == expected


@pytest.mark.parametrize(("activation", "mark"), [(Sigmoid(), "P"), (Identity(), "output")])
def test_outputs_of_labels_are_named_after_them(
    activation: Sigmoid | Identity | Softmax, mark: str
) -> None:
    found = output_names(network(2, activation), ("ill", "old"), ("ill", "old"))
    assert found == (f"{mark}(ill)", f"{mark}(old)")
