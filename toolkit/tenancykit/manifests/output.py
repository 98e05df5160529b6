"""A folder that is replaced as a whole: the old tree or the new one, never a mixture, and never a stranger's file lost.

The new tree grows in a sibling folder and takes the place of the old one in a single exchange of names. An index of
written files with their hashes lies in the tree, so that the next export can tell its own files from other people's.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

from kubeanswers.errors import OutputError
from kubeanswers.records import dataclass
from kubeanswers.writing import keep_owner, make_parents, refuse_planted
from tenancykit.manifests.exchange import clear_leftovers, exclusive_lock, put_in_place

INDEX_NAME: Final = ".tenancykit.json"
SCHEMA: Final = "tenancykit/export/v1"
KEPT_SUFFIX: Final = ".changed-by-hand"
MAX_FOREIGN: Final = 20_000
"""Most files of others a target may hold; more means that the folder is somebody's home rather than an export."""
SHOWN: Final = 1000
"""Most paths listed per kind of change; counts are always complete."""


_FAILURES: Final = (OSError, sqlite3.Error)
_INDEX_LINE: Final = re.compile(r'  (?P<path>".*"): "(?P<hash>[0-9a-f]{64})",?\n?')


@dataclass(frozen=True)
class Change:
    """Files of one kind of change.

    Attributes:
        count: how many.
        paths: the first thousand of them, in order.
    """

    count: int = 0
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """How an export differs from the one before it in the same folder.

    Attributes:
        added: files that were not there.
        changed: files whose content differs.
        removed: files the earlier export wrote and this one does not.
        unchanged: files with the same bytes.
        foreign: files of others, carried over.
        by_hand: files of the earlier export that somebody edited; what they wrote lies beside the new file.
    """

    added: Change = Change()
    changed: Change = Change()
    removed: Change = Change()
    unchanged: Change = Change()
    foreign: Change = Change()
    by_hand: Change = Change()

    @property
    def is_identical(self) -> bool:
        """Whether the export left every byte as it was."""
        return not (self.added.count or self.changed.count or self.removed.count or self.by_hand.count)


