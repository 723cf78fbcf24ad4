"""The worked examples of the equation sheet: one list of inputs and outputs per process."""

import json
from pathlib import Path

import numpy as np
import pytest

_FILE = Path(__file__).parent / "data" / "physics_examples.json"
PROCESSES = json.loads(_FILE.read_text(encoding="utf-8"))["processes"]
# Printed with ten digits. Single precision: the sheet asks for 1e-4.
RTOL = {"float64": 1e-6, "float32": 1e-4}


def examples(process: str):
    """Parametrise a test over the examples of a process, in both precisions.

    The test gets `example` (inputs), `expected` (outputs) and `dtype`; each is named in its id.
    """
    rows = [
        pytest.param(e["inputs"], e["outputs"], np.dtype(dtype), id=f"{process}-{number}-{dtype}")
        for number, e in enumerate(PROCESSES[process])
        for dtype in RTOL
    ]
    return pytest.mark.parametrize(("example", "expected", "dtype"), rows)


def assert_agrees(found, wanted, dtype, *, scale: float = 0.0) -> None:
    """Assert agreement to the tolerance of the dtype.

    Args:
        scale: Size of what the number was made from, where it is a difference or can be zero; the
            tolerance is then that share of it.
    """
    found = np.asarray(found)
    assert found.dtype == dtype, f"computed in {found.dtype}, not {dtype}"
    rtol = RTOL[np.dtype(dtype).name]
    np.testing.assert_allclose(found.astype(float), wanted, rtol=rtol, atol=rtol * scale)
