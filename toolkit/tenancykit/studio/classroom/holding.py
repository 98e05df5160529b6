"""One hub to a folder: a second one would end the first one's proxy and write into its accounts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from kubeanswers.errors import OutputError


@contextlib.contextmanager
def held(folder: Path) -> Iterator[int]:
    """Hold the folder of a class, made where it is missing.

    Yields the lock's file descriptor, for the hub to inherit: the folder is held until both have ended.

    Raises:
        OutputError: another class is served from the folder, or it cannot be written.
    """
    own = folder / "hub"
    try:
        own.mkdir(parents=True, exist_ok=True)
        own.chmod(0o700)
        lock = os.open(own / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise OutputError(f"{error.filename or own}: {error.strerror}") from None
    try:
        _lock(lock, folder)
        yield lock
    finally:
        os.close(lock)


def _lock(lock: int, folder: Path) -> None:
    import fcntl  # noqa: PLC0415 - only where a class is served; POSIX

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        told = f"{folder}: a class is served from this folder already; stop it, or choose another with --folder"
        raise OutputError(told) from None
