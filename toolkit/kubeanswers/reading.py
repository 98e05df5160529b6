"""Files, folders, Kustomize bases, dumps and standard input to an object set; what cannot be read becomes a fault.

One broken file never hides the others.  Values of Secrets are dropped here, before anything else sees the object.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from kubeanswers.collector import paused_collector
from kubeanswers.errors import Fault, InputError
from kubeanswers.inputs import kind_of, read_stdin
from kubeanswers.kustomize.build import Builder, Loaded
from kubeanswers.kustomize.definition import KUSTOMIZATION_NAMES
from kubeanswers.objects import ObjectSet, Where, mapping, mappings, object_set, scrubbed
from kubeanswers.parsing import parse_documents
from kubeanswers.shapes import Shapes
from kubeanswers.source import read_text

_SUFFIXES: Final = (".yaml", ".yml", ".json")
MAX_BYTES: Final = 512 * 1024 * 1024
"""Largest file read, in bytes. Assumption: a dump of a large cluster in one file stays under 512 MiB."""

_TEMPLATE: Final = re.compile(
    r"\{\{-?\s*(?:\.(?:Values|Release|Chart|Files|Capabilities|Template)\b|include |template |define |toYaml|tpl |/\*)"
)
_HELM_CURE: Final = "render it first: helm template RELEASE CHART -f values.yaml | tenancykit audit -"


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes:
        objects: every object that could be read.
        faults: what could not be read, each with its place; bad input, exit code 2.
        skipped: files left out on purpose, with the reason (Helm values, files a kustomization does not name).
        forms: number of the form an object shares with others, by the identity of its data (see ``shapes``).
    """

    objects: ObjectSet
    faults: tuple[Fault, ...] = ()
    skipped: tuple[str, ...] = ()
    forms: Mapping[int, int] = field(default_factory=dict, repr=False, compare=False)


def read_objects(paths: Iterable[str | os.PathLike[str]], *, stdin: TextIO | None = None) -> Reading:
    """Return every Kubernetes object in the given files and folders; ``-`` reads standard input.

    A folder with a kustomization is read as ``kubectl apply -k`` would build it: what it names, with its patches,
    names, labels and generated objects.  A folder without one is read whole; kustomizations deeper in it are built,
    those that others name only as their parts.
    """
    reader = _Reader()
    with paused_collector():
        for path in paths:
            if str(path) == "-":
                reader.stdin(stdin or sys.stdin)
            else:
                reader.path(Path(path))
        faults = tuple(dict.fromkeys(reader.faults))
        return Reading(object_set(reader.raw), faults, tuple(reader.skipped), reader.shapes.forms)


