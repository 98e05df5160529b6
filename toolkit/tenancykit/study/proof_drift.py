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
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from kubeanswers.errors import Fault, InputError
from kubeanswers.objects import ObjectSet, Where, mapping, object_set
from kubeanswers.parsing import parse_documents
from kubeanswers.source import read_text
from tenancykit.auditing.totality import could_open, is_foreign_work
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import ResolvedDesign
from tenancykit.manifests import export
from tenancykit.manifests.output import INDEX_NAME
from tenancykit.scenario.model import Scenario

_ROOTS: Final = ("clusters", "classes")
_SUFFIXES: Final = (".yaml", ".yml", ".json")
_WORK: Final = frozenset(
    {"Deployment", "StatefulSet", "Job", "CronJob", "Pod", "HTTPRoute", "Service", "PersistentVolumeClaim"}
)
"""Kinds that tenants change every day and that fence nobody; what they do is evaluated."""
_PLAIN: Final = frozenset({"ConfigMap", "Secret", "ServiceAccount"})
_FREE: Final = ("pod-security.kubernetes.io/", "resource.kubernetes.io/", "tenancykit.dev/", "kueue.x-k8s.io/")
"""Prefixes of Namespace labels that fence, so that none may be added."""
_INDEX_BYTES: Final = 256 * 1024 * 1024
"""Largest index read. Assumption: 10,000 tenants of 30 files each, 100 bytes a file, with room to spare."""
Objects = dict[tuple[str, str, str, str], tuple[Mapping[str, Any], Where]]


def drift(
    design: ResolvedDesign, scenario: Scenario, catalogue: Catalogue, folder: str | os.PathLike[str]
) -> Iterator[Fault]:
    """Yield what is not as the export of a design wrote it; an untouched export costs no more than reading it."""
    root = Path(folder)
    index = _index(root)
    files = dict(_hashes(root))
    written = {path: digest for path, digest in mapping(index.get("files")).items() if _counts(PurePosixPath(path))}
    if written and written == {path: files.get(path) for path in written}:
        return
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "export"
        export(design, scenario, catalogue, whole, decision_hash=str(index.get("decision") or ""))
        fresh = dict(_hashes(whole))
        for path in sorted(fresh):
            if files.get(path) != fresh[path]:
                yield from _file(root, whole, path, is_there=path in files)


def _index(root: Path) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(read_text(root / INDEX_NAME, limit=_INDEX_BYTES)))
    except (InputError, ValueError):
        return {}


def _counts(path: PurePosixPath) -> bool:
    return path.parts[0] in _ROOTS and path.suffix in _SUFFIXES


def _hashes(root: Path) -> Iterator[tuple[str, str]]:
    for part in _ROOTS:
        for place, _, names in os.walk(root / part):
            for name in names:
                path = Path(place) / name
                relative = path.relative_to(root).as_posix()
                if _counts(PurePosixPath(relative)):
                    yield relative, hashlib.sha256(path.read_bytes()).hexdigest()


def _file(root: Path, whole: Path, path: str, *, is_there: bool) -> Iterator[Fault]:
    before, plain = _objects(whole / path)
    if not is_there:
        yield from (_gone(root / path, key) for key in before)
        if plain:
            yield Fault(str(root / path), "was written by the export and is gone", cure="export again")
        return
    after, _ = _objects(root / path)
    if plain:
        yield Fault(
            str(root / path), "is not as the export wrote it, and is no object that is evaluated", cure="export again"
        )
    for key, (data, _) in before.items():
        if key not in after:
            yield _gone(root / path, key)
        elif _differs(data, after[key][0]):
            what = "is not as the export wrote it: its claims rest on what else stands"
            yield Fault(f"{after[key][1]}: {_title(key)}", what, cure="export again, or undo the change")
    yield from _foreign({key: pair for key, pair in after.items() if key not in before})


def _gone(file: Path, key: tuple[str, str, str, str]) -> Fault:
    return Fault(f"{file}: {_title(key)}", "was written by the export and is gone", cure="export again")


def _title(key: tuple[str, str, str, str]) -> str:
    _, kind, namespace, name = key
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _objects(file: Path) -> tuple[Objects, bool]:
    """Return the objects of a file, and whether it holds anything that is none."""
    found: Objects = {}
    plain = False
    faults: list[Fault] = []
    for number, (data, line) in enumerate(parse_documents(read_text(file), str(file), faults)):
        metadata = mapping(mapping(data).get("metadata"))
        if not (isinstance(data, Mapping) and data.get("kind") and metadata.get("name")):
            plain = True
            continue
        group = str(data.get("apiVersion", "")).rpartition("/")[0]
        key = (group, str(data["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"]))
        found[key] = (data, Where(str(file), line, number))
    return found, plain


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    if before == after or before.get("kind") in _WORK:
        return False
    if before.get("kind") != "Namespace":
        return True
    old, new = (mapping(mapping(data.get("metadata")).get("labels")) for data in (before, after))
    added = new.keys() - old.keys()
    return any(new.get(key) != value for key, value in old.items()) or any(str(key).startswith(_FREE) for key in added)


def _foreign(found: Objects) -> Iterator[Fault]:
    """Yield the objects of others: those that are not evaluated, and those that give rights or fence."""
    strangers: ObjectSet = object_set(found.values())
    for item in strangers:
        opened = could_open(item)
        if opened is not None or is_foreign_work(item):
            could = "anything" if opened is None or opened == ("*",) else ", ".join(opened)
            what = f"is not of the export and is not evaluated: it could open {could}"
            yield Fault(f"{item.where}: {item}", what, cure="remove it, or read what it does")
        elif item.kind not in _WORK | _PLAIN:
            what = "is not of the export: what it opens is evaluated, and what it is for is not known"
            yield Fault(f"{item.where}: {item}", what, cure="remove it, or put it beside the export")
