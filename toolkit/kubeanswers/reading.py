"""Files, folders, Kustomize bases, dumps and standard input to an object set; what cannot be read becomes a fault.

One broken file never hides the others.  Values of Secrets are dropped here, before anything else sees the object.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Final, TextIO

from kubeanswers.collector import paused_collector
from kubeanswers.errors import Fault, InputError
from kubeanswers.inputs import decoded, kind_of, read_bytes, read_stdin
from kubeanswers.kustomize.build import Builder, Loaded
from kubeanswers.kustomize.definition import KUSTOMIZATION_NAMES
from kubeanswers.objects import ObjectSet, Where, mapping, mappings, object_set, scrubbed
from kubeanswers.parsing import parse_documents, parse_forms
from kubeanswers.places import Places, below, folder_of, name_in
from kubeanswers.records import dataclass
from kubeanswers.shapes import UNFORMED, Shapes
from kubeanswers.twins import Twins, name_of

_SUFFIXES: Final = (".yaml", ".yml", ".json")
MAX_BYTES: Final = 512 * 1024 * 1024
"""Largest file read, in bytes. Assumption: a dump of a large cluster in one file stays under 512 MiB."""

_FILES_OF_TOOLS: Final[Mapping[str, str]] = {
    "backstage.io": "Backstage",
    "chainsaw.kyverno.io": "Chainsaw",
    "cli.kyverno.io": "the Kyverno command line",
    "client.authentication.k8s.io": "kubectl",
    "config.k8s.io": "Kustomize functions",
    "config.kueue.x-k8s.io": "Kueue",
    "config.kwok.x-k8s.io": "kwok",
    "controller-runtime.sigs.k8s.io": "a controller",
    "controllermanager.config.k8s.io": "kube-controller-manager",
    "cloudcontrollermanager.config.k8s.io": "a cloud controller manager",
    "ctlptl.dev": "ctlptl",
    "eksctl.io": "eksctl",
    "k3d.io": "k3d",
    "kind.x-k8s.io": "kind",
    "kpt.dev": "kpt",
    "kubeproxy.config.k8s.io": "kube-proxy",
    "kustomize.config.k8s.io": "Kustomize",
    "kuttl.dev": "kuttl",
    "skaffold": "Skaffold",
}
"""Groups that no API server serves: files that say so are a tool's own settings, by the tool."""

