"""Bases and overlays to the objects ``kubectl apply -k`` would send, in the order Kustomize makes its changes.

Resources are gathered, generated ones and components added, then changed by the patches and fields of each
kustomization from the inside out; hashes and references to renamed objects come last.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import Fault, InputError
from kubeanswers.kustomize.builtin import as_fields, own_places
from kubeanswers.kustomize.definition import Kustomization, find_kustomization
from kubeanswers.kustomize.fields import is_local, set_image, set_replicas, transform
from kubeanswers.kustomize.generators import generate, hash_names
from kubeanswers.kustomize.names import fix_references
from kubeanswers.kustomize.patches import merged, patched
from kubeanswers.kustomize.replacements import replace
from kubeanswers.kustomize.resources import Identity, Resource, Target, identity_of
from kubeanswers.kustomize.settings import Settings
from kubeanswers.kustomize.variables import Variables
from kubeanswers.objects import Where, mapping, mappings, scalar_text, scrubbed, sequence, texts
from kubeanswers.parsing import parse_documents
from kubeanswers.places import Places, below, is_plain_name, name_in
from kubeanswers.records import dataclass
from kubeanswers.shapes import UNFORMED
from kubeanswers.source import read_text

Loaded = tuple[Mapping[str, Any], Where]
_REMOTE: Final = ("github.com/", "git@", "ssh:", "git::")
_CHECK: Final = "compare with: kubectl kustomize DIR"


@dataclass(frozen=True)
class _Part:
    """What is built of a folder, and what it is built by.

    Attributes:
        resources: the objects so far.
        settings: places that configurations added.
        variables: the variables of the whole build.
        chain: the folders that build on it.
    """

    resources: list[Resource]
    settings: Settings
    variables: Variables
    chain: tuple[str, ...]


@dataclass
class Builder:
    """Builds kustomizations of one input.

    Attributes:
        load: reads the objects of a file.
        inside: whether a path may be followed from a folder; says so itself where not.
        faults: what goes wrong is added to them.
        places: what is known of the folders and files.
        texts: what kustomization files hold that were read before, by path.
        visited: the folders that were built, alone or as part of another.
        remote: remote bases that were named, in words; they are not fetched.
    """

    load: Callable[[str], list[Loaded]]
    inside: Callable[[str, str], bool]
    faults: list[Fault]
    places: Places = field(default_factory=Places)
    texts: Mapping[str, str] = field(default_factory=dict)
    visited: set[str] = field(default_factory=set)
    remote: list[str] = field(default_factory=list)
    _read: dict[str, Kustomization | None] = field(default_factory=dict)
    _alike: dict[str, Kustomization] = field(default_factory=dict)
    _known: int = 0
    _gaps: int = 0

    def build(self, folder: str) -> list[Loaded]:
        """Return the objects of the kustomization in ``folder``."""
        resources: list[Resource] = []
        self._known, self._gaps = len(self.remote), 0
        settings, variables = Settings(), Variables()
        self._accumulate(folder, _Part(resources, settings, variables, ()))
        hash_names(resources)
        fix_references(resources, settings.references)
        for what in variables.resolve(resources, settings.variables):
            self._absent(folder, what)
        return [
            (item.data, item.where)
            if item.data is item.read  # read without Secret values
            else (scrubbed(item.data), replaced(item.where, form=UNFORMED, twin=""))
            for item in resources
            if not is_local(item)
        ]

    def kustomization(self, folder: str) -> Kustomization | None:
        """Return the folder's kustomization, read once; None where there is none or it cannot be read."""
        if folder not in self._read:
            file = find_kustomization(Path(folder), self.places.is_file)
            if file is None:
                self._gap(folder, "has no kustomization.yaml", "name files, or add a kustomization")
                self._read[folder] = None
            else:
                self._read[folder] = Kustomization.read(file, self.faults, self.texts.get(str(file)), self._alike)
        return self._read[folder]

    def parts(self, folder: str) -> Iterator[str]:
        """Yield the folders that the folder's kustomization names, without links."""
        read = self.kustomization(folder)
        for name in (*read.resources, *read.components) if read else ():
            part = below(folder, name)
            if self.places.is_folder(part):
                yield self.places.real(part)

    def is_component(self, folder: str) -> bool:
        """Return whether the folder holds changes for others rather than objects."""
        read = self.kustomization(folder)
        return read is not None and read.data.get("kind") == "Component"

    def _fault(self, where: str | Path, what: str, cure: str = _CHECK) -> None:
        self.faults.append(Fault(str(where), what, cure=cure))

    def _absent(self, where: str | Path, what: str) -> None:
        """Say what is missing, where it cannot be in what was named and not read, which is told by itself."""
        if self._is_whole:
            self._fault(where, what)

    @property
    def _is_whole(self) -> bool:
        """Whether all that was named so far was read: no remote base, and nothing that is not there."""
        return not self._gaps and len(self.remote) == self._known

    def _gap(self, where: str | Path, what: str, cure: str) -> None:
        """Say that something is named and is not there: what builds on it is not blamed for that."""
        self._gaps += 1
        self._fault(where, what, cure)

    def _accumulate(self, folder: str, into: _Part) -> None:
        """Add what the folder's kustomization builds; a component changes the resources that are already there."""
        real = self.places.real(folder)
        if real in into.chain:
            names = " -> ".join(name_in(part) for part in (*into.chain, real))
            self._fault(folder, f"Kustomize references go round in a circle: {names}", "break the circle")
            return
        self.visited.add(real)
        read = self.kustomization(folder)
        if read is None:
            return
        component = read.data.get("kind") == "Component"
        own = _Part(into.resources if component else [], Settings(), into.variables, (*into.chain, real))
        for name in read.resources:
            self._add(folder, name, own, read.file)
        self._configure(read, own.settings)
        self._generate(read, own)
        for name in read.components:
            if self.places.is_folder(below(folder, name)):
                if self._is_of_kind(read.file, self._below(folder, name), name, component=True):
                    self._accumulate(self._below(folder, name), own)
            else:
                self._gap(read.file, f"names the component {name!r}, which is no folder here", "restore it")
        self._change(read, own.resources, own.settings)
        self._run(read, own)
        into.settings.absorb(own.settings)
        if not component:
            into.resources.extend(own.resources)

    def _is_of_kind(self, file: Path, folder: str, name: str, *, component: bool) -> bool:
        """Return whether a folder is named where its kind belongs, and say so where it is not."""
        if self.kustomization(folder) is None or self.is_component(folder) is component:
            return True
        what = "among its components, which is none" if component else "among its resources, which is a component"
        self._fault(file, f"names {name!r} {what}: Kustomize refuses that", "name it in the other list")
        return False

    def _run(self, read: Kustomization, own: _Part) -> None:
        """Run the transformers a kustomization writes out, then note its variables, as Kustomize does last."""
        for data in self._plugins(read, "transformers", own.chain):
            exact = Settings()
            list(exact.add(own_places(data)))
            fields = as_fields(data, "transformers") or {}
            self._change(Kustomization(read.file, fields), own.resources, exact)
        for entry in read.entries("vars"):
            try:
                own.variables.declare(entry, own.resources)
            except ValueError as error:
                self._fault(read.file, str(error))

    def _configure(self, read: Kustomization, own: Settings) -> None:
        for name in texts(read.data.get("configurations")):
            for data in self._documents(read, name):
                for key in own.add(mapping(data)):
                    self._fault(read.file, f"names the configuration {name!r}, which holds {key!r}: no field of one")

    def _generate(self, read: Kustomization, own: _Part) -> None:
        generate(read, own.resources, self.faults, is_whole=self._is_whole)
        for data in self._plugins(read, "generators", own.chain):
            made = Kustomization(read.file, as_fields(data, "generators") or {})
            generate(made, own.resources, self.faults, is_whole=self._is_whole)

    def _plugins(self, read: Kustomization, key: str, chain: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
        """Yield the built-in plugins a kustomization names; say which others it names, for they are programs."""
        for name in texts(read.data.get(key)):
            for data in self._named_plugins(read, name, chain):
                if as_fields(mapping(data), key) is not None:
                    yield data
                else:
                    kind = scalar_text(mapping(data).get("kind")) or "something"
                    cure = "audit the result of: kubectl kustomize DIR | tenancykit audit -"
                    what = f"names {kind} in {key}, which is no part of Kustomize that is known here: it is not run"
                    self._fault(read.file, what, cure)

    def _named_plugins(self, read: Kustomization, name: str, chain: tuple[str, ...]) -> list[Any]:
        if "\n" in name:
            return self._parsed(name, str(read.file))
        target = self._below(str(read.file.parent), name)
        if not self.places.is_folder(target):
            return self._documents(read, name)
        made: list[Resource] = []
        self._accumulate(target, _Part(made, Settings(), Variables(), chain))
        return [item.data for item in made]

    def _add(self, folder: str, name: str, own: _Part, file: Path) -> None:
        if "://" in name or name.startswith(_REMOTE):
            self.remote.append(f"{file} names the remote base {name!r}, which is not fetched")
            return
        target = self._below(folder, name)
        if self.places.is_folder(target):
            if self.inside(target, folder) and self._is_of_kind(file, target, name, component=False):
                self._accumulate(target, own)
        elif self.places.is_file(target):
            is_own = is_plain_name(name) and not self.places.is_link(target)
            if (is_own or self._below_root(file, name)) and self.inside(target, folder):
                loaded = self.load(target)
                own.resources.extend(self._named(Resource(data, where, read=data)) for data, where in loaded)
        else:
            self._gap(file, f"names {name!r}, which does not exist", "restore it or drop the entry")

    def _below(self, folder: str, name: str) -> str:
        """Return the path a kustomization means, without detours: two overlays call a file of theirs the same."""
        path = below(folder, name)
        return os.path.normpath(path) if ".." in name and not self.places.is_link(folder) else path

    def _below_root(self, file: Path, name: str) -> bool:
        """Return whether a file a kustomization names is in or below its folder, and say so where it is not."""
        with contextlib.suppress(OSError, ValueError):
            if (file.parent / name).resolve().is_relative_to(file.parent.resolve()):
                return True
        what = f"names the file {name!r}, which is not in or below its folder: Kustomize refuses that"
        self._fault(file, what, "move the file, or give it a kustomization of its own")
        return False

    def _named(self, item: Resource) -> Resource:
        if not item.metadata.get("name") and not item.name and item.kind != "List":
            self._fault(str(item.where), f"{item.kind} has no metadata.name: Kustomize refuses that", "name it")
        return item

    def _change(self, read: Kustomization, own: list[Resource], more: Settings) -> None:
        for entry in sequence(read.data.get("patchesStrategicMerge")):
            text = scalar_text(entry)
            path = read.file.parent / text if "\n" not in text else None
            self._patch(read, own, {"path": text} if path and self.places.is_file(str(path)) else {"patch": text})
        for entry in read.entries("patches"):
            self._patch(read, own, entry)
        transform(own, read, more)
        for entry in read.entries("patchesJson6902"):
            self._patch(read, own, entry)
        for entry in read.entries("replicas"):
            if not set_replicas(own, entry, more.replicas):
                self._absent(read.file, f"sets the replicas of {scalar_text(entry.get('name'))!r}, which is not there")
        for entry in (*read.entries("images"), *read.entries("imageTags")):
            set_image(own, entry, more.images)
        for entry in self._replacements(read):
            try:
                replace(own, entry)
            except ValueError as error:
                self._absent(read.file, str(error))

    def _replacements(self, read: Kustomization) -> Iterator[Mapping[str, Any]]:
        for entry in read.entries("replacements"):
            if not entry.get("path"):
                yield entry
                continue
            for value in self._documents(read, scalar_text(entry["path"])):
                yield from mappings(value) if isinstance(value, list) else [mapping(value)]

    def _documents(self, read: Kustomization, name: str) -> list[Any]:
        path = read.file.parent / name
        if not self._below_root(read.file, name):
            return []
        try:
            return self._parsed(read_text(path), str(path))
        except InputError as error:
            what = f"names {name!r}, which cannot be read: {error.faults[0].what}"
            self._fault(read.file, what, "restore it or drop the entry")
            return []

    def _parsed(self, text: str, file: str) -> list[Any]:
        return [value for value, _ in parse_documents(text, file, self.faults)]

    def _patch(self, read: Kustomization, own: list[Resource], entry: Mapping[str, Any]) -> None:
        if entry.get("path"):
            documents = self._documents(read, scalar_text(entry["path"]))
        else:
            documents = self._parsed(scalar_text(entry.get("patch")), str(read.file))
        try:
            target = Target.of(mapping(entry["target"])) if isinstance(entry.get("target"), Mapping) else None
            for document in documents:
                self._patch_one(read, own, document, target, mapping(entry.get("options")))
        except ValueError as error:
            self._fault(read.file, f"a patch cannot be applied: {error}")

    def _patch_one(
        self, read: Kustomization, own: list[Resource], patch: Any, target: Target | None, options: Mapping[str, Any]
    ) -> None:
        if isinstance(patch, Mapping) and patch.get("kind") == "List":
            for item in mappings(patch.get("items")):
                self._patch_one(read, own, item, target, options)
            return
        if isinstance(patch, list):
            if target is None:
                raise ValueError("a JSON patch needs a target")
            for one in filter(target.selects, own):
                made = patched(one.data, mappings(patch))
                one.remember()
                one.become(made)
            return
        if not isinstance(patch, Mapping):
            raise ValueError("it is neither a strategic merge patch nor a JSON patch")  # noqa: TRY004 - text, not code, is wrong
        chosen = [item for item in own if target.selects(item)] if target else _called(own, identity_of(patch))
        if not chosen and target is None:
            what = f"patches {patch.get('kind')} {mapping(patch.get('metadata')).get('name')}, which is not there"
            self._absent(read.file, what)
        for one in chosen:
            _merge_into(one, patch, own, options)


def _called(own: list[Resource], wanted: Identity) -> list[Resource]:
    """Return the object of that identity, today's or an earlier one."""
    return [item for item in own if wanted in (item.identity, *item.earlier)][:1]


def _merge_into(item: Resource, patch: Mapping[str, Any], own: list[Resource], options: Mapping[str, Any]) -> None:
    kept = {key: value for key, value in item.metadata.items() if key in ("name", "namespace")}
    if options.get("allowNameChange") is True:
        kept.pop("name", None)
    kind = {} if options.get("allowKindChange") is True else {"kind": item.data.get("kind")}
    if options.get("allowNameChange") is True or not kind:
        item.remember()
    made = merged(item.data, patch)
    if made is None:
        own.remove(item)
        return
    metadata = {key: value for key, value in mapping(made.get("metadata")).items() if key != "namespace"}
    item.data = {**made, **kind, "apiVersion": item.data.get("apiVersion"), "metadata": {**metadata, **kept}}
