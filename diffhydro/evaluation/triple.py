"""Triple collocation: errors of three series of one thing, none of which is the truth.

With xᵢ = aᵢ + gᵢ t + eᵢ, errors that know neither the truth t nor each other, and covariances C,

    var eᵢ = Cᵢᵢ − Cᵢⱼ Cᵢₖ/Cⱼₖ        gᵢ/gⱼ = Cᵢₖ/Cⱼₖ                     (Stoffelen 1998)
    rᵢ² = Cᵢⱼ Cᵢₖ/(Cᵢᵢ Cⱼₖ),   signal to noise  SNRᵢ = rᵢ²/(1 − rᵢ²)      (McColl et al. 2014)

r is the correlation with the truth. What is fitted is in the scale of one of the three, the
reference; `apply` brings a series there, and `merge` weights the three by the inverse of their
error variances (Yilmaz et al. 2012), which has the least error of all unbiased weighted means.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.pairing import rows, together

if TYPE_CHECKING:
    import xarray as xr

LEAST = 100  # steps with all three: a fit to fewer says little (Zwieback et al. 2012)


@dataclass(frozen=True, eq=False)
class Triple:
    """Fitted triple collocation; all but `names` over the series' places, and along `series`.

    Args:
        names: Of the three.
        reference: Which of them has the scale that errors are in.
        gain: What a departure from the mean is multiplied with to be in that scale.
        mean: Of each series, in its own scale.
        error: Standard deviation of errors in the scale of the reference; NaN where the sample
            gives a negative variance.
        r: Correlation with the truth; NaN likewise.
        snr: Signal to noise, variances, in decibel.
        steps: With all three.
    """

    names: tuple[str, str, str]
    reference: str
    gain: "xr.DataArray"
    mean: "xr.DataArray"
    error: "xr.DataArray"
    r: "xr.DataArray"
    snr: "xr.DataArray"
    steps: "xr.DataArray"

    def apply(self, name: str, values: "xr.DataArray") -> "xr.DataArray":
        """Bring values of one of the three to the scale of the reference."""
        self._known(name)
        level = self.mean.sel(series=self.reference, drop=True)
        gain, mean = (x.sel(series=name, drop=True) for x in (self.gain, self.mean))
        return (level + gain * (values - mean)).transpose(*values.dims)

    def merge(self, **values: "xr.DataArray") -> "xr.DataArray":
        """Weight the three by their errors, in the scale of the reference, where all are there."""
        if set(values) != set(self.names):
            raise InputError(f"a merge needs {', '.join(self.names)}; got {', '.join(values)}")
        weight = 1.0 / self.error**2
        total = weight.sum("series", skipna=False)
        parts = [
            self.apply(name, values[name]) * weight.sel(series=name, drop=True) / total
            for name in self.names
        ]
        return parts[0] + parts[1] + parts[2]

    def _known(self, name: str) -> None:
        if name not in self.names:
            raise InputError(f"there is no series {name!r}; the fit has {', '.join(self.names)}")


def triple_collocation(
    *, reference: str, over: str = "time", least: int = LEAST, **series: "xr.DataArray"
) -> Triple:
    """Fit to three series, given by name, on the steps that all three have.

    Args:
        reference: Name of the one whose scale is kept.
        least: Steps with all three that a place needs.
    """
    import xarray as xr

    if len(series) != 3 or reference not in series:
        raise InputError(
            f"triple collocation needs three series, one of them the reference; got "
            f"{', '.join(series) or 'none'}, and {reference!r} as the reference"
        )
    names = tuple(series)
    given = together(over, **series)
    first = given[0].isel({over: 0}, drop=True)
    sizes = {str(d): first.sizes[d] for d in first.dims}
    for name, one in zip(names, given, strict=True):
        if set(one.dims) != set(given[0].dims):
            raise InputError(f"{name} is over {one.dims}, {names[0]} over {given[0].dims}")
    x = np.stack([rows(one, over, sizes) for one in given])
    found = _fitted(x, names.index(reference), least)

    def named(values: np.ndarray) -> Any:
        shape = first.shape + values.shape[1:]
        dims = (*first.dims, "series")[: len(shape)]
        coords = dict(first.coords) | ({"series": list(names)} if "series" in dims else {})
        return xr.DataArray(values.reshape(shape), dims=dims, coords=coords)

    return Triple(names, reference, **{name: named(v) for name, v in found.items()})  # pyright: ignore[reportArgumentType]


def _fitted(x: np.ndarray, reference: int, least: int) -> dict[str, np.ndarray]:
    """Solve for series `[3, place, step]`; give `[place, 3]`."""
    known = np.isfinite(x).all(axis=0)
    steps = known.sum(axis=1)
    n = np.where(steps >= least, steps, np.nan)
    mean = np.where(known, x, 0.0).sum(axis=2) / n
    off = np.where(known, x - mean[..., None], 0.0)
    c = np.einsum("ipt,jpt->pij", off, off) / (n - 1.0)[:, None, None]
    i, j, k = np.arange(3), np.array([1, 2, 0]), np.array([2, 0, 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        signal = c[:, i, j] * c[:, i, k] / c[:, j, k]  # gᵢ² var t
        total = c[:, i, i]
        gain = np.stack([_gain(c, reference, other) for other in range(3)], axis=1)
        good = (signal > 0) & (signal < total)
        error = np.where(good, np.sqrt(np.abs(total - signal)) * np.abs(gain), np.nan)
        share = np.where(good, signal / total, np.nan)
        snr = 10.0 * np.log10(share / (1.0 - share))
    gain = np.where(np.isfinite(n)[:, None], gain, np.nan)
    return {
        "gain": gain,
        "mean": mean.T,
        "error": error,
        "r": np.sqrt(share),
        "snr": snr,
        "steps": steps,
    }


def _gain(c: np.ndarray, reference: int, other: int) -> np.ndarray:
    """Give the factor from one series to the reference: what each has in common with the third."""
    if other == reference:
        return np.ones(len(c))
    third = 3 - reference - other
    return c[:, reference, third] / c[:, other, third]
