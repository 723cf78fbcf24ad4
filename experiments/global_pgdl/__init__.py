"""Study A: physics-guided networks in regions of the globe (Xi & Zhuang 2026)."""

from experiments.global_pgdl.predict import predict
from experiments.global_pgdl.preset import PRESETS, Preset, read_preset
from experiments.global_pgdl.start import run
from experiments.global_pgdl.study import Outcome

__all__ = ["PRESETS", "Outcome", "Preset", "predict", "read_preset", "run"]
