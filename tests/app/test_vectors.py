"""Wide vectors: asked for once, never against the user, never from a jaxlib that was not tried."""

import os
import subprocess
import sys

import pytest

from diffhydro.app import vectors
from diffhydro.app.vectors import use_wide_vectors

FLAG = "--xla_cpu_prefer_vector_width=512"


def test_the_flag_joins_those_of_the_user(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    monkeypatch.setattr(vectors, "version", lambda _: "0.10.9")
    assert use_wide_vectors()
    assert os.environ["XLA_FLAGS"] == f"--xla_cpu_multi_thread_eigen=false {FLAG}"
    assert not use_wide_vectors()
    assert os.environ["XLA_FLAGS"].count(FLAG) == 1


@pytest.mark.parametrize(
    ("flags", "jaxlib"), [("--xla_cpu_prefer_vector_width=256", "0.10.2"), ("", "0.99.0")]
)
def test_the_user_and_unknown_versions_are_left_alone(monkeypatch, flags, jaxlib):
    monkeypatch.setenv("XLA_FLAGS", flags)
    monkeypatch.setattr(vectors, "version", lambda _: jaxlib)
    assert not use_wide_vectors()
    assert os.environ["XLA_FLAGS"] == flags


def test_this_jaxlib_accepts_what_is_asked_for():
    """XLA ends the process over a flag that it does not know."""
    script = (
        "import diffhydro as dh; dh.use_wide_vectors(); import jax; print(jax.numpy.ones(3).sum())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "3.0"
