"""Bytes of files, pipes and standard input, bounded in size and in how long they may say nothing."""

from __future__ import annotations

import io
import os
import select
import stat
from pathlib import Path
from typing import Final, TextIO

from kubeanswers.errors import Fault, InputError

PATIENCE: Final = 60.0
"""Seconds a pipe or standard input may say nothing. Assumption: an API server begins its answer within a minute."""
_KNOCK: Final = 10.0
"""Seconds a named pipe may take until somebody writes to it (assumption)."""
_BLOCK: Final = 1 << 20

_patience = PATIENCE


def set_patience(seconds: float) -> None:
    """Say how long pipes and standard input of this process may say nothing."""
    global _patience  # noqa: PLW0603 - one setting of the process, as the command line has it
    _patience = seconds


def read_bytes(path: str | os.PathLike[str], limit: int) -> bytes:
    """Return what is in a file or comes out of a pipe, never more than the limit.

    Raises:
        InputError: it is missing, a folder or a device, too large, silent for too long, or cannot be read.
    """
    file = path if isinstance(path, str) and _is_tidy(path) else str(Path(path))
    try:
        found = os.stat(file)  # noqa: PTH116 - a hundred thousand files are read so
        if stat.S_ISREG(found.st_mode):
            return _regular(file, found.st_size, limit)
        if stat.S_ISDIR(found.st_mode):
            raise InputError(Fault(file, "is a folder", "a file", "name the file inside it"))
        if not is_readable(found):
            raise InputError(Fault(file, f"is {kind_of(found)}", "a file or a pipe", "copy what it holds to a file"))
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            named = stat.S_ISFIFO(found.st_mode) and not _is_descriptor(file)
            return _piped(handle, limit, file, min(_KNOCK, _patience) if named else _patience)
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise InputError(Fault(file, "no such file", cure="check the path")) from None
    except OSError as error:
        cure = "check the permissions" if isinstance(error, PermissionError) else "check the path"
        raise InputError(Fault(file, f"cannot be read: {error.strerror}", cure=cure)) from None
    except ValueError:
        raise InputError(Fault(repr(file), "is no path", cure="check the path")) from None


def _is_tidy(path: str) -> bool:
    return path.startswith("/") and "//" not in path and "/." not in path and not path.endswith("/")


def _regular(file: str, size: int, limit: int) -> bytes:
    """Return what a file of some size holds, though it may grow meanwhile, up to the limit.

    Asking for the limit at once would set as much memory aside.
    """
    if size > limit:
        return _bounded(b"", size, limit, file)
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = os.read(handle, size + 1)
        while len(content) != size and len(content) <= limit and (more := os.read(handle, _BLOCK)):
            content += more
    finally:
        os.close(handle)
    return _bounded(content, len(content), limit, file)


def read_stdin(stream: TextIO | None, limit: int) -> str:
    """Return the text of standard input, never more than the limit.

    Raises:
        InputError: it is too large, silent for too long, or not UTF-8 text.
    """
    if stream is None:
        raise InputError(Fault("<stdin>", "is closed", cure="name a file"))
    try:
        handle = stream.fileno()
        plain = isinstance(stream, io.TextIOWrapper)
    except (OSError, ValueError, AttributeError):
        plain = False
    if plain:
        return decoded(_piped(handle, limit, "<stdin>", _patience), "<stdin>")
    text = stream.read(limit + 1)
    return text if len(text) <= limit else decoded(_bounded(b"", len(text), limit, "<stdin>"), "<stdin>")


def decoded(content: bytes, name: str) -> str:
    """Return UTF-8 bytes as text with plain line ends.

    Raises:
        InputError: they are not UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(no_text(content[:8], name, line)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def no_text(start: bytes, name: str, line: int) -> Fault:
    """Return the fault of a file that is not UTF-8 text, given its first bytes and the line where that shows."""
    packed = next((tool for first, tool in _PACKED.items() if start.startswith(first)), "")
    if packed:
        return Fault(name, f"is packed by {packed}", "text", "unpack it first")
    return Fault(f"{name}:{line}", "is not UTF-8 text", cure="save it as UTF-8")


_PACKED: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
"""First bytes of packed files, by what packs them; where gzip is read, it is unpacked before."""


def is_readable(found: os.stat_result) -> bool:
    """Return whether something is a file or a pipe, or a person at a terminal; no device, which may never end."""
    return stat.S_ISREG(found.st_mode) or stat.S_ISFIFO(found.st_mode) or _is_terminal(found)


def _is_terminal(found: os.stat_result) -> bool:
    if not stat.S_ISCHR(found.st_mode):
        return False
    try:
        return os.isatty(0) and os.fstat(0).st_rdev == found.st_rdev
    except OSError:
        return False


def _is_descriptor(file: str) -> bool:
    return file.startswith(("/dev/fd/", "/proc/", "/dev/stdin"))


def kind_of(found: os.stat_result) -> str:
    """Return what something is that is no file, in words."""
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISDIR, "a folder"))
    return next((name for test, name in kinds if test(found.st_mode)), "a device")


def _piped(handle: int, limit: int, name: str, first: float) -> bytes:
    """Read until the other end closes; ``first`` is how long the first bytes may take."""
    parts: list[bytes] = []
    size = 0
    waits = first
    polled = select.poll()
    polled.register(handle, select.POLLIN | select.POLLHUP)
    while True:
        if not os.isatty(handle) and not polled.poll(waits * 1000):
            what = f"said nothing for {waits:g} seconds"
            cure = "check what writes to it, or give it longer with --patience SECONDS"
            raise InputError(Fault(name, what, cure=cure))
        try:
            block = os.read(handle, _BLOCK)
        except BlockingIOError:
            continue
        if not block:
            return b"".join(parts)
        parts.append(block)
        size += len(block)
        if size > limit:
            return _bounded(b"", size, limit, name)
        waits = _patience


def _bounded(content: bytes, size: int, limit: int, name: str) -> bytes:
    if size <= limit:
        return content
    what = f"is {_amount(size)} large" if len(content) <= limit else "never ends, or is larger than allowed"
    raise InputError(Fault(name, what, f"at most {_amount(limit)}", "split the file"))


def _amount(size: int) -> str:
    return f"{size / 2**20:.0f} MiB" if size >= 2**20 else f"{-(-size // 1024)} KiB"
