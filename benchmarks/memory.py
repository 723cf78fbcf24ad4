"""What the gradient of a long run keeps in memory, as the compiler plans it.

Nothing runs: XLA states the size of a program's temporary arrays when it has compiled it.
"""

import math

import jax

from benchmarks import columns
from benchmarks.forward import NODES, POLICY
from benchmarks.harness import Report, Row, Scale, compiled
from diffhydro.core.timeloop import NESTED, PLAIN, AbstractMemory
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.solver import Policy

TARGET = 2.0
DAYS_PER_YEAR = 365
COLUMNS = 16


def measure(scale: Scale) -> Report:
    short, long = scale.pick(5, 1) * DAYS_PER_YEAR, scale.pick(10, 2) * DAYS_PER_YEAR
    rows, notes, compile_seconds = [], [], {}
    policies = {"fixed 8 × 4": POLICY} | ({} if scale.quick else {"adaptive": Adaptive()})
    loops = {"nested": NESTED} | ({} if scale.quick else {"plain": PLAIN})
    for name, policy in policies.items():
        for loop, memory in loops.items():
            few, _ = _temporaries(short, policy, memory)
            many, seconds = _temporaries(long, policy, memory)
            target = TARGET if memory is NESTED else None
            rows.append(Row(f"memory, {long} / {short} days, {name}, {loop}", many / few, target))
            notes.append(f"{name}, {loop}: {many / COLUMNS / 1e6:.3g} MB a column over {long} days")
            compile_seconds[f"{name}, {loop}, with gradient"] = seconds
    notes.append(f"{COLUMNS} columns × {NODES} nodes; √2 = {math.sqrt(2):.2f} is the ideal")
    return Report(rows, notes, compile_seconds)


def _temporaries(days: int, policy: Policy, memory: AbstractMemory) -> tuple[int, float]:
    batch = columns.random_batch(COLUMNS, days, NODES)
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), batch)
    program, seconds = compiled(lambda b: columns.moisture_and_gradient(b, policy, memory), shapes)
    analysis = program.memory_analysis()
    if analysis is None:
        raise RuntimeError("this backend does not say how much memory a program needs")
    return analysis.temp_size_in_bytes, seconds
