"""A batch: windows of fixed shape, in single precision, with a weight for every observation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows, `[window, time]`; of several clusters `[member, window, time]`.

    What only fills the shape up has weight 0 and repeats something real, so that a model can run
    on it; no sum of weighted losses changes with it.

    Args:
        forcing: By name.
        attributes: By name, `[window]`, or `[window, depth]` for what varies with depth.
        observations: 0 where there is none; with a last axis `depth` if there are several.
        weights: 1 for an observation that is scored, else 0, of the same shape.
        sites: Index of each window's site among all sites.
        starts: Time of each window's first step.
        is_real: Which windows do not just fill the shape up.
        is_step: Which steps do not, `[window, time]`: the last window of a record may be short.
    """

    forcing: Mapping[str, np.ndarray]
    attributes: Mapping[str, np.ndarray]
    observations: np.ndarray
    weights: np.ndarray
    sites: np.ndarray
    starts: np.ndarray
    is_real: np.ndarray
    is_step: np.ndarray

    def arrays(self) -> dict[str, Any]:
        """Give all but the times, which JAX has no type for, as a dictionary that it maps over."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "starts"}


def stack(batches: Sequence[Batch]) -> Batch:
    """Put batches of one shape on a new first axis, `member`."""

    def together(name: str) -> Any:
        parts = [getattr(batch, name) for batch in batches]
        if isinstance(parts[0], Mapping):
            return {key: np.stack([part[key] for part in parts]) for key in parts[0]}
        return np.stack(parts)

    return Batch(**{f.name: together(f.name) for f in fields(Batch)})
