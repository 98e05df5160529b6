"""Cilium's policies decide as its documentation says (https://docs.cilium.io/en/stable/security/policy/)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.network.connections import Network, Port
from kubeanswers.network.matrix import reach_matrix
from kubeanswers.network.policies import unevaluated
from kubeanswers.objects import ObjectSet, from_dicts
from kubeanswers.questions import reach
from tenancykit.auditing import audit

NAMESPACES = {"a": {"team": "x"}, "b": {"team": "y"}}


def named(api: str, kind: str, name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def cluster(*policies: dict[str, Any]) -> ObjectSet:
    """Return namespaces a and b with pods ``web`` and ``db``, and a pod on the host's network."""
    objects = [named("v1", "Namespace", name, metadata={"labels": labels}) for name, labels in NAMESPACES.items()]
    container = {"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 80}]}
    for space in NAMESPACES:
        for app in ("web", "db"):
            labels = {"labels": {"app": app}}
            objects.append(named("v1", "Pod", app, space, metadata=labels, spec={"containers": [container]}))
    objects.append(named("v1", "Pod", "agent", "b", spec={"hostNetwork": True, "containers": [container]}))
    return from_dicts([*objects, *policies])


def cnp(namespace: str = "a", name: str = "p", **spec: Any) -> dict[str, Any]:
    return named("cilium.io/v2", "CiliumNetworkPolicy", name, namespace, spec={"endpointSelector": {}, **spec})


def ccnp(name: str = "c", **spec: Any) -> dict[str, Any]:
    return named("cilium.io/v2", "CiliumClusterwideNetworkPolicy", name, spec={"endpointSelector": {}, **spec})


def labels(**pairs: str) -> dict[str, Any]:
    return {"matchLabels": pairs}


def to_ports(*ports: Any) -> list[dict[str, Any]]:
    return [{"ports": [{"port": str(port), "protocol": "TCP"} for port in ports]}]


WEB = labels(app="web")
OTHER_WEB = {"matchLabels": {"k8s:app": "web", "k8s:io.kubernetes.pod.namespace": "b"}}
TEAM_Y = {"matchLabels": {"io.cilium.k8s.namespace.labels.team": "y"}}
NATIVE = named(
    "networking.k8s.io/v1",
    "NetworkPolicy",
    "n",
    "a",
    spec={"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]},
)

CASES: list[tuple[str, list[dict[str, Any]], str, str, bool]] = [
    ("no policy", [], "b/web", "a/db", True),
    ("an empty rule allows nothing", [cnp(ingress=[{}])], "a/web", "a/db", False),
    ("an empty rule leaves the other direction open", [cnp(ingress=[{}])], "a/db", "b/db", True),
    ("an empty list decides nothing", [cnp(ingress=[])], "b/web", "a/db", True),
    ("an empty egress rule isolates egress", [cnp(egress=[{}])], "a/web", "b/db", False),
    ("a selected app only", [cnp(endpointSelector=WEB, ingress=[{}])], "b/web", "a/db", True),
    ("own namespace by an empty selector", [cnp(ingress=[{"fromEndpoints": [{}]}])], "a/web", "a/db", True),
    ("an empty selector stays in the namespace", [cnp(ingress=[{"fromEndpoints": [{}]}])], "b/web", "a/db", False),
    ("no selector selects nobody", [cnp(ingress=[{"fromEndpoints": []}])], "a/web", "a/db", False),
    ("labels in the namespace", [cnp(ingress=[{"fromEndpoints": [WEB]}])], "a/web", "a/db", True),
    ("labels elsewhere do not count", [cnp(ingress=[{"fromEndpoints": [WEB]}])], "b/web", "a/db", False),
    ("another namespace by name", [cnp(ingress=[{"fromEndpoints": [OTHER_WEB]}])], "b/web", "a/db", True),
    ("another namespace, other app", [cnp(ingress=[{"fromEndpoints": [OTHER_WEB]}])], "b/db", "a/db", False),
    ("namespace labels", [cnp(ingress=[{"fromEndpoints": [TEAM_Y]}])], "b/db", "a/db", True),
    ("namespace labels of another", [cnp(ingress=[{"fromEndpoints": [TEAM_Y]}])], "a/web", "a/db", False),
    (
        "any namespace by Exists",
        [
            cnp(
                ingress=[
                    {
                        "fromEndpoints": [
                            {"matchExpressions": [{"key": "io.kubernetes.pod.namespace", "operator": "Exists"}]}
                        ]
                    }
                ]
            )
        ],
        "b/db",
        "a/db",
        True,
    ),
    ("entity all", [cnp(ingress=[{"fromEntities": ["all"]}])], "b/web", "a/db", True),
    ("entity cluster", [cnp(ingress=[{"fromEntities": ["cluster"]}])], "b/web", "a/db", True),
    ("entity cluster means hosts too", [cnp(ingress=[{"fromEntities": ["cluster"]}])], "b/agent", "a/db", True),
    ("entity world means no pods", [cnp(ingress=[{"fromEntities": ["world"]}])], "b/web", "a/db", False),
    ("entity remote-node means hosts", [cnp(ingress=[{"fromEntities": ["remote-node"]}])], "b/agent", "a/db", True),
    ("entity remote-node means no pods", [cnp(ingress=[{"fromEntities": ["remote-node"]}])], "b/web", "a/db", False),
    ("entity none", [cnp(ingress=[{"fromEntities": ["none"]}])], "a/web", "a/db", False),
    ("a CIDR never means pods", [cnp(ingress=[{"fromCIDR": ["0.0.0.0/0"]}])], "b/web", "a/db", False),
    ("ports alone mean everybody", [cnp(ingress=[{"toPorts": to_ports(80)}])], "b/web", "a/db", True),
    ("other ports stay closed", [cnp(ingress=[{"toPorts": to_ports(81)}])], "b/web", "a/db", False),
    ("port 0 is every port", [cnp(ingress=[{"toPorts": to_ports(0)}])], "b/web", "a/db", True),
    ("named ports", [cnp(ingress=[{"toPorts": to_ports("http")}])], "b/web", "a/db", True),
    ("no protocol is any", [cnp(ingress=[{"toPorts": [{"ports": [{"port": "80"}]}]}])], "b/web", "a/db", True),
    (
        "endPort",
        [cnp(ingress=[{"toPorts": [{"ports": [{"port": "70", "endPort": 90, "protocol": "TCP"}]}]}])],
        "b/web",
        "a/db",
        True,
    ),
    (
        "other protocol",
        [cnp(ingress=[{"toPorts": [{"ports": [{"port": "80", "protocol": "UDP"}]}]}])],
        "b/web",
        "a/db",
        False,
    ),
    ("ICMP opens no port", [cnp(ingress=[{"icmps": [{"fields": [{"type": 8}]}]}])], "b/web", "a/db", False),
    (
        "peer and port together",
        [cnp(ingress=[{"fromEndpoints": [{}], "toPorts": to_ports(81)}])],
        "a/web",
        "a/db",
        False,
    ),
    (
        "deny before allow",
        [cnp(ingress=[{"fromEntities": ["all"]}], ingressDeny=[{"fromEndpoints": [OTHER_WEB]}])],
        "b/web",
        "a/db",
        False,
    ),
    (
        "what deny does not name",
        [cnp(ingress=[{"fromEntities": ["all"]}], ingressDeny=[{"fromEndpoints": [OTHER_WEB]}])],
        "b/db",
        "a/db",
        True,
    ),
    ("a deny rule isolates", [cnp(ingressDeny=[{"fromEndpoints": [OTHER_WEB]}])], "b/db", "a/db", False),
    (
        "deny beats another policy's allow",
        [cnp(ingress=[{"fromEntities": ["all"]}]), cnp(name="q", ingressDeny=[{"toPorts": to_ports(80)}])],
        "a/web",
        "a/db",
        False,
    ),
    ("deny beats a NetworkPolicy", [NATIVE, cnp(ingressDeny=[{"fromEndpoints": [WEB]}])], "a/web", "a/db", False),
    ("allows of both kinds add up", [NATIVE, cnp(ingress=[{"fromEndpoints": [OTHER_WEB]}])], "b/web", "a/db", True),
    ("allows of both kinds add up, own", [NATIVE, cnp(ingress=[{}])], "a/web", "a/db", True),
    (
        "no default deny",
        [cnp(ingress=[{"fromEndpoints": [WEB]}], enableDefaultDeny={"ingress": False})],
        "b/db",
        "a/db",
        True,
    ),
    (
        "no default deny, yet denied",
        [cnp(ingressDeny=[{"fromEndpoints": [OTHER_WEB]}], enableDefaultDeny={"ingress": False})],
        "b/web",
        "a/db",
        False,
    ),
    (
        "default deny if any policy asks for it",
        [cnp(ingress=[{}], enableDefaultDeny={"ingress": False}), cnp(name="q", ingress=[{}])],
        "b/web",
        "a/db",
        False,
    ),
    ("a clusterwide policy", [ccnp(ingress=[{"fromEndpoints": [WEB]}])], "b/web", "a/db", True),
    ("a clusterwide policy isolates", [ccnp(ingress=[{"fromEndpoints": [WEB]}])], "b/db", "a/db", False),
    ("clusterwide everybody", [ccnp(ingress=[{"fromEndpoints": [{}]}])], "b/db", "a/db", True),
    (
        "clusterwide for one namespace",
        [ccnp(endpointSelector=labels(**{"io.kubernetes.pod.namespace": "b"}), ingress=[{}])],
        "b/web",
        "a/db",
        True,
    ),
    ("clusterwide for namespace labels", [ccnp(endpointSelector=TEAM_Y, ingress=[{}])], "a/web", "b/db", False),
    (
        "a host policy selects no pod",
        [ccnp(endpointSelector=None, nodeSelector={}, ingress=[{}])],
        "a/web",
        "b/db",
        True,
    ),
    ("egress to endpoints", [cnp(egress=[{"toEndpoints": [OTHER_WEB]}])], "a/web", "b/web", True),
    ("egress elsewhere", [cnp(egress=[{"toEndpoints": [OTHER_WEB]}])], "a/web", "b/db", False),
    (
        "egress denied",
        [cnp(egressDeny=[{"toEndpoints": [TEAM_Y]}], enableDefaultDeny={"egress": False})],
        "a/web",
        "b/db",
        False,
    ),
    ("egress to names means no pods", [cnp(egress=[{"toFQDNs": [{"matchPattern": "*"}]}])], "a/web", "b/db", False),
    (
        "several specs",
        [{**cnp(), "spec": {}, "specs": [{"endpointSelector": {}, "ingress": [{}]}]}],
        "b/web",
        "a/db",
        False,
    ),
    ("any: labels", [cnp(ingress=[{"fromEndpoints": [labels(**{"any:app": "web"})]}])], "a/web", "a/db", True),
]


@pytest.mark.parametrize(
    ("policies", "source", "target", "open_"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_cilium_policies_decide_as_documented(policies: Any, source: str, target: str, open_: bool) -> None:
    objects = cluster(*policies)
    assert reach(objects, source, target, "80/tcp").allowed is open_
    assert unevaluated(objects) == []


@pytest.mark.parametrize(
    ("policy", "target", "open_"),
    [
        (cnp(egress=[{"toEntities": ["world"]}]), "1.1.1.1", True),
        (cnp(egress=[{"toEntities": ["world-ipv6"]}]), "1.1.1.1", False),
        (cnp(egress=[{"toEntities": ["cluster"]}]), "1.1.1.1", False),
        (cnp(egress=[{"toCIDR": ["1.1.1.0/24"]}]), "1.1.1.1", True),
        (cnp(egress=[{"toCIDRSet": [{"cidr": "0.0.0.0/0", "except": ["1.0.0.0/8"]}]}]), "1.1.1.1", False),
        (cnp(egress=[{"toFQDNs": [{"matchName": "x.example"}], "toPorts": to_ports(443)}]), "1.1.1.1", True),
        (cnp(egress=[{"toEntities": ["all"]}], egressDeny=[{"toCIDR": ["1.1.1.1/32"]}]), "1.1.1.1", False),
        (cnp(egress=[{"toEndpoints": [{}]}]), "169.254.169.254", False),
        (cnp(egress=[{}], enableDefaultDeny={"egress": False}), "1.1.1.1", True),
    ],
)
def test_addresses_outside_the_cluster_are_what_cidrs_and_the_world_mean(policy: Any, target: str, open_: bool) -> None:
    assert reach(cluster(policy), "a/web", target, "443/tcp").allowed is open_


@pytest.mark.parametrize(
    "rule",
    [
        {"toServices": [{"k8sService": {"serviceName": "s"}}]},
        {"toGroups": [{"aws": {}}]},
        {"toCIDRSet": [{"cidrGroupRef": "g"}]},
        {"toEndpoints": [labels(**{"io.cilium.k8s.policy.serviceaccount": "sa"})]},
        {"toEntities": ["from-the-future"]},
    ],
)
def test_what_manifests_do_not_show_is_undecided_and_never_silently_allowed(rule: Any) -> None:
    objects = cluster(cnp(egress=[rule]))
    answer = reach(objects, "a/web", "b/db", "80/tcp")
    assert not answer.allowed
    assert answer.undecided == ("CiliumNetworkPolicy a/p",)


def test_policies_of_other_vendors_leave_the_network_undecided() -> None:
    calico = named("projectcalico.org/v3", "GlobalNetworkPolicy", "g", spec={"selector": "all()"})
    report = audit(cluster(calico))
    assert report.not_evaluated == ("1 GlobalNetworkPolicy.projectcalico.org: could open pod-network-to-victim",)
    tenants = audit(cluster_of_tenants(calico))
    assert tenants.crossing("pod-network-to-victim").undecided == {"x", "y"}


def test_the_matrix_of_tenants_is_closed_by_a_cilium_policy_as_by_any_other() -> None:
    fence = [cnp(space, ingress=[{"fromEndpoints": [{}]}], egress=[{"toEndpoints": [{}]}]) for space in NAMESPACES]
    assert audit(cluster_of_tenants()).crossing("pod-network-to-victim").count == 2
    assert audit(cluster_of_tenants(*fence)).crossing("pod-network-to-victim").count == 0


def cluster_of_tenants(*policies: dict[str, Any]) -> ObjectSet:
    spaces = [
        named("v1", "Namespace", name, metadata={"labels": {"tenancykit.dev/tenant": labels_["team"]}})
        for name, labels_ in NAMESPACES.items()
    ]
    return from_dicts([*spaces, *policies])


SELECTORS: list[dict[str, Any]] = [{}, WEB, OTHER_WEB, TEAM_Y]
RULES = st.one_of(
    st.just({}),
    st.builds(lambda s: {"fromEndpoints": [s]}, st.sampled_from(SELECTORS)),
    st.builds(lambda e: {"fromEntities": [e]}, st.sampled_from(["all", "world", "cluster", "host"])),
    st.builds(
        lambda s, p: {"fromEndpoints": [s], "toPorts": to_ports(p)},
        st.sampled_from(SELECTORS),
        st.sampled_from([80, 81]),
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(RULES, max_size=2), st.lists(RULES, max_size=1), st.booleans(), st.booleans()), max_size=3
    )
)
def test_the_matrix_says_what_pair_by_pair_questions_say(drawn: Any) -> None:
    policies = [
        (ccnp if wide else cnp)(name=f"p{i}", ingress=allow, ingressDeny=deny, enableDefaultDeny={"ingress": strict})
        for i, (allow, deny, strict, wide) in enumerate(drawn)
    ]
    network = Network(cluster(*policies))
    groups = {"a": "a", "b": "b"}
    matrix = reach_matrix(network, groups)
    for i, source in enumerate(matrix.groups):
        for j, target in enumerate(matrix.groups):
            pairs = [
                (one, other)
                for one in network.pods
                for other in network.pods
                if (one.namespace, other.namespace) == (source, target) and one is not other
            ]
            answers = [network.reach(one, other, Port("TCP", n)).allowed for one, other in pairs for n in (80, 81, 82)]
            assert bool(matrix.open[i, j]) is any(answers)
