"""What is claimed of this study, and whether it holds."""

from typing import Any

from experiments.global_pgdl.judged.gradients import RIGHT
from experiments.global_pgdl.learned.models import CONSERVING, COUPLED, DL, FED, PB
from experiments.global_pgdl.outcome import Rows
from experiments.global_pgdl.told.tables import ALL, OWN

HONEST_ALL = "all retrievals"
_CLOSED = 0.1  # mm in some years of single precision


def claims(tables: dict[str, Rows], rule: str) -> dict[str, bool]:
    """Hold the tables against the claims; those that a run has nothing on are left out."""
    at = {row["model"]: row for row in tables["table_2_sites"] if row["region"] == ALL}
    made = _of_scores("sites", at)
    made |= {
        "sites: r of ours ≥ DL + 0.03": max(at[COUPLED]["r"], at[CONSERVING]["r"])
        >= at[DL]["r"] + 0.03,
        "sites: fed PGDL RMSE ≤ 0.97 × DL": at[FED]["rmse"] <= 0.97 * at[DL]["rmse"],
    }
    cells = {
        row["model"]: row
        for row in tables.get("table_4_globe", [])
        if row["region"] == ALL and row["rule"] == rule and row["satellite"] == HONEST_ALL
    }
    if cells:
        ours = min(cells[COUPLED]["rmse"], cells[CONSERVING]["rmse"])
        best_r = max(cells[COUPLED]["r"], cells[CONSERVING]["r"])
        made["globe: ours before DL and PB in RMSE"] = ours <= min(
            cells[DL]["rmse"], cells[PB]["rmse"]
        )
        made["globe: r of ours above DL"] = best_r > cells[DL]["r"]
    wet: dict[str, Any] = {row["model"]: row for row in tables["table_6_violations"]}
    ours = wet[CONSERVING]
    made["violations: the soil of conserving never gains water in a dry spell"] = (
        ours["days_the_soil_gains"] == 0.0
    )
    made["violations: conserving loses no water (0.1 mm)"] = ours["missing_mm"] <= _CLOSED
    made["violations: none at 5 cm in conserving"] = ours["days_per_site"] == 0.0
    for where, column in (("sites", "days_per_site"), ("cells", "days_per_cell")):
        if wet[DL][column] is not None:
            held = wet[COUPLED][column] <= 0.5 * wet[DL][column]
            made[f"violations, {where}: coupled ≤ 0.5 × DL"] = held
    off = max(row["off_by"] for row in tables["gradients"])
    made["gradients of coupled and conserving equal central differences (1e-4)"] = off <= RIGHT
    return made | _of_mixing(tables["table_5_mixing"])


def _of_mixing(rows: Rows) -> dict[str, bool]:
    """Hold regions against mixing: over all folds, and by the rule that drew the others."""
    rules = list(dict.fromkeys(row["mixed_from"] for row in rows))
    made = {}
    for kind in (FED, CONSERVING) if rules else ():
        for name, some in (("all folds", rules), *((f"of {rule}", [rule]) for rule in rules)):
            mine = [r for r in rows if r["model"] == kind and r["mixed_from"] in some]
            own = sum(r["folds"] * r["rmse"] for r in mine if r["trained_on"] == OWN)
            other = sum(r["folds"] * r["rmse"] for r in mine if r["trained_on"] != OWN)
            made[f"regions beat mixing, {name}: {kind}"] = own < other
    return made


def _of_scores(where: str, at: dict[str, Any]) -> dict[str, bool]:
    ours = min(at[COUPLED]["rmse"], at[CONSERVING]["rmse"])
    return {
        f"{where}: RMSE of ours ≤ 0.90 × DL": ours <= 0.90 * at[DL]["rmse"],
        f"{where}: RMSE of ours ≤ 0.85 × PB": ours <= 0.85 * at[PB]["rmse"],
    }
