"""The laws on scenarios nobody wrote: one comparison each, every law that one comparison can show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tenancykit as tk
from tenancykit.decision.screen import screen
from tenancykit.study.comparison import Study, study_of
from tenancykit.study.requirements import figures_table, hard_requirements, measures
from tests.laws.dropping import leaning, rivals_left_out
from tests.laws.test_called_what_it_is import PROVIDERS

CLASS = """
    - id: {id}
      kind: {kind}
      count: {count}
      trust: {trust}
      workloads: [{{template: {work}}}]
      requirements: {{isolation: {level}}}"""

SCENARIO = """
schema: tenancykit/scenario/v1
name: any
tenants:
  classes:{classes}
workloads:
  - {{id: train, kind: training, replicas: 4, cpu: "8", memory: 32Gi, gpu: {{count: 1}}}}
  - {{id: share, kind: inference, replicas: 2, cpu: "4", memory: 16Gi, gpu: {{fraction: 0.5, memory: 8Gi}}}}
infrastructure:
  {fleet}
  sites: [{{id: here, provider: own}}]
  nodes:
    - {{type: gpus{gpus}, spec: {{cpu: "64", memory: 512Gi, gpus: 4, gpu_model: A100-80GB, price_per_hour: 8.0}}}}
    - {{type: plain{plain}, spec: {{cpu: "32", memory: 128Gi, price_per_hour: 0.9}}}}
  control_plane: self-managed
team: {{engineers: {engineers}}}
weights: {{isolation: {isolation}, effort: 0.1, operations: 0.2, cost: {cost}}}
"""


@st.composite
def scenarios(draw: st.DrawFn) -> tk.Scenario:
    """Draw one or two classes of few tenants on one's own machines, bought or there."""
    kinds = draw(st.lists(st.sampled_from(["team", "customer"]), min_size=1, max_size=2, unique=True))
    classes = "".join(
        CLASS.format(
            id=kind,
            kind=kind,
            count=draw(st.integers(1, 12)),
            trust=draw(st.sampled_from(["trusted", "semi-trusted", "untrusted"])),
            work=draw(st.sampled_from(["train", "share"])),
            level=draw(st.sampled_from(["L1", "L2", "L3"])),
        )
        for kind in kinds
    )
    fixed = draw(st.booleans())
    isolation = draw(st.sampled_from([0.2, 0.35, 0.5]))
    return tk.parse_scenario(
        SCENARIO.format(
            classes=classes,
            fleet="mode: fixed\n  buying: allowed" if fixed else "mode: elastic",
            gpus=", count: 12" if fixed else "",
            plain=", count: 40" if fixed else "",
            engineers=draw(st.integers(1, 20)),
            isolation=isolation,
            cost=round(0.7 - isolation, 2),
        )
    )


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(scenario=scenarios(), seed=st.integers(0, 1000))
def test_the_laws_hold_on_any_scenario(scenario: tk.Scenario, seed: int) -> None:
    study = tk.compare(scenario)
    if study.ranking is None:
        return
    _irrelevant_designs_are_irrelevant(study, np.random.default_rng(seed))
    _every_barrier_shows(study)
    _words_mean_what_they_say(study)
    _designs_are_called_what_they_are(study)


def _irrelevant_designs_are_irrelevant(study: Study, rng: np.random.Generator) -> None:
    assert study.ranking is not None
    scores = dict(zip(study.ranking.labels, study.ranking.scores, strict=True))
    for _ in range(20):
        kept = [e for e in study.evaluations if rng.random() < 0.6]
        if not kept:
            continue
        screening = screen(figures_table(kept), hard_requirements(study.scenario), measures(kept))
        some = replace(study, evaluations=tuple(kept), screening=screening).ranking
        if some is not None:
            assert some.ordered() == tuple(x for x in study.ranking.ordered() if x in some.labels)
            assert all(scores[x] == value for x, value in zip(some.labels, some.scores, strict=True))


def _every_barrier_shows(study: Study) -> None:
    tree, values = study.scales.tree, study.figures.values
    node = tree.criteria.index("isolation")
    before = tree.node_values(values)[:, node]
    for column, leaf in enumerate(tree.leaves):
        if leaf.criterion == "isolation" and leaf.share > 0:
            moved = np.array(values)
            moved[:, column] += 0.1
            assert (tree.node_values(moved)[:, node] > before).all(), leaf.name


def _words_mean_what_they_say(study: Study) -> None:
    found = study.verdict
    assert found is not None
    sure = found.share >= 0.95 - 1e-9
    assert (found.word == "clear") == (sure and not found.overturning)
    assert (found.word == "contested") == (not sure and found.share <= 0.5)
    best = study.best
    for view in (study, *leaning(study, "cost")):
        rivals_left_out(view)
    twin = replace(best, resolved=replace(best.resolved, design=replace(best.resolved.design, id="twin")))
    beside = study_of(study.scenario, study.catalogue, [*study.evaluations, twin]).verdict
    assert beside is not None
    assert (beside.word, round(beside.share, 9)) == (found.word, round(found.share, 9))


def _designs_are_called_what_they_are(study: Study) -> None:
    for evaluation in study.evaluations:
        assert not PROVIDERS.search(evaluation.resolved.short), "the site is one's own"
