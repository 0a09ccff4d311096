"""The likely cause of a failed check, from the tensors that fail and the size of their errors."""

from __future__ import annotations

from bpcli.gradient_check.comparison import TensorCheck


def explain(checks: list[TensorCheck], rows: int, outputs: int) -> str | None:
    """A sentence on the likely cause of the failed checks; None if every check passed."""
    failed = [check for check in checks if not check.passed]
    if not failed:
        return None
    terms = {check.term for check in failed}
    if "data" not in terms and terms & {"jacobian", "hessian"}:
        return _explain_second_order(terms)
    if terms == {"l2"}:
        return _explain_l2(failed)
    data = {check.tensor: check for check in checks if check.term == "data" and check.checked}
    wrong = {tensor: check for tensor, check in data.items() if not check.passed}
    return _explain_ratio(wrong, len(wrong) == len(data), rows, outputs) or _explain_layers(
        set(data), set(wrong)
    )


def _explain_second_order(terms: set[str]) -> str:
    if "jacobian" in terms:
        return (
            "the gradient is right, but the Jacobian of the residuals is not: each output's sweep "
            "starts from delta[L] = J_L(z[L])ᵀ e_k"
        )
    return "the gradient is right, but its derivative, the Hessian, is not"


def _explain_l2(failed: list[TensorCheck]) -> str:
    if all(_is_bias(check.tensor) for check in failed):
        return "only the L2 term of biases is wrong: L2 shrinks weights, never biases"
    return "only the L2 term is wrong: its gradient is c λ/n W"


def _explain_ratio(
    wrong: dict[str, TensorCheck], everywhere: bool, rows: int, outputs: int
) -> str | None:
    """The possible factors, if every wrong tensor is off by the same factor."""
    ratios = [check.ratio for check in wrong.values() if check.ratio is not None]
    if len(ratios) < len(wrong):
        return None
    hints = [
        hint
        for factor, hint in _hints_by_factor(rows, outputs)
        if factor != 1 and all(abs(ratio / factor - 1) < 1e-5 for ratio in ratios)
    ]
    where = "every tensor" if everywhere else ", ".join(wrong)
    return f"{where}: {', or '.join(hints)}" if hints else None


def _hints_by_factor(rows: int, outputs: int) -> list[tuple[float, str]]:
    return [
        (-1, "the sign is wrong"),
        (rows, f"wrong by a factor of n = {rows}, the number of rows: is 1/n missing?"),
        (rows**2, f"wrong by a factor of n² = {rows**2}: is it multiplied by n, not by 1/n?"),
        (1 / rows, f"wrong by a factor of 1/n, n = {rows} rows: is 1/n applied twice?"),
        (2, "wrong by a factor of 2: does the loss have a factor of ½?"),
        (0.5, "wrong by a factor of ½: does the loss have no factor of ½?"),
        (outputs, f"wrong by a factor of {outputs}, the number of outputs"),
        (1 / outputs, f"wrong by a factor of 1/{outputs}, with {outputs} outputs"),
    ]


def _explain_layers(checked: set[str], wrong: set[str]) -> str:
    """The wrong step of the backward pass, from the wrong tensors of the data term."""
    layers = {_layer(tensor) for tensor in wrong}
    if all(_is_bias(tensor) for tensor in wrong):
        return (
            "only bias gradients are wrong: they are delta[l] summed over the rows, "
            "one number per unit"
        )
    if _is_delta_right(checked, wrong):
        return "bias gradients are right, so delta is right: the error is in delta[l] a[l-1]ᵀ: " + (
            "is it the sum over rows of products, not the product of sums?"
            if 1 in layers
            else "is a[l-1] that layer's own input, not x?"
        )
    if max(_layer(tensor) for tensor in checked) not in layers:
        return (
            f"the last layer is right, but layer {max(layers)} is not: the error is in "
            "delta[l] = f'(z[l]) ∘ (W[l+1]ᵀ delta[l+1]), or gradients are stored with the wrong "
            "layer"
        )
    return "several layers are wrong in different ways: is each gradient stored with its own layer?"


def _is_delta_right(checked: set[str], wrong: set[str]) -> bool:
    """Whether only weights are wrong, and right biases or layers below show that delta is right."""
    layers = {_layer(tensor) for tensor in wrong}
    if wrong != {f"W{layer}" for layer in layers}:
        return False
    below_is_right = len(layers) == 1 and layers != {1}
    return below_is_right or any(f"b{layer}" in checked for layer in layers)


def _is_bias(tensor: str) -> bool:
    return tensor.startswith("b")


def _layer(tensor: str) -> int:
    return int(tensor[1:])
