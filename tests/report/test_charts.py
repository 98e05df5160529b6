from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

import tenancykit as tk
from tenancykit.drawing import html_of
from tenancykit.report import charts
from tenancykit.report.chart_canvas import Axis, Canvas, shortened, spread
from tenancykit.report.chart_colours import BARS_IN_DARK, INK, PALETTE, SHADES, in_dark, ink_on
from tenancykit.report.charts import Chart
from tests import studies
from tests.studies import study as compared

Draw = Callable[[tk.Study], Chart]

DRAWN: dict[str, Draw] = {
    "gantt": lambda s: charts.gantt(s["RA09"]),
    "gantt, every task": lambda s: charts.gantt(s["RA09"], every_task=True),
    "toil": lambda s: charts.toil(s.order),
    "toil of one": lambda s: charts.toil([s["RA09"]]),
    "growth": lambda s: charts.growth([s["RA01"], s["RA09"]]),
    "bill": lambda s: charts.bill(s["RA09"]),
    "placement": lambda s: charts.placement(s["RA09"]),
    "placement, shared": lambda s: charts.placement(s["RA01"]),
    "cost bridge": lambda s: charts.cost_bridge(s["RA01"], s["RA09"]),
    "open days": lambda s: charts.open_days(s["RA09"]),
    "open days, shared": lambda s: charts.open_days(s["RA01"]),
    "isolation matrix": lambda s: charts.isolation_matrix(s["RA09"]),
    "attack graph": lambda s: charts.attack_graph(s["RA01"]),
    "attack paths": lambda s: charts.attack_paths(s["RA01"]),
    "architecture": lambda s: charts.architecture(s["RA09"]),
    "pareto": charts.pareto,
    "acceptability": charts.acceptability,
    "weight ranges": charts.weight_ranges,
    "side by side": lambda s: charts.side_by_side(s, "RA01", "RA09"),
}


@pytest.fixture(params=["ml-platform", "saas-inference"])
def study(request: pytest.FixtureRequest) -> tk.Study:
    return studies.study(request.param)


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_is_a_picture_that_needs_nothing_else(study: tk.Study, name: str) -> None:
    chart = DRAWN[name](study)
    root = ET.fromstring(chart.svg)  # noqa: S314 - our own output
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == chart.title
    assert "http" not in chart.svg.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in chart.html()
    assert not re.search(r"[\s\",=]-?(nan|inf)[\s\",]", chart.svg)
    assert chart.rows
    assert all(len(row) == len(chart.columns) for row in chart.rows)


PAGES = {"light": "#ffffff", "dark": "#212121"}
"""Grounds of JupyterLab's two themes."""


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def grounds(svg: str, paint: Callable[[str, str, str], str], page: str) -> list[tuple[str, str, str]]:
    """Return each text with its colour and that of what it stands on: the last filled box or disc around it."""
    boxes: list[tuple[float, float, float, float, str]] = []
    found = []
    for place, element in enumerate(list(ET.fromstring(svg))):  # noqa: S314 - our own output
        tag = element.tag.rpartition("}")[2]
        fill = element.get("fill", "")
        if tag == "rect" and place > 1:
            x, y, wide, high = (float(element.get(name) or 0) for name in ("x", "y", "width", "height"))
            boxes.append((x, y, x + wide, y + high, paint(fill, "fill", tag)))
        elif tag == "circle":
            x, y, r = (float(element.get(name) or 0) for name in ("cx", "cy", "r"))
            boxes.append((x - r, y - r, x + r, y + r, paint(fill, "fill", tag)))
        elif tag == "text" and element.text:
            x, y = float(element.get("x") or 0), float(element.get("y") or 0) - 4
            if element.get("transform") is None:
                inside = [box[4] for box in boxes if box[0] <= x <= box[2] and box[1] <= y <= box[3]]
                found.append((element.text, paint(fill, "fill", tag), inside[-1] if inside else page))
    return found


@pytest.mark.parametrize("theme", PAGES)
@pytest.mark.parametrize("name", DRAWN)
def test_every_word_of_a_chart_is_read_on_its_ground_in_light_and_dark(study: tk.Study, name: str, theme: str) -> None:
    paint = in_dark if theme == "dark" else lambda colour, *_: colour
    texts = grounds(DRAWN[name](study).svg, paint, PAGES[theme])
    assert texts
    assert [told for told in texts if contrast(told[1], told[2]) < 4.5] == []  # WCAG 2.2, AA


def test_the_text_of_a_bar_is_read_on_bar_and_ground_in_the_dark() -> None:
    ink = in_dark(INK, "fill", "text")
    assert all(contrast(ink, ground) >= 4.5 for ground in BARS_IN_DARK.values())


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_keeps_inside_its_frame(study: tk.Study, name: str) -> None:
    root = ET.fromstring(DRAWN[name](study).svg)  # noqa: S314 - our own output
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for mark in root.iter("{http://www.w3.org/2000/svg}rect"):
        x, y = float(mark.get("x", 0)), float(mark.get("y", 0))
        assert -1 <= x <= x + float(mark.get("width", 0)) <= width + 1
        assert -4 <= y <= y + float(mark.get("height", 0)) <= height + 1


def test_the_same_study_gives_the_same_bytes(study: tk.Study) -> None:
    again = tk.compare(study.scenario)
    for draw in DRAWN.values():
        assert draw(study).html() == draw(again).html()


def test_the_gantt_shows_every_task_and_marks_the_critical_chain(study: tk.Study) -> None:
    effort = study["RA09"].scores["effort"].detail
    rows = charts.gantt(study["RA09"]).rows
    assert len(rows) == len(effort.plan.tasks)
    assert sum(row[-1] == "yes" for row in rows) == len(effort.schedule.critical_chain)


