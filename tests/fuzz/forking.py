"""Runs commands one after the other in processes that hold nothing but what importing the toolkit leaves behind.

Started as ``python -m tests.fuzz.forking``; reads a JSON list of arguments a line, writes a JSON object a line. Each command
runs in a fork of this process, which has imported the command line and has never run anything, so no input can see what another
left behind. What a fork does not repeat is the start of the interpreter and the imports; a tenth of the cold inputs pays
for those (see ``running.cold``).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
import time
from typing import Any

import tenancykit.cli
from tests.fuzz.running import PATIENCE

_WAITING = 12
"""Times as long by the clock as of the processor: on a busy machine a command stands still, and only waits."""


def serve() -> None:
    """Answer until the input ends."""
    for module in pkgutil.iter_modules(tenancykit.cli.__path__):
        importlib.import_module(f"tenancykit.cli.{module.name}")
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(json.dumps(answered(asked["arguments"], asked["told"])) + "\n")
        sys.stdout.flush()


def answered(arguments: list[str], told: str) -> dict[str, Any]:
    """Run one command in a fork, its output in a file; return its exit code, seconds and peak memory in MiB."""
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (round(PATIENCE), round(PATIENCE) + 1))
        _run(arguments, told)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, _WAITING * PATIENCE)
    _, status, usage = os.wait4(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    seconds = time.monotonic() - began
    return {"code": os.waitstatus_to_exitcode(status), "seconds": seconds, "peak": usage.ru_maxrss / 1024}


def _run(arguments: list[str], told: str) -> None:
    code = 99
    with contextlib.suppress(BaseException):
        handle = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        try:
            code = tenancykit.cli.main(arguments)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 98
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
