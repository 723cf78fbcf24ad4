"""Celia's column, against a reference that ships with the package."""

from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

from diffhydro.app import case_report
from diffhydro.app.case_plot import draw
from diffhydro.app.case_read import read_case
from diffhydro.app.column import solve
from diffhydro.app.page import Picture, Section

_CASE = "p01_celia_newmexico"
# What the demonstration promises.
_THETA_ERROR = 5e-4  # m³/m³, mean
_BALANCE = 1e-10  # of the throughput


def celia(out: Path, report: Callable[[int, int], None]) -> Section:
    """Solve the case that ships with the package, and compare."""
    with as_file(files("diffhydro.app") / "demo_data") as folder:
        spec, weather = read_case(folder / f"{_CASE}.json")
        setup, result = solve(spec, weather, None, "float64", None)
        found = case_report.profiles(spec, setup, result)
        totals = case_report.series(spec, result)
        errors = case_report.compare(spec, folder, found, totals)
        figure = out / "celia.png"
        draw(spec, folder, found, totals, figure)
    record = case_report.record(setup, result, "float64", errors)
    worst = max(miss["worst_over_allowed"] for miss in errors["series"].values())
    balance = record["mass_balance_error_relative"]
    truth = (spec.truth or {}).get("estimated_remaining_error", {}).get("theta_mean_abs", 0.0)
    table = [
        ("quantity", "found", "allowed"),
        ("mean error of θ, m³/m³", f"{errors['theta_mean_abs']:.1e}", f"{_THETA_ERROR:.0e}"),
        ("worst total, share of its allowance", f"{worst:.1e}", "1"),
        ("water balance, share of throughput", f"{balance:.1e}", f"{_BALANCE:.0e}"),
        ("layers", f"{record['nodes']}", ""),
        ("steps", f"{record['steps']}", ""),
        ("steps not converged", f"{record['unconverged_steps']}", "0"),
        ("compile / run, s", f"{record['compile_seconds']:.1f} / {record['run_seconds']:.1f}", ""),
    ]
    checks = {
        "Celia: θ agrees with the reference": errors["theta_mean_abs"] <= _THETA_ERROR,
        "Celia: totals agree within 0.5 % or 0.1 mm": worst <= 1.0,
        "Celia: water balance closes": balance <= _BALANCE,
        "Celia: every step converged": record["unconverged_steps"] == 0,
    }
    words = (
        "Infiltration into dry soil, the problem of Celia, Bouloutas & Zarba (1990), on the grid "
        "the program chooses. Points are the reference that ships with the package, made by "
        "another program with a fourth-order method in time on 1600 cells of the same kind; it is "
        f"converged to {truth:.0e} m³/m³ in mean water content."
    )
    told = "Water content and pressure head at five times, and cumulative water; points: reference."
    return Section("A soil column, verified", [words], [Picture(figure, told)], [table], checks)
