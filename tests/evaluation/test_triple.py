"""Triple collocation finds the errors that series were made with."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.errors import InputError
from diffhydro.evaluation import triple_collocation
from tests.evaluation.series import ar1, named

ERRORS, GAINS, MEANS = (0.02, 0.03, 0.01), (1.0, 0.6, 1.5), (0.25, 0.1, 0.4)
NAMES = ("probe", "model", "satellite")


@pytest.fixture(scope="module")
def truth():
    return 0.05 * ar1(np.random.default_rng(0), (3, 20_000), 0.7)


@pytest.fixture(scope="module")
def series(truth):
    rng = np.random.default_rng(1)
    return {
        name: named(mean + gain * truth + rng.normal(0.0, error, truth.shape))
        for name, error, gain, mean in zip(NAMES, ERRORS, GAINS, MEANS, strict=True)
    }


@pytest.mark.parametrize("reference", range(3))
def test_errors_gains_and_correlations_with_the_truth(series, truth, reference):
    """Within four standard errors: var eᵢ is the mean of (eᵢ − eⱼ)(eᵢ − eₖ) over the steps."""
    found = triple_collocation(reference=NAMES[reference], **series)
    assert found.error.dims == ("site", "series")
    for i, name in enumerate(NAMES):
        at = {"series": name}
        scale = GAINS[reference] / GAINS[i]
        np.testing.assert_allclose(found.gain.sel(at), scale, rtol=0.03)
        own, second, third = (ERRORS[k % 3] / GAINS[k % 3] for k in (i, i + 1, i + 2))
        spread = np.sqrt(((own**2 + second**2) * (own**2 + third**2) + own**4) / truth.shape[1])
        variance = (found.error / found.gain).sel(at) ** 2 / GAINS[i] ** 2
        np.testing.assert_allclose(variance, own**2, rtol=0.0, atol=4.0 * spread)
        expected = [np.corrcoef(series[name][s], truth[s])[0, 1] for s in range(3)]
        np.testing.assert_allclose(found.r.sel(at), expected, atol=0.01)
    ratio = 10.0 ** (found.snr / 10.0)
    np.testing.assert_allclose(found.r**2, ratio / (1.0 + ratio), rtol=1e-12)


def test_what_is_applied_lies_in_the_scale_of_the_reference(series, truth):
    found = triple_collocation(reference="probe", **series)
    moved = found.apply("satellite", series["satellite"])
    assert moved.dims == ("site", "time")
    left = moved - (MEANS[0] + truth)
    np.testing.assert_allclose(left.mean("time"), 0.0, atol=2e-3)
    np.testing.assert_allclose(left.std("time"), ERRORS[2] / GAINS[2], rtol=0.05)
    xr.testing.assert_allclose(found.apply("probe", series["probe"]), series["probe"])


def test_a_merge_errs_less_than_any_and_as_much_as_theory_says(series, truth):
    merged = triple_collocation(reference="probe", **series).merge(**series)
    errors = np.array(ERRORS) / np.array(GAINS)
    best = np.sqrt(1.0 / np.sum(1.0 / errors**2))
    found = (merged - (MEANS[0] + truth)).std("time")
    np.testing.assert_allclose(found, best, rtol=0.05)
    assert (found < errors.min()).all()


def test_what_was_fitted_applies_to_days_it_has_not_seen(series):
    early = {name: x.isel(time=slice(0, 10_000)) for name, x in series.items()}
    found = triple_collocation(reference="probe", **early)
    later = series["model"].isel(time=slice(10_000, None))
    whole = found.apply("model", series["model"])
    xr.testing.assert_identical(found.apply("model", later), whole.isel(time=slice(10_000, None)))


def test_gaps_are_left_out_and_too_few_steps_have_no_fit(series):
    part = {name: x.isel(time=slice(0, 400)).copy() for name, x in series.items()}
    part["model"][0, 99:] = np.nan
    part["probe"][1, ::2] = np.nan
    found = triple_collocation(reference="probe", **part)
    assert found.steps.values.tolist() == [99, 200, 400]
    assert np.isnan(found.gain.values[0]).all()
    assert np.isnan(found.error.values[0]).all()
    half = {name: x.isel(site=[1], time=slice(1, None, 2)) for name, x in part.items()}
    expected = triple_collocation(reference="probe", **half)
    np.testing.assert_allclose(found.error[1], expected.error[0], rtol=1e-10)


def test_a_negative_variance_is_no_error():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 200))
    # The third is the sum of both: what it has in common with them is not a truth of all three.
    series = {n: xr.DataArray(v, dims="time") for n, v in {"x": x, "y": y, "z": x + y}.items()}
    found = triple_collocation(reference="x", **series)
    assert np.isnan(found.error).any()


def test_what_cannot_be_fitted(series):
    with pytest.raises(InputError, match="needs three series"):
        triple_collocation(reference="probe", probe=series["probe"])
    with pytest.raises(InputError, match="'radar' as the reference"):
        triple_collocation(reference="radar", **series)
    with pytest.raises(InputError, match="satellite is over"):
        triple_collocation(
            reference="probe", **(series | {"satellite": series["satellite"].isel(site=0)})
        )
    found = triple_collocation(reference="probe", **series)
    with pytest.raises(InputError, match="no series 'radar'; the fit has probe"):
        found.apply("radar", series["probe"])
    with pytest.raises(InputError, match="a merge needs"):
        found.merge(probe=series["probe"])
