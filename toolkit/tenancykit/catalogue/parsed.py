"""The catalogue's files as they were parsed before: reading YAML took a tenth of a comparison.

What parsing gave is kept as JSON in the user's cache folder, by the digest of each file's content and of the code that
parses. Whatever is missing, stale, damaged, not ours alone to write, or cannot be written is parsed again, silently:
the answer is the same. Only the catalogue that ships with the package is kept, never a user's own folders.
``TENANCYKIT_CACHE`` names another folder, or says ``off``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from kubeanswers import scalars, source
from kubeanswers.errors import InputError, OutputError
from kubeanswers.inputs import decoded
from kubeanswers.source import Document, Path_, parse_yaml, read_yaml
from kubeanswers.writing import write_text

_VARIABLE: Final = "TENANCYKIT_CACHE"
_FILE: Final = "catalogue.json"
_SHALLOW: Final = 2
"""Depth down to which lines are kept: those of entries. A fault deeper down is rare, and has its file read again."""
_OTHERS_MAY_WRITE: Final = 0o022


class _Lines(Mapping[Path_, int]):
    """Lines of a document: those of its entries at hand, all others from the file when one is asked for."""

    def __init__(self, known: Mapping[Path_, int], file: Path) -> None:
        self._known, self._file = known, file

    @cached_property
    def _all(self) -> Mapping[Path_, int]:
        return read_yaml(self._file).lines

    def __getitem__(self, path: Path_) -> int:
        found = self._known.get(path)
        return self._all[path] if found is None else found

    def __iter__(self) -> Iterator[Path_]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def parsed_files(root: Path, files: Iterable[Path]) -> Mapping[Path, Document]:
    """Return the documents of files of the package's catalogue; a file that cannot be read or parsed is left out.

    Args:
        root: the catalogue's folder; documents are named by their place below it.
        files: its YAML files.
    """
    contents: dict[Path, bytes] = {}
    for file in files:
        with contextlib.suppress(OSError):
            contents[file] = file.read_bytes()
    digests = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
    kept = _kept()
    found = {digest: kept[digest] for digest in digests.values() if digest in kept}
    for file, digest in digests.items():
        if digest not in found:
            with contextlib.suppress(InputError):
                found[digest] = _plain(parse_yaml(decoded(contents[file], str(file)), str(file)))
    if any(digest not in kept for digest in found):
        _keep(found)
    return {
        file: _document(f"catalogue/{file.relative_to(root)}", file, found[digest])
        for file, digest in digests.items()
        if digest in found
    }


def _plain(document: Document) -> Sequence[Any]:
    lines = [[*path, line] for path, line in document.lines.items() if len(path) <= _SHALLOW]
    return [document.data, lines, [[*path, text] for path, text in document.written.items()]]


def _document(name: str, file: Path, plain: Sequence[Any]) -> Document:
    data, lines, written = plain
    known = {tuple(path): line for *path, line in lines}
    return Document(name, data, _Lines(known, file), {tuple(path): text for *path, text in written})


def _key() -> str:
    """Return what the kept documents depend on beside their content: the code that parses."""
    code = b"".join(Path(module.__file__ or "").read_bytes() for module in (source, scalars))
    return hashlib.sha256(code + Path(__file__).read_bytes() + str(yaml.__version__).encode()).hexdigest()


def _folder() -> Path | None:
    stated = os.environ.get(_VARIABLE, "")
    if stated == "off":
        return None
    if stated:
        return Path(stated)
    home = os.environ.get("XDG_CACHE_HOME", "")
    with contextlib.suppress(RuntimeError):  # nobody's home
        return (Path(home) if Path(home).is_absolute() else Path.home() / ".cache") / "tenancykit"
    return None


def _kept() -> Mapping[str, Sequence[Any]]:
    """Return what is kept, by digest; nothing where it is not ours or not of this code."""
    folder = _folder()
    if folder is None or not _ours(folder):
        return {}
    try:
        if not _ours(folder / _FILE):
            return {}
        found = json.loads((folder / _FILE).read_bytes())
        return dict(found["documents"]) if found["key"] == _key() else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _ours(path: Path) -> bool:
    """Return whether nobody else may write there."""
    try:
        found = path.stat()
    except OSError:
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & _OTHERS_MAY_WRITE)


def _keep(documents: Mapping[str, Sequence[Any]]) -> None:
    """Write what was parsed, as a whole or not at all."""
    folder = _folder()
    if folder is None:
        return
    text = json.dumps({"key": _key(), "documents": documents}, separators=(",", ":"))
    with contextlib.suppress(OSError, OutputError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _ours(folder):
            write_text(folder / _FILE, text, ours="", force=True)