@dataclass
class _Reader:
    raw: list[Loaded] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    places: set[Path] = field(default_factory=set)
    parents: dict[Path, Path] = field(default_factory=dict)
    charts: dict[Path, bool] = field(default_factory=dict)
    shapes: Shapes = field(default_factory=Shapes)

    def path(self, path: Path) -> None:
        """Read a file, a pipe or a folder that was asked for."""
        try:
            is_folder, known = path.is_dir(), self._real(path) in self.places
        except ValueError:
            self.faults.append(Fault(repr(str(path)), "is no path", cure="check the path"))
            return
        if is_folder:
            self._folder(path)
        elif not known:
            self.raw += self._file(path, explicit=True)

    def stdin(self, stream: TextIO) -> None:
        """Read standard input."""
        try:
            self.raw += self.text(read_stdin(stream, MAX_BYTES), "<stdin>")
        except InputError as error:
            self.faults.extend(error.faults)

    def _folder(self, root: Path) -> None:
        files = list(self._walk(root, root))
        self._build([path.parent for path in files if path.name in KUSTOMIZATION_NAMES], root)
        built = {self._real(path.parent) for path in files if path.name in KUSTOMIZATION_NAMES}
        for path in files:
            if path.name in KUSTOMIZATION_NAMES or str(path) in self.read or self._real(path) in self.places:
                continue
            if any(self._real(parent) in built for parent in path.parents[: len(path.relative_to(root).parts)]):
                self.skipped.append(f"{path}: not named by the kustomization above it")
            else:
                self.raw += self._file(path)

    def _build(self, folders: Sequence[Path], root: Path) -> None:
        """Build the kustomizations nobody names, then those of circles; what several of them share is kept once."""
        builder = Builder(self._file, lambda path, folder: self._inside(path, folder, root), self.faults)
        named = {self._real(target) for folder in folders for target in builder.parts(folder)}
        known: dict[Where, list[Mapping[str, Any]]] = {}
        for folder in sorted(folders, key=lambda folder: self._real(folder) in named):
            if self._real(folder) in builder.visited:
                continue
            if builder.is_component(folder):
                self.skipped.append(f"{folder}: a component that no kustomization uses")
                continue
            made = builder.build(folder)
            if len(folders) - len(named) > 1:
                made = [pair for pair in made if pair[0] not in known.get(pair[1], ())]
                for data, where in made:
                    known.setdefault(where, []).append(data)
            self.raw += made

    def _walk(self, folder: Path, root: Path) -> Iterator[Path]:
        """Yield the manifest files below a folder in sorted order, refusing links that lead out of it."""
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            self.faults.append(Fault(str(folder), f"cannot be read: {error.strerror}", cure="check the permissions"))
            return
        folders: list[Path] = []
        for entry in entries:
            is_link = entry.is_symlink()
            if entry.is_dir():
                if not entry.name.startswith(".") and (not is_link or self._inside(Path(entry.path), root)):
                    folders += [] if is_link else [folder / entry.name]
            elif entry.name in KUSTOMIZATION_NAMES or entry.name.lower().endswith(_SUFFIXES):
                path = folder / entry.name
                if is_link and not self._inside(path, root):
                    continue
                if entry.is_file():
                    yield path
                elif path.exists():
                    self.skipped.append(f"{path}: is {kind_of(path.stat())}, which is not read")
                else:
                    self.faults.append(Fault(str(path), "is a link that leads nowhere", cure="restore or remove it"))
        for inner in folders:
            yield from self._walk(inner, root)

    def _real(self, path: Path) -> Path:
        """Return the path without links; folders are looked up once each."""
        if path.name in ("", ".", "..") or path.is_symlink():
            return path.resolve()
        parent = path.parent
        if parent not in self.parents:
            self.parents[parent] = parent.resolve()
        return self.parents[parent] / path.name

    def _inside(self, path: Path, *roots: Path) -> bool:
        if not path.is_symlink() or any(path.resolve().is_relative_to(self._real(root)) for root in roots):
            return True
        self.faults.append(
            Fault(
                str(path), "is a symbolic link that leaves the folder", cure="copy the file in, or audit its target too"
            )
        )
        return False

    def _file(self, path: Path, *, explicit: bool = False) -> list[Loaded]:
        """Return the objects of one file."""
        self.read.add(str(path))
        self.places.add(self._real(path))
        if not explicit and self._in_chart(path.parent):
            self._chart_file(path)
            return []
        try:
            text = read_text(path, limit=MAX_BYTES)
        except InputError as error:
            self.faults.extend(error.faults)
            return []
        return self.text(text, str(path), explicit=explicit)

    def _in_chart(self, folder: Path) -> bool:
        if folder not in self.charts:
            self.charts[folder] = any(
                (parent / "Chart.yaml").is_file() for parent in (folder, *list(folder.parents)[:3])
            )
        return self.charts[folder]

    def _chart_file(self, path: Path) -> None:
        if path.parent.name == "templates" or "templates" in path.parts[-4:]:
            self.faults.append(
                Fault(str(path), "is an unrendered Helm template, so its objects are unknown", cure=_HELM_CURE)
            )
        else:
            self.skipped.append(f"{path}: belongs to a Helm chart, not to the cluster")

    def text(self, text: str, file: str, *, explicit: bool = True) -> list[Loaded]:
        """Return one text's objects; what is not one is a fault if the file was asked for, else noted."""
        if "{{" in text and _TEMPLATE.search(text):
            self.faults.append(
                Fault(file, "is an unrendered Helm template, so its objects are unknown", cure=_HELM_CURE)
            )
            return []
        if explicit and not text.strip():
            self.faults.append(Fault(file, "is empty", "Kubernetes objects", "check what was to be written there"))
            return []
        found: list[Loaded] = []
        faults: list[Fault] = []
        strangers: list[int] = []
        for value, line in parse_documents(text, file, faults, self.shapes):
            index = -1
            for index, data in enumerate(_flatten(value)):  # noqa: B007 - the last index tells whether any were found
                if data.get("kind") and data.get("apiVersion"):
                    faults += _no_text(data, f"{file}:{line}")
                    found.append((scrubbed(data), Where(file, line, len(found))))
                else:
                    strangers.append(line)
            if index < 0 and not _is_list(value):
                strangers.append(line)
        self.faults.extend(faults)
        if strangers and not found and not faults and not explicit:
            self.skipped.append(f"{file}: holds no Kubernetes object")
            return []
        for line in strangers:
            self.faults.append(
                Fault(
                    f"{file}:{line}",
                    "is not a Kubernetes object",
                    "apiVersion, kind and metadata",
                    "add them or remove it",
                )
            )
        return found


def _no_text(data: Mapping[str, Any], where: str) -> list[Fault]:
    """Return a fault for every name of an object that is no text; kubectl and API servers refuse it."""
    metadata = mapping(data.get("metadata"))
    named = {"apiVersion": data.get("apiVersion"), "kind": data.get("kind")}
    named |= {f"metadata.{key}": metadata.get(key) for key in ("name", "generateName", "namespace")}
    return [
        Fault(f"{where}: {field}", f"is {_SHOWN[type(value)]}, not text", "text", "put it in quotes")
        for field, value in named.items()
        if value is not None and not isinstance(value, str)
    ]


_SHOWN: Final = defaultdict(
    lambda: "something else",
    {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a mapping"},
)


def _is_list(value: object) -> bool:
    return isinstance(value, Mapping) and str(value.get("kind", "")).endswith("List")


def _flatten(value: object, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a document: itself, the items of a List kind, or the elements of a JSON array."""
    if isinstance(value, list):
        for item in value:
            yield from _flatten(item, depth)
    elif isinstance(value, Mapping):
        if str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list) and depth < 10:
            kind = str(value["kind"]).removesuffix("List")
            for item in mappings(value["items"]):
                typed = {"apiVersion": value.get("apiVersion"), "kind": kind, **item} if kind else item
                yield from _flatten(typed, depth + 1)
        elif not (str(value.get("kind", "")).endswith("List") and "items" in value):
            yield value
