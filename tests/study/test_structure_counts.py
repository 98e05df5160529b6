"""What the catalogue says there is to decide, beside what the exported manifests hold: they agree where it matters."""

from __future__ import annotations

import pytest
from scipy.stats import spearmanr

from tenancykit.catalogue.workbook import load_work
from tenancykit.examples import EXAMPLES
from tenancykit.manifests.counting import count_objects
from tests.criteria.effort.designs import NAMESPACES, catalogue, designed, platform
from tests.studies import study


@pytest.mark.parametrize("example", sorted(EXAMPLES))
def test_an_export_sets_about_as_many_fields_as_the_catalogue_counts_settings(example: str) -> None:
    for evaluation in study(example).evaluations:
        structure = evaluation.scores["operations"].figures["structure"]
        assert 0.8 < structure["fields"] / structure["parameters"] < 3, evaluation.id


@pytest.mark.parametrize("example", sorted(EXAMPLES))
def test_ranking_by_exported_fields_in_place_of_settings_moves_next_to_nothing(example: str) -> None:
    each = load_work(study(example).catalogue).rate("knowledge.parameter_hours").mean
    stated, exported = [], []
    for evaluation in study(example).evaluations:
        score = evaluation.scores["operations"]
        structure = score.figures["structure"]
        stated.append(score.value)
        exported.append(score.value + each * (structure["fields"] - structure["parameters"]))
        assert abs(exported[-1] - stated[-1]) < 0.1 * stated[-1]
    assert spearmanr(stated, exported).statistic > 0.98


QUEUE = {"ClusterQueue", "Cohort", "LocalQueue", "ResourceFlavor", "WorkloadPriorityClass"}
POLICY = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}


@pytest.mark.parametrize(
    ("option", "kinds"),
    [("sch_kueue", QUEUE | POLICY), ("pol_vap", POLICY), ("sch_quota", {"ResourceQuota"})],
)
def test_leaving_an_option_out_removes_exactly_its_objects(option: str, kinds: set[str]) -> None:
    scenario = platform()
    more = count_objects(designed(scenario, *NAMESPACES), scenario, catalogue()).kinds
    less = count_objects(designed(scenario, *[o for o in NAMESPACES if o != option]), scenario, catalogue()).kinds
    gone = {kind: count - less.get(kind, 0) for kind, count in more.items() if count != less.get(kind, 0)}
    assert set(gone) == kinds
    assert all(count > 0 for count in gone.values())
