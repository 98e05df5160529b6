"""The pictures of a simulation of queues draw what the simulation found, and need nothing else."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.drawing import html_of, text_of
from tenancykit.report.chart_canvas import Chart
from tenancykit.studio import workshop
from tenancykit.study.serving import QueueAnswer

Draw = Callable[[QueueAnswer], Chart]

DRAWN: dict[str, Draw] = {
    "waiting times": tk.charts.waiting_times,
    "shares": lambda found: tk.charts.gpu_shares(found, "static"),
    "shares while borrowing": lambda found: tk.charts.gpu_shares(found, "borrowing"),
    "borrowed": lambda found: tk.charts.borrowed_gpus(found, "borrowing"),
    "borrowed by nobody": lambda found: tk.charts.borrowed_gpus(found, "static"),
    "preemptions": lambda found: tk.charts.preemptions(found, "borrowing"),
    "no preemptions": lambda found: tk.charts.preemptions(found, "static"),
}


@pytest.fixture(scope="module")
def played() -> QueueAnswer:
    quotas = {"language": 5, "speech": 5, "tests": 5, "vision": 5}
    found: QueueAnswer = tk.queue(workshop.jobs(), quotas=quotas, fleets=False)
    return found


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_of_queues_needs_nothing_else(played: QueueAnswer, name: str) -> None:
    chart = DRAWN[name](played)
    root = ET.fromstring(chart.svg)  # noqa: S314 - our own output
    assert root.get("aria-label") == chart.title
    assert "http" not in chart.svg.replace("http://www.w3.org/2000/svg", "")
    assert chart.rows
    assert all(len(row) == len(chart.columns) for row in chart.rows)
    assert chart == DRAWN[name](played)


def test_what_is_borrowed_is_what_queues_hold_above_their_quota(played: QueueAnswer) -> None:
    found = next(one for one in played.services if one.design == "borrowing")
    over = [max(0, held - one.quota) for instant in found.held for held, one in zip(instant, found.queues, strict=True)]
    assert sum(over) > 0
    assert sum(found.borrowed().values()) == pytest.approx(sum(over) / len(found.held))
    assert all(sum(instant) <= found.gpus for instant in found.held)


def test_every_preemption_has_one_for_whom_and_one_who_left(played: QueueAnswer) -> None:
    found = next(one for one in played.services if one.design == "borrowing")
    for queue in found.queues:
        assert sum(times for (_, left), times in found.forced.items() if left == queue.queue) == queue.preemptions
    assert tk.charts.preemptions(played, "borrowing").title.startswith("Borrowing with reclaim: 3 jobs had to leave")


def test_a_design_that_was_not_played_is_named(played: QueueAnswer) -> None:
    with pytest.raises(InputError, match="'borowing' was not simulated"):
        tk.charts.preemptions(played, "borowing")


def test_a_simulation_draws_itself_and_says_all_figures(played: QueueAnswer) -> None:
    assert tk.charts.waiting_times(played).svg in html_of(played)
    assert "GPU hours lost" in html_of(played)
    assert text_of(played).startswith("340 jobs")
    assert "Jain's index" in text_of(played)


@pytest.mark.parametrize(
    "name",
    ["\x1b]0;owned\x07", "</text><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a\ufffeb", "\u202egnp",
     "]]>", "&lt;", "<!--", "=HYPERLINK(1)", "x" * 3000],
)  # fmt: skip
def test_a_tenant_with_a_hostile_name_is_text_in_every_picture(tmp_path: Path, played: QueueAnswer, name: str) -> None:
    text = workshop.jobs().read_text()
    jobs = tmp_path / "jobs.csv"
    quoted = name.replace('"', '""')
    jobs.write_text(re.sub(r"(?m)^vision,", lambda _: f'"{quoted}",', text))
    found = tk.queue(jobs, quotas={"language": 5, "speech": 5, "tests": 5, name: 5}, fleets=False)
    for draw in DRAWN.values():
        of_any, of_words = ({e.tag for e in ET.fromstring(draw(one).svg).iter()} for one in (found, played))  # noqa: S314 - our own output
        assert of_any <= {*of_words, "{http://www.w3.org/2000/svg}title"}
