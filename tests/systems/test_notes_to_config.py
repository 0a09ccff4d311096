"""The chapter on lecture notes: each form is trained in the notes' own formulas, and by the config.

The formulas here are those of the notes, written out in numpy; their gradients are complex-step
derivatives of E itself. Configs and keys are read from the page, so that page and tests agree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from systems import CONFIGS, trained

import bpcli
from bpcli.config.load import load_config, validate
from bpcli.config.source import Source
from bpcli.errors import ConfigError
from bpcli.experiment import Experiment, build
from bpcli.experiment.streams import stream
from bpcli.gradient_check.corruptions import CORRUPTIONS
from bpcli.gradient_check.report import check_experiment
from bpcli.terminal.progress import SilentView
from bpcli.workflows.train import train

PAGE = (Path(bpcli.__file__).parent / "docs" / "notes-to-config.md").read_text("utf-8")
EXAMPLE, SLIPS = (
    yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
)

PROSE = " ".join(PAGE.split())
"""The page in one line, for sentences and keys within them."""

# Reading the page.


def rows_of(heading: str, *, table: int = 0) -> list[list[str]]:
    """The cells of a table in the section with this heading, without the table's head."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    return [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in tables[table].splitlines()[2:]
    ]


def keys_of(heading: str) -> dict[str, dict[str, str]]:
    """The keys of each form in a section's table: by the form, each key with its value."""
    return {form: fragments(keys) for form, keys, *_ in rows_of(heading)}


def fragments(cell: str) -> dict[str, str]:
    """The `key: value` pairs of a cell."""
    return dict(pair.split(": ", 1) for pair in re.findall(r"`([^`]+)`", cell))


def check_complete(heading: str, forms: dict[str, Any]) -> None:
    """Raises `AssertionError` if the page has other forms than the tests."""
    assert list(keys_of(heading)) == list(forms)


PLACES = {
    "loss": "loss",
    "layers": "network.layers",
    "activations": "network.activations",
    "bias": "network.bias",
    "init": "network.init",
    "momentum": "training.optimizer.momentum",
    "nesterov": "training.optimizer.nesterov",
    "update": "training.optimizer.update",
    "goal": "training.stop.goal",
    "min_grad": "training.stop.min_grad",
    "max_fail": "training.stop.max_fail",
    "inputs": "data.scale.inputs",
    "targets": "data.targets",
}
"""Where a key stands; all others belong to `training`."""


def place(key: str) -> list[str]:
    return PLACES.get(key, f"training.{key}").split(".")


LETTERS = {"n": 4, "K": 3, "B": 2, "N": 10, "η": 0.5, "λ": 0.3, "α": 0.6, "β": 1.5, "γ": 0.2}
n, K, B, N, η, λ, α, β, γ = LETTERS.values()


def value_of(text: str, **letters: float) -> Any:
    """A value of the page: YAML, or a product of letters as `2 n (1 - λ) / λ`."""
    known = LETTERS | letters
    words = re.findall(r"[^\W\d_]\w*", text)
    if not words or not set(words) <= {*known, *(f"{letter}²" for letter in known)}:
        return yaml.safe_load(text)
    product = re.sub(r"(?<=[\w)²]) (?=[\w(])", " * ", text).replace("²", " ** 2")
    return eval(product, {}, known)


# The config's side.


def config(keys: dict[str, str], tree: dict[str, Any] = EXAMPLE, **letters: float) -> Experiment:
    """The example of the page with other values of some keys."""
    tree = deepcopy(tree)
    for key, text in keys.items():
        *sections, name = place(key)
        section = tree
        for part in sections:
            section = section.setdefault(part, {})
        value = value_of(text, **letters)
        section[name] = value.item() if isinstance(value, np.generic) else value
    return experiment_of(tree)


def experiment_of(tree: dict[str, Any]) -> Experiment:
    text = yaml.safe_dump({"name": "notes", **tree}, allow_unicode=True)
    return build(validate(Source.parse(text, "notes.yaml")))


def weights_of(experiment: Experiment) -> np.ndarray:
    """The weights after all epochs, as the notes' vector."""
    training = experiment.training(experiment.objective())
    end = training.advance(training.start, experiment.spec.training.epochs)
    return as_vector([tensor for _, tensor in experiment.network.tensors(end.params)])


# The notes' side: (W1, b1, W2, b2) in one vector, and E as a function of it.


def as_vector(tensors: list[Any]) -> np.ndarray:
    return np.concatenate([np.ravel(tensor) for tensor in tensors])


def unpacked(w: np.ndarray) -> list[np.ndarray]:
    pieces = np.split(w, np.cumsum(list(map(np.size, INITIAL)))[:-1])
    return [piece.reshape(np.shape(tensor)) for piece, tensor in zip(pieces, INITIAL, strict=True)]


X, D = (np.array(EXAMPLE["data"][key], float) for key in ("inputs", "targets"))
INITIAL = [
    np.array(layer[key])
    for layer in EXAMPLE["network"]["parameters"]
    for key in ("weights", "bias")
]
START = as_vector(INITIAL)
IS_WEIGHT = as_vector([np.full(tensor.shape, tensor.ndim == 2) for tensor in INITIAL])
IS_SECOND_LAYER = as_vector([np.full(INITIAL[k].shape, k >= 2) for k in range(4)])
EPOCHS = EXAMPLE["training"]["epochs"]