def test_the_bridge_leads_from_one_cost_to_the_other(study: tk.Study) -> None:
    first, second = study["RA01"], study["RA09"]
    rows = charts.cost_bridge(first, second).rows
    steps = sum(float(row[3].replace(",", "")) for row in rows[:-1])
    difference = second.scores["cost"].value - first.scores["cost"].value
    assert steps == pytest.approx(difference, abs=0.05)
    assert float(rows[-1][3].replace(",", "")) == pytest.approx(difference, abs=0.01)


def test_the_placement_map_shows_every_node_and_fills_none_beyond_its_capacity(study: tk.Study) -> None:
    evaluation = study["RA09"]
    placed = evaluation.scores["cost"].detail.housing.housed
    rows = charts.placement(evaluation).rows
    nodes = sum(group.count * one.copies for one in placed for group in one.purchase.placement.groups)
    assert sum(int(row[1]) for row in rows) == nodes
    for row in rows:
        shares = [int(part.rsplit(" ", 1)[1].rstrip("%")) for part in row[3].split("; ") if part != "-"]
        assert sum(shares) <= 100 + len(shares)


def test_the_matrix_shows_every_pair_and_names_the_weakest_path(study: tk.Study) -> None:
    evaluation = study["RA09"]
    chart = charts.isolation_matrix(evaluation)
    assert len(chart.rows) == len(evaluation.scores["isolation"].figures["matrix"])
    assert evaluation.scores["isolation"].figures["weakest_path"].split(" -> ")[-1] in chart.title


def test_what_stands_open_is_drawn_per_class_and_plane_as_the_ranking_reads_it(study: tk.Study) -> None:
    found = study["RA01"].scores["isolation"].detail
    chart = charts.open_days(study["RA01"])
    assert [row[0] for row in chart.rows] == [e.class_id for e in found.exposure]
    for row, each in zip(chart.rows, found.exposure, strict=True):
        assert float(row[2]) == pytest.approx(found.days[each.class_id, each.plane], rel=0.01)
        assert float(row[3]) <= float(row[2]) <= float(row[4])
    worst = max((e for e in found.exposure if e.plane != "performance"), key=lambda e: e.days)
    assert f"{worst.plane} plane of {worst.class_id}" in chart.title
    assert "assumed" in chart.title


def test_an_unknown_pair_of_classes_is_refused(study: tk.Study) -> None:
    with pytest.raises(tk.InputError, match="no pair nobody on any"):
        charts.attack_paths(study["RA01"], "nobody")


def test_charts_speak_when_nobody_is_admitted() -> None:
    scenario = tk.load_scenario("saas-inference")
    limits = scenario.requirements.model_copy(update={"go_live_weeks": 0.01})
    study = tk.compare(scenario.model_copy(update={"requirements": limits}))
    for draw in (charts.pareto, charts.acceptability, charts.weight_ranges):
        assert draw(study).title == "No design meets every requirement"


def test_a_chart_is_saved_as_a_file(study: tk.Study, tmp_path: Path) -> None:
    file = charts.pareto(study).save(tmp_path / "p.svg")
    assert file.read_text().startswith("<svg")


def test_names_are_written_as_text_not_as_markup() -> None:
    canvas = Canvas("<b>&", 10)
    canvas.text(0, 0, "<script>")
    canvas.rect(0, 0, 1, 1, "#fff", title='"><script>')
    svg = canvas.chart(["a"], [["<i>"]])
    assert "<script" not in svg.svg
    assert "<i>" not in svg.html()


def test_text_on_a_colour_has_the_contrast_wcag_asks_for_large_text() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for fill in (*PALETTE, *SHADES):
        high, low = sorted((light(fill), light(ink_on(fill))), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, fill


def test_axes_place_round_values_inside_and_shortened_text_fits() -> None:
    axis = spread([3.0, 97.0], 0, 100)
    assert axis.ticks() == [0, 20, 40, 60, 80, 100]
    assert Axis(1, 10_000, 0, 100, logarithmic=True).ticks() == [1, 10, 100, 1000, 10_000]
    assert shortened("abc", 100, 10) == "abc"
    assert len(shortened("a" * 100, 57, 10)) == 10


def test_the_explored_front_says_whether_it_is_proven() -> None:
    scenario = tk.load_scenario("saas-inference")
    allowed = {
        "control_plane": ["cp_namespace_rbac", "cp_managed_per_tenant"],
        "network": ["net_np_default_deny"],
        "storage": ["st_sc_quota"],
        "scheduling_quota": ["sch_quota"],
        "policy_admission": ["pol_psa", "pol_vap"],
        "identity_gitops": ["id_oidc_rbac"],
        "observability_chargeback": ["obs_opencost"],
    }
    found = tk.explore(scenario, allowed=allowed)
    study = studies.study("saas-inference")
    assert charts.explored(found).svg in html_of(found)
    chart = charts.explored(found, study)
    assert ("the exact front" in chart.title) == found.exact
    front = found.admitted or found.front
    assert [row[0] for row in chart.rows[: len(front)]] == [one.id for one in front]
    assert ET.fromstring(chart.svg).get("aria-label") == chart.title  # noqa: S314 - our own output


def test_the_front_is_counted_among_the_admitted_and_values_are_those_of_the_scale() -> None:
    found = compared("ml-platform")
    assert found.ranking is not None
    assert f"Of {len(found.ranking.labels)} admitted designs " in charts.pareto(found).svg
    assert "reference architecture" not in charts.side_by_side(found, "RA01", "RA09").svg
