"""Every kind of plot of every shipped config; each new kind and config is drawn here by itself.

Laying out takes most of the time, so at reduced size plots of a few configs alone are laid out,
deep networks are narrow, and large ones record no path.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from plotted import check_axes, check_room, drawn, subject_of
from systems import CONFIGS

from bpcli.plots import PLOTS, reasons

NOT_TRAINED = {"forward_3443"}
TRAINED = sorted({path.stem for path in CONFIGS.glob("*.yaml")} - NOT_TRAINED)
LAID_OUT = {"linear_regression", "xor", "softmax_iris"}
LARGE = {"autoencoder_digits", "digits", "ten_layers_relu", "ten_layers_sigmoid"}
IS_FULL = bool(os.environ.get("BPNET_FULL"))


def reduced(config: str) -> dict[str, object]:
    """What else is overridden."""
    if config in LARGE and not IS_FULL:
        deep = config.startswith("ten_layers")
        return {"network__layers": [2, *[3] * 9, 1]} if deep else {}
    return {"training__record_params": "true"}


@pytest.mark.slow
@pytest.mark.parametrize("config", TRAINED if IS_FULL else TRAINED[::2])
def test_every_plot_shows_data_names_its_axes_and_fits(tmp_path: Path, config: str) -> None:
    subject = subject_of(tmp_path, config, training__epochs=4, **reduced(config))
    found = reasons(subject)
    kinds = [kind for kind, reason in found.items() if reason is None]
    assert {"loss", "weights", "activations", "gradient_norms", "units"} <= set(kinds)
    for kind in kinds:
        with drawn(kind, subject) as figure:
            check_axes(figure)
            if IS_FULL or config in LAID_OUT:
                check_room(figure)
    for reason in found.values():
        assert reason is None or reason.endswith(".")


def test_every_kind_is_documented() -> None:
    assert all(plot.__doc__ for plot in PLOTS.values())
