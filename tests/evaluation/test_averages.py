"""Averages over regions, weighted by what they hold."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.errors import InputError
from diffhydro.evaluation import weighted_mean


def regions(values, **coords):
    return xr.DataArray(np.asarray(values), dims="region", coords=coords)


def test_a_mean_weighted_by_sites_is_the_mean_over_all_sites():
    rng = np.random.default_rng(0)
    sizes = np.array([11, 268, 40, 17])
    sites = [rng.random(n) for n in sizes]
    by_region = xr.Dataset({"rmse": regions([np.mean(s) for s in sites])})
    found = weighted_mean(by_region, regions(sizes))
    np.testing.assert_allclose(found.rmse, np.concatenate(sites).mean(), rtol=1e-12)


def test_a_published_average():
    """Study A: RMSE and r of PGDL by region; equal weights give the plain mean."""
    rmse = [0.070, 0.059, 0.093, 0.079, 0.073, 0.077, 0.080, 0.072, 0.085, 0.070, 0.103]
    found = weighted_mean(regions(rmse), regions(np.ones(11)))
    np.testing.assert_allclose(found, 0.0783, atol=5e-5)


def test_a_region_without_a_score_does_not_count():
    found = weighted_mean(regions([0.1, np.nan, 0.3]), regions([1.0, 100.0, 1.0]))
    np.testing.assert_allclose(found, 0.2, rtol=1e-12)


def test_other_axes_are_kept():
    scores = xr.DataArray(np.arange(6.0).reshape(2, 3), dims=("model", "region"))
    found = weighted_mean(scores, regions([0.0, 0.0, 2.0]))
    assert found.dims == ("model",)
    np.testing.assert_array_equal(found, [2.0, 5.0])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (regions([1.0, 2.0]), "2 weights for 3"),
        (regions([1.0, -1.0, 1.0]), "0 or more"),
        (regions([0.0, 0.0, 0.0]), "above 0"),
        (regions([1.0, np.nan, 1.0]), "0 or more"),
        (regions([1.0, 2.0, 3.0]).rename(region="cluster"), "over cluster"),
        (regions([1.0, 2.0, 3.0], region=[2, 1, 0]), "another order"),
    ],
)
def test_weights_that_do_not_fit(weights, message):
    with pytest.raises(InputError, match=message):
        weighted_mean(regions([0.1, 0.2, 0.3], region=[0, 1, 2]), weights)
