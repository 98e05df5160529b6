"""Fuzzes for as long as one likes: python -m tests.fuzz --minutes 60 [--seed N] [--cold] [--only audit,place].

Many seeds after each other, each a line of a list: --seeds 1-200 --count 5000 --list runs.jsonl; --sum runs.jsonl adds up.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

from tests.fuzz.running import Run, cold, in_process, summed


def run() -> int:
    """Fuzz, print the figures and every failure, and return 1 where there was one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--seeds", default="", metavar="FIRST-LAST", help="these seeds, each for --count inputs")
    parser.add_argument("--cold", action="store_true", help="a process of its own for each input")
    parser.add_argument("--only", default="", help="doors (with --cold: commands), separated by commas")
    parser.add_argument("--list", type=Path, metavar="FILE", help="add a line per seed")
    parser.add_argument("--sum", type=Path, metavar="FILE", help="only say what such a list adds up to")
    parser.add_argument("--kills", type=int, help="kill export, sweep, studio and apply so many times each instead")
    options = parser.parse_args()
    if options.kills:
        return killing(options.kills, options.seed, options.only)
    if options.sum:
        sys.stdout.write(summed(options.sum.read_text().splitlines()) + "\n")
        return 0
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1) if first else [options.seed]
    minutes = options.minutes if options.minutes or options.count else 1.0
    end = time.monotonic() + 60 * minutes if minutes else None
    failed = False
    for seed in seeds:
        left = (end - time.monotonic()) / 60 if end else None
        if left is not None and left <= 0:
            break
        sys.stdout.write(f"seed {seed}\n")
        found = (cold if options.cold else in_process)(seed, options.count, left, options.only)
        if options.list:
            with options.list.open("a") as stream:
                stream.write(Run(seed, "cold" if options.cold else "in process", found).line())
        for name, file, told in found.failures:
            sys.stdout.write(f"--- {name} {file.name}\n{told}\n")
        sys.stdout.write(found.text() + "\n")
        sys.stdout.flush()
        failed = failed or bool(found.failures)
    return 1 if failed else 0


def killing(kills: int, seed: int, only: str) -> int:
    """Kill what writes, print what was found, and return 1 where it was neither the old nor the new."""
    from tests.fuzz import kills as harness  # its imports are not the fuzzer's

    sys.stdout.write(f"seed {seed}\n")
    found = harness.run(kills, seed, only, tell=lambda line: print(line, flush=True))  # noqa: T201 - a tool of ours
    for one in found:
        for told in one.broken:
            sys.stdout.write(f"--- {one.name}\n{told}\n")
    return 1 if any(one.broken for one in found) else 0


if __name__ == "__main__":
    sys.exit(run())
