"""`diffhydro train`, `tune`, `evaluate` and `predict`."""
