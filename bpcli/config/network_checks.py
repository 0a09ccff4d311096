"""Issues between the keys of the network and the loss."""

from __future__ import annotations

from bpcli.config.reader import Check, Checks, Issues, Reader, as_list, issue_at
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.losses import LOSSES, legal_losses

CHECKS = Checks()


def _one_entry_per_layer(key: str) -> Check:
    def check(read: Reader) -> Issues:
        layers, given = read("network.layers"), read(f"network.{key}")
        needed = len(as_list(layers)) - 1
        if needed > 0 and isinstance(given, list) and len(given) != needed:
            entries = "1 entry" if len(given) == 1 else f"{len(given)} entries"
            yield issue_at(
                f"network.{key}",
                f"`{key}` has {entries}, but {needed + 1} `layers` need {needed}: one for each "
                "layer after the input",
            )

    return check


for _key in ("activations", "bias", "parameters"):
    CHECKS.add(_one_entry_per_layer(_key))


@CHECKS.add
def _auto_at_the_ends(read: Reader) -> Issues:
    for index, size in enumerate(as_list(read("network.layers"))[1:-1], start=1):
        if size == "auto":
            message = "`auto` takes a size from the data: only the first and last layer allow it"
            yield issue_at(f"network.layers.{index}", message)


@CHECKS.add
def _legal_loss(read: Reader) -> Issues:
    activations, loss = as_list(read("network.activations")), read.name("loss")
    if not activations or loss not in LOSSES:
        return
    output = read.name(f"network.activations.{len(activations) - 1}")
    output = ACTIVATION_ALIASES.get(output, output)
    if output in ACTIVATIONS and loss not in legal_losses(output):
        needed = " or ".join(LOSSES[loss].output_activations or ())
        yield issue_at(
            "loss",
            f"`{loss}` needs {needed} outputs, but the last activation is `{output}`: use "
            f"{needed}, or one of the losses {', '.join(legal_losses(output))}",
        )
