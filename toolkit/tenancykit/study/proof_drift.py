"""What of an export is not as it was written: objects that are gone, fences that were changed, objects of others.

A claim rests on the objects it was exported with.  Where one of them is gone or changed, the audit may still find no
open path, because another fence stands behind it; that is said, and the proof is undecided.  Objects of others that
are evaluated are judged by what they open; those that are not could open anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import Fault, InputError
from kubeanswers.kustomize.definition import KUSTOMIZATION_NAMES
from kubeanswers.objects import ManifestObject, mapping
from kubeanswers.parsing import parse_documents
from kubeanswers.reading import read_objects
from kubeanswers.source import read_text
from tenancykit.auditing.totality import could_open, is_foreign_work
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import ResolvedDesign
from tenancykit.labels import TENANT_LABEL
from tenancykit.manifests.model import unsigned
from tenancykit.manifests.output import INDEX_NAME
from tenancykit.manifests.tree import digests, export
from tenancykit.scenario.model import Scenario
from tenancykit.study.proof_work import PLAIN, WORK, asked

_ROOTS: Final = ("clusters/", "classes/")
_SUFFIXES: Final = (".yaml", ".yml", ".json")
_PLAIN: Final = frozenset({"ConfigMap", "Secret", "ServiceAccount"})
"""Kinds beside work that tenants make in their namespaces every day, and that fence nobody."""
_IDLE: Final = (
    "app.kubernetes.io/", "argocd.argoproj.io/", "helm.sh/", "helm.toolkit.fluxcd.io/", "kubectl.kubernetes.io/",
    "kustomize.toolkit.fluxcd.io/", "meta.helm.sh/", "kubernetes.io/metadata.name",
)  # fmt: skip
"""Prefixes of Namespace labels and annotations that tools of delivery add; any other may be read by somebody."""
_INDEX_BYTES: Final = 256 * 1024 * 1024
"""Largest index read. Assumption: 10,000 tenants of 30 files each, 100 bytes a file, with room to spare."""
_LISTS: Final = frozenset({"apiVersion", "kind", "resources", "sortOptions"})
"""Fields of a kustomization that change no object."""
Identity = tuple[str, str, str, str]


def drift(
    design: ResolvedDesign,
    scenario: Scenario,
    catalogue: Catalogue,
    folder: str | os.PathLike[str],
    read: Mapping[str, str],
) -> tuple[Fault, ...]:
    """Return what is not as the export of a design wrote it, which is worked out again.

    Args:
        design: the design.
        scenario: what it was resolved for.
        catalogue: what it was resolved with.
        folder: the export.
        read: SHA-256 of files that were read, by path: what was judged is what is compared.
    """
    root = Path(folder)
    decision = _decision(root)
    files = dict(_hashes(root, read))
    fresh = digests(design, scenario, catalogue, decision_hash=decision)
    if files == {path: digest for path, digest in fresh.items() if _counts(path)}:
        return ()
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "export"
        export(design, scenario, catalogue, whole, decision_hash=decision)
        return tuple(_changes(root, files, whole, read))


def _changes(root: Path, files: Mapping[str, str], whole: Path, read: Mapping[str, str]) -> Iterator[Fault]:
    """Yield how a tree with those files differs from a fresh export of the same design."""
    fresh = dict(_hashes(whole, {}))
    changed = sorted(path for path in fresh.keys() | files.keys() if files.get(path) != fresh.get(path))
    for path in changed:
        if path not in fresh and f"{root}/{path}" not in read:
            what = "is not of the export and no kustomization names it: it is not read, so what it does is not known"
            yield Fault(str(root / path), what, cure="remove it, or name it in the kustomization of its folder")
        if path in fresh and _is_settings(whole / path) and not _only_lists(whole / path, root / path):
            yield _setting(root / path, is_there=path in files)
    for part in sorted({"/".join(path.split("/")[:2]) for path in changed}):
        yield from _compared(root / part, whole / part, root, whole)


def _decision(root: Path) -> str:
    """Return the hash of the decision record that the export says its objects carry; empty for none."""
    try:
        return str(mapping(json.loads(read_text(root / INDEX_NAME, limit=_INDEX_BYTES))).get("decision") or "")
    except (InputError, ValueError):
        return ""


def _counts(path: str) -> bool:
    return path.startswith(_ROOTS) and path.lower().endswith(_SUFFIXES)


def _hashes(root: Path, read: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield path and SHA-256 of the files that hold objects and settings; folders that are links are not entered."""
    start = len(f"{root}/")
    for part in _ROOTS:
        for place, _, names in os.walk(f"{root}/{part.rstrip('/')}"):
            for name in names:
                path = f"{place}/{name}"
                if path.lower().endswith(_SUFFIXES):
                    yield path[start:], read.get(path) or hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _is_settings(file: Path) -> bool:
    """Return whether a file of the export holds something that is no object: values of a chart, a server's settings."""
    documents = parse_documents(read_text(file), str(file), [])
    return any(not mapping(mapping(data).get("metadata")).get("name") for data, _ in documents)


