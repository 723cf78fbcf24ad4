"""Study A from the first step to the last."""

from pathlib import Path

from diffhydro.training.search.store import optuna
from experiments.global_pgdl.ground.earth import Earth
from experiments.global_pgdl.ground.lay import lay
from experiments.global_pgdl.judged.judge import judge
from experiments.global_pgdl.learned.models import train
from experiments.global_pgdl.learned.tuning import tuned
from experiments.global_pgdl.outcome import Clock, Outcome
from experiments.global_pgdl.preset import Preset
from experiments.global_pgdl.told.tell import tell


def study(preset: Preset, earth: Earth, out: Path, clock: Clock) -> Outcome:
    """Go through all steps, with the data there."""
    out.mkdir(parents=True, exist_ok=True)
    if preset.tuning is not None:
        optuna()  # whoever lacks it is told before hours of work
    ground = lay(preset, earth, clock)
    best = tuned(preset, ground.kept, ground.found, ground.who, out, clock)
    models = train(ground.stations, ground.folds, best.preset, out, clock)
    judged = judge(best.preset, ground, models, clock)
    return tell(best, ground, judged, out, clock)
