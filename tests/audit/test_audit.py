"""The audit proves a fenced cluster and finds every gap made in it, with the path it opens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.auditing import AuditOptions, AuditReport, Severity, audit, from_dicts, to_junit, to_sarif, to_text
from tests.audit.tenancy import RBAC, changed, cluster, named, network_policy, without

Objects = list[dict[str, Any]]


def report(objects: Objects, **options: Any) -> AuditReport:
    return audit(from_dicts(objects), AuditOptions(**options))


def fenced() -> Objects:
    return cluster("blue", "red", "green")


def test_a_fenced_cluster_is_proven() -> None:
    found = report(fenced())
    assert found.open_crossings() == {}
    assert found.findings == ()
    assert found.exit_code == 0
    assert found.tenants == {"blue": ("t-blue",), "green": ("t-green",), "red": ("t-red",)}


def test_its_benchmark_checks_pass_except_those_at_odds_with_fences() -> None:
    failing = {check.id for check in report(fenced()).checks if check.status == "fail"}
    assert failing == {"MTB-PL2-BC-OPS-3", "MTB-PL2-BC-OPS-4", "MTB #1202"}


def bind(role: str, group: str, namespace: str = "", kind: str = "ClusterRole") -> dict[str, Any]:
    return named(
        f"{RBAC}/v1",
        "RoleBinding" if namespace else "ClusterRoleBinding",
        "extra",
        namespace,
        roleRef={"apiGroup": RBAC, "kind": kind, "name": role},
        subjects=[{"kind": "Group", "apiGroup": RBAC, "name": group}],
    )


def label(value: str) -> Callable[[dict[str, Any]], None]:
    return lambda item: item["metadata"]["labels"].update({"pod-security.kubernetes.io/enforce": value})


def drop_quota(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda item: item["spec"]["hard"].pop(name)


def allow_all(item: dict[str, Any]) -> None:
    item["spec"]["ingress"] = [{}]
    item["spec"]["egress"] = [{}]


def lenient(item: dict[str, Any]) -> None:
    item["spec"]["validationActions"] = ["Warn"]


def slices() -> dict[str, Any]:
    text = "version: v1\nsharing: {timeSlicing: {resources: [{name: nvidia.com/gpu, replicas: 4}]}}\n"
    return named("v1", "ConfigMap", "plugin", "gpu-operator", data={"any": text})


GAPS: dict[str, tuple[Callable[[Objects], Objects], str, str, tuple[str, str]]] = {
    "a binding in another tenant's namespace": (
        lambda o: [*o, bind("member", "team-red", "t-blue")],
        "api-user-to-shared-api",
        "rbac-cross-tenant",
        ("red", "blue"),
    ),
    "a cluster-wide binding": (
        lambda o: [*o, bind("view", "team-red")],
        "api-user-to-shared-api",
        "rbac-cross-tenant",
        ("red", "green"),
    ),
    "secrets for everybody": (
        lambda o: [
            *o,
            named(
                f"{RBAC}/v1",
                "ClusterRole",
                "s",
                rules=[{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}],
            ),
            bind("s", "system:authenticated"),
        ],
        "api-user-to-shared-api",
        "rbac-cross-tenant",
        ("blue", "red"),
    ),
    "a group two tenants share": (
        lambda o: [
            *o,
            bind("member", "shared", "t-red"),
            {**bind("member", "shared", "t-blue"), "metadata": {"name": "x", "namespace": "t-blue"}},
        ],
        "api-user-to-shared-api",
        "rbac-cross-tenant",
        ("red", "blue"),
    ),
    "no default deny": (
        lambda o: without(
            without(without(o, "NetworkPolicy", "deny", "t-red"), "NetworkPolicy", "same", "t-red"),
            "NetworkPolicy",
            "dns",
            "t-red",
        ),
        "pod-to-metadata",
        "network-metadata",
        ("red", "blue"),
    ),
    "pods privileged": (
        lambda o: changed(o, "Namespace", "t-red", label("privileged")),
        "node-root-to-neighbours",
        "pod-security-open",
        ("", ""),
    ),
    "no quota on memory": (
        lambda o: changed(o, "ResourceQuota", "all", drop_quota("requests.memory")),
        "",
        "quota-unbounded",
        ("", ""),
    ),
    "no quota on storage": (
        lambda o: changed(o, "ResourceQuota", "all", drop_quota("requests.storage")),
        "storage-noise",
        "quota-unbounded",
        ("blue", "red"),
    ),
    "no quota on secrets": (
        lambda o: changed(o, "ResourceQuota", "all", drop_quota("secrets")),
        "api-user-capacity",
        "quota-unbounded",
        ("blue", "red"),
    ),
    "placement only warns": (
        lambda o: changed(o, "ValidatingAdmissionPolicyBinding", "placement", lenient),
        "node-root-to-neighbours",
        "",
        ("red", "blue"),
    ),
    "no rule on priorities": (
        lambda o: without(o, "ValidatingAdmissionPolicyBinding", "priority"),
        "queue-starvation",
        "",
        ("red", "blue"),
    ),
    "no rule on services": (
        lambda o: without(o, "ValidatingAdmissionPolicy", "services"),
        "service-to-traffic",
        "service-external-ips",
        ("red", "blue"),
    ),
    "gpus in time slices": (lambda o: [*o, slices()], "", "gpu-shared", ("", "")),
}


@pytest.mark.parametrize("gap", GAPS)
def test_a_gap_is_found_with_the_path_it_opens(gap: str) -> None:
    make, crossing, rule, pair = GAPS[gap]
    found = report(make(fenced()))
    if pair != ("", ""):
        assert found.crossing(crossing).is_open(*pair), found.open_crossings()
    if rule:
        matching = [finding for finding in found.findings if finding.rule == rule]
        assert matching
        assert all(finding.path and finding.fix and finding.subject for finding in matching)


@pytest.mark.parametrize("name", ["deny", "same"])
def test_opening_both_ends_of_the_network_is_found_with_the_policy_that_does_it(name: str) -> None:
    objects = fenced()
    for item in objects:
        if (
            item["kind"] == "NetworkPolicy"
            and item["metadata"]["name"] == name
            and item["metadata"]["namespace"] in ("t-red", "t-blue")
        ):
            allow_all(item)
    found = report(objects)
    crossing = found.crossing("pod-network-to-victim")
    assert crossing.is_open("red", "blue")
    assert crossing.is_open("blue", "red")
    assert not crossing.is_open("green", "blue")
    finding = next(finding for finding in found.findings if finding.rule == "network-cross-tenant")
    assert f"NetworkPolicy t-blue/{name}" in finding.path
    assert finding.severity is Severity.HIGH


def test_a_pod_label_a_tenant_may_choose_opens_what_it_opens() -> None:
    """The victim trusts a label, and the attacker's egress is open: any tenant can wear the label."""
    objects = [
        *fenced(),
        network_policy(
            "trust",
            "t-blue",
            policyTypes=["Ingress"],
            ingress=[{"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"role": "monitor"}}}]}],
        ),
        network_policy("out", "t-red", policyTypes=["Egress"], egress=[{}]),
    ]
    found = report(objects)
    assert found.crossing("pod-network-to-victim").is_open("red", "blue")
    assert any("role=monitor" in finding.path for finding in found.findings)


def test_a_tenant_on_its_own_may_be_root_of_its_nodes_without_crossing() -> None:
    objects = changed(cluster("blue"), "Namespace", "t-blue", label("privileged"))
    found = report(objects)
    assert found.open_crossings() == {}
    assert {finding.severity for finding in found.findings} == {Severity.INFO}
    assert found.exit_code == 0


def test_root_of_a_shared_node_reaches_its_neighbours() -> None:
    objects = changed(fenced(), "Namespace", "t-red", label("privileged"))
    objects = changed(objects, "ValidatingAdmissionPolicyBinding", "placement", lenient)
    found = report(objects)
    assert found.crossing("api-user-to-node").is_open("red", "blue")
    worst = found.findings[0]
    assert (worst.rule, worst.severity) == ("pod-security-open", Severity.CRITICAL)
    assert 'group "team-red"' in worst.path


def test_an_engine_that_is_not_evaluated_makes_it_undecided_not_open() -> None:
    match = {"any": [{"resources": {"kinds": ["Pod"]}}]}
    rules = [{"name": "r", "match": match, "validate": {"pattern": {"spec": {"hostPID": "false"}}}}]
    spec = {"validationFailureAction": "Enforce", "rules": rules}
    engine = named("kyverno.io/v1", "ClusterPolicy", "unknown", spec=spec)
    found = report([*changed(fenced(), "Namespace", "t-red", label("privileged")), engine])
    assert "red" in found.crossing("api-user-to-node").undecided
    assert not found.crossing("api-user-to-node").victims
    assert any("ClusterPolicy" in text for text in found.not_evaluated)


def asks_for_a_cost_centre() -> Objects:
    expression = "has(object.metadata.labels) && object.metadata.labels[?'cost'].orValue('').matches('^cc-[0-9]{4}$')"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    admission = "admissionregistration.k8s.io/v1"
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": expression}]}
    binding = {"policyName": "cost", "validationActions": ["Deny"]}
    return [
        named(admission, "ValidatingAdmissionPolicy", "cost", spec=spec),
        named(admission, "ValidatingAdmissionPolicyBinding", "cost", spec=binding),
    ]


def test_a_policy_that_refuses_every_pod_known_here_proves_nothing_about_hostile_ones() -> None:
    objects = changed(fenced(), "Namespace", "t-red", label("privileged"))
    found = report(
        [*changed(objects, "ValidatingAdmissionPolicyBinding", "placement", lenient), *asks_for_a_cost_centre()]
    )
    assert "red" in found.crossing("api-user-to-node").undecided
    assert any("no pod that t-red takes is known here" in finding.what for finding in found.findings)


def test_what_pod_security_refuses_stays_refused_where_no_pod_is_known_that_policies_let_in() -> None:
    found = report([*fenced(), *asks_for_a_cost_centre()]).crossing("api-user-to-node")
    assert not found.victims
    assert not found.undecided


def test_rights_over_its_own_fence_are_found() -> None:
    rules = [
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["delete"]},
        {"apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["*"]},
    ]
    role = named(f"{RBAC}/v1", "Role", "fence", "t-red", rules=rules)
    found = report([*fenced(), role, bind("fence", "team-red", "t-red", "Role")])
    finding = next(finding for finding in found.findings if finding.rule == "rbac-own-fence")
    assert finding.severity is Severity.HIGH
    assert "MTB-PL1-CC-TI-1" in finding.checks
    status = {check.id: check.status for check in found.checks}
    assert status["MTB-PL1-CC-TI-1"] == "fail"
    assert status["MTB-PL1-BC-CPI-2"] == "fail"


def test_platform_groups_are_nobodys_when_they_are_named() -> None:
    objects = [*fenced(), *({**bind("member", "sre", f"t-{name}")} for name in ("blue", "red", "green"))]
    assert report(objects).crossing("api-user-to-shared-api").count == 6
    assert report(objects, platform=frozenset({"sre"})).crossing("api-user-to-shared-api").count == 0


def test_tenants_are_recognised_by_capsule_or_named_by_the_caller() -> None:
    objects = [
        named("v1", "Namespace", "x", metadata={"labels": {"capsule.clastix.io/tenant": "oil"}}),
        named("v1", "Namespace", "y"),
    ]
    assert report(objects).tenants == {"oil": ("x",)}
    assert report(objects, tenants={"y": "gas"}).tenants == {"gas": ("y",), "oil": ("x",)}


def test_a_given_workload_that_breaks_the_baseline_is_named_with_its_control() -> None:
    pod = {"hostPID": True, "containers": [{"name": "c", "image": "i"}]}
    job = named("batch/v1", "Job", "j", "t-red", spec={"template": {"spec": pod}})
    found = report([*fenced(), job])
    finding = next(finding for finding in found.findings if finding.rule == "pod-security-workload")
    assert finding.subject == "Job t-red/j"
    assert finding.severity is Severity.LOW  # its namespace refuses it
    assert "PSS-baseline/host-namespaces" in finding.checks


def test_unknown_kinds_duplicates_and_missing_namespaces_are_listed() -> None:
    odd = named("example.dev/v1", "Odd", "o", "t-red")
    twice = named("v1", "ConfigMap", "m", "t-red", data={})
    found = report([*fenced(), odd, twice, twice, named("v1", "ConfigMap", "n", data={})])
    assert found.unknown_kinds == {"example.dev/Odd": 1}
    assert {"duplicate-object", "no-namespace"} <= {finding.rule for finding in found.findings}


def test_a_policy_the_api_server_would_refuse_guards_nothing() -> None:
    def spoil(item: dict[str, Any]) -> None:
        item["spec"]["validations"][0]["expression"] = "object.spec.x +"

    found = report(changed(fenced(), "ValidatingAdmissionPolicy", "services", spoil))
    assert found.crossing("service-to-traffic").is_open("red", "blue")
    assert any(finding.rule == "policy-invalid" for finding in found.findings)


def test_the_same_objects_in_any_order_give_the_same_report() -> None:
    objects = [*fenced(), bind("view", "team-red")]
    forward, backward = report(objects).as_dict(), report(objects[::-1]).as_dict()
    for entry in (*forward["findings"], *backward["findings"]):
        entry.pop("line")
    assert json.dumps(forward["crossings"]) == json.dumps(backward["crossings"])
    assert sorted(map(json.dumps, forward["findings"])) == sorted(map(json.dumps, backward["findings"]))


def test_renaming_the_tenants_changes_nothing_else() -> None:
    one, other = report(cluster("a", "b")), report(cluster("restricted", "tenant"))
    assert one.open_crossings() == other.open_crossings() == {}
    assert [(c.id, c.status) for c in one.checks] == [(c.id, c.status) for c in other.checks]


def test_nothing_to_audit_is_an_empty_report() -> None:
    found = report([])
    assert found.open_crossings() == {}
    assert {check.status for check in found.checks} == {"not-applicable"}


def test_sarif_names_rule_file_line_and_severity() -> None:
    found = report([*fenced(), bind("view", "team-red")])
    data = json.loads(to_sarif(found, "0.1.0"))
    run = data["runs"][0]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert data["version"] == "2.1.0"
    assert run["results"]
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
        assert result["level"] in ("error", "warning", "note")


def test_junit_counts_add_up_and_parse() -> None:
    found = report([*fenced(), bind("view", "team-red")])
    root = ET.fromstring(to_junit(found))  # noqa: S314 - our own output
    suites = {suite.get("name"): suite for suite in root}
    assert len(suites["checks"]) == len(found.checks)
    assert int(suites["findings"].get("failures", "0")) == sum(f.severity >= Severity.MEDIUM for f in found.findings)


def test_the_text_says_what_is_open_and_how_to_close_it() -> None:
    text = to_text(report([*fenced(), bind("view", "team-red")]))
    assert "api-user-to-shared-api" in text
    assert "fix:" in text
    assert "MTB-PL1-CC-TI-2" in text


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, -1, 1.5, "", "x", [], {}, [None], [[]], {"a": None}, True, "10.0.0.0/99", 10**12]
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in _places(item, (*path, key)))]


