import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.errors import InputError
from diffhydro.land.observe import layer_mean, probe, root_zone, skin
from diffhydro.land.trajectory import Fluxes, Profile, Trajectory

GRID = Column([20.0, 40.0, 100.0, 240.0])
CENTRES = np.asarray([10.0, 40.0, 110.0, 280.0])
FACES = np.asarray([0.0, 20.0, 60.0, 160.0, 400.0])


def _seen(theta, grid=GRID, share=None):
    none = jnp.zeros(np.shape(theta)[:-1])
    profile = Profile(grid, jnp.asarray(theta), share)
    return Trajectory(Fluxes(*[none] * 6), None, None, None, profile, {}, {})


LINE = _seen([0.1 + 1e-3 * CENTRES, 0.2 + 5e-4 * CENTRES])


@pytest.mark.parametrize("depth", [10.0, 25.0, 40.0, 200.0, 280.0])
def test_a_probe_is_exact_for_a_line(depth):
    np.testing.assert_allclose(probe(LINE, depth), [0.1 + 1e-3 * depth, 0.2 + 5e-4 * depth])


@pytest.mark.parametrize(("depth", "like"), [(0.0, 10.0), (400.0, 280.0)])
def test_a_probe_is_constant_beyond_the_centres(depth, like):
    np.testing.assert_array_equal(probe(LINE, depth), probe(LINE, like))


def test_a_probe_in_one_layer_reads_that_layer():
    run = _seen([[0.3]], Column([50.0]))
    np.testing.assert_array_equal(probe(run, 7.0), [0.3])


@pytest.mark.parametrize(("top", "bottom"), [(0.0, 400.0), (20.0, 60.0), (30.0, 55.0), (5, 300)])
def test_a_mean_is_exact_over_parts_of_layers(top, bottom):
    theta = np.asarray([0.1, 0.2, 0.3, 0.4])
    fine = np.linspace(top, bottom, 100_001)
    middles = 0.5 * (fine[1:] + fine[:-1])
    exact = theta[np.searchsorted(FACES, middles) - 1].mean()
    np.testing.assert_allclose(layer_mean(_seen([theta]), top, bottom), [exact], rtol=1e-5)


def test_skin_is_the_mean_of_the_top():
    np.testing.assert_array_equal(skin(LINE), layer_mean(LINE, 0.0, 50.0))
    theta = [[0.1, 0.2, 0.3, 0.4]]
    np.testing.assert_allclose(skin(_seen(theta), 30.0), [(20 * 0.1 + 10 * 0.2) / 30])


def test_skin_weights_by_penetration():
    theta = np.asarray([0.1, 0.2, 0.3, 0.4])
    z = np.linspace(0.0, 150.0, 150_001)
    z = 0.5 * (z[1:] + z[:-1])
    weights = np.exp(-z / 30.0)
    exact = np.sum(weights * theta[np.searchsorted(FACES, z) - 1]) / weights.sum()
    np.testing.assert_allclose(skin(_seen([theta]), 150.0, 30.0), [exact], rtol=1e-5)
    np.testing.assert_allclose(skin(_seen([theta]), 150.0, 1e9), skin(_seen([theta]), 150.0))


def test_every_instrument_reads_a_constant_as_it_is():
    run = _seen(np.full((2, 4), 0.25), share=jnp.asarray([0.5, 0.2, 0.1, 0.0]))
    for seen in (probe(run, 33.0), skin(run), skin(run, 60.0, 10.0), root_zone(run)):
        np.testing.assert_allclose(seen, [0.25, 0.25], rtol=1e-14)


def test_the_root_zone_is_weighted_by_roots_or_down_to_a_depth():
    theta = np.asarray([[0.1, 0.2, 0.3, 0.4]])
    run = _seen(theta, share=jnp.asarray([0.5, 0.25, 0.0, 0.0]))
    np.testing.assert_allclose(root_zone(run), [(0.5 * 0.1 + 0.25 * 0.2) / 0.75])
    np.testing.assert_array_equal(root_zone(run, 160.0), layer_mean(run, 0.0, 160.0))


def test_sites_and_members_are_leading_axes():
    one = _seen([[0.1, 0.2, 0.3, 0.4]], share=jnp.asarray([0.4, 0.3, 0.2, 0.1]))
    many = jax.tree.map(lambda x: jnp.broadcast_to(x, (2, 3, *x.shape)), one)
    for instrument in (lambda r: probe(r, 50.0), skin, root_zone):
        np.testing.assert_array_equal(
            instrument(many), jnp.broadcast_to(instrument(one), (2, 3, 1))
        )


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_run_is_seen_through_its_water_contents(course, column):
    np.testing.assert_allclose(probe(course, 10.0), course.theta[:, 0], rtol=1e-14)
    stored = jnp.sum(course.states.stored, axis=-1)
    pressed = jnp.where(course.states.psi > 0, course.states.psi, 0.0) * 1e-5
    volume = column.prepare().mesh.volume
    seen = layer_mean(course, 0.0, 1000.0) * 1000.0
    np.testing.assert_allclose(seen, stored - jnp.sum(pressed * volume[None], axis=-1), rtol=1e-12)


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda r: probe(r, 401.0), "depth is 401.0 mm; it must lie in the column, 0 to 400"),
        (lambda r: probe(r, -1.0), "depth is -1.0 mm"),
        (lambda r: skin(r, 500.0, 30.0), "depth is 500.0 mm"),
        (lambda r: skin(r, 50.0, 0.0), "must be > 0"),
        (lambda r: layer_mean(r, 50.0, 50.0), "must lie below top"),
        (lambda r: layer_mean(r, 50.0, 500.0), "bottom is 500"),
        (lambda r: layer_mean(r, float("nan"), 50.0), "top is nan"),
        (root_zone, "no roots to weight by"),
    ],
)
def test_what_cannot_be_seen_is_refused(look, message):
    with pytest.raises(InputError, match=message):
        look(LINE)


def test_models_without_layers_have_no_depth():
    bucket = eqx.tree_at(lambda r: r.profile, LINE, None)
    with pytest.raises(InputError, match="no soil layers"):
        probe(bucket, 10.0)
