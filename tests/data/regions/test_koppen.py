import numpy as np
import pytest

from diffhydro.data.regions import climate_shares, main_classes
from diffhydro.errors import InputError

# Beck et al. 2023, legend.
LEGEND = [
    "Af", "Am", "Aw", "BWh", "BWk", "BSh", "BSk", "Csa", "Csb", "Csc", "Cwa", "Cwb", "Cwc", "Cfa",
    "Cfb", "Cfc", "Dsa", "Dsb", "Dsc", "Dsd", "Dwa", "Dwb", "Dwc", "Dwd", "Dfa", "Dfb", "Dfc",
    "Dfd", "ET", "EF",
]  # fmt: skip


def test_main_classes_are_the_first_letters():
    found = main_classes(np.arange(1, 31))
    assert ["ABCDE"[i] for i in found] == [name[0] for name in LEGEND]
    assert main_classes(np.array([0.0, np.nan])).tolist() == [-1, -1]
    for wrong in (31, -1, 2.5):
        with pytest.raises(InputError, match="not one of 1 to 30"):
            main_classes(np.array([wrong]))


def test_shares_are_of_places_with_a_climate():
    labels = np.array([0, 0, 0, 0, 2, 2])
    codes = np.array([1, 2, 14, np.nan, 30, 0])
    found = climate_shares(labels, codes, 3)
    np.testing.assert_allclose(found[0], [2 / 3, 0, 1 / 3, 0, 0])
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found[2], [0, 0, 0, 0, 1])
    weighted = climate_shares(labels, codes, 3, np.array([1.0, 1.0, 2.0, 9.0, 1.0, 1.0]))
    np.testing.assert_allclose(weighted[0], [0.5, 0, 0.5, 0, 0])
    with pytest.raises(InputError, match="do not match"):
        climate_shares(labels, codes, 2)