FENCED = fenced()
PLACES = [(i, place) for i, item in enumerate(FENCED) for place in _places(item) if place]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=3))
def test_nonsense_anywhere_in_a_manifest_is_survived(changes: list[tuple[tuple[int, tuple[Any, ...]], Any]]) -> None:
    objects = fenced()
    for (number, place), junk in changes:
        holder: Any = objects[number]
        for key in place[:-1]:
            holder = holder[key] if isinstance(holder, dict | list) and _has(holder, key) else None
        if isinstance(holder, dict) or (isinstance(holder, list) and _has(holder, place[-1])):
            holder[place[-1]] = junk
    found = report(objects)
    assert to_text(found)
    assert json.loads(to_sarif(found))


def _has(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else isinstance(key, int) and key < len(holder)


@pytest.mark.parametrize("kind", ["ResourceQuota", "ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"])
def test_leaving_any_one_of_these_fences_out_is_noticed(kind: str) -> None:
    for item in [item for item in FENCED if item["kind"] == kind]:
        name, space = item["metadata"]["name"], item["metadata"].get("namespace", "")
        found = report(without(fenced(), kind, name, space))
        assert found.findings or found.open_crossings(), f"{kind} {name} {space}"


def test_an_undeclared_namespace_is_still_audited_as_its_tenants() -> None:
    objects = without(fenced(), "Namespace", "t-red")
    for item in objects:
        if item["metadata"].get("namespace") == "t-red":
            item["metadata"]["labels"] = {"tenancykit.dev/tenant": "red"}
    found = report(objects)
    assert set(found.tenants) == {"blue", "green", "red"}
    assert any(finding.rule == "pod-security-open" and finding.tenants == ("red",) for finding in found.findings)


def test_a_capsule_quota_and_a_kueue_queue_bound_what_they_cover() -> None:
    bare = [item for item in fenced() if item["kind"] != "ResourceQuota"]
    capsule = named(
        "capsule.clastix.io/v1beta2",
        "Tenant",
        "red",
        spec={"resourceQuotas": {"items": [{"hard": {"requests.cpu": "4", "limits.memory": "8Gi"}}]}},
    )
    flavors = [
        {"name": "any", "resources": [{"name": "cpu", "nominalQuota": "9"}, {"name": "memory", "nominalQuota": "9Gi"}]}
    ]
    queue = named(
        "kueue.x-k8s.io/v1beta2",
        "ClusterQueue",
        "cq",
        spec={"namespaceSelector": {}, "resourceGroups": [{"flavors": flavors}]},
    )
    local = named("kueue.x-k8s.io/v1beta2", "LocalQueue", "lq", "t-blue", spec={"clusterQueue": "cq"})
    managed = changed(
        bare,
        "Namespace",
        "t-blue",
        lambda item: item["metadata"]["labels"].update({"kueue.x-k8s.io/managed-namespace": "true"}),
    )
    found = report([*managed, capsule, queue, local])
    unbounded = {finding.tenants[0]: finding.what for finding in found.findings if finding.rule == "quota-unbounded"}
    assert "cpu" in unbounded["green"]
    assert " cpu" not in unbounded["red"]
    assert " cpu" not in unbounded["blue"]
    assert "storage" in unbounded["blue"]


def test_a_quota_with_a_scope_bounds_only_some_pods_and_does_not_count() -> None:
    found = report(changed(fenced(), "ResourceQuota", "all", lambda item: item["spec"].update(scopes=["BestEffort"])))
    assert any(finding.rule == "quota-unbounded" for finding in found.findings)


def test_the_pod_security_controls_are_named_checks() -> None:
    found = report(changed(fenced(), "Namespace", "t-red", label("baseline")))
    status = {check.id: check for check in found.checks}
    assert status["PSS-baseline/host-path-volumes"].status == "pass"
    assert status["PSS-restricted/run-as-non-root"].status == "fail"
    assert status["PSS-restricted/run-as-non-root"].failing == ("t-red",)
