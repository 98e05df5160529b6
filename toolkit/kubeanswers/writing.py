"""Files of ours: a reader sees the old one or the new one, and nothing but an ordinary file of ours is replaced.

One rule for everything that is written: an ordinary file is replaced whole, keeping its permissions and owner; a file
somebody else wrote stays unless told otherwise; a device or a pipe is written through; a symbolic link is refused, for
whoever planted it chose what it leads to. Folders on the way are made only below one that exists.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from kubeanswers.errors import OutputError

_HEAD: Final = 65_536
"""Bytes at the start of a file in which a file of ours says what it is."""
_READER: Final = 10.0
"""Seconds a named pipe may take to find a reader (assumption)."""
_READ_FROM_FOLDERS: Final = frozenset({".yaml", ".yml", ".json", ".csv", ".gz"})
_STICKY_AND_OPEN: Final = stat.S_ISVTX | stat.S_IWOTH


def write_text(path: str | os.PathLike[str], text: str, *, ours: str, force: bool = False) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part.

    Args:
        path: the file; a device or a pipe is written through.
        text: what it holds afterwards.
        ours: text near the start by which a file of this kind is known; another file stays.
        force: replace another file all the same.

    Raises:
        OutputError: the file is not ours, is no ordinary file, or cannot be written.
    """
    with replacing(path, ours=ours, force=force) as stream:
        stream.write(text.encode("utf-8", "surrogatepass"))


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, ours: str, force: bool = False) -> Iterator[BinaryIO]:
    """Open what takes a file's place at the end, if nothing is raised until then.

    Args:
        path: as :func:`write_text`.
        ours: as :func:`write_text`.
        force: as :func:`write_text`.

    Raises:
        OutputError: as :func:`write_text`.
    """
    file = Path(path)
    try:
        old = checked(file, ours=ours, force=force)
        if old is not None and not stat.S_ISREG(old.st_mode):
            with _through(file, old) as stream:
                yield stream
            return
        make_parents(file.parent)
        temporary, handle = _fresh(file)
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
                if old is not None:
                    keep_owner(stream.fileno(), old)
            temporary.replace(file)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        cure = "free space or choose another place"
        raise OutputError(f"{file}: cannot be written: {error.strerror or error}; {cure}") from error
    except ValueError as error:
        raise OutputError(f"{str(file)!r}: cannot be written: {error}") from error


@contextlib.contextmanager
def appending(path: str | os.PathLike[str], *, ours: str) -> Iterator[Callable[[str], None]]:
    """Open a list of ours that only grows; what it yields adds a line, whole and at once, however the process ends.

    A list that is still empty at the end is removed.

    Args:
        path: the file; a device or a pipe is written through.
        ours: as :func:`write_text`.

    Raises:
        OutputError: as :func:`write_text`.
    """
    file = Path(path)
    try:
        old = checked(file, ours=ours, cure="name another")
        make_parents(file.parent)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY | (0 if old else os.O_CREAT | os.O_NOFOLLOW)
        handle = os.open(file, flags, 0o666)
        try:
            if old is not None and old.st_size and stat.S_ISREG(old.st_mode):
                with file.open("rb") as stream:
                    stream.seek(-1, os.SEEK_END)
                    if stream.read() != b"\n":  # a full disk or another hand cut the last line
                        os.write(handle, b"\n")

            def add(line: str) -> None:
                left = memoryview(f"{line}\n".encode("utf-8", "surrogatepass"))
                while left:
                    left = left[os.write(handle, left) :]

            yield add
            found = os.fstat(handle)
            if stat.S_ISREG(found.st_mode) and not found.st_size:
                file.unlink(missing_ok=True)
        finally:
            os.close(handle)
    except OSError as error:
        raise OutputError(f"{file}: cannot be written: {error.strerror or error}; name another") from error


def checked(
    file: Path, *, ours: str, force: bool = False, cure: str = "name another, or add --force"
) -> os.stat_result | None:
    """Return what stands where a file is to be written, None where nothing does.

    Raises:
        OutputError: what stands there may not be replaced, and is no device or pipe to write through.
    """
    refuse_planted(file)
    try:
        old = file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(old.st_mode):
        old = _led_to(file)
    if stat.S_ISDIR(old.st_mode):
        raise OutputError(f"{file}: is a folder; name a file")
    if stat.S_ISCHR(old.st_mode) or stat.S_ISFIFO(old.st_mode):
        return old
    if not stat.S_ISREG(old.st_mode):
        raise OutputError(f"{file}: is no ordinary file; name another")
    if not force and old.st_size and not _is_ours(file, ours):
        raise OutputError(f"{file}: is a file that was not written by this command; {cure}")
    return old


def refuse_same(
    outputs: Iterable[str | os.PathLike[str]], inputs: Iterable[str | os.PathLike[str]], *, force: bool = False
) -> None:
    """Refuse to write onto what is read, by whatever name, and to write two things into one file.

    Args:
        outputs: what is written.
        inputs: what is read; a folder stands for all that is in it.
        force: somebody else's file is replaced too, so none of a folder that is read may be an output.

    Raises:
        OutputError: an output is an input, or another output.
    """
    read = {}
    inputs, outputs = list(inputs), list(outputs)
    _refuse_twice(outputs)
    for name in outputs if force else ():
        if folder := next((one for one in inputs if one and _is_below(name, one)), ""):
            cure = "write elsewhere, or without --force"
            raise OutputError(f"{name}: lies in {folder}, which this command reads; {cure}")
    for name in inputs:
        with contextlib.suppress(OSError, ValueError):
            found = Path(name).stat()
            if stat.S_ISREG(found.st_mode):
                read[found.st_dev, found.st_ino] = name
    for name in outputs:
        with contextlib.suppress(OSError, ValueError):
            found = Path(name).stat()
            if (found.st_dev, found.st_ino) in read:
                raise OutputError(f"{name}: is an input of this command; write to another file")


