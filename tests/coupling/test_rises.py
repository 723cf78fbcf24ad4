"""Where soil moisture may rise: nowhere without water, everywhere else as the network says."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.coupling import Coupled, Fed, WithWater, feed, roll_out
from diffhydro.errors import InputError
from tests.coupling.cases import LAG, guided, inputs, layers, shouting

TRACE = 0.05


def ruled(model, days=2):
    return dataclasses.replace(model, rises=WithWater(days=days, trace=TRACE))


def free_run(model):
    given = inputs()
    start = given.series["soil_moisture"][..., :LAG]
    return np.asarray(roll_out(model, given, start)), np.asarray(start[..., -1:])


@pytest.mark.parametrize("days", [1, 2])
def test_a_free_run_rises_only_where_physics_let_water_in(days):
    wild = shouting(guided(Coupled(physics=layers())), 3.0)
    rain = np.asarray(feed(layers(), inputs()).series["inflow"])[..., LAG - 1 :] > TRACE
    before = np.asarray(feed(layers(), inputs()).series["inflow"])[..., LAG - 2 : -1] > TRACE
    came = rain | before if days == 2 else rain
    for model, is_ruled in ((wild, False), (ruled(wild, days), True)):
        said, last = free_run(model)
        rises = np.diff(np.concatenate([last, said], axis=-1), axis=-1) > 0
        assert (rises & ~came).any() == (not is_ruled)
        assert (rises & came).any()


def test_where_it_does_not_bind_nothing_changes():
    model = shouting(guided(Coupled(physics=layers())), 0.0)
    before, after = free_run(model)[0], free_run(ruled(model))[0]
    assert before.shape == after.shape
    assert (after <= before + 1e-12).all()


def test_fluxes_without_inflow_first_are_refused():
    with pytest.raises(InputError, match=r"inflow.*first flux; the fluxes are evaporation"):
        dataclasses.replace(
            guided(Fed()), rises=WithWater(), fluxes=Fed(("evaporation", "inflow", "runoff"))
        )
    with pytest.raises(InputError, match="days is 0"):
        WithWater(days=0)
    for trace in (-0.1, float("nan")):
        with pytest.raises(InputError, match="expected 1 or more, and 0 or more"):
            WithWater(trace=trace)


def test_the_rule_looks_at_so_many_days():
    fluxes = jnp.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    said, before = jnp.full(4, 0.3), jnp.full(4, 0.2)
    bound = {1: [1, 1, 0, 1], 2: [1, 0, 0, 1], 3: [0, 0, 0, 1]}
    for days, expected in bound.items():
        found = WithWater(days=days).allowed(said, before, fluxes)
        np.testing.assert_array_equal(np.asarray(found) < 0.25, np.array(expected, bool))
