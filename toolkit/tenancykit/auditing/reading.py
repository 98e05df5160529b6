"""Files, folders, Kustomize bases, dumps and standard input to an object set; what cannot be read becomes a fault.

One broken file never hides the others.  Values of Secrets are dropped here, before anything else sees the object.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from tenancykit.auditing.collector import paused_collector
from tenancykit.auditing.kustomize import KUSTOMIZATION_NAMES, Kustomization, find_kustomization
from tenancykit.auditing.objects import ObjectSet, Where, mapping, mappings, object_set
from tenancykit.auditing.parsing import parse_documents
from tenancykit.errors import Fault

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
MAX_BYTES: Final = 512 * 1024 * 1024
"""Largest file read, in bytes. Assumption: a dump of a large cluster in one file stays under 512 MiB."""

_TEMPLATE: Final = re.compile(
    r"\{\{-?\s*(?:\.(?:Values|Release|Chart|Files|Capabilities|Template)\b|include |template |define |toYaml|tpl |/\*)"
)
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_HELM_CURE: Final = "render it first: helm template RELEASE CHART -f values.yaml | tenancykit audit -"


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes:
        objects: every object that could be read.
        faults: what could not be read, each with its place; bad input, exit code 2.
        skipped: files left out on purpose, with the reason (Helm values, files a kustomization does not name).
    """

    objects: ObjectSet
    faults: tuple[Fault, ...] = ()
    skipped: tuple[str, ...] = ()


def read_objects(paths: Iterable[str | os.PathLike[str]], *, stdin: TextIO | None = None) -> Reading:
    """Return every Kubernetes object in the given files and folders; ``-`` reads standard input.

    A folder with a kustomization is read as ``kubectl apply -k`` would: what it names, its ``namespace`` applied.
    A folder without one is read whole; kustomizations deeper in it are followed, every file is read once.
    """
    reader = _Reader()
    with paused_collector():
        for path in paths:
            if str(path) == "-":
                reader.text((stdin or sys.stdin).read(), "<stdin>")
            else:
                reader.path(Path(path))
        return Reading(object_set(reader.raw), tuple(reader.faults), tuple(reader.skipped))


