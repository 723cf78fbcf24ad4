"""No worked example is left without a test."""

import re
from pathlib import Path

from tests.examples import PROCESSES

HERE = Path(__file__).parent


def test_every_process_is_tested():
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in HERE.rglob("test_*.py")
        if path != Path(__file__)
    )
    missing = [name for name in PROCESSES if not re.search(rf'"{name}"', text)]
    assert missing == []
