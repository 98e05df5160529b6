"""Fuzzes for as long as one likes: python -m tests.fuzz --minutes 60 [--seed N] [--cold] [--only audit,place]."""

from __future__ import annotations

import argparse
import random
import sys

from tests.fuzz.running import cold, in_process


def run() -> int:
    """Fuzz, print the figures and every failure, and return 1 where there was one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--cold", action="store_true", help="a process of its own for each input")
    parser.add_argument("--only", default="", help="doors, separated by commas")
    options = parser.parse_args()
    minutes = options.minutes if options.minutes or options.count else 1.0
    sys.stdout.write(f"seed {options.seed}\n")
    found = (
        cold(options.seed, options.count, minutes)
        if options.cold
        else in_process(options.seed, options.count, minutes, options.only)
    )
    for name, file, told in found.failures:
        sys.stdout.write(f"--- {name} {file.name}\n{told}\n")
    sys.stdout.write(found.text() + "\n")
    return 1 if found.failures else 0


if __name__ == "__main__":
    sys.exit(run())
