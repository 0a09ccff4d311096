from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Result
from systems import CONFIGS

from bpcli.gradient_check.catalogue import CatalogueRow

Bpnet = Callable[..., Result]
XOR = CONFIGS / "xor.yaml"
SHORT = ("--set", "training.epochs=40")


def test_gradcheck_of_a_config_and_of_a_run(bpnet: Bpnet) -> None:
    result = bpnet("gradcheck", CONFIGS / "digits.yaml", "--entries", 20, "--rows", 10)
    assert result.code == 0
    assert result.out.count(" ok\n") == 5
    bpnet("train", XOR, "--quiet")
    assert bpnet("gradcheck", "latest").code == 0
    document = json.loads(bpnet("gradcheck", "latest", "--json").out)
    assert document["passed"]
    assert {tensor["tensor"] for tensor in document["tensors"]} == {"W1", "b1", "W2", "b2", "H"}
    squares = bpnet("gradcheck", XOR, "--set", "loss=mse", "--json")
    checked = {(tensor["term"], tensor["tensor"]) for tensor in json.loads(squares.out)["tensors"]}
    assert checked >= {("jacobian", "W1"), ("jacobian", "b2"), ("hessian", "H")}
    wrong = bpnet("gradcheck", XOR, "--set", "loss=mse", "--corrupt", "linear-jacobian")
    assert wrong.code == 4
    assert "the Jacobian of the residuals is not" in wrong.out


@pytest.mark.parametrize("config", ["xor_by_hand", "gate_or", "mazur", "autoencoder_digits"])
def test_a_right_gradient_passes_however_saturated_the_units(config: str, bpnet: Bpnet) -> None:
    result = bpnet("gradcheck", CONFIGS / f"{config}.yaml", "--entries", 10, "--rows", 10)
    assert result.code == 0, result.out


def test_gradcheck_fails_on_a_corrupted_pass_with_a_hint(bpnet: Bpnet) -> None:
    result = bpnet("gradcheck", CONFIGS / "diamond.yaml", "--corrupt", "no-mean", "--rows", 12)
    assert result.code == 4
    assert "wrong by a factor of n = 12" in result.out
    assert "the gradient is wrong" in result.err
    assert bpnet("gradcheck", "--corrupt", "sign").code == 4
    unknown = bpnet("gradcheck", "--corrupt", "everything")
    assert unknown.code == 2
    assert "no-derivative" in unknown.err


def test_gradcheck_says_what_it_could_not_check(bpnet: Bpnet) -> None:
    zeros = ("--set", "network.activations.0=relu", "--set", "network.init={name: constant}")
    result = bpnet("gradcheck", XOR, *zeros)
    assert result.code == 0
    assert "not checked" in result.out
    assert "W1, b1" in result.out
    harmless = bpnet("gradcheck", XOR, "--corrupt", "l2-on-biases")
    assert "has no effect here: it needs L2, and biases that are not 0" in harmless.out
    infinite = bpnet(
        "gradcheck",
        XOR,
        "--set",
        "network.init={name: constant, value: 1.0e+308}",
        "--set",
        "loss=mse",
        "--set",
        "network.activations=[identity, identity]",
    )
    assert infinite.code == 3
    assert "not finite" in infinite.err
    assert "(`network.init`)" in infinite.err
    large = bpnet("gradcheck", XOR, "--set", "training.l2=1e300")
    assert (large.code, large.err) == (0, "")
    assert "WRONG" not in large.out
    larger = bpnet("gradcheck", XOR, "--set", "training.l2=1e306")
    assert larger.code == 3
    assert larger.err.endswith("or too large to check: lower `training.l2`.\n")
    wrong = bpnet("gradcheck", XOR, "--set", "training.l2=1e300", "--corrupt", "sign")
    assert wrong.code == 4
    assert "the sign is wrong" in wrong.out


def test_gradcheck_says_what_rounding_hides(bpnet: Bpnet) -> None:
    Path("c.yaml").write_text(
        "data: {inputs: [[1, 2], [2, 1.0e+100], [3, 5]], targets: [[1], [2], [4]]}\n"
        "network: {layers: [2, 4, 1], activations: [tanh, identity]}\nloss: mse\n"
    )
    for options in ((), ("--corrupt", "sign")):
        result = bpnet("gradcheck", "c.yaml", *options)
        assert result.code == 0
        assert "not verified: " in result.out
        assert "data W2" in result.out
        assert "smaller than the rounding errors of the terms" in result.out
        assert "has no effect here" not in result.out
        row = next(line for line in result.out.splitlines() if line.startswith("data       W2"))
        assert row.endswith("not verified")


def test_gradcheck_without_a_config_takes_no_overrides(bpnet: Bpnet) -> None:
    assert bpnet("gradcheck", "--set", "seed=1").code == 2


def test_gradcheck_self_test(bpnet: Bpnet) -> None:
    result = bpnet("gradcheck", "--self-test")
    assert result.code == 0
    assert result.out.count("rejected") == 11
    assert all(
        row["rejected"]
        for row in json.loads(bpnet("gradcheck", "--self-test", "--json").out)["rejections"]
    )
    assert bpnet("gradcheck", "--self-test", "--corrupt", "sign").code == 2


def test_gradcheck_of_a_run_is_at_its_trained_weights(bpnet: Bpnet) -> None:
    bpnet("train", XOR, "--quiet")

    def largest(what: object) -> float:
        tensors = json.loads(bpnet("gradcheck", what, "--json").out)["tensors"]
        return float(max(abs(tensor["analytic"]) for tensor in tensors))

    assert largest("latest") < 0.01 < largest(XOR)


def test_one_wrong_row_of_the_catalogue_fails(
    bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [CatalogueRow("mse", "tanh"), CatalogueRow("mae", "tanh", passed=False)]
    monkeypatch.setattr("bpcli.gradient_check.catalogue.check_catalogue", lambda: rows)
    result = bpnet("gradcheck")
    assert result.code == 4
    assert "WRONG" in result.out
    document = json.loads(bpnet("gradcheck", "--json").out)
    assert [check["passed"] for check in document["checks"]] == [True, False]
    assert document["error"]["message"] == "a gradient is wrong."


def test_the_report_says_on_how_many_rows(bpnet: Bpnet) -> None:
    for rows, words in ((1, "on 1 row, in float64"), (3, "on 3 rows, in float64")):
        assert words in bpnet("gradcheck", XOR, "--rows", rows).out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "seed=1"], "--set needs a CONFIG."),
        (["--self-test", "--corrupt", "sign"], "--self-test takes no CONFIG, RUN or --corrupt."),
        (["--self-test", XOR], "--self-test takes no CONFIG, RUN or --corrupt."),
        ([XOR, "--rows", "0"], "--rows"),
        ([XOR, "--corrupt", "everything"], "--corrupt everything: expected one of"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    arguments: list[str | Path], message: str, bpnet: Bpnet
) -> None:
    result = bpnet("gradcheck", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
