from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter

import pytest

import tenancykit as tk
from tenancykit.criteria.isolation.result import PairFinding
from tenancykit.report import charts
from tenancykit.report.chart_colours import VERMILLION
from tests import studies

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=["ml-platform", "saas-inference"])
def study(request: pytest.FixtureRequest) -> tk.Study:
    return studies.study(request.param)


def worst(study: tk.Study, design: str) -> PairFinding:
    pair: PairFinding | None = study[design].scores["isolation"].detail.worst_pair
    assert pair is not None
    return pair


@pytest.mark.parametrize("design", ["RA01", "RA05", "RA09"])
def test_every_step_an_attacker_can_take_is_drawn_and_told(study: tk.Study, design: str) -> None:
    graph = worst(study, design).finding.graph
    chart = charts.attack_graph(study[design])
    steps = {(link.source, link.target) for link in graph.links}
    assert len(chart.rows) == len(steps)
    root = ET.fromstring(chart.svg)  # noqa: S314 - our own output
    assert len(root.findall(f"{SVG}polyline")) == len(steps)
    boxes = Counter(re.sub(r", \S+\u00a0d$", "", r.findtext(f"{SVG}title", "")) for r in root.findall(f"{SVG}rect"))
    for name in {row[0] for row in chart.rows} | {row[1] for row in chart.rows}:
        assert boxes[name] == 1, name


@pytest.mark.parametrize("design", ["RA01", "RA05", "RA09"])
def test_the_weakest_path_is_marked_by_more_than_colour(study: tk.Study, design: str) -> None:
    finding = worst(study, design).finding
    chart = charts.attack_graph(study[design])
    marked = [row for row in chart.rows if row[3]]
    assert len(marked) == len(finding.worst.links)
    for row in marked:
        assert row[0] in finding.worst.path
        assert row[1] in finding.worst.path
    root = ET.fromstring(chart.svg)  # noqa: S314 - our own output
    thick = [line for line in root.findall(f"{SVG}polyline") if line.get("stroke") == VERMILLION]
    widths = {float(line.get("stroke-width", 0)) for line in root.findall(f"{SVG}polyline")}
    assert len(thick) == len(marked)
    assert all(float(line.get("stroke-width", 0)) == max(widths) > 3 for line in thick)
    assert len(root.findall(f"{SVG}circle")) == len(marked) + 1
    assert finding.worst.path in chart.title


def test_no_line_hides_behind_a_box_it_does_not_touch(study: tk.Study) -> None:
    root = ET.fromstring(charts.attack_graph(study["RA01"]).svg)  # noqa: S314 - our own output
    boxes = [
        tuple(float(rect.get(side, 0)) for side in ("x", "y", "width", "height"))
        for rect in root.findall(f"{SVG}rect")
        if rect.find(f"{SVG}title") is not None
    ]
    for line in root.findall(f"{SVG}polyline"):
        points = [tuple(map(float, point.split(","))) for point in line.get("points", "").split()]
        inner = points[2:-2]
        if points[0][0] < points[-1][0]:
            for x, y, wide, high in boxes:
                assert not any(x + 2 < px < x + wide - 2 and y < py < y + high for px, py in inner)


def test_another_pair_can_be_asked_for_and_an_unknown_one_is_refused(study: tk.Study) -> None:
    names = [c.id for c in study.scenario.tenants.classes]
    chart = charts.attack_graph(study["RA01"], attacker=names[0], victim=names[-1])
    assert names[0] in chart.title
    with pytest.raises(tk.InputError, match="no pair nobody on any"):
        charts.attack_graph(study["RA01"], "nobody")
