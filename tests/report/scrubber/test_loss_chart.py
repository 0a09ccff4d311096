from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from plotted import subject_of

from bpcli.report.scrubber.loss_chart import HEIGHT, loss_chart
from bpcli.report.scrubber.recording import recording_of
from bpcli.report.words import words_of


def test_a_loss_that_is_not_finite_is_a_gap_with_its_point_at_the_upper_edge(
    tmp_path: Path,
) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=3, training__record_params=True)
    recording = recording_of(subject)
    assert recording is not None
    losses = np.array([4.0, 3.0, 2.0, 1.0])
    val = np.array([4.0, np.inf, np.nan, 1.0])
    chart = loss_chart(replace(recording, losses=losses, val_losses=val), words_of("en"))
    first, second = chart.y
    assert np.allclose(np.diff(first), np.diff(first)[0]), "equal steps are equally high"
    assert (first[0], first[-1]) == (second[0], second[-1])
    assert 0 < second[1] == second[2] < first.min() < first.max() < HEIGHT
    one, other = re.findall('<path d="([^"]*)"', str(chart.drawing))
    assert (one.count("M"), one.count("L")) == (1, 3)
    assert (other.count("M"), other.count("L")) == (2, 0)
