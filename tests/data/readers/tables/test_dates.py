from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffhydro.data.readers.tables.dates import from_days_of_year, instants
from diffhydro.errors import InputError


def read(*texts, dates=None):
    return instants(texts, range(1, len(texts) + 1), "a.csv, date", dates)


@pytest.mark.parametrize(
    "text",
    ["2012-02-29", "2012/2/29", "20120229", "29-Feb-2012", "29_feb_2012", "29 February 2012",
     "29/02/2012", "2/29/2012", "29.02.2012", "2012-02-29 00:00:00", "2012-02-29T00:00Z"],
)  # fmt: skip
def test_one_leap_day_in_many_spellings(text):
    assert read(text)[0] == np.datetime64("2012-02-29")


def test_a_time_is_kept():
    assert read("1/13/2012 7:05")[0] == np.datetime64("2012-01-13T07:05")
    assert read("2012-01-13 23:59:30.000")[0] == np.datetime64("2012-01-13T23:59:30")


@given(st.dates(date(1850, 1, 1), date(2150, 12, 31)), st.booleans())
def test_what_is_said_is_done_and_what_one_date_says_holds_for_all(day, day_first):
    form, telling = ("%d/%m/%Y", "25/01/1999") if day_first else ("%m/%d/%Y", "01/25/1999")
    order = "dd/mm/yyyy" if day_first else "mm/dd/yyyy"
    expected = np.datetime64(day)
    assert read(day.strftime(form).zfill(10), dates=order)[0] == expected
    assert read(day.strftime(form).zfill(10), telling)[0] == expected


def test_what_is_open_is_refused_not_guessed():
    with pytest.raises(InputError, match=r"03/04/2012 in line 2.*say dates='dd/mm/yyyy'"):
        read("01/01/2012", "03/04/2012")
    assert read("01/01/2012", "02/02/2012")[1] == np.datetime64("2012-02-02")
    with pytest.raises(InputError, match="once the day comes first, once the month"):
        read("13/04/2012", "04/13/2012")
    with pytest.raises(InputError, match="once the day comes first"):
        read("13/04/2012", "04/13/2012", dates="dd/mm/yyyy")
    with pytest.raises(InputError, match="dates is 'dmy'"):
        read("01/01/2012", dates="dmy")


@pytest.mark.parametrize(
    ("text", "match"),
    [("01/02/12", "is no date"), ("", "is no date"), ("2012-13-01", "not in the calendar"),
     ("30-Feb-2012", "not in the calendar"), ("01-Ju-2012", "is no date"),
     ("01-Mai-2012", "has no month"), ("2012-01-01 25:00", "not in the calendar"),
     ("2012-01-01 10:00:00.5", "is no date"), ("yesterday", "is no date"),
     ("2012-01-01 10:00+02:00", "is no date")],
)  # fmt: skip
def test_what_is_no_date_is_refused(text, match):
    with pytest.raises(InputError, match=match):
        read(text)


def test_days_of_the_year():
    found = from_days_of_year(np.array([2012.0, 2013.0]), np.array([366.0, 60.0]), [3, 4], "a.met")
    assert [str(day) for day in found] == ["2012-12-31", "2013-03-01"]
    for year, day in ((2013.0, 366.0), (2013.0, 0.0), (2013.5, 1.0), (np.nan, 1.0), (2013.0, 1.5)):
        with pytest.raises(InputError, match="line 9"):
            from_days_of_year(np.array([year]), np.array([day]), [9], "a.met")
