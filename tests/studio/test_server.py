"""What a holder of the token can do on the stand-alone page, what anybody else can, and when it ends."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

pytest.importorskip("voila")

from tenancykit.studio.server import LEFT_ALONE

TOKEN = "only-for-this-test"  # noqa: S105 - a server on loopback that lives for one test


@dataclass
class Served:
    """A studio served by a process of its own."""

    port: int
    parent: subprocess.Popen[bytes]
    log: Path

    def ask(self, path: str, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - as above
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


START = """
import sys
from tenancykit.studio import serve
serve.secrets.token_urlsafe = lambda _: {token!r}
sys.exit(serve.serve({port}, False, scenario="saas-inference", sessions=1))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("studio")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log: IO[bytes]
    with (folder / "log").open("wb") as log:
        text = START.format(token=TOKEN, port=port)
        parent = subprocess.Popen([sys.executable, "-c", text], stdout=log, stderr=log, cwd=folder)
    found = Served(port, parent, folder / "log")
    end = time.monotonic() + 120
    while time.monotonic() < end and "Studio:" not in found.log.read_text():
        time.sleep(0.2)
    yield found
    parent.kill()
    parent.wait()


def test_the_server_is_what_its_token_its_host_and_its_limit_say(served: Served) -> None:
    assert served.ask("/", Host="evil.example.com")[0] == 403
    assert "tenancykit" not in served.ask("/")[1]
    assert served.ask("/api/kernels/00000000-0000-0000-0000-000000000000")[0] in (403, 404)
    with ThreadPoolExecutor(3) as visitors:
        came = sorted(visitors.map(served.ask, [f"/?token={TOKEN}"] * 3))
    assert [status for status, _ in came] == [200, 503, 503], "visitors of one moment are counted"
    page = came[0][1]
    kernel = re.search(r'"kernelId":\s*"([0-9a-f-]{36})"', page)
    assert kernel is not None
    run_code(served, kernel[1])
    status, full = served.ask(f"/?token={TOKEN}")
    assert status == 503
    assert "The studio is full" in full
    assert "1 page is open" in full
    end = time.monotonic() + 12 * LEFT_ALONE.total_seconds()  # a busy machine is slow to leave a kernel quiet
    while status == 503 and time.monotonic() < end:
        time.sleep(2)
        status, _ = served.ask(f"/?token={TOKEN}")
    assert status == 200, "a page that was closed without a word gives up its place"
    for path in ("/no/such/page", "/api/contents", "/lab", "/apple-touch-icon.png"):
        assert served.ask(f"{path}?token={TOKEN}")[0] == 404, "no page is opened for what is none"
    logged = [line for line in served.log.read_text().splitlines() if not line.startswith("Studio:")]
    assert TOKEN not in "\n".join(logged)


def run_code(served: Served, kernel: str) -> None:
    """Try to run code in a page's kernel with the token; nothing may happen."""
    websocket = pytest.importorskip("websocket", reason="needs a websocket client")
    victim = served.log.parent / "ran"
    address = f"ws://127.0.0.1:{served.port}/api/kernels/{kernel}/channels?token={TOKEN}"
    line = websocket.create_connection(address, timeout=20, origin=f"http://127.0.0.1:{served.port}")
    header = {"msg_id": "1", "username": "", "session": "s", "version": "5.3"}
    for kind, content in (
        ("execute_request", {"code": f"open({str(victim)!r}, 'w').close()", "silent": False, "store_history": False,
                             "user_expressions": {}, "allow_stdin": False}),
        ("complete_request", {"code": "x", "cursor_pos": 1}),
        ("inspect_request", {"code": f"open({str(victim)!r}, 'w')", "cursor_pos": 5, "detail_level": 0}),
    ):  # fmt: skip
        message = {"header": {**header, "msg_type": kind}, "parent_header": {}, "metadata": {}, "content": content}
        line.send(json.dumps({**message, "channel": "shell", "buffers": []}))
    time.sleep(3)
    line.close()
    assert not victim.exists()


def test_the_server_and_its_kernels_end_with_the_parent_however_it_dies(served: Served) -> None:
    children = _below(served.parent.pid)
    assert children
    served.parent.send_signal(signal.SIGKILL)
    served.parent.wait()
    end = time.monotonic() + 60
    while time.monotonic() < end and any(_alive(pid) for pid in children):
        time.sleep(0.5)
    assert [pid for pid in children if _alive(pid)] == []


def _below(parent: int) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(told[1]) == parent:
            child = int(entry.parent.name)
            found += [child, *_below(child)]
    return found


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
