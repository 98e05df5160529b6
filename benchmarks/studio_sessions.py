"""Pages of the studio open at once: how many are served, the memory of each, and what one too many is told.

Nobody looks at the pages, so where the last took long to open, one more takes the place of one that was left alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from class_hub import free_port, memory_of

PATIENCE: Final = 3600
"""Seconds to wait for a page: the machine may be busy with other work."""


def ask(address: str) -> tuple[int, str]:
    """Return status and text of a page."""
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310 - loopback
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def opened(address: str, pages: int, server: int) -> dict[str, object]:
    """Open so many pages together and one more; return what came of it."""
    began = time.monotonic()
    with ThreadPoolExecutor(pages) as people:
        found = list(people.map(ask, [address] * pages))
    seconds = time.monotonic() - began
    kernels = {kernel for _, text in found for kernel in re.findall(r'"kernelId":\s*"([0-9a-f-]{36})"', text)}
    theirs, others = memory_of(server, lambda line: "ipykernel" in line)
    status, told = ask(address)
    return {
        "pages": pages,
        "served": sum(status == 200 and "widget-view+json" in text for status, text in found),
        "kernels": len(kernels),
        "seconds_all": round(seconds, 1),
        "mib_each": round(theirs / max(1, len(kernels)), 1),
        "mib_server": round(others, 1),
        "one_more": status,
        "one_more_is_told": " ".join(re.sub(r"<style.*?</style>|<[^>]+>", " ", told, flags=re.DOTALL).split())[:160],
    }


def main() -> None:
    """Serve the studio, open pages, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="the only form there is")
    options = parser.parse_args()
    if importlib.util.find_spec("voila") is None:
        print(json.dumps({"benchmark": "studio_sessions", "skipped": "pip install 'tenancykit[lab]'"}))
        return
    command = [sys.executable, "-m", "tenancykit", "lab", "--app", "--no-browser", f"--port={free_port()}",
               f"--sessions={options.pages}"]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        address = next(line.split()[1] for line in server.stdout if line.startswith("Studio:"))
        print(json.dumps({"benchmark": "studio_sessions", **opened(address, options.pages, server.pid)}))
    finally:
        server.terminate()
        server.wait(600)


if __name__ == "__main__":
    main()
