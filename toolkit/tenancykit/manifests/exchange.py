"""Swapping two folders in one step, and the lock that keeps two exports off one target."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kubeanswers.errors import OutputError

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_UNSUPPORTED: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


@contextlib.contextmanager
def exclusive_lock(target: Path) -> Iterator[None]:
    """Hold the target for one export; the lock goes with the process, however that ends.

    Raises:
        OutputError: another export holds it.
    """
    import fcntl  # noqa: PLC0415 - only where an export is written; POSIX

    path = target.with_name(f".{target.name}.lock")
    handle = _open_lock(path)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputError(
                    f"{target}: another export is writing there; wait for it or choose another folder"
                ) from None
            if _is_same(handle, path):
                break
            os.close(handle)  # its holder removed the file between our open and our lock
            handle = _open_lock(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _is_same(handle: int, path: Path) -> bool:
    try:
        ours, theirs = os.fstat(handle), path.lstat()
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino)


def clear_leftovers(target: Path) -> None:
    """Remove what a killed export left beside the target, and give back an old tree it had moved aside.

    Called under the lock, so nobody else's work is in these folders.
    """
    for aside in sorted(target.parent.glob(f".{glob.escape(target.name)}.old-*")):
        if aside.lstat().st_uid != os.geteuid():  # planted in a shared folder, to be taken for our old tree
            continue
        if not target.exists() and (aside / "tree").is_dir():
            (aside / "tree").rename(target)
        shutil.rmtree(aside, ignore_errors=True)
    for stage in target.parent.glob(f".{glob.escape(target.name)}.new-*"):
        shutil.rmtree(stage, ignore_errors=True)
    for index in target.parent.glob(f".{glob.escape(target.name)}.index-*"):
        index.unlink(missing_ok=True)


def put_in_place(stage: Path, target: Path) -> None:
    """Give the staged folder the target's name; what was there is removed afterwards.

    Raises:
        OSError: the names cannot be exchanged.
    """
    if not target.exists():
        stage.rename(target)
        return
    if _exchange(stage, target):
        shutil.rmtree(stage, ignore_errors=True)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.old-", dir=target.parent))
    target.rename(aside / "tree")
    try:
        stage.rename(target)
    except OSError:
        (aside / "tree").rename(target)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two names in one step (Linux renameat2); False where the system or its file system cannot.

    Raises:
        OSError: it can, but not here.
    """
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    done = renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE)
    if done == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(second))