@dataclass
class _Reader:
    raw: list[tuple[Mapping[str, Any], Where]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    parents: dict[Path, Path] = field(default_factory=dict)

    def path(self, path: Path) -> None:
        if path.is_dir():
            self._folder(path)
        elif path.is_file():
            self._file(path, root=None, explicit=True)
        else:
            self.faults.append(Fault(str(path), "no such file or folder", cure="check the path"))

    def _folder(self, root: Path) -> None:
        files = list(self._walk(root))
        bases = [path.parent for path in files if path.name in KUSTOMIZATION_NAMES]
        built = {folder.resolve() for folder in bases}
        named = {target for folder in bases for target in _named_folders(folder)}
        for folder in sorted(bases, key=lambda base: base.resolve() in named):  # those nobody names come first
            if str(self._real(folder)) not in self.places:
                self._kustomization(folder, root, (), "")
        for path in files:
            if path.name in KUSTOMIZATION_NAMES or str(self._real(path)) in self.places:
                continue
            if any(self._real(parent) in built for parent in path.parents[: len(path.relative_to(root).parts)]):
                self.skipped.append(f"{path}: not named by the kustomization above it")
            else:
                self._file(path, root)

    def _walk(self, root: Path) -> Iterator[Path]:
        """Yield the manifest files below a folder in sorted order, refusing links that lead out of it."""
        for folder, folders, names in os.walk(root):
            here = Path(folder)
            folders[:] = sorted(
                name for name in folders if not name.startswith(".") and self._inside(here / name, root)
            )
            for name in sorted(names):
                path = here / name
                manifest = path.suffix.lower() in _SUFFIXES or name in KUSTOMIZATION_NAMES
                if manifest and self._inside(path, root):
                    yield path

    def _real(self, path: Path) -> Path:
        """Return the path without links; folders are looked up once each."""
        if path.is_symlink() or path.name in ("", ".", ".."):
            return path.resolve()
        if path.parent not in self.parents:
            self.parents[path.parent] = path.parent.resolve()
        return self.parents[path.parent] / path.name

    def _inside(self, path: Path, root: Path) -> bool:
        if not path.is_symlink() or path.resolve().is_relative_to(self._real(root)):
            return True
        self.faults.append(
            Fault(
                str(path), "is a symbolic link that leaves the folder", cure="copy the file in, or audit its target too"
            )
        )
        return False

    def _kustomization(self, folder: Path, root: Path, chain: tuple[Path, ...], namespace: str) -> None:
        real = self._real(folder)
        if real in chain:
            names = " -> ".join(part.name for part in (*chain, real))
            self.faults.append(
                Fault(str(folder), f"Kustomize references go round in a circle: {names}", cure="break the circle")
            )
            return
        file = find_kustomization(folder)
        if file is None:
            self.faults.append(
                Fault(str(folder), "has no kustomization.yaml", cure="name files, or add a kustomization")
            )
            return
        read = Kustomization.read(file, self.faults)
        if read is None:
            return
        inner = namespace or read.namespace
        if (str(real), inner) in self.seen:
            return
        self.seen.add((str(real), inner))
        self.places.add(str(real))
        before = len(self.raw)
        for name in read.resources:
            self._resource(folder, name, root, (*chain, real), inner)
        self.raw[before:] = [(read.transform(data, inner), where) for data, where in self.raw[before:]]

    def _resource(self, folder: Path, name: str, root: Path, chain: tuple[Path, ...], namespace: str) -> None:
        file = find_kustomization(folder) or folder
        if "://" in name or name.startswith(("github.com/", "git@")):
            self.faults.append(
                Fault(
                    str(file),
                    f"names the remote base {name!r}, which is not fetched",
                    cure="run kubectl kustomize first",
                )
            )
            return
        target = folder / name
        if target.is_dir():
            if self._inside(target, root):
                self._kustomization(target, root, chain, namespace)
        elif target.is_file():
            self._file(target, folder, namespace)
        else:
            self.faults.append(
                Fault(str(file), f"names {name!r}, which does not exist", cure="restore it or drop the entry")
            )

    def _file(self, path: Path, root: Path | None, namespace: str = "", *, explicit: bool = False) -> None:
        if root is not None and not self._inside(path, root):
            return
        key = (str(self._real(path)), namespace)
        if key in self.seen:
            return
        self.seen.add(key)
        self.places.add(key[0])
        if not explicit and _in_chart(path):
            self._chart_file(path)
            return
        try:
            if path.stat().st_size > MAX_BYTES:
                self.faults.append(Fault(str(path), "is larger than 512 MiB", cure="split the dump by namespace"))
                return
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            self.faults.append(Fault(str(path), f"is not UTF-8 text (byte {error.start})", cure="save it as UTF-8"))
        except OSError as error:
            self.faults.append(Fault(str(path), f"cannot be read: {error.strerror}", cure="check the permissions"))
        else:
            self.text(text, str(path), explicit=explicit)

    def _chart_file(self, path: Path) -> None:
        if path.parent.name == "templates" or "templates" in path.parts[-4:]:
            self.faults.append(
                Fault(str(path), "is an unrendered Helm template, so its objects are unknown", cure=_HELM_CURE)
            )
        else:
            self.skipped.append(f"{path}: belongs to a Helm chart, not to the cluster")

    def text(self, text: str, file: str, *, explicit: bool = True) -> None:
        """Read one text; what is not a Kubernetes object is a fault if the file was asked for, else noted."""
        if _TEMPLATE.search(text):
            self.faults.append(
                Fault(file, "is an unrendered Helm template, so its objects are unknown", cure=_HELM_CURE)
            )
            return
        found = 0
        faults: list[Fault] = []
        strangers: list[int] = []
        for value, line in parse_documents(text, file, faults):
            index = -1
            for index, data in enumerate(_flatten(value)):  # noqa: B007 - the last index tells whether any were found
                if data.get("kind") and data.get("apiVersion"):
                    self.raw.append((_scrubbed(data), Where(file, line, found)))
                    found += 1
                else:
                    strangers.append(line)
            if index < 0 and not _is_list(value):
                strangers.append(line)
        self.faults.extend(faults)
        if strangers and found == 0 and not faults and not explicit:
            self.skipped.append(f"{file}: holds no Kubernetes object")
            return
        for line in strangers:
            self.faults.append(
                Fault(
                    f"{file}:{line}",
                    "is not a Kubernetes object",
                    "apiVersion, kind and metadata",
                    "add them or remove it",
                )
            )


def _named_folders(folder: Path) -> Iterator[Path]:
    file = find_kustomization(folder)
    read = Kustomization.read(file, []) if file else None
    for name in read.resources if read else ():
        if (folder / name).is_dir():
            yield (folder / name).resolve()


def _in_chart(path: Path) -> bool:
    return any((parent / "Chart.yaml").is_file() for parent in list(path.parents)[:4])


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


def _scrubbed(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object without Secret values: only their keys remain, and no annotation that repeats the manifest."""
    metadata = mapping(data.get("metadata"))
    annotations = mapping(metadata.get("annotations"))
    if _LAST_APPLIED in annotations:
        kept = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        data = {**data, "metadata": {**metadata, "annotations": kept}}
    if data.get("kind") != "Secret":
        return data
    clean = {key: value for key, value in data.items() if key not in ("data", "stringData")}
    keys: Sequence[str] = sorted({*mapping(data.get("data")), *mapping(data.get("stringData"))})
    return {**clean, "data": dict.fromkeys(keys, "")}
