"""Rows: whoever walks beside whom, every column gets what it would get alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.soil.richards.rows import Way, in_sorted_rows, lanes_for, pick, through_lanes


def collatz(start: int) -> tuple[int, int]:
    """Count the steps to 1 and find the highest number on the way."""
    steps, highest = 0, start
    while start != 1:
        start = start // 2 if start % 2 == 0 else 3 * start + 1
        steps, highest = steps + 1, max(highest, start)
    return steps, highest


def way_of(starts) -> Way:
    """Walk Collatz sequences: very uneven work, and columns that have arrived on entering."""
    columns = starts.shape[-1]

    def enter(number):
        here = pick(starts, number, columns)
        return here, jnp.zeros_like(here), jnp.stack([here, here])

    def trip(setting, number, walk, visits):
        here, steps, highest = walk
        moving = here != 1
        following = jnp.where(here % 2 == 0, here // 2, 3 * here + 1)
        visits = visits.at[jnp.where(moving, number, columns)].add(setting, mode="drop")
        here = jnp.where(moving, following, here)
        return (here, steps + jnp.where(moving, 1, 0), jnp.maximum(highest, here[None])), visits

    return Way(
        enter=enter,
        setting=lambda number: pick(jnp.ones_like(starts), number, columns),
        trip=trip,
        busy=lambda walk: walk[0] != 1,
        arrival=lambda walk: {"steps": walk[1], "highest": walk[2]},
    )


@pytest.mark.parametrize("columns", [1, 2, 31, 32, 33, 257, 1000])
def test_every_column_arrives_where_it_would_alone(columns):
    starts = jnp.arange(1, columns + 1)
    walked = jax.jit(lambda s: through_lanes(columns, way_of(s), jnp.zeros_like(s)))
    arrived, visits = walked(starts)
    expected = np.array([collatz(n) for n in range(1, columns + 1)])
    np.testing.assert_array_equal(arrived["steps"], expected[:, 0])
    np.testing.assert_array_equal(arrived["highest"], np.stack([expected[:, 1]] * 2))
    np.testing.assert_array_equal(visits, expected[:, 0])


def test_a_hard_column_does_not_hold_up_the_others():
    """One column with 300 trips among easy ones: the row does not make 300 trips per rowful."""
    work = jnp.full(1024, 4).at[5].set(300)

    def way(counter):
        return Way(
            enter=lambda number: pick(work, number, 1024),
            setting=lambda _: counter,
            trip=lambda one, _, walk, trips: (walk - 1, trips + one),
            busy=lambda walk: walk > 0,
            arrival=lambda walk: walk,
        )

    _, trips = through_lanes(1024, way(jnp.ones((), jnp.int32)), jnp.zeros((), jnp.int32))
    assert 300 <= int(trips) < 320


@pytest.mark.parametrize("columns", [1, 33, 257])
def test_sorted_rows_join_what_has_columns_and_add_what_has_not(columns):
    work = jnp.asarray(np.random.default_rng(3).integers(0, 9, columns))
    thing = jnp.arange(3.0 * columns).reshape(3, columns)

    def walk(chosen):
        mine = jnp.where(chosen < columns, pick(thing, chosen, columns), 0.0)
        return 2.0 * mine, jnp.sum(mine, axis=-1, keepdims=True)

    doubled, total = jax.jit(lambda: in_sorted_rows(work, walk))()
    np.testing.assert_array_equal(doubled, 2.0 * thing)
    np.testing.assert_allclose(total, jnp.sum(thing, axis=-1, keepdims=True), rtol=1e-6)


def test_rows_are_narrow_on_a_cpu():
    assert [lanes_for(n) for n in (1, 20, 100, 400, 10_000)] == [1, 20, 32, 50, 64]
