"""Tables 1 to 6 of the sheet, and what stands beside them, as rows."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.atomic import whole
from experiments.global_pgdl.ground.folds import LEFT_OUT, MIXED, Member
from experiments.global_pgdl.ground.regions import Found
from experiments.global_pgdl.judged.balance import Water
from experiments.global_pgdl.judged.globe import Globe
from experiments.global_pgdl.judged.representative import PUBLISHED
from experiments.global_pgdl.judged.sites import SCORES, Tested
from experiments.global_pgdl.learned.models import KINDS
from experiments.global_pgdl.outcome import Rows

ALL = "all"
OWN = "the region"  # against others, in table 5


def table_regions(found: Found, used: np.ndarray) -> Rows:
    """Table 1: cells, sites and means of every region, and whether regions mean something.

    Args:
        used: Regions of the stations that are used.
    """
    regions = found.regions
    means = regions.centres * regions.scale + regions.mean
    rows: Rows = [
        {
            "region": k,
            "cells": int(regions.sizes[k]),
            "sites": int(regions.site_sizes[k]),
            "sites_used": int((used == k).sum()),
            **{n: float(x) for n, x in zip(regions.names, means[k], strict=True)},
        }
        for k in range(len(regions))
    ]
    every = {
        "region": ALL,
        "cells": int(regions.sizes.sum()),
        "sites": int(regions.site_sizes.sum()),
    }
    return [*rows, every | {"sites_used": len(used)}]


def table_consistency(found: Found) -> Rows:
    """Give how the number of regions was chosen, and what they are worth on series of sites."""
    rows: Rows = [
        {"what": f"votes for {k} clusters", "value": int(v)}
        for k, v in zip(found.scan.counts, found.scan.votes, strict=True)
    ]
    rows += [{"what": f"{k} clusters leave too few sites", "value": 1} for k in found.refused]
    rows.append({"what": "clusters", "value": len(found.regions)})
    rows.append({"what": "silhouette", "value": float(found.regions.silhouette)})
    if found.fewest is not None:
        rows.append({"what": "fewest sites, where skill flattens", "value": found.fewest.chosen})
    if (judged := found.judgement) is not None:
        rows += [
            {"what": "correlation inside", "value": judged.coherence.inside},
            {"what": "correlation overall", "value": judged.coherence.overall},
            {"what": "F of site means", "value": judged.of_means.f},
            {"what": "p of site means", "value": judged.of_means.p},
            {"what": "F of site deviations", "value": judged.of_deviations.f},
            {"what": "p of site deviations", "value": judged.of_deviations.p},
        ]
    return rows


def table_fewest(found: Found) -> Rows:
    """Give skill at a site left out against the number of sites."""
    if found.fewest is None:
        return []
    each = zip(found.fewest.sizes, found.fewest.skill, found.fewest.error, strict=True)
    return [{"sites": n, "skill": float(s), "error": float(e)} for n, s, e in each]


def table_sites(found: Tested, members: Sequence[Member]) -> Rows:
    """Table 2: leave one site out, by region and weighted by sites (eq. 7), over seeds."""
    rows: Rows = []
    kinds = np.array([members[i].kind == LEFT_OUT for i in found.folds])
    region = np.array([members[i].region for i in found.folds])
    seed = np.array([members[i].seed for i in found.folds])
    for name, scores in found.scores().items():
        for where in (*np.unique(region), ALL):
            here = kinds & ((region == where) if where != ALL else True)
            each = [_means(scores, here & (seed == s)) for s in np.unique(seed)]
            sites = int(here.sum() // len(each))
            rows.append({"model": name, "region": _plain(where), "sites": sites} | _over(each))
    return rows


def table_representative(
    found: Tested, rules: Mapping[str, dict[str, dict[int, int]]], names: np.ndarray
) -> Rows:
    """Table 3: the published rule's sites, at which each model is best."""
    scores = found.scores()
    place = {int(fold): i for i, fold in enumerate(found.folds)}
    rows: Rows = []
    for kind in KINDS:
        mine = [(region, place[fold]) for region, fold in rules[PUBLISHED][kind].items()]
        for region, i in mine:
            row = {"model": kind, "region": region, "site": str(names[found.rows[i]])}
            rows.append(row | {s: float(scores[kind][s][i]) for s in SCORES})
        at = np.array([i for _, i in mine])
        means = {s: float(np.nanmean(scores[kind][s][at])) for s in SCORES}
        rows.append({"model": kind, "region": ALL, "site": ""} | means)
    return rows


