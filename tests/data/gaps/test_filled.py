import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings

from diffhydro.data.gaps import Chain, Climatology, Filled, Linear, Method, Neighbours, fill
from diffhydro.errors import InputError
from tests.data.gaps.series import check_law, days, holed, weather


class Remembered:
    """As a trained imputer would: it has its own estimates."""

    def fill(self, values, times):
        at = np.isnan(values)
        return Filled(
            np.where(at, 0.5, values).astype(values.dtype), np.where(at, np.uint8(4), np.uint8(0))
        )


def dataset(length=800):
    values = weather(6, length).reshape(3, 2, length).transpose(0, 2, 1).astype(np.float32)
    values[0, 100:103, 0] = np.nan
    values[0, 200:260, 0] = np.nan
    values[1, 300:400, 1] = np.nan
    return xr.Dataset(
        {
            "soil_moisture": (("site", "time", "depth"), values, {"units": "m3 m-3"}),
            "land_cover": (("site", "time"), np.ones((3, length))),
            "elevation": ("site", np.ones(3)),
        },
        {
            "site": ["a", "b", "c"],
            "time": days(length).astype("datetime64[ns]"),
            "latitude": ("site", [40.0, 40.1, 40.2]),
            "longitude": ("site", [-100.0, -100.0, -100.0]),
        },
    )


@settings(deadline=None)
@given(holed(length=60))
def test_a_chain_keeps_the_order_and_the_law(values):
    times = days(60)
    first, second = Linear(3), Climatology(reach=20, least=1)
    chain = Chain((first, second)).fill(values, times)
    check_law(chain, values)
    one, two = first.fill(values, times), second.fill(values, times)
    np.testing.assert_array_equal(
        chain.values, np.where(one.filled, one.values, np.where(two.filled, two.values, values))
    )
    np.testing.assert_array_equal(chain.methods, np.where(one.filled, one.methods, two.methods))


def test_a_data_set_gets_values_and_methods_beside_them():
    found = dataset()
    made = fill(found, Chain((Linear(5), Neighbours.of(found))), ["soil_moisture"])
    how = made["soil_moisture_filled"]
    assert how.dims == made["soil_moisture"].dims == ("site", "time", "depth")
    assert how.dtype == np.uint8
    assert (how.values[0, 100:103, 0] == Method.LINEAR).all()
    assert (how.values[0, 200:260, 0] == Method.NEIGHBOURS).all()
    assert (how.values[1, 300:400, 1] == Method.NEIGHBOURS).all()
    assert (how.values > 0).sum() == 163
    assert not np.isnan(made["soil_moisture"]).any()
    assert made["soil_moisture"].attrs["units"] == "m3 m-3"
    assert made["soil_moisture"].dtype == np.float32
    meanings = how.attrs["flag_meanings"].split()
    assert dict(zip(meanings, how.attrs["flag_values"], strict=True))["neighbours"] == 2
    assert np.isnan(found["soil_moisture"]).sum() == 163
    by_hand = Neighbours.of(found).fill(found["soil_moisture"].values[:, :, 1], days(800))
    np.testing.assert_array_equal(made["soil_moisture"].values[:, :, 1], by_hand.values)


def test_depths_do_not_lend_to_each_other():
    found = dataset()
    found["soil_moisture"].values[:, :, 1] += 100.0
    made = fill(found, Climatology(), ["soil_moisture"])["soil_moisture"]
    assert float(made.values[:, :, 0].max()) < 2.0
    assert float(made.values[:, :, 1].min()) > 99.0


def test_a_second_filling_learns_nothing_from_the_first():
    once = fill(dataset(), Linear(5), ["soil_moisture"])
    once["soil_moisture"].values[0, 100:103, 0] = 77.0  # would be seen if it were learned from
    once["soil_moisture"].values[0, 460:470, 0] = np.nan  # the same days, a year later
    twice = fill(once, Climatology(), ["soil_moisture"])
    how = twice["soil_moisture_filled"].values
    assert (how[0, 100:103, 0] == Method.LINEAR).all()
    assert (twice["soil_moisture"].values[0, 100:103, 0] == 77.0).all()
    assert (how[0, 200:260, 0] == Method.CLIMATOLOGY).all()
    assert (how[0, 460:470, 0] == Method.CLIMATOLOGY).all()
    assert twice["soil_moisture"].values[0, 200:, 0].max() < 1.0


def test_an_imputer_of_ones_own_fits_in():
    values = np.array([[0.1, np.nan, 0.3, np.nan, np.nan, 0.2]])
    made = Chain((Linear(1), Remembered())).fill(values, days(6))
    assert made.methods.tolist() == [[0, 1, 0, 4, 4, 0]]
    assert made.values[0, 3] == 0.5


def test_maps_are_filled_cell_by_cell():
    cells = weather(4, 60).T.reshape(60, 2, 2)
    holes = cells.copy()
    holes[10:12, 1, 0] = np.nan
    found = xr.Dataset(
        {"soil_moisture": (("time", "y", "x"), holes)}, {"time": days(60).astype("datetime64[ns]")}
    )
    made = fill(found, Linear(5), ["soil_moisture"])["soil_moisture"]
    assert made.dims == ("time", "y", "x")
    ends = cells[9, 1, 0], cells[12, 1, 0]
    np.testing.assert_allclose(made.values[10:12, 1, 0], np.linspace(*ends, 4)[1:3])


def test_what_cannot_be_filled_is_refused():
    for name, match in (
        ("rain", "there is no rain to fill; the data set has soil_moisture"),
        ("elevation", "elevation does not vary in time"),
        ("land_cover", "land_cover holds classes"),
    ):
        with pytest.raises(InputError, match=match):
            fill(dataset(), Linear(5), [name])


def test_real_probes_are_filled_better_than_by_their_mean(real_data):
    """Forty gaps of ten days cut into USCRN series: the error of each method, and their order."""
    found = xr.open_dataset(real_data / "uscrn_daily_30sites_2012_2020.nc")
    sites = ["OK_Stillwater_5_WNW", "OK_Stillwater_2_W", "MO_Salem_10_W", "AR_Batesville_8_WNW"]
    found = found.sel(site=sites).isel(depth=1).rename(lat="latitude", lon="longitude")
    truth = found["sm"].transpose("site", "time").values
    values = truth.copy()
    rng = np.random.default_rng(0)
    for start in rng.integers(0, values.shape[1] - 10, 40):
        values[0, start : start + 10] = np.nan
    gap = np.isnan(values) & ~np.isnan(truth)
    times = found["time"].values

    twin = Neighbours.of(found, within=300.0, least_correlation=0.5, seasons=Climatology())
    by_twin = twin.fill(values, times)
    scored = gap & by_twin.filled
    assert scored.sum() > 0.95 * gap.sum()

    def error(made):
        return np.sqrt(np.mean((made.values - truth)[scored] ** 2))

    usual, course, line, neighbours = (
        np.std(truth[0][scored[0]]),
        error(Climatology().fill(values, times)),
        error(Linear(30).fill(values, times)),
        error(by_twin),
    )
    assert neighbours < line < 0.6 * course < 0.6 * usual
