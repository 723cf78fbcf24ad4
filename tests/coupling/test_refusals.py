"""Heads and physics that do not fit are refused before anything is compiled."""

import jax.numpy as jnp
import pytest

from diffhydro.core.trainable import split
from diffhydro.coupling import (
    Coupled,
    DynamicParameters,
    Features,
    FluxClosure,
    Inputs,
    Observed,
    OutputCorrection,
    PhysicsGuided,
    Sequence,
    StaticParameters,
    TileParameters,
)
from diffhydro.errors import InputError
from diffhydro.land.hbv import Hbv
from tests.coupling.cases import (
    Branches,
    days,
    dynamic,
    guided,
    inputs,
    mlp,
    place,
    static,
    tile,
    wbm,
)

K_SAT = ("upland.soil.k_sat",)
CASES = {
    "a name that is not there": (
        lambda: StaticParameters(wbm(), mlp(2, 1), place(), ("upland.soil.ksat",)),
        r"learns 'upland.soil.ksat'. nothing is called .* did you mean upland.soil.k_sat",
    ),
    "a word for a list": (
        lambda: StaticParameters(wbm(), mlp(2, 1), place(), "upland.soil.k_sat").learned,
        "learns 'u'",
    ),
    "nothing to learn": (
        lambda: StaticParameters(wbm(), mlp(2, 1), place(), ()),
        "learns nothing; name parameters, such as",
    ),
    "too many outputs": (
        lambda: StaticParameters(wbm(), mlp(2, 3), place(), K_SAT),
        r"makes \(3,\) of \(2,\), expected \(1,\): one for each of upland.soil.k_sat",
    ),
    "too few features": (
        lambda: StaticParameters(wbm(), mlp(5, 1), place(), K_SAT),
        "head of StaticParameters .*2",
    ),
    "a module that is no head": (
        lambda: StaticParameters(wbm(), Branches(), place(), K_SAT),
        r"is a Branches; wrap a Flax module with FlaxHead.create",
    ),
    "no physics": (
        lambda: StaticParameters(inputs(), mlp(2, 1), place(), K_SAT),
        "to a land model or a hybrid, got Inputs",
    ),
    "two owners": (
        lambda: DynamicParameters(static(), mlp(3, 1), days(), ("physics.soil.k_sat",)),
        r"both .* learn .*k_sat, and a parameter has one owner",
    ),
    "two owners, trained": (
        lambda: split(Observed(static()), train="physics.physics.soil.k_sat"),
        "learns it, and a parameter has one owner",
    ),
    "a head of a head": (
        lambda: StaticParameters(dynamic(), mlp(2, 1), place(), ("head.params",)),
        "nothing is called 'head.params'",
    ),
    "an attribute that is not there": (
        lambda: (
            static()(Inputs(inputs().series, {"sand": jnp.ones(3)}))
            if callable(static())
            else static().simulate(Inputs(inputs().series, {"sand": jnp.ones(3)}))
        ),
        "reads the attribute 'clay'; there is sand",
    ),
    "a series that is not there": (
        lambda: dynamic().simulate(
            Inputs({"precipitation": jnp.ones((3, 9))}, inputs().attributes)
        ),
        "reads the series 'temperature'; there is precipitation",
    ),
    "a scaling of other names": (
        lambda: Features(("wind",), scaling=place().scaling),
        "the scaling does not know wind",
    ),
    "features of nothing": (Features, "a head reads nothing"),
    "a name twice": (lambda: Features(("wind", "wind")), "reads a name twice"),
    "physics without rain": (
        lambda: Inputs({"temperature": jnp.ones(3)}).forcing(),
        "physics needs precipitation; the series are temperature",
    ),
    "a closure outside": (
        lambda: FluxClosure(static(), mlp(7, 2)),
        "acts inside the step of a land model, got StaticParameters",
    ),
    "a closure without layers": (
        lambda: FluxClosure(Hbv(), mlp(7, 2)),
        "no soil layers, which the closure reads",
    ),
    "a bypass of more than all": (
        lambda: FluxClosure(wbm(), mlp(7, 2), most=1.5),
        "most is 1.5; it is a share",
    ),
    "scales of other series": (
        lambda: FluxClosure(wbm(), mlp(8, 2), series=("precipitation", "temperature")),
        "2 series and 1 scales",
    ),
    "a flux that is not one": (
        lambda: Coupled(physics=wbm(), names=("infiltrations",)),
        "a physics has no flux infiltrations; it has precipitation",
    ),
    "a window of nothing": (
        lambda: PhysicsGuided(
            fluxes=Coupled(physics=wbm()),
            head=guided(Coupled(physics=wbm())).head,
            today=days(),
            length=0,
        ),
        "looks back 0 times",
    ),
    "a window of another length": (
        lambda: PhysicsGuided(
            fluxes=Coupled(physics=wbm()),
            head=guided(Coupled(physics=wbm())).head,
            today=days(),
            length=9,
        ),
        r"head of PhysicsGuided .*\(9, 4\)",
    ),
    "a correction of physics unseen": (
        lambda: OutputCorrection(wbm(), mlp(4, 1), days()),
        "corrects an Observed physics, got WaterBalance",
    ),
    "a sequence of two numbers": (
        lambda: Sequence(mlp(3, 2), days()),
        r"makes \(4, 2\) of \(4, 3\), expected \(4, 1\)",
    ),
    "maps of another size": (
        lambda: tile(4)(
            Inputs({"precipitation": jnp.ones(3)}, {n: jnp.ones((2, 2)) for n in ("sand", "clay")})
        ),
        r"the maps are \(2, 2\); TileParameters was made for tiles of 4 × 4",
    ),
    "a tile of another head": (
        lambda: TileParameters(wbm(), mlp(2, 2), place(), K_SAT, side=2),
        r"expected \(2, 2, 1\): one map for each",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_does_not_fit_is_refused_by_name(case):
    wrong, says = CASES[case]
    with pytest.raises(InputError, match=says):
        wrong()
