"""What a gradient costs, in units of the forward run it belongs to.

The gradient is that of the mean soil moisture over columns, days and depth, for every soil
parameter and every day's forcing, with the value, as training uses it.
"""

from benchmarks import columns
from benchmarks.forward import CHUNK, NODES, POLICY
from benchmarks.harness import Report, Row, Scale, compiled, take_turns
from diffhydro.soil.richards.adaptive import Adaptive

TARGET = 2.2


def measure(scale: Scale) -> Report:
    batch = columns.random_batch(scale.pick(1024, 512), scale.pick(365, 40), NODES)
    parts = batch.parts(CHUNK)
    rows, notes, compile_seconds = [], [], {}
    for name, policy in {"fixed 8 × 4": POLICY, "adaptive": Adaptive()}.items():
        forward, first = compiled(lambda b, p=policy: columns.simulate(b, p), parts[0])
        both, second = compiled(lambda b, p=policy: columns.moisture_and_gradient(b, p), parts[0])
        times = take_turns(
            len(parts),
            {
                "forward": lambda turn, run=forward: run(parts[turn]),
                "both": lambda turn, run=both: run(parts[turn]),
            },
        )
        rows.append(
            Row(f"(forward + gradient) / forward, {name}", times.ratio("both", "forward"), TARGET)
        )
        work = CHUNK * batch.days
        notes.append(
            f"{name}: {work / times.median('forward'):,.0f} column-days/s forward, "
            f"{work / times.median('both'):,.0f} with the gradient"
        )
        compile_seconds |= {f"{name}, forward": first, f"{name}, with gradient": second}
    notes.append(f"{batch.columns} columns × {batch.days} days × {NODES} nodes, {CHUNK} a call")
    return Report(rows, notes, compile_seconds)
