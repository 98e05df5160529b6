from __future__ import annotations

import tenancykit as tk
from tests import studies


def test_the_timeline_shows_every_flaw_once_and_counts_them_in_its_title() -> None:
    study = studies.study("ml-platform")
    chart = tk.charts.flaws(study, "RA10")
    contained = sum(row.outcome == "contained" for row in study.replay("RA10"))
    assert f"contains {contained} of {len(study.evidence)} published flaws" in chart.title
    assert sorted(row[0] for row in chart.rows) == sorted(study.evidence)
    assert chart.svg.count('width="9"') == len(study.evidence)


def test_a_dedicated_cluster_contains_the_container_escapes_that_shared_nodes_do_not() -> None:
    study = studies.study("ml-platform")
    crossed = {d: {r.entry for r in study.replay(d) if r.outcome == "crossed"} for d in ("RA01", "RA10")}
    escapes = {e.id for e in study.evidence.values() if e.boundary == "container-runtime/host"}
    assert crossed["RA01"] & escapes
    assert not crossed["RA10"] & escapes
