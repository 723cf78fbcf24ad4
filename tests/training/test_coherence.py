"""Neighbouring depths: a lagged smoothing costs nothing, opposite courses cost all there is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from diffhydro.coupling.inputs import Inputs
from diffhydro.errors import InputError
from diffhydro.training.coherence import VerticalCoherence
from diffhydro.training.sample import Sample
from tests.training.catalogue import DEPTHS, TIMES, WINDOWS, batch, quick, value


def smoothed(theta, is_real, delay, step=1.0):
    """Filter exponentially, one step after the other; NaN before the first real one."""
    out, level, waited = np.full(len(theta), np.nan), None, 0
    for t in range(len(theta)):
        waited += 1
        if is_real[t]:
            gain = 1.0 - np.exp(-waited * step / delay)
            level = theta[t] if level is None else level + gain * (theta[t] - level)
            waited = 0
        out[t] = np.nan if level is None else level
    return out


def against(upper, lower, is_real, delay, least=1e-3):
    du, dv = np.diff(smoothed(upper, is_real, delay)), np.diff(lower)
    pair = is_real[1:] & is_real[:-1]
    du, dv = du[pair], dv[pair]
    size = np.sqrt((du @ du + len(du) * least**2) * (dv @ dv + len(dv) * least**2))
    return np.sum(np.maximum(-du * dv, 0.0)) / size


@pytest.mark.parametrize("seed", range(3))
def test_it_is_its_formula(seed):
    prediction, sample = batch(seed)
    profile, is_real = prediction["profile"], sample.weights["real"] > 0
    each = [
        against(profile[i, :, k], profile[i, :, k + 1], is_real[i], (3.0, 12.0)[k])
        for i in range(WINDOWS)
        for k in range(DEPTHS - 1)
    ]
    np.testing.assert_allclose(value("coherence", prediction, sample), np.mean(each), rtol=1e-11)


def test_a_gap_makes_the_filter_forget():
    rng = np.random.default_rng(2)
    theta, is_real = rng.uniform(0.1, 0.4, (1, 12, 2)), np.ones((1, 12), bool)
    is_real[0, 4:7] = False
    sample = Sample(Inputs({}), {}, {"real": jnp.asarray(is_real)})
    expected = against(theta[0, :, 0], theta[0, :, 1], is_real[0], 4.0)
    found = quick(VerticalCoherence((4.0,)))(jnp.asarray(theta), sample)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def courses(step=1.0, delay=6.0):
    """Give the course of a surface that is rained on, and its exponential filter."""
    rng = np.random.default_rng(0)
    theta = np.zeros(200)
    for t in range(1, 200):
        rain = rng.exponential(0.1) * (rng.random() < 0.15)
        theta[t] = min(theta[t - 1] * np.exp(-step / 5.0) + rain, 0.3)
    return theta, smoothed(theta, np.ones(200, bool), delay, step)


def score(upper, lower, delay=6.0, step=1.0, least=1e-3):
    theta = jnp.asarray(np.stack([upper, lower], axis=-1)[None])
    sample = Sample(Inputs({}, step=step), {}, {"real": jnp.ones(1)})
    return float(quick(VerticalCoherence((delay,), least=least))(theta, sample))


@pytest.mark.parametrize("step", [1.0, 0.25])
def test_a_lagged_smoothing_is_coherent_and_its_opposite_is_not(step):
    upper, lower = courses(step)
    assert score(upper, lower, step=step) == 0.0
    # Texture and storage differ with depth: offset and amplitude do not matter.
    assert score(upper, 0.2 + 0.3 * lower, step=step) == 0.0
    assert score(upper, 0.3 - lower, step=step) > 0.9
    assert score(upper, 0.3 - lower, step=step, least=1e-9) == pytest.approx(1.0, rel=1e-9)
    # Raw changes of the two are often opposite: after rain one dries while the other wets.
    changes = np.diff(upper) * np.diff(lower)
    assert (changes < 0).mean() > 0.05


def test_a_wrong_delay_costs_little_and_no_relation_costs_more():
    upper, lower = courses(delay=6.0)
    other = np.random.default_rng(1).permutation(lower)
    assert score(upper, lower, delay=12.0) < 0.1
    assert score(upper, other) > 0.2


def test_changes_that_no_probe_sees_hardly_count():
    upper, lower = courses()
    assert score(1e-4 * upper, 0.3 - 1e-4 * lower) < 0.01
    assert score(upper, np.full(200, 0.3)) == 0.0


def test_what_is_usual_is_free():
    prediction, sample = batch(1)
    profile, is_real = prediction["profile"], sample.weights["real"] > 0
    each = [
        against(profile[i, :, k], profile[i, :, k + 1], is_real[i], (3.0, 12.0)[k])
        for i in range(WINDOWS)
        for k in range(DEPTHS - 1)
    ]
    usual = float(np.median(each))
    found = quick(VerticalCoherence((3.0, 12.0), "profile", usual=usual))(
        *jax.tree.map(jnp.asarray, (prediction, sample))
    )
    np.testing.assert_allclose(found, np.mean(np.maximum(np.array(each) - usual, 0.0)), rtol=1e-11)


@pytest.mark.slow
def test_real_profiles_are_coherent_and_turned_or_foreign_ones_are_less(real_data):
    """Stations with probes at 5, 10, 20, 50 and 100 cm, nine years of days."""
    with xr.open_dataset(real_data / "uscrn_daily_30sites_2012_2020.nc") as opened:
        theta = opened["sm"].transpose("site", "time", "depth").values.astype(float)
    turned, foreign = theta.copy(), theta.copy()
    turned[..., 1::2] *= -1.0
    foreign[..., 1:] = np.roll(theta, 7, axis=0)[..., 1:]
    loss = VerticalCoherence((2.0,) * (theta.shape[-1] - 1))

    def one(theta, is_real):
        return loss(theta[None], Sample(Inputs({}), {}, {"real": is_real[None]}))

    program = quick(jax.vmap(one))
    for series, expected in ((theta, 0.033), (foreign, 0.064), (turned, 0.68)):
        is_real = np.isfinite(series).all(axis=-1)
        each = np.asarray(program(jnp.asarray(series), jnp.asarray(is_real, float)))
        found = np.median(each[is_real.sum(axis=1) > 300])
        np.testing.assert_allclose(found, expected, atol=0.005)


def test_what_cannot_be_meant_is_refused():
    for delay in ((), (0.0,), (np.inf,)):
        with pytest.raises(InputError, match="delays are above 0"):
            VerticalCoherence(delay)
    with pytest.raises(InputError, match="least change"):
        VerticalCoherence((1.0,), least=0.0)
    with pytest.raises(InputError, match="what is usual"):
        VerticalCoherence((1.0,), usual=-0.1)
    prediction, sample = batch()
    with pytest.raises(InputError, match=r"with 1 delays the last axis holds 2 depths"):
        VerticalCoherence((1.0,), "profile")(prediction, sample)
    assert prediction["profile"].shape == (WINDOWS, TIMES, DEPTHS)
