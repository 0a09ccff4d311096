"""The formulas of a trace, in symbols: what each activation, loss and optimizer computes.

z, a and y stand for an array (z1) or for one of its entries (z1[2]): the same formulas serve both.
"""

from __future__ import annotations

from dataclasses import fields

from bpcli.nn.activations import ACTIVATIONS, Activation, Identity, Maxout, Softmax
from bpcli.nn.losses import LOSSES, Loss
from bpcli.nn.network import Layer, Network
from bpcli.optimizers import OPTIMIZERS, GradientDescent, Optimizer
from bpcli.registry import name_of

FORWARD = {
    "identity": "{a} = {z}",
    "sigmoid": "{a} = 1 / (1 + exp(-{z}))",
    "tanh": "{a} = tanh({z})",
    "relu": "{a} = max({z}, 0)",
    "leaky_relu": "{a} = max({z}, {slope:g} {z})",
    "elu": "{a} = {z} where {z} > 0, else {alpha:g} (exp({z}) - 1)",
    "softplus": "{a} = ln(1 + exp({z}))",
    "softsign": "{a} = {z} / (1 + |{z}|)",
    "maxout": "{a}[u] = the largest of the {pieces} rows of {z} of unit u",
    "softmax": "{a}[i] = exp({z}[i]) / Σ_j exp({z}[j])",
}

SLOPE = {
    "sigmoid": "f'({z}) = {a} {times} (1 - {a})",
    "tanh": "f'({z}) = 1 - {a}²",
    "relu": "f'({z}) = 1 where {z} > 0, else 0",
    "leaky_relu": "f'({z}) = 1 where {z} > 0, else {slope:g}",
    "elu": "f'({z}) = 1 where {z} > 0, else {a} + {alpha:g}",
    "softplus": "f'({z}) = 1 - exp(-{a})",
    "softsign": "f'({z}) = 1 / (1 + |{z}|)²",
}

LOSS = {
    "mse": "loss_i = {one_of_K}Σ_k ({a} - {y})²",
    "squared_error": "loss_i = Σ_k ({a} - {y})²",
    "half_squared_error": "loss_i = ½ Σ_k ({a} - {y})²",
    "mae": "loss_i = {one_of_K}Σ_k |{a} - {y}|",
    "huber": "loss_i = {one_of_K}Σ_k h({a} - {y}), h(r) = ½ r² where |r| ≤ {delta:g}, "
    "else {delta:g} (|r| - ½ · {delta:g})",
    "binary_cross_entropy": "loss_i = -Σ_k ({y} ln({a}) + (1 - {y}) ln(1 - {a}))",
    "cross_entropy": "loss_i = -Σ_k {y} ln({a})",
}

GRAD_A = {
    "mse": "{two_of_K}({a} - {y})",
    "squared_error": "2 ({a} - {y})",
    "half_squared_error": "({a} - {y})",
    "mae": "{one_of_K}sign({a} - {y})",
    "huber": "{one_of_K}clip({a} - {y}, -{delta:g}, {delta:g})",
}
"""∂loss_i/∂a of the last layer; a row's weight multiplies it."""

UPDATE = {
    "adaptive_gradient_descent": (
        "v ← μ v - η ∂objective/∂params",
        "params ← params + v where the objective rises by no more than {max_loss_increase:g} times",
    ),
    "rprop": (
        "size ← {increase:g} size where the sign stays, {decrease:g} size where it turns",
        "params ← params - sign(∂objective/∂params) size",
    ),
    "adam": (
        "m ← {beta1:g} m + (1 - {beta1:g}) ∂objective/∂params",
        "v ← {beta2:g} v + (1 - {beta2:g}) (∂objective/∂params)²",
        "m_hat = m / (1 - {beta1:g}^t)",
        "v_hat = v / (1 - {beta2:g}^t)",
        "params ← params - η m_hat / (√v_hat + {epsilon:g})",
    ),
    "levenberg_marquardt": ("(Jᵀ J + μ I) d = -Jᵀ r", "params ← params + d"),
    "bayesian_regularization": (
        "(β Jᵀ J + α I + μ I) d = -(β Jᵀ r + α params)",
        "params ← params + d",
    ),
    "conjugate_gradient": ("d = -∂objective/∂params + β d", "params ← params + length · d"),
    "scaled_conjugate_gradient": (
        "d = -∂objective/∂params + β d",
        "params ← params - d dᵀ ∂objective/∂params / (dᵀ H d + λ dᵀ d)",
    ),
    "bfgs": ("d = -H ∂objective/∂params", "params ← params + length · d"),
    "lbfgs": ("d = -H ∂objective/∂params", "params ← params + length · d"),
}

