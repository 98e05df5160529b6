"""Auditing and proving a real export of 10,000 tenants, beside parsing the same files with PyYAML alone.

Run: python benchmarks/proof_export.py [--json]
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from harness import line, report
from tenancykit import load_catalogue, load_scenario
from tenancykit.auditing import audit_clusters, read_clusters
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests.tree import export
from tenancykit.scenario.model import Scenario
from tenancykit.study.proof import prove

TENANTS = 10_000
DESIGN = "RA01"


def _many(scenario: Scenario) -> Scenario:
    """Return the example with its one class of teams grown to 10,000, without named tenants."""
    teams = scenario.tenants.classes[0].model_copy(update={"count": TENANTS})
    tenants = scenario.tenants.model_copy(update={"classes": (teams,), "named": ()})
    return scenario.model_copy(update={"tenants": tenants})


def proof() -> Sequence[dict[str, object]]:
    """Time audit and proof once each, with the process's peak memory; a run takes minutes."""
    catalogue = load_catalogue()
    scenario = _many(load_scenario("ml-platform", catalogue))
    design = resolve(reference_design(catalogue.references[DESIGN], scenario, catalogue), scenario, catalogue)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "out"
        start = time.perf_counter()
        written = export(design, scenario, catalogue, folder)
        exported = time.perf_counter() - start
        start = time.perf_counter()
        for path in folder.glob("clusters/**/*.yaml"):
            for _ in yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
                pass
        bare = time.perf_counter() - start
        start = time.perf_counter()
        found = audit_clusters(read_clusters([folder]))
        audited = time.perf_counter() - start
        assert found.exit_code == 0
        assert len(found.tenants) == TENANTS
        del found
        start = time.perf_counter()
        proven = prove(design, scenario, catalogue, folder)
        whole = time.perf_counter() - start
        assert proven.verdict == "proven"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    more: dict[str, Any] = {"objects": written.objects}
    baseline = "parsing the files with PyYAML (C loader)"
    return [
        line("write the export of 10,000 tenants", exported, "s", n=1, **more),
        line("read and audit the export", audited, "s", n=1, ratio_to={baseline: round(audited / bare, 2)}, **more),
        line(
            "prove the export against its claim",
            whole,
            "s",
            n=1,
            ratio_to={baseline: round(whole / bare, 2)},
            peak_memory_mib=round(peak),
            **more,
        ),
    ]


if __name__ == "__main__":
    report(__doc__ or "", [proof])
