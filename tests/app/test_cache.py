"""Compiled programs are kept where they should be, and only when they should be."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import jax
import pytest

import diffhydro as dh
from diffhydro.app import cache

OPTIONS = (
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
)
COMPILE = """
import sys, diffhydro as dh, jax, jax.monitoring
heard = []
jax.monitoring.register_event_listener(lambda event, **_: heard.append(event))
print(dh.enable_compilation_cache())
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.jit(lambda x: jax.numpy.sin(x) @ x)(jax.numpy.ones((3, 3))).block_until_ready()
print(sum(event.endswith("cache_hits") for event in heard))
"""


@pytest.fixture(autouse=True)
def _settings(monkeypatch):
    """Start from a clean environment and give jax its settings back."""
    for name in ("DIFFHYDRO_CACHE", "DIFFHYDRO_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    before = {option: getattr(jax.config, option) for option in OPTIONS}
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    for option, value in before.items():
        jax.config.update(option, value)


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, ".cache/diffhydro/xla"),
        ("linux", {"XDG_CACHE_HOME": "/elsewhere"}, "/elsewhere/diffhydro/xla"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, ".cache/diffhydro/xla"),
        ("darwin", {}, "Library/Caches/diffhydro/xla"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/diffhydro/xla"),
        ("win32", {}, "AppData/Local/diffhydro/xla"),
        ("linux", {"DIFFHYDRO_CACHE_DIR": "/mine"}, "/mine"),
    ],
)
def test_the_folder_is_the_platforms_own(monkeypatch, platform, environment, expected):
    monkeypatch.setattr(cache.sys, "platform", platform)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache.cache_folder() == Path.home() / expected


def test_enabling_sets_jax_and_makes_a_private_folder(tmp_path):
    folder = tmp_path / "new" / "xla"
    assert dh.enable_compilation_cache(folder) == folder
    assert jax.config.jax_compilation_cache_dir == str(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == []


def test_a_cache_chosen_in_jax_stays(tmp_path):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    assert dh.enable_compilation_cache() == tmp_path


@pytest.mark.parametrize("off", ["0", "false", "OFF", "no"])
def test_the_environment_switches_it_off(monkeypatch, tmp_path, off):
    monkeypatch.setenv("DIFFHYDRO_CACHE", off)
    assert dh.enable_compilation_cache(tmp_path / "xla") is None
    assert jax.config.jax_compilation_cache_dir is None
    assert not (tmp_path / "xla").exists()


def test_an_unwritable_folder_is_reported_once_and_left(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    assert dh.enable_compilation_cache(tmp_path / "file" / "xla") is None
    assert jax.config.jax_compilation_cache_dir is None
    [record] = caplog.records
    assert "without a cache" in record.getMessage()
    assert "\n" not in record.getMessage()


def test_the_report_reaches_stderr_without_any_logging_set_up(tmp_path):
    (tmp_path / "file").write_text("in the way")
    said = _python("import diffhydro as dh; dh.enable_compilation_cache()", tmp_path / "file" / "x")
    assert said.stdout == ""
    assert said.stderr.count("\n") == 1
    assert "without a cache" in said.stderr


@pytest.mark.slow
def test_a_second_process_reads_what_the_first_compiled(tmp_path):
    first, second = (_python(COMPILE, tmp_path / "xla") for _ in range(2))
    assert first.stdout.split() == [str(tmp_path / "xla"), "0"]
    folder, hits = second.stdout.split()
    assert folder == str(tmp_path / "xla")
    assert int(hits) > 0


def _python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"DIFFHYDRO_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
