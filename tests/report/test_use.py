from __future__ import annotations

import tenancykit as tk
from tests import studies


def test_utilisation_stays_below_capacity_and_names_every_large_domain() -> None:
    study = studies.study("saas-inference")
    for design in ("RA01", "RA10"):
        chart = tk.charts.utilisation(study[design])
        assert chart.rows
        for _, _, _, peak, held, _ in chart.rows:
            assert float(peak.replace(",", "")) <= float(held.replace(",", "")) * 1.001
        assert chart.svg.startswith("<svg")


def test_the_dependency_matrix_shows_what_components_require() -> None:
    study = studies.study("ml-platform")
    chart = tk.charts.dependencies(study["RA03"])
    closure = study["RA03"].scores["operations"].detail.closure
    direct = {(row[0], row[1]) for row in chart.rows if row[2] == "directly"}
    assert direct == {(name, needed) for name, edges in closure.edges.items() for needed in edges}
    shared, own = tk.charts.dependencies(study["RA01"]), tk.charts.dependencies(study["RA09"])
    assert len(own.rows) > len(shared.rows)
