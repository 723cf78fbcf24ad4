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
        runs = [_in_new_process(name) for _ in range(scale.pick(3, 1))]
        wall, processor = (min(seconds) for seconds in zip(*runs, strict=True))
        rows.append(Row(f"compiling the gradient, {name}", wall, TARGET, unit="s"))
        rows.append(Row(f"the same in processor time, {name}", processor, unit="s"))
        notes.append(f"{name}: " + ", ".join(f"{w:.1f} ({p:.1f})" for w, p in runs) + " s")
    notes.append(
        f"wall-clock seconds (processor time) on up to {CORES} cores, least of the runs, cache "
        "off; on a busy machine only the processor time means anything"
    )
    return Report(rows, notes, {})


def _in_new_process(policy: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.compiling", policy]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall, processor = done.stdout.split()[-2:]
    return float(wall), float(processor)


def _compile_once(name: str) -> tuple[float, float]:
    from benchmarks.columns import moisture_and_gradient, random_batch
    from benchmarks.forward import NODES, POLICY
    from benchmarks.harness import compiled
    from diffhydro.soil.richards.adaptive import Adaptive

    policy = {"fixed": POLICY, "adaptive": Adaptive()}[name]
    batch = random_batch(COLUMNS, DAYS, NODES)
    start = time.perf_counter(), time.process_time()
    compiled(lambda b: moisture_and_gradient(b, policy), batch)
    return time.perf_counter() - start[0], time.process_time() - start[1]


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(min(CORES, os.cpu_count() or 1)))
    print(*_compile_once(sys.argv[1]))
