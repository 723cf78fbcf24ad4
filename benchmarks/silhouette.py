"""Silhouettes of study A's globe: 56 112 cells × 10 features in 11 clusters, exactly.

In a process of its own, so that the memory is its own too. The promise is for two cores and is held
to the processor time of the one that measurements use. Beside it: what a sample of the cells costs
when many starts of k-means are compared, how far it is off, and what that makes of the study's 300
starts × 19 counts.
"""

import json
import subprocess
import sys
import time

import numpy as np

from benchmarks.harness import Report, Row, Scale

CELLS, FEATURES, CLUSTERS = 56_112, 10, 11
SECONDS, GIGABYTES = 60.0, 2.0
STARTS, COUNTS, SAMPLE, TOGETHER = 300, 19, 2000, 32
_CHILD = "import sys; from benchmarks.silhouette import child; child(int(sys.argv[1]))"


def measure(scale: Scale) -> Report:
    cells = CELLS // scale.pick(1, 8)
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(cells)], check=True, capture_output=True, text=True
    )
    told = json.loads(done.stdout)
    full = (CELLS / cells) ** 2
    rows = [
        Row("exact", told["exact"] * full, SECONDS, unit="s"),
        Row("memory", told["memory"], GIGABYTES, unit="GB"),
    ]
    fit, judged = told["fit"], told["sampled"] / TOGETHER
    minutes = STARTS * COUNTS * (fit + judged) * (CELLS / cells) / 60.0
    notes = [
        f"{cells} cells × {FEATURES} features, {CLUSTERS} clusters, float32; mean "
        f"{told['mean']:.4f}",
        f"{TOGETHER} labelings on {SAMPLE} cells: {1e3 * judged:.0f} ms each side by side, "
        f"{1e3 * told['alone']:.0f} ms alone; off by {told['off']:.4f}, standard error "
        f"{told['error']:.4f}",
        f"a start of k-means {1e3 * fit:.0f} ms; {STARTS} starts × {COUNTS} counts fitted and "
        f"judged, by extrapolation {minutes:.0f} min",
    ]
    return Report(rows, notes, {"silhouettes": told["compiling"]})


def child(cells: int) -> None:
    """Measure in this process, and print what was found."""
    import resource

    from diffhydro.data.regions.kmeans import Search, fits
    from diffhydro.data.regions.silhouette import mean_silhouettes, sample_rows, silhouettes

    rng = np.random.default_rng(0)
    middles = 2.0 * rng.normal(size=(CLUSTERS, FEATURES))
    points = middles[rng.integers(CLUSTERS, size=cells)] + rng.normal(size=(cells, FEATURES))
    found, fit = _timed(lambda: next(fits(points, CLUSTERS, range(TOGETHER), Search(), TOGETHER)))
    labelings = np.stack([start.labels for start in found])
    _, first = _timed(lambda: silhouettes(points, labelings[0]))
    exact, again = _timed(lambda: silhouettes(points, labelings[0]))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    rows = sample_rows(cells, SAMPLE, seed=0)
    mean_silhouettes(points, labelings, rows)
    sampled, together = _timed(lambda: mean_silhouettes(points, labelings, rows))
    mean_silhouettes(points, labelings[:1], rows)
    _, alone = _timed(lambda: mean_silhouettes(points, labelings[:1], rows))
    told = {
        "exact": again,
        "compiling": max(0.0, first - again),
        "memory": memory,
        "mean": float(exact.mean()),
        "fit": fit / TOGETHER,
        "sampled": together,
        "alone": alone,
        "off": float(sampled.value[0] - exact.mean()),
        "error": float(sampled.error[0]),
    }
    print(json.dumps(told))


def _timed(act):
    start = time.process_time()
    return act(), time.process_time() - start
