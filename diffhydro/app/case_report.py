"""Write what a case run found: profiles, series and a record of the run; compare and draw.

Numbers leave in metres and days, in the columns and rows of the reference files.
"""

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from diffhydro.app.case import MM_PER_M, Case
from diffhydro.app.case_read import read_table
from diffhydro.app.case_run import Result
from diffhydro.app.case_setup import Setup, soil_of
from diffhydro.errors import InputError

_PROFILE_POINTS = 100
SERIES = (
    "cum_net_infiltration",
    "cum_runoff",
    "cum_evaporation",
    "cum_transpiration",
    "cum_bottom_outflow",
    "storage",
    "pond",
)


def profiles(case: Case, setup: Setup, result: Result) -> dict[str, np.ndarray]:
    """Heads and water contents at the reporting depths and times, in metres."""
    mesh = setup.mesh
    gaps = np.asarray(mesh.distance, np.float64)
    places = float(mesh.first_half) + np.concatenate([[0.0], np.cumsum(gaps)])
    depth = case.depth * MM_PER_M
    z = (np.arange(_PROFILE_POINTS) + 0.5) * depth / _PROFILE_POINTS
    row = _rows(result.ends, case.profile_times)
    heads = np.stack([_along(z, places, result.psi[r]) for r in row])
    theta = np.stack([_theta(case, setup, z, h) for h in heads])
    times = np.repeat(np.asarray(case.profile_times), len(z))
    return {
        "t": times,
        "z": np.tile(z, len(row)) / MM_PER_M,
        "h": heads.ravel() / MM_PER_M,
        "theta": theta.ravel(),
    }


def series(case: Case, result: Result) -> dict[str, np.ndarray]:
    """Cumulative amounts, storage and pond at the output times, in metres."""
    row = _rows(result.ends, case.output_times)
    a: Any = result.amounts
    nothing = np.zeros_like(result.pond)
    is_air = case.top.type == "atmosphere"
    columns = (
        a.infiltration,
        a.runoff if is_air else nothing,
        result.evaporation if is_air else nothing,
        a.uptake,
        a.drainage,
        result.storage,
        result.pond,
    )
    table = {"t": np.asarray(case.output_times)}
    return table | {n: c[row] / MM_PER_M for n, c in zip(SERIES, columns, strict=True)}


def record(setup: Setup, result: Result, dtype: str, errors: dict | None) -> dict:
    """The content of `<id>_run.json`."""
    throughput = float(
        np.abs(result.amounts.infiltration[-1])
        + np.abs(result.amounts.drainage[-1])
        + result.amounts.uptake[-1]
    )
    content = {
        "nodes": setup.column.layers,
        "dtype": dtype,
        "steps": int(result.effort.substeps),
        "iterations": int(result.effort.sweeps),
        "rejected_steps": int(result.effort.rejected),
        "unconverged_steps": int(result.effort.forced),
        "rough_stages": int(result.effort.rough),
        "mass_balance_error_m": result.balance_error / MM_PER_M,
        "mass_balance_error_relative": result.balance_error
        / max(throughput, 1e-6 * result.storage[-1]),
        "compile_seconds": round(result.compile_seconds, 3),
        "run_seconds": round(result.run_seconds, 3),
        "notes": setup.notes,
    }
    return content | ({"errors": errors} if errors is not None else {})


def table_text(table: dict[str, np.ndarray]) -> str:
    """A table as CSV with ten significant digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow(f"{x:.10g}" for x in row)
    return stream.getvalue()


def write_all(folder: Path, files: dict[str, str]) -> None:
    """Write files so that each is either whole or absent."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    try:
        for name, text in files.items():
            part = folder / f".{name}.{os.getpid()}.part"
            parts.append((part, folder / name))
            part.write_text(text, encoding="utf-8")
        for part, target in parts:
            part.replace(target)
    finally:
        for part, _ in parts:
            part.unlink(missing_ok=True)


def to_json(content: dict) -> str:
    """A record as readable JSON."""
    return json.dumps(content, indent=2) + "\n"


def compare(case: Case, folder: Path, found: dict, totals: dict) -> dict:
    """Errors against the reference files beside the case; metres."""
    truth = _truth(folder / f"{case.id}_profiles.csv", found)
    wrong = np.abs(found["theta"] - truth["theta"])
    times = np.unique(truth["t"])
    worst = max(wrong[truth["t"] == t].mean() for t in times)
    truth_totals = _truth(folder / f"{case.id}_series.csv", totals)
    misses = {}
    for name in SERIES:
        off = np.abs(totals[name] - truth_totals[name])
        allowed = np.maximum(0.005 * np.abs(truth_totals[name]), 1e-4)
        place = int(np.argmax(off / allowed))
        misses[name] = {
            "max_abs_m": float(off.max()),
            "worst_over_allowed": float((off / allowed)[place]),
            "at_t": float(truth_totals["t"][place]),
        }
    return {
        "theta_mean_abs": float(wrong.mean()),
        "theta_mean_abs_worst_time": float(worst),
        "theta_rms": float(np.sqrt((wrong**2).mean())),
        "theta_max_abs": float(wrong.max()),
        "series": misses,
    }


def _truth(path: Path, ours: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Read a reference table, and make sure that it reports at the same places and times."""
    table, _ = read_table(path, list(ours))
    if len(table["t"]) != len(ours["t"]) or not np.allclose(table["t"], ours["t"], rtol=1e-6):
        raise InputError(
            f"{path} reports {len(table['t'])} rows, the case asks for {len(ours['t'])}, or at "
            "other times; give the reference of this case"
        )
    return table


def _rows(ends: np.ndarray, times: list[float]) -> np.ndarray:
    return np.asarray([int(np.argmin(np.abs(ends - t))) for t in times])


def _along(z: np.ndarray, places: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """Heads between nodes, linear; beyond the outer nodes the last slope goes on."""
    place = np.clip(np.searchsorted(places, z) - 1, 0, len(places) - 2)
    slope = (psi[place + 1] - psi[place]) / (places[place + 1] - places[place])
    return psi[place] + slope * (z - places[place])


def _theta(case: Case, setup: Setup, z: np.ndarray, heads: np.ndarray) -> np.ndarray:
    theta = np.empty_like(z)
    for layer in case.layers:
        inside = (z >= layer.top * MM_PER_M) & (z <= layer.bottom * MM_PER_M)
        theta[inside] = np.asarray(soil_of(layer.soil).theta(jnp.asarray(heads[inside])))
    return theta
