"""`diffhydro demo`: a verified column, gradients, a calibration, a world, and a study of it."""

from diffhydro.app.demo.run import run_demo

__all__ = ["run_demo"]
