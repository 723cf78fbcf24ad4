"""A calibration: its loss, its slopes both ways, its curvature, and what it refuses."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration import Calibration, Near, Target, Uniform
from diffhydro.errors import InputError
from diffhydro.land.hbv import Hbv
from diffhydro.training.likelihood import Gaussian
from diffhydro.training.losses import Huber, KlingGupta, NashSutcliffe
from tests.calibration.models import Line, Shares, by_hand, demand, gaps, runoff, twin, weather

SITE = jnp.asarray([2, 0, 2])
TRAIN = ("rain", "later", "errors.runoff.sigma", "idle", "errors.runoff.growth")


@eqx.filter_jit
def evaluated(problem, z, site):
    """Give loss, terms, gradient and normal equations in one program."""
    return (
        problem.loss(z, site),
        problem.terms(z, site),
        problem.gradient(z, site),
        problem.normal(z, site),
    )


loss_of = eqx.filter_jit(Calibration.loss)
normal_of = eqx.filter_jit(Calibration.normal)


@cache
def problem():
    """Two targets, one with a likelihood whose numbers are calibrated, weights, gaps, a prior."""
    forcing = weather(sites=3, days=25)
    seen = gaps(by_hand(forcing, 0.4, [0.2, 0.3, 0.5], (0.2, 0.1), 1.0))
    return Calibration(
        Shares(),
        forcing,
        [
            Target("runoff", runoff, seen, Gaussian(sigma=0.3, growth=0.1, memory=0.4)),
            Target("demand", demand, 0.8 * gaps(seen, seed=4), NashSutcliffe(), weight=3.0),
        ],
        TRAIN,
        own={"air": [0.2, 0.3, 0.4], "errors.runoff.sigma": [0.2, 0.3, 0.4], "idle": [2.5, 3, 4]},
        prior=Near([0.5, 1.0, 2.0, 1.0, 1.5, 1.0], strength=0.7),
        names=["brook", "creek", "river"],
    )


@cache
def found():
    z = jax.random.normal(jax.random.key(0), (3, len(problem().coordinates)))
    return z, evaluated(problem(), z, SITE)


@pytest.mark.slow
def test_the_loss_is_the_sum_of_its_terms():
    _, (loss, terms, _, _) = found()
    assert {*terms} == {"runoff", "demand", "prior"}
    np.testing.assert_allclose(sum(terms.values()), loss, rtol=1e-14)


@pytest.mark.slow
def test_terms_are_the_losses_of_the_simulated_series():
    z, (_, terms, _, _) = found()
    for lane, site in enumerate(SITE):
        model, losses = problem().model_at(z[lane], site), problem().losses_at(z[lane], site)
        run = model.run(jax.tree.map(lambda x, site=site: x[site], problem().forcing))
        for target, loss in zip(problem().targets, losses, strict=True):
            expected = target.weight * loss(target.observe(run), target.observed[site])
            np.testing.assert_allclose(terms[target.name][lane], expected, rtol=1e-12)


@pytest.mark.slow
def test_forward_and_reverse_mode_agree():
    _, (loss, _, (reverse_loss, reverse), normal) = found()
    np.testing.assert_array_equal(reverse_loss, loss)
    np.testing.assert_allclose(normal.loss, loss, rtol=1e-13)
    largest = np.abs(reverse).max()
    np.testing.assert_allclose(normal.gradient, reverse, rtol=1e-10, atol=1e-12 * largest)


@pytest.mark.slow
def test_slopes_agree_with_differences():
    z, (_, _, (_, slope), _) = found()
    step, size = 1e-5, z.shape[1]
    each = step * np.concatenate([np.eye(size), -np.eye(size)])
    moved, site = np.asarray(z)[0] + each, jnp.full(2 * size, SITE[0])
    up, down = np.split(np.asarray(loss_of(problem(), jnp.asarray(moved), site)), 2)
    differences = (up - down) / (2.0 * step)
    largest = np.abs(slope[0]).max()
    np.testing.assert_allclose(slope[0], differences, rtol=1e-5, atol=1e-8 * largest)


@pytest.mark.slow
def test_the_curvature_is_that_of_the_residuals_and_the_prior():
    z, (*_, normal) = found()

    def residuals(z, site):
        forcing = jax.tree.map(lambda x: x[site], problem().forcing)
        run = problem().model_at(z, site).run(forcing)
        losses = problem().losses_at(z, site)
        return jnp.concatenate(
            [
                t.weight**0.5 * loss.parts(t.observe(run), t.observed[site], jnp.ones(25)).residuals
                for t, loss in zip(problem().targets, losses, strict=True)
            ]
        )

    jacobian = jax.jit(jax.vmap(jax.jacfwd(residuals)))(z, SITE)
    expected = 2.0 * np.einsum("ltj,ltk->ljk", jacobian, jacobian)
    expected += np.diag(problem().prior.curvature(z[0], z[0]))
    np.testing.assert_allclose(normal.curvature, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("loss", [NashSutcliffe(), Gaussian(memory=0.5)])
def test_the_curvature_of_a_linear_model_is_its_hessian(loss):
    """With parameters that are their own free numbers, and a loss that is quadratic."""
    forcing = weather(sites=2, days=20)
    seen = gaps(by_hand(forcing, 0.4, 0.3))
    whole = Calibration(Line(), forcing, [Target("runoff", runoff, seen, loss)], ["air", "rain"])
    z, site = jnp.asarray([[0.3, 1.2], [-0.5, 0.4]]), jnp.asarray([0, 1])

    @jax.jit
    def both(z):
        hessian = jax.hessian(lambda z: jnp.sum(whole.loss(z, site)))(z)
        return whole.normal(z, site).curvature, jnp.stack([hessian[i, :, i] for i in range(2)])

    np.testing.assert_allclose(*both(z), rtol=1e-9)


@pytest.mark.exhaustive
def test_a_series_by_hand_is_what_the_model_gives():
    forcing = weather()
    z = twin().coordinates.free({"rain": 0.3, "air": 0.7})[None]
    series = twin().simulate(z, jnp.asarray([1]))[0]
    expected = by_hand(forcing, 0.3, 0.7, (0.2, 0.1), 1.0)[1]
    np.testing.assert_allclose(series[0], expected, rtol=1e-12)


def test_before_is_the_models_or_the_sites_own():
    before = problem().coordinates.table(np.asarray(problem().before()))
    names = problem().coordinates.names
    sigma, idle = names.index("errors.runoff.sigma"), names.index("idle")
    np.testing.assert_allclose(before[:, sigma], [0.2, 0.3, 0.4], rtol=1e-12)
    np.testing.assert_allclose(before[:, idle], [2.5, 3.0, 4.0], rtol=1e-12)
    np.testing.assert_allclose(before[:, 0], 0.5, rtol=1e-12)


@pytest.mark.slow
def test_some_sites_are_what_they_are_among_all():
    z, (loss, *_) = found()
    some = problem().of_sites([2, 0])
    assert some.names == ("river", "brook")
    assert some.coordinates == problem().coordinates
    here = jnp.asarray([0, 1, 0])
    np.testing.assert_allclose(loss_of(some, z, here), loss, rtol=1e-12)


def test_weather_in_numpy_will_do():
    one = twin()
    numpy = jax.tree.map(np.asarray, one.forcing)
    other = Calibration(one.model, numpy, one.targets, ["rain"])
    z, site = jnp.zeros((1, 1)), jnp.asarray([1])
    again = Calibration(one.model, one.forcing, one.targets, ["rain"])
    np.testing.assert_array_equal(loss_of(other, z, site), loss_of(again, z, site))


@pytest.mark.slow
def test_single_precision_stays_single():
    """Whatever the type that numbers of a loss, a prior or observations came in."""
    forcing = weather(dtype=np.float32)
    seen = by_hand(forcing, 0.4, 0.3)
    targets = [
        Target("huber", runoff, seen, Huber()),
        Target("likelihood", runoff, seen, Gaussian(sigma=np.float32(0.3))),
    ]
    model = jax.tree.map(lambda x: x.astype(jnp.float32), Shares())
    train = ["rain", "errors.likelihood.sigma"]
    small = Calibration(model, forcing, targets, train, prior=Uniform())
    z = small.before()
    assert z.dtype == jnp.float32
    found = normal_of(small, z, jnp.arange(3))
    assert {x.dtype for x in found} == {np.dtype(np.float32)}


def refused(match, **changed):
    forcing = weather()
    seen = by_hand(forcing, 0.4, 0.3)
    given = {
        "model": Shares(),
        "forcing": forcing,
        "targets": [Target("runoff", runoff, seen)],
        "train": "rain",
    }
    with pytest.raises(InputError, match=match):
        Calibration(**(given | changed))


SEEN = by_hand(weather(), 0.4, 0.3)
ONE_SITE = jax.tree.map(lambda x: x[0], weather())
COLD = eqx.tree_at(lambda f: f.temperature, weather(), None)


@pytest.mark.parametrize(
    ("match", "changed"),
    [
        (r"takes weather \[site, time\], got shape \(40,\)", {"forcing": ONE_SITE}),
        (
            r"observed at \[site, time\] \(3, 39\), the weather is \(3, 40\)",
            {"targets": [Target("runoff", runoff, SEEN[:, 1:])]},
        ),
        ("targets need names", {"targets": []}),
        ("each its own", {"targets": [Target("runoff", runoff, SEEN)] * 2}),
        ("without a dot", {"targets": [Target("run.off", runoff, SEEN)]}),
        ("runoff weighs -1", {"targets": [Target("runoff", runoff, SEEN, weight=-1.0)]}),
        ("2 names for 3 sites", {"names": ["a", "b"]}),
        (r"air has shape \(2,\); expected 3 sites first", {"own": {"air": [0.1, 0.2]}}),
        ("'iar'; did you mean air", {"own": {"iar": [0.1, 0.2, 0.3]}}),
        (r"rain\[1\] = 1.5 is outside \[0, 1\]", {"own": {"rain": [0.5, 1.5, 0.5]}}),
        ("did you mean rain", {"train": "rian"}),
        ("Hbv needs temperature", {"model": Hbv(), "forcing": COLD}),
    ],
)
def test_what_does_not_fit_is_refused_in_words(match, changed):
    refused(match, **changed)


def test_a_free_number_beyond_the_edge_is_refused():
    """A search would move it there without a word."""
    refused("starts at a free number of 12", model=Line(rain=12.0))


def test_losses_without_residuals_have_no_normal_equations():
    blind = [Target("runoff", runoff, SEEN, KlingGupta())]
    whole = Calibration(Shares(), weather(), blind, "rain")
    z, site = whole.before()[:1], jnp.asarray([0])
    with pytest.raises(InputError, match="loss of runoff, KlingGupta, has no residuals"):
        normal_of(whole, z, site)
    assert np.isfinite(loss_of(whole, z, site)).all()


def test_a_target_may_weigh_nothing():
    none = [Target("runoff", runoff, SEEN), Target("same", runoff, SEEN, weight=0.0)]
    whole = Calibration(Shares(), weather(), none, "rain")
    terms = eqx.filter_jit(Calibration.terms)(whole, whole.before(), jnp.arange(3))
    assert (terms["same"] == 0.0).all()
    assert (terms["runoff"] > 0.0).all()
