import numpy as np
import pytest
import xarray as xr

from diffhydro.data.augment import NOISE, Cells, cells_of, keepers, perturbed_copies
from diffhydro.errors import InputError

NAMES = np.array(["a", "b", "c", "d"])
CELLS = Cells(np.array([7, 7, 7, 9]), np.array([0.2, 0.1, 0.3, 0.4]))  # b and d keep
DAYS = 4000


def inputs():
    rng = np.random.default_rng(0)
    rain = rng.exponential(6.0, DAYS) * (rng.random(DAYS) < 0.3)
    one = {
        "precipitation": rain,
        "shortwave": rng.uniform(20.0, 300.0, DAYS),
        "temperature": rng.normal(-2.0, 10.0, DAYS),
        "vapour_pressure": rng.uniform(100.0, 2000.0, DAYS),
        "leaf_area": rng.exponential(0.1, DAYS),
    }
    one["shortwave"][5] = np.nan
    series = {k: (("site", "time"), np.tile(v, (4, 1)).astype(np.float32)) for k, v in one.items()}
    moist = (("site", "time"), rng.uniform(0.1, 0.4, (4, DAYS)).astype(np.float32))
    time = np.datetime64("2010-01-01", "ns") + np.arange(DAYS) * np.timedelta64(1, "D")
    return xr.Dataset(
        {**series, "soil_moisture": moist}, {"site": NAMES, "time": time}, {"product": "x"}
    )


def test_the_nearest_site_keeps_its_inputs():
    found = perturbed_copies(inputs(), CELLS, seed=0)
    assert found["is_copy"].values.tolist() == [True, False, True, False]
    for name in NOISE:
        for site, is_copy in zip(NAMES, found["is_copy"].values, strict=True):
            a, b = (x[name].sel(site=site).values for x in (found, inputs()))
            same = np.array_equal(a, b, equal_nan=True)
            assert same == (not is_copy), (name, site)
    np.testing.assert_array_equal(found["soil_moisture"], inputs()["soil_moisture"])
    assert found["precipitation"].dtype == np.float32
    assert found.attrs == {"product": "x"}


def test_copies_differ_from_each_other_and_between_variables():
    found = perturbed_copies(inputs(), CELLS, seed=0)
    for name in NOISE:
        a, c = (found[name].sel(site=s).values for s in "ac")
        assert not np.allclose(a, c, equal_nan=True)
    noise = [
        (found[name] - inputs()[name]).sel(site="a").values for name in ("temperature", "shortwave")
    ]
    known = np.isfinite(noise[1])
    # Independent: r of 4000 pairs is within three of its errors, 1/√4000.
    assert abs(np.corrcoef(noise[0][known], noise[1][known])[0, 1]) < 0.048


def test_the_size_of_the_noise():
    noise = {"precipitation": 0.1, "temperature": 0.2, "vapour_pressure": 0.02}
    before, found = inputs(), perturbed_copies(inputs(), CELLS, seed=1, noise=noise)
    change = (found - before).sel(site="c")
    rain = before["precipitation"].sel(site="c").values
    wet = rain > 0
    # A standard deviation of n numbers is known to 1/√2n, three times.
    assert (change["precipitation"].values[~wet] == 0.0).all()
    factor = change["precipitation"].values[wet] / rain[wet]
    assert factor.std() == pytest.approx(0.1, rel=3.0 / np.sqrt(2 * wet.sum()))
    assert abs(factor.mean()) < 3 * 0.1 / np.sqrt(wet.sum())
    for name in ("temperature", "vapour_pressure"):
        expected = noise[name] * abs(before[name].sel(site="c").values.mean())
        assert change[name].values.std() == pytest.approx(expected, rel=3.0 / np.sqrt(2 * DAYS))
    np.testing.assert_array_equal(found["leaf_area"], before["leaf_area"])  # not named


def test_all_but_temperature_stay_non_negative_and_gaps_stay():
    found = perturbed_copies(inputs(), CELLS, seed=2, noise=dict.fromkeys(NOISE, 2.0))
    for name in set(NOISE) - {"temperature"}:
        assert np.nanmin(found[name].values) == 0.0
    assert found["temperature"].min() < -20.0
    np.testing.assert_array_equal(found["shortwave"].isnull(), inputs()["shortwave"].isnull())


def test_order_and_company_do_not_matter():
    found = perturbed_copies(inputs(), CELLS, seed=3)
    order = [2, 0, 3, 1]
    turned = perturbed_copies(inputs().isel(site=order), Cells(*(x[order] for x in CELLS)), seed=3)
    xr.testing.assert_identical(turned.isel(site=[1, 3, 0, 2]), found)
    some = perturbed_copies(inputs().isel(site=[1, 2]), Cells(*(x[[1, 2]] for x in CELLS)), seed=3)
    xr.testing.assert_identical(some.sel(site="c"), found.sel(site="c"))
    fewer = perturbed_copies(inputs(), CELLS, seed=3, noise={"temperature": 0.05})
    xr.testing.assert_identical(fewer["temperature"], found["temperature"])
    other = perturbed_copies(inputs(), CELLS, seed=4)
    assert not other["temperature"].sel(site="c").equals(found["temperature"].sel(site="c"))


def test_lazy_and_turned_inputs():
    expected = perturbed_copies(inputs(), CELLS, seed=3)
    lazy = perturbed_copies(inputs().chunk(site=1).transpose("time", "site"), CELLS, seed=3)
    np.testing.assert_array_equal(lazy["temperature"].values, expected["temperature"].values)


def test_cells_and_keepers():
    latitude = np.array([89.9, -90.0, 40.1, 40.4, 90.0])
    longitude = np.array([-180.0, 180.0, -96.6, -96.9, 179.9])
    found = cells_of(latitude, longitude, 0.5)
    assert found.cell.tolist() == [0, 359 * 720, 99 * 720 + 166, 99 * 720 + 166, 719]
    # 40.1 N 96.6 W, the middle at 40.25 N 96.75 W.
    expected = np.hypot(0.15, 0.15 * np.cos(np.radians(40.175)))
    assert found.distance[2] == pytest.approx(expected, rel=1e-4)
    cells = Cells(np.array([1, 1, 1]), np.array([0.1, 0.1, 0.2]))
    assert keepers(cells, np.array(["z", "y", "a"])).tolist() == [False, True, False]
    for size, where, match in ((0.7, 1.0, "do not fit 180"), (0.5, 95.0, "within ±90")):
        with pytest.raises(InputError, match=match):
            cells_of(np.array([where]), np.array([0.0]), size)


def test_what_cannot_be_perturbed_is_refused():
    with pytest.raises(InputError, match="no leaf_area over site and time"):
        perturbed_copies(inputs().drop_vars("leaf_area"), CELLS, seed=0)
    with pytest.raises(InputError, match="3 cells for 4 sites"):
        perturbed_copies(inputs(), Cells(*(x[:3] for x in CELLS)), seed=0)
    twice = inputs().assign_coords(site=["a", "a", "c", "d"])
    with pytest.raises(InputError, match="of which 3 have a name"):
        perturbed_copies(twice, CELLS, seed=0)
