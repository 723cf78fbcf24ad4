"""Water balance and dry spells against plain loops."""

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.coupling.inputs import Inputs
from diffhydro.errors import InputError
from diffhydro.training.sample import Sample
from diffhydro.training.water_penalties import ClosedBalance, DryingOnly, flux
from tests.training.catalogue import SPELL, THICKNESS, TIMES, WINDOWS, batch, quick, value

GIVEN = {"gains": ("inflow",), "losses": ("evaporation",)}


def unexplained(prediction, sample, storage):
    """Give changes of storage less what fluxes explain, where both times are real; mm."""
    series, is_real = sample.inputs.series, sample.weights["real"] > 0
    out = []
    for i in range(WINDOWS):
        for t in range(1, TIMES):
            if is_real[i, t] and is_real[i, t - 1]:
                came = series["inflow"][i, t] - series["evaporation"][i, t]
                came = came - prediction["transpiration"][i, t]
                out.append(storage[i, t] - storage[i, t - 1] - came)
    return np.array(out)


def test_the_balance_is_the_mean_square_of_what_is_unexplained():
    prediction, sample = batch(9)
    off = unexplained(prediction, sample, prediction["profile"] @ np.array(THICKNESS))
    np.testing.assert_allclose(value("balance", prediction, sample), np.mean(off**2), rtol=1e-12)
    off = unexplained(prediction, sample, 200.0 * prediction["theta"])
    gained, lost = np.maximum(off, 0.0), np.maximum(-off - 1.0, 0.0)
    expected = np.mean(gained**2 + lost**2)
    np.testing.assert_allclose(
        value("balance of one depth", prediction, sample), expected, rtol=1e-12
    )
    np.testing.assert_allclose(value("sources", prediction, sample), np.mean(gained**2), rtol=1e-12)


def bucket(step, drainage=0.0, thickness=500.0):
    """Give a series that keeps its balance, and what drives it."""
    rng = np.random.default_rng(1)
    rain, out = rng.exponential(4.0, (2, 30)), rng.exponential(3.0, (2, 30))
    water = 150.0 + step * np.cumsum(rain - out - drainage, axis=1)
    series = {"inflow": jnp.asarray(rain), "evaporation": jnp.asarray(out)}
    sample = Sample(Inputs(series, step=step), {}, {"real": jnp.ones(2)})
    return jnp.asarray(water / thickness), sample


@pytest.mark.parametrize("step", [1.0, 0.25])
def test_a_bucket_keeps_its_balance_and_a_leak_is_seepage(step):
    def loss(drainage, seepage=0.0):
        balance = quick(ClosedBalance((500.0,), **GIVEN, seepage=seepage))
        return float(balance(*bucket(step, drainage)))

    assert loss(0.0) < 1e-20
    assert loss(2.0) == pytest.approx((2.0 * step) ** 2, rel=1e-9)
    assert loss(2.0, seepage=1.0) == pytest.approx(step**2, rel=1e-9)
    assert loss(2.0, seepage=2.01) == loss(2.0, seepage=np.inf) == 0.0
    # Water from nowhere has no excuse.
    assert loss(-2.0, seepage=np.inf) == pytest.approx((2.0 * step) ** 2, rel=1e-9)


def rises(theta, sample, least, observed=None, seen=None):
    """Give rises of θ within dry spells, one by one."""
    infiltration, evaporation = (
        np.asarray(sample.inputs.series[name]) for name in ("inflow", "evaporation")
    )
    is_real = np.broadcast_to(np.asarray(sample.weights["real"]) > 0, theta.shape)
    dry = is_real & (infiltration <= 0) & (evaporation > 0)
    out = []
    for i in range(len(theta)):
        t = 0
        while t < theta.shape[1]:
            begin = t
            while t < theta.shape[1] and dry[i, t]:
                t += 1
            if t - begin >= least:
                pairs = range(begin + 1, t)
                if observed is None or not any(
                    seen[i, k] and seen[i, k - 1] and observed[i, k] > observed[i, k - 1]
                    for k in pairs
                ):
                    out += [max(theta[i, k] - theta[i, k - 1], 0.0) for k in pairs]
            t = max(t, begin + 1)
    return np.array(out)


