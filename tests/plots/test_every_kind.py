"""Every kind of plot of every shipped config; each new kind and config is drawn here by itself.

Laying out takes most of the time, so at reduced size plots of a few configs alone are laid out,
deep networks are narrow, and large ones record no path.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from plotted import check_axes, check_room, drawn, laid_out, shown_texts, subject_of
from systems import CONFIGS

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.plots import PLOTS, reasons
from bpcli.plots.style import literal
from bpcli.terminal.progress import SilentView
from bpcli.workflows.subject import load_subject
from bpcli.workflows.train import train

NOT_TRAINED = {"forward_3443"}
TRAINED = sorted({path.stem for path in CONFIGS.glob("*.yaml")} - NOT_TRAINED)
LAID_OUT = {"linear_regression", "xor", "softmax_iris"}
LARGE = {"autoencoder_digits", "digits", "ten_layers_relu", "ten_layers_sigmoid"}
IS_FULL = bool(os.environ.get("BPNET_FULL"))


NAMES = ("品种", "产量")
SPECIES = ("山鸢尾", "变色鸢尾", "维吉尼亚鸢尾", "其他品种（未知）")
CHINESE = {
    target: f"""\
name: 花鸢尾
data:
  file: t.csv
  inputs: [花瓣长度（厘米）, 花萼宽度]
  targets: [{target}]
  split: {{val: 0.2, test: 0.2}}
network: {{layers: [2, 3, {outputs}], activations: [tanh, {top}]}}
loss: {loss}
training: {{epochs: 3, record_params: true}}
"""
    for target, outputs, top, loss in (
        ("品种", 4, "softmax", "cross_entropy"), ("产量", 1, "identity", "mse")
    )
}  # fmt: skip


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


@pytest.mark.slow
@pytest.mark.parametrize("target", NAMES if IS_FULL else NAMES[:1])
def test_every_plot_has_room_for_chinese_names(tmp_path: Path, target: str) -> None:
    points = np.random.default_rng(0).normal(size=(60, 2))
    rows = [f"{x},{y},{SPECIES[int(x > 0) + 2 * int(y > 0)]},{x + y}\n" for x, y in points]
    (tmp_path / "t.csv").write_text("花瓣长度（厘米）,花萼宽度,品种,产量\n" + "".join(rows))
    (tmp_path / "t.yaml").write_text(CHINESE[target])
    outcome = train(build(load_config(tmp_path / "t.yaml")), tmp_path / "runs", SilentView())
    subject = load_subject(outcome.run, "best", None)
    shown = ""
    for kind in [kind for kind, reason in reasons(subject).items() if reason is None]:
        figure = laid_out(kind, subject)  # a character without a glyph is a warning, so an error
        shown += "".join(text.get_text() for text in shown_texts(figure))
    for name in ("花鸢尾", "花瓣长度（厘米）", target if target == "产量" else SPECIES[3]):
        assert literal(name) in shown


def test_every_kind_is_documented() -> None:
    assert all(plot.__doc__ for plot in PLOTS.values())
