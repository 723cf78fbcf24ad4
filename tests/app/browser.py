"""A page as a phone shows it: opened in headless Chromium, in a frame of a phone's width."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

WIDTH, HEIGHT = 390, 844
_LOOKS = """
<script>
addEventListener("load", () => {
  const frame = document.getElementById("page"), inside = frame.contentDocument;
  const pictures = [...inside.images];
  const found = {
    pictures: pictures.length,
    broken: pictures.filter(one => !one.complete || one.naturalWidth === 0).length,
    mute: pictures.filter(one => !one.alt).length,
    wide: inside.documentElement.scrollWidth,
    smallest: Math.min(...[...inside.querySelectorAll("p, td, li")]
      .map(one => parseFloat(getComputedStyle(one).fontSize))),
    words: inside.body.innerText.length,
  };
  document.body.dataset.found = JSON.stringify(found);
});
</script>
"""


def chromium() -> str:
    """Give the program, or skip the test."""
    found = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    return found or pytest.skip("no Chromium is installed")


def look_at(page: Path, folder: Path) -> dict:
    """Open a page without a network, and say what is seen of it."""
    program = chromium()
    shown = html.escape(page.read_text(encoding="utf-8"), quote=True)
    frame = f'<iframe id="page" width="{WIDTH}" height="{HEIGHT}" srcdoc="{shown}"></iframe>'
    wrapper = folder / "wrapper.html"
    wrapper.write_text(f"<!doctype html><body>{frame}{_LOOKS}</body>", encoding="utf-8")
    words = [
        program, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        "--proxy-server=127.0.0.1:9", f"--user-data-dir={folder / 'profile'}",
        "--virtual-time-budget=20000", "--dump-dom", wrapper.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    said = re.search(r'data-found="([^"]*)"', done.stdout)
    assert said, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(html.unescape(said[1])) | {"console": console}


def assert_readable(page: Path, folder: Path, pictures: int) -> None:
    found = look_at(page, folder)
    assert found["console"] == []
    assert found["pictures"] == pictures
    assert found["broken"] == found["mute"] == 0
    assert found["wide"] <= WIDTH
    assert found["smallest"] >= 12.0
    assert found["words"] > 200
