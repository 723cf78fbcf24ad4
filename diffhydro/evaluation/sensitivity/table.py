"""Numbers by name, as text that stands in columns."""

from collections.abc import Mapping, Sequence

import numpy as np


def table(names: Sequence[str], columns: Mapping[str, np.ndarray]) -> str:
    """Return a table of four digits.

    >>> print(table(["a", "longer"], {"size": np.asarray([1.0, 0.000123456])}))
            size
    a          1
    longer  0.0001235
    """
    cells = {head: [f"{x + 0.0:.4g}" for x in column] for head, column in columns.items()}
    first = max(map(len, names))
    widths = {head: max(9, len(head), *map(len, column)) for head, column in cells.items()}
    lines = [" " * first + "".join(f"{head:>{width + 2}}" for head, width in widths.items())]
    for row, name in enumerate(names):
        numbers = (f"{cells[head][row]:>{width + 2}}" for head, width in widths.items())
        lines.append(f"{name:<{first}}" + "".join(numbers))
    return "\n".join(lines)
