"""The figure of a run: drawn from any table, and always the same file for the same one."""

import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.training.fit import History, draw_training
from diffhydro.training.fit.figure import _losses

pytest.importorskip("matplotlib")
COLUMNS = (
    "epoch", "step", "training.total", "training.misfit", "training.physics", "gradient",
    "rate.parameters", "rate.networks", "validation.total", "validation.misfit",
)  # fmt: skip


def table(members=0, epochs=30):
    rng = np.random.default_rng(0)
    rows = []
    for epoch in range(epochs):
        for i in range(max(members, 1)):
            loss = float(np.exp(-epoch / 8.0) + 0.02 + 0.01 * rng.random())
            held = None if epoch % 2 else loss + 0.0005 * (epoch - 18) ** 2
            rows.append(
                {
                    "epoch": epoch, "member": i, "step": epoch, "training.total": loss,
                    "training.misfit": 0.8 * loss, "training.physics": 0.2 * loss, "gradient": 1.0,
                    "rate.parameters": 0.01, "rate.networks": 0.001 * (1.0 - epoch / epochs),
                    "validation.total": held, "validation.misfit": held,
                }
            )  # fmt: skip
    columns = ("epoch", "member", *COLUMNS[1:]) if members else COLUMNS
    return History(columns, tuple({name: row[name] for name in columns} for row in rows))


@pytest.mark.parametrize("members", [0, 3])
def test_a_run_is_drawn(members, tmp_path):
    for name in ("one.png", "other.png"):
        draw_training(table(members), tmp_path / name)
    content = (tmp_path / "one.png").read_bytes()
    assert content[:4] == b"\x89PNG"
    assert content == (tmp_path / "other.png").read_bytes()


def test_the_shortest_run(tmp_path):
    draw_training(table(epochs=1), tmp_path / "short.png")


def test_what_is_drawn():
    assert _losses(table(), "validation.total") == [
        "validation.total", "training.total", "training.misfit", "training.physics",
    ]  # fmt: skip


def test_errors(tmp_path):
    with pytest.raises(InputError, match="no rows"):
        draw_training(History(COLUMNS), tmp_path / "a.png")
    with pytest.raises(InputError, match="no column skill"):
        draw_training(table(), tmp_path / "a.png", metric="skill")
    assert list(tmp_path.iterdir()) == []
