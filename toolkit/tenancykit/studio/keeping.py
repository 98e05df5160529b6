"""A session kept in a file after every step, so that a page that is loaded again goes on where it was.

The page that opened the file last keeps it. An older page that finds the file in another's hands stops writing and says
so, until somebody decides which of the two goes on; neither overwrites the other without a word.
"""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

from kubeanswers.errors import OutputError, TenancyKitError
from kubeanswers.scalars import whole_number
from tenancykit.studio.files import read_session
from tenancykit.studio.session import Session

_ASIDE: Final = ".unreadable"


class Keeper:
    """Keeps one session in one file.

    Attributes:
        elsewhere: whether another page keeps the file now, so that this one does not.
        anew: whether what was kept could not be read, so that the page starts anew.
    """

    def __init__(self, session: Session, file: str | os.PathLike[str]) -> None:
        self._session = session
        self._file = Path(file)
        self._writer = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._written: tuple[int, int] | None = None
        self.elsewhere = False
        self.anew = False

    def restore(self, changed: float | None = None) -> str:
        """Bring back what the file holds, take the file over, and return what there is to say about it.

        A file that cannot be read is put aside, never overwritten.

        Args:
            changed: when the scenario's own file was changed last, seconds since 1970.

        Raises:
            OutputError: the folder cannot be written.
        """
        if not self._file.exists():
            self._write()
            return ""
        when = self._file.stat().st_mtime
        try:
            saved = read_session(self._file)
            self._session.load(self._file)
        except TenancyKitError as error:
            aside = self._put_aside()
            self._write()
            self.anew = True
            return f"this page starts anew, for what was kept cannot be read: {error}. It lies beside, as {aside.name}"
        told = f"continued where it was left, {datetime.fromtimestamp(when):%d %b %Y %H:%M}; Undo starts afresh"  # noqa: DTZ006 - the reader's own clock
        if _is_alive(saved.writer):
            told += (
                "; another page had it open and keeps no more: go on in one of them (add &session=NAME for a second)"
            )
        if changed is not None and changed > when:
            told += "; the scenario's file was changed since: Undo reads it"
        self._write()
        return told

    def keep(self) -> None:
        """Write the session, unless another page keeps the file now.

        Raises:
            OutputError: another page keeps the file, or it cannot be written.
        """
        self.elsewhere = self._identity() not in (None, self._written)
        if self.elsewhere:
            raise OutputError("this session was continued in another tab; what is done here is not kept any more")
        self._write()

    def take_over(self) -> None:
        """Keep this page's state from now on, in place of what another page kept.

        Raises:
            OutputError: the file cannot be written.
        """
        self._write()
        self.elsewhere = False

    def _write(self) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            told = f"{self._file.parent}: {error.strerror or error}; save the session in another folder (Hand over)"
            raise OutputError(told) from None
        self._session.save(self._file, self._writer)
        self._written = self._identity()

    def _identity(self) -> tuple[int, int] | None:
        """Return what changes whenever somebody writes the file: a file is replaced whole, never written into."""
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def _put_aside(self) -> Path:
        number = 1
        while (aside := self._file.with_name(f"{self._file.name}{_ASIDE}-{number}")).exists():
            number += 1
        try:
            self._file.rename(aside)
        except OSError as error:
            raise OutputError(f"{self._file}: {error.strerror or error}") from None
        return aside


def _is_alive(writer: str) -> bool:
    """Return whether the process that wrote a file last still runs."""
    process = whole_number(writer.partition("-")[0])
    if not process or process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
