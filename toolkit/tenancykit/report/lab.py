"""Opens the notebooks in JupyterLab."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from kubeanswers.errors import MissingExtraError


def open_lab(*, port: int, browser: bool) -> int:
    """Start JupyterLab on loopback in the folder of the notebooks and wait until it stops; return its exit code.

    Raises:
        MissingExtraError: JupyterLab is not installed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise MissingExtraError("JupyterLab", "lab")
    folder = notebooks()
    start = ["--LabApp.default_url=/lab/tree/01-quickstart.ipynb"] if (folder / "01-quickstart.ipynb").exists() else []
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--port={port}",
        "--ip=127.0.0.1",
        f"--notebook-dir={folder}",
        *start,
    ]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    done = subprocess.run(  # noqa: S603 - our own interpreter, fixed arguments
        command,
        check=False,
        preexec_fn=ended_with_parent,
    )
    return done.returncode


def ended_with_parent() -> None:
    """Ask the system to end this process when its parent ends, however that dies (Linux; elsewhere nothing happens)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


_PR_SET_PDEATHSIG: Final = 1
"""From Linux's ``sys/prctl.h``."""


def notebooks() -> Path:
    """Return the folder of the notebooks: the checkout's, or the current folder for an installed package."""
    checkout = Path(__file__).parents[3] / "notebooks"
    return checkout if checkout.is_dir() else Path.cwd()
