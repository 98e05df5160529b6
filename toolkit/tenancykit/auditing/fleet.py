"""Several clusters in one folder: each is read and audited by itself, for no policy reaches beyond its cluster."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from kubeanswers.kustomize.definition import find_kustomization
from kubeanswers.places import is_folder
from kubeanswers.reading import Reading, read_objects, read_sets
from tenancykit.auditing.findings import AuditReport, Check, CrossingState
from tenancykit.auditing.tenant_matrix import AuditOptions, audit

_FOLDER = "clusters"
_NUMBER = re.compile(r"[0-9]+")
_LARGEST = ", in the largest of the sets"


def cluster_folders(path: Path) -> dict[str, Path]:
    """Return the clusters of an export, by name: the kustomized folders in its ``clusters`` folder; else nothing."""
    folder = path / _FOLDER
    if not folder.is_dir() or find_kustomization(path) is not None:
        return {}
    found = {item.name: item for item in sorted(folder.iterdir()) if item.is_dir() and not item.is_symlink()}
    return {name: item for name, item in found.items() if find_kustomization(item) is not None}


def read_clusters(paths: Iterable[str | os.PathLike[str]], *, stdin: TextIO | None = None) -> dict[str, Reading]:
    """Return one reading per cluster.

    A folder of an export's clusters is read cluster by cluster, and so is a repository whose folder ``clusters`` says
    by Flux what each gets, or holds nothing but folders that define the same
    objects.  Whatever else is given is read together, overlays of one base apart.
    """
    found: dict[str, Reading] = {}
    rest: list[str | os.PathLike[str]] = []
    for path in paths:
        clusters = cluster_folders(Path(path)) if str(path) != "-" else {}
        delivered = flux_clusters(Path(path)) if not clusters and str(path) != "-" else {}
        if not clusters and not delivered and str(path) != "-":
            delivered = plain_clusters(Path(path))
        if not clusters and not delivered:
            rest.append(path)
        for name, folder in clusters.items():
            found[name] = read_objects([folder])
        found.update(delivered)
    if rest or not found:
        found.update(read_sets(rest, stdin=stdin))
    return found


def flux_clusters(root: Path) -> dict[str, Reading]:
    """Return what Flux delivers to each cluster of a repository: its folder, and the paths its Kustomizations name."""
    folder = root / _FOLDER
    if not folder.is_dir() or find_kustomization(root) is not None:
        return {}
    found: dict[str, Reading] = {}
    for item in sorted(folder.iterdir()):
        if item.is_dir() and not item.is_symlink():
            places = _delivered(root, item)
            if len(places) > 1:
                found[item.name] = read_objects(places)
    return found


def plain_clusters(root: Path) -> dict[str, Reading]:
    """Return the folders of a folder ``clusters`` where two of them define one object; nothing where that is not all.

    Args:
        root: the folder ``clusters``, or one that holds no other folder with manifests.
    """
    folder = root if root.name == _FOLDER else root / _FOLDER
    if not folder.is_dir() or find_kustomization(root) is not None or find_kustomization(folder) is not None:
        return {}
    inside = [item for item in sorted(folder.iterdir()) if item.is_dir() and not item.is_symlink()]
    beside = [file for file in root.rglob("*.y*ml") if not any(part in file.parents for part in inside)]
    if len(inside) < 2 or beside:
        return {}
    found = {item.name: read_objects([item]) for item in inside}
    defined = Counter(identity for reading in found.values() for identity in {o.identity for o in reading.objects})
    return found if any(count > 1 for count in defined.values()) else {}


def _delivered(root: Path, cluster: Path) -> list[Path]:
    """Return the cluster's folder and every folder of the repository that its Kustomizations lead to."""
    places: list[Path] = []
    waiting = [cluster]
    while waiting:
        place = waiting.pop()
        if place in places:
            continue
        places.append(place)
        for item in read_objects([place]).objects.of("kustomize.toolkit.fluxcd.io", "Kustomization"):
            named = root / str(item.spec.get("path") or "").removeprefix("./")
            if named != root and is_folder(named) and named.resolve().is_relative_to(root.resolve()):
                waiting.append(named)
    return places


