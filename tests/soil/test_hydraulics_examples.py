"""Worked examples, computed by an independent program in double precision (cm, day or mm, s)."""

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.soil.hydraulics import ClappHornberger, VanGenuchten
from tests.examples import PROCESSES

TOLERANCE = {jnp.float32: 1e-4, jnp.float64: 1e-6}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=["float32", "float64"])


def columns(process, part):
    """One array per quantity over all examples of a process."""
    rows = [example[part] for example in PROCESSES[process]]
    named = [key for key in rows[0] if not isinstance(rows[0][key], str) and key != "vertices"]
    return {key: np.array([row[key] for row in rows]) for key in named}


def van_genuchten(given, dtype):
    k_sat = given.get("K_s_cm_d", np.ones_like(given["n"]))
    fields = (given["theta_r"], given["theta_s"], given["alpha_per_cm"] / 10, given["n"])
    return VanGenuchten(*(jnp.asarray(x, dtype) for x in (*fields, 10 * k_sat, 0 * k_sat + 0.5)))


@DTYPES
def test_van_genuchten(dtype):
    given, expected = columns("van_genuchten", "inputs"), columns("van_genuchten", "outputs")
    curves = van_genuchten(given, dtype).curves(jnp.asarray(-10.0 * given["h_cm"], dtype))
    assert curves.theta.dtype == dtype
    np.testing.assert_allclose(curves.theta, expected["theta"], rtol=TOLERANCE[dtype])
    # The examples evaluate 1 − (1 − x)^m by subtraction, which leaves eps/x of it: 1e-4 at the
    # driest sand, where 60-digit arithmetic gives 7.76184539e-26 cm/d and not their 7.7608e-26.
    x = expected["S_e"] ** (given["n"] / (given["n"] - 1))
    tolerance = TOLERANCE[dtype] + 2 * jnp.finfo(jnp.float64).eps / x
    error = np.abs(np.asarray(curves.conductivity, np.float64) / (10 * expected["K_cm_d"]) - 1)
    assert (error < tolerance).all()
    np.testing.assert_allclose(curves.conductivity[4], 7.76184539e-25, rtol=TOLERANCE[dtype])


@DTYPES
def test_van_genuchten_inverse(dtype):
    """The examples keep θ inside its limits by a margin; the inverse itself needs none."""
    given = columns("van_genuchten_inverse", "inputs")
    expected = 10.0 * columns("van_genuchten_inverse", "outputs")["psi_cm"]
    soil = van_genuchten(given, dtype)
    margin = given["epsilon"]
    theta = np.clip(given["theta"], given["theta_r"] + margin, given["theta_s"] - margin)
    found = -soil.psi(jnp.asarray(theta, dtype))
    assert found.dtype == dtype
    # Next to a limit the margin itself is known to 4 eps only: θ, θ_r and θ_s were all rounded.
    distance = np.minimum(theta - given["theta_r"], given["theta_s"] - theta)
    rounded = 2 * jnp.finfo(dtype).eps * given["theta_s"] / distance / (given["n"] - 1)
    is_capped = expected == 10.0 * given["psi_cap_cm"]
    tolerance = TOLERANCE[dtype] + np.where(is_capped, 0.0, rounded)
    assert (np.abs(np.asarray(found, np.float64) / expected - 1) < tolerance).all()


@DTYPES
def test_clapp_hornberger(dtype):
    given, expected = columns("clapp_hornberger", "inputs"), columns("clapp_hornberger", "outputs")
    per_day = 86400.0
    fields = ("theta_sat", given["k_sat_mm_s"] * per_day, "psi_sat_mm", "b")
    soil = ClappHornberger(
        *(jnp.asarray(given[x] if isinstance(x, str) else x, dtype) for x in fields)
    )
    rtol = TOLERANCE[dtype]
    theta = jnp.asarray(given["theta"], dtype)
    np.testing.assert_allclose(soil.psi(theta), expected["psi_mm"], rtol=rtol)
    # K has its own limit, apart from that of ψ(θ): reach it with the unlimited head.
    head = given["psi_sat_mm"] * (given["theta"] / given["theta_sat"]) ** -given["b"]
    np.testing.assert_allclose(
        soil.conductivity(jnp.asarray(head, dtype)) / per_day, expected["K_mm_s"], rtol=rtol
    )
    kilopascal = -102.0  # mm of water, as rounded in the examples
    for name, pressure in (("theta_33kPa", 33), ("theta_1500kPa", 1500)):
        psi = jnp.full_like(theta, pressure * kilopascal)
        np.testing.assert_allclose(soil.theta(psi), expected[name], rtol=rtol)
