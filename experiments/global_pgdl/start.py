"""Where a run begins: on a virtual Earth, or at the stations of a file."""

from collections.abc import Callable
from pathlib import Path

from experiments.global_pgdl import study
from experiments.global_pgdl.preset import Preset
from experiments.global_pgdl.real import study as real
from experiments.global_pgdl.study import Outcome


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
    if preset.stations is None:
        return study.run(preset, out, data=data, attributes=attributes, report=report)
    return real.run(preset, out, data=data, attributes=attributes, report=report)
