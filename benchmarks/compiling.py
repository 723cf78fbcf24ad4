"""How long the gradient of a batched run takes to compile, cold, on the cores there are.

Each compilation has a process of its own, unpinned and without the persistent cache. The time is
tracing, lowering and compiling together; importing jax is not in it.
"""

import os
import subprocess
import sys
import time

from benchmarks.harness import Report, Row, Scale

TARGET = 10.0
CORES = 2
COLUMNS, DAYS = 256, 365


def measure(scale: Scale) -> Report:
    rows, notes = [], []
    for name in ("fixed", "adaptive"):
        seconds = [_in_new_process(name) for _ in range(scale.pick(3, 1))]
        rows.append(Row(f"compiling the gradient, {name}", min(seconds), TARGET, unit="s"))
        notes.append(f"{name}: " + ", ".join(f"{s:.1f}" for s in seconds) + " s")
    notes.append(f"wall-clock seconds on up to {CORES} cores, least of the runs, cache off")
    return Report(rows, notes, {})


def _in_new_process(policy: str) -> float:
    command = [sys.executable, "-m", "benchmarks.compiling", policy]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def _compile_once(name: str) -> float:
    from benchmarks.columns import moisture_and_gradient, random_batch
    from benchmarks.forward import NODES, POLICY
    from benchmarks.harness import compiled
    from diffhydro.soil.richards.adaptive import Adaptive

    policy = {"fixed": POLICY, "adaptive": Adaptive()}[name]
    batch = random_batch(COLUMNS, DAYS, NODES)
    start = time.perf_counter()
    compiled(lambda b: moisture_and_gradient(b, policy), batch)
    return time.perf_counter() - start


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(min(CORES, os.cpu_count() or 1)))
    print(_compile_once(sys.argv[1]))
