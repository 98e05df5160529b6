"""The fake API server answers as a real one did, in every recorded interaction it can express."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.live.api_server import recorded
from tests.live.conftest import empty_cluster
from tests.live.replaying import disagreements

BEYOND = {
    r"additions/clusterqueue-namespace-selector-opened": "defaults of their definitions",
    r"apply/hpa-": "autoscalers are not served",
    r"apply/scale-of-unset-replicas": "subresources are not served",
    r"apply/unknown-field-create-(warn|ignore)": "unknown fields are not pruned",
    r"apply/nulls-and-empties": "fields stated as false are not told from those left out",
    r"additions/clusterrole-aggregated": "no controller aggregates",
    r"additions/namespace-finalizer-added": "finalizers of namespaces belong to a subresource",
    r"additions/service-type-stated-changed": "fields of a Service's former type are not cleared",
    r"apply/duplicate-list-keys": "doubles in lists are not found by the typed reader",
    r"additions/configmap-data-was-empty": "what becomes of an empty map that others fill",
}
"""Cases the fake does not speak of, with the reason."""
CASES = [
    case
    for case in recorded()["cases"]
    if case["group"] in ("apply", "additions") and not any(re.match(pattern, case["id"]) for pattern in BEYOND)
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_fake_answers_as_the_real_server_did(case: dict[str, Any]) -> None:
    assert list(disagreements(empty_cluster(), case)) == []


def test_hardly_any_recorded_case_is_beyond_the_fake() -> None:
    every = [case for case in recorded()["cases"] if case["group"] in ("apply", "additions")]
    assert len(every) == 136
    assert len(CASES) == 122
