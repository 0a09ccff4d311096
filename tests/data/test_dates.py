"""Dates as numbers of days: their formats, and parts of the calendar as angles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from bpcli.data.column_rules import ColumnRules
from bpcli.data.columns import InputColumn
from bpcli.data.date_formats import FORMATS
from bpcli.data.dates import (
    calendar_angles,
    date_format_of,
    date_text,
    days_of_dates,
    days_of_texts,
)
from bpcli.data.description import describe
from bpcli.data.tally import Tally
from bpcli.errors import DataError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("date_format", FORMATS)
def test_days_are_those_of_pythons_own_reader(date_format: str) -> None:
    seconds = np.random.default_rng(0).integers(366 * 86400, 97 * 365 * 86400, 30)
    moments = [EPOCH + timedelta(seconds=int(second)) for second in seconds]
    texts = [moment.strftime(date_format) for moment in moments]
    read = [datetime.strptime(text, date_format) for text in texts]  # most are naive
    aware = [each if each.tzinfo else each.replace(tzinfo=UTC) for each in read]
    days = np.array([(each - EPOCH) / timedelta(days=1) for each in aware])
    is_clock = "%Y" not in date_format and "%y" not in date_format
    expected = days % 1 if is_clock else days
    np.testing.assert_allclose(days_of_texts(texts, date_format), expected, atol=1e-11, rtol=0)


@pytest.mark.parametrize(
    ("texts", "chosen", "other"),
    [
        (["2024-01-31", "2024-02-01"], "%Y-%m-%d", None),
        (["31.01.2024 08:00"], "%d.%m.%Y %H:%M", None),
        (["01/13/2024", "03/04/2024"], "%m/%d/%Y", None),
        (["13/01/2024", "03/04/2024"], "%d/%m/%Y", None),
        (["01/02/2024", "03/04/2024"], "%m/%d/%Y", "%d/%m/%Y"),
        (["05/02/2024", "01/03/2024", "02/04/2024"], "%d/%m/%Y", "%m/%d/%Y"),  # in order
        (["May 2024"], "%b %Y", None),  # short and long names alike
        (["2024年1月31日"], "%Y年%m月%d日", None),
        (["2024-01-31T08:00:00+02:00", "2024-01-31T08:00:00Z"], "%Y-%m-%dT%H:%M:%S%z", None),
        ([*(f"2024-01-{day}" for day in range(10, 19)), "n.d."], "%Y-%m-%d", None),
    ],
)
def test_the_format_is_found(texts: list[str], chosen: str, other: str | None) -> None:
    assert date_format_of(texts) == (chosen, other)


@pytest.mark.parametrize(
    "texts",
    [
        ["2:1", "3:0"], ["1.2.3", "1.3.1"], ["10-12", "13-15"], ["192.168.0.1"], ["red"], ["May"],
        ["2024-13-01"], ["31.02.2024"], ["25:00"], [], ["20240131"], ["2024-01-31", "soon"],
    ],
)  # fmt: skip
def test_what_is_no_date_has_no_format(texts: list[str]) -> None:
    assert date_format_of(texts) is None


def test_a_format_that_is_told_is_the_only_one() -> None:
    texts = ["01/02/2024", "03/04/2024"]
    assert date_format_of(texts, "%d/%m/%Y") == ("%d/%m/%Y", None)
    assert date_format_of(texts, "%Y-%m-%d") is None
    assert date_format_of(texts, "") is None


def test_parts_of_the_calendar_turn_once_in_their_period() -> None:
    days = days_of_texts(["2024-01-01", "2024-04-30", "1969-12-31"], "%Y-%m-%d")  # Mon, Tue, Wed
    turns = {part: calendar_angles(days, part) / (2 * np.pi) for part in ("month", "weekday")}
    np.testing.assert_allclose(turns["month"], [0, 3 / 12, 11 / 12])
    np.testing.assert_allclose(turns["weekday"], [0, 1 / 7, 2 / 7])
    noon = days_of_texts(["2024-01-01 18:00"], "%Y-%m-%d %H:%M")
    assert calendar_angles(noon, "hour") == pytest.approx(1.5 * np.pi)


def test_stored_dates_and_zones_are_those_of_texts() -> None:
    stamps = pd.Series(pd.to_datetime(["2024-01-31 06:00", None]))
    assert days_of_dates(stamps)[0] == 19753.25
    assert np.isnan(days_of_dates(stamps)[1])
    assert days_of_dates(stamps.dt.tz_localize("Asia/Tokyo"))[0] == 19752.875


@pytest.mark.parametrize(
    ("days", "text"),
    [(0, "1970-01-01"), (19753.25, "2024-01-31 06:00"), (-0.5, "1969-12-31 12:00"),
     (19753 + 1 / 86400, "2024-01-31 00:00:01")],
)  # fmt: skip
def test_days_are_shown_as_dates(days: float, text: str) -> None:
    assert date_text(days) == text
    assert date_text(0.75, "%H:%M") == "18:00"


DAYS = pd.Series(["1.3.2024", "2.3.2024", None, "4.3.2024"], name="day")


def fitted(values: pd.Series, **rules: object) -> InputColumn:
    (column,) = ColumnRules(**rules).fit(values.to_frame(), np.array([0, 1]), [values.name])
    return column


def test_a_column_of_dates_is_filled_and_has_parts_of_the_calendar() -> None:
    column = fitted(DAYS, fill="mean", calendar=("month", "hour"))
    assert column.names == (
        "day", "day month sin", "day month cos", "day hour sin", "day hour cos",
    )  # fmt: skip
    out, tally = np.empty((4, 5)), Tally()
    column.encode(DAYS, out, tally)
    np.testing.assert_array_equal(out[:, 0], [19783, 19784, 19783.5, 19786])
    march = 2 * np.pi * 2 / 12
    np.testing.assert_allclose(out[:, 1:3], [[np.sin(march), np.cos(march)]] * 4)
    np.testing.assert_allclose(out[2, 3:], [0, -1], atol=1e-12)
    assert [*tally.notes()] == ["filled 1 missing value: `day` (1, by 2024-03-01 12:00)"]


def test_new_rows_have_the_format_of_the_training_rows() -> None:
    column = fitted(pd.Series(["13/01/2024", "03/04/2024"], name="day"))
    out = np.empty((1, 1))
    column.encode(pd.Series(["05/06/2024"], name="day"), out, Tally())
    assert out[0, 0] == (datetime(2024, 6, 5, tzinfo=UTC) - EPOCH).days
    for wrong in ("06/25/2024", "20240605", 20240605):
        with pytest.raises(DataError, match=r"row 1: `.*` is not a date like 31/01/2024"):
            column.encode(pd.Series([wrong], name="day"), out, Tally())


@pytest.mark.parametrize(
    ("text", "shown"), [("2024-06-05", "2024-01-31"), ("2024-06-05 00:00", "2024-01-31 08:05")]
)
def test_dates_that_a_spreadsheet_stores_are_read_with_a_note(text: str, shown: str) -> None:
    column = fitted(pd.Series(["13/01/2024", "03/04/2024"], name="day"))
    out, tally = np.empty((2, 1)), Tally()
    column.encode(pd.Series([text, text], name="day"), out, tally)
    assert out.ravel().tolist() == [(datetime(2024, 6, 5, tzinfo=UTC) - EPOCH).days] * 2
    assert [*tally.notes()] == [
        f"column `day`: dates are written like {shown}, in training like 31/01/2024"
    ]
    for other in ("05/06/2024", "soon"):  # no dates of a spreadsheet alone
        with pytest.raises(DataError, match="is not a date like 31/01/2024"):
            column.encode(pd.Series([text, other], name="day"), out, tally)


def test_a_word_that_may_mean_missing_is_no_wrong_date() -> None:
    column, out, tally = fitted(DAYS, fill="median"), np.empty((2, 1)), Tally()
    column.encode(pd.Series(["-", "5.3.2024"], name="day"), out, tally)
    assert out.ravel().tolist() == [19783.5, 19787]
    assert [*tally.notes()] == ["filled 1 missing value: `day` (1, by 2024-03-01 12:00)"]


def test_numbers_are_dates_only_if_their_format_is_told() -> None:
    days = pd.Series([20240131, 20240201], name="day")
    assert fitted(days).kind == "number"
    column, out = fitted(days, date_format="%Y%m%d"), np.empty((2, 1))
    column.encode(days, out, Tally())
    assert out.ravel().tolist() == [19753, 19754]
    assert fitted(pd.Series([1.5, 2], name="day"), date_format="%Y%m%d").kind == "number"
    about = describe(pd.DataFrame({"day": days, "same": ["2024-01-31"] * 2, "y": [1, 2]}))
    assert [each.kind for each in about.columns] == ["number", "date", "number"]
    assert "is always 2024-01-31" in [each.text for each in about.warnings]
    assert describe(days.to_frame(), (), "%Y%m%d").columns[0].low == "2024-01-31"


def test_a_clock_time_has_no_month() -> None:
    column = fitted(pd.Series(["08:00", "09:30"], name="at"), calendar=("month", "hour"))
    assert column.calendar == ("hour",)


def test_stored_dates_are_met_again_as_texts() -> None:
    column = fitted(pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02"]), name="day"))
    out = np.empty((2, 1))
    column.encode(pd.Series(["3.1.2024", "14.1.2024"], name="day"), out, Tally())
    assert out.ravel().tolist() == [19725, 19736]
