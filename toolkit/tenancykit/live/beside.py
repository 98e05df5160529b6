"""What lives in a cluster beside the export: rights, policies, quotas and admission of others, and leftovers of ours.

The live objects of these kinds are listed and our own evaluators run over them: a crossing that is open there and not
in the export is one that somebody else opened. Bindings to people and accounts that the export does not know are told
one by one, whatever they reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from kubeanswers.access.rbac import Request
from kubeanswers.errors import Fault
from kubeanswers.objects import (
    ManifestObject,
    ObjectSet,
    Where,
    mapping,
    mappings,
    object_set,
    scalar_text,
    scrubbed,
    texts,
)
from kubeanswers.records import dataclass
from tenancykit.auditing import AuditOptions, AuditReport, Severity, audit
from tenancykit.auditing.tenants import Tenancy
from tenancykit.live.client import PAGE, ApiServer
from tenancykit.live.discovery import Discovery, Served
from tenancykit.live.questions import Reply
from tenancykit.live.strangers import SIFTED, Strangers

_RBAC: Final = "rbac.authorization.k8s.io"
_ADMISSION: Final = "admissionregistration.k8s.io"
_PLATFORM: Final = ("system:", "kubeadm:", "eks:", "gke-", "aks-", "cluster-admins")
"""How names of a distribution's own users, groups and bindings begin."""
_BOOTSTRAP: Final = "kubernetes.io/bootstrapping"
_OURS: Final = "app.kubernetes.io/managed-by"
_MOST_PAGES: Final = 2000
LISTED: Final[tuple[tuple[str, str], ...]] = (
    ("v1", "Namespace"),
    ("v1", "ServiceAccount"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    (f"{_RBAC}/v1", "ClusterRole"),
    (f"{_RBAC}/v1", "ClusterRoleBinding"),
    (f"{_RBAC}/v1", "Role"),
    (f"{_RBAC}/v1", "RoleBinding"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    (f"{_ADMISSION}/v1", "ValidatingAdmissionPolicy"),
    (f"{_ADMISSION}/v1", "ValidatingAdmissionPolicyBinding"),
    (f"{_ADMISSION}/v1", "ValidatingWebhookConfiguration"),
    (f"{_ADMISSION}/v1", "MutatingWebhookConfiguration"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("node.k8s.io/v1", "RuntimeClass"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"),
    ("cilium.io/v2", "CiliumNetworkPolicy"),
    ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
    ("projectcalico.org/v3", "GlobalNetworkPolicy"),
    ("projectcalico.org/v3", "NetworkPolicy"),
    ("crd.projectcalico.org/v1", "GlobalNetworkPolicy"),
    ("crd.projectcalico.org/v1", "NetworkPolicy"),
    ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy"),
    ("crd.antrea.io/v1beta1", "NetworkPolicy"),
    ("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition"),
    ("k8s.ovn.org/v1", "UserDefinedNetwork"),
    ("k8s.ovn.org/v1", "ClusterUserDefinedNetwork"),
    ("v1", "Service"),
    ("v1", "PersistentVolume"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("gateway.networking.k8s.io/v1beta1", "ReferenceGrant"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("resource.k8s.io/v1", "ResourceClaim"),
    ("resource.k8s.io/v1", "ResourceClaimTemplate"),
    ("external-secrets.io/v1", "ClusterSecretStore"),
    ("capsule.clastix.io/v1beta2", "Tenant"),
    ("capsule.clastix.io/v1beta2", "GlobalTenantResource"),
    ("argoproj.io/v1alpha1", "AppProject"),
    ("argoproj.io/v1alpha1", "Application"),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
)
"""Kinds that decide who may do what and who reaches whom; what a server does not serve is not asked for."""


@dataclass
class Beside:
    """The questions about what lives beside the export in one cluster.

    Attributes:
        cluster: its name.
        server: its API server.
        objects: the export's objects.
        tenancy: whose namespaces these are.
        discovery: what the server serves.
        platform: users and groups of the platform team.
    """

    cluster: str
    server: ApiServer
    objects: ObjectSet
    tenancy: Tenancy
    discovery: Discovery
    platform: frozenset[str] = frozenset()
    kubernetes: str = "1.36"
    _unread: list[Fault] = field(default_factory=list)

    def replies(self) -> Iterator[Reply]:
        """Yield what lives beside the export, and what the live objects open that the export closes."""
        living = self._living()
        for fault in self._unread:
            yield self._reply("", fault.where, "", "undecided", fault.what)
        known = {item.identity for item in self.objects}
        beside = [item for item in living if item.identity not in known]
        yield from self._leftovers(living, known)
        strangers = Strangers(self.objects, self.tenancy)
        for item in (*beside, *(item for item in self._sifted() if item.identity not in known)):
            yield from self._stranger(item)
            for one in strangers.of(item):
                yield self._reply(one.tenant, f"{item} beside the export", one.crossing, one.state, one.why)
        yield from self._opened(living)

    def _reply(self, tenant: str, question: str, crossing: str, observed: Any, why: str) -> Reply:
        return Reply("beside", self.cluster, tenant, question, crossing, "denied", observed, why)

    def _living(self) -> ObjectSet:
        """Return the live objects of the listed kinds."""
        found: list[Mapping[str, Any]] = []
        for api_version, kind in LISTED:
            served = self.discovery.find(api_version, kind)
            if served is not None:
                found += self._list(api_version, kind, served, {})
        return object_set((scrubbed(data), Where("cluster", 1, index)) for index, data in enumerate(found))

    def _sifted(self) -> Iterator[ManifestObject]:
        """Yield live objects of kinds that are looked at and not kept."""
        for api_version, kind in SIFTED:
            served = self.discovery.find(api_version, kind)
            if served is not None:
                for data in self._list(api_version, kind, served, {}):
                    yield ManifestObject(data, Where("cluster"), served.namespaced)

    def _list(
        self, api_version: str, kind: str, served: Served, query: Mapping[str, str]
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the objects of a kind, page by page; one that runs out half way is told, not taken for the whole."""
        asked = {"limit": str(PAGE), **query}
        for _ in range(_MOST_PAGES):
            answer = self.server.request("GET", f"{served.root}/{served.plural}", query=asked)
            if not answer.is_ok or not isinstance(answer.body.get("items"), list):
                told = "it was changing while it was read; ask again" if answer.status == 410 else answer.message
                self._unread.append(Fault(f"{kind} objects that live beside the export", f"may not be listed: {told}"))
                return
            for item in mappings(answer.body["items"]):
                yield {**item, "apiVersion": api_version, "kind": kind}
            token = scalar_text(mapping(answer.body.get("metadata")).get("continue"))
            if not token:
                return
            asked = {"limit": str(PAGE), **query, "continue": token}

    def _leftovers(self, living: ObjectSet, known: set[tuple[str, str, str, str]]) -> Iterator[Reply]:
        """Yield objects labelled as this toolkit's that the export no longer has."""
        seen: set[tuple[str, str, str, str]] = set()
        kinds = {(scalar_text(item.data.get("apiVersion")), item.kind) for item in self.objects} - set(LISTED)
        found = [item for item in living if item.labels.get(_OURS) == "tenancykit"]
        for api_version, kind in sorted(kinds):
            served = self.discovery.find(api_version, kind)
            if served is not None and kind != "Secret":
                listed = self._list(api_version, kind, served, {"labelSelector": f"{_OURS}=tenancykit"})
                found += object_set((scrubbed(data), Where("cluster")) for data in listed)
        for item in found:
            if item.identity not in known and item.identity not in seen:
                seen.add(item.identity)
                tenant = self.tenancy.by_namespace.get(item.namespace or item.name, "")
                why = "it is labelled as this toolkit's, and the export has no such object: a leftover, delete it"
                yield self._reply(tenant, f"{item} beside the export", "", "allowed", why)

    def _stranger(self, item: ManifestObject) -> Iterator[Reply]:
        """Yield a reply for an object of others that gives somebody something."""
        tenant = self.tenancy.by_namespace.get(item.namespace, "")
        if item.kind in ("RoleBinding", "ClusterRoleBinding"):
            who = [text for subject in mappings(item.data.get("subjects")) if (text := self._unknown(subject))]
            if who and not item.name.startswith(_PLATFORM) and _BOOTSTRAP not in item.labels:
                role = mapping(item.data.get("roleRef"))
                gives = f"{scalar_text(role.get('kind'))} {scalar_text(role.get('name'))}"
                why = f"it gives {gives} to {', '.join(who[:3])}, and the export has no such binding"
                yield self._reply(tenant, f"{item} beside the export", "", "allowed", why)
        elif item.kind == "Service" and texts(item.spec.get("externalIPs")):
            why = f"it takes the traffic to {', '.join(texts(item.spec['externalIPs'])[:3])}, whoever it belongs to"
            yield self._reply(tenant, f"{item} beside the export", "service-to-traffic", "allowed", why)
        elif item.kind in ("NetworkPolicy", "CiliumNetworkPolicy") and tenant and not self._may_write(tenant, item):
            why = f"policies add up: it may allow what the export's deny; nobody of {tenant} may write one"
            yield self._reply(tenant, f"{item} beside the export", "", "allowed", why)

    def _unknown(self, subject: Mapping[str, Any]) -> str:
        """Return how a subject is called that is neither the distribution's, the platform's nor an add-on's own."""
        kind, name = scalar_text(subject.get("kind")), scalar_text(subject.get("name"))
        space = scalar_text(subject.get("namespace"))
        if kind == "ServiceAccount":
            is_known = space != "default" and space not in self.tenancy.by_namespace
        else:
            open_to_all = name in ("system:anonymous", "system:unauthenticated", "system:authenticated")
            is_known = (name.startswith(_PLATFORM) and not open_to_all) or name in self.platform
        return "" if is_known else f"{kind} {f'{space}/' if space else ''}{name}"

    def _may_write(self, tenant: str, item: ManifestObject) -> bool:
        plural = "networkpolicies" if item.kind == "NetworkPolicy" else "ciliumnetworkpolicies"
        return any(
            self.tenancy.access.can(
                Request(who.user, "create", who.groups, item.group, plural, namespace=item.namespace)
            ).allowed
            for who in self.tenancy.principals.get(tenant, ())
        )

    def _opened(self, living: ObjectSet) -> Iterator[Reply]:
        """Yield what the live objects open and the export's do not, by our own evaluators."""
        listed = {(api_version.rpartition("/")[0], kind) for api_version, kind in LISTED}
        served = {(item.group, item.kind) for item in living}
        rest = [i for i in self.objects if (i.group, i.kind) not in listed or (i.group, i.kind) not in served]
        mixed = object_set((item.data, item.where) for item in (*rest, *living))
        options = AuditOptions(platform=self.platform, kubernetes=self.kubernetes)
        meant, found = audit(self.objects, options), audit(mixed, options)
        yield from self._crossings(meant, found)
        told = {(finding.rule, finding.subject) for finding in meant.findings}
        for finding in found.findings:
            if finding.severity >= Severity.HIGH and finding.crossing and (finding.rule, finding.subject) not in told:
                tenant = finding.tenants[0] if finding.tenants else ""
                question = f"{finding.subject}: {finding.what}"
                yield self._reply(tenant, question, finding.crossing, "allowed", finding.path)

    def _crossings(self, meant: AuditReport, found: AuditReport) -> Iterator[Reply]:
        known = {item.id: item for item in meant.crossings}
        for item in found.crossings:
            before = known.get(item.id)
            pairs = [("allowed", *pair) for pair in sorted(item.victims.items())]
            pairs += [("undecided", *pair) for pair in sorted(item.doubts.items())]
            for state, attacker, victims in pairs:
                more = victims - {attacker}
                if before is not None:
                    more -= before.victims.get(attacker, frozenset())
                    more -= before.doubts.get(attacker, frozenset()) if state == "undecided" else frozenset()
                if more and attacker in self.tenancy.tenants:
                    names = ", ".join(sorted(more)[:3]) + (f" and {len(more) - 3} more" if len(more) > 3 else "")
                    question = f"{attacker} to {names}: {item.title}, by what lives"
                    yield self._reply(attacker, question, item.id, state, item.reasons.get(attacker, ""))
