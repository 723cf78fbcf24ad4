"""Array aliases and the vocabulary of axes.

Arrays are annotated with their axes, `Float[Array, "time layer"]`. One word per axis, the same in
prose, in xarray dimensions and in annotations:

| axis      | what it counts                                    |
| --------- | ------------------------------------------------- |
| `member`  | models of an ensemble                             |
| `site`    | columns of soil, gauges, pixels used as columns   |
| `time`    | steps                                             |
| `layer`   | cells of a column, downward                       |
| `face`    | interfaces of those cells; one more than `layer`  |
| `feature` | attributes or network channels                    |
| `y`, `x`  | rows and columns of a map                         |

The order is `member, site, time, layer, feature`. A function that needs another order says so.
"""

from jaxtyping import Array, ArrayLike, Bool, Float, Int, Key, PyTree, Scalar

__all__ = ["Array", "ArrayLike", "Bool", "Float", "Int", "Key", "PyTree", "Scalar"]