_PATCH: Final = "$patch"
_TEMPLATE: Final = "{{"
_MOST_OF_A_KUSTOMIZATION: Final = 65536
"""Longest text of a kustomization kept until it is built, in characters; a longer one is read again."""
_HELM_CURE: Final = "render it first: helm template RELEASE CHART -f values.yaml | tenancykit audit -"


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes:
        objects: every object that could be read.
        faults: what could not be read, each with its place; bad input, exit code 2.
        skipped: files left out on purpose, with the reason (Helm values, files a kustomization does not name).
        unread: what holds objects that could not be read here: charts and templates nobody rendered, remote bases.
    """

    objects: ObjectSet
    faults: tuple[Fault, ...] = ()
    skipped: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def read_objects(
    paths: Iterable[str | os.PathLike[str]], *, stdin: TextIO | None = None, digests: dict[str, str] | None = None
) -> Reading:
    """Return every Kubernetes object in the given files and folders; ``-`` reads standard input.

    A folder with a kustomization is read as ``kubectl apply -k`` would build it: what it names, with its patches,
    names, labels and generated objects.  A folder without one is read whole; kustomizations deeper in it are built,
    those that others name only as their parts.

    Args:
        paths: files and folders.
        stdin: what ``-`` reads.
        digests: where the SHA-256 of manifests and kustomizations is noted as they are read, by path.
    """
    reader = _read(paths, stdin, digests)
    return reader.reading([*reader.raw, *(pair for found in reader.sets.values() for pair in found)])


def read_sets(paths: Iterable[str | os.PathLike[str]], *, stdin: TextIO | None = None) -> dict[str, Reading]:
    """Return what is read as sets that stand beside each other; most input is one set, called by an empty text.

    Kustomizations of one folder that make the same object differently are overlays of one base: no cluster holds both,
    so each is a set of its own, together with whatever the folder holds beside them.  Overlays of the same name
    (``apps/staging`` and ``infrastructure/staging``) are one set.
    """
    reader = _read(paths, stdin)
    if not reader.sets:
        return {"": reader.reading(reader.raw)}
    return {name: reader.reading([*reader.raw, *found]) for name, found in sorted(reader.sets.items())}


def _read(
    paths: Iterable[str | os.PathLike[str]], stdin: TextIO | None, digests: dict[str, str] | None = None
) -> _Reader:
    reader = _Reader(digests=digests)
    with paused_collector():
        for path in paths:
            if str(path) == "-":
                reader.stdin(stdin or sys.stdin)
            else:
                reader.path(Path(path))
    return reader


@dataclass
class _Reader:
    raw: list[Loaded] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    places: Places = field(default_factory=Places)
    charts: dict[str, Path | None] = field(default_factory=dict)
    roots: dict[str, bool] = field(default_factory=dict)
    shapes: Shapes = field(default_factory=Shapes)
    sets: dict[str, list[Loaded]] = field(default_factory=dict)
    unrendered: list[tuple[Path | None, str]] = field(default_factory=list)
    remote: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] | None = None
    twins: Twins = field(init=False)

    def __post_init__(self) -> None:
        self.twins = Twins(self.shapes.numbers)

    def reading(self, raw: list[Loaded]) -> Reading:
        """Return what was read; where that is nothing, templates are faults."""
        faults = list(self.faults)
        if not raw:
            what = "is an unrendered Helm template, so its objects are unknown"
            faults += [Fault(file, what, cure=_HELM_CURE) for _, file in self.unrendered]
            faults += [
                Fault(text, "is not fetched", cure="audit what kubectl kustomize prints") for text in self.remote
            ]
        unread = tuple(self._unread()) if raw else ()
        with paused_collector():
            objects = object_set(raw)
        return Reading(objects, tuple(dict.fromkeys(faults)), tuple(self.skipped), unread)

    def _unread(self) -> Iterator[str]:
        charts = Counter(chart for chart, _ in self.unrendered if chart is not None)
        for chart, count in charts.items():
            yield f"chart {chart} is not rendered ({count} templates): helm template NAME {chart} | tenancykit audit -"
        folders = Counter(str(Path(file).parent) for chart, file in self.unrendered if chart is None)
        for folder, count in folders.items():
            yield f"{count} file{'s' if count > 1 else ''} in {folder} are templates of some tool: render them first"
        yield from dict.fromkeys(self.remote)

    def path(self, path: Path) -> None:
        """Read a file, a pipe or a folder that was asked for."""
        try:
            is_folder, known = path.is_dir(), self.places.real(str(path)) in self.read
        except ValueError:
            self.faults.append(Fault(repr(str(path)), "is no path", cure="check the path"))
            return
        if is_folder:
            self._folder(str(path))
        elif not known:
            self.raw += self._file(str(path), explicit=True)

    def stdin(self, stream: TextIO) -> None:
        """Read standard input."""
        try:
            self.raw += self.text(read_stdin(stream, MAX_BYTES), "<stdin>")
        except InputError as error:
            self.faults.extend(error.faults)

    def _folder(self, root: str) -> None:
        if not self.places.is_link(root):
            self.places.saw_folder(root)
        texts: dict[str, str] = {}
        files = [path for path in self._walk(root, root) if not self._is_template(path, texts)]
        folders = [folder_of(path) for path in files if _is_kustomization(path)]
        self._build(folders, root, texts)
        built = {self.places.real(folder) for folder in folders}
        for path in files:
            if _is_kustomization(path) or self.places.real(path) in self.read:
                continue
            if any(self.places.real(parent) in built for parent in _between(path, root)):
                self.skipped.append(f"{path}: not named by the kustomization above it")
            else:
                self.raw += self._file(path)

    def _is_template(self, path: str, texts: dict[str, str]) -> bool:
        """Return whether a kustomization is made by some tool from this file, and note it if so; its text is kept."""
        if not _is_kustomization(path):
            return False
        try:
            text = self._content(path)
        except InputError:
            return False
        faults: list[Fault] = []
        if _TEMPLATE not in text or (all(parse_documents(text, path, faults)) and not faults):
            if len(text) <= _MOST_OF_A_KUSTOMIZATION:
                texts[path] = self.words.setdefault(text, text)
            return False
        self.unrendered.append((None, path))
        return True

    def _build(self, folders: Sequence[str], root: str, texts: Mapping[str, str]) -> None:
        """Build the kustomizations nobody names, then those of circles; what several of them share is kept once."""
        builder = Builder(
            self._file,
            lambda path, folder: self._inside(path, folder, root),
            self.faults,
            self.places,
            texts,
            remote=self.remote,
        )
        named = {part for folder in folders for part in builder.parts(folder)}
        roots: list[tuple[str, list[Loaded]]] = []
        for folder in sorted(folders, key=lambda folder: self.places.real(folder) in named):
            if self.places.real(folder) in builder.visited:
                continue
            if builder.is_component(folder):
                self.skipped.append(f"{folder}: a component that no kustomization uses")
                continue
            roots.append((folder, builder.build(folder)))
        apart = _overlays(roots, root)
        for name, found in apart.items():
            self.sets.setdefault(name, []).extend(found)
        known: dict[Where, list[Mapping[str, Any]]] = {}
        together = [made for folder, made in roots if not any(made is part for part in apart.parts)]
        for made in together:
            kept = [pair for pair in made if pair[0] not in known.get(pair[1], ())] if len(together) > 1 else made
            for data, where in kept if len(together) > 1 else ():
                known.setdefault(where, []).append(data)
            self.raw += kept

    def _walk(self, folder: str, root: str) -> Iterator[str]:
        """Yield the manifest files below a folder in sorted order, refusing links that lead out of it."""
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            self.faults.append(Fault(folder, f"cannot be read: {error.strerror}", cure="check the permissions"))
            return
        folders: list[str] = []
        for entry in entries:
            is_link = entry.is_symlink()
            path = below(folder, entry.name)
            if entry.is_dir():
                folders += self._entered(entry, path, root)
            elif entry.name in KUSTOMIZATION_NAMES or entry.name.lower().endswith(_SUFFIXES):
                if is_link and not self._inside(path, root):
                    continue
                if entry.is_file():
                    if not is_link:
                        self.places.saw_file(path)
                    yield path
                else:
                    self._no_file(path)
        for inner in folders:
            yield from self._walk(inner, root)

    def _entered(self, entry: os.DirEntry[str], path: str, root: str) -> list[str]:
        """Return the folder if it is one to walk; a link is not followed, and is a fault where it leaves the root."""
        if entry.name.startswith("."):
            return []
        if entry.is_symlink():
            self._inside(path, root)
            return []
        self.places.saw_folder(path)
        return [path]

    def _no_file(self, path: str) -> None:
        """Note what has a manifest's name and is none: a device, a pipe, a link to nothing."""
        place = Path(path)
        if place.exists():
            self.skipped.append(f"{path}: is {kind_of(place.stat())}, which is not read")
        else:
            self.faults.append(Fault(path, "is a link that leads nowhere", cure="restore or remove it"))

    def _inside(self, path: str, *roots: str) -> bool:
        if not self.places.is_link(path):
            return True
        real = Path(path).resolve()
        if any(real.is_relative_to(self.places.real(root)) for root in roots):
            return True
        what = "is a symbolic link that leaves the folder"
        self.faults.append(Fault(path, what, cure="copy the file in, or audit its target too"))
        return False

    def _file(self, path: str, *, explicit: bool = False) -> list[Loaded]:
        """Return the objects of one file."""
        path = self.places.same(path)
        self.read.add(self.places.real(path))
        if not explicit and self._in_chart(folder_of(path)):
            self._chart_file(path)
            return []
        try:
            text = self._content(path)
        except InputError as error:
            self.faults.extend(error.faults)
            return []
        return self.text(text, path, explicit=explicit)

    def _content(self, path: str) -> str:
        content = read_bytes(path, MAX_BYTES)
        if self.digests is not None:
            self.digests[path] = hashlib.sha256(content).hexdigest()
        return decoded(content, path)

    def _in_chart(self, folder: str) -> Path | None:
        if folder not in self.charts:
            place = folder
            for _ in range(3):
                if self._is_chart(place) or place == folder_of(place):
                    break
                place = folder_of(place)
            self.charts[folder] = Path(place) if self._is_chart(place) else None
        return self.charts[folder]

    def _is_chart(self, folder: str) -> bool:
        if folder not in self.roots:
            self.roots[folder] = self.places.is_file(below(folder, "Chart.yaml"))
        return self.roots[folder]

    def _chart_file(self, path: str) -> None:
        if "templates" in Path(path).parts[-4:]:
            self.unrendered.append((self._in_chart(folder_of(path)), path))
        else:
            self.skipped.append(f"{path}: belongs to a Helm chart, not to the cluster")

    def text(self, text: str, file: str, *, explicit: bool = True) -> list[Loaded]:
        """Return one text's objects; what is not one is a fault if the file was asked for, else noted."""
        name = self._name(file)
        key, known = self.twins.find(text, name)
        if known is not None:
            return [(data, Where(file, line, i, form, name)) for i, (data, line, form) in enumerate(known)]
        told = len(self.faults), len(self.skipped), len(self.unrendered)
        found = self._parsed(text, file, explicit=explicit)
        if found and key is not None and told == (len(self.faults), len(self.skipped), len(self.unrendered)):
            self.twins.learn(key, name, [(data, where.line, where.form) for data, where in found])
        return found

    def _name(self, file: str) -> str:
        folder, _, name = file.rpartition("/")
        own = name_of(name)
        if own:
            return own
        if folder not in self.names:
            self.names[folder] = name_of(folder)
        return self.names[folder]

    def _parsed(  # noqa: C901 - one branch per sort of document
        self, text: str, file: str, *, explicit: bool
    ) -> list[Loaded]:
        if explicit and not text.strip():
            self.faults.append(Fault(file, "is empty", "Kubernetes objects", "check what was to be written there"))
            return []
        found: list[Loaded] = []
        faults: list[Fault] = []
        strangers: list[int] = []
        aside: list[str] = []
        for value, line, form in parse_forms(text, file, faults, self.shapes):
            index = -1
            for index, data in enumerate(_flatten(value)):  # noqa: B007 - the last index tells whether any were found
                if what := _stranger(data, text):
                    aside.append(f"{file}: is {what}, not an object of the API")
                elif data.get("kind") and data.get("apiVersion"):
                    faults += _no_text(data, f"{file}:{line}")
                    clean = scrubbed(data)
                    loaded = (clean, Where(file, line, len(found), form if clean is value else UNFORMED))
                    found += () if _is_blank(data) else (loaded,)
                else:
                    strangers.append(line)
            if index < 0 and not _is_list(value):
                strangers.append(line)
        if faults and _TEMPLATE in text:  # YAML first: braces inside strings are data
            if explicit:
                what = "is an unrendered Helm template, so its objects are unknown"
                self.faults.append(Fault(file, what, cure=_HELM_CURE))
            else:
                self.unrendered.append((None, file))
            return found
        self.faults.extend(faults)
        self.skipped.extend(dict.fromkeys(aside))
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


