"""The table of a training: whose soil moisture it holds, and how its gaps are filled."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.app.config import DataConfig
from diffhydro.app.train.config import ModelConfig
from diffhydro.app.train.table import OBSERVED, PAST, read_table
from diffhydro.errors import InputError
from tests.app.train_case import write_sites

pytest.importorskip("h5netcdf", reason="the data extra is not installed")

DAYS = 120
PAST_ALONE = {"coupling": "past", "series": ["precipitation"], "lags": 5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve sites: of the third nothing was observed, of the second little, of the first gaps."""
    path = tmp_path_factory.mktemp("table")
    write_sites(path, days=DAYS)
    with xr.open_dataset(path / "sites.nc", engine="h5netcdf") as found:
        data = found.load()
    seen = data["soil_moisture"].values
    seen[0, 10:20] = np.nan
    seen[1, 5:] = np.nan
    seen[2] = np.nan
    data["sand"][4] = np.nan
    data["age"] = "site", np.where(np.arange(12) == 7, np.nan, 1.0)
    data.to_netcdf(path / "gaps.nc", engine="h5netcdf")
    data.drop_vars("soil_moisture").to_netcdf(path / "unseen.nc", engine="h5netcdf")
    return path


def read(folder, model=None, name="gaps.nc", only=None, **more):
    given = DataConfig(sites=name, only=only)
    return read_table(ModelConfig.model_validate(model or PAST_ALONE), given, 50.0, folder, **more)


def test_sites_without_observations_are_left_out_and_named(folder):
    table = read(folder)
    with xr.open_dataset(folder / "gaps.nc", engine="h5netcdf") as found:
        given = found["soil_moisture"][..., 0].load()
    kept = [i for i in range(12) if i != 2]
    assert table.data["site"].values.tolist() == given["site"].values[kept].tolist()
    np.testing.assert_allclose(table.observed, given.values[kept].astype(np.float32))
    assert [n for n in table.notes if str(given["site"].values[2]) in n]
    assert table.inputs(np.array([3])).series[PAST].dtype == np.float32


def test_the_past_is_what_was_seen_and_lines_between(folder):
    data = read(folder).data
    seen, past = data[OBSERVED].values, data[PAST].values
    assert np.isfinite(past).all()
    np.testing.assert_array_equal(past[np.isfinite(seen)], seen[np.isfinite(seen)])
    line = np.interp(np.arange(10, 20), [9, 20], seen[0, [9, 20]])
    np.testing.assert_allclose(past[0, 10:20], line, rtol=1e-5)


def test_where_little_was_seen_the_mean_of_the_site_stands_in(folder):
    data = read(folder).data
    seen, past = data[OBSERVED].values[1], data[PAST].values[1]
    np.testing.assert_allclose(past[-1], np.nanmean(seen), rtol=1e-5)


def test_predictions_need_observations_only_for_a_past(folder):
    network = {"coupling": "network", "series": ["precipitation"]}
    table = read(folder, network, name="unseen.nc", is_scored=False)
    assert table.data.sizes["site"] == 12
    assert np.isnan(table.observed).all()
    for model, is_scored in ((network, True), (PAST_ALONE, False)):
        with pytest.raises(InputError, match="soil_moisture"):
            read(folder, model, name="unseen.nc", is_scored=is_scored)


def test_what_is_missing_is_named(folder):
    names = xr.load_dataset(folder / "gaps.nc", engine="h5netcdf")["site"].values
    with pytest.raises(InputError, match="has no soil moisture at 50 mm at any site"):
        read(folder, only=[str(names[2])])
    with pytest.raises(InputError, match=f"sand in gaps.nc is missing at site {names[4]}"):
        read(folder, PAST_ALONE | {"attributes": ["sand"]})
    with pytest.raises(InputError, match=f"age is missing at site {names[7]}"):
        read(folder, PAST_ALONE | {"attributes": ["age"]})
