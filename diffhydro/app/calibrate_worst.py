"""Why a site fits badly: what its series say of themselves."""

import numpy as np

from diffhydro.app.calibrate_output import AFTER, USUAL, Outcome

_JUMP = 0.2  # m³/m³ in a day: more than rain does to a probe but rarely
_SHARE = 0.5  # of the squared error: what makes a bias the reason
_MOVED = 1.0  # standard deviations of the days of the fit
_LOUD = 1.5  # times the variability of the simulation


def explain(outcome: Outcome, name: str, site: int) -> str:
    """Say in a sentence what the error of a site is made of, and what may be behind it."""
    found = outcome.scores[name, outcome.judged, AFTER]
    usual = outcome.scores[name, outcome.judged, USUAL].rmse[site]
    rmse, bias, r = found.rmse[site], found.bias[site], found.r[site]
    share = bias**2 / rmse**2 if rmse > 0 else 0.0
    told = [f"RMSE {rmse:.3f}, of whose square {100 * share:.0f} % is bias ({bias:+.3f})"]
    told.append(f"r {r:.2f}")
    if np.isfinite(usual):
        told.append(f"the course of the year alone has {usual:.3f}")
    return "; ".join(told + _signs(outcome, name, site, share))


def _signs(outcome: Outcome, name: str, site: int, share: float) -> list[str]:
    """Give what is noticeable."""
    seen = outcome.fitting.observed[name][site]
    made = outcome.after[name][site]
    days = outcome.periods[outcome.judged]
    train = outcome.fitting.train
    signs = []
    if outcome.judged == "test":
        signs += _moved(seen, made, train, days)
    steps = np.abs(np.diff(seen))
    jumps = int((steps > _JUMP).sum())
    if jumps and name.startswith("soil_moisture"):
        signs.append(f"{jumps} changes of more than {_JUMP} from one day to the next: the probe")
    fitted = outcome.scores[name, "train", AFTER].rmse[site] if train.any() else np.nan
    if outcome.judged == "test" and _fits_much_better(fitted, outcome, name, site):
        signs.append(f"on the days of the fit RMSE is {fitted:.3f}: the years differ")
    if np.nanstd(seen[days]) > _LOUD * np.nanstd(made[days]):
        signs.append(
            f"observations vary more ({np.nanstd(seen[days]):.3f}) than the model "
            f"({np.nanstd(made[days]):.3f})"
        )
    sits = outcome.fitted.on_bound[site] != 0
    if sits.any():
        names = [outcome.fitted.names[i].split(".")[-1] for i in np.flatnonzero(sits)]
        signs.append(f"on a bound: {', '.join(names)}")
    if share > _SHARE and not signs:
        signs.append("the model is off by a constant that no parameter of these takes up")
    return signs


def _fits_much_better(fitted: float, outcome: Outcome, name: str, site: int) -> bool:
    """Tell whether the days of the fit fit much better than those held out."""
    return bool(fitted < 0.7 * outcome.scores[name, outcome.judged, AFTER].rmse[site])


def _moved(seen: np.ndarray, made: np.ndarray, train: np.ndarray, test: np.ndarray) -> list[str]:
    """Compare how the means of both moved between the two periods."""
    both = np.isfinite(seen)
    if not (both & train).any() or not (both & test).any():
        return []
    shifts = [x[both & test].mean() - x[both & train].mean() for x in (seen, made)]
    spread = seen[both & train].std()
    if abs(shifts[0] - shifts[1]) < 0.5 * _MOVED * spread:
        return []
    return [
        f"the observed mean moved by {shifts[0]:+.3f} between the periods, the simulated one by "
        f"{shifts[1]:+.3f}: the weather alone does not explain it"
    ]