def _refuse_twice(outputs: Sequence[str | os.PathLike[str]]) -> None:
    """Refuse an output without a name, and two in one file; a device or a pipe takes several."""
    for name in outputs:
        if not os.fspath(name):
            raise OutputError("an output has no name; name a file, or leave the option out")
        same = sum(os.path.abspath(one) == os.path.abspath(name) for one in outputs)  # noqa: PTH100 - as above
        takes_several = os.path.exists(name) and not os.path.isfile(name)  # noqa: PTH110, PTH113 - names may be odd
        if same > 1 and not takes_several:
            raise OutputError(f"{name}: is named for two outputs; name a file for each")


def _is_below(name: str | os.PathLike[str], folder: str | os.PathLike[str]) -> bool:
    """Return whether a name is that of a file that exists below a folder, of a kind that is read from folders."""
    with contextlib.suppress(OSError, ValueError):
        file = Path(name).resolve()
        return file.suffix in _READ_FROM_FOLDERS and file.is_file() and Path(folder).resolve() in file.parents
    return False


def make_parents(folder: Path) -> None:
    """Make a folder and those above it that are missing, below one that exists.

    Raises:
        OutputError: what exists above is no folder, or is the root of the file system.
        OSError: they cannot be made.
    """
    missing: list[Path] = []
    here = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow links
    while not os.path.lexists(here):
        missing.append(here)
        here = here.parent
    if not here.is_dir():
        raise OutputError(f"{here}: is no folder, so nothing can be written below it")
    if missing and here == here.parent:
        raise OutputError(f"{missing[-1]}: no such folder; make it first, or correct the path")
    for one in reversed(missing):
        with contextlib.suppress(FileExistsError):
            one.mkdir()


def keep_owner(target: int | Path, old: os.stat_result) -> None:
    """Give a new file or folder the permissions of the old one, and its owner and group where we may."""
    with contextlib.suppress(OSError):
        now = os.stat(target)  # noqa: PTH116 - a descriptor or a path
        if (now.st_uid, now.st_gid) != (old.st_uid, old.st_gid):
            os.chown(target, old.st_uid, old.st_gid)
    special = 0 if stat.S_ISDIR(old.st_mode) else stat.S_ISUID | stat.S_ISGID
    os.chmod(target, stat.S_IMODE(old.st_mode) & ~special)  # noqa: PTH101 - as above


def refuse_planted(file: Path) -> None:
    """Refuse a path that leads through somebody else's symbolic link in a folder everybody may write to.

    Raises:
        OutputError: there is such a link.
    """
    absolute = Path(os.path.abspath(file))  # noqa: PTH100 - resolve() would follow the links asked about
    for part in (absolute, *absolute.parents):
        try:
            link = part.lstat()
            if not stat.S_ISLNK(link.st_mode):
                continue
            above = part.parent.stat()
        except OSError:
            continue
        shared = above.st_mode & _STICKY_AND_OPEN == _STICKY_AND_OPEN
        if shared and link.st_uid not in (os.geteuid(), above.st_uid):
            raise OutputError(f"{part}: is somebody else's symbolic link in a shared folder; choose another place")


def _led_to(file: Path) -> os.stat_result:
    """Return the device, pipe or open descriptor a link leads to: /dev/stdout is one; links to files are refused."""
    own = file.parent.resolve() == Path("/dev") or Path("/proc/self/fd") in (file.parent, file.parent.resolve())
    try:
        found = file.stat()
    except OSError:
        raise OutputError(f"{file}: is a symbolic link that leads nowhere; name a file") from None
    if stat.S_ISCHR(found.st_mode) or stat.S_ISFIFO(found.st_mode) or (own and stat.S_ISREG(found.st_mode)):
        mode = found.st_mode if not stat.S_ISREG(found.st_mode) else stat.S_IFCHR | 0o600
        return os.stat_result((mode, *found[1:]))
    raise OutputError(f"{file}: is a symbolic link; name the file it leads to, or another one")


@contextlib.contextmanager
def _through(file: Path, old: os.stat_result) -> Iterator[BinaryIO]:
    end = time.monotonic() + _READER
    while True:
        try:
            handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
            break
        except OSError:
            if not stat.S_ISFIFO(old.st_mode) or time.monotonic() > end:
                raise
            select.select((), (), (), 0.05)
    os.set_blocking(handle, True)
    with os.fdopen(handle, "wb") as stream:
        yield stream


def _fresh(file: Path) -> tuple[Path, int]:
    """Open a new file beside one, as the umask has it; nobody can have planted a link of its name."""
    while True:
        name = file.with_name(f".{file.name[:100]}.{os.urandom(6).hex()}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
        with contextlib.suppress(FileExistsError):
            return name, os.open(name, flags, 0o666)


def _is_ours(file: Path, ours: str) -> bool:
    with file.open("rb") as stream:
        return bool(ours) and ours.encode() in stream.read(_HEAD)
