"""Thirty stations of the U.S. Climate Reference Network, clustered by weather and soil."""

import numpy as np
import pytest

from diffhydro.data.regions import Features, Lloyd, Search, cluster, fewest_sites, judge_regions
from diffhydro.data.regions.statistics import correlations


@pytest.fixture(scope="module")
def stations(real_data):
    import xarray as xr

    with xr.open_dataset(real_data / "uscrn_daily_30sites_2012_2020.nc", engine="h5netcdf") as ds:
        means = [ds[name].mean("time").values for name in ("pr", "rsds", "tas", "vp")]
        names = ("precipitation", "shortwave", "temperature", "vapour_pressure")
        features = Features(np.stack(means, axis=1), names, ds["site"].values)
        return features, ds["sm"].values[:, :, 0].astype(np.float64)


def test_regions_of_weather_say_something_of_soil_moisture(stations):
    features, moisture = stations
    regions = cluster(features, into=4, starts=50, search=Search(method=Lloyd()))
    assert {"AZ_Tucson_11_W", "NM_Las_Cruces_20_N", "NV_Mercury_3_SSW"} <= set(regions.sites_in(0))
    wettest = regions.site_labels[features.values[:, 0].argmax()]
    assert wettest == 3  # numbered along precipitation
    found = judge_regions(moisture, regions.site_labels)
    # Study A on its 484 sites: 0.39 inside, 0.27 overall.
    assert found.coherence.inside > found.coherence.overall + 0.05
    assert found.coherence.pairs.sum() == sum(n * (n - 1) // 2 for n in regions.site_sizes)
    assert found.of_means.p < 0.05


def test_correlations_of_series_with_real_gaps(stations):
    _, moisture = stations
    r = correlations(moisture)
    for i, j in ((0, 1), (3, 20), (10, 29)):
        both = np.isfinite(moisture[i]) & np.isfinite(moisture[j])
        assert r[i, j] == pytest.approx(np.corrcoef(moisture[i, both], moisture[j, both])[0, 1])


def test_more_sites_bring_less_and_less(stations):
    _, moisture = stations
    found = fewest_sites(moisture, sizes=range(3, 13), draws=5)
    assert found.skill[-1] > found.skill[0]
    assert 3 < found.chosen < 12
