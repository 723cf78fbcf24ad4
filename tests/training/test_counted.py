"""What does not count changes nothing, in any loss: laws over the whole catalogue."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.coupling.inputs import Inputs
from diffhydro.errors import InputError
from diffhydro.training.counted import array_of, counted, filled, mean, part, real
from diffhydro.training.sample import Sample
from tests.training.catalogue import (
    LOSSES,
    MISFITS,
    TIMES,
    WINDOWS,
    batch,
    found,
    free_of,
    quick,
    replace,
    value,
    with_free,
)

MORE_WINDOWS, MORE_TIMES = 2, 5
GARBAGE = [np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0]
# One program holds all losses and their gradients, for two shapes and two types.
pytestmark = pytest.mark.slow
# Sums run in another order when there is more to sum.
ROUNDING = 1e-12


def padded(tree, before, rng, filling):
    """Put more windows and times round every array that has them; weights there are 0."""

    def of(leaf, is_weight):
        leaf = np.asarray(leaf)
        has_times = leaf.shape[:2] == (WINDOWS, TIMES)
        if leaf.shape[:1] != (WINDOWS,):
            return leaf
        shape = (WINDOWS + MORE_WINDOWS, *leaf.shape[1:])
        inside = (slice(1, 1 + WINDOWS),)
        if has_times:
            shape = (shape[0], TIMES + MORE_TIMES, *leaf.shape[2:])
            inside = (*inside, slice(before, before + TIMES))
        strange = rng.normal(0.0, 1.0, shape) if filling is None else np.full(shape, filling)
        out = np.zeros(shape, leaf.dtype) if is_weight else strange.astype(leaf.dtype)
        out[inside] = leaf
        return out

    prediction, sample = tree
    weights = {name: of(x, True) for name, x in sample.weights.items()}
    outside = replace(sample, weights={})
    prediction, sample = jax.tree.map(lambda x: of(x, False), (prediction, outside))
    return prediction, Sample(sample.inputs, sample.observed, weights, sample.extra)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.integers(0, 10),
    st.integers(0, MORE_TIMES),
    st.sampled_from([*GARBAGE, None]),
)
def test_padding_never_changes_a_loss(seed, before, filling):
    given = batch(seed)
    plain, more = found(*given), found(*padded(given, before, np.random.default_rng(seed), filling))
    for name, (wanted, slope) in plain.items():
        loss, gradient = more[name]
        np.testing.assert_allclose(loss, wanted, rtol=ROUNDING, err_msg=name)
        # The same padding, of zeros, says where the gradient of what counts has come to be.
        _, placed = with_free(slope, given[1])
        expected = padded((slope[0], placed), before, None, 0.0)
        expected = free_of(*expected)
        scale = max(np.max(np.abs(x), initial=0.0) for x in jax.tree.leaves(slope))
        for here, there in zip(jax.tree.leaves(gradient), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(
                here, there, rtol=ROUNDING, atol=ROUNDING * scale, err_msg=name
            )


@pytest.mark.exhaustive
@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10), st.sampled_from(GARBAGE), st.sampled_from([np.float64, np.float32]))
def test_what_was_not_seen_does_not_matter_whatever_stands_there(seed, garbage, dtype):
    prediction, sample = batch(seed, dtype)
    plain = found(prediction, sample)
    strange = {
        name: np.where(sample.weights[name] > 0, x, dtype(garbage))
        for name, x in sample.observed.items()
    }
    for name, pair in found(prediction, replace(sample, observed=strange)).items():
        jax.tree.map(lambda a, b, n=name: np.testing.assert_array_equal(a, b, n), pair, plain[name])


@pytest.mark.parametrize("source", ["stations", "satellite", "probes"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_predicted_where_nothing_was_seen_does_not_matter(source, garbage, dtype):
    prediction, sample = batch(3, dtype)
    plain = found(prediction, sample)
    seen = sample.weights[source] > 0

    def spoil(leaf):
        if leaf.shape[: seen.ndim] != seen.shape:
            return leaf
        return np.where(
            seen.reshape(seen.shape + (1,) * (leaf.ndim - seen.ndim)),
            leaf,
            leaf.dtype.type(garbage),
        )

    strange = found(jax.tree.map(spoil, prediction), sample)
    for name in MISFITS:
        if LOSSES[name].reads.sources == (source,):
            jax.tree.map(np.testing.assert_array_equal, strange[name], plain[name])


def test_an_observation_that_is_no_number_is_none():
    prediction, sample = batch(1)
    gone = replace(
        sample,
        weights=sample.weights | {"stations": sample.weights["stations"] * _without_first(sample)},
    )
    missing = replace(
        sample,
        observed=sample.observed
        | {"stations": np.where(_without_first(sample) > 0, sample.observed["stations"], np.nan)},
    )
    wanted, got = found(prediction, gone), found(prediction, missing)
    for name in LOSSES:
        jax.tree.map(np.testing.assert_array_equal, got[name], wanted[name])
    assert wanted["mse"][0] != found(prediction, sample)["mse"][0]


def _without_first(sample):
    kept = np.ones_like(sample.weights["stations"])
    kept[:, :6] = 0.0
    return kept


def test_gradients_agree_with_differences():
    prediction, sample = batch(2)
    free = free_of(prediction, sample)
    gradient = {name: slope for name, (_, slope) in found(prediction, sample).items()}
    rng, step = np.random.default_rng(0), 1e-6
    for _ in range(6):
        # Parameters of soils and of distributions have sizes of their own.
        way = jax.tree.map(lambda x: rng.normal(0.0, 0.1, x.shape) * np.abs(x), free)
        ends = [
            found(*with_free(jax.tree.map(lambda x, w, s=s: x + s * w, free, way), sample))
            for s in (step, -step)
        ]
        for name in LOSSES:
            up, down = (float(end[name][0]) for end in ends)
            parts = jax.tree.map(lambda g, w: np.sum(g * w), gradient[name], way)
            along = jax.tree.leaves(parts)
            np.testing.assert_allclose(
                sum(along), (up - down) / (2 * step), rtol=1e-5, atol=1e-8, err_msg=name
            )
    for name, slope in gradient.items():
        assert max(np.abs(x).max() for x in jax.tree.leaves(slope)) > 0, name


def edges():
    prediction, sample = batch(4)
    nothing = {name: np.zeros_like(x) for name, x in sample.weights.items()}
    one = {name: x.copy() for name, x in nothing.items()}
    for x in one.values():
        x[1, 7] = 1.0
    met = prediction | {"theta": sample.observed["stations"], "profile": sample.observed["probes"]}
    flat = {name: np.full_like(x, 0.2) for name, x in sample.observed.items()}
    same = jax.tree.map(lambda x: np.full_like(x, 0.2), prediction)
    steady = jax.tree.map(np.zeros_like, sample.inputs.series)
    still = Sample(Inputs(steady), sample.observed, sample.weights, sample.extra)
    return {
        "nothing seen": (prediction, replace(sample, weights=nothing)),
        "one place": (prediction, replace(sample, weights=one)),
        "perfect": (met, sample),
        "perfect for the satellite": (prediction | {"theta": sample.observed["satellite"]}, sample),
        "constant prediction": (same, sample),
        "constant observation": (prediction, replace(sample, observed=flat)),
        "all constant": (same, replace(sample, observed=flat)),
        "no fluxes": (prediction, still),
        "far away": (jax.tree.map(lambda x: 100.0 * x, prediction), sample),
        "zero": (jax.tree.map(lambda x: 0.0 * x + 1e-6, prediction), sample),
    }


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", edges())
def test_losses_and_gradients_are_finite_at_the_edges(name, dtype):
    given = jax.tree.map(lambda x: np.asarray(x, dtype), edges()[name])
    for loss, (number, gradient) in found(*given).items():
        assert number.dtype == dtype, loss
        assert np.isfinite(number), loss
        assert all(np.isfinite(x).all() for x in jax.tree.leaves(gradient)), loss
        if name == "nothing seen":
            assert number == 0.0, loss
            assert all((x == 0).all() for x in jax.tree.leaves(gradient)), loss


def test_single_precision_agrees_with_double():
    double, single = found(*batch(5)), found(*batch(5, np.float32))
    for name, (wanted, slope) in double.items():
        loss, gradient = single[name]
        # Storage changes of 1 mm in 200 mm, squared: three digits go.
        loose = 2e-3 if name in ("balance", "balance of one depth", "sources") else 1e-4
        np.testing.assert_allclose(loss, wanted, rtol=loose, atol=1e-6, err_msg=name)
        for here, there in zip(jax.tree.leaves(gradient), jax.tree.leaves(slope), strict=True):
            size = np.max(np.abs(there))
            np.testing.assert_allclose(here, there, rtol=loose, atol=loose * size, err_msg=name)


def test_parts_of_predictions_are_found_by_name():
    prediction, _ = batch()
    assert part({"theta": 1.0}, None) == 1.0
    assert part(prediction, "theta") is prediction["theta"]
    assert part(prediction, "normal.scale") is prediction["normal"].scale
    assert part(prediction["normal"], "mean") is prediction["normal"].location


def test_parts_that_are_not_there_are_refused():
    prediction, _ = batch()
    with pytest.raises(InputError, match=r"the model predicts mixture.*theta.*output="):
        part(prediction, None)
    with pytest.raises(InputError, match=r"the output 'skin' is asked for; there is .*theta"):
        part(prediction, "skin")
    with pytest.raises(InputError, match=r"'theta' is asked for; the model predicts one array"):
        part(prediction["theta"], "theta")
    with pytest.raises(InputError, match=r"predicts a Normal"):
        part(prediction, "normal.colour")
    with pytest.raises(InputError, match=r"predicts a Normal.*output='mean'"):
        array_of(prediction, "normal")
    with pytest.raises(InputError, match=r"\[window, time, ...\].*shape \(3,\)"):
        array_of(jnp.ones(3), None)


def test_shapes_that_do_not_match_are_refused():
    prediction, sample = batch()
    with pytest.raises(
        InputError, match=r"'theta' has shape \(3, 16\) and probes has \(3, 16, 3\)"
    ):
        counted(prediction, sample, "probes", "theta")
    short = replace(sample, weights=sample.weights | {"stations": np.ones((3, 4))})
    with pytest.raises(InputError, match=r"observations of shape \(3, 16\) and weights of .*4"):
        counted(prediction, short, "stations", "theta")
    with pytest.raises(InputError, match=r"weights 'probes' have shape.*\[window, time\]"):
        real(sample, "probes", (3, 16), float)
    with pytest.raises(InputError, match=r"what is real.*'where'.*there is probes, real"):
        real(sample, "where", (3, 16), float)


def test_what_is_filled_in_has_no_gradient():
    counts = jnp.array([[False, True], [False, False]])
    values = jnp.array([[jnp.nan, 2.0], [jnp.inf, 3.0]])
    np.testing.assert_array_equal(filled(values, counts), np.full((2, 2), 2.0))
    slope = jax.grad(lambda x: jnp.sum(filled(x, counts)))(values)
    np.testing.assert_array_equal(slope, [[0.0, 1.0], [0.0, 0.0]])
    assert filled({"text": "a", "number": 3}, counts) == {"text": "a", "number": 3}


def test_means_weigh():
    values, weight = jnp.array([1.0, 5.0, jnp.nan]), jnp.array([3.0, 1.0, 0.0])
    assert float(mean(values, weight)) == 2.0
    assert float(mean(values, 0.0 * weight)) == 0.0


def test_losses_map_over_members():
    given = [jax.tree.map(jnp.asarray, batch(seed)) for seed in (0, 1)]
    together = jax.tree.map(lambda *x: jnp.stack(x), *given)
    for name in ("nse", "drying as seen", "coherence", "suction"):
        both = quick(jax.vmap(lambda *one, name=name: LOSSES[name](*one)))(*together)
        alone = [value(name, *one) for one in given]
        np.testing.assert_allclose(both, alone, rtol=1e-12, err_msg=name)
