import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffhydro.data.readers.ismn.fields import numbers, times
from diffhydro.data.readers.ismn.words import words
from diffhydro.errors import InputError

PLAIN = st.decimals(-9999, 9999, places=4).map(str)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False).map(repr)
MINUTES = st.integers(-36_816_480, 68_374_079)  # 1900 to 2099


def column(texts):
    return words(" ".join(texts).encode(), "file"), np.arange(len(texts))


@given(st.lists(PLAIN | DOUBLES | st.sampled_from(["0.", ".5", "+1.25", "-0.0", "1e-05"])))
def test_numbers_are_those_that_python_reads(texts):
    texts = ["1", *texts]
    np.testing.assert_array_equal(numbers(*column(texts)), [float(text) for text in texts])


def test_what_is_not_there_is_nan_and_anything_else_is_refused():
    assert np.isnan(numbers(*column(["NaN", "nan", "-NaN"]))).all()
    for text in ("-", ".", "1.2.3", "1-2", "0x10", "1_0", "inf", "0,5", "--1", "1e", "١"):
        with pytest.raises(InputError, match=r"file line 1 has .* where a number is expected"):
            numbers(*column(["1.0", text]))


@given(st.lists(MINUTES, min_size=1))
def test_times_are_those_that_were_written(minutes):
    expected = np.array(minutes).astype("datetime64[m]")
    texts = [str(time).replace("-", "/").split("T") for time in expected]
    found, which = column([part for pair in texts for part in pair])
    np.testing.assert_array_equal(times(found, which[::2], which[1::2]), expected)


@pytest.mark.parametrize(
    "text",
    [
        "2019/02/29 00:00",
        "2020/00/01 00:00",
        "2020/13/01 00:00",
        "2020/01/00 00:00",
        "2020/01/01 24:00",
        "2020/01/01 00:60",
        "2020-01-01 00:00",
        "1020/01/01 00:00",
        "20200101 00:00",
        "2020/01/01 0:00",
        "2020/01/01 00:00:00",
        "2020/01/011 00:00",
        "202o/01/01 00:00",
    ],
)
def test_no_other_time_is_read(text):
    found, which = column(["2020/01/01", "00:00", *text.split()])
    with pytest.raises(InputError, match=f"file line 1 has '{text}' where a time YYYY/MM/DD HH:MM"):
        times(found, which[::2], which[1::2])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n", " \r\n \r\n", "\n\r"])
def test_lines_end_in_any_way(end):
    found = words(f"{end}a b{end}\tc{end}d e f{end}".encode(), "file")
    assert [found.line(i) for i in range(len(found.first))] == [["a", "b"], ["c"], ["d", "e", "f"]]
    assert found.count.tolist() == [2, 1, 3]


def test_lines_of_messages_are_counted_as_editors_count_them():
    found = words(b"a\r\nb\rc\n\n\r\nd", "file")
    lines = [str(found.refusal(i, "x")).split(" x")[0] for i in range(4)]
    assert lines == ["file line 1", "file line 2", "file line 3", "file line 6"]


def test_a_zero_byte_is_refused():
    with pytest.raises(InputError, match="file line 2 has a zero byte"):
        words(b"1.0 2.0\n3.0 4.\x000 5.0\n6.0", "file")


def test_a_word_without_end_is_refused():
    with pytest.raises(InputError, match="line 2 has a word of 300 bytes"):
        numbers(words(b"1\n" + b"1" * 300, "file"), np.array([0, 1]))
