"""One activation is one edit, and one loss: what stands in this file alone is found everywhere.

Swish and log-cosh are entered into the registries for a test, and every feature is then asked for
them by name.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
import yaml
from annotated_types import Gt, doc
from conftest import Result

from bpcli.export.export import FORMATS
from bpcli.gradient_check.cases import all_cases
from bpcli.gradient_check.objective import check_objective
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array
from bpcli.nn.losses import LOSSES, Loss

Bpnet = Callable[..., Result]


@dataclass(frozen=True)
class Swish(Activation):
    """A line gated by a sigmoid.

    Ramachandran, Zoph, Le 2017, arXiv:1710.05941.
    """

    formula = "a = z / (1 + exp(-beta z))"
    derivative = "f'(z) = beta a + (1 - beta a) / (1 + exp(-beta z))"
    source = "return z * (0.5 + 0.5 * np.tanh(0.5 * beta * z))"

    beta: Annotated[float, Gt(0), doc("How sharply the gate opens.")] = 1.0

    def forward(self, z: Array, out: Array) -> None:
        np.multiply(z, self._gate(z), out=out)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        gate = self._gate(z)
        np.multiply(gate + self.beta * a * (1 - gate), grad_a, out=out)

    def _gate(self, z: Array) -> Array:
        gate: Array = 0.5 + 0.5 * np.tanh(0.5 * self.beta * z)
        return gate


class LogCosh(Loss):
    """Nearly the squared error near 0, nearly the absolute one far out."""

    formula = "loss_i = (1/K) Σ_k ln(cosh(a[k] - y[k]))"
    derivative = "∂loss_i/∂a = (1/K) tanh(a - y)"

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        loss: Array = np.log(np.cosh(a - y)).mean(axis=0)
        return loss

    def write_grad_a(self, a: Array, y: Array, out: Array) -> None:
        np.subtract(a, y, out=out)
        np.tanh(out, out=out)
        np.multiply(out, 1 / len(a), out=out)


CONFIG = """\
data:
  inputs: [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
  targets: [[0.0, 1.0], [1.0, 0.5], [1.0, -0.5], [0.0, 2.0]]
network:
  layers: [2, 3, 2]
  activations: [{name: swish, beta: 2}, swish]
loss: log_cosh
training:
  learning_rate: 0.1
  epochs: 20
"""


@pytest.fixture(autouse=True)
def the_edit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All that adds them, and a config that uses them."""
    monkeypatch.setitem(ACTIVATIONS, "swish", Swish)
    monkeypatch.setitem(LOSSES, "log_cosh", LogCosh)
    (tmp_path / "new.yaml").write_text(CONFIG)


def test_a_config_may_name_them(bpnet: Bpnet) -> None:
    assert bpnet("train", "new.yaml", "--quiet").code == 0
    (resolved,) = Path("runs").glob("*/resolved.yaml")
    spec = yaml.safe_load(resolved.read_text())
    first, second = ({"name": "swish", "beta": beta} for beta in (2.0, 1.0))
    assert spec["network"]["activations"] == [first, second]
    assert spec["loss"] == "log_cosh"


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        (
            "network.activations=[{name: swish, beta: -1}, swish]",
            "expected a number greater than 0",
        ),
        ("network.activations=[swihs, swish]", "did you mean `swish`"),
        ("network.activations=[{name: swish, betta: 1}, swish]", "did you mean `beta`"),
        ("loss=logcosh", "did you mean `log_cosh`"),
        ("loss=cross_entropy", "the last activation is `swish`: use .*log_cosh"),
    ],
)
def test_a_config_that_names_them_wrongly_gets_a_hint(
    bpnet: Bpnet, override: str, complaint: str
) -> None:
    done = bpnet("check", "new.yaml", "--set", override)
    assert done.code == 2
    assert re.search(complaint, done.err, re.DOTALL)


def test_their_derivatives_are_proven(bpnet: Bpnet) -> None:
    assert bpnet("gradcheck", "new.yaml").code == 0
    cases = [
        case
        for case in all_cases()
        if case.loss == "log_cosh" or "swish" in (case.hidden, case.output)
    ]
    assert {case.loss for case in cases if case.output == "swish"} >= {"mse", "huber", "log_cosh"}
    for seed, case in enumerate(cases[::7]):
        assert all(check.passed for check in check_objective(*case.objective(seed))), case


