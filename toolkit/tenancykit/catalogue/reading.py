"""Reads the catalogue: the package's own files, then the user's folders, merged by id with visible precedence."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from dataclasses import field, replace
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from kubeanswers.errors import CatalogueError, Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from kubeanswers.source import Document, read_yaml
from tenancykit.catalogue.accelerators import Accelerator, foreign_parts
from tenancykit.catalogue.class_facts import unknown_facts
from tenancykit.catalogue.features import Feature
from tenancykit.catalogue.layers import LAYERS
from tenancykit.catalogue.model import Component, Entry, Need, Option, Reference, Rule, Source
from tenancykit.catalogue.parsed import parsed_files
from tenancykit.conditions import Condition
from tenancykit.validation import validate

E = TypeVar("E", bound=Entry)

OWN_ROOT: Final = Path(__file__).parent
"""Folder of the catalogue that ships with the package."""
SECTIONS: Final = (
    *("accelerators", "assets", "barriers", "boundaries", "choices", "claims", "components", "crossings"),
    *("evidence", "expectations", "features", "interference", "lapses", "levels", "needs", "options"),
    *("positions", "prices", "priors", "references", "rules", "sharing", "signs", "upkeep", "windows"),
    *("tasks/priors", "tasks/rates", "tasks/work", "toil/activities", "toil/limits", "toil/rates"),
)
"""Folders of a catalogue, each with entries of one kind."""
SOURCES: Final = "sources.yaml"
"""File of a catalogue that gives source keys their addresses."""


@dataclass(frozen=True)
class Entries(Mapping[str, E]):
    """Entries of one kind by id, each with the place it was read from.

    Attributes:
        items_by_id: the entries, later folders having replaced earlier ones.
        places: ``file:line`` of each entry.
        replaced: ids that a later folder replaced, with the place of the entry that lost.
    """

    items_by_id: Mapping[str, E]
    places: Mapping[str, str] = field(default_factory=dict, repr=False)
    replaced: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __getitem__(self, key: str) -> E:
        return self.items_by_id[key]

    def __iter__(self) -> Any:
        return iter(self.items_by_id)

    def __len__(self) -> int:
        return len(self.items_by_id)

    # Mapping makes these of the three above, an entry at a time; a comparison asks a hundred thousand times.
    def __contains__(self, key: object) -> bool:
        return key in self.items_by_id

    def values(self) -> ValuesView[E]:
        """Return the entries in order of id."""
        return self.items_by_id.values()

    def items(self) -> ItemsView[str, E]:
        """Return ids and entries in order of id."""
        return self.items_by_id.items()


def read_entries(
    roots: Sequence[Path], folder: str, model: type[E], *, identify: Callable[[E], str] | None = None
) -> Entries[E]:
    """Return the entries of one kind from ``<root>/<folder>/**/*.yaml`` of every root, by id in order of id.

    A file holds one entry (a mapping of the model's keys) or ``entries: [...]``. An id that appears in a later root
    replaces the earlier entry as a whole; an id twice in one root is a fault.

    Raises:
        CatalogueError: every fault of every file.
    """
    get_id = identify or (lambda entry: str(entry.id))  # type: ignore[attr-defined]
    found: dict[str, E] = {}
    places: dict[str, str] = {}
    replaced: dict[str, str] = {}
    faults: list[Fault] = []
    for root in roots:
        seen: dict[str, str] = {}
        for file in _files(root, folder):
            try:
                document = _read(file, root)
                entries = list(_entries(document, model))
            except InputError as error:
                faults.extend(error.faults)
                continue
            for entry, place in entries:
                identifier = get_id(entry)
                if identifier in seen:
                    faults.append(
                        Fault(place, f"id {identifier!r} is already at {seen[identifier]}", cure="rename one")
                    )
                    continue
                seen[identifier] = place
                if identifier in found:
                    replaced[identifier] = places[identifier]
                found[identifier] = entry
                places[identifier] = place
    if faults:
        raise CatalogueError(faults)
    ordered = {key: found[key] for key in sorted(found)}
    return Entries(MappingProxyType(ordered), MappingProxyType(places), MappingProxyType(replaced))


class Sections:
    """Reads several sections of a catalogue, so that the faults of all of them are told at once."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.roots = roots
        self.faults: list[Fault] = []

    def read(self, folder: str, model: type[E]) -> Entries[E]:
        """Return the entries of a section; none where it has faults, which are kept."""
        try:
            return read_entries(self.roots, folder, model)
        except CatalogueError as error:
            self.faults.extend(error.faults)
            return Entries({})

    def check(self) -> None:
        """Raise what was wrong with the sections read so far.

        Raises:
            CatalogueError: every fault of every section.
        """
        if self.faults:
            raise CatalogueError(self.faults)


def yaml_files(folder: Path) -> list[Path]:
    """Return the YAML files below a folder, whichever ending they have, in order of path."""
    return sorted(file for ending in ("yaml", "yml") for file in folder.rglob(f"*.{ending}"))


def _read(file: Path, root: Path) -> Document:
    """Return a file's document: the package's own as parsed before, where nothing has changed."""
    kept = _own_documents().get(file) if root == OWN_ROOT else None
    return kept or read_yaml(file, name=_shown(file, root))


def _files(root: Path, folder: str) -> Iterable[Path]:
    if root != OWN_ROOT:
        return yaml_files(root / folder)
    inside = f"{root / folder}{os.sep}"
    return [file for file in _own_files() if str(file).startswith(inside)]


@cache
def _own_files() -> list[Path]:
    return yaml_files(OWN_ROOT)


@cache
def _own_documents() -> Mapping[Path, Document]:
    return parsed_files(OWN_ROOT, _own_files())


def _shown(file: Path, root: Path) -> str:
    return f"catalogue/{file.relative_to(root)}" if root == OWN_ROOT else str(file)


def _entries(document: Document, model: type[E]) -> Iterable[tuple[E, str]]:
    data = document.data
    if isinstance(data, dict) and "entries" in data:
        unknown = sorted(set(data) - {"entries"})
        if unknown or not isinstance(data["entries"], list):
            raise InputError(Fault(document.where(unknown[:1]), "a list file holds 'entries' and nothing else"))
        faults: list[Fault] = []
        for index in range(len(data["entries"])):
            path = ("entries", index)
            try:
                yield validate(model, document, path), document.where(path).rsplit(": ", 1)[0]
            except InputError as error:
                faults.extend(error.faults)
        if faults:
            raise InputError(faults)
    else:
        yield validate(model, document), f"{document.name}:1"


@dataclass(frozen=True)
class Catalogue:
    """Everything that could be done, with sources.

    Attributes:
        roots: folders read, the package's own first; later ones take precedence.
    """

    roots: tuple[Path, ...] = (OWN_ROOT,)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """The hash, kept: what is remembered is looked up by catalogue a hundred thousand times a comparison."""
        return hash(self.roots)

    @cached_property
    def sources(self) -> Entries[Source]:
        """Sources by key."""
        return _read_sources(self.roots)

    @cached_property
    def options(self) -> Entries[Option]:
        """Options by id, checked against components and sources."""
        options = read_entries(self.roots, "options", Option)
        _check_options(options, self)
        _raise(unknown_facts(_conditions(options, self.components), options))
        _raise(foreign_parts(options, options.places, self.accelerators))
        return options

    @cached_property
    def components(self) -> Entries[Component]:
        """Components by id; requirements are known and free of cycles."""
        components = read_entries(self.roots, "components", Component)
        _check_components(components)
        return components

    @cached_property
    def rules(self) -> Entries[Rule]:
        """Compatibility rules by id; oldest versions follow from the features they name."""
        rules = read_entries(self.roots, "rules", Rule)
        stated = [
            (f"{rules.places[r.id]}: {key}", w)
            for r in rules.values()
            for key, w in (("when", r.when), ("then", r.then))
        ]
        _raise(unknown_facts(stated, self.options))
        return _dated(rules, self.features)

    @cached_property
    def accelerators(self) -> Entries[Accelerator]:
        """Accelerator models by id."""
        found = read_entries(self.roots, "accelerators", Accelerator)
        _check_sources(found, {a.id: a.source for a in found.values()}, self.sources)
        return found

    @cached_property
    def features(self) -> Entries[Feature]:
        """Kubernetes features by id."""
        features = read_entries(self.roots, "features", Feature)
        _check_features(features, self.sources)
        return features

    @cached_property
    def needs(self) -> Entries[Need]:
        """What platforms have to do for tenants, by id: the vocabulary of a scenario's ``needs``."""
        needs = read_entries(self.roots, "needs", Need)
        _check_needs(needs, self)
        return needs

    @cached_property
    def references(self) -> Entries[Reference]:
        """Published reference architectures by id."""
        references = read_entries(self.roots, "references", Reference)
        _check_references(references, self.options)
        return references

    def url(self, source: str) -> str:
        """Return the address behind a source key; an address stands for itself."""
        found = self.sources.get(source)
        return found.url if found else source

    def in_dimension(self, dimension: str) -> tuple[Option, ...]:
        """Return the options of a dimension in order of id."""
        return tuple(option for option in self.options.values() if option.dimension == dimension)


def _read_sources(roots: Sequence[Path]) -> Entries[Source]:
    merged: dict[str, Source] = {}
    places: dict[str, str] = {}
    for root in roots:
        file = root / SOURCES
        if not file.exists():
            continue
        document = _read(file, root)
        for key in document.data:
            merged[key] = validate(Source, document, (key,))
            places[key] = document.where((key,)).split(": ")[0]
    return Entries(MappingProxyType(dict(sorted(merged.items()))), MappingProxyType(places))


def _check_needs(needs: Entries[Need], catalogue: Catalogue) -> None:
    faults = [
        Fault(needs.places[n.id], f"unknown source {n.source!r}", cure=did_you_mean(n.source, catalogue.sources))
        for n in needs.values()
        if n.source and n.source not in catalogue.sources and not n.source.startswith("https://")
    ]
    if faults:
        raise CatalogueError(sorted(faults))


def _raise(faults: Iterable[Fault]) -> None:
    found = sorted(faults)
    if found:
        raise CatalogueError(found)


def _conditions(options: Entries[Option], components: Entries[Component]) -> Iterator[tuple[str, Condition]]:
    """Yield the conditions of options' needs and of components' footprints, each with its place."""
    for option in options.values():
        yield from ((f"{options.places[option.id]}: needs[{i}].when", n.when) for i, n in enumerate(option.needs))
        if option.wanted is not None:
            yield f"{options.places[option.id]}: wanted.when", option.wanted.when
    for one in components.values():
        yield from ((f"{components.places[one.id]}: footprint[{i}].when", f.when) for i, f in enumerate(one.footprint))


def _check_options(options: Entries[Option], catalogue: Catalogue) -> None:
    faults: list[Fault] = []
    for option in options.values():
        place = options.places[option.id]
        layers = LAYERS[option.dimension]
        if option.layer not in layers:
            faults.append(Fault(place, f"layer {option.layer!r} is not of {option.dimension}", ", ".join(layers)))
        for component in option.components:
            if component not in catalogue.components:
                cure = did_you_mean(component, catalogue.components) or "add the component"
                faults.append(Fault(place, f"unknown component {component!r}", cure=cure))
        faults.extend(
            Fault(
                place, f"unknown source {key!r}", cure=did_you_mean(key, catalogue.sources) or "add it to sources.yaml"
            )
            for key in _source_keys(option)
            if key not in catalogue.sources and not key.startswith("https://")
        )
    if faults:
        raise CatalogueError(sorted(faults))


def _source_keys(option: Option) -> list[str]:
    stated = [
        *(need.source for need in option.needs),
        *(quantity.source for quantity in option.overhead),
        *(limit.source for limit in option.limits),
        option.lifecycle.source,
        option.sandbox.source if option.sandbox else "",
        option.gpu.source if option.gpu else "",
    ]
    return [*option.sources, *filter(None, stated)]


def _check_components(components: Entries[Component]) -> None:
    faults = [
        Fault(components.places[c.id], f"requires unknown component {r!r}", cure=did_you_mean(r, components))
        for c in components.values()
        for r in c.requires
        if r not in components
    ]
    if not faults:
        cycle = _cycle({c.id: c.requires for c in components.values()})
        if cycle:
            faults.append(Fault(components.places[cycle[0]], "components require each other: " + " -> ".join(cycle)))
    if faults:
        raise CatalogueError(faults)


def _cycle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    done: set[str] = set()

    def visit(node: str, trail: list[str]) -> list[str]:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        if node in done:
            return []
        for following in edges.get(node, ()):
            found = visit(following, [*trail, node])
            if found:
                return found
        done.add(node)
        return []

    for start in edges:
        found = visit(start, [])
        if found:
            return found
    return []


def _dated(rules: Entries[Rule], features: Entries[Feature]) -> Entries[Rule]:
    """Return the rules with the oldest Kubernetes version of the feature each names."""
    faults: list[Fault] = []
    dated: dict[str, Rule] = {}
    for rule in rules.values():
        feature = features.get(rule.feature)
        since = feature.since(rule.stage) if feature else ""
        place = rules.places[rule.id]
        if rule.feature and feature is None:
            cure = did_you_mean(rule.feature, features) or "add it to features/"
            faults.append(Fault(place, f"unknown feature {rule.feature!r}", cure=cure))
        elif rule.feature and not since:
            faults.append(
                Fault(place, f"feature {rule.feature!r} is not {rule.stage!r} in any version", cure="correct")
            )
        elif rule.feature and rule.kubernetes_min:
            faults.append(Fault(place, "states a feature and a Kubernetes version", cure="leave kubernetes_min out"))
        dated[rule.id] = rule.model_copy(update={"kubernetes_min": since}) if since else rule
    if faults:
        raise CatalogueError(faults)
    return replace(rules, items_by_id=MappingProxyType(dated))


def _check_features(features: Entries[Feature], sources: Mapping[str, Source]) -> None:
    faults = []
    for feature in features.values():
        stated = (feature.alpha, feature.beta, feature.on, feature.stable, *feature.api)
        if not all(re.fullmatch(r"1\.[0-9]+", version) for version in stated if version):
            faults.append(Fault(features.places[feature.id], "a version is no minor version", "1.N in quotes"))
    if faults:
        raise CatalogueError(faults)
    _check_sources(features, {feature.id: feature.source for feature in features.values()}, sources)


def _check_sources(entries: Entries[Any], stated: Mapping[str, str], sources: Mapping[str, Source]) -> None:
    faults = [
        Fault(
            entries.places[name], f"unknown source {key!r}", cure=did_you_mean(key, sources) or "add it to sources.yaml"
        )
        for name, key in stated.items()
        if key not in sources and not key.startswith("https://")
    ]
    if faults:
        raise CatalogueError(faults)


def _check_references(references: Entries[Reference], options: Entries[Option]) -> None:
    faults: list[Fault] = []
    for reference in references.values():
        place = references.places[reference.id]
        for tier in reference.tiers:
            taken: dict[tuple[str, str], str] = {}
            for identifier in tier.options:
                option = options.get(identifier)
                if option is None:
                    faults.append(
                        Fault(place, f"unknown option {identifier!r}", cure=did_you_mean(identifier, options))
                    )
                    continue
                layer = (option.dimension, option.layer)
                if layer in taken:
                    text = f"tier {tier.id!r} chooses {taken[layer]} and {identifier} in one layer ({option.layer})"
                    faults.append(Fault(place, text, "one option per layer"))
                taken[layer] = identifier
    if faults:
        raise CatalogueError(faults)


def load_catalogue(*folders: str | os.PathLike[str]) -> Catalogue:
    """Return the package's catalogue overlaid with the user's folders, later folders taking precedence.

    Raises:
        InputError: a folder does not exist, holds nothing of a catalogue, or holds files where nothing reads them.
    """
    roots = [OWN_ROOT]
    for folder in folders:
        path = Path(folder)
        if not path.is_dir():
            raise InputError(Fault(str(folder), "no such folder", cure="name a folder laid out like the catalogue"))
        faults = _layout_faults(path)
        if faults:
            raise InputError(faults)
        roots.append(path)
    return _catalogue(tuple(roots))


def _layout_faults(root: Path) -> list[Fault]:
    """Return why nothing, or not everything, of an overlay folder would be read."""
    known = sorted({section.split("/")[0] for section in SECTIONS})
    inside = {path.name: path for path in sorted(root.iterdir()) if path.is_dir()}
    if not (root / SOURCES).is_file() and not any(name in inside for name in known):
        nested = next((path for name, path in inside.items() if any((path / each).is_dir() for each in known)), None)
        near = next(filter(None, (did_you_mean(name, known) for name in inside)), "")
        cure = f"name {nested}" if nested else near or "put its files into folders named like the catalogue's"
        return [Fault(str(root), "holds nothing of a catalogue", ", ".join((*known, SOURCES)), cure)]
    faults = [
        Fault(str(path), "is no folder of a catalogue", cure=cure)
        for name, path in inside.items()
        if name not in known and (cure := did_you_mean(name, known, alike=0.8)) and yaml_files(path)
    ]
    for name in known:
        parts = [section for section in SECTIONS if section.startswith(f"{name}/")]
        faults.extend(
            Fault(str(file), "stands where nothing reads it", ", ".join(parts), "move it into one of these folders")
            for file in (yaml_files(root / name) if parts else ())
            if not any(root / part in file.parents for part in parts)
        )
    return faults


@cache
def _catalogue(roots: tuple[Path, ...]) -> Catalogue:
    return Catalogue(roots)
