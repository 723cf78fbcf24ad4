"""HBV against the worked examples."""

import jax.numpy as jnp
import numpy as np

from diffhydro.core.precision import astype
from diffhydro.land.forcing import Forcing
from diffhydro.land.hbv import Capillary, Hbv, HbvState, NoCapillary
from diffhydro.land.routing import GammaHydrograph
from tests.examples import assert_agrees, examples

NAMES = {
    "BETA": "beta",
    "FC": "field_capacity",
    "K0": "k0",
    "K1": "k1",
    "K2": "k2",
    "LP": "dry_share",
    "PERC": "percolation",
    "UZL": "upper_threshold",
    "TT": "rain_above",
    "CFMAX": "degree_day",
    "CFR": "refreezing",
    "CWH": "holding",
    "BETAET": "gamma",
}
STORES = ("SNOWPACK", "MELTWATER", "SM", "SUZ", "SLZ")
FLOOR = 1e-5  # mm: water that the published floor under the soil store may make


@examples("hbv_step")
def test_hbv_step(example, expected, dtype):
    numbers = {NAMES[k]: v for k, v in example["parameters"].items() if k != "C"}
    start = HbvState(*(jnp.asarray(example["state"][k], dtype) for k in STORES), None)
    forcing = Forcing(
        *(jnp.asarray([example[k]], dtype) for k in ("P", "PET")),
        temperature=jnp.asarray([example["T"]], dtype),
    )
    total = sum(example["state"].values()) + example["P"] + 1.0
    variants = {
        "": NoCapillary(),
        "_with_capillary": Capillary(rate=example["parameters"]["C"]),
    }
    for suffix, capillary in variants.items():
        run = astype(Hbv(**numbers, capillary=capillary), dtype).run(forcing, start)
        stores, fluxes = expected[f"state{suffix}"], expected[f"fluxes{suffix}"]
        scale = total + FLOOR / 1e-6
        for found, wanted in zip(run.final[:5], stores, strict=True):
            assert_agrees(found, wanted, dtype, scale=scale)
        assert_agrees(run.fluxes.runoff[0], fluxes["Q"], dtype, scale=scale)
        assert_agrees(run.fluxes.evaporation[0], fluxes["ET"], dtype, scale=scale)
        assert_agrees(run.fluxes.melt[0], fluxes["melt"], dtype, scale=scale)


@examples("hbv_unit_hydrograph")
def test_unit_hydrograph(example, expected, dtype):
    shape = GammaHydrograph(example["a"], example["b"], length=example["length"])
    assert_agrees(astype(shape, dtype).weights(), expected["w"], dtype)


def test_routing_spreads_and_loses_nothing():
    """A pulse leaves by the weights, and what is under way is in the budget."""
    routing = GammaHydrograph(2.0, 3.0)
    weights, waiting = routing.weights(), routing.init(jnp.zeros(()))
    arrived = []
    for day in range(20):
        pulse = jnp.asarray(7.0 if day == 2 else 0.0)
        out, waiting = routing(waiting, pulse, weights)
        arrived.append(float(out))
    np.testing.assert_allclose(arrived[2:17], 7.0 * weights, rtol=1e-12)
    assert arrived[:2] == [0.0, 0.0]
    np.testing.assert_allclose(sum(arrived) + float(waiting.sum()), 7.0, rtol=1e-12)
