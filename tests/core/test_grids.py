"""Grids: what each constructor promises, and that soils change on faces only."""

import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.errors import InputError

SOON = 5.0  # s: a refusal that takes longer is a loop without an end
ROUNDING = 1e-12  # relative: sums of a few hundred thicknesses


@pytest.fixture
def alarm():
    def ring(*_):
        raise TimeoutError(f"no answer after {SOON} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SOON)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


def thickness(column: Column) -> np.ndarray:
    return np.asarray(column.thickness)


def horizon_feet(column: Column) -> list[float]:
    faces = np.asarray(column.faces)
    changes = [
        i + 1
        for i, (a, b) in enumerate(zip(column.horizon, column.horizon[1:], strict=False))
        if a != b
    ]
    return [float(faces[i]) for i in changes] + [float(faces[-1])]


@pytest.mark.parametrize("layers", [1, 2, 100])
def test_uniform_layers_are_equal_and_fill_the_depth(layers):
    column = Column.uniform(depth=1500.0, layers=layers)
    assert column.layers == layers
    np.testing.assert_allclose(thickness(column), 1500.0 / layers, rtol=ROUNDING)
    np.testing.assert_allclose(column.depth, 1500.0, rtol=ROUNDING)


@pytest.mark.parametrize(("layers", "top"), [(1, None), (2, 300.0), (20, 20.0), (50, None)])
def test_geometric_layers_grow_by_one_ratio(layers, top):
    column = Column.geometric(2000.0, layers, top=top)
    sizes = thickness(column)
    assert column.layers == layers
    np.testing.assert_allclose(sizes.sum(), 2000.0, rtol=ROUNDING)
    if layers > 1:
        np.testing.assert_allclose(sizes[0], top or 0.2 * 2000.0 / layers, rtol=1e-9)
        ratios = sizes[1:] / sizes[:-1]
        np.testing.assert_allclose(ratios, ratios[0], rtol=1e-9)
        assert ratios[0] > 1.0


def test_geometric_layers_may_thin_downward():
    sizes = thickness(Column.geometric(1000.0, 4, top=500.0))
    assert sizes[0] == pytest.approx(500.0, rel=1e-9)
    assert (np.diff(sizes) < 0).all()


@pytest.mark.parametrize(
    ("horizons", "refine_at"),
    [
        ((1000.0,), (0.0,)),
        ((1000.0,), (0.0, 1000.0)),
        ((300.0, 700.0, 2000.0), (0.0, 300.0, 700.0)),
        ((20.0, 2000.0), (0.0,)),
        ((1000.0,), ()),
        ((0.5, 1000.0), (0.0, 0.5)),
    ],
    ids=str,
)
def test_graded_layers_meet_every_horizon(horizons, refine_at):
    column = Column.graded(horizons, finest=1.0, ratio=1.1, coarsest=40.0, refine_at=refine_at)
    np.testing.assert_allclose(horizon_feet(column), horizons, rtol=ROUNDING)
    assert sorted(set(column.horizon)) == list(range(len(horizons)))
    sizes = thickness(column)
    assert (sizes > 0).all()
    # Fitting a horizon exactly stretches or shrinks its layers by less than half of one layer.
    assert sizes.max() <= 40.0 * 1.5


def test_graded_layers_are_finest_where_asked_and_grow_away():
    column = Column.graded([1000.0], finest=1.0, ratio=1.1, coarsest=60.0, refine_at=(0.0, 1000.0))
    sizes = thickness(column)
    assert sizes[0] == pytest.approx(1.0, rel=0.1)
    assert sizes[-1] == pytest.approx(1.0, rel=0.15)
    steps = sizes[1:] / sizes[:-1]
    assert steps.max() < 1.12
    assert steps.min() > 1 / 1.12


def test_faces_and_centres_belong_together():
    column = Column.graded([100.0, 400.0], finest=2.0)
    faces, centres = np.asarray(column.faces), np.asarray(column.centres)
    assert faces[0] == 0.0
    assert len(faces) == column.layers + 1
    np.testing.assert_allclose(centres, 0.5 * (faces[1:] + faces[:-1]), rtol=ROUNDING)
    np.testing.assert_allclose(np.diff(faces), column.thickness, rtol=1e-9)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_a_column_keeps_the_type_it_was_given(dtype):
    column = Column(jnp.ones(3, dtype), [0, 0, 1])
    assert column.faces.dtype == column.centres.dtype == column.depth.dtype == dtype


def test_a_column_goes_through_jit_and_vmap():
    columns = Column(jnp.asarray([[1.0, 2.0], [3.0, 4.0]])[0])
    assert jax.jit(lambda c: c.depth)(columns) == 3.0
    depth = jax.vmap(lambda t: Column(t).depth)(jnp.asarray([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(depth, [3.0, 7.0])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Column(np.asarray([])), "at least one layer"),
        (lambda: Column(np.asarray([[1.0]])), "shape"),
        (lambda: Column(np.asarray([1.0, 0.0])), "layer 1 has thickness 0"),
        (lambda: Column(np.asarray([1.0, -2.0, 3.0])), "layer 1 has thickness -2"),
        (lambda: Column(np.asarray([1.0, np.nan])), "layer 1"),
        (lambda: Column(jnp.asarray([1.0, -2.0])), "layer 1"),
        (lambda: Column([1.0, -2.0]), "layer 1"),
        (lambda: Column(np.asarray([1.0, 1.0]), [0]), "1 horizon numbers for 2 layers"),
        (lambda: Column(np.asarray([1.0, 1.0]), [1, 1]), "start at 0"),
        (lambda: Column(np.asarray([1.0, 1.0]), [0, 2]), "rise by 0 or 1"),
        (lambda: Column(np.asarray([1.0, 1.0]), [0, -1]), "rise by 0 or 1"),
        (lambda: Column.uniform(1000.0, 0), "at least 1, got 0"),
        (lambda: Column.uniform(-1000.0, 4), "-"),
        (lambda: Column.geometric(1000.0, 0), "at least 1, got 0"),
        (lambda: Column.geometric(1000.0, 4, top=1000.0), "top"),
        (lambda: Column.graded([], finest=1.0), "horizon"),
        (lambda: Column.graded([500.0, 400.0], finest=1.0), "must increase"),
        (lambda: Column.graded([0.0, 400.0], finest=1.0), "must increase"),
        (lambda: Column.graded([1000.0], finest=0.0), "finest"),
        (lambda: Column.graded([1000.0], finest=-1.0), "finest"),
        (lambda: Column.graded([np.nan], finest=1.0), "nan"),
    ],
    ids=[
        "empty", "matrix", "zero", "negative", "nan", "jax_negative", "list_negative", "count",
        "start", "jump", "fall", "no_layers", "negative_depth", "no_geometric_layers",
        "top_too_thick", "no_horizons", "unsorted", "zero_horizon", "no_finest", "negative_finest",
        "nan_horizon",
    ],
)  # fmt: skip
def test_what_cannot_be_a_grid_is_refused(make, says, alarm):
    with pytest.raises(InputError, match=says):
        make()
