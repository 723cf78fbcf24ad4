"""A tally keeps what its dtype drops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.tally import Tally


def test_a_million_small_amounts_arrive():
    """One by one into a bare float32 they would all be lost: 1e-8 is below half its last digit."""

    def total(amount):
        def add(_, tally):
            return tally.plus(amount)

        return jax.lax.fori_loop(0, 1_000_000, add, Tally.of(jnp.ones((), jnp.float32)))

    tally = jax.jit(total)(jnp.asarray(1e-8, jnp.float32))
    assert float(tally.value) == pytest.approx(1.01, rel=1e-6)
    bare = np.float32(1.0)
    for _ in range(100):
        bare += np.float32(1e-8)
    assert bare == np.float32(1.0)


def test_value_and_crumbs_together_are_exact():
    """As long as an amount and the crumbs fit into one number together; with either sign."""
    amounts = [1.0, 2.0**-30, -(2.0**-35), 2.0**-26, 2.0**-40]
    tally = Tally.of(jnp.zeros((), jnp.float32))
    for amount in amounts:
        tally = tally.plus(jnp.asarray(amount, jnp.float32))
    assert float(tally.value) + float(tally.crumbs) == sum(amounts)


def test_time_to_go_ends_at_zero():
    left = Tally.of(jnp.ones((), jnp.float32))
    for step in [2.0**-40, 2.0**-38, 2.0**-20, 0.5, 0.25]:
        left = left.plus(jnp.asarray(-step, jnp.float32))
    while float(left.value) > 0:
        left = left.plus(-left.value)
    assert abs(float(left.value)) < 1e-12