def test_a_wrong_derivative_is_found(bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_beta(self: Swish, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        gate = self._gate(z)
        np.multiply(gate + a * (1 - gate), grad_a, out=out)

    monkeypatch.setattr(Swish, "pullback", without_beta)
    assert bpnet("gradcheck", "new.yaml").code == 4


def test_a_trace_has_their_formulas_and_works_them_out(bpnet: Bpnet) -> None:
    text = bpnet("trace", "new.yaml").out
    assert "Layer 1: 3 swish units" in text
    assert "a1 = z1 / (1 + exp(-2 z1))" in text
    assert "f'(z2) = 1 a2 + (1 - 1 a2) / (1 + exp(-1 z2))" in text
    assert "loss_i = (1/2) Σ_k ln(cosh(a2[k] - y[k]))" in text
    assert "delta2 = (1/2) tanh(a2 - y) ∘ f'(z2)" in text
    assert re.search(r"= \(1/2\) tanh\(-?[\d.]+ - \(?-?[\d.]+\)?\) · [\d.]+", text)


def test_a_trace_has_them_in_latex(bpnet: Bpnet) -> None:
    text = bpnet("trace", "new.yaml", "--format", "latex").out
    assert r"a^{(1)} &= z^{(1)} / (1 + \exp(-2 z^{(1)}))" in text
    assert r"\sum_{k} \ln(\cosh(a^{(2)}_{k} - y_{k}))" in text
    assert r"\delta^{(2)} &= (1/2) \tanh(a^{(2)} - y) \circ f'(z^{(2)})" in text


def test_the_json_of_a_trace_has_their_slopes(bpnet: Bpnet) -> None:
    layer = json.loads(bpnet("trace", "new.yaml", "--json").out)["forward"][0]
    assert layer["activation"] == {"name": "swish", "beta": 2.0}
    z, a, gate = (
        np.array(layer["z"]),
        np.array(layer["a"]),
        1 / (1 + np.exp(-2 * np.array(layer["z"]))),
    )
    np.testing.assert_allclose(a, z * gate, rtol=1e-14)
    np.testing.assert_allclose(layer["slope"], 2 * a + (1 - 2 * a) * gate, rtol=1e-12)


def test_the_exports_compute_what_we_do(bpnet: Bpnet) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    assert bpnet("train", "new.yaml", "--quiet").code == 0
    for to in FORMATS:  # most are run, and compared with bpnet, before they are written
        assert bpnet("export", "latest", "--to", to, "-o", f"model.{to}").code == 0
    assert "a^{(1)} &= z^{(1)} / (1 + \\exp(-2 z^{(1)}))" in Path("model.latex").read_text()
    X = np.random.default_rng(0).normal(size=(9, 2)) * [[3.0, 30.0]]
    expected = by_json(json.loads(Path("model.json").read_text()), X)
    rounding = {"rtol": 1e-12, "atol": 1e-14}  # the gate is rounded near 1
    session = onnxruntime.InferenceSession(Path("model.onnx").read_bytes())
    np.testing.assert_allclose(session.run(None, {"inputs": X})[0], expected, **rounding)
    exported: dict[str, Any] = {}
    source = Path("model.python").read_text()
    assert "def swish(z, beta):\n    return z * (" in source
    exec(source, exported)
    np.testing.assert_allclose(exported["network"](X), expected, **rounding)


def by_json(model: dict[str, Any], X: Array) -> Array:
    """The outputs by the layers of a JSON file and the formula of Swish."""
    a = X.T
    for layer in model["layers"]:
        z = np.array(layer["weights"]) @ a + np.array(layer["bias"])[:, np.newaxis]
        a = z / (1 + np.exp(-layer["activation"]["beta"] * z))
    return a.T


RUNNERS = {"python": None, "onnx": None, "c": "cc", "javascript": "node", "matlab": "octave-cli"}


@pytest.mark.parametrize("to", RUNNERS)
def test_an_export_of_another_function_is_refused(
    bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    pytest.importorskip("onnxruntime")
    if (runner := RUNNERS[to]) is not None and shutil.which(runner) is None:
        pytest.skip(f"{runner} is not installed")
    assert bpnet("train", "new.yaml", "--quiet").code == 0
    monkeypatch.setattr(Swish, "source", "return z * (0.5 + 0.5 * np.tanh(0.5 * z))")
    done = bpnet("export", "latest", "--to", to)
    assert done.code == 4
    assert "where bpnet gives" in done.err


def test_the_list_of_all_keys_has_them(bpnet: Bpnet) -> None:
    lines = bpnet("schema", "--markdown").out.splitlines()
    assert (
        "| `swish` |  |  | A line gated by a sigmoid. a = z / (1 + exp(-beta z)); "
        "f'(z) = beta a + (1 - beta a) / (1 + exp(-beta z)). |"
    ) in lines
    assert "| `swish`: `beta` | number > 0 | `1` | How sharply the gate opens. |" in lines
    (loss,) = (line for line in lines if line.startswith("| `log_cosh` |"))
    assert "Nearly the squared error near 0" in loss
    assert "Σ_k ln(cosh(a[k] - y[k])); ∂loss_i/∂a = (1/K) tanh(a - y). |" in loss
