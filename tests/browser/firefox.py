"""Firefox over WebDriver BiDi, which Debian's Firefox speaks itself; Playwright drives only its own builds of it."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import pytest

create_connection = pytest.importorskip("websocket").create_connection

_PATIENCE: Final = 90.0


class Firefox:
    """One page of a headless Firefox, with what went wrong in it.

    Attributes:
        errors: errors on the console, and of scripts.
        requests: addresses asked for.
    """

    def __init__(self, program: str, profile: Path, port: int) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._numbers = itertools.count(1)
        self._socket: Any = None
        command = [
            program,
            "--headless",
            "--no-remote",
            "--remote-debugging-port",
            str(port),
            "--profile",
            str(profile),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._socket = self._connected(f"ws://127.0.0.1:{port}/session")
        except Exception:
            self.close()
            raise
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self._page = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def _connected(self, address: str) -> Any:
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                return create_connection(address, timeout=_PATIENCE, suppress_origin=True)
            except OSError:  # it does not listen yet
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.3)

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a command and return its result; what happens meanwhile is noted."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == number:
                assert told["type"] == "success", told
                return told["result"]
            self._note(told.get("method"), told.get("params", {}))

    def _note(self, event: str | None, told: dict[str, Any]) -> None:
        if event == "network.beforeRequestSent":
            self.requests.append(told["request"]["url"])
        elif event == "log.entryAdded" and told["level"] == "error":
            self.errors.append(str(told["text"]))

    def go(self, address: str) -> None:
        """Open an address and wait until the page has loaded."""
        self.ask("browsingContext.navigate", context=self._page, url=address, wait="complete")

    def run(self, script: str) -> Any:
        """Return what an expression is in the page."""
        target = {"context": self._page}
        return self.ask("script.evaluate", expression=script, target=target, awaitPromise=True)["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression holds in the page."""
        end = time.monotonic() + _PATIENCE
        while not self.run(f"Boolean({script})"):
            assert time.monotonic() < end, script
            time.sleep(0.3)

    def click(self, element: str) -> None:
        """Click on the middle of what an expression is in the page, as a mouse does."""
        middle = "(r => JSON.stringify([r.x + r.width / 2, r.y + r.height / 2]))"
        x, y = map(round, json.loads(self.run(f"{middle}(({element}).getBoundingClientRect())")))
        steps = [
            {"type": "pointerMove", "x": x, "y": y},
            *({"type": f"pointer{w}", "button": 0} for w in ("Down", "Up")),
        ]
        self.ask("input.performActions", context=self._page, actions=[{"type": "pointer", "id": "m", "actions": steps}])

    def close(self) -> None:
        """End the browser."""
        if self._socket is not None:
            self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