def table_globe(globe: Globe) -> Rows:
    """Table 4: cells against the satellite, by rule, with and without uncertain retrievals."""
    rows: Rows = []
    for is_masked, seen in ((False, "all retrievals"), (True, "sure retrievals")):
        for rule, kinds in globe.scores(is_masked=is_masked).items():
            for kind, scores in kinds.items():
                for where in (*np.unique(globe.labels), ALL):
                    here = (globe.labels == where) if where != ALL else globe.labels >= 0
                    rows.append(
                        {
                            "satellite": seen,
                            "rule": rule,
                            "model": kind,
                            "region": _plain(where),
                            "cells": int(here.sum()),
                            **_means(scores, here),
                        }
                    )
    return rows


def table_mixing(found: Tested, members: Sequence[Member]) -> Rows:
    """Table 5: training sites of the region against as many of others, at the same sites.

    By the rule that drew them, with the number of folds it drew for.
    """
    scores = found.scores()
    held = {MIXED: {}, LEFT_OUT: {}}
    for place, (fold, row) in enumerate(zip(found.folds, found.rows, strict=True)):
        held[members[fold].kind][members[fold].seed, int(row)] = place
    mixed, own = held[MIXED], held[LEFT_OUT]
    by_rule: dict[str, list[Any]] = {}
    for key, place in mixed.items():
        if key in own:
            by_rule.setdefault(members[found.folds[place]].rule, []).append(key)
    rows: Rows = []
    for rule, both in by_rule.items():
        for kind in KINDS:
            for name, where in ((OWN, own), (rule, mixed)):
                at = np.array([where[key] for key in both])
                means = {s: float(np.nanmean(scores[kind][s][at])) for s in SCORES}
                row = {"mixed_from": rule, "model": kind, "trained_on": name, "folds": len(at)}
                rows.append(row | means)
    return rows


def table_violations(
    sites: dict[str, np.ndarray],
    cells: dict[str, np.ndarray] | None,
    water: Mapping[str, Water],
    left: np.ndarray,
) -> Rows:
    """Table 6: days on which soil moisture rises in dry spells, by site and by cell.

    Args:
        water: Of models that have stores: days on which the whole soil gains water, and what is
            missing. The others have no water whose balance could be kept.
        left: Folds that leave a site out.
    """
    rows: Rows = []
    for name, days in sites.items():
        held = water.get(name)
        rows.append(
            {
                "model": name,
                "days_per_site": float(np.mean(days)),
                "sites_with_any": int((days > 0).sum()),
                "days_per_cell": float(np.mean(cells[name])) if cells and name in cells else None,
                "days_the_soil_gains": None if held is None else float(held.gains[left].mean()),
                "missing_mm": None if held is None else float(held.missing[left].max()),
            }
        )
    return rows


def table_density(found: Tested, members: Sequence[Member], neighbours: np.ndarray) -> Rows:
    """Give scores where stations are dense and sparse, and the trend with their number.

    Args:
        neighbours: Of every station, others within reach.
    """
    from scipy.stats import spearmanr

    scores = found.scores()
    left = np.array([members[i].kind == LEFT_OUT for i in found.folds])
    number = neighbours[found.rows]
    dense = number > np.median(number[left])
    rows: Rows = []
    for kind in KINDS:
        r = scores[kind]["r"]
        known = left & np.isfinite(r)
        several = known.sum() > 2 and np.ptp(number[known]) > 0
        trend = spearmanr(number[known], r[known]) if several else None
        for name, here in (("dense", left & dense), ("sparse", left & ~dense)):
            rows.append(
                {
                    "model": kind,
                    "stations": name,
                    "sites": int(here.sum()),
                    **_means(scores[kind], here),
                    "rank_correlation_of_r": None if trend is None else float(trend.statistic),
                    "p": None if trend is None else float(trend.pvalue),
                }
            )
    return rows


def write(tables: Mapping[str, Rows], out: Path) -> None:
    """Write each as CSV, whole or not at all."""
    for name, rows in tables.items():
        if not rows:
            continue
        columns = list(dict.fromkeys(key for row in rows for key in row))
        with (
            whole(out / f"{name}.csv") as part,
            part.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)


def _means(scores: Mapping[str, np.ndarray], here: np.ndarray) -> dict[str, float]:
    made = {}
    for name in SCORES:
        values = scores[name][here]
        made[name] = float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
    return made


def _over(each: list[dict[str, float]]) -> dict[str, float]:
    """Give the median over seeds, and half their range where there are several."""
    made = {name: float(np.median([one[name] for one in each])) for name in SCORES}
    if len(each) > 1:
        made |= {f"{n}_spread": float(np.ptp([o[n] for o in each]) / 2.0) for n in SCORES}
    return made


def _plain(where: Any) -> Any:
    return ALL if isinstance(where, str) else int(where)