@dataclass
class StagedTree:
    """A tree being written beside its target; use as a context manager and call :meth:`commit` at the end.

    Attributes:
        target: folder the tree will take the place of.
        header: what the index says about the export beside its files.
    """

    target: Path
    header: Mapping[str, Any] = field(default_factory=dict)
    _stage: Path = field(init=False, default=Path())
    _files: sqlite3.Connection = field(init=False)
    _stack: contextlib.ExitStack = field(init=False, default_factory=contextlib.ExitStack)
    _folders: set[str] = field(init=False, default_factory=set)

    def __enter__(self) -> Self:
        target = self.target = checked_target(self.target)
        try:
            make_parents(target.parent)
            self._stack.enter_context(exclusive_lock(target))
            clear_leftovers(target)
            stage = target.parent / f".{target.name}.new-{secrets.token_hex(6)}"
            stage.mkdir(0o700 if target.exists() else 0o777)  # as the umask has it, unless there is a folder to follow
            self._stage = stage
            self._stack.callback(shutil.rmtree, self._stage, ignore_errors=True)
            # Paths live in a file, not in memory, so that memory does not grow with the number of tenants.
            handle, name = tempfile.mkstemp(prefix=f".{target.name}.index-", dir=target.parent)
            os.close(handle)
            self._stack.callback(Path(name).unlink, missing_ok=True)
            self._files = sqlite3.connect(name, isolation_level=None)
            self._stack.callback(self._files.close)
            self._files.executescript(
                "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-2000;"
                "CREATE TABLE new (path TEXT PRIMARY KEY, hash TEXT) WITHOUT ROWID;"
                "CREATE TABLE old (path TEXT PRIMARY KEY, hash TEXT) WITHOUT ROWID;"
                "CREATE TABLE seen (path TEXT PRIMARY KEY, kind TEXT) WITHOUT ROWID; BEGIN;"
            )
        except _FAILURES as error:
            self._stack.close()
            raise _cannot_write(target, error) from error
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, path: str, text: str | bytes) -> None:
        """Write one file of the tree.

        Raises:
            OutputError: the file cannot be written, or leaves the tree.
        """
        folder, _, name = path.rpartition("/")
        if folder not in self._folders or name in ("", ".", ".."):
            self._enter(path, folder)
        data = text.encode() if isinstance(text, str) else text
        try:
            handle = os.open(f"{self._stage}/{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            self._files.execute("INSERT INTO new VALUES (?, ?)", (path, hashlib.sha256(data).hexdigest()))
        except FileExistsError as error:
            raise OutputError(f"{path}: two parts of the export claim this file; nothing was written") from error
        except _FAILURES as error:
            raise _cannot_write(self.target, error) from error

    def _enter(self, path: str, folder: str) -> None:
        """Make a file's folder.

        Raises:
            OutputError: the file would leave the tree, or the folder cannot be made.
        """
        inner = PurePosixPath(path)
        if inner.is_absolute() or ".." in inner.parts or not inner.name:
            raise OutputError(f"{path!r} would leave the export; nothing was written")
        try:
            (self._stage / inner).parent.mkdir(parents=True, exist_ok=True)
        except _FAILURES as error:
            raise _cannot_write(self.target, error) from error
        if len(self._folders) > SHOWN:
            self._folders.clear()
        self._folders.add(folder)

    @contextlib.contextmanager
    def stream(self, path: str) -> Iterator[_Stream]:
        """Open one file of the tree to be written piece by piece."""
        file = self._stage / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as raw:
                stream = _Stream(raw)
                yield stream
            self._files.execute("INSERT INTO new VALUES (?, ?)", (path, stream.digest.hexdigest()))
        except _FAILURES as error:
            raise _cannot_write(self.target, error) from error

    def commit(self) -> Changes:
        """Put the new tree in place of the old one and return how they differ.

        Raises:
            OutputError: the tree cannot be put in place; the old one is untouched.
        """
        try:
            self._read_old_index()
            self._compare_and_carry_over()
            self._write_index()
            self._keep_permissions()
            put_in_place(self._stage, self.target)
        except _FAILURES as error:
            raise _cannot_write(self.target, error) from error
        return self._changes()

    def _read_old_index(self) -> None:
        index = self.target / INDEX_NAME
        if index.is_symlink() or not index.is_file():
            return
        self._files.executemany("INSERT OR REPLACE INTO old VALUES (?, ?)", _indexed(index))

    def _compare_and_carry_over(self) -> None:
        if not self.target.is_dir():
            return
        foreign = 0
        for file, path in _files_below(self.target):
            if path == INDEX_NAME:
                continue
            recorded = self._recorded("old", path)
            if recorded is not None and _hash(file) == recorded:
                continue
            self._keep(file, path, by_hand=recorded is not None)
            foreign += 1
            if foreign > MAX_FOREIGN:
                raise OutputError(
                    f"{self.target}: holds more than {MAX_FOREIGN} files no export wrote; choose a folder of its own"
                )

    def _keep_permissions(self) -> None:
        """Give every folder that was there before its permissions and owner again."""
        if not self.target.is_dir():
            return
        for folder, _, _ in os.walk(self.target, topdown=False):
            new = self._stage / Path(folder).relative_to(self.target)
            if new.is_dir() and not new.is_symlink():
                keep_owner(new, Path(folder).lstat())

    def _recorded(self, table: str, path: str) -> str | None:
        row = self._files.execute(f"SELECT hash FROM {table} WHERE path = ?", (path,)).fetchone()  # noqa: S608 - our own table names
        return str(row[0]) if row else None

    def _keep(self, file: Path, path: str, *, by_hand: bool) -> None:
        """Carry a file over that somebody else wrote; where the new tree needs its name, under a name beside it."""
        copy = self._stage / path
        if os.path.lexists(copy):
            ours = self._recorded("new", path)
            if ours is not None and not file.is_symlink() and file.is_file() and _hash(file) == ours:
                return
            copy = self._free_name(path)
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise OutputError(f"{file}: lies where the export needs a file; move it away") from error
        _carry(file, copy)
        kind = "by-hand" if by_hand else "foreign"
        self._files.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (path, kind))

    def _free_name(self, path: str) -> Path:
        """Return a place beside a file that neither the new tree nor the old one uses."""
        number, name = 1, path + KEPT_SUFFIX
        while os.path.lexists(self._stage / name) or os.path.lexists(self.target / name):
            number += 1
            name = f"{path}{KEPT_SUFFIX}-{number}"
        return self._stage / name

    def _write_index(self) -> None:
        """Write the index as JSON, one file per line, without holding it in memory."""
        with (self._stage / INDEX_NAME).open("w", encoding="utf-8", newline="\n") as stream:
            head = json.dumps({"schema": SCHEMA, **self.header}, indent=1, ensure_ascii=False)
            stream.write(head.removesuffix("\n}") + ',\n "files": {')
            separator = "\n"
            for path, digest in self._files.execute("SELECT path, hash FROM new ORDER BY path"):
                stream.write(f"{separator}  {json.dumps(path, ensure_ascii=False)}: {json.dumps(digest)}")
                separator = ",\n"
            stream.write("\n }\n}\n")

    def _changes(self) -> Changes:
        joined = "new LEFT JOIN old USING (path)"
        return Changes(
            added=self._change(f"SELECT path FROM {joined} WHERE old.hash IS NULL"),  # noqa: S608 - constant text
            changed=self._change(f"SELECT path FROM {joined} WHERE old.hash != new.hash"),  # noqa: S608 - as above
            removed=self._change("SELECT path FROM old WHERE path NOT IN (SELECT path FROM new)"),
            unchanged=self._change(f"SELECT path FROM {joined} WHERE old.hash = new.hash"),  # noqa: S608 - as above
            foreign=self._change("SELECT path FROM seen WHERE kind = 'foreign'"),
            by_hand=self._change("SELECT path FROM seen WHERE kind = 'by-hand'"),
        )

    def _change(self, query: str) -> Change:
        count = self._files.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]  # noqa: S608 - constant text
        rows = self._files.execute(f"{query} ORDER BY path LIMIT {SHOWN}")
        return Change(int(count), tuple(str(row[0]) for row in rows))


