"""A class on one hub: participants log in, start their servers and pass exercise 1's check; memory for each.

Needs the extra ``class`` and its proxy; says so and passes where they are missing. ``--participants 20`` for a whole
class; all arrive at once, as when a trainer says "now".
"""

from __future__ import annotations

import argparse
import asyncio
import http.cookiejar
import importlib.util
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

PATIENCE: Final = 3600
"""Seconds to wait for a server, and for the answer of a check: the machine may be busy with other work."""

CHECK = """
import tenancykit as tk
from tenancykit.studio import workshop
study = tk.compare(tk.load_scenario("ml-platform"))
safest = max((e for e in study.order if study.rank(e.id)), key=lambda e: e.scores["isolation"].value)
print("passed" if workshop.check(1, {"first": study.best.id, "safest": safest.id}).passed else "not passed")
"""


class Participant:
    """One browser's worth of HTTP: cookies, the XSRF token, a kernel."""

    def __init__(self, base: str, name: str, password: str) -> None:
        self.base, self.name, self.password = base, name, password
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def _xsrf(self, path: str) -> str:
        fitting = [c for c in self.jar if c.name == "_xsrf" and path.startswith(c.path)]
        return max(fitting, key=lambda c: len(c.path)).value or "" if fitting else ""

    def ask(self, path: str, data: bytes | None = None, kind: str = "") -> tuple[int, str]:
        """Return status and body of a request."""
        headers = {"X-XSRFToken": self._xsrf(path), **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(self.base + path, data, headers)  # noqa: S310 - loopback
        try:
            with self.opener.open(request, timeout=600) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def start(self) -> None:
        """Log in and wait until one's own server answers."""
        for _ in range(10):
            self.ask("/hub/login")
            form = {"username": self.name, "password": self.password, "_xsrf": self._xsrf("/hub/login")}
            self.ask("/hub/login?next=", urllib.parse.urlencode(form).encode())
            if any(c.name == "jupyterhub-hub-login" for c in self.jar):
                break
            time.sleep(2)
        self.ask(f"/hub/spawn/{self.name}")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.ask(f"/user/{self.name}/lab")
            status, body = self.ask(f"/user/{self.name}/api/status")
            if status == 200 and body.startswith("{"):
                return
            time.sleep(3)
        raise TimeoutError(f"{self.name}'s server does not answer: {status} {body[:200]}")

    async def check(self) -> str:
        """Return what the participant's kernel prints for exercise 1."""
        from tornado.httpclient import HTTPRequest  # noqa: PLC0415 - comes with the extra
        from tornado.websocket import websocket_connect  # noqa: PLC0415 - as above

        root = f"/user/{self.name}/api/kernels"
        status, body = await asyncio.to_thread(self.ask, root, b"{}", "application/json")
        assert status == 201, body[:300]
        path = f"{root}/{json.loads(body)['id']}/channels"
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.jar if path.startswith(c.path))
        address = self.base.replace("http", "ws", 1) + path
        socket_ = await websocket_connect(HTTPRequest(address, headers={"Cookie": cookies}))
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": "s",
            "version": "5.3",
        }
        content = {"code": CHECK, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await socket_.write_message(json.dumps(message))
        printed = ""
        while True:
            told: Any = json.loads(await asyncio.wait_for(socket_.read_message(), PATIENCE) or "{}")  # type: ignore[arg-type]
            if told.get("parent_header", {}).get("msg_id") != header["msg_id"]:
                continue
            if told["msg_type"] == "stream":
                printed += told["content"]["text"]
            if told["msg_type"] == "error":
                printed += f"{told['content']['ename']}: {told['content']['evalue']}"
            if told["msg_type"] == "execute_reply":
                return printed.strip()


def is_passed(printed: str) -> bool:
    """Return whether the check passed; other programs' words may stand before it: a kernel's ports take any visitor."""
    return printed.splitlines()[-1:] == ["passed"]


def memory_of(root: int, is_theirs: Callable[[str], bool]) -> tuple[float, float]:
    """Return the memory in MiB (Pss) of the processes below one whose command lines are theirs, and of the others."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
    below, more = {root}, True
    while more:
        found = {pid for pid, parent in parents.items() if parent in below} - below
        below |= found
        more = bool(found)
    theirs = others = 0.0
    for pid in below:
        try:
            size = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
            line = Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            continue
        mib = int(size[1]) / 1024 if size else 0.0
        if is_theirs(line):
            theirs += mib
        else:
            others += mib
    return theirs, others


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


async def attend(people: list[Participant], hub: int) -> dict[str, Any]:
    """Return how long each took from the log-in to a passed check, and the memory when all have."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(people)))

    async def one(person: Participant) -> tuple[float, str]:
        start = time.monotonic()
        await asyncio.to_thread(person.start)
        return time.monotonic() - start, await person.check()

    start = time.monotonic()
    found = await asyncio.gather(*(one(person) for person in people))
    theirs, others = memory_of(hub, lambda line: "singleuser" in line or "ipykernel" in line)
    return {
        "participants": len(people),
        "passed": sum(is_passed(printed) for _, printed in found),
        "others": [printed[-200:] for _, printed in found if not is_passed(printed)][:3],
        "seconds_all": round(time.monotonic() - start, 1),
        "seconds_to_server_worst": round(max(seconds for seconds, _ in found), 1),
        "mib_each": round(theirs / len(people), 1),
        "mib_hub_and_proxy": round(others, 1),
    }


def main() -> None:
    """Serve a class, attend it, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="the only form there is")
    options = parser.parse_args()
    if importlib.util.find_spec("jupyterhub") is None:
        print(json.dumps({"benchmark": "class_hub", "skipped": "pip install 'tenancykit[class]'"}))
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tenancykit", "lab", "--class", str(options.participants), "--folder", folder,
                   "--port", str(port)]  # fmt: skip
        hub = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert hub.stdout is not None
        try:
            seats: dict[str, str] = {}
            for line in hub.stdout:
                if seat := re.fullmatch(r"(participant-\d+)\s+(\S+)\n", line):
                    seats[seat[1]] = seat[2]
                if len(seats) == options.participants:
                    break
            people = [Participant(f"http://127.0.0.1:{port}", *seat) for seat in seats.items()]
            print(json.dumps({"benchmark": "class_hub", **asyncio.run(attend(people, hub.pid))}))
        finally:
            hub.terminate()
            hub.wait(600)


if __name__ == "__main__":
    main()
