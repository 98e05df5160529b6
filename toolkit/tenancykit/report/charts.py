"""Every picture of a result, by name: static SVG with the finding as title and its figures as a table beside it."""

from __future__ import annotations

from tenancykit.report.chart_architecture import architecture
from tenancykit.report.chart_canvas import Chart
from tenancykit.report.chart_cost import bill, cost_bridge, placement
from tenancykit.report.chart_decision import acceptability, explored, group_scatter, pareto, side_by_side, weight_ranges
from tenancykit.report.chart_effort import gantt, growth, toil
from tenancykit.report.chart_exposure import open_days
from tenancykit.report.chart_flaws import flaws
from tenancykit.report.chart_isolation import attack_graph, attack_paths, isolation_matrix
from tenancykit.report.chart_outlook import three_years
from tenancykit.report.chart_queues import borrowed_gpus, gpu_shares, preemptions, waiting_times
from tenancykit.report.chart_use import dependencies, utilisation

__all__ = [
    "Chart",
    "acceptability",
    "architecture",
    "attack_graph",
    "attack_paths",
    "bill",
    "borrowed_gpus",
    "cost_bridge",
    "dependencies",
    "explored",
    "flaws",
    "gantt",
    "gpu_shares",
    "group_scatter",
    "growth",
    "isolation_matrix",
    "open_days",
    "pareto",
    "placement",
    "preemptions",
    "side_by_side",
    "three_years",
    "toil",
    "utilisation",
    "waiting_times",
    "weight_ranges",
]
