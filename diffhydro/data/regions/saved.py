"""Regions as JSON: one object, numbers with all their digits; read back to the last bit.

```json
{"format": "diffhydro regions 1", "names": ["precipitation", …], "mean": [2.1, …], "scale": […],
 "centres": [[…], …], "labels": [0, 3, …], "sites": ["OK_Stillwater_2_W", …],
 "site_labels": [3, …], "silhouette": 0.31, "silhouette_error": 0.0, "scan": null}
```
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.atomic import whole
from diffhydro.data.readers.files import text
from diffhydro.data.regions.votes import Scan
from diffhydro.errors import InputError

if TYPE_CHECKING:
    from diffhydro.data.regions.regions import Regions

FORMAT = "diffhydro regions 1"


def write_json(regions: "Regions", target: Path) -> None:
    """Write regions, whole or not at all."""
    told = {"format": FORMAT, **_plain(regions)}
    with whole(target) as part:
        part.write_text(json.dumps(told, allow_nan=False) + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return value


def read_json(source: Path) -> dict[str, Any]:
    """Read the fields of regions, and hold them against each other."""
    try:
        told = json.loads(text(source, expected=FORMAT))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not JSON: {error}; it may be cut short") from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise InputError(f"{source} does not say that it is {FORMAT!r}; save the regions again")
    try:
        found = _fields(told)
        _check(found)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        said = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{source} is damaged: {said}; save the regions again") from error
    return found


def _fields(told: dict[str, Any]) -> dict[str, Any]:
    scan = told["scan"]
    return {
        "names": _words(told["names"], "names"),
        **{name: _numbers(told, name, 1) for name in ("mean", "scale")},
        "centres": _numbers(told, "centres", 2),
        **{name: _whole(told, name, 1) for name in ("labels", "site_labels")},
        "sites": _words(told["sites"], "sites"),
        **{name: float(_numbers(told, name, 0)) for name in ("silhouette", "silhouette_error")},
        "scan": None if scan is None else _scan(scan),
    }


def _scan(told: dict[str, Any]) -> Scan:
    return Scan(
        tuple(_whole(told, "counts", 1).tolist()),
        *(_numbers(told, name, 2) for name in ("silhouette", "error")),
        *(_whole(told, name, 2) for name in ("smallest", "largest")),
    )


def _words(found: Any, name: str) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise ValueError(f"{name} is not a list of names")
    return tuple(found)


def _numbers(told: dict[str, Any], name: str, rank: int) -> np.ndarray:
    values = np.asarray(told[name])
    if values.dtype.kind not in "if" or values.ndim != rank or not np.isfinite(values).all():
        raise ValueError(f"{name} is not made of numbers, or not of {rank} axes")
    return values.astype(np.float64)


def _whole(told: dict[str, Any], name: str, rank: int) -> np.ndarray:
    values = np.asarray(told[name])
    if values.dtype.kind != "i" or values.ndim != rank or values.min(initial=0) < 0:
        raise ValueError(f"{name} is not made of whole numbers from 0, or not of {rank} axes")
    return values.astype(np.int64)


def _check(found: dict[str, Any]) -> None:
    features, clusters = len(found["names"]), len(found["centres"])
    scan = found["scan"]
    shapes = {} if scan is None else {scan.silhouette.shape[1:]: (len(scan.counts),)}
    shapes |= (
        {}
        if scan is None
        else dict.fromkeys(
            (scan.error.shape, scan.smallest.shape, scan.largest.shape), scan.silhouette.shape
        )
    )
    for what, holds in (
        (
            "mean and scale have one number of each feature",
            found["mean"].shape == found["scale"].shape == (features,),
        ),
        (
            "centres have one number of each feature",
            clusters > 0 and found["centres"].shape == (clusters, features),
        ),
        ("scale is above zero", bool((found["scale"] > 0.0).all())),
        (
            "labels are below the number of clusters",
            max(found["labels"].max(initial=0), found["site_labels"].max(initial=0)) < clusters,
        ),
        ("every site has a label", len(found["sites"]) == len(found["site_labels"])),
        ("the tables of the scan have one shape", all(a == b for a, b in shapes.items())),
    ):
        if not holds:
            raise ValueError(f"expected that {what}")
