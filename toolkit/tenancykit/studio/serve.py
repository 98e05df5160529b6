"""The studio as a page of its own: Voila on loopback, behind a token."""

from __future__ import annotations

import hashlib
import html
import importlib.util
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from kubeanswers.errors import MissingExtraError, OutputError, TenancyKitError
from tenancykit.report.lab import ended_with_parent

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST: Final = "127.0.0.1"
SCENARIO: Final = "TENANCYKIT_STUDIO_SCENARIO"
CATALOGUE: Final = "TENANCYKIT_STUDIO_CATALOGUE"
FOLDER: Final = "TENANCYKIT_STUDIO_FOLDER"
SESSIONS: Final = "TENANCYKIT_STUDIO_SESSIONS"
"""Environment of the page's kernel: the scenario to open, overlays of the catalogue, where relative paths start; and of
the server: how many pages may be open at once."""
_PAGE: Final = Path(__file__).with_name("page.ipynb")
_PATIENCE: Final = 180.0
_MOVES: Final = 20
"""Ports tried from the one asked for on."""
_LAST_PORT: Final = 65_535


def serve(
    port: int, browser: bool, *, scenario: str = "ml-platform", catalogue: Sequence[str] = (), sessions: int = 0
) -> int:
    """Serve the studio until it is stopped, and return the server's exit code.

    Args:
        port: port on loopback; where it is taken, the next free one, and that is said.
        browser: whether to open the page.
        scenario: the scenario it opens with: a file, or the name of an example.
        catalogue: folders laid over the package's catalogue.
        sessions: how many pages may be open at once; 0 for what the machine's cores bear.

    Raises:
        MissingExtraError: Voila is not installed.
        OutputError: this port and those after it are taken, or the server does not answer.
    """
    if importlib.util.find_spec("voila") is None:
        raise MissingExtraError("Voila", "lab")
    port = free_port(port)
    token = secrets.token_urlsafe(24)
    surroundings = {**environment(token, scenario, Path.cwd(), catalogue), SESSIONS: str(sessions or "")}
    server = subprocess.Popen(  # noqa: S603 - our own interpreter
        command(port),
        env=surroundings,
        preexec_fn=ended_with_parent,  # noqa: PLW1509 - one system call, before any thread of the child
    )
    try:
        _wait_for(port, server)
        address = f"http://{HOST}:{port}/?token={token}"
        print(f"Studio: {address}\nStop it with Ctrl-C.", flush=True)  # noqa: T201 - the address is what is asked for
        if browser:
            webbrowser.open(address)
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()
        server.wait()


def command(port: int) -> list[str]:
    """Return the command that starts the server."""
    return [
        sys.executable,
        "-m",
        "tenancykit.studio.server",
        str(_PAGE),
        f"--port={port}",
        f"--Voila.ip={HOST}",
        "--Voila.auto_token=True",
        "--template=tenancykit",
        "--no-browser",
        "--VoilaConfiguration.show_tracebacks=False",
        "--Voila.log_level=ERROR",
        "--VoilaExecutor.iopub_timeout=600",  # a class that opens its pages at once makes kernels slow, not broken
        "--VoilaExecutor.startup_timeout=600",
        "--MappingKernelManager.cull_idle_timeout=300",  # kernels no page is connected to: browsers die without a word
        "--MappingKernelManager.cull_interval=60",
    ]


def environment(token: str, scenario: str, folder: Path, catalogue: Sequence[str] = ()) -> dict[str, str]:
    """Return the server's environment; the token is passed here because command lines can be read by everybody."""
    named = Path(scenario)
    place = str(named.resolve()) if named.exists() else scenario
    templates = os.pathsep.join(filter(None, (str(_PAGE.parent), os.environ.get("JUPYTER_PATH"))))
    return {
        **os.environ,
        "JUPYTER_PATH": templates,
        "JUPYTER_TOKEN": token,
        SCENARIO: place,
        CATALOGUE: os.pathsep.join(str(Path(overlay).resolve()) for overlay in catalogue),
        FOLDER: str(folder),
    }


def page() -> Any:
    """Return what the page shows: the live studio alone, or why there is none."""
    found = opened()
    return getattr(found, "widget", found)


def opened() -> Any:
    """Return the studio that the server's environment asks for, or a widget that tells what is wrong with that."""
    from tenancykit.catalogue.reading import load_catalogue  # noqa: PLC0415 - the server itself needs none
    from tenancykit.studio import desk  # noqa: PLC0415 - the server itself needs no widgets
    from tenancykit.studio.app import Studio  # noqa: PLC0415 - the server itself needs no widgets

    folder = Path(os.environ.get(FOLDER, "."))
    overlays = filter(None, os.environ.get(CATALOGUE, "").split(os.pathsep))
    try:
        catalogue = load_catalogue(*overlays)
        scenario = os.environ.get(SCENARIO, "ml-platform")
        return Studio(scenario, catalogue, folder=str(folder / "out"), session_file=kept_file(folder, scenario))
    except TenancyKitError as error:
        told = f'<p class="fault">{html.escape(str(error))}</p><p>Correct it, then load this page again.</p>'
        return desk.page(desk.STYLE + desk.written("<h3>The studio cannot open</h3>", told))


def kept_file(folder: Path, scenario: str) -> Path:
    """Return where the page keeps its session: one file per scenario, and per name where the address gives one.

    Args:
        folder: where relative paths start.
        scenario: what the studio was started with.
    """
    asked = parse_qs(os.environ.get("QUERY_STRING", "")).get("session", [""])[0]
    names = [re.sub(r"[^A-Za-z0-9_-]+", "-", text)[-60:].strip("-") for text in (scenario, asked)]
    digest = hashlib.sha256(f"{scenario}\n{asked}".encode()).hexdigest()[:8]
    return folder / "studio-sessions" / f"{'-'.join(filter(None, (*names, digest)))}.json"


def free_port(asked: int) -> int:
    """Return the first free port from the one asked for on, and say so where it is another.

    Raises:
        OutputError: too many in a row are taken.
    """
    for port in range(asked, min(asked + _MOVES, _LAST_PORT + 1)):
        if _is_free(port):
            if port != asked:
                print(f"Port {asked} on {HOST} is taken; the studio uses {port}.", file=sys.stderr)  # noqa: T201
            return port
    raise OutputError(f"port {asked} on {HOST} and those after it are taken; choose another with --port")


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except OSError:
            return False
    return True


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as tried:
            tried.settimeout(1)
            if tried.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.2)
    raise OutputError(f"the studio's server does not answer on {HOST}:{port}")
