"""Where a run begins: on a virtual Earth, or at the stations of a file."""

from collections.abc import Callable
from pathlib import Path

from diffhydro.errors import InputError
from experiments.global_pgdl.ground.earth import open_earth
from experiments.global_pgdl.outcome import Clock, Outcome
from experiments.global_pgdl.preset import Preset
from experiments.global_pgdl.real.places import places
from experiments.global_pgdl.real.study import study as study_of_stations
from experiments.global_pgdl.study import study


def run(
    preset: Preset,
    out: Path,
    *,
    data: Path | None = None,
    attributes: Path | None = None,
    report: Callable[[str], None] = lambda words: None,
) -> Outcome:
    """Run the study; tables and figures go into `out`.

    Args:
        data: A folder of a virtual Earth, made there if it is not; or a file of stations.
        attributes: A table of stations.
        report: Is told what is done now.
    """
    how = preset.stations
    if how is None:
        clock = Clock(report)
        return study(preset, open_earth(preset, out, data, attributes, clock), out, clock)
    if data is None:
        raise InputError(f"preset {preset.name} is of stations; give their file as data")
    sites = places(data, attributes, preset.depth, how.spin_up, preset.first, preset.last)
    return study_of_stations(preset, sites, out, report)
