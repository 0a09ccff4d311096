"""Halving: which settings go on, decided by numbers and never by time."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainings import VAL_LOSS, moons, restarts, result, run, sweep_in, trainings_of

from bpcli.experiment import build
from bpcli.runs.layout import WEIGHTS
from bpcli.sweeps.halving import Halving, rungs
from bpcli.sweeps.ranking import Criterion
from bpcli.sweeps.training import Training, TrainingResult
from bpcli.terminal.progress import SilentView
from bpcli.workflows.train import train

CONFIG = moons("training.epochs=27")
Values = Sequence[Sequence[float | None]]
"""The value of each setting at each rung: after 1, 3, 9 and 27 epochs."""


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (1, [1]), (2, [1, 2]), (3, [1, 3]), (8, [1, 3, 8]), (27, [1, 3, 9, 27]),
        (28, [2, 4, 10, 28]), (1000, [38, 112, 334, 1000]),
    ],
)  # fmt: skip
def test_rungs_are_thirds_of_the_epochs_rounded_up(epochs: int, expected: list[int]) -> None:
    assert rungs(epochs) == expected


def settings(count: int, seeds: int = 1) -> list[Training]:
    return trainings_of([CONFIG] * count, range(seeds))


def followed(
    trainings: Sequence[Training],
    values: Mapping[tuple[int, int], Sequence[float | None]],
    rng: random.Random | None = None,
    processes: int = 1,
    ends: Mapping[tuple[int, int], int] = MappingProxyType({}),
    criterion: Criterion = VAL_LOSS,
) -> list[tuple[int, int, int | None]]:
    """The trainings that are given, as (setting, seed, until), if results arrive in some order.

    `values` has the value at each rung by setting and seed, `ends` the rung at which a training
    has ended by itself.
    """
    halving = Halving(trainings, criterion)
    given: list[tuple[int, int, int | None]] = []
    running: list[Training] = []
    while True:
        while len(running) < processes and (training := halving.next()) is not None:
            given.append((training.setting, training.seed, training.until))
            running.append(training)
        if not running:
            return given
        training = running.pop(rng.randrange(len(running)) if rng else 0)
        at = training.setting, training.seed
        epochs = rungs(training.config.spec.training.epochs)
        rung = len(epochs) - 1 if training.until is None else epochs.index(training.until)
        halving.update(_result(training, values[at][rung], ends.get(at, 99) <= rung))


def _result(training: Training, value: float | None, has_ended: bool) -> TrainingResult:
    changes = {"metrics": {"val.accuracy": value, "val.loss": value}}
    if has_ended and value is not None:
        return result(training, value, status="finished", **changes)
    return result(training, value, **changes)


def of_one_seed(values: Values) -> dict[tuple[int, int], Sequence[float | None]]:
    return {(number, 0): each for number, each in enumerate(values)}


def untils(given: Sequence[tuple[int, int, int | None]], count: int) -> list[list[int | None]]:
    """The rungs that each setting was trained up to."""
    return [[until for number, _, until in given if number == each] for each in range(count)]


def test_the_best_third_of_those_so_far_goes_on() -> None:
    values: Values = [
        [0.5, 0.4, 0.3, 0.2],
        [0.6, 0, 0, 0],  # second of two: one goes on, the other stops
        [0.4, 0.5, 0.1, 0.1],  # first of three goes on; at 3, it is second of two
        [0.3, 0.3, 0.5, 0.1],  # first of four: of two; at 3, first of three; at 9, second of two
        [0.35, 0.1, 0.1, 0.1],  # second of five: of two; at 3, first of four; at 9, first of three
        [0.4, 0, 0, 0],  # equal to the third one, which has a lower number: third of two
    ]
    given = followed(settings(6), of_one_seed(values))
    assert untils(given, 6) == [
        [1, 3, 9, None], [1], [1, 3], [1, 3, 9], [1, 3, 9, None], [1],
    ]  # fmt: skip


def test_an_equal_value_stops_the_setting_with_the_higher_number() -> None:
    given = followed(settings(4), of_one_seed([[0.5] * 4] * 4))
    assert untils(given, 4) == [[1, 3, 9, None], [1], [1], [1]]


def test_a_greater_value_may_be_better() -> None:
    values = of_one_seed([[0.5] * 4, [0.9] * 4, [0.1] * 4])
    greater = Criterion("val.accuracy")
    assert untils(followed(settings(3), values, criterion=greater), 3) == [
        [1, 3, 9, None], [1, 3, 9, None], [1],
    ]  # fmt: skip
    assert untils(followed(settings(3), values), 3) == [[1, 3, 9, None], [1], [1, 3, 9, None]]


def test_seeds_are_compared_by_their_mean_and_all_of_a_setting_go_on() -> None:
    values = {
        (0, 0): [0.1] * 4, (0, 1): [0.9] * 4,
        (1, 0): [0.4] * 4, (1, 1): [0.4] * 4,
        (2, 0): [0.2] * 4, (2, 1): [None] * 4,
    }  # fmt: skip
    given = followed(settings(3, 2), values, processes=3)
    assert untils(given, 3) == [
        [1, 1, 3, 3, 9, 9, None, None],
        [1, 1, 3, 3, 9, 9, None, None],
        [1, 1, 3, 9, None],  # what failed is not trained again
    ]
    assert {seed for number, seed, _ in given if number == 2} == {0, 1}


def test_a_training_that_ended_before_a_rung_has_its_result_at_all_later_ones() -> None:
    values: Values = [[0.5, 0.5, 0.5, 0.5], [0.3, 0.3, 0.3, 0.3], [0.9, 0.9, 0.9, 0.9]]
    given = followed(settings(3), of_one_seed(values), ends={(1, 0): 1})
    assert untils(given, 3) == [[1, 3, 9, None], [1, 3], [1]]
    # It counts at 9 too, where the next one is second of three and not first of two.
    more: Values = [*values, [0.2, 0.2, 0.4, 0.4]]
    given = followed(settings(4), of_one_seed(more), ends={(1, 0): 1})
    assert untils(given, 4)[3] == [1, 3, 9]


def test_where_all_fail_the_first_third_goes_no_further_than_it_can() -> None:
    given = followed(settings(5), of_one_seed([[None] * 4] * 5))
    assert given == [(number, 0, 1) for number in range(5)]


class _Last(random.Random):
    """The result of the training that was given last arrives first."""

    def randrange(self, start: int, *_: object) -> int:
        return start - 1


def test_very_many_that_ended_early_are_no_problem() -> None:
    """Once the first setting has its result, all go on at once, without a call inside a call."""
    values = of_one_seed([[1 / (1 + number)] * 4 for number in range(300)])
    ends = dict.fromkeys(values, 0)
    found = followed(settings(300), values, _Last(), 300, ends)
    assert found == [(number, 0, 1) for number in range(300)]


def test_settings_with_other_epochs_have_rungs_of_their_own() -> None:
    """One of a single epoch has no second rung, and must not make others wait for it."""
    configs = [moons(f"training.epochs={epochs}") for epochs in (1, 27, 2)]
    given = followed(trainings_of(configs), of_one_seed([[0.5] * 4, [0.4] * 4, [0.3] * 4]))
    assert untils(given, 3) == [[None], [1, 3, 9, None], [1, None]]


TABLES = st.integers(1, 9).flatmap(
    lambda count: st.lists(
        st.lists(st.none() | st.integers(0, 5), min_size=4, max_size=4),
        min_size=2 * count, max_size=2 * count,
    )
)  # fmt: skip


def table(rows: Values) -> dict[tuple[int, int], Sequence[float | None]]:
    """The values of two seeds for each setting."""
    return {divmod(number, 2): row for number, row in enumerate(rows)}


@given(TABLES, st.integers(1, 8), st.randoms(use_true_random=False), st.data())
def test_the_order_in_which_results_arrive_does_not_matter(
    rows: Values, processes: int, rng: random.Random, data: st.DataObject
) -> None:
    values = table(rows)
    trainings = settings(len(rows) // 2, 2)
    ends = data.draw(st.dictionaries(st.sampled_from([*values]), st.integers(0, 3)))
    expected = followed(trainings, values, ends=ends)
    found = followed(trainings, values, rng, processes, ends)
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert len({*found}) == len(found), "none is given twice"


@given(TABLES, st.integers(0, 9), st.randoms(use_true_random=False))
def test_more_settings_change_nothing_of_the_others(
    rows: Values, fewer: int, rng: random.Random
) -> None:
    values, count = table(rows), len(rows) // 2
    every = followed(settings(count, 2), values, rng, 3)
    some = followed(settings(min(fewer, count), 2), values)
    assert {each for each in every if each[0] < fewer} == {*some}


@given(TABLES, st.randoms(use_true_random=False))
def test_every_setting_ends_and_the_first_is_trained_to_the_end(
    rows: Values, rng: random.Random
) -> None:
    values = {
        at: [0.5 if each is None else each for each in row] for at, row in table(rows).items()
    }
    found = untils(followed(settings(len(rows) // 2, 2), values, rng, 4), len(rows) // 2)
    assert found[0] == [1, 1, 3, 3, 9, 9, None, None]
    for each in found:
        assert each == found[0][: len(each)]
        assert len(each) in (2, 4, 6, 8)


def test_the_results_of_an_interrupted_sweep_lead_to_the_same_trainings() -> None:
    values = of_one_seed([[0.5, 0.4, 0.3, 0.2], [0.4, 0.5, 0.5, 0.5], [0.3, 0.3, 0.2, 0.1]])
    whole = followed(settings(3), values)
    for done in range(len(whole)):
        halving, given = Halving(settings(3), VAL_LOSS), []
        while (training := halving.next()) is not None:
            given.append((training.setting, training.seed, training.until))
            rung = 3 if training.until is None else rungs(27).index(training.until)
            halving.update(result(training, values[training.setting, 0][rung]))
            if len(given) == done:
                break
        assert given == whole[: done or len(whole)]


def test_a_setting_that_went_through_all_rungs_has_the_weights_of_one_training(
    tmp_path: Path,
) -> None:
    trainings = restarts(5, "training.epochs=30")
    sweep = sweep_in(tmp_path)
    found = run(sweep, trainings, 2, schedule=Halving(trainings, VAL_LOSS))
    ended = [each for each in found if each.status == "finished"]
    assert {each.until for each in found} == {2, 4, 10, None}
    assert 1 <= len(ended) < 5
    for each in ended:
        config = trainings[each.setting].config
        outcome = train(build(config), tmp_path / "alone", SilentView())
        assert each.weights_sha256 == outcome.record.sha256[WEIGHTS]
        assert each.epochs == 30
