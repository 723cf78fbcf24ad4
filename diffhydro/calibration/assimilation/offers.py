"""Which parts of its state a model offers to an analysis, and the bounds of each.

| model | path | bounds |
| --- | --- | --- |
| `Upland`, `Fallow` | `theta` | θ_min (0.01) … θ_s of the layer |
| `Wetland` | `stored` | water table at z_b … full and standing |
| `SoilColumn` | `psi` | none: any head is physical |
| `Land`, `WaterBalance` | `snow`, and those of the ground behind `ground.` | 0 … |
| `Hbv` | `snow`, `liquid`, `soil`, `upper`, `lower`, `routing` | 0 …, `soil` up to field capacity |

A model of your own offers nothing of itself: name an array with `Amounts`.
"""

from collections.abc import Iterator

from diffhydro.calibration.assimilation.part import AbstractPart, Amounts, Heads, nearest
from diffhydro.errors import InputError
from diffhydro.land.fallow import Fallow
from diffhydro.land.hbv import LEAST_SOIL_WATER, Hbv
from diffhydro.land.land import Land
from diffhydro.land.model import AbstractModel
from diffhydro.land.soil_column import SoilColumn
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import Either, WaterBalance
from diffhydro.land.wetland import Wetland
from diffhydro.soil.redistribution import THETA_MIN

BEND = 0.02  # of the range between two bounds: how near one of them a step begins to shrink
STORE_BEND = 1.0  # mm: the same for stores that have a floor only


def offers(model: AbstractModel) -> dict[str, AbstractPart]:
    """Return what a model offers, by path.

    >>> list(offers(Hbv()))
    ['snow', 'liquid', 'soil', 'upper', 'lower']
    """
    return {part.path: part for part in _offered(model, "")}


def resolve(part: str | AbstractPart, model: AbstractModel) -> AbstractPart:
    """Return the part that a name stands for; what is a part already is taken as it is."""
    if isinstance(part, AbstractPart):
        return part
    known = offers(model)
    if part in known:
        return known[part]
    kind = type(model).__name__
    if not known:
        raise InputError(f"{kind} offers no parts of its state; give Amounts({part!r}, lower=…)")
    raise InputError(f"{kind} offers no {nearest(part, known)} Any other array: Amounts(path)")


def _offered(model: AbstractModel, above: str) -> Iterator[AbstractPart]:
    if isinstance(model, WaterBalance):
        yield from _offered(model.land, above)
    elif isinstance(model, Land):
        yield Amounts(f"{above}snow", lower=0.0, width=STORE_BEND)
        yield from _offered(model.ground, f"{above}ground.")
    elif isinstance(model, Either):
        yield from _offered(model.upland, f"{above}upland.")
        yield from _offered(model.wetland, f"{above}wetland.")
    elif isinstance(model, Upland | Fallow):
        yield _contents(model, above)
    elif isinstance(model, Wetland):
        least, most = model.peat.least, model.peat.full + model.standing
        yield Amounts(f"{above}stored", least, most, BEND * (most - least))
    elif isinstance(model, SoilColumn):
        yield Heads(f"{above}psi", model)
    elif isinstance(model, Hbv):
        yield from _buckets(model, above)


def _contents(model: Upland | Fallow, above: str) -> Amounts:
    most = model.prepare().soil.theta_s
    width = BEND * (most - THETA_MIN)
    return Amounts(f"{above}theta", THETA_MIN, most, width, model.grid.centres)


def _buckets(model: Hbv, above: str) -> Iterator[Amounts]:
    most = model.field_capacity
    for name in ("snow", "liquid", "soil", "upper", "lower"):
        if name == "soil":
            yield Amounts(f"{above}soil", LEAST_SOIL_WATER, most, BEND * most)
        else:
            yield Amounts(f"{above}{name}", lower=0.0, width=STORE_BEND)
    if model.init_state().routing is not None:
        yield Amounts(f"{above}routing", lower=0.0, width=STORE_BEND)
