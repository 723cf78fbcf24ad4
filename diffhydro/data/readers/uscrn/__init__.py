"""The U.S. Climate Reference Network, by days, hours, and five minutes."""

from diffhydro.data.readers.uscrn.daily import looks_like_uscrn, read_uscrn
from diffhydro.data.readers.uscrn.hourly import (
    looks_like_uscrn_hourly,
    read_uscrn_hourly,
    read_uscrn_hourly_as_days,
)

__all__ = [
    "looks_like_uscrn",
    "looks_like_uscrn_hourly",
    "read_uscrn",
    "read_uscrn_hourly",
    "read_uscrn_hourly_as_days",
]
