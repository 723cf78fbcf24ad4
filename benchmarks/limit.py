"""How near the solver comes to the speed its elementary functions allow.

One Newton iteration on one node of a van Genuchten–Mualem soil needs, whatever the program:

    a = n ln(αh)                        1 log
    t = e^(−|a|)                        1 exp
    ln(1 + t)                           1 log1p      → ln S_e, and y = −ln(1 − S_e^(1/m))^m
    F = 1 − e^(−y),  1 − F = e^(−y)     1 expm1, 1 exp
    S_e = e^(ln S_e)                    1 exp
    S_e^l = e^(l ln S_e)                1 exp

seven in all, and three divisions: 1/(1 + t), (n − 1)/h, and Thomas' pivot. Divisions by what does
not change (distances, n) count as multiplications, which count nothing. The limit is a program that
does these and nothing else, each at the price of plain `jnp` in this run.

The package writes log1p and expm1 as short polynomials in float32. The third figure therefore
prices those two as one exp each, which makes the limit harder; it has no target.
"""

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks import columns
from benchmarks.forward import CHUNK, ITERATIONS, NODES, POLICY, SUBSTEPS
from benchmarks.harness import Report, Row, Scale, Times, compiled, take_turns
from diffhydro.typing import Array

TARGET = 0.45
COUNTS = {"log": 1, "exp": 4, "log1p": 1, "expm1": 1}
DIVISIONS = 3
ROUNDS = 2000  # applications of one function in one timing


def measure(scale: Scale) -> Report:
    batch = columns.random_batch(CHUNK, scale.pick(60, 30), NODES)
    solver, seconds = compiled(lambda b: columns.simulate(b, POLICY), batch)
    field = jnp.linspace(0.2, 2.0, NODES * CHUNK, dtype=jnp.float32).reshape(NODES, CHUNK)
    loops = {name: compiled(_repeated(function), field)[0] for name, function in _MAPS.items()}
    programs = {"solver": lambda _: solver(batch)}
    programs |= {name: lambda _, loop=loop: loop(field) for name, loop in loops.items()}
    times = take_turns(scale.pick(9, 5), programs)

    prices = {name: times.median(name) / (ROUNDS * field.size) * 1e9 for name in loops}
    iterations = CHUNK * batch.days * NODES * SUBSTEPS * ITERATIONS
    spent = times.median("solver") / iterations * 1e9
    functions = sum(count * prices[name] for name, count in COUNTS.items())
    divisions = DIVISIONS * prices["divide"]
    lean = COUNTS["log"] * prices["log"] + (sum(COUNTS.values()) - 1) * prices["exp"]
    rows = [
        Row("rate reached / allowed by 7 transcendentals", functions / spent, TARGET, True),
        Row("the same, and 3 divisions", (functions + divisions) / spent, TARGET, True),
        Row("the same, log1p and expm1 at the price of exp", (lean + divisions) / spent),
    ]
    return Report(rows, [_prices(prices, times), _counts(spent)], {"fixed, forward": seconds})


def _repeated(function):
    """Apply a map of the interval near 1 into itself, over and over, to an array in cache."""

    def loop(field: Array) -> Array:
        return lax.fori_loop(0, ROUNDS, lambda _, x: function(x), field)

    return loop


_MAPS = {
    "log": lambda x: 2.0 + jnp.log(x),
    "exp": lambda x: jnp.exp(-x),
    "log1p": lambda x: 0.5 + jnp.log1p(x),
    "expm1": lambda x: 0.5 - jnp.expm1(-x),
    "divide": lambda x: 1.0 / (0.5 + x),
}


def _prices(prices: dict[str, float], times: Times) -> str:
    parts = ", ".join(f"{name} {price:.2f}" for name, price in prices.items())
    spread = max(times["solver"]) / times.least("solver")
    return f"ns per element: {parts}; slowest over fastest turn of the solver {spread:.2f}"


def _counts(spent: float) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in COUNTS.items())
    backend = jax.default_backend()
    return (
        f"counted per node-iteration: {counts}, {DIVISIONS} divisions; "
        f"the solver takes {spent:.1f} ns ({CHUNK} columns a call, {backend})"
    )
