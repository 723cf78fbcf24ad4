"""Averages over regions that count for what they hold (Xi & Zhuang 2026, eq. 7).

M = Σ_k w_k m_k / Σ_k w_k,      w_k the sites, or cells, of region k
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


def weighted_mean(scores: "xr.Dataset | xr.DataArray", weights: "xr.DataArray") -> Any:
    """Average scores over the axes of `weights`; a region without a score does not count.

    >>> import xarray as xr
    >>> rmse = xr.DataArray([0.1, 0.4, np.nan], dims="region")
    >>> round(weighted_mean(rmse, xr.DataArray([2.0, 1.0, 5.0], dims="region")).item(), 3)
    0.2
    """
    lacking = [str(d) for d in weights.dims if d not in scores.dims]
    if lacking:
        raise InputError(
            f"the weights are over {', '.join(lacking)}, which the scores are not; those are over "
            f"{', '.join(map(str, scores.dims)) or 'nothing'}"
        )
    for d in weights.dims:
        if weights.sizes[d] != scores.sizes[d]:
            raise InputError(
                f"{weights.sizes[d]} weights for {scores.sizes[d]} values of {d}; give one for each"
            )
        labelled = d in weights.indexes and d in scores.indexes
        if labelled and not weights.indexes[d].equals(scores.indexes[d]):
            raise InputError(f"weights and scores have other values of {d}, or another order")
    values = np.asarray(weights.values, np.float64)
    if not (np.isfinite(values) & (values >= 0)).all() or not (values > 0).any():
        raise InputError("weights are numbers of 0 or more, and one of them is above 0")
    return scores.weighted(weights).mean(list(weights.dims))
