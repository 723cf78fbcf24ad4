"""The peer of the speed benchmark solves the same equations by the same scheme."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("numba", reason="numba comes with the `bench` extra: pip install -e '.[bench]'")

from benchmarks.columns import random_batch, simulate
from benchmarks.forward import POLICY, scalar_run


@pytest.mark.slow
def test_scalar_program_agrees_with_the_fixed_mode():
    batch = random_batch(columns=12, days=20, nodes=20, dtype=jnp.float64)
    ours = np.asarray(jax.jit(lambda b: simulate(b, POLICY).stored)(batch))
    theirs = scalar_run(np.float64, batch)
    assert ours.dtype == theirs.dtype == np.float64
    np.testing.assert_allclose(theirs, ours, rtol=1e-9)