def logistic(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def net(w: np.ndarray, x: np.ndarray = X, hidden: Callable = logistic) -> np.ndarray:
    """The z of the outputs."""
    W1, b1, W2, b2 = unpacked(w)
    return hidden(x @ W1.T + b1) @ W2.T + b2


def squares(w: np.ndarray, rows: Any = ...) -> Any:
    """½ Σ_i Σ_k (d - o)² over some rows."""
    return ((D[rows] - logistic(net(w, X[rows]))) ** 2).sum() / 2


def weights_squared(w: np.ndarray) -> Any:
    W1, _, W2, _ = unpacked(w)
    return (W1**2).sum() + (W2**2).sum()


def gradient(E: Callable, w: np.ndarray) -> np.ndarray:
    """∂E/∂w by the complex step, exact to rounding."""
    return np.array([E(w + 1e-30j * unit).imag / 1e-30 for unit in np.eye(len(w))])


def descend(
    E: Callable, rate: float = η, start: np.ndarray = START, epochs: int = EPOCHS
) -> np.ndarray:
    """Gradient descent in its simplest form."""
    w = start
    for _ in range(epochs):
        w = w - rate * gradient(E, w)
    return w


def same(weights: np.ndarray, notes: np.ndarray) -> None:
    """Raises `AssertionError` unless equal to 1e-12."""
    np.testing.assert_allclose(weights, notes, rtol=0, atol=1e-12)


# The example.


def test_letters_of_the_page_are_those_of_the_example() -> None:
    n_weights = sum(np.size(layer["weights"]) for layer in EXAMPLE["network"]["parameters"])
    assert (len(X), D.shape[1], n_weights) == (LETTERS["n"], LETTERS["K"], LETTERS["N"])
    assert EXAMPLE["training"]["learning_rate"] == η
    assert re.search(r"for n = 4 and λ = 0.3, write `l2: 1.2`", PROSE)
    assert np.isclose(value_of("n λ"), 1.2)


def test_an_expression_of_the_page_is_read_as_a_product() -> None:
    assert value_of("2 n (1 - λ) / λ") == 2 * n * (1 - 0.3) / 0.3
    assert value_of("β² η") == 1.5**2 * 0.5
    assert value_of("half_squared_error") == "half_squared_error"
    assert value_of("{name: uniform, bias: 0}") == {"name": "uniform", "bias": 0}


# Loss.


def entropy(w: np.ndarray) -> Any:
    o = logistic(net(w))
    return -(D * np.log(o) + (1 - D) * np.log(1 - o)).sum()


def logistic_loss(w: np.ndarray) -> Any:
    t = 2 * D - 1
    return np.log(1 + np.exp(-t * net(w))).sum() / n


def rule_without_output_slope(w: np.ndarray) -> np.ndarray:
    """The sum over patterns of the rule with delta = o - d, written out with loops."""
    W1, b1, W2, b2 = unpacked(w)
    total = np.zeros(len(w))
    for x, d in zip(X, D, strict=True):
        h = logistic(W1 @ x + b1)
        delta = logistic(W2 @ h + b2) - d
        e = h * (1 - h) * np.array([sum(W2[k, j] * delta[k] for k in range(K)) for j in (0, 1)])
        total += as_vector([np.outer(e, x), e, np.outer(delta, h), delta])
    return total


def trained_without_output_slope() -> np.ndarray:
    w = START
    for _ in range(EPOCHS):
        w = w - η / n * rule_without_output_slope(w)
    return w


LOSSES: dict[str, Callable[[], np.ndarray]] = {
    "½ Σ_i Σ_k (d - o)²": lambda: descend(squares),
    "1/(2n) Σ_i Σ_k (d - o)²": lambda: descend(lambda w: squares(w) / n),
    "Σ_i Σ_k (d - o)²": lambda: descend(lambda w: 2 * squares(w)),
    "1/n Σ_i Σ_k (d - o)²": lambda: descend(lambda w: 2 * squares(w) / n),
    "1/(nK) Σ_i Σ_k (d - o)²": lambda: descend(lambda w: 2 * squares(w) / (n * K)),
    "1/K Σ_i Σ_k (d - o)²": lambda: descend(lambda w: 2 * squares(w) / K),
    "1/(2nK) Σ_i Σ_k (d - o)²": lambda: descend(lambda w: squares(w) / (n * K)),
    "100/(nK) Σ_i Σ_k (d - o)²": lambda: descend(lambda w: 200 * squares(w) / (n * K)),
    "-Σ_i Σ_k [d ln o + (1 - d) ln(1 - o)]": lambda: descend(entropy),
    "-1/n Σ_i Σ_k [d ln o + (1 - d) ln(1 - o)]": lambda: descend(lambda w: entropy(w) / n),
    "-1/n Σ_i Σ_k d ln o": lambda: descend(lambda w: -(D * np.log(softmax(net(w)))).sum() / n),
    "1/n Σ_i Σ_k ln(1 + exp(-t z)), t = ±1, o = sigmoid(z)": lambda: descend(logistic_loss),
    "no E, only delta = o - d with sigmoid outputs": trained_without_output_slope,
}


def test_every_loss_of_the_page_is_tested() -> None:
    check_complete("The loss", LOSSES)


@pytest.mark.parametrize("form", LOSSES)
def test_a_loss_of_the_notes_is_that_of_its_keys(form: str) -> None:
    same(weights_of(config(keys_of("The loss")[form])), LOSSES[form]())


def test_a_softmax_of_two_moves_as_a_sigmoid_with_twice_the_rate() -> None:
    rng = np.random.default_rng(0)
    W, b, y = rng.normal(size=(2, 2)), rng.normal(size=2), np.array([0, 1, 1, 0])
    two = experiment_of(
        {
            "data": {"inputs": X.tolist(), "targets": np.stack([1 - y, y], axis=1).tolist()},
            "network": one_layer(W, b, "softmax"),
            "loss": "cross_entropy",
            "training": EXAMPLE["training"],
        }
    )
    one = experiment_of(
        {
            "data": {"inputs": X.tolist(), "targets": y.tolist()},
            "network": one_layer(W[[1]] - W[[0]], b[[1]] - b[[0]], "sigmoid"),
            "loss": "binary_cross_entropy",
            "training": EXAMPLE["training"] | {"learning_rate": 2 * η},
        }
    )
    W0, W1, b0, b1 = np.split(weights_of(two), [2, 4, 5])
    same(as_vector([W1 - W0, b1 - b0]), weights_of(one))


def one_layer(W: np.ndarray, b: np.ndarray | None, activation: str) -> dict[str, Any]:
    parameters = {"weights": W.tolist()} | ({} if b is None else {"bias": b.tolist()})
    return {
        "layers": list(W.shape[::-1]),
        "activations": [activation],
        "bias": b is not None,
        "parameters": [parameters],
    }


def test_a_softmax_of_one_unit_is_refused() -> None:
    tree = deepcopy(EXAMPLE) | {"loss": "cross_entropy"}
    tree["data"]["targets"] = [1, 0, 1, 0]
    tree["network"] = {"layers": [2, 1], "activations": ["softmax"]}
    with pytest.raises(ConfigError, match="a softmax of one unit is always 1"):
        experiment_of(tree)


def test_a_factor_of_the_loss_in_the_rate_divides_l2() -> None:
    def error(w: np.ndarray) -> Any:
        return squares(w) / (n * K) + λ / (2 * n) * weights_squared(w)

    keys = keys_of("The loss")["1/(2nK) Σ_i Σ_k (d - o)²"]
    same(weights_of(config(keys | {"l2": "λ / 0.5"})), descend(error))


def test_the_gradient_of_the_root_is_that_of_mse_over_2e() -> None:
    def mse(w: np.ndarray) -> Any:
        return 2 * squares(w) / (n * K)

    root = np.sqrt(mse(START))
    expected = gradient(mse, START) / (2 * root)
    np.testing.assert_allclose(gradient(lambda w: np.sqrt(mse(w)), START), expected, rtol=1e-12)


# L2.


def each_pattern(
    E: Callable, order: Callable[[np.random.Generator], Any], rate: float = η, decay: float = 0.0
) -> np.ndarray:
    """w ← (1 - decay) w - rate ∂E_rows/∂w for the rows of each update; decay of weights only."""
    rng = stream(0, "batches")
    w = START
    for _ in range(EPOCHS):
        for rows in order(rng):
            w = w - decay * IS_WEIGHT * w - rate * gradient(partial(E, rows=rows), w)
    return w


def all_at_once(rng: np.random.Generator) -> Iterator[Any]:
    return iter([slice(None)])


def once_each(rng: np.random.Generator) -> Iterator[Any]:
    return ([row] for row in rng.permutation(n))


def in_pairs(rng: np.random.Generator) -> Iterator[Any]:
    return iter(rng.permutation(n).reshape(-1, B))


PENALTIES: dict[str, Callable[[], np.ndarray]] = {
    "S/n + λ/(2n) Σ w²": lambda: descend(
        lambda w: squares(w) / n + λ / (2 * n) * weights_squared(w)
    ),
    "S/n + λ/2 Σ w²": lambda: descend(lambda w: squares(w) / n + λ / 2 * weights_squared(w)),
    "S/n + λ Σ w²": lambda: descend(lambda w: squares(w) / n + λ * weights_squared(w)),
    "S + λ/2 Σ w²": lambda: descend(lambda w: squares(w) + λ / 2 * weights_squared(w)),
    "S + λ Σ w²": lambda: descend(lambda w: squares(w) + λ * weights_squared(w)),
    "S + λ/(2n) Σ w²": lambda: descend(lambda w: squares(w) + λ / (2 * n) * weights_squared(w)),
    "λ S/n + (1 - λ) Σ w² (Zhou)": lambda: descend(
        lambda w: λ * squares(w) / n + (1 - λ) * weights_squared(w)
    ),
    "(1 - γ) mse + γ/N Σ w² (MATLAB)": lambda: descend(
        lambda w: (1 - γ) * 2 * squares(w) / (n * K) + γ / N * weights_squared(w)
    ),
    "w ← (1 - ηλ) w - η ∂(S/n)/∂w": lambda: each_pattern(
        squares, all_at_once, rate=η / n, decay=η * λ
    ),
    "w ← (1 - ηλ) w - η ∂S/∂w": lambda: each_pattern(squares, all_at_once, decay=η * λ),
    "w ← (1 - ηλ) w - η ∂E_i/∂w, for each pattern": lambda: each_pattern(
        squares, once_each, decay=η * λ
    ),
    "w ← (1 - ηλ/n) w - (η/B) Σ_batch ∂E_i/∂w": lambda: each_pattern(
        squares, in_pairs, rate=η / B, decay=η * λ / n
    ),
    "w ← (1 - ηλ) w - η Σ_batch ∂E_i/∂w": lambda: each_pattern(squares, in_pairs, decay=η * λ),
}


def test_every_penalty_of_the_page_is_tested() -> None:
    check_complete("L2 and weight decay", PENALTIES)


@pytest.mark.parametrize("form", PENALTIES)
def test_a_penalty_of_the_notes_is_that_of_its_keys(form: str) -> None:
    same(weights_of(config(keys_of("L2 and weight decay")[form])), PENALTIES[form]())


def test_a_column_of_ones_makes_the_bias_of_one_layer_a_weight_that_l2_shrinks() -> None:
    V = np.array(
        [[0.3, -0.2, 0.1], [0.5, 0.4, -0.6], [-0.7, 0.2, 0.8]]
    )  # the last column is the bias
    ones = np.column_stack([X, np.ones(n)])
    tree = {
        "data": {"inputs": ones.tolist(), "targets": D.tolist()},
        "network": one_layer(V, None, "sigmoid"),
        "loss": "half_squared_error",
        "training": EXAMPLE["training"] | {"l2": λ},
    }

    def error(w: np.ndarray) -> Any:
        W, b = w.reshape(K, 3)[:, :2], w.reshape(K, 3)[:, 2]
        data = ((D - logistic(X @ W.T + b)) ** 2).sum() / (2 * n)
        return data + λ / (2 * n) * ((W**2).sum() + (b**2).sum())

    same(weights_of(experiment_of(tree)), descend(error, start=V.ravel()))


def test_l2_of_a_penalty_goes_through_the_momentum() -> None:
    def error(w: np.ndarray) -> Any:
        return squares(w) / n + λ / (2 * n) * weights_squared(w)

    same(weights_of(config({"l2": "λ", "momentum": "α"})), with_momentum(error))


# Updates.


def mean(w: np.ndarray) -> Any:
    return squares(w) / n


def with_momentum(E: Callable) -> np.ndarray:
    w, change = START, np.zeros(len(START))
    for _ in range(EPOCHS):
        change = -η * gradient(E, w) + α * change
        w = w + change
    return w


def with_matlabs_momentum() -> np.ndarray:
    w, change = START, np.zeros(len(START))
    for _ in range(EPOCHS):
        change = α * change - (1 - α) * η * gradient(mean, w)
        w = w + change
    return w


def with_averaged_gradient(new: float) -> np.ndarray:
    w, v = START, np.zeros(len(START))
    for _ in range(EPOCHS):
        v = α * v + new * gradient(mean, w)
        w = w - η * v
    return w


def with_nesterovs_momentum() -> np.ndarray:
    w, v = START, np.zeros(len(START))
    for _ in range(EPOCHS):
        v = α * v - η * gradient(mean, w + α * v)
        w = w + v
    return w + α * v


def layer_by_layer() -> np.ndarray:
    w = START
    for _ in range(EPOCHS):
        w = np.where(IS_SECOND_LAYER, w - η * gradient(mean, w), w)
        w = np.where(IS_SECOND_LAYER, w, w - η * gradient(mean, w))
    return w


def with_replacement(count: int) -> Callable[[np.random.Generator], Iterator[Any]]:
    return lambda rng: ([row] for row in rng.integers(n, size=count))


UPDATES: dict[str, Callable[[], np.ndarray]] = {
    "Δw = -(η/n) Σ_i ∂E_i/∂w": lambda: descend(squares, η / n),
    "Δw = -η Σ_i ∂E_i/∂w": lambda: descend(squares),
    "the same update, but with `reduction: mean`": lambda: descend(squares),
    "Δw(t) = -η ∂E/∂w + α Δw(t-1)": lambda: with_momentum(mean),
    "Δw(t) = α Δw(t-1) - (1 - α) η ∂E/∂w": with_matlabs_momentum,
    "v ← α v + (1 - α) ∂E/∂w; w ← w - η v": lambda: with_averaged_gradient(1 - α),
    "v ← α v + ∂E/∂w; w ← w - η v": lambda: with_averaged_gradient(1),
    "v ← α v - η ∂E(w + α v)/∂w; w ← w + v": with_nesterovs_momentum,
    "after each pattern; each pattern once per epoch": lambda: each_pattern(squares, once_each),
    "n updates per epoch, each after a random pattern": lambda: each_pattern(
        squares, with_replacement(n)
    ),
    "one update per epoch, after a random pattern": lambda: each_pattern(
        squares, with_replacement(1)
    ),
    "Δw = -(η/B) Σ_batch ∂E_i/∂w": lambda: each_pattern(squares, in_pairs, η / B),
    "Δw = -η Σ_batch ∂E_i/∂w": lambda: each_pattern(squares, in_pairs),
    "layer by layer, from the last to the first": layer_by_layer,
}


def test_every_update_of_the_page_is_tested() -> None:
    check_complete("Updates", UPDATES)


@pytest.mark.parametrize("form", UPDATES)
def test_an_update_of_the_notes_is_that_of_its_keys(form: str) -> None:
    same(weights_of(config(keys_of("Updates")[form])), UPDATES[form]())


def test_a_change_of_the_upper_layer_before_the_lower_deltas_is_neither_update() -> None:
    w = START
    for _ in range(EPOCHS):
        at_old_outputs = gradient(mean, w)
        upper = np.where(IS_SECOND_LAYER, w - η * at_old_outputs, w)
        W1, b1, W2, b2 = unpacked(w)
        h = logistic(X @ W1.T + b1)
        o = logistic(h @ W2.T + b2)
        delta = (o - D) * o * (1 - o) / n
        e = delta @ unpacked(upper)[2] * h * (1 - h)
        w = upper - η * as_vector([e.T @ X, e.sum(axis=0), np.zeros(IS_SECOND_LAYER.sum())])
    for update in ("simultaneous", "layerwise"):
        assert np.abs(weights_of(config({"update": update})) - w).max() > 1e-6


def test_the_schedule_of_the_page_is_the_falling_rate() -> None:
    (text,) = re.findall(r"`learning_rate: (\{schedule.*?\})`", PROSE)
    w = START
    for t in range(EPOCHS):
        w = w - 0.5 / (1 + t / 100) * gradient(mean, w)
    same(weights_of(config({"learning_rate": text})), w)


# By book.


def watermelon() -> np.ndarray:
    """Zhou's standard BP with his thresholds γ_h and θ_j, each number by its own formula."""
    W1, b1, W2, b2 = unpacked(START)
    v, w, γ_h, θ = W1.T.copy(), W2.T.copy(), -b1, -b2
    rng = stream(0, "batches")
    for _ in range(EPOCHS):
        for k in rng.permutation(n):
            x, y = X[k], D[k]
            b = [1 / (1 + np.exp(-(sum(v[i, h] * x[i] for i in (0, 1)) - γ_h[h]))) for h in (0, 1)]
            ŷ = [1 / (1 + np.exp(-(sum(w[h, j] * b[h] for h in (0, 1)) - θ[j]))) for j in range(K)]
            g = [ŷ[j] * (1 - ŷ[j]) * (y[j] - ŷ[j]) for j in range(K)]
            e = [b[h] * (1 - b[h]) * sum(w[h, j] * g[j] for j in range(K)) for h in (0, 1)]
            w += η * np.outer(b, g)
            θ += -η * np.array(g)
            v += η * np.outer(x, e)
            γ_h += -η * np.array(e)
    return as_vector([v.T, -γ_h, w.T, -θ])


def haykin() -> np.ndarray:
    rng, w, change = stream(0, "batches"), START, np.zeros(len(START))
    for _ in range(EPOCHS):
        for row in rng.permutation(n):
            change = α * change - η * gradient(partial(squares, rows=[row]), w)
            w = w + change
    return w


def matlab() -> np.ndarray:
    w, dX = START, np.zeros(len(START))
    for _ in range(EPOCHS):
        dX = α * dX + η * (1 - α) * -gradient(lambda w: ((D - logistic(net(w))) ** 2).mean(), w)
        w = w + dX
    return w


BOOKS: dict[str, Callable[[], np.ndarray]] = {
    "Zhou Zhihua (周志华), Machine Learning (西瓜书), standard BP": watermelon,
    "Zhou, accumulated BP": lambda: descend(mean),
    "Rumelhart, Hinton, Williams 1986": lambda: with_momentum(squares),
    "Haykin": haykin,
    "Bishop, but Σ w² over weights only": lambda: descend(
        lambda w: squares(w) + λ / 2 * weights_squared(w)
    ),
    "Goodfellow et al.": lambda: descend(lambda w: mean(w) + λ / 2 * weights_squared(w)),
    "Nielsen": lambda: each_pattern(squares, in_pairs, rate=η / B, decay=η * λ / n),
    "Ng": lambda: descend(lambda w: entropy(w) / n + λ / (2 * n) * weights_squared(w)),
    "Li Hang (李航), Statistical Learning Methods": lambda: descend(
        lambda w: 2 * squares(w) / n + λ / 2 * weights_squared(w)
    ),
    "MATLAB, `traingdm`": matlab,
}


def test_every_book_of_the_page_is_tested() -> None:
    assert [book for book, *_ in rows_of("By book")] == list(BOOKS)


@pytest.mark.parametrize("book", BOOKS)
def test_the_form_of_a_book_is_that_of_its_keys(book: str) -> None:
    keys = {name: fragments(cell) for name, _, cell in rows_of("By book")}[book]
    same(weights_of(config(keys)), BOOKS[book]())


# Layout: one layer with the arrays of the notes.


def arrays(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


Layer = tuple[dict[str, np.ndarray], Callable[[dict[str, np.ndarray]], np.ndarray]]
"""The arrays of the notes, and z of all rows from them, each row a sample."""

LAYERS: dict[str, Layer] = {
    "z = W x + b": (arrays(W=(3, 2), b=(3,)), lambda p: (p["W"] @ X.T + p["b"][:, None]).T),
    "z = Wᵀ x + b": (arrays(W=(2, 3), b=(3,)), lambda p: (p["W"].T @ X.T + p["b"][:, None]).T),
    "z = x W + b": (arrays(W=(2, 3), b=(3,)), lambda p: X @ p["W"] + p["b"]),
    "z_j = Σ_i w_ji x_i + b_j": (
        arrays(w=(3, 2), b=(3,)),
        lambda p: np.array(
            [[sum(p["w"][j, i] * x[i] for i in (0, 1)) + p["b"][j] for j in range(K)] for x in X]
        ),
    ),
    "z_j = Σ_i w_ij x_i - θ_j": (
        arrays(w=(2, 3), θ=(3,)),
        lambda p: np.array(
            [[sum(p["w"][i, j] * x[i] for i in (0, 1)) - p["θ"][j] for j in range(K)] for x in X]
        ),
    ),
    "z = Θ (1, x)": (
        arrays(Θ=(3, 3)),
        lambda p: np.array([p["Θ"] @ np.concatenate([[1], x]) for x in X]),
    ),
    "z_j = Σ_i w_ij x_i, x_0 = 1": (
        arrays(w=(3, 3)),
        lambda p: np.array([p["w"].T @ np.concatenate([[1], x]) for x in X]),
    ),
    "z_j = Σ_i w_ij x_i, x_0 = -1": (
        arrays(w=(3, 3)),
        lambda p: np.array([p["w"].T @ np.concatenate([[-1], x]) for x in X]),
    ),
}


def converted(keys: dict[str, str], notes: dict[str, np.ndarray]) -> np.ndarray:
    """The weights and biases that the page says, from the arrays of the notes."""
    return as_vector(
        [eval(keys[key].replace("ᵀ", ".T"), {}, dict(notes)) for key in ("weights", "bias")]
    )


def test_every_layout_of_the_page_is_tested() -> None:
    check_complete("Rows, columns and thresholds", LAYERS)


@pytest.mark.parametrize("form", LAYERS)
def test_a_layer_of_the_notes_trains_as_its_weights_here(form: str) -> None:
    keys = keys_of("Rows, columns and thresholds")[form]
    start, z = LAYERS[form]
    ends = np.cumsum([array.size for array in start.values()])[:-1]

    def named(w: np.ndarray) -> dict[str, np.ndarray]:
        pieces = zip(start.items(), np.split(w, ends), strict=True)
        return {name: piece.reshape(array.shape) for (name, array), piece in pieces}

    def error(w: np.ndarray) -> Any:
        return ((D - logistic(z(named(w)))) ** 2).sum() / (2 * n)

    W, b = np.split(converted(keys, start), [2 * K])
    experiment = experiment_of(
        {
            "data": EXAMPLE["data"],
            "network": one_layer(W.reshape(K, 2), b, "sigmoid"),
            "loss": "half_squared_error",
            "training": EXAMPLE["training"],
        }
    )
    end = descend(error, start=as_vector(list(start.values())))
    same(weights_of(experiment), converted(keys, named(end)))


# Activations.


def ramp(z: np.ndarray) -> np.ndarray:
    return np.where(z.real > 0, z, 0)


FUNCTIONS: dict[str, tuple[Callable, Callable]] = {  # of the hidden layer, and of the outputs
    "1 / (1 + e^-z)": (logistic, logistic),
    "2 / (1 + e^-z) - 1 = (1 - e^-z) / (1 + e^-z)": (
        lambda z: 2 / (1 + np.exp(-z)) - 1,
        lambda z: (1 - np.exp(-z)) / (1 + np.exp(-z)),
    ),
    "1 / (1 + e^(-βz))": 2 * (lambda z: 1 / (1 + np.exp(-β * z)),),
    "tanh(βz)": 2 * (lambda z: np.tanh(β * z),),
    "max(0, z), with f'(0) = 0": (ramp, logistic),
}


def test_every_activation_of_the_page_is_tested() -> None:
    check_complete("Activations", FUNCTIONS)


@pytest.mark.parametrize("form", FUNCTIONS)
def test_an_activation_of_the_notes_trains_as_its_keys(form: str) -> None:
    keys = keys_of("Activations")[form]
    hidden, top = FUNCTIONS[form]

    def ours(w: np.ndarray) -> np.ndarray:
        """The weights and biases that the page says."""
        W1, b1, W2, b2 = unpacked(w)
        weights, bias = keys.get("weights", "W"), keys.get("bias", "b")
        return as_vector(
            [
                value_of(text, W=array, b=array)
                for array, text in ((W1, weights), (b1, bias), (W2, weights), (b2, bias))
            ]
        )

    def error(w: np.ndarray) -> Any:
        return ((D - top(net(w, hidden=hidden))) ** 2).sum() / (2 * n)

    rest = {key: text for key, text in keys.items() if key not in ("weights", "bias")}
    W1, b1, W2, b2 = (array.tolist() for array in unpacked(ours(START)))
    tree = deepcopy(EXAMPLE)
    tree["network"]["parameters"] = [{"weights": W1, "bias": b1}, {"weights": W2, "bias": b2}]
    same(weights_of(config(rest, tree)), ours(descend(error)))


def test_l2_with_a_steepness_is_divided_by_its_square() -> None:
    def error(w: np.ndarray) -> Any:
        o = logistic(β * net(w, hidden=lambda z: logistic(β * z)))
        return ((D - o) ** 2).sum() / (2 * n) + λ / (2 * n) * weights_squared(w)

    tree = deepcopy(EXAMPLE)
    W1, b1, W2, b2 = ((β * array).tolist() for array in unpacked(START))
    tree["network"]["parameters"] = [{"weights": W1, "bias": b1}, {"weights": W2, "bias": b2}]
    steep = config({"learning_rate": "β² η", "l2": "λ / β²"}, tree)
    same(weights_of(steep), β * descend(error))


@pytest.mark.parametrize(
    ("activation", "slope"), [("relu", 0.0), ({"name": "leaky_relu", "slope": 0.1}, 0.1)]
)
def test_the_slope_at_zero_is_that_of_the_page(activation: Any, slope: float) -> None:
    """The hidden z is 0; its weight's gradient is (o - d) · 1 · f'(0) · 1."""
    tree = {
        "data": {"inputs": [[1.0]], "targets": [[1.0]]},
        "network": {
            "layers": [1, 1, 1],
            "activations": [activation, "identity"],
            "bias": False,
            "parameters": [{"weights": [[0.0]]}, {"weights": [[1.0]]}],
        },
        "loss": "half_squared_error",
    }
    experiment = experiment_of(tree)
    assert experiment.objective().grad(experiment.initial_params)[0] == -slope


def test_the_slope_of_mae_at_its_kink_is_zero() -> None:
    tree = {
        "data": {"inputs": [[1.0]], "targets": [[1.0]]},
        "network": one_layer(np.array([[1.0]]), None, "identity"),
        "loss": "mae",
    }
    experiment = experiment_of(tree)
    assert experiment.objective().grad(experiment.initial_params)[0] == 0


def test_the_scaled_tanh_is_a_tanh_of_other_weights() -> None:
    assert "1.7159 · 2/3 = 1.1439" in PROSE
    assert f"{1.7159 * 2 / 3:.4f}" == "1.1439"
    W1, b1, W2, b2 = unpacked(START)
    notes = 1.7159 * np.tanh(2 / 3 * net(START, hidden=lambda z: 1.7159 * np.tanh(2 / 3 * z)))
    ours = as_vector([2 / 3 * W1, 2 / 3 * b1, 1.7159 * 2 / 3 * W2, 2 / 3 * b2])
    np.testing.assert_allclose(np.tanh(net(ours, hidden=np.tanh)), notes / 1.7159, rtol=1e-14)


# Initial parameters.


Draw = Callable[[np.random.Generator, Any], np.ndarray]


def uniform(rng: np.random.Generator, shape: Any) -> np.ndarray:
    """Numbers within ±1."""
    return 2 * rng.random(shape) - 1


def normal(rng: np.random.Generator, shape: Any) -> np.ndarray:
    return rng.standard_normal(shape)


def directions(rng: np.random.Generator, shape: Any) -> np.ndarray:
    """Rows of length 1."""
    rows = uniform(rng, shape)
    return np.array([row / np.sqrt((row**2).sum()) for row in rows])


def none(rng: np.random.Generator, units: int) -> np.ndarray:
    return np.zeros(units)


def zero_after(draw: Draw) -> Draw:
    """Zeros, in place of numbers that are drawn and not used."""
    return lambda rng, units: 0 * draw(rng, units)


def drawn(scale: Callable[[int, int], float], weights: Draw, biases: Draw) -> np.ndarray:
    """The layers of the example; `scale` is of the inputs and the units of a layer."""
    rng = stream(0, "init")
    tensors = []
    for inputs, units in ((2, 2), (2, 3)):
        factor = scale(inputs, units)
        tensors += [factor * weights(rng, (units, inputs)), factor * biases(rng, units)]
    return as_vector(tensors)


STARTS: dict[str, tuple[Callable[[int, int], float], Draw, Draw]] = {
    "w and b uniform in (-½, ½)": (lambda *_: 0.5, uniform, uniform),
    "w uniform in (-½, ½), b = 0": (lambda *_: 0.5, uniform, zero_after(uniform)),
    "w and b uniform in (-0.12, 0.12)": (lambda *_: 0.12, uniform, uniform),
    "w uniform in ±√(6 / (inputs + units)), b = 0: Xavier, Glorot": (
        lambda inputs, units: np.sqrt(6 / (inputs + units)),
        uniform,
        none,
    ),
    "w normal, variance 2 / (inputs + units), b = 0": (
        lambda inputs, units: np.sqrt(2 / (inputs + units)),
        normal,
        none,
    ),
    "w normal, variance 2 / inputs, b = 0: He": (
        lambda inputs, _: np.sqrt(2 / inputs),
        normal,
        none,
    ),
    "w normal, variance 1 / inputs, b = 0: LeCun": (
        lambda inputs, _: np.sqrt(1 / inputs),
        normal,
        none,
    ),
    "w and b normal, variance 1": (lambda *_: 1, normal, normal),
    "w = 0.01 · normal, b = 0": (lambda *_: 0.01, normal, zero_after(normal)),
    "the weights of each unit have the length 0.7 · units^(1/inputs): Nguyen-Widrow": (
        lambda inputs, units: 0.7 * units ** (1 / inputs),
        directions,
        uniform,
    ),
}


def initial(init: str) -> np.ndarray:
    """The initial parameters of the example with this rule instead of its own."""
    tree = deepcopy(EXAMPLE)
    del tree["network"]["parameters"]
    experiment = config({"init": init}, tree)
    return as_vector([*dict(experiment.network.tensors(experiment.initial_params)).values()])


def test_every_initialisation_of_the_page_is_tested() -> None:
    check_complete("Initial parameters", STARTS)


@pytest.mark.parametrize("form", STARTS)
def test_an_initialisation_of_the_notes_is_that_of_its_key(form: str) -> None:
    same(initial(keys_of("Initial parameters")[form]["init"]), drawn(*STARTS[form]))


def test_the_nearest_to_one_over_root_fan_in_has_its_variance() -> None:
    (init,) = re.findall(r"`init: (\{name: fan_normal.*?\})`", PROSE)
    third = yaml.safe_load(init)["gain"] ** 2
    assert np.isclose(third, 1 / 3, rtol=1e-5)  # the variance of a number within ±1
    same(initial(init), drawn(lambda inputs, _: np.sqrt(third / inputs), normal, none))


def test_the_nearest_to_the_watermelon_books_start_has_its_means() -> None:
    (init,) = re.findall(r"`init: (\{name: uniform, low: 0, high: 1, .*?\})`", PROSE)
    notes = drawn(lambda *_: 0.5, uniform, zero_after(uniform))
    same(initial(init), np.where(IS_WEIGHT, notes + 0.5, -0.5))


# Stopping.


def updates_until(measure: Callable[[np.ndarray], float], ε: float) -> int:
    """How often the notes' program updates until the measure is at most ε."""
    w, updates = START, 0
    while measure(w) > ε:
        w, updates = w - η * gradient(mean, w), updates + 1
    return updates


def after(updates: int) -> np.ndarray:
    return descend(mean, epochs=updates)


def error_sum(w: np.ndarray) -> float:
    return float(((D - logistic(net(w))) ** 2).sum() / 2)


MEASURES: dict[str, Callable[[np.ndarray], float]] = {
    "½ Σ_i Σ_k (d - o)² ≤ ε": error_sum,
    "1/(nK) Σ_i Σ_k (d - o)² ≤ ε": lambda w: 2 * error_sum(w) / (n * K),
    "√(1/(nK) Σ_i Σ_k (d - o)²) ≤ ε": lambda w: np.sqrt(2 * error_sum(w) / (n * K)),
    "‖∂E/∂w‖ ≤ ε, E = ½ Σ_i Σ_k (d - o)²": lambda w: float(np.linalg.norm(gradient(squares, w))),
}
OTHER_RULES = [
    "the same rule, trained with the sum",
    "‖Δw‖ ≤ ε, gradient descent on the mean",
    "20 presentations of patterns, n = 4",
]


def epochs_of(experiment: Experiment, runs: Path) -> tuple[int, str]:
    """The epochs of a training until it stops, and the reason."""
    record = train(experiment, runs, SilentView()).record
    return record.epochs, record.stop_reason


def stopping(form: str, **letters: float) -> Experiment:
    tree = deepcopy(EXAMPLE)
    tree["training"]["epochs"] = 100
    return config(keys_of("Stopping")[form], tree, **letters)


def test_every_rule_of_the_page_is_tested() -> None:
    assert sorted(keys_of("Stopping")) == sorted([*MEASURES, *OTHER_RULES])


@pytest.mark.parametrize("form", MEASURES)
def test_a_rule_of_the_notes_stops_after_as_many_updates(form: str, tmp_path: Path) -> None:
    measure = MEASURES[form]
    ε = (measure(after(6)) + measure(after(7))) / 2
    experiment = stopping(form, ε=ε)
    assert updates_until(measure, ε) == 7
    reason = "min_grad" if "∂E" in form else "goal"
    assert epochs_of(experiment, tmp_path) == (7, reason)


def test_a_goal_of_the_sum_stops_a_training_by_the_sum(tmp_path: Path) -> None:
    ends = [descend(squares, epochs=updates) for updates in (6, 7)]
    ε = sum(map(error_sum, ends)) / 2
    assert epochs_of(stopping("the same rule, trained with the sum", ε=ε), tmp_path) == (7, "goal")


def test_a_rule_on_the_change_of_weights_stops_one_update_earlier(tmp_path: Path) -> None:
    changes = [np.linalg.norm(after(t + 1) - after(t)) for t in range(9)]
    assert changes == sorted(changes, reverse=True)
    ε = (changes[6] + changes[7]) / 2
    notes = 1 + next(t for t, change in enumerate(changes) if change <= ε)
    form = "‖Δw‖ ≤ ε, gradient descent on the mean"
    assert epochs_of(stopping(form, ε=ε), tmp_path) == (notes - 1, "min_grad")


def test_presentations_are_updates_of_single_rows() -> None:
    experiment = stopping("20 presentations of patterns, n = 4")
    count = 0

    def counted(rng: np.random.Generator) -> Iterator[Any]:
        nonlocal count
        for row in rng.permutation(n):
            count += 1
            yield [row]

    same(weights_of(experiment), each_pattern(squares, counted))
    assert count == 20


# Accuracy.


def test_the_accuracy_of_some_notes_grows_with_the_rows(tmp_path: Path) -> None:
    system = trained(tmp_path, "linear_regression")
    rmse, constant = (
        scores["rmse"] for scores in (system.scores(), system.baselines("train")["constant"])
    )
    assert len(system.split()) == 1000
    for n, ours, baseline in rows_of("The accuracy of some notes"):
        assert f"{100 * (1 - rmse / np.sqrt(int(n))):.1f}" == ours
        assert f"{100 * (1 - constant / np.sqrt(int(n))):.1f}" == baseline
    assert f"is {100 * (1 - rmse):.0f} % here" in PROSE


def test_the_rmse_of_several_outputs_is_a_mean_over_them(tmp_path: Path) -> None:
    experiment = experiment_of(deepcopy(EXAMPLE))
    record = train(experiment, tmp_path, SilentView()).record
    norm = np.sqrt(2 * error_sum(after(EPOCHS)))
    assert np.isclose(record.metrics["train.rmse"] * np.sqrt(n * K), norm, rtol=1e-12)


def test_numbers_in_a_config_are_classes_where_the_task_says_so() -> None:
    tree = deepcopy(EXAMPLE)
    tree["data"]["targets"] = [1, 0, 1, 0]
    tree["network"] = {"layers": [2, 3, 1], "activations": ["sigmoid", "sigmoid"]}
    assert "rmse" in experiment_of(tree).metrics
    tree["data"]["task"] = "classification"
    assert "accuracy" in experiment_of(tree).metrics


# Scaling.

SCALES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "2 (x - min) / (max - min) - 1": lambda x: 2 * (x - x.min(0)) / (x.max(0) - x.min(0)) - 1,
    "(x - mean) / sd, sd = √(1/n Σ (x - mean)²)": lambda x: (
        (x - x.mean(0)) / np.sqrt(((x - x.mean(0)) ** 2).sum(0) / len(x))
    ),
    "x / 255": lambda x: x / 255,
}


def scaled(rule: str) -> np.ndarray:
    return config({"inputs": rule}).splits["train"].X


def test_every_scale_of_the_page_is_tested() -> None:
    check_complete("Scaling the data", SCALES)


@pytest.mark.parametrize("form", SCALES)
def test_a_scale_of_the_notes_is_that_of_its_key(form: str) -> None:
    (rule,) = keys_of("Scaling the data")[form].values()
    same(scaled(rule), SCALES[form](X))


def test_scales_without_a_key_are_as_far_from_ours_as_the_page_says() -> None:
    unit = (X - X.min(0)) / (X.max(0) - X.min(0))
    np.testing.assert_allclose(scaled("minmax"), 2 * unit - 1, atol=1e-15)
    sample = (X - X.mean(0)) / X.std(0, ddof=1)
    np.testing.assert_allclose(scaled("standard"), sample * np.sqrt(n / (n - 1)), rtol=1e-14)
    W, b, *_ = unpacked(START)
    notes = unit @ W.T + b
    ours = scaled("minmax") @ (W / 2).T + (b + W @ [0.5, 0.5])
    np.testing.assert_allclose(ours, notes, atol=1e-15)


def test_scales_come_from_the_training_rows_only() -> None:
    tree = deepcopy(EXAMPLE)
    tree["data"]["split"] = {"test": 0.25}
    experiment = config({"inputs": "minmax"}, tree)
    assert np.abs(experiment.splits["train"].X).max() == 1
    rows = X[experiment.splits["train"].index]
    same(experiment.splits["train"].X, SCALES["2 (x - min) / (max - min) - 1"](rows))


# Slips.


def gradient_of_code(kind: str | None, tensors: list[np.ndarray], λ: float) -> np.ndarray:
    """A student's back-propagation for tanh, tanh and sigmoid units, with this slip.

    Rows are samples; all layers have the same width, so that no slip changes a shape.
    """
    X, Y = WIDE
    n = len(X)
    weights, biases = tensors[::2], tensors[1::2]
    a = [X]
    for W, b, f in zip(weights, biases, (np.tanh, np.tanh, logistic), strict=True):
        a.append(f(a[-1] @ W.T + b))
    slopes = [1 - a[1] ** 2, 1 - a[2] ** 2, a[3] * (1 - a[3])]
    deltas = [slopes[2] * (a[3] - Y)]
    for above in (2, 1):
        W = weights[above].T if kind == "no-transpose" else weights[above]
        slope = 1 if kind == "no-derivative" else slopes[above - 1]
        deltas.insert(0, slope * (deltas[0] @ W))
    grads = []
    for layer, delta in enumerate(deltas):
        below = X if kind == "inputs-for-activations" else a[layer]
        dW = delta.T @ below / n
        db = delta.sum(axis=0) / n
        if kind == "sum-before-product":
            dW = np.outer(delta.sum(axis=0), below.sum(axis=0) / n) / n
        if kind == "bias-not-summed":
            db = delta[0] / n
        if kind == "sign" and layer == 2:
            dW, db = -dW, -db
        factor = {"times-n": n**2, "no-mean": n}.get(str(kind), 1)
        grads.append([factor * dW, factor * db])
    if kind == "swapped-layers":
        grads[:2] = grads[1::-1]
    for (dW, db), W, b in zip(grads, weights, biases, strict=True):
        dW += λ / n * W
        db += λ / n * b * (kind == "l2-on-biases")
    return as_vector([tensor for pair in grads for tensor in pair])


RNG = np.random.default_rng(3)
WIDE = RNG.normal(size=(5, 3)), RNG.uniform(size=(5, 3))


@pytest.mark.parametrize("kind", [None, *CORRUPTIONS])
def test_a_wrong_formula_of_the_page_is_what_the_check_is_shown(kind: str | None) -> None:
    tree = {
        "data": {"inputs": WIDE[0].tolist(), "targets": WIDE[1].tolist()},
        "network": SLIPS["network"] | {"layers": [3, 3, 3, 3]},
        "loss": SLIPS["loss"],
        "training": {"l2": λ},
    }
    experiment = experiment_of(tree)
    objective, params = experiment.objective(), experiment.initial_params
    if kind is not None:
        objective = CORRUPTIONS[kind].corrupt(objective)
    tensors = [tensor for _, tensor in experiment.network.tensors(params)]
    grads = [tensor for _, tensor in experiment.network.tensors(objective.grad(params))]
    same(as_vector(grads), gradient_of_code(kind, tensors, λ))
    is_right = np.allclose(as_vector(grads), gradient_of_code(None, tensors, λ), atol=1e-6)
    assert is_right == (kind in (None, "linear-jacobian"))


@pytest.mark.parametrize("kind", [None, "linear-jacobian"])
def test_the_slip_in_the_jacobian_leaves_out_the_outputs_slope(kind: str | None) -> None:
    """The Gauss-Newton matrix of ½ Σ (d - o)² / n is JᵀJ / n."""
    experiment = experiment_of(deepcopy(EXAMPLE))
    objective = experiment.objective()
    if kind is not None:
        objective = CORRUPTIONS[kind].corrupt(objective)
    top = logistic if kind is None else np.array
    J = np.array(
        [top(net(START + 1e-30j * unit)).imag.ravel() / 1e-30 for unit in np.eye(len(START))]
    ).T
    found = objective.gauss_newton(experiment.initial_params).hessian
    order = as_vector([t for _, t in experiment.network.tensors(np.arange(len(START)))])
    np.testing.assert_allclose(found[np.ix_(order, order)], J.T @ J / n, rtol=0, atol=1e-12)


def reached(
    kind: str | None, optimizer: str = "gradient_descent", epochs: int | None = None
) -> tuple[float, float]:
    """The loss with L2 and the accuracy after a training with a wrong gradient."""
    tree = deepcopy(SLIPS)
    tree["training"]["optimizer"] = optimizer
    if optimizer == "levenberg_marquardt":
        del tree["training"]["learning_rate"]
    experiment = experiment_of(tree)
    right = experiment.objective()
    training = experiment.training(right if kind is None else CORRUPTIONS[kind].corrupt(right))
    params = training.advance(training.start, epochs or SLIPS["training"]["epochs"]).params
    guessed = right.outputs(params).argmax(axis=0)
    accuracy = float(np.mean(guessed == experiment.splits["train"].labels))
    return float(right.value(params)), accuracy


def agrees(shown: str, value: float) -> bool:
    """Whether a number, a bound such as `> 1000`, or `varies` is true of a value."""
    if shown == "varies":
        return True
    sign, _, bound = shown.rpartition(" ")
    if sign:
        return value > float(bound) if sign == ">" else value < float(bound)
    return abs(value - float(shown)) <= 0.006 * abs(value)


SLIP_ROWS = rows_of("The classic mistakes of notes and student code")


def test_every_slip_is_on_the_page() -> None:
    named = [re.findall(r"`([\w-]+)`", gradient) for gradient, *_ in SLIP_ROWS]
    assert [name for names in named for name in names] == list(CORRUPTIONS)
    formulas = re.findall(r"^    ([a-z0-9-]+)  +\S.*\n {15,}wrong  \S", PAGE, re.MULTILINE)
    assert formulas == list(CORRUPTIONS)


@pytest.mark.parametrize("row", SLIP_ROWS, ids=lambda row: row[0])
def test_a_training_with_a_slip_reaches_what_the_page_says(row: list[str]) -> None:
    gradient, loss, accuracy = row
    kind = next(iter(re.findall(r"`([\w-]+)`", gradient)), None)
    by_marquardt = re.search(r"Levenberg-Marquardt, (\d+) epochs", gradient)
    with np.errstate(all="ignore"):
        value, share = (
            reached(kind, "levenberg_marquardt", int(by_marquardt[1]))
            if by_marquardt
            else reached(kind)
        )
    assert agrees(loss, value), value
    assert agrees(accuracy, share), share


def test_what_the_page_says_of_the_slips_together() -> None:
    assert "Four of the wrong gradients reach the accuracy of the correct one" in PROSE
    correct, *wrong = [share for gradient, _, share in SLIP_ROWS if "Levenberg" not in gradient]
    assert wrong.count(correct) == 4
    Y = experiment_of(deepcopy(SLIPS)).splits["train"].Y
    assert f"the learning rate is in effect {len(Y)} times too large" in PROSE
    assert f"have a loss of {((Y - Y.mean(axis=0)) ** 2).sum(axis=1).mean() / 2:.3f}" in PROSE


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_the_check_finds_every_slip_on_the_pages_problem(kind: str) -> None:
    experiment = experiment_of(deepcopy(SLIPS))
    start = experiment.initial_params
    right, wrong = (
        check_experiment(experiment, start, rows=50, entries=100, corruption=corruption)
        for corruption in (None, kind)
    )
    assert right.passed
    assert not wrong.passed


def test_xor_hides_what_the_page_says() -> None:
    experiment = build(load_config(CONFIGS / "xor.yaml"))
    start, right = experiment.initial_params, experiment.objective()
    untransposed = CORRUPTIONS["no-transpose"].corrupt(experiment.objective())
    np.testing.assert_array_equal(untransposed.grad(start), right.grad(start))
    summed = CORRUPTIONS["no-mean"].corrupt(experiment.objective())
    np.testing.assert_allclose(summed.grad(start), 4 * right.grad(start), rtol=1e-12)
    losses = []
    for objective in (right, summed):
        training = experiment.training(objective)
        end = training.advance(training.start, experiment.spec.training.epochs)
        losses.append(right.value(end.params))
    assert losses[1] < losses[0]


# Configs.

NAMES = [re.findall(r"`(\w+)`", names) for names, *_ in rows_of("Configs for each kind of notes")]


def test_every_config_is_the_kind_of_some_note() -> None:
    listed = sorted(name for names in NAMES for name in names)
    assert listed == sorted(path.stem for path in CONFIGS.rglob("*.yaml"))


def test_the_form_of_a_config_is_its_own() -> None:
    paths = {path.stem: path for path in CONFIGS.rglob("*.yaml")}
    for names, (_, cell, _) in zip(NAMES, rows_of("Configs for each kind of notes"), strict=True):
        forms = fragments(cell)
        assert forms
        for name in names:
            tree = yaml.safe_load(paths[name].read_text("utf-8"))
            for key, text in forms.items():
                found: Any = tree
                for part in place(key):
                    found = found[part]
                if key == "optimizer" and isinstance(found, dict):
                    found = found["name"]
                assert found == yaml.safe_load(text), (name, key)


# The Chinese edition.

CHINESE = (Path(bpcli.__file__).parent / "docs" / "zh" / "notes-to-config.md").read_text("utf-8")


def sections(page: str) -> list[str]:
    """The sections of a page without their fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL).split("\n## ")


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def formula(text: str) -> str:
    """The signs, digits and single letters of a text, sorted: what no translation changes."""
    text = re.sub(r"`[^`]+`|'s\b|(?<!\w)(?:a|[A-Za-z]{2,}(?:-[a-z]+)*)(?!\w)", "", text)
    return "".join(sorted(re.sub(r"[\s|.,:;()\u3000-\u9fff\uff01-\uff60]", "", text)))


def table_rows(section: str) -> Counter[tuple[str, ...]]:
    """The keys and the formulas of each row of the tables."""
    rows = re.findall(r"^\|.*\n(?!\|--)", section, re.MULTILINE)
    return Counter((formula(row), *codes(row)) for row in rows if "--" not in row)


def indented(section: str) -> list[str]:
    return [formula(line) for line in re.findall(r"^    .*", section, re.MULTILINE)]


def test_the_chinese_page_has_the_keys_and_formulas_of_the_english_one() -> None:
    for ours, theirs in zip(sections(PAGE), sections(CHINESE), strict=True):
        heading = ours.partition("\n")[0]
        assert table_rows(ours) - table_rows(theirs) == Counter(), heading
        assert indented(ours) == indented(theirs), heading
        assert Counter(codes(ours)) - Counter(codes(theirs)) == Counter(), heading


def test_the_chinese_page_has_other_forms_only_for_keys_of_the_english_one() -> None:
    english = [keys for _, *keys in table_rows(PAGE)]
    assert [keys for _, *keys in table_rows(CHINESE) if keys not in english] == []


def test_the_formulas_of_the_watermelon_book_train_as_the_chinese_page_says() -> None:
    for form in (
        "b_h = f(Σ_i v_ih x_i - γ_h)：`weights: vᵀ`，`bias: -γ`",
        "ŷ_j = f(Σ_h w_hj b_h - θ_j)： `weights: wᵀ`，`bias: -θ`",
        "g_j = ŷ_j (1 - ŷ_j) (y_j - ŷ_j)",
        "e_h = b_h (1 - b_h) Σ_j w_hj g_j",
        "Δw_hj = η g_j b_h，Δθ_j = -η g_j",
    ):
        assert form in " ".join(CHINESE.split())
    W1, b1, W2, b2 = unpacked(START)
    v, γ, w, θ = W1.T, -b1, W2.T, -b2
    rng = stream(0, "batches")
    for _ in range(EPOCHS):
        for row in rng.permutation(4):
            x, y = X[row], D[row]
            b = logistic(x @ v - γ)
            ŷ = logistic(b @ w - θ)
            g = ŷ * (1 - ŷ) * (y - ŷ)
            e = b * (1 - b) * (w @ g)
            w, θ = w + η * np.outer(b, g), θ - η * g
            v, γ = v + η * np.outer(x, e), γ - η * e
    same(weights_of(config({"batch_size": "1"})), as_vector([v.T, -γ, w.T, -θ]))
