from __future__ import annotations

from collections.abc import Mapping

from small_configs import XOR, load

from bpcli.sweeps.batches import InBatches
from bpcli.sweeps.runner import InOrder
from bpcli.sweeps.training import Training, TrainingResult


def batch(*numbers: int) -> list[Training]:
    config = load(XOR)
    return [Training(number, 0, None, config) for number in numbers]


def result(training: Training) -> TrainingResult:
    return TrainingResult(training.name, training.setting, 0, None, training.until, "finished")


def test_a_batch_begins_when_the_one_before_has_ended() -> None:
    rest, asked = [batch(2, 3), []], []

    def more(results: Mapping[str, TrainingResult]) -> list[Training]:
        asked.append([*results])
        return rest.pop(0) if rest else []

    schedule = InBatches(InOrder(batch(0, 1)), more)
    first, second = schedule.next(), schedule.next()
    assert first is not None
    assert second is not None
    assert schedule.next() is None
    schedule.update(result(second))
    assert schedule.next() is None
    assert asked == []
    schedule.update(result(first))
    third, fourth = schedule.next(), schedule.next()
    assert third is not None
    assert fourth is not None
    assert (third.setting, fourth.setting) == (2, 3)
    assert asked == [["0001-0", "0000-0"]]
    assert schedule.next() is None
    schedule.update(result(third))
    schedule.update(result(fourth))
    assert schedule.next() is None
    assert len(asked[-1]) == 4
