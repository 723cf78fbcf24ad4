"""The methods of a study of sensitivity: each leaves a table and a figure, and says what it found.

Global methods look at the mean of the series over the period, the adjoint at one day of it.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.app.page import Picture
from diffhydro.app.score_table import Rows
from diffhydro.app.sensitivity_case import Case
from diffhydro.atomic import whole
from diffhydro.evaluation import sensitivity as studies
from diffhydro.evaluation.sensitivity import figures
from diffhydro.evaluation.sensitivity.response import Response
from diffhydro.typing import Array

_SHOWN = 5  # days of rain that are named


@dataclass(frozen=True)
class Finding:
    """What a method found.

    Attributes:
        says: One sentence.
        rows: Parameters or days, the most important first; below a head.
        words: What else is to be known of the rows.
        result: As the study gave it.
    """

    says: str
    rows: Rows
    picture: Picture
    words: Sequence[str]
    result: Any


Found = Mapping[str, Finding]
Step = Callable[[Case, Response, Path, Found], Finding]


def _elasticities(case: Case, response: Response, out: Path, found: Found) -> Finding:
    near = studies.elasticities(case.study, case.observe)
    target = _figure(out, "elasticities")
    figures.draw_elasticities(near, target, times=list(case.times), quantity=case.quantity)
    by_day = near.elasticity
    rows = [[str(day), *row] for day, row in zip(case.times, by_day.T.tolist(), strict=True)]
    _write(out / "elasticities.csv", ["day", *near.names], rows)
    columns = {
        "value": near.values,
        "mean |E|": np.abs(by_day).mean(axis=1),
        "least E": by_day.min(axis=1),
        "most E": by_day.max(axis=1),
    }
    most = near.order[0]
    return Finding(
        f"{near.names[most]} is worth most near the values of the model: one per cent of it is "
        f"{columns['mean |E|'][most]:.2g} % of {case.series}, on the mean day.",
        _ranked(near.names, columns, near.order),
        Picture(target, f"Per cent of {case.series} for one per cent of a parameter, by day."),
        ["Over all days; elasticities.csv has every day."],
        near,
    )


def _adjoint(case: Case, response: Response, out: Path, found: Found) -> Finding:
    def that_day(run: Any) -> Array:
        return case.observe(run)[case.when]

    past = studies.adjoint(case.model, case.forcing, that_day)
    course, target = np.asarray(case.observe(case.model.run(case.forcing))), _figure(out, "adjoint")
    figures.draw_adjoint(
        past,
        target,
        course=course,
        when=case.when,
        times=list(case.times),
        quantity=case.quantity,
    )
    days = [str(day) for day in case.times]
    columns = [np.broadcast_to(x, case.times.shape) for x in past.forcing.values()]
    rows = [[day, *row] for day, row in zip(days, zip(*columns, strict=True), strict=True)]
    _write(out / "adjoint.csv", ["day", *past.forcing], rows)
    share = past.share()
    most = np.argsort(-np.abs(share))[:_SHOWN]
    shown = {
        "rain, mm/day": np.broadcast_to(past.weather["precipitation"], share.shape),
        "change per mm/day": np.broadcast_to(past.forcing["precipitation"], share.shape),
        "share": share,
    }
    gave = f"that of {days[most[0]]} gave most to {case.series} on that day"
    return Finding(
        f"Of the rain until {days[case.when]}, {gave}: {share[most[0]]:.2g} of {past.value:.3g} "
        f"{case.unit}, to first order.",
        _ranked(days, shown, most, "day"),
        Picture(target, f"What made {case.series} on {days[case.when]}, by day and by store."),
        [f"The {len(most)} days that gave most; adjoint.csv has every day."],
        past,
    )


def _morris(case: Case, response: Response, out: Path, found: Found) -> Finding:
    effects = studies.morris(response, case.config.trajectories, seed=case.config.seed)
    target = _figure(out, "morris")
    figures.draw_morris(effects, target, unit=case.unit)
    columns = {
        "mu_star": effects.mu_star,
        "error": effects.mu_star_error,
        "mu": effects.mu,
        "sigma": effects.sigma,
    }
    _write_by_name(out / "morris.csv", effects.names, columns)
    most = effects.order[0]
    return Finding(
        f"{effects.names[most]} has the largest mean effect over its range: "
        f"{effects.mu_star[most]:.2g} ± {effects.mu_star_error[most]:.2g} {case.unit}.",
        _ranked(effects.names, columns, effects.order),
        Picture(target, "Mean size of the effect of each parameter against its spread."),
        [f"Of the mean over the period, from {effects.runs} runs; errors are of 95 %."],
        effects,
    )


def _sobol(case: Case, response: Response, out: Path, found: Found) -> Finding:
    shares = studies.sobol(response, case.config.points, seed=case.config.seed)
    target = _figure(out, "sobol")
    figures.draw_sobol(shares, target)
    columns = {
        "first": shares.first,
        "first_error": shares.first_error,
        "total": shares.total,
        "total_error": shares.total_error,
    }
    _write_by_name(out / "sobol.csv", shares.names, columns)
    most = shares.order[0]
    return Finding(
        f"{shares.names[most]} has the largest share of the variance, with its interactions: "
        f"{shares.total[most]:.2f} ± {shares.total_error[most]:.2f}.",
        _ranked(shares.names, columns, shares.order),
        Picture(target, "Share of the variance of each parameter, alone and with interactions."),
        [f"Of the mean over the period, from {shares.runs} runs; errors are of 95 %."],
        shares,
    )


def _dgsm(case: Case, response: Response, out: Path, found: Found) -> Finding:
    bounds = studies.dgsm(response, case.config.points, seed=case.config.seed)
    target, beside = _figure(out, "dgsm"), found.get("sobol")
    figures.draw_dgsm(bounds, target, shares=None if beside is None else beside.result)
    columns = {
        "nu": bounds.nu.value,
        "nu_error": bounds.nu.error,
        "lower": bounds.lower.value,
        "upper": bounds.upper.value,
    }
    _write_by_name(out / "dgsm.csv", bounds.names, columns)
    most = bounds.order[0]
    low, high = (min(float(x.value[most]), 1.0) for x in (bounds.lower, bounds.upper))
    return Finding(
        f"{bounds.names[most]} may have the largest share of the variance: by its derivatives "
        f"between {low:.2f} and {high:.2f}.",
        _ranked(bounds.names, columns, bounds.order),
        Picture(target, "Bounds of the share of each parameter in the variance."),
        [f"Of the mean over the period, from {bounds.points} gradients."],
        bounds,
    )


STEPS: dict[str, Step] = {
    "elasticities": _elasticities,
    "adjoint": _adjoint,
    "morris": _morris,
    "sobol": _sobol,
    "dgsm": _dgsm,
}


def _figure(out: Path, method: str) -> Path:
    folder = out / "figures"
    folder.mkdir(exist_ok=True)
    return folder / f"{method}.png"


def _ranked(
    names: Sequence[str],
    columns: Mapping[str, np.ndarray],
    order: np.ndarray,
    head: str = "parameter",
) -> Rows:
    rows: Rows = [(head, *columns)]
    for i in map(int, order):
        rows.append((names[i], *(f"{x[i] + 0.0:.4g}" for x in columns.values())))
    return rows


def _write_by_name(target: Path, names: Sequence[str], columns: Mapping[str, np.ndarray]) -> None:
    numbers = zip(*columns.values(), strict=True)
    rows = [[name, *row] for name, row in zip(names, numbers, strict=True)]
    _write(target, ["parameter", *columns], rows)


def _write(target: Path, head: list[str], rows: list[list[Any]]) -> None:
    with whole(target) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows([[f"{x:.6g}" if not isinstance(x, str) else x for x in r] for r in rows])
