"""Every emitted object is removed, and fences are weakened, one at a time: the audit names the path that opens."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tenancykit.auditing import AuditReport, Finding, Severity, audit, from_dicts, read_clusters
from tenancykit.manifests.tree import export
from tests.study.mutations import REMOVALS, WEAKENINGS, Removal, Weakening
from tests.study.platforms import catalogue, masked, reference, two_classes

DESIGNS = ("RA01", "RA02", "RA03", "RA04", "RA07", "RA08", "RA09", "RA11", "RA13", "RA15", "RA19")
"""Between them every admission engine, queue, delivery and storage option, every sort of control plane and machine."""

Object = dict[str, Any]


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Object]]:
    """Objects of the cluster several tenants are in, by design."""
    scenario = two_classes()
    found = {}
    for identifier in DESIGNS:
        folder: Path = tmp_path_factory.mktemp(identifier) / "out"
        export(reference(identifier, scenario), scenario, catalogue(), folder)
        readings = [r for r in read_clusters([folder]).values() if len(audit(r).tenants) > 1]
        assert len(readings) == 1
        found[identifier] = [dict(item.data) for item in readings[0].objects]
    return found


def audited(objects: list[Object]) -> AuditReport:
    return audit(from_dicts(objects))


def known(report: AuditReport) -> set[tuple[str, str]]:
    return {(f.rule, f.subject) for f in report.findings}


def new_findings(before: set[tuple[str, str]], after: AuditReport) -> list[Finding]:
    return [f for f in after.findings if (f.rule, f.subject) not in before and f.severity >= Severity.LOW]


def kind_of(item: Object) -> str:
    return str(item["kind"]).removeprefix("Tenancykit").removeprefix("Research").removeprefix("Products")


@cache
def entry_for(kind: str, name: str) -> Removal:
    for entry in REMOVALS:
        if kind in entry.kinds.split() and fnmatchcase(name, entry.name):
            return entry
    raise AssertionError(f"nothing is said about {kind} {name}: add it to tests/study/mutations.py")


def distinct(objects: list[Object]) -> Iterator[tuple[int, Object]]:
    """Yield one object of each kind, name and tenant class."""
    seen = set()
    for index, item in enumerate(objects):
        key = (item["kind"], masked(item["metadata"]["name"]), "research" in str(item["metadata"]))
        if key not in seen:
            seen.add(key)
            yield index, item


@pytest.mark.parametrize("design", DESIGNS)
def test_removing_any_object_opens_a_path_the_audit_names_or_opens_nothing_for_a_stated_reason(
    design: str, clusters: dict[str, list[Object]]
) -> None:
    objects = clusters[design]
    before = audited(objects)
    known_before = known(before)
    opened_before = before.open_crossings()
    caught: set[Removal] = set()
    for index, item in distinct(objects):
        entry = entry_for(kind_of(item), masked(item["metadata"]["name"]))
        after = audited([*objects[:index], *objects[index + 1 :]])
        found = [f for f in new_findings(known_before, after) if f.rule != "reference-dangling"]
        title = f"{design}: {item['kind']} {item['metadata']['name']}"
        if entry.rules and (entry.where is None or design in entry.where):
            named = [f for f in found if f.rule in entry.rules]
            assert named, f"{title}: removed, and no finding of {entry.rules}"
            assert all("->" in f.path and f.fix for f in named), title
            caught.add(entry)
        else:
            assert entry.otherwise, title
            opened = {
                name: count for name, count in after.open_crossings().items() if count > opened_before.get(name, 0)
            }
            assert not opened, f"{title}: opens {opened} although {entry.otherwise}"
            assert not found or entry.otherwise.endswith("low severity"), f"{title}: {[f.what for f in found]}"
    expected = {e for e in REMOVALS if e.rules and e.where and design in e.where and _present(e, objects)}
    assert expected <= caught


def _present(entry: Removal, objects: list[Object]) -> bool:
    return any(
        kind_of(o) in entry.kinds.split() and fnmatchcase(masked(o["metadata"]["name"]), entry.name) for o in objects
    )


def test_every_entry_of_the_table_speaks_of_some_emitted_object(clusters: dict[str, list[Object]]) -> None:
    every = [item for objects in clusters.values() for item in objects]
    stale = [entry for entry in REMOVALS if not _present(entry, every)]
    assert not stale
    unreached = [
        e for e in REMOVALS if not any(entry_for(kind_of(o), masked(o["metadata"]["name"])) is e for o in every)
    ]
    assert not unreached


@pytest.mark.parametrize("case", WEAKENINGS, ids=lambda case: case.title)
def test_weakening_a_fence_is_found_with_the_path_it_opens(case: Weakening, clusters: dict[str, list[Object]]) -> None:
    objects = clusters[case.design]
    before = known(audited(objects))
    weak = copy.deepcopy(objects)
    targets = [o for o in weak if o["kind"] == case.kinds and o["metadata"]["name"] == case.name]
    assert targets, f"{case.design} emits no {case.kinds} {case.name}"
    for item in targets if case.everywhere else targets[:1]:
        case.change(item)
    found = [f for f in new_findings(before, audited(weak)) if f.rule == case.rule]
    assert found
    assert all("->" in f.path and f.fix and f.subject for f in found)
