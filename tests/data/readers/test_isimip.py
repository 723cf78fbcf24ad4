import numpy as np
import pytest

from diffhydro.data.readers.isimip import looks_like_isimip, read_isimip
from diffhydro.errors import InputError
from tests.data.damage import survive_apart
from tests.data.readers.map_files import grid, values, write

FILL = {"_FillValue": np.float32(1e20), "missing_value": np.float32(1e20)}
ROWS, COLUMNS = [0.75, 0.25, -0.25], [-0.25, 0.25]
UNITS = {
    "pr": "kg m-2 s-1",
    "tas": "K",
    "rsds": "W m-2",
    "hurs": "%",
    "huss": "kg kg-1",
    "ps": "Pa",
}


def decade(folder, name, start, stop, stored, noon=False, region="global"):
    """Write days of the years `start` to `stop`, cut to as many as `stored` has."""
    first = (np.datetime64(f"{start}-01-01") - np.datetime64("1901-01-01")).astype(int)
    days = first + np.arange(len(stored)) + (0.5 if noon else 0.0)
    about = {"units": "days since 1901-01-01 00:00:00", "calendar": "proleptic_gregorian"}
    stored = stored.copy()
    stored[:, 1, 1] = 1e20
    path = folder / f"20crv3-era5_obsclim_{name}_{region}_daily_{start}_{stop}.nc"
    fields = {
        "time": (("time",), days, about),
        name: (("time", "lat", "lon"), stored, {"units": UNITS[name], "chunks": (1, 3, 2), **FILL}),
    }
    return write(path, grid(ROWS, COLUMNS, dtype=np.float64) | fields, unlimited=("time",))


def test_decades_and_variables_join(tmp_path):
    rain = [values((5, 3, 2), 0.0, 1e-3, seed) for seed in (1, 2)]
    warm = [values((5, 3, 2), 260.0, 310.0, seed) for seed in (3, 4)]
    for i, (start, stop) in enumerate(((2001, 2010), (2011, 2020))):
        decade(tmp_path, "pr", start, stop, rain[i])
        decade(tmp_path, "tas", start, stop, warm[i], noon=True)
    found = read_isimip(tmp_path)
    assert found["precipitation"].chunks is not None
    days = found["time"].values.astype("datetime64[D]")
    assert days[[0, 4, 5, 9]].astype(str).tolist() == [
        "2001-01-01", "2001-01-05", "2011-01-01", "2011-01-05"
    ]  # fmt: skip
    assert (found["time"].values == days).all()
    expected = np.concatenate(rain) * 86_400.0
    expected[:, 1, 1] = np.nan
    np.testing.assert_allclose(found["precipitation"].values, expected, rtol=1e-6)
    expected = np.concatenate(warm) - 273.15
    expected[:, 1, 1] = np.nan
    np.testing.assert_allclose(found["temperature"].values, expected, atol=2e-5)
    assert found["latitude"].values.tolist() == ROWS
    assert found["precipitation"].attrs["stamp"] == "start"


def test_humidity_becomes_vapour_pressure_and_a_share(tmp_path):
    ones = np.ones((2, 3, 2), np.float32)
    for name, value in (("huss", 0.01), ("ps", 90_000.0), ("hurs", 55.0)):
        decade(tmp_path, name, 2021, 2021, ones * value, region="lat-1to1lon-1to1")
    found = read_isimip(tmp_path)
    expected = 0.01 * 90_000.0 / (0.6219 + 0.3781 * 0.01)
    assert float(found["vapour_pressure"][0, 0, 0]) == pytest.approx(expected, rel=1e-6)
    assert float(found["relative_humidity"][0, 0, 0]) == pytest.approx(0.55)


def test_what_is_asked_for_alone_is_opened(tmp_path):
    decade(tmp_path, "pr", 2001, 2010, values((2, 3, 2), 0.0, 1e-3))
    (tmp_path / "20crv3-era5_obsclim_tas_global_daily_2001_2010.nc").write_bytes(b"no NetCDF")
    rain = tmp_path / "20crv3-era5_obsclim_pr_global_daily_2001_2010.nc"
    assert set(read_isimip(rain, variables=["precipitation"])) == {"precipitation"}
    with pytest.raises(InputError, match=r"tas_global_daily_2001_2010\.nc is not readable"):
        read_isimip(tmp_path)
    with pytest.raises(InputError, match="has none of what is read"):
        read_isimip(rain, variables=["shortwave"])


def test_names(tmp_path):
    for name, is_one in (
        ("20crv3-era5_obsclim_pr_global_daily_1901_1910.nc", True),
        ("20crv3-era5_counterclim_tasmax_lat-31.8to0.2lon10.2to31.8_daily_2021_2021.nc", True),
        ("gswp3-w5e5_obsclim_rsds_global_daily_1901_1910.nc", True),
        ("mydaily_1901_1910.nc", False),
    ):
        assert looks_like_isimip(tmp_path / name) == is_one
    assert not looks_like_isimip(tmp_path)


def test_a_decade_twice_is_refused_with_its_date(tmp_path):
    one = decade(tmp_path, "pr", 2001, 2010, values((2, 3, 2), 0.0, 1e-3))
    two = decade(tmp_path, "pr", 2001, 2005, values((2, 3, 2), 0.0, 1e-3))
    with pytest.raises(InputError, match=r"pr has 2001-01-01T00:00 twice, in .*2001_2005\.nc and"):
        read_isimip([one, two])


@pytest.mark.slow
def test_damaged_copies(tmp_path):
    whole = decade(tmp_path, "tas", 2001, 2010, values((4, 3, 2), 260.0, 310.0))
    (tmp_path / "copies").mkdir()
    reader = "diffhydro.data.readers.isimip:read_isimip"
    assert survive_apart(reader, whole, tmp_path / "copies", seconds=900) > 0
