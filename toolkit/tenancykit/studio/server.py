"""The server of the stand-alone page: Voila with a bound on its kernels, the Host header checked, no token in its logs.

Whoever holds the token may open pages, each with a kernel of its own that runs this package's page and nothing else:
messages that would run code are not passed on (``tests/studio/test_server.py`` tries). What the page itself offers is
theirs as ours: to read scenarios, and to write exports and sessions as the user who started it.
"""

from __future__ import annotations

import asyncio
import html
import os
import sys
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from jupyter_server.log import log_request
from tornado.web import HTTPError
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler

from kubeanswers.scalars import whole_number
from kubeanswers.terminal import counted
from tenancykit.studio.serve import SESSIONS

PER_CORE: Final = 4
"""Pages per processor core unless told otherwise (assumption; one takes 117 MiB and 11 s of a core to open:
benchmarks/studio_sessions.py)."""
MOST: Final = 20
LEFT_ALONE: Final = timedelta(seconds=20)
"""How long a kernel must have been without page and work before a newcomer may take its place (assumption: a page that
was served connects within a few seconds)."""

_FULL: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The studio is full</title></head>
<body style="font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:4em auto">
<h1>The studio is full</h1><p>{told}</p></body></html>"""


def most_sessions() -> int:
    """Return how many pages may be open at once."""
    return whole_number(os.environ.get(SESSIONS, "")) or min(MOST, PER_CORE * (os.cpu_count() or 1))


class Page(TornadoVoilaHandler):  # type: ignore[misc]
    """The page, for as many visitors as there may be."""

    async def get(self, *arguments: Any, **named: Any) -> None:
        """Answer with the page, or say that no more can be opened now."""
        if self.request.path.rstrip("/") != self.settings["base_url"].rstrip("/"):
            raise HTTPError(404)  # Voila answers any path with its page, and a browser asks for icons by itself
        most = most_sessions()
        if self.current_user is not None and await self._is_full(most):
            are = "is" if most == 1 else "are"
            told = (
                f"{counted(most, 'page')} {are} open, as many as this machine is given. Close one, or come back in "
                "some minutes: a page nobody looks at is ended by itself. Whoever started the studio can allow "
                "more with --sessions."
            )
            self.set_status(503)
            self.set_header("Retry-After", "60")
            self.finish(_FULL.format(told=html.escape(told)))
            return
        _ = self.xsrf_token  # sets the cookie without which the page's last word, to end its kernel, is refused
        _opening.add(self)
        _page.set(self)
        try:
            async with _turn:
                await super().get(*arguments, **named)
        finally:
            _opening.discard(self)

    async def _is_full(self, most: int) -> bool:
        """Say whether no page can be opened even after ending the kernels of pages closed without a word."""
        if len(self.kernel_manager.list_kernels()) + len(_opening) < most:
            return False
        now = datetime.now(UTC)
        for kernel in self.kernel_manager.list_kernels():
            quiet = now - datetime.fromisoformat(kernel["last_activity"]) > LEFT_ALONE
            if kernel["connections"] == 0 and kernel["execution_state"] == "idle" and quiet:
                await self.kernel_manager.shutdown_kernel(kernel["id"], now=True)
        return len(self.kernel_manager.list_kernels()) + len(_opening) >= most


_opening: Final[set[Page]] = set()
"""Pages that were let in and have no kernel yet: visitors who come in the same moment are counted too."""
_turn: Final = asyncio.Semaphore(os.cpu_count() or 1)
"""Pages that open at the same time: many visitors of one moment wait in line, and the first has a page soon."""
_page: Final[ContextVar[Page | None]] = ContextVar("page", default=None)


def count_kernels(manager: Any) -> None:
    """Let a page that has got its kernel be counted by that alone."""
    start = manager.start_kernel

    async def counted(*arguments: Any, **named: Any) -> Any:
        try:
            return await start(*arguments, **named)
        finally:
            page = _page.get()
            if page is not None:
                _opening.discard(page)

    manager.start_kernel = counted


class Server(Voila):  # type: ignore[misc]
    """Voila as the studio needs it."""

    def init_settings(self) -> dict[str, Any]:
        """Return the settings: requests for other hosts are refused, and requests are logged without their token."""
        settings: dict[str, Any] = super().init_settings()
        return {**settings, "allow_remote_access": False, "local_hostnames": ["localhost"], "log_function": log_request}

    def init_handlers(self) -> list[Any]:
        """Return the handlers, ours in the place of Voila's own page."""
        count_kernels(self.kernel_manager)
        handlers: list[Any] = super().init_handlers()
        return [(rule[0], Page, *rule[2:]) if rule[1] is TornadoVoilaHandler else rule for rule in handlers]


def run() -> None:
    """Serve until stopped."""
    Server.launch_instance(sys.argv[1:])


if __name__ == "__main__":
    run()