def _only_lists(before: Path, after: Path) -> bool:
    """Return whether a kustomization does no more than list files, or is gone: the objects it makes are compared."""
    if before.name not in KUSTOMIZATION_NAMES:
        return False
    if not after.is_file():
        return True
    documents = list(parse_documents(read_text(after), str(after), []))
    return all(isinstance(data, Mapping) and data.keys() <= _LISTS for data, _ in documents)


def _setting(file: Path, *, is_there: bool) -> Fault:
    what = "is not as the export wrote it, and is no object that is evaluated"
    return Fault(str(file), what if is_there else "was written by the export and is gone", cure="export again")


def _compared(there: Path, cluster: Path, root: Path, whole: Path) -> Iterator[Fault]:
    """Yield how the objects of a cluster differ from those exported, whichever files they stand in.

    Args:
        there: folder of the cluster as it was found.
        cluster: the same folder as exported; its kustomization may take objects from elsewhere in the export.
        root: the tree that was found.
        whole: the whole export.
    """
    before = {item.identity: item for item in _objects(cluster)}
    spaces = _asked(before.values())
    seen: set[Identity] = set()
    foreign: list[ManifestObject] = []
    for item in _objects(there):
        key = item.identity
        seen.add(key)
        if key not in before:
            foreign.append(item)
        elif item.kind in WORK and item.namespace in spaces:
            yield from _more(item, spaces[item.namespace])
        elif _differs(before[key].data, item.data):
            what = "is not as the export wrote it: its claims rest on what else stands"
            yield Fault(f"{item.where}: {item}", what, cure="export again, or undo the change")
    for key, item in before.items():
        if key not in seen:
            file = root / Path(item.where.file).relative_to(whole)
            yield Fault(f"{file}: {item}", "was written by the export and is gone", cure="export again")
    yield from _foreign(foreign, spaces)


def _objects(place: Path) -> Iterable[ManifestObject]:
    return read_objects([place]).objects if place.exists() else ()


def _asked(before: Iterable[ManifestObject]) -> Mapping[str, frozenset[str]]:
    """Return what the exported work of each tenant's namespace asks of its fences."""
    listed = list(before)
    found: dict[str, set[str]] = {
        item.name: set() for item in listed if item.kind == "Namespace" and TENANT_LABEL in item.labels
    }
    for item in listed:
        if item.kind in WORK and item.namespace in found:
            found[item.namespace] |= asked(item)
    return {space: frozenset(words) or PLAIN for space, words in found.items()}


def _more(item: ManifestObject, usual: frozenset[str]) -> Iterator[Fault]:
    more = sorted(asked(item) - usual)
    if more:
        what = (
            f"asks for more than the exported work of its namespace: {', '.join(more)}; claims rest on what refuses it"
        )
        yield Fault(f"{item.where}: {item}", what, cure="take it out, or export a design that allows it")


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    if before == after or unsigned(before) == unsigned(after):
        return False
    if before.get("kind") != "Namespace":
        return True
    return any(_adds(before, after, field) for field in ("labels", "annotations"))


def _adds(before: Mapping[str, Any], after: Mapping[str, Any], field: str) -> bool:
    """Return whether labels or annotations changed otherwise than by what delivery adds."""
    old, new = (mapping(mapping(data.get("metadata")).get(field)) for data in (before, after))
    added = new.keys() - old.keys()
    return any(new.get(key) != value for key, value in old.items()) or any(
        not str(key).startswith(_IDLE) for key in added
    )


def _foreign(found: Iterable[ManifestObject], spaces: Mapping[str, frozenset[str]]) -> Iterator[Fault]:
    """Yield the objects of others: those that are not evaluated, those that give rights or fence, work that asks more.

    Args:
        found: objects that the export did not write.
        spaces: what the exported work of each tenant's namespace asks.
    """
    for item in found:
        opened = could_open(item)
        if opened is not None or is_foreign_work(item):
            could = "anything" if opened is None or opened == ("*",) else ", ".join(opened)
            what = f"is not of the export and is not evaluated: it could open {could}"
            yield Fault(f"{item.where}: {item}", what, cure="remove it, or read what it does")
        elif item.kind in WORK | _PLAIN and item.namespace in spaces:
            yield from _more(item, spaces[item.namespace]) if item.kind in WORK else ()
        else:
            what = "is not of the export: what it opens is evaluated, and what it is for is not known"
            yield Fault(f"{item.where}: {item}", what, cure="remove it, or put it beside the export")
