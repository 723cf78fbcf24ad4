"""`python -m benchmarks`: measure what the package promises, and print it beside the promise."""

import argparse
import importlib
import sys
import time
from datetime import UTC, datetime

from benchmarks.machine import use_one_core

MEASUREMENTS = {
    "forward": "forward against scalar numba",
    "limit": "forward against the counted limit",
    "gradient": "forward and gradient over forward",
    "accuracy": "adaptive against fixed at equal time error",
    "memory": "memory of the gradient, ten years over five",
    "decade": "1000 columns, 100 nodes, ten years",
    "compiling": "compiling a gradient",
    "buckets": "HBV, 1600 columns",
    "water_balance": "the water-balance model, 1600 columns",
    "globe": "the globe of study A from a zarr store",
    "calibration": "Levenberg–Marquardt against SCE-UA and against scipy site by site",
    "maps": "a year of a half-degree globe in five variables",
    "ismn": "a thousand station-years of the International Soil Moisture Network",
    "silhouette": "silhouettes of 56 112 cells in 11 clusters",
    "networks": "training steps of networks against torch",
    "hybrids": "the physics inside a training step",
}


def main() -> int:
    """Run the measurements and print their tables; the exit status is 0 whatever they say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute's version, less exact")
    parser.add_argument("--only", choices=MEASUREMENTS, action="append", help="may be repeated")
    wanted = parser.parse_args()

    use_one_core()
    from benchmarks.harness import Report, Scale
    from benchmarks.machine import describe
    from benchmarks.table import print_compile_times, print_report, print_rows

    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {describe()}")
    print(
        "Ratios of processor time, programs taking turns on one core; seconds are this machine's."
    )
    reports: dict[str, Report] = {}
    for name in wanted.only or MEASUREMENTS:
        start = time.perf_counter()
        module = importlib.import_module(f"benchmarks.{name}")
        reports[name] = module.measure(Scale(wanted.quick))
        print_report(MEASUREMENTS[name], reports[name], time.perf_counter() - start)
    rows = [row for report in reports.values() for row in report.rows if row.target is not None]
    if len(reports) > 1:
        print_rows("all targets", rows)
    print_compile_times(reports)
    missed = sum(row.passes is False for row in rows)
    print(f"{len(rows) - missed} of {len(rows)} targets met; {describe()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
