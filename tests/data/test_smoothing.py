import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.smoothing import fit_noise, smooth, smoothed
from diffhydro.errors import InputError

SITES, DAYS = 4, 60  # one shape for most tests: every other one is compiled anew


def walk(sites, days, noise, step, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    level = np.cumsum(rng.normal(0.0, np.sqrt(step), (sites, days)), axis=1)
    seen = level + rng.normal(0.0, np.sqrt(noise), level.shape)
    seen[rng.random(seen.shape) < missing] = np.nan
    return level, seen


def dense(values, noise, step):
    """The posterior of one series by its whole precision matrix: steps between, observations on."""
    length = len(values)
    differences = np.diff(np.eye(length), axis=0)
    there = np.isfinite(values)
    precision = differences.T @ differences / step + np.diag(there / noise)
    covariance = np.linalg.inv(precision)
    return covariance @ (np.where(there, values, 0.0) / noise), np.diag(covariance)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    ratio=st.floats(-3.0, 3.0),
    missing=st.floats(0.0, 0.7),
)
def test_is_the_dense_gaussian_posterior(seed, ratio, missing):
    noise, step = 10.0**-ratio, 10.0**ratio
    _, seen = walk(SITES, DAYS, noise, step, seed, missing)
    seen[:, seed % DAYS] = 1.0  # something is there; often neither at the start nor at the end
    made = smooth(seen, noise, step)
    for i in range(SITES):
        mean, variance = dense(seen[i], noise, step)
        scale = np.nanmax(np.abs(seen[i]))
        np.testing.assert_allclose(made.mean[i], mean, rtol=0, atol=1e-9 * max(scale, 1.0))
        np.testing.assert_allclose(made.variance[i], variance, rtol=1e-9)


