from __future__ import annotations

import tenancykit as tk


def test_the_timeline_shows_every_flaw_once_and_counts_them_in_its_title() -> None:
    study = tk.compare(tk.load_scenario("ml-platform"))
    chart = tk.charts.flaws(study, "RA10")
    contained = sum(row.outcome == "contained" for row in study.replay("RA10"))
    assert f"contains {contained} of {len(study.evidence)} published flaws" in chart.title
    assert sorted(row[0] for row in chart.rows) == sorted(study.evidence)
    assert chart.svg.count('width="9"') == len(study.evidence)


def test_a_dedicated_cluster_contains_every_flaw_that_namespaces_contain_in_the_shared_api_server() -> None:
    study = tk.compare(tk.load_scenario("ml-platform"))
    crossed = {d: {r.entry for r in study.replay(d) if r.outcome == "crossed"} for d in ("RA01", "RA10")}
    boundary = {e.id for e in study.evidence.values() if e.boundary == "apiserver-authorization"}
    assert crossed["RA01"] & boundary
    assert not crossed["RA10"] & boundary
