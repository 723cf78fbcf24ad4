"""Squares of pixels round stations."""

import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.training.stations import weights_near


def test_sixteen_pixels_round_a_station_weigh_more():
    stations = np.zeros((2, 9, 9))
    stations[0, 4, 5] = 1
    weights = weights_near(stations, heavy=7.0)
    assert (weights[1] == 1.0).all()
    rows, columns = np.nonzero(weights[0] == 7.0)
    assert len(rows) == 16
    assert (set(rows), set(columns)) == ({3, 4, 5, 6}, {4, 5, 6, 7})


def test_squares_end_at_the_edge_and_do_not_add_up():
    stations = np.zeros((6, 6))
    stations[0, 0] = stations[1, 1] = stations[5, 5] = 1
    weights = weights_near(stations, heavy=3.0)
    for row, column in ((0, 0), (1, 1), (5, 5)):
        square = np.ix_(
            range(max(row - 1, 0), min(row + 3, 6)), range(max(column - 1, 0), min(column + 3, 6))
        )
        assert (weights[square] == 3.0).all()
    assert set(np.unique(weights)) == {1.0, 3.0}
    assert weights[4, 3] == 1.0


def test_odd_squares_are_centred():
    weights = weights_near(np.eye(5)[2] * np.eye(5)[2][:, None], heavy=2.0, side=3)
    assert weights.sum() == 25 + 9
    np.testing.assert_array_equal(weights, weights[::-1, ::-1])


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(InputError, match="on maps"):
        weights_near(np.ones(4))
    for changed in ({"side": 0}, {"heavy": 0.0}, {"heavy": np.inf}):
        with pytest.raises(InputError, match="above 0"):
            weights_near(np.ones((2, 2)), **changed)
