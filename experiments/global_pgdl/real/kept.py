"""Step 6: models that learned from all stations, kept as files, and run at other stations."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from diffhydro.core.ensembles import member as member_of
from diffhydro.core.model_file import load, save
from diffhydro.coupling import AbstractPredictor, Observed
from diffhydro.errors import InputError
from experiments.global_pgdl.preset import Preset
from experiments.global_pgdl.real.bench import Bench, free_run
from experiments.global_pgdl.real.networks import kinds
from experiments.global_pgdl.real.physics import PB, water
from experiments.global_pgdl.real.places import FORCING, places, with_start
from experiments.global_pgdl.real.scores import Found, found_of
from experiments.global_pgdl.real.settings import Settings

MODELS = "models"
_SETTINGS = "preset.yaml"


def keep(bench: Bench, trained: dict[str, list[Any]], preset: Preset, out: Path) -> None:
    """Write the models that learned from all stations into `out/models`."""
    folder = out / MODELS
    folder.mkdir(parents=True, exist_ok=True)
    last = len(bench.members) - 1
    save(folder / f"{PB}.dh", member_of(bench.pb, last))
    for name, seeds in trained.items():
        for number, models in enumerate(seeds):
            save(folder / _file(name, number), member_of(models, last))
    text = yaml.safe_dump(preset.model_dump(mode="json"), sort_keys=False)
    (folder / _SETTINGS).write_text(text, encoding="utf-8")


@dataclass(frozen=True, eq=False)
class Kept:
    """Models that were kept.

    Args:
        seeds: By kind, the models whose mean is predicted.
    """

    preset: Preset
    pb: Observed
    seeds: dict[str, list[AbstractPredictor]]

    @staticmethod
    def of(folder: Path) -> "Kept":
        """Open a folder that a run has left."""
        if not (folder / _SETTINGS).is_file():
            raise InputError(f"{folder} holds no kept models; give the folder models of a run")
        told = yaml.safe_load((folder / _SETTINGS).read_text(encoding="utf-8"))
        preset = Preset.model_validate(told)
        seeds = range(len(preset.seeds))
        found = {
            kind.name: [load(folder / _file(kind.name, i)) for i in seeds]
            for kind in kinds(_settings(preset))
        }
        return Kept(preset, load(folder / f"{PB}.dh"), found)

    def predict(
        self, data: Path, attributes: Path | None, first: str = "", last: str = ""
    ) -> Found:
        """Run freely at the stations of a file, told of nothing but their start windows.

        Stations without one are left out.

        Args:
            first: Day; that of the preset if not given.
            last: Day.
        """
        how, preset = _settings(self.preset), self.preset
        every = places(
            data, attributes, preset.depth, how.spin_up, first or preset.first, last or preset.last
        )
        sites, _ = with_start(every, how.start)
        held = water(self.pb, {name: sites[name].values for name in FORCING})
        said = {"PB": held[PB]}
        for kind in kinds(how):
            runs = [free_run(kind, one, sites, held, how.start) for one in self.seeds[kind.name]]
            said[kind.name] = np.mean(runs, axis=0)
        return found_of(sites, how, said)


def _settings(preset: Preset) -> Settings:
    if preset.stations is None:
        raise InputError("these settings are of no run at stations: they have no key stations")
    return preset.stations


def _file(kind: str, number: int) -> str:
    return f"{kind.lower().replace(' ', '_')}-{number}.dh"
