"""Numerics that know no water: parameters, training, solvers, time, ensembles.

The smooth limiters have the names of their hard forms, so they are used as `smooth.maximum`; the
tridiagonal system likewise as `tridiagonal.solve`.
"""

from diffhydro.core import smooth, tridiagonal
from diffhydro.core.bijections import LINEAR, LOG, AbstractScale, Linear, Log, log_above
from diffhydro.core.ensembles import (
    MAP,
    VMAP,
    AbstractMap,
    Map,
    Vmap,
    ensemble,
    member,
    members,
    over_members,
    size,
    stack,
)
from diffhydro.core.grids import Column
from diffhydro.core.parameters import (
    ParameterSpec,
    WeightsSpec,
    check_bounds,
    parameter,
    parameter_table,
    specs,
    values,
    weights,
)
from diffhydro.core.precision import astype, dtype_of, tolerance
from diffhydro.core.roots import Root, root
from diffhydro.core.timeloop import (
    NESTED,
    PLAIN,
    REMAT,
    SOLVED,
    AbstractMemory,
    Nested,
    Plain,
    Remat,
    timeloop,
)
from diffhydro.core.trainable import Free, Frozen, merge, split

__all__ = [
    "LINEAR",
    "LOG",
    "MAP",
    "NESTED",
    "PLAIN",
    "REMAT",
    "SOLVED",
    "VMAP",
    "AbstractMap",
    "AbstractMemory",
    "AbstractScale",
    "Column",
    "Free",
    "Frozen",
    "Linear",
    "Log",
    "Map",
    "Nested",
    "ParameterSpec",
    "Plain",
    "Remat",
    "Root",
    "Vmap",
    "WeightsSpec",
    "astype",
    "check_bounds",
    "dtype_of",
    "ensemble",
    "log_above",
    "member",
    "members",
    "merge",
    "over_members",
    "parameter",
    "parameter_table",
    "root",
    "size",
    "smooth",
    "specs",
    "split",
    "stack",
    "timeloop",
    "tolerance",
    "tridiagonal",
    "values",
    "weights",
]