@pytest.mark.parametrize("seed", range(5))
def test_rises_in_dry_spells_are_those_of_a_plain_loop(seed):
    prediction, sample = batch(seed)
    each = rises(prediction["theta"], sample, SPELL["least"])
    assert len(each) > 10
    np.testing.assert_allclose(value("drying", prediction, sample), each.mean(), rtol=1e-12)
    column = prediction["profile"] @ np.array(THICKNESS) / sum(THICKNESS)
    observed, seen = sample.observed["stations"], sample.weights["stations"] > 0
    each = rises(column, sample, SPELL["least"], observed, seen)
    expected = each.mean() if len(each) else 0.0
    np.testing.assert_allclose(value("drying as seen", prediction, sample), expected, rtol=1e-11)


def spell(theta, dry, **changed):
    dry = np.asarray(dry, bool)[None]
    series = {"rain": np.where(dry, 0.0, 5.0), "evaporation": np.ones(dry.shape)}
    sample = Sample(
        Inputs(series), {"x": jnp.asarray([theta])}, {"real": jnp.ones(1), "x": jnp.ones(dry.shape)}
    )
    loss = quick(DryingOnly("rain", ("evaporation",), **changed))
    return float(loss(jnp.asarray([theta]), sample))


def test_a_rise_in_a_long_dry_spell_costs_what_it_is():
    theta = [0.2, 0.3, 0.28, 0.29, 0.27]
    dry = [0, 1, 1, 1, 1]
    assert spell(theta, dry, least=4) == pytest.approx(0.01 / 3)
    assert spell(theta, dry, least=5) == 0.0  # too short
    assert spell(theta, [0, 1, 1, 0, 1], least=2) == 0.0  # the rise was rain
    assert spell(theta, dry, least=4, source="x") == 0.0  # it was seen, too
    assert spell(sorted(theta, reverse=True), [1] * 5, least=4) == 0.0
    assert spell([0.2, 0.3], [1, 1]) == 0.0  # ten days are the rule


def test_a_trace_of_infiltration_is_none():
    theta, series = jnp.asarray([[0.2, 0.3, 0.4]]), {"i": jnp.full((1, 3), 0.05)}
    sample = Sample(Inputs(series | {"e": jnp.ones((1, 3))}), {}, {"real": jnp.ones(1)})
    for trace, expected in ((0.0, 0.0), (0.1, 0.1)):
        found = quick(DryingOnly("i", ("e",), least=2, trace=trace))(theta, sample)
        assert float(found) == pytest.approx(expected)


def test_fluxes_come_from_the_prediction_first():
    like = jnp.zeros((1, 2))
    sample = Sample(Inputs({"a": like + 1, "b": like + 1, "c": like + 1}), {}, {}, {"b": like + 2})
    prediction = {"a": like + 3, "b": like + 3}
    for name, expected in (("a", 3.0), ("b", 3.0), ("c", 1.0)):
        assert float(flux(name, prediction, sample, like)[0, 0]) == expected
    assert float(flux("b", like, sample, like)[0, 0]) == 2.0
    with pytest.raises(InputError, match=r"'rain' is asked for.*a, b"):
        flux("rain", prediction, sample, like)
    with pytest.raises(InputError, match=r"'a' has shape \(1, 2\), the water it moves \(1, 3\)"):
        flux("a", prediction, sample, jnp.zeros((1, 3)))


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(InputError, match=r"gains is a tuple of names; write \('rain',\)"):
        ClosedBalance((100.0,), "rain", ())
    with pytest.raises(InputError, match="thicknesses are above 0"):
        ClosedBalance((100.0, 0.0), ("rain",), ())
    with pytest.raises(InputError, match="seepage is a loss of -1"):
        ClosedBalance((100.0,), ("rain",), (), seepage=-1.0)
    with pytest.raises(InputError, match="evaporation is a tuple"):
        DryingOnly("rain", "evaporation")
    prediction, sample = batch()
    with pytest.raises(InputError, match=r"2 thicknesses for predictions of shape \(3, 16, 3\)"):
        ClosedBalance((1.0, 2.0), **GIVEN, output="profile")(prediction, sample)
