"""Where files and folders are, asked of the system once each: reading large trees costs more questions than text."""

from __future__ import annotations

import os
import re
from dataclasses import field
from pathlib import Path
from typing import Final

from kubeanswers.records import dataclass

_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
"""Relative paths without detours."""


@dataclass
class Places:
    """What is known of one reading's folders and files; paths are texts as ``str(Path(...))`` writes them."""

    _folders: dict[str, str] = field(default_factory=dict)
    _files: dict[str, str] = field(default_factory=dict)
    _parents: dict[str, str] = field(default_factory=dict)

    def saw_folder(self, path: str) -> None:
        """Note a folder that is no link."""
        self._folders[path] = self.real(path)

    def saw_file(self, path: str) -> None:
        """Note a regular file that is no link."""
        self._files[path] = path

    def same(self, path: str) -> str:
        """Return the path of a file as it was noted: each text is kept once."""
        return self._files.get(path, path)

    def is_folder(self, path: str) -> bool:
        """Return whether a path leads to a folder."""
        return path in self._folders or (path not in self._files and is_folder(path))

    def is_file(self, path: str) -> bool:
        """Return whether a path leads to a regular file."""
        return path in self._files or is_file(path)

    def is_link(self, path: str) -> bool:
        """Return whether a path is a symbolic link itself."""
        return path not in self._files and path not in self._folders and os.path.islink(path)

    def real(self, path: str) -> str:
        """Return the path without links.

        Raises:
            ValueError: it is no path.
        """
        known = self._folders.get(path)
        if known is not None:
            return known
        head, name = os.path.split(path)
        if name in ("", ".", "..") or self.is_link(path):
            return os.path.realpath(path)
        parent = self._parent(head)
        return path if parent == head else os.path.join(parent, name)

    def _parent(self, folder: str) -> str:
        known = self._folders.get(folder) or self._parents.get(folder)
        if known is None:
            known = self._parents[folder] = os.path.realpath(folder)
        return known


def folder_of(path: str) -> str:
    """Return the folder of a path, as ``str(Path(path).parent)`` writes it."""
    folder, slash, _ = path.rpartition("/")
    return folder or slash or "."


def name_in(path: str) -> str:
    """Return the last part of a path."""
    return path.rpartition("/")[2]


def is_file(path: str | os.PathLike[str]) -> bool:
    """Return whether a path leads to a regular file; none does where its name is longer than a name can be."""
    return os.path.isfile(path)


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Return whether a path leads to a folder; none does where its name is longer than a name can be."""
    return os.path.isdir(path)


def below(folder: str, name: str) -> str:
    """Return the path of a name in a folder as ``Path(folder) / name`` writes it."""
    if _PLAIN.fullmatch(name):
        return name if folder == "." else f"{folder}{'' if folder.endswith('/') else '/'}{name}"
    return str(Path(folder) / name)


def is_plain_name(name: str) -> bool:
    """Return whether a name is that of an entry of the folder itself."""
    return "/" not in name and _PLAIN.fullmatch(name) is not None
