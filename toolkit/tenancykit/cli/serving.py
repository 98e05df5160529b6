"""The command that opens JupyterLab, the studio, or a class."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from kubeanswers.errors import Fault, InputError
from tenancykit import api
from tenancykit.cli.designs import loaded
from tenancykit.report.lab import open_lab
from tenancykit.studio.classroom.opening import open_class
from tenancykit.studio.serve import serve

MAX_PORT: Final = 65535


def lab(options: argparse.Namespace) -> int:
    """Open JupyterLab, serve the studio alone, or serve a class."""
    if not 1 <= options.port <= MAX_PORT:
        raise InputError(Fault("--port", f"is {options.port}", f"1 to {MAX_PORT}"))
    if options.seats is not None:
        return open_class(
            options.seats,
            folder=Path(options.folder),
            port=options.port,
            address=options.address,
            roster=options.roster and Path(options.roster),
            certificate=options.certificate and Path(options.certificate),
            key=options.key and Path(options.key),
        )
    if options.sessions < 0:
        raise InputError(Fault("--sessions", f"is {options.sessions}", "1 or more; 0 for what the cores serve"))
    if options.app:
        api.load_scenario(options.scenario, loaded(options))
        return serve(
            options.port,
            not options.no_browser,
            scenario=options.scenario,
            catalogue=options.catalogue,
            sessions=options.sessions,
        )
    return open_lab(port=options.port, browser=not options.no_browser)
