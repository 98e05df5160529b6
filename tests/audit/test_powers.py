"""A right that owns the cluster reaches every tenant in the matrix; a right that gives nothing is no finding."""

from __future__ import annotations

import pytest

from kubeanswers.access.powers import Power, Right, powers
from kubeanswers.access.rbac import Rule
from tenancykit.auditing import audit, from_dicts
from tests.audit.situations import Case, binding, cases, check, rule, tenants


@pytest.mark.parametrize("case", cases("powers"), ids=str)
def test_a_right_reaches_what_it_amounts_to(case: Case) -> None:
    check(case, case.report())


def test_two_fenced_tenants_reach_nobody_through_the_api() -> None:
    report = audit(from_dicts(tenants()))
    assert not report.crossing("api-user-to-shared-api").victims
    assert not report.crossing("api-user-to-shared-api").doubts


@pytest.mark.parametrize(
    "right", [pytest.param(right, id=f"{p.id}-{i}") for p in powers() for i, right in enumerate(p.rights)]
)
def test_every_right_of_the_table_held_cluster_wide_reaches_the_other_tenant(right: Right) -> None:
    verb, group, resource = min(right.verbs), min(right.groups) or "-", min(right.resources)
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "extra"},
        "rules": [rule(f"{verb} | {group} | {resource}")],
    }
    report = audit(from_dicts([*tenants(), role, binding("extra", "extra", "Group a-devs")]))
    assert report.crossing("api-user-to-shared-api").is_open("a", "b")
    assert any(f.subject == "ClusterRoleBinding extra" for f in report.findings)


@pytest.mark.parametrize("power", powers(), ids=lambda power: power.id)
def test_a_wildcard_gives_every_power(power: Power) -> None:
    anything = frozenset({"*"})
    assert power.given_by(Rule(anything, anything, anything))