def audit_clusters(readings: Mapping[str, Reading], options: AuditOptions | None = None) -> AuditReport:
    """Return one report over several clusters: pairs are open if they are in any cluster both tenants are in."""
    reports = [audit(reading, options) for _, reading in sorted(readings.items())]
    return reports[0] if len(reports) == 1 else _merged(reports, sorted(readings))


def _merged(reports: list[AuditReport], names: list[str]) -> AuditReport:
    tenants: dict[str, tuple[str, ...]] = {}
    for report in reports:
        for tenant, namespaces in report.tenants.items():
            tenants[tenant] = tuple(sorted({*tenants.get(tenant, ()), *namespaces}))
    kinds: Counter[str] = Counter()
    for report in reports:
        kinds.update(report.unknown_kinds)
    findings = [finding for report in reports for finding in report.findings]
    return AuditReport(
        dict(sorted(tenants.items())),
        _merged_crossings(reports),
        tuple(sorted({f.order: f for f in findings}.values(), key=lambda finding: finding.order)),
        _merged_checks(reports),
        tuple(dict.fromkeys(fault for report in reports for fault in report.faults)),
        dict(sorted(kinds.items())),
        tuple(dict.fromkeys(text for report in reports for text in report.not_evaluated)),
        tuple(dict.fromkeys(text for report in reports for text in report.skipped)),
        sum(report.objects for report in reports),
        tuple(dict.fromkeys(text for report in reports for text in report.unread)),
        _told(reports),
        tuple(names),
    )


def _told(reports: list[AuditReport]) -> tuple[str, ...]:
    """Return how tenants were found; where no set has any, how to name them in the largest of the sets.

    Lines of several sets that differ in numbers only are one, that of the set with the most tenants.
    """
    found = [report for report in reports if report.tenants] or [max(reports, key=lambda report: report.objects)]
    lines: dict[str, str] = {}
    for report in sorted(found, key=lambda report: -len(report.tenants)):
        for text in report.told:
            like = _NUMBER.sub("N", text)
            if lines.setdefault(like, text) != text and not lines[like].endswith(_LARGEST):
                lines[like] += _LARGEST
    return tuple(lines.values())


def _merged_crossings(reports: list[AuditReport]) -> tuple[CrossingState, ...]:
    found: dict[str, CrossingState] = {}
    for report in reports:
        for item in report.crossings:
            known = found.get(item.id)
            found[item.id] = item if known is None else _joined(known, item)
    return tuple(found.values())


def _joined(one: CrossingState, other: CrossingState) -> CrossingState:
    victims = _union(one.victims, other.victims)
    doubts = _union(one.doubts, other.doubts)
    return CrossingState(one.id, one.title, one.plane, victims, doubts, {**one.reasons, **other.reasons})


def _union(one: Mapping[str, frozenset[str]], other: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    found = dict(one)
    for tenant, reached in other.items():
        found[tenant] = found.get(tenant, frozenset()) | reached
    return found


_WORST = ("fail", "undecided", "pass", "not-applicable")


def _merged_checks(reports: list[AuditReport]) -> tuple[Check, ...]:
    found: dict[str, list[Check]] = {}
    for report in reports:
        for check in report.checks:
            found.setdefault(check.id, []).append(check)
    merged: list[Check] = []
    for checks in found.values():
        worst = min(checks, key=lambda check: _WORST.index(check.status))
        failing = tuple(
            dict.fromkeys(item for check in checks if check.status == worst.status for item in check.failing)
        )
        merged.append(Check(worst.id, worst.title, worst.source, worst.status, worst.detail, failing[:20]))
    return tuple(merged)
