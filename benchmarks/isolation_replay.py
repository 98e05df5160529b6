"""Replay of published flaws: every flaw of the catalogue under every choice of the vocabulary, and under one design."""

from __future__ import annotations

from collections.abc import Sequence

from isolation_graph import SCENARIO, distinct_designs

from harness import line, measure, report
from kubeanswers.source import parse_yaml
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.isolation.measure import assess
from tenancykit.criteria.isolation.replay import replay_choice, replay_result
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario
from tenancykit.validation import validate


def choices() -> Sequence[dict[str, object]]:
    """Return the time of replaying all flaws under all choices."""
    model = load_isolation(load_catalogue())
    pairs = [(entry, choice) for entry in model.evidence.values() for choice in model.choices]
    ours = measure(lambda: [replay_choice(entry, choice, model) for entry, choice in pairs], runs=3)
    memory = round(ours.peak_memory_mib, 1)
    return [line("replay of all flaws under all choices", ours.seconds, "s", n=len(pairs), peak_memory_mib=memory)]


def designs() -> Sequence[dict[str, object]]:
    """Return the time of replaying all flaws under one design."""
    catalogue = load_catalogue()
    model = load_isolation(catalogue)
    scenario = validate(Scenario, parse_yaml(SCENARIO, "scenario"))
    (design,) = distinct_designs(catalogue, scenario, 1)
    result = assess(resolve(design, scenario, catalogue), model)
    ours = measure(lambda: replay_result(result, model), runs=5)
    memory = round(ours.peak_memory_mib, 1)
    return [
        line(
            "replay of all flaws under one design",
            ours.seconds * 1e3,
            "ms",
            n=len(model.evidence),
            peak_memory_mib=memory,
        )
    ]


if __name__ == "__main__":
    report(__doc__ or "", [choices, designs])