@dataclass
class Digests:
    """A tree that is worked out and written nowhere: what its files would be, by their hashes.

    Attributes:
        files: SHA-256 by path inside the tree.
    """

    files: dict[str, str] = field(default_factory=dict)

    def write(self, path: str, text: str | bytes) -> None:
        """Note one file."""
        self.files[path] = hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()

    @contextlib.contextmanager
    def stream(self, path: str) -> Iterator[_Stream]:
        """Note one file piece by piece."""
        stream = _Stream(io.BytesIO())
        yield stream
        self.files[path] = stream.digest.hexdigest()


class _Stream:
    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.digest = hashlib.sha256()

    def write(self, text: str) -> None:
        data = text.encode()
        self.digest.update(data)
        self._raw.write(data)


def checked_target(target: Path) -> Path:
    """Return the absolute target of an export.

    Raises:
        OutputError: it is a file, a symbolic link, the working directory or one of its parents, or cannot be written.
    """
    if target.is_symlink():
        raise OutputError(f"{target}: is a symbolic link; name the folder it points to, or another one")
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target}: is a file; name a folder")
    refuse_planted(target)
    absolute = Path(os.path.abspath(target))  # noqa: PTH100 - resolve() would follow links in the parents
    here = Path.cwd()
    if absolute == here or absolute in here.parents:
        raise OutputError(f"{target}: is the working directory or holds it; name a folder inside it, such as out/")
    parent = next(folder for folder in (absolute, *absolute.parents) if folder.exists())
    if not parent.is_dir():
        raise OutputError(f"{parent}: is a file; the export needs a folder there")
    for folder in {parent, absolute.parent if absolute.parent.exists() else parent}:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OutputError(f"{folder}: is not writable; choose another folder or change its permissions")
    return absolute


def _indexed(index: Path) -> Iterator[tuple[str, str]]:
    """Yield path and hash of each line of an index; what cannot be read counts as never written by us."""
    with index.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            match = _INDEX_LINE.fullmatch(line)
            if match:
                with contextlib.suppress(ValueError):
                    yield json.loads(match["path"]), match["hash"]


def _cannot_write(target: Path, error: OSError | sqlite3.Error) -> OutputError:
    why = getattr(error, "strerror", None) or error
    cure = "free space or choose another folder; what was there before is unchanged"
    return OutputError(f"{target}: cannot be written: {why}; {cure}")


def _files_below(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield files, symbolic links and empty folders below a folder with their path in it; links are not followed."""
    pending = [(folder, "")]
    while pending:
        current, prefix = pending.pop()
        with os.scandir(current) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        if not found and prefix:
            yield current, prefix.rstrip("/")
        for entry in found:
            path = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                pending.append((Path(entry.path), f"{path}/"))
            else:
                yield Path(entry.path), path


def _hash(file: Path) -> str:
    if file.is_symlink() or not file.is_file():
        return ""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _carry(file: Path, copy: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        copy.mkdir(parents=True, exist_ok=True)
        return
    try:
        os.link(file, copy, follow_symlinks=False)
    except OSError:  # another file system, or one without hard links
        shutil.copy2(file, copy, follow_symlinks=False)
