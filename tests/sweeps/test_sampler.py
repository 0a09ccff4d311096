from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from bpcli.config.domains import Choice, Distribution, LogUniform, LogWhole, Uniform, Whole
from bpcli.errors import ConfigError
from bpcli.sweeps.sampler import BATCH, Observed, propose
from bpcli.sweeps.space import Space

DOMAINS: dict[str, Distribution] = {
    "x": Uniform(-5, 5),
    "y": LogUniform(1e-4, 10),
    "n": Whole(1, 20),
    "kind": Choice([None, 1, True, [3, 2], {"name": "adam"}]),
}


def bowl(values: Mapping[str, Any]) -> float:
    """A quadratic function with its minimum, 0, inside the domains."""
    x, y, n = values["x"] - 1, math.log10(values["y"]) + 1, (values["n"] - 7) / 5
    return float(x**2 + y**2 + n**2 + (values["kind"] != [3, 2]))


def told(
    seed: int, batches: int, cost: Callable[[Mapping[str, Any]], float | None] = bowl
) -> list[Observed]:
    """So many batches, with the costs of all settings."""
    known: list[Observed] = []
    for batch in range(batches):
        known += [Observed(values, cost(values)) for values in propose(DOMAINS, seed, batch, known)]
    return known


def test_it_finds_a_minimum_better_than_random_draws() -> None:
    """The medians of the best of 40 settings over 10 seeds."""
    batches = 40 // BATCH
    learned = [min(each.cost or 0.0 for each in told(seed, batches)) for seed in range(10)]
    drawn = [
        min(bowl(Space({}, DOMAINS, seed).setting(number)) for number in range(40))
        for seed in range(10)
    ]
    assert sorted(learned)[5] < 0.8 * sorted(drawn)[5]


def test_a_batch_depends_on_seed_number_and_results_alone() -> None:
    known = told(3, 3)
    again = propose(DOMAINS, 3, 3, known)
    assert len(again) == BATCH
    assert propose(DOMAINS, 3, 3, known) == again
    assert propose(DOMAINS, 4, 3, known) != again
    assert propose(DOMAINS, 3, 4, known) != again
    worse = [Observed(each.values, -(each.cost or 0.0)) for each in known]
    assert propose(DOMAINS, 3, 3, worse) != again


def test_a_batch_is_the_same_in_another_process() -> None:
    program = (
        "from bpcli.config.domains import *; from bpcli.sweeps.sampler import propose\n"
        "print(propose({'a': LogUniform(1e-4, 10), 'b': Whole(1, 10**6)}, 7, 0, []))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True, check=True, text=True, env=os.environ | {"PYTHONHASHSEED": "5"},
    )  # fmt: skip
    domains: dict[str, Distribution] = {"a": LogUniform(1e-4, 10), "b": Whole(1, 10**6)}
    assert done.stdout.strip() == str(propose(domains, 7, 0, []))
    assert not done.stderr


def test_values_are_those_of_their_domains_with_few_digits() -> None:
    for values in (each.values for each in told(0, 4)):
        assert [*values] == [*DOMAINS]
        assert -5 <= values["x"] <= 5
        assert values["x"] == round(values["x"], 5)
        assert 1e-4 <= values["y"] <= 10
        assert values["y"] == float(f"{values['y']:.6g}")
        assert type(values["n"]) is int
        assert 1 <= values["n"] <= 20
        assert any(values["kind"] is each for each in DOMAINS["kind"].values)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "domain",
    [
        Uniform(1, 1), Uniform(0, 1e-300), Uniform(-8e307, 8e307), LogUniform(5e-324, 1.7e308),
        Whole(2, 2), Whole(-(2**53), 2**53), LogWhole(1, 2**53),
    ],
)  # fmt: skip
def test_any_limits_will_do(domain: Any) -> None:
    known: list[Observed] = []
    for batch in range(3):
        drawn = propose({"k": domain}, 0, batch, known)
        known += [Observed(values, number) for number, values in enumerate(drawn)]
    assert all(domain.low <= each.values["k"] <= domain.high for each in known)


def test_limits_whose_distance_is_no_number_are_refused() -> None:
    with pytest.raises(ConfigError, match="is too wide for the sampler `tpe`: use limits that"):
        propose({"k": Uniform(-1e308, 1e308)}, 0, 0, [])


def test_failed_and_stopped_settings_are_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[FrozenTrial] = []
    monkeypatch.setattr(optuna.Study, "add_trials", lambda _, trials: seen.extend(trials))
    values = {"a": True}
    given = [
        Observed(values, 0.5),
        Observed(values, None),
        Observed(values, 0.7, 9),
        Observed({"a": 1}, 0.5),
    ]
    propose({"a": Choice([1, True])}, 0, 1, given)
    states = [TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED, TrialState.COMPLETE]
    assert [each.state for each in seen] == states
    assert [each.value for each in seen[:2]] == [0.5, None]
    assert seen[2].intermediate_values == {9: 0.7}
    assert [each.params["a"] for each in seen] == [1, 1, 1, 0]


def test_settings_that_failed_are_no_reason_to_stop() -> None:
    assert len(told(0, 3, lambda _: None)) == 3 * BATCH


def test_it_is_silent_and_changes_no_setting_of_optuna(capfd: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    told(0, 2)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")


def test_without_optuna_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError) as caught:
        propose(DOMAINS, 0, 0, [])
    assert str(caught.value) == (
        'The sampler `tpe` needs the package optuna: pip install "bpcli[optuna]".'
    )