MEANING = {
    "adaptive_gradient_descent": "The learning rate η rises after a step that lowers the objective "
    "and falls after one that is refused.",
    "rprop": "Each entry has a step size of its own; only the gradient's sign counts, "
    "and whether it is that of the step before.",
    "adam": "t counts the updates; m and v are running means (mean and square below).",
    "levenberg_marquardt": "J is the Jacobian of the residuals r; the damping μ grows until the "
    "objective falls.",
    "bayesian_regularization": "J is the Jacobian of the residuals r; α and β are estimated before "
    "the step, the damping μ grows until what is minimised falls.",
    "conjugate_gradient": "The first direction is -∂objective/∂params; a line search finds the "
    "length.",
    "scaled_conjugate_gradient": "The first direction is -∂objective/∂params; dᵀ H d is the "
    "curvature along it, by a difference of gradients, and λ the damping.",
    "bfgs": "H approximates the inverse Hessian, and is the identity at first; a line search finds "
    "the length.",
    "lbfgs": "H approximates the inverse Hessian, and is the identity at first; a line search "
    "finds the length.",
}


def _options(item: object) -> dict[str, object]:
    return {field.name: getattr(item, field.name) for field in fields(item)}  # type: ignore[arg-type]  # a dataclass


def forward_formulas(layer: Layer, number: int) -> list[str]:
    """z1 = W1 a0 + b1 and what f makes of it."""
    name = name_of(ACTIVATIONS, layer.activation)
    bias = f" + b{number}" if layer.has_bias else ""
    f = FORWARD[name].format(a=f"a{number}", z=f"z{number}", **_options(layer.activation))
    return [f"z{number} = W{number} a{number - 1}{bias}", f]


def slope_formula(activation: Activation, z: str, a: str, times: str = "∘") -> str | None:
    """f'(z); None of an identity, or where f mixes units or chooses among them."""
    template = SLOPE.get(name_of(ACTIVATIONS, activation))
    return template and template.format(z=z, a=a, times=times, **_options(activation))


def loss_formula(network: Network) -> str:
    """loss_i of one row, from the last layer's a."""
    a, y = f"a{len(network.layers)}[k]", "y[k]"
    return LOSS[name_of(LOSSES, network.loss)].format(a=a, y=y, **_factors(network))


def grad_a_formula(network: Network, a: str, y: str) -> str:
    """∂loss_i/∂a; of a cross-entropy, which has none here, what stands for ∂loss_i/∂z."""
    if is_cross_entropy(network.loss):
        return f"{a} - {y}"
    return GRAD_A[name_of(LOSSES, network.loss)].format(a=a, y=y, **_factors(network))


def is_cross_entropy(loss: Loss) -> bool:
    """Whether delta is a - y, whatever f'(z) is."""
    return loss.output_activations is not None


def is_mixing(activation: Activation) -> bool:
    """Whether delta takes more than a product with f'(z)."""
    return isinstance(activation, Softmax | Maxout)


def bare(text: str) -> str:
    """A difference without the brackets that a product with it would need."""
    is_bracketed = text.startswith("(") and text.find(")") == len(text) - 1
    return text[1:-1] if is_bracketed else text


def _factors(network: Network) -> dict[str, object]:
    K = network.outputs
    ones = {"one_of_K": "" if K == 1 else f"(1/{K}) ", "two_of_K": "2 " if K == 1 else f"(2/{K}) "}
    return ones | _options(network.loss)


def delta_formulas(network: Network, number: int, weighted: bool) -> list[str]:
    """How delta of a layer comes from the loss, or from the layer above."""
    activation = network.layers[number - 1].activation
    is_last = number == len(network.layers)
    a, z, g, delta = f"a{number}", f"z{number}", f"g{number}", f"delta{number}"
    if is_last:
        source = grad_a_formula(network, a, "y")
        if weighted:
            source = f"w ({source})" if is_cross_entropy(network.loss) else f"w {source}"
        if is_cross_entropy(network.loss):
            return [f"{delta} = {source}"]
    else:
        source = f"W{number + 1}ᵀ delta{number + 1}"
    if isinstance(activation, Softmax):
        return [f"{g} = {source}", f"{delta} = {a} ∘ ({g} - Σ_j {a}[j] {g}[j])"]
    if isinstance(activation, Maxout):
        largest = f"{delta}[r] = {g}[u] where {z}[r] is the largest of unit u, else 0"
        return [f"{g} = {source}", largest]
    if isinstance(activation, Identity):
        return [f"{delta} = {bare(source)}"]
    slope = f"f'({z})"
    return [f"{delta} = {source} ∘ {slope}" if is_last else f"{delta} = {slope} ∘ ({source})"]


def update_formulas(optimizer: Optimizer, tensors: list[str]) -> list[str]:
    """What an optimizer does, tensor by tensor or with all parameters at once."""
    if not isinstance(optimizer, GradientDescent):
        templates = UPDATE[name_of(OPTIMIZERS, optimizer)]
        return [template.format(**_options(optimizer)) for template in templates]
    return [line for tensor in tensors for line in descent_formulas(optimizer, tensor)]


def descent_formulas(optimizer: GradientDescent, tensor: str) -> list[str]:
    """Gradient descent's rule for a tensor, or for one of its entries."""
    grad = f"∂objective/∂{tensor}"
    if not optimizer.momentum:
        return [f"{tensor} ← {tensor} - η {grad}"]
    ahead = f"μ v - η {grad}" if optimizer.nesterov else "v"
    return [f"v ← μ v - η {grad}", f"{tensor} ← {tensor} + {ahead}"]
