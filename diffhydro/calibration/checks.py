"""What a calibration refuses, in words, before anything is compiled."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diffhydro.calibration.coordinates import EDGE, Coordinates
from diffhydro.core.bijections import interval
from diffhydro.core.parameters import children, out_of_bounds
from diffhydro.core.trainable import unknown
from diffhydro.errors import InputError
from diffhydro.typing import Array, PyTree


def check_targets(shape: tuple[int, ...], targets: Sequence[Any], names: Sequence[str]) -> None:
    """Refuse series that are not on the sites and days of the weather.

    Args:
        shape: Of the weather.
        names: Of the sites.
    """
    if len(shape) != 2:
        raise InputError(f"a calibration takes weather [site, time], got shape {shape}")
    called = [target.name for target in targets]
    if not called or len({*called}) < len(called) or any("." in name for name in called):
        raise InputError(f"targets need names, each its own and without a dot; got {called}")
    for target in targets:
        if target.observed.shape != shape:
            raise InputError(
                f"{target.name} was observed at [site, time] {target.observed.shape}, the "
                f"weather is {shape}; put both on the same sites and days"
            )
        if not 0 <= target.weight < math.inf:
            raise InputError(f"{target.name} weighs {target.weight}; expected 0 or more")
    if len(names) != shape[0]:
        raise InputError(f"{len(names)} names for {shape[0]} sites")


def check_own(
    own: Mapping[str, Array], sites: int, trees: Sequence[PyTree], declared: Mapping[str, Any]
) -> None:
    """Refuse numbers by site that have no sites, or that nothing is called by."""
    for path, x in own.items():
        if x.shape[:1] != (sites,):
            raise InputError(f"{path} has shape {x.shape}; expected {sites} sites first")
        if not any(_has(tree, path) for tree in trees):
            raise InputError(f"of what differs between sites, {unknown(path, declared)}")


def check_starts(
    coordinates: Coordinates, own: Mapping[str, Array], shared: Mapping[str, Array]
) -> None:
    """Refuse values that a search would quietly move: outside their bounds, or too far out.

    What is no number is a matter of its site, which will be named as not fitted.
    """
    for path, spec in zip(coordinates.paths, coordinates.declared, strict=True):
        found = np.asarray(own.get(path, shared[path]))
        found = found[np.isfinite(found)]
        if problem := out_of_bounds(path, spec, found):
            raise InputError(problem)
        far = np.abs(np.asarray(spec.free(found))).max(initial=0.0)
        if not np.isfinite(interval(spec.bounds)).all() and far > EDGE:
            raise InputError(
                f"{path} starts at a free number of {far:.3g}, and no search goes beyond {EDGE:g}; "
                f"its bounds are {spec.interval}: declare two, or another unit"
            )


def _has(tree: PyTree, path: str) -> bool:
    for key in path.split("."):
        parts = dict(children(tree))
        if key not in parts:
            return False
        tree = parts[key]
    return True
