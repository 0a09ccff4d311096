from __future__ import annotations

import pytest

from bpcli.config.models import Training
from bpcli.experiment.log_epochs import LogEpochs, SpacedEpochs


@pytest.mark.parametrize("unit", [1, 7])
@pytest.mark.parametrize("most", [1, 2, 4, 64])
def test_they_are_counted_as_they_are(unit: int, most: int) -> None:
    distances = SpacedEpochs(unit, most)
    epochs = [epoch for epoch in range(9000) if epoch in distances]
    for last in (0, 1, 51, 52, 53, 363, 364, 365, 5000, 8999):
        assert distances.up_to(last) == sum(epoch <= last for epoch in epochs)


def test_a_long_training_is_counted_at_once() -> None:
    assert SpacedEpochs(3).up_to(3 * 10**12) == 10**12 + 1
    assert SpacedEpochs(1, 2**30).up_to(2**50) < 2**21


@pytest.mark.parametrize(
    ("keys", "lines", "scored"),
    [
        ({"epochs": 1000}, 1001, 128),
        ({"epochs": 500_000, "log_every": 1}, 500_001, 244),
        ({"epochs": 500_000, "log_every": 1000}, 501, 115),
        ({"epochs": 500_000, "log_every": 10, "metrics_every": 100}, 50_001, 5001),
        ({"epochs": 500_000, "log_every": 100, "metrics_every": 10}, 50_001, 50_001),
    ],
)
def test_a_dense_log_has_few_metrics(keys: dict[str, int], lines: int, scored: int) -> None:
    training = Training.model_validate({"optimizer": "rprop", **keys})
    assert LogEpochs(training).counts == (lines, scored)
