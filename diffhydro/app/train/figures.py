"""Pictures of a training: how it went, how good it is, what it predicts."""

from pathlib import Path

import numpy as np

from diffhydro.app.page import Picture
from diffhydro.app.train.judge import MODEL, Judged
from diffhydro.evaluation.figures.boxes import box_rows
from diffhydro.picture import COLOURS, DASHES, blank_figure, save
from diffhydro.training import History, draw_training

_SHOWN = 3
_SCORES = {"rmse": "RMSE, m³/m³", "ubrmse": "ubRMSE, m³/m³", "r": "r"}


def draw_all(folder: Path, history: History, judged: Judged) -> list[Picture]:
    """Draw all pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    curves, boxes, series = (folder / f"{name}.png" for name in ("training", "scores", "series"))
    draw_training(history, curves)
    _draw_boxes(judged, boxes)
    _draw_series(judged, series)
    return [
        Picture(boxes, "Scores at the sites that were held out, beside baselines; a box holds the "
                "middle half of the sites, its line is the median."),
        Picture(series, "Soil moisture at three held-out sites: the best, a middling one and the "
                "worst, by RMSE."),
        Picture(curves, "Loss and learning rate while training; members pale, their median bold."),
    ]  # fmt: skip


def _draw_boxes(judged: Judged, target: Path) -> None:
    names = [str(name) for name in judged.scores["model"].values]
    figure, context = blank_figure((9.0, 3.4))
    with context:
        for axes, (score, label) in zip(figure.subplots(1, 3), _SCORES.items(), strict=True):
            box_rows(axes, dict(zip(names, judged.scores[score].values, strict=True)), label)
        save(figure, target)


def _draw_series(judged: Judged, target: Path) -> None:
    rmse = judged.scores["rmse"].sel(model=MODEL).values
    order = [int(i) for i in np.argsort(rmse) if np.isfinite(rmse[i])]
    places = [0, len(order) // 2, len(order) - 1][:_SHOWN]
    chosen = list(dict.fromkeys(order[i] for i in places)) if order else []
    days = judged.observed["time"].values.astype("datetime64[D]")
    figure, context = blank_figure((9.0, 2.2 * max(len(chosen), 1)))
    with context:
        panels = figure.subplots(max(len(chosen), 1), 1, sharex=True, squeeze=False)[:, 0]
        for axes, site in zip(panels, chosen, strict=False):
            axes.plot(days, judged.observed[site], ".", ms=2, color="0.5", label="observed")
            for number, name in enumerate(judged.predictions["model"].values[:3]):
                series = judged.predictions.sel(model=name)[site]
                axes.plot(
                    days, series, color=COLOURS[number], ls=DASHES[number], lw=1.0, label=str(name)
                )
            axes.set_title(f"{judged.observed['site'].values[site]}: RMSE {rmse[site]:.3f}")
            axes.set_ylabel("θ, m³/m³")
        panels[0].legend(ncols=4, loc="upper right")
        save(figure, target)
