"""The trainer's board: a service of the class's hub that shows who has passed which exercise and who handed in."""

from __future__ import annotations

import hashlib
import html
import os
from contextlib import suppress
from typing import Final
from urllib.parse import urlparse

from tenancykit.studio.classroom.settings import ClassSettings, read_settings
from tenancykit.studio.workshop.exercises import exercises
from tenancykit.studio.workshop.progress import progress

_ANEW: Final = """setInterval(async () => {
  const lost = document.getElementById("lost");
  try {
    const headers = {"X-XSRFToken": document.body.dataset.xsrf};
    const answer = await fetch(location.href, {redirect: "error", headers});
    const told = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (!told) throw new Error("no board");
    document.querySelector("main").replaceWith(told);
    lost.textContent = "";
  } catch {
    lost.textContent = "The hub does not answer, or you are no longer logged in: this is how the class stood before.";
  }
}, 10000);"""
"""Fetches the board anew in place: a page that loads itself takes keyboard and screen reader back to its top. The hub
answers a script only with the token that the page was given; without it, it would send the script to the log-in."""
_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:15px/1.4 system-ui,sans-serif;margin:2em}table{border-collapse:collapse}"
    "td,th{border-bottom:1px solid #999;padding:4px 10px;text-align:left}"
)


def page(settings: ClassSettings, xsrf: str = "") -> str:
    """Return the board as a page that keeps itself up to date; the hub answers its script only with its own guard."""
    found = progress(settings.progress)
    heads = "".join(f'<th scope="col" title="{html.escape(e.title)}">{e.number}</th>' for e in exercises())
    rows = []
    for name in settings.participants:
        marks = found.get(name, {})
        cells = "".join(f"<td>{_mark(*marks.get(e.number, (0, False)))}</td>" for e in exercises())
        rows.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
    passed = sum(ok for marks in found.values() for _, ok in marks.values())
    handed = len(list(settings.group.glob("*.design.json")))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Progress of the class</title>'
        f'<style>{_STYLE}</style></head><body data-xsrf="{html.escape(xsrf)}"><p id="lost" role="status"></p><main>'
        f"<h1>Progress of the class</h1><p>Exercises passed: {passed}; designs handed in: {handed}. "
        f"A number is how often an exercise was checked without success.</p>"
        f'<table><tr><th scope="col">participant</th>{heads}</tr>{"".join(rows)}</table></main>'
        f"<script>{_ANEW}</script></body></html>"
    )


def _mark(tries: int, passed: bool) -> str:
    return "passed" if passed else str(tries) if tries else ""


def main() -> None:
    """Serve the board to the hub's admins until the hub ends this process."""
    from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated  # noqa: PLC0415 - the extra "class"
    from tornado.ioloop import IOLoop  # noqa: PLC0415 - as above
    from tornado.web import Application, HTTPError, RequestHandler, authenticated  # noqa: PLC0415 - as above

    settings = read_settings()

    class Board(HubOAuthenticated, RequestHandler):  # type: ignore[misc] # JupyterHub has no types
        """The one page."""

        @authenticated
        def get(self) -> None:
            """Show the board to whom the hub calls an admin."""
            if not self.get_current_user().get("admin"):
                raise HTTPError(403, "the board is the trainer's")
            self.write(page(settings, self.xsrf_token.decode()))

    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    address = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
    routes = [(f"{prefix}oauth_callback", HubOAuthCallbackHandler), (f"{prefix}?", Board)]
    hubs = (settings.own / "cookie_secret").read_bytes()  # kept, so that an open board outlives a hub started again
    application = Application(routes, cookie_secret=hashlib.sha256(b"board " + hubs).digest())
    application.listen(address.port or 0, address.hostname or "127.0.0.1")
    with suppress(KeyboardInterrupt):  # Ctrl-C in the terminal of the hub reaches its services too
        IOLoop.current().start()


if __name__ == "__main__":
    main()
