"""Configuration files of an API server: refused where the real binary refused them."""

from __future__ import annotations

from typing import Any

import pytest

from kubeanswers.source import parse_yaml
from kubeanswers.validation.schema import validate_object
from tests.live.api_server import recorded

CASES = [case for case in recorded()["cases"] if case["group"] == "config" and case["config"]["file"].strip()]
STRICTER = {"config/audit-unknown-field"}
"""The server reads an audit policy leniently and warns; a field that does nothing is told here."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_file_is_refused_where_the_real_server_refused_it(case: dict[str, Any]) -> None:
    found = validate_object(parse_yaml(case["config"]["file"], "file").data)
    assert (found == []) is (case["config"]["accepted"] and case["id"] not in STRICTER), found


@pytest.mark.parametrize(
    ("expression", "is_right"),
    [
        ("claims.groups.all(g, g != 'x')", False),
        ("dyn(claims.groups).all(g, g != 'x')", True),
        ("claims.sub.startsWith('a')", True),
        ("has(claims.email) && claims.email_verified == true", True),
        ("claims.sub", False),
        ("claim.sub == 'x'", False),
    ],
)
def test_expressions_over_claims_are_typed_as_the_server_types_them(expression: str, is_right: bool) -> None:
    rule = {"expression": expression, "message": "no"} if expression != "claims.sub" else {"expression": "1 + 1"}
    jwt = {
        "issuer": {"url": "https://login.one.example", "audiences": ["a"]},
        "claimMappings": {"username": {"claim": "sub", "prefix": ""}},
        "claimValidationRules": [rule],
    }
    obj = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration", "jwt": [jwt]}
    assert (validate_object(obj) == []) is is_right


def test_no_key_stands_in_a_message() -> None:
    keys = {"keys": [{"name": "k", "secret": "c2hvcnQ="}]}
    resources = [{"resources": ["secrets"], "providers": [{"secretbox": keys}]}]
    obj = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration", "resources": resources}
    found = validate_object(obj)
    assert found == ["resources[0].providers[0].secretbox.keys[0].secret: is 5 bytes long, not 32"]


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"maxPods": 250, "evictionHard": {"memory.available": "500Mi", "nodefs.available": "10%"}}, ""),
        ({"maxPod": 250}, "maxPod: unknown field"),
        ({"maxPods": "many"}, "maxPods"),
        ({"topologyManagerPolicy": "numa"}, "topologyManagerPolicy"),
        ({"evictionHard": {"memory.free": "1Gi"}}, "evictionHard[memory.free]: is no eviction signal"),
        ({"systemReserved": {"cpu": "banana"}}, "systemReserved[cpu]: 'banana' is not a quantity"),
        ({"imageGCHighThresholdPercent": 70}, "imageGCLowThresholdPercent: 80 must be less"),
        ({"authentication": {"anonymous": {"enabled": "no"}}}, "authentication.anonymous.enabled"),
    ],
)
def test_a_kubelet_is_told_of_settings_it_would_not_start_with(fields: dict[str, Any], refused: str) -> None:
    obj = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", **fields}
    found = validate_object(obj)
    assert found == [] if not refused else any(text.startswith(refused) for text in found), found


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"profiles": [{"schedulerName": "a", "plugins": {"score": {"enabled": [{"name": "X", "weight": 2}]}}}]}, ""),
        ({"profiles": [{}, {}]}, "profiles[1].schedulerName: 'default-scheduler' appears twice"),
        ({"profiles": [{"plugin": {}}]}, "profiles[0].plugin: unknown field"),
        ({"profiles": [{"plugins": {"scores": {}}}]}, "profiles[0].plugins.scores: unknown field"),
        ({"profiles": [{"pluginConfig": [{"args": {}}]}]}, "profiles[0].pluginConfig[0].name: is required"),
        ({"percentageOfNodesToScore": 101}, "percentageOfNodesToScore: 101 must be between"),
        ({"leaderElection": {"leaderElection": True}}, "leaderElection.leaderElection: unknown field"),
    ],
)
def test_a_scheduler_is_told_of_settings_it_would_not_start_with(fields: dict[str, Any], refused: str) -> None:
    obj = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration", **fields}
    found = validate_object(obj)
    assert found == [] if not refused else any(text.startswith(refused) for text in found), found
