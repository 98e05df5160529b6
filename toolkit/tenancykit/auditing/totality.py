"""Which objects an audit evaluates, which lead nowhere, and what every other could open: nothing is passed over.

An object of a kind that is in neither list is told as not evaluated.  What a kind could open is named where it is
known (``totality.yaml``); of a kind nobody here knows, anything is possible.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Final

from kubeanswers.kinds import KindTable
from kubeanswers.objects import ManifestObject
from kubeanswers.source import read_yaml
from kubeanswers.validation.configurations import is_configuration
from tenancykit.auditing.tenant_signs import is_platform_namespace

Table = Mapping[str, Mapping[str, tuple[str, ...]]]


@cache
def _tables() -> tuple[Table, Table]:
    """Return the kinds that are evaluated or lead nowhere, and what others could open, by group (``totality.yaml``)."""
    stated = read_yaml(Path(__file__).with_name("totality.yaml"), name="totality.yaml").data
    known: dict[str, dict[str, tuple[str, ...]]] = {}
    could: dict[str, dict[str, tuple[str, ...]]] = {}
    for kinds_by_group in (stated["evaluated"], stated["idle"]):
        for group, kinds in kinds_by_group.items():
            known.setdefault(_group(group), {}).update(dict.fromkeys(kinds, ()))
    for row in stated["opens"]:
        opened = tuple(row["crossings"])
        could.setdefault(_group(row["group"]), {}).update(dict.fromkeys(row["kinds"], opened))
    return known, could


def _group(stated: str) -> str:
    return "" if stated == "core" else stated


ANYTHING: Final = ("*",)
_SETTINGS: Final = frozenset({"ConfigMap", "Secret"})


def could_open(item: ManifestObject) -> tuple[str, ...] | None:
    """Return the crossings an object could open that is not evaluated; None for one that is, or leads nowhere."""
    if is_configuration(item.data):
        return None  # a file beside the objects: it is judged, and no API server is asked to keep it
    known, could = _tables()
    kinds = known.get(item.group, {})
    if item.kind in kinds or "*" in kinds:
        return None
    if not item.group and item.kind in _SETTINGS:
        return ANYTHING if _configures(item) else None
    opened = could.get(item.group, {})
    return opened.get(item.kind) or opened.get("*") or ANYTHING


def _configures(item: ManifestObject) -> bool:
    """Return whether a ConfigMap or Secret configures a component of the platform (DNS, identities, join tokens)."""
    return fnmatchcase(item.namespace, "kube-*")


def is_foreign_work(item: ManifestObject) -> bool:
    """Return whether an object makes pods in a namespace of the platform: what they do with its rights is not known."""
    makes = item.group in ("apps", "batch") or (not item.group and item.kind in ("Pod", "ReplicationController"))
    return makes and item.namespaced and is_platform_namespace(item.namespace, {})


def unevaluated_lines(objects: Iterable[ManifestObject], kinds: KindTable) -> Iterator[str]:
    """Yield a line per kind that is not evaluated, with what it could open."""
    counts: Counter[tuple[str, str]] = Counter()
    opened: dict[tuple[str, str], tuple[str, ...]] = {}
    for item in objects:
        found = could_open(item)
        if found is not None and not (not item.group and item.kind in _SETTINGS):
            key = (item.kind, item.group)
            counts[key] += 1
            opened[key] = found
    for (kind, group), count in sorted(counts.items()):
        name = f"{kind}.{group}" if group else kind
        what = "anything" if opened[kind, group] == ANYTHING else ", ".join(opened[kind, group])
        known = "" if kinds.find(group, kind) else ", a kind nobody here knows"
        yield f"{count} {name}{known}: could open {what}"
