"""Batches: windows through time of fixed shape, in an order that can be resumed."""

from diffhydro.data.batches.batch import Batch, stack
from diffhydro.data.batches.epochs import (
    START,
    AbstractBatches,
    AbstractOrder,
    Batches,
    ClusteredBatches,
    InOrder,
    Position,
    Shuffled,
    stream,
)
from diffhydro.data.batches.prefetch import prefetch
from diffhydro.data.batches.source import Source
from diffhydro.data.batches.windows import Cut, Windows

__all__ = [
    "START",
    "AbstractBatches",
    "AbstractOrder",
    "Batch",
    "Batches",
    "ClusteredBatches",
    "Cut",
    "InOrder",
    "Position",
    "Shuffled",
    "Source",
    "Windows",
    "prefetch",
    "stack",
    "stream",
]
