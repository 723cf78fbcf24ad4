"""Reports of the Soil Climate Analysis Network and of SNOTEL."""

from diffhydro.data.readers.scan.reports import read_scan, read_scan_hourly

__all__ = ["read_scan", "read_scan_hourly"]