def test_single_precision_is_the_dense_posterior_too():
    _, seen = walk(SITES, DAYS, 4e-4, 1e-6, missing=0.2)
    seen = seen + 0.3
    made = smooth(seen.astype(np.float32), 4e-4, 1e-6)
    assert made.mean.dtype == np.float32
    mean, variance = dense(seen[0], 4e-4, 1e-6)
    np.testing.assert_allclose(made.mean[0], mean, rtol=1e-5)
    np.testing.assert_allclose(made.variance[0], variance, rtol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_limits(dtype):
    constant = np.full((SITES, DAYS), 0.25, dtype)
    constant[0, 10:20] = np.nan
    np.testing.assert_array_equal(smooth(constant, 1e-3, 1e-5).mean, np.full((SITES, DAYS), 0.25))
    _, seen = walk(SITES, DAYS, 1.0, 1.0, missing=0.3)
    seen[:, [0, -1]] = 1.0
    seen = seen.astype(dtype)
    there = np.isfinite(seen)
    eps = np.finfo(dtype).eps
    exact = smooth(seen, 0.0, 0.5)
    # Subtracting the centre and adding it again rounds twice.
    np.testing.assert_allclose(
        np.asarray(exact.mean)[there], seen[there], rtol=0, atol=4 * eps * np.nanmax(abs(seen))
    )
    assert np.all(np.asarray(exact.variance)[there] == 0.0)
    days = np.arange(DAYS)
    for i in range(SITES):
        line = np.interp(days, days[there[i]], seen[i, there[i]].astype(np.float64))
        np.testing.assert_allclose(exact.mean[i], line, atol=100 * eps)
    for flat in (smooth(seen, np.inf, 1.0), smooth(seen, 1.0, 0.0)):
        means = np.nanmean(seen.astype(np.float64), axis=1, keepdims=True)
        np.testing.assert_allclose(flat.mean, np.broadcast_to(means, seen.shape), atol=100 * eps)
    np.testing.assert_allclose(
        smooth(seen, 1.0, 0.0).variance[0], 1.0 / there[0].sum(), rtol=100 * eps
    )
    assert np.isinf(np.asarray(smooth(seen, np.inf, 1.0).variance)).all()


def test_variance_grows_by_a_step_for_each_day_before_the_first_observation():
    seen = np.full((SITES, DAYS), np.nan)
    seen[0, 3] = 2.0
    made = smooth(seen, 0.3, 0.1)
    np.testing.assert_allclose(made.mean[0], 2.0)
    np.testing.assert_allclose(made.variance[0, :6], [0.6, 0.5, 0.4, 0.3, 0.4, 0.5])


def test_stated_variance_is_the_error_made():
    level, seen = walk(50, 800, 4e-4, 1e-4, missing=0.1)
    made = smooth(seen, 4e-4, 1e-4)
    scaled = (np.asarray(made.mean) - level) / np.sqrt(made.variance)
    # 40 000 errors with a memory of a few days: the standard error of their size is about 1 %.
    assert np.std(scaled) == pytest.approx(1.0, abs=0.03)


def log_likelihood(values, noise, step):
    """By the whole covariance of the differences from the first observation on."""
    there = np.flatnonzero(np.isfinite(values))
    differences = np.diff(values[there])
    apart = np.diff(there)
    covariance = np.diag(step * apart + 2.0 * noise)
    off = np.full(len(apart) - 1, -noise)
    covariance += np.diag(off, 1) + np.diag(off, -1)
    _, determinant = np.linalg.slogdet(covariance)
    return -0.5 * (determinant + differences @ np.linalg.solve(covariance, differences))


def test_fitted_noise_is_the_maximum_of_the_likelihood():
    _, seen = walk(SITES, DAYS, 1.0, 0.2, missing=0.2)
    fitted = fit_noise(seen)
    for i in range(SITES):
        noise, step = float(fitted.noise[i]), float(fitted.step[i])
        best = log_likelihood(seen[i], noise, step)
        for a in (0.99, 1.0, 1.01):
            for b in (0.99, 1.0, 1.01):
                assert log_likelihood(seen[i], noise * a, step * b) <= best + 1e-9


@pytest.mark.parametrize("ratio", [0.05, 1.0, 4.0])
def test_fitted_noise_is_the_truth_within_its_sampling_error(ratio):
    sites = 60
    _, seen = walk(sites, 600, 1.0, ratio, seed=3)
    fitted = fit_noise(seen)
    logs = np.stack([np.log(fitted.noise), np.log(np.asarray(fitted.step) / ratio)], axis=1)
    spread = np.sqrt(np.diag(np.linalg.inv(information(600, ratio))))
    # Means over 60 sites have a standard error of spread / √60; 4 of them, and the order 1/n bias.
    assert np.all(np.abs(logs.mean(axis=0)) < 4.0 * spread / np.sqrt(sites) + 2.0 * spread**2)
    np.testing.assert_allclose(logs.std(axis=0), spread, rtol=0.4)


def information(days, ratio):
    """Fisher's, of both logarithms: half the trace of products of the covariance's derivatives."""
    length = days - 1
    by_noise = 2.0 * np.eye(length) - np.eye(length, k=1) - np.eye(length, k=-1)
    by_step = ratio * np.eye(length)
    inverse = np.linalg.inv(by_noise + by_step)
    a, b = inverse @ by_noise, inverse @ by_step
    return 0.5 * np.array([[np.sum(x * y.T) for y in (a, b)] for x in (a, b)])


def test_ends_of_the_search_and_series_that_tell_nothing():
    steps = np.random.default_rng(1).normal(0.0, 1.0, (60, 600))
    # Noise is minus the covariance of steps that follow each other: standard error 1/√600.
    no_noise = np.asarray(fit_noise(np.cumsum(steps, axis=1)).noise)
    assert no_noise.max() < 4.0 / np.sqrt(600)
    assert np.mean(no_noise < 1e-6) > 0.3
    assert np.asarray(fit_noise(steps).step).max() < 1e-3
    odd = np.full((SITES, DAYS), np.nan)
    odd[0] = 0.2
    odd[1, 4:6] = 0.3
    noise, step = fit_noise(odd)
    assert noise[0] == step[0] == 0.0
    assert np.isnan(np.asarray(noise)[1:]).all()
    assert np.isnan(np.asarray(smooth(odd, 1.0, 1.0).mean[2])).all()


def test_precisions_agree_on_the_fit():
    _, seen = walk(60, 600, 4e-4, 1e-4, missing=0.1)
    seen += 0.3
    double, single = fit_noise(seen), fit_noise(seen.astype(np.float32))
    # The top of a likelihood is flat: its place is known to the root of the precision.
    np.testing.assert_allclose(single.noise, double.noise, rtol=2e-2)
    np.testing.assert_allclose(single.step, double.step, rtol=2e-2)


def test_impossible_variances_and_shapes_are_refused():
    for noise, step in ((-1.0, 1.0), (0.0, 0.0), (1.0, np.inf), (np.nan, 1.0)):
        with pytest.raises(InputError, match="series 0 has noise"):
            smooth(np.ones((2, 5)), noise, step)
    with pytest.raises(InputError, match="expected series"):
        fit_noise(np.ones(5))


def test_a_data_set_keeps_its_gaps_and_its_axes():
    import xarray as xr

    _, seen = walk(6, DAYS, 4e-4, 1e-4, missing=0.2)
    seen = (seen + 0.3).astype(np.float32)
    seen[5] = np.where(np.isnan(seen[5]), np.nan, 0.125)
    seen[4, 2:] = np.nan
    cube = seen.reshape(2, 3, DAYS).transpose(0, 2, 1)
    found = smoothed(
        xr.Dataset({"soil_moisture": (("site", "time", "depth"), cube, {"units": "m3 m-3"})}),
        "soil_moisture",
    )
    made, spread = found["soil_moisture_smoothed"], found["soil_moisture_smoothed_variance"]
    assert (made.attrs["units"], spread.attrs["units"]) == ("m3 m-3", "(m3 m-3)2")
    with pytest.raises(InputError, match="no series rain to smooth; the data set has soil_moist"):
        smoothed(found, "rain")
    assert made.dims == ("site", "time", "depth")
    assert made.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(made.values), np.isnan(cube))
    np.testing.assert_array_equal(made.values[1, :, 2], cube[1, :, 2])
    np.testing.assert_array_equal(made.values[1, :, 1], cube[1, :, 1])
    assert np.nanmax(spread.values[1, :, 2]) == 0.0
    assert np.isnan(spread.values[1, :, 1]).all()
    fitted = fit_noise(seen)
    by_hand = smooth(seen[:4], fitted.noise[:4], fitted.step[:4])
    for i in range(4):
        there = np.isfinite(seen[i])
        one = {"site": i // 3, "depth": i % 3}
        np.testing.assert_array_equal(made.isel(one)[there], np.asarray(by_hand.mean)[i, there])
        np.testing.assert_array_equal(
            spread.isel(one)[there], np.asarray(by_hand.variance)[i, there]
        )


def test_the_mean_shifts_with_the_observations():
    """Through the derivative, which is finite where values are missing too."""
    from diffhydro.data import smoothing

    _, seen = walk(SITES, DAYS, 1.0, 0.3, missing=0.3)
    noise, step = np.ones(SITES), np.full(SITES, 0.3)
    _, moved = jax.jvp(
        lambda y: smoothing._smooth(y, noise, step)[0], (seen,), (np.ones_like(seen),)
    )
    np.testing.assert_allclose(moved, 1.0, atol=1e-12)
