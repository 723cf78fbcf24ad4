"""The domain of soil parameters: where the formulas hold, checked when a soil is made.

This is not the calibration range, which is narrower and lives with the parameter's declaration.
Only concrete numbers are checked. Traced values, placeholders and shapes pass.
"""

from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from diffhydro.errors import InputError

__all__ = ["check_range", "check_values", "check_water_contents"]


def check_range(
    owner: object,
    name: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    advice: str,
) -> None:
    """Raise `InputError` unless every value of the field `name` is finite and in the range."""
    label = f"{type(owner).__name__}.{name}"
    limits = (above, at_least, below, at_most)
    check_values(label, getattr(owner, name), limits, advice)


def check_values(
    label: str,
    value: Any,
    limits: tuple[float | None, float | None, float | None, float | None],
    advice: str,
) -> None:
    """Raise `InputError` unless `value` is finite and >, ≥, < and ≤ its four limits."""
    values = _concrete(label, value)
    if values is None:
        return
    good = np.isfinite(values)
    allowed = []
    tests = ((">", np.greater), ("≥", np.greater_equal), ("<", np.less), ("≤", np.less_equal))
    for limit, (sign, holds) in zip(limits, tests, strict=True):
        if limit is not None:
            good = good & holds(values, limit)
            allowed.append(f"{sign} {limit:g}")
    if not good.all():
        _refuse(label, values, good, " and ".join(["finite", *allowed]), advice)


def check_water_contents(owner: Any) -> None:
    """Raise `InputError` unless 0 ≤ θ_r < θ_s ≤ 1 and k_sat > 0."""
    contents = "water contents are fractions of volume (m³/m³); divide a percentage by 100"
    check_range(owner, "theta_r", at_least=0.0, below=1.0, advice=contents)
    check_range(owner, "theta_s", above=0.0, at_most=1.0, advice=contents)
    check_range(owner, "k_sat", above=0.0, advice="give a conductivity in mm/day")
    label = f"{type(owner).__name__}.theta_r"
    theta_r, theta_s = _concrete(label, owner.theta_r), _concrete(label, owner.theta_s)
    if theta_r is None or theta_s is None:
        return
    theta_r, theta_s = np.broadcast_arrays(theta_r, theta_s)
    good = theta_r < theta_s
    if not good.all():
        allowed = f"< theta_s, which is {theta_s[~good].flat[0]:g}"
        _refuse(label, theta_r, good, allowed, "exchange the two or mend the wrong one")


def _concrete(label: str, value: Any) -> np.ndarray | None:
    """Give the numbers of `value`, or None where it has none yet."""
    if isinstance(value, str):
        raise InputError(f"{label} is the text {value!r}; give a number.")
    if isinstance(value, Tracer) or not isinstance(
        value, bool | int | float | np.number | np.ndarray | jax.Array
    ):
        return None
    return np.asarray(value)


def _refuse(label: str, values: np.ndarray, good: np.ndarray, allowed: str, advice: str) -> None:
    bad = np.argwhere(~good)
    index = tuple(int(i) for i in bad[0])
    where = f" at {list(index)} ({len(bad)} of {good.size} values)" if index else ""
    raise InputError(f"{label} is {values[index]:g}{where}; it must be {allowed}: {advice}.")