def _stranger(data: Mapping[str, Any], text: str) -> str:
    """Return what a document is that looks like an object and is none; empty for an object."""
    if tool := _tool_of(data):
        return f"a file of {tool}"
    return "a patch of Kustomize" if _PATCH in text and _is_patch(data) else ""


def _is_patch(data: Any) -> bool:
    """Return whether data holds a directive of strategic merging, which no object has."""
    if isinstance(data, Mapping):
        return _PATCH in data or any(map(_is_patch, data.values()))
    return isinstance(data, list) and any(map(_is_patch, data))


class _Apart(dict[str, list[Loaded]]):
    """Sets by name, and the parts they are made of."""

    parts: list[list[Loaded]]


def _is_kustomization(path: str) -> bool:
    return name_in(path) in KUSTOMIZATION_NAMES


def _between(path: str, root: str) -> Iterator[str]:
    """Yield the folders of a file up to the root it was found below."""
    while path != root and (above := folder_of(path)) != path:
        path = above
        yield path


def _overlays(roots: list[tuple[str, list[Loaded]]], root: str) -> _Apart:
    """Return the kustomizations that make the same object differently, by the name of their set."""
    found = _Apart()
    found.parts = []
    if len(roots) < 2:
        return found
    makers: dict[tuple[str, ...], list[int]] = {}
    made: dict[tuple[int, tuple[str, ...]], Mapping[str, Any]] = {}
    for number, (_, objects) in enumerate(roots):
        for data, _ in objects:
            key = _identity(data)
            if (number, key) not in made:
                makers.setdefault(key, []).append(number)
            made[number, key] = data
    rivals: set[tuple[int, int]] = set()
    for key, numbers in makers.items():
        for i, one in enumerate(numbers):
            rivals |= {(one, other) for other in numbers[i + 1 :] if made[one, key] != made[other, key]}
    apart = sorted({number for pair in rivals for number in pair})
    names = {number: Path(roots[number][0]).name for number in apart}
    if any(names[one] == names[other] for one, other in rivals):
        names = {number: os.path.relpath(roots[number][0], root) for number in apart}
    for number in apart:
        found.setdefault(names[number], []).extend(roots[number][1])
        found.parts.append(roots[number][1])
    return found


