"""The door to SALib: who lacks it is told which extra has it.

SALib draws points and analyses outputs; what lies between, the model, runs here for all points
side by side.
"""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from diffhydro.errors import InputError


def part_of_salib(name: str, purpose: str) -> ModuleType:
    """Import a part of SALib."""
    try:
        return importlib.import_module(f"SALib.{name}")
    except ImportError as error:
        raise InputError(
            f"{purpose} needs SALib, which is not installed: install the extra 'sensitivity' "
            "(pip install 'diffhydro-jax[sensitivity]'), or take dgsm, which does without"
        ) from error


def unit_cube(names: Sequence[str]) -> dict[str, Any]:
    """Describe positions of some parameters as SALib wants it."""
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def two_seeds(seed: int) -> tuple[int, int]:
    """Return a seed to draw by and one to resample by.

    Neither is 0, which SALib takes for none given: it would draw on the global generator.
    """
    first, second = np.random.default_rng(seed).integers(1, 2**31, size=2)
    return int(first), int(second)
