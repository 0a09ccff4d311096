"""The picture of what the kept weights compute, beside the rows of the split to show."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from systems import trained

from bpcli.report.axes import Axis
from bpcli.report.charts import LEFT, RIGHT, WIDTH
from bpcli.report.picture import picture_part
from bpcli.report.words import words_of
from bpcli.runs.subject import Subject
from bpcli.workflows.subject import load_subject


def subject_of(folder: Path, config: str, **overrides: object) -> Subject:
    return load_subject(trained(folder, config, **overrides).run, "best", None)


def test_the_curve_is_that_of_the_network(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "sine", training__epochs=30)
    markup = str(picture_part(subject, words_of("en")))
    block = re.search(r'id="picture-data">(.*?)</script>', markup)
    path = re.search(r'<path d="([^"]+)" class="line fit">', markup)
    assert block is not None
    assert path is not None
    data = json.loads(block[1])
    x, y = (np.array(points) for points in data["points"][1:])
    places = np.array([each.split() for each in re.split("[ML]", path[1])[1:]], float)
    assert ((places[:, 0] >= LEFT) & (places[:, 0] <= WIDTH - RIGHT)).all()
    across, up = Axis(*data["x"]), Axis(*data["y"])
    drawn = np.interp(across.at(x), places[:, 0], places[:, 1])
    outputs = subject.predictions.outputs[:, 0]
    assert np.abs(drawn - up.at(outputs)).max() < 1, "within a pixel"
    np.testing.assert_allclose(y, subject.rows.values[:, 0], rtol=1e-4)  # type: ignore[index]


def test_the_regions_have_the_rows_of_the_test_set_by_class(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "moons", training__epochs=3)
    markup = str(picture_part(subject, words_of("en")))
    assert 'href="data:image/png;base64,' in markup
    counts = np.bincount(subject.rows.labels)  # type: ignore[arg-type]
    inside = markup[markup.index('class="rows"') :]
    for label, count in enumerate(counts.tolist()):
        path = re.search(rf'<path d="([^"]+)" class="mark-{label}">', inside)
        assert path is not None
        assert path[1].count("M") == count
    assert "rows of the test set" in markup


@pytest.mark.parametrize("config", ["softmax_iris", "plane", "mazur"])
def test_other_networks_have_no_picture(tmp_path: Path, config: str) -> None:
    subject = subject_of(tmp_path, config, training__epochs=1)
    assert picture_part(subject, words_of("en")) is None