def _identity(data: Mapping[str, Any]) -> tuple[str, ...]:
    metadata = mapping(data.get("metadata"))
    group = str(data.get("apiVersion", "")).rpartition("/")[0]
    return group, str(data.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def _tool_of(data: Mapping[str, Any]) -> str:
    """Return the tool whose own settings a document holds; empty for everything an API server may be sent."""
    version = data.get("apiVersion")
    if version == "v1" and data.get("kind") == "Config" and ("clusters" in data or "contexts" in data):
        return "kubectl"
    return _FILES_OF_TOOLS.get(version.rpartition("/")[0], "") if isinstance(version, str) else ""


def _no_text(data: Mapping[str, Any], where: str) -> list[Fault]:
    """Return a fault for every name of an object that is no text; kubectl and API servers refuse it."""
    metadata = mapping(data.get("metadata"))
    named = {"apiVersion": data.get("apiVersion"), "kind": data.get("kind")}
    named |= {f"metadata.{key}": metadata.get(key) for key in ("name", "generateName", "namespace")}
    return [
        Fault(f"{where}: {field}", f"is {_SHOWN[type(value)]}, not text", "text", _cure(value))
        for field, value in named.items()
        if value is not None and not isinstance(value, str)
    ]


def _cure(value: object) -> str:
    if isinstance(value, Mapping):
        return "if it is a placeholder, audit what the tool that fills it in writes; else put it in quotes"
    return "put it in quotes"


def _is_blank(data: Mapping[str, Any]) -> bool:
    """Return whether an object is named by a placeholder in braces, which YAML reads as a mapping: it is not read."""
    metadata = mapping(data.get("metadata"))
    return any(isinstance(metadata.get(key), Mapping) for key in ("name", "namespace"))


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
