"""The downloader against a server of this machine that behaves as badly as servers do."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from diffhydro.data.fetch import fetch_uscrn, list_uscrn
from diffhydro.data.readers.uscrn.daily import read_uscrn
from diffhydro.errors import InputError

SITE = "KS_Manhattan_6_SSW"
QUICK = (0.0, 0.0, 0.0)
LINE = (
    "53974 {day:%Y%m%d}  2.402  -96.61   39.10     8.1    -2.6     2.7     2.8     0.0     9.77 R"
    "    12.0    -4.1     2.4    74.7    26.4    50.2   0.371   0.405   0.473 -99.000 -99.000"
    "     3.8     4.3     4.8     6.8 -9999.0\n"
)


def year_of(year=2012, days=366):
    return "".join(
        LINE.format(day=date(year, 1, 1) + timedelta(days=i)) for i in range(days)
    ).encode()


class Server:
    """Files, how they are served, and what was asked for."""

    def __init__(self):
        self.files, self.asked, self.tags = {}, [], {}
        self.troubles = []  # one for each of the next requests of a file
        self.heeds_conditions = True
        self.has_ranges, self.says_length, self.pause = True, True, 0.0
        self.says_modified = "Sat, 01 Jan 2022 00:00:00 GMT"

    def put(self, year, site, content, tag='"one"'):
        path = f"/{year}/CRND0103-{year}-{site}.txt"
        self.files[path], self.tags[path] = content, tag
        return path

    def listing(self, path):
        year = path.strip("/")
        names = [p.rsplit("/", 1)[1] for p in self.files if p.startswith(f"/{year}/")]
        return "".join(f'<a href="{n}">{n}</a>' for n in ["../", "x.txt", *names]) if names else ""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self.answer(is_head=True)

        def do_GET(self):
            self.answer(is_head=False)

        def answer(self, is_head):
            wanted = self.headers.get("Range")
            state.asked.append((self.command, self.path, wanted))
            if self.path.endswith("/"):
                return self.page(200 if state.listing(self.path) else 404, state.listing(self.path))
            trouble = state.troubles.pop(0) if state.troubles and not is_head else None
            if isinstance(trouble, int):
                return self.page(trouble, "trouble")
            if trouble == "html":
                return self.page(200, "<html>Down for maintenance</html>")
            if self.path not in state.files:
                return self.page(404, "not here")
            return self.file(wanted, trouble, is_head)

        def page(self, code, text):
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def file(self, wanted, trouble, is_head):
            content, tag = state.files[self.path], state.tags[self.path]
            start, condition = 0, self.headers.get("If-Range")
            if not state.heeds_conditions:
                condition = None
            if wanted and state.has_ranges and condition in (None, tag, state.says_modified):
                start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            if start > len(content):
                return self.page(416, "")
            body = content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                )
            if state.says_length:
                said = len(body) + {"more": 500, "less": -100}.get(trouble, 0)
                self.send_header("Content-Length", str(said))
            if tag:
                self.send_header("ETag", tag)
            self.send_header("Last-Modified", state.says_modified)
            self.end_headers()
            if is_head:
                return None
            if trouble == "drop":
                body = body[: len(body) // 2]
            for at in range(0, len(body), 8192):
                self.wfile.write(body[at : at + 8192])
                time.sleep(state.pause)
            self.close_connection = True
            return None

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *_: None  # a client that hangs up
    state.base = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def fetch(server, folder, sites=SITE, years=2012, **options):
    return fetch_uscrn(sites, years, folder, base=server.base, waits=QUICK, **options)


def names(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_comes_whole_and_is_not_asked_for_again(server, tmp_path):
    content = year_of()
    server.put(2012, SITE, content)
    told = []
    (path,) = fetch(server, tmp_path, progress=lambda *all_of_it: told.append(all_of_it))
    assert path == tmp_path / "2012" / f"CRND0103-2012-{SITE}.txt"
    assert path.read_bytes() == content
    assert told[-1] == (path.name, len(content), len(content))
    assert names(tmp_path) == [path.name]
    assert len(server.asked) == 1
    assert fetch(server, tmp_path) == [path]
    assert len(server.asked) == 1
    assert read_uscrn(tmp_path)["temperature"][0, 0].item() == np.float32(2.8)


def test_a_dropped_connection_is_continued(server, tmp_path):
    content = year_of()
    server.put(2012, SITE, content)
    server.troubles = ["drop", "drop"]
    (path,) = fetch(server, tmp_path)
    assert path.read_bytes() == content
    ranges = [wanted for _, _, wanted in server.asked]
    half = len(content) // 2
    assert ranges == [None, f"bytes={half}-", f"bytes={half + (len(content) - half) // 2}-"]


@pytest.mark.parametrize("tag", ['"one"', 'W/"weak"', ""])
def test_the_next_run_continues_and_a_changed_file_begins_anew(server, tmp_path, tag):
    server.put(2012, SITE, year_of(), tag)
    server.troubles = ["drop", 500, 500, 500]
    with pytest.raises(InputError, match=r"refuses .*500"):
        fetch(server, tmp_path)
    part = f"CRND0103-2012-{SITE}.txt.part"
    assert names(tmp_path) == [part, f"{part}.tag"]
    changed = year_of().replace(b"  9.77 R", b"  8.77 R")
    server.put(2012, SITE, changed, tag.replace("one", "two").replace("weak", "meek"))
    server.says_modified = "Sun, 02 Jan 2022 00:00:00 GMT"
    (path,) = fetch(server, tmp_path)
    assert path.read_bytes() == changed
    assert names(tmp_path) == [path.name]


def test_a_server_that_ignores_conditions_is_seen_through(server, tmp_path):
    server.put(2012, SITE, year_of())
    server.troubles = ["drop", 503, 503, 503]
    with pytest.raises(InputError, match="503"):
        fetch(server, tmp_path)
    changed = year_of().replace(b"  9.77 R", b"  8.77 R")
    server.put(2012, SITE, changed, '"two"')
    server.heeds_conditions = False  # sends a part of what is another file now
    (path,) = fetch(server, tmp_path)
    assert path.read_bytes() == changed
    assert [wanted is None for _, _, wanted in server.asked[-2:]] == [False, True]


def test_servers_without_ranges_or_lengths(server, tmp_path):
    server.put(2012, SITE, year_of())
    server.has_ranges = server.says_length = False
    server.troubles = [500, 503]
    (path,) = fetch(server, tmp_path)
    assert path.read_bytes() == year_of()


@pytest.mark.parametrize("trouble", ["more", "less"])
def test_a_length_that_is_a_lie(server, tmp_path, trouble):
    server.put(2012, SITE, year_of())
    server.troubles = [trouble] * 10
    match = "could not be read in 4 tries" if trouble == "more" else "cut short"
    with pytest.raises(InputError, match=match):
        fetch(server, tmp_path)
    assert not list(tmp_path.rglob("*.txt"))
    server.troubles = []
    assert fetch(server, tmp_path)[0].read_bytes() == year_of()


def test_web_pages_and_other_content_are_thrown_away(server, tmp_path):
    server.put(2012, SITE, year_of())
    server.troubles = ["html"]
    with pytest.raises(InputError, match="sent a web page"):
        fetch(server, tmp_path)
    assert names(tmp_path) == []
    for content, match in (
        (year_of(2013, 365), "expected YYYYMMDD in 2012"),
        (year_of().replace(b" 2.402 ", b" "), "has 27 fields"),
        (year_of()[:-20], "in the middle of a line"),
        (year_of(days=3) + year_of(days=1), "2012-01-01 after 2012-01-03"),
    ):
        server.put(2012, SITE, content)
        with pytest.raises(InputError, match=match):
            fetch(server, tmp_path)
        assert names(tmp_path) == []


def test_a_site_that_is_not_there_has_neighbours_and_stops_nobody(server, tmp_path):
    server.put(2012, SITE, year_of())
    server.put(2013, SITE, year_of(2013, 365))
    server.put(2013, "OK_Stillwater_2_W", year_of(2013, 365))
    with pytest.raises(InputError) as error:
        fetch(server, tmp_path, ["KS_Manhatan_6_SSW", "OK_Stillwater_2_W"], [2012, 2013])
    said = str(error.value)
    assert f"KS_Manhatan_6_SSW in 2012 (near: {SITE})" in said
    assert "OK_Stillwater_2_W in 2012" in said
    assert "1 others are here" in said
    assert names(tmp_path) == ["CRND0103-2013-OK_Stillwater_2_W.txt"]
    with pytest.raises(InputError, match="folder cannot be listed"):
        fetch(server, tmp_path, SITE, 2019)


def test_wildcards_are_what_the_server_lists(server, tmp_path):
    for site in (SITE, "OK_Stillwater_2_W", "OK_Stillwater_5_WNW"):
        server.put(2012, site, year_of())
    server.put(2013, "OK_Stillwater_5_WNW", year_of(2013, 365))
    assert list_uscrn(2012, base=server.base) == [SITE, "OK_Stillwater_2_W", "OK_Stillwater_5_WNW"]
    found = fetch(server, tmp_path, "OK_*", [2012, 2013])
    assert [path.name[9:-4] for path in found] == [
        "2012-OK_Stillwater_2_W", "2012-OK_Stillwater_5_WNW", "2013-OK_Stillwater_5_WNW",
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"no site is like NM_\* in 2012"):
        fetch(server, tmp_path, "NM_*")
    with pytest.raises(InputError, match="no folder for 2019"):
        fetch(server, tmp_path, "OK_*", 2019)


def test_a_year_that_goes_on_is_asked_about_by_its_length(server, tmp_path):
    server.put(2012, SITE, year_of(days=100))
    (path,) = fetch(server, tmp_path)
    fetch(server, tmp_path)
    assert [command for command, _, _ in server.asked] == ["GET", "HEAD"]
    server.put(2012, SITE, year_of(days=120))
    fetch(server, tmp_path)
    assert path.read_bytes() == year_of(days=120)


def test_a_damaged_file_is_replaced(server, tmp_path):
    server.put(2012, SITE, year_of())
    (path,) = fetch(server, tmp_path)
    path.write_bytes(year_of()[:1000])
    assert fetch(server, tmp_path)[0].read_bytes() == year_of()


@pytest.mark.slow
def test_killed_half_way_nothing_is_under_the_name_and_the_rest_comes_later(server, tmp_path):
    server.put(2012, SITE, year_of())
    server.pause = 0.5
    code = (
        "import sys; from pathlib import Path; from diffhydro.data.fetch import fetch_uscrn\n"
        "fetch_uscrn(sys.argv[1], 2012, Path(sys.argv[2]), base=sys.argv[3])"
    )
    child = subprocess.Popen([sys.executable, "-c", code, SITE, str(tmp_path), server.base])
    part = tmp_path / "2012" / f"CRND0103-2012-{SITE}.txt.part"
    deadline = time.monotonic() + 60.0
    while not (part.is_file() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    here = part.stat().st_size
    assert 0 < here < len(year_of())
    assert names(tmp_path) == [part.name, f"{part.name}.tag"]
    server.pause = 0.0
    (path,) = fetch(server, tmp_path)
    assert server.asked[-1][2] == f"bytes={here}-"
    assert path.read_bytes() == year_of()


def test_arguments_are_checked_before_anything_is_asked(server, tmp_path):
    for sites, years, match in (
        ("../../etc/passwd", 2012, "is no name of a site"),
        ([], 2012, "nothing to fetch"),
        (SITE, [], "nothing to fetch"),
        (SITE, 1012, "began in 2000"),
    ):
        with pytest.raises(InputError, match=match):
            fetch(server, tmp_path, sites, years)
    assert server.asked == []
    with pytest.raises(InputError, match="no address of the web"):
        fetch_uscrn(SITE, 2012, tmp_path, base="file:///tmp", waits=())
    server.put(2012, SITE, year_of())
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made a folder"):
        fetch(server, tmp_path / "file")


def test_a_server_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(InputError, match="in 2 tries"):
        fetch_uscrn(SITE, 2012, tmp_path, base="http://127.0.0.1:9", waits=(0.0,))
