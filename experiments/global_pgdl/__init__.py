"""Study A: physics-guided networks in regions of the globe (Xi & Zhuang 2026)."""

from experiments.global_pgdl.outcome import Outcome
from experiments.global_pgdl.predict import predict
from experiments.global_pgdl.preset import PRESETS, Preset, read_preset
from experiments.global_pgdl.start import run

__all__ = ["PRESETS", "Outcome", "Preset", "predict", "read_preset", "run"]
