"""The version, kept alone so that packaging and `diffhydro --version` read it without jax."""

__version__ = "0.1.0.dev0"
