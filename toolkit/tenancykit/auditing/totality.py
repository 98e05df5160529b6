"""Which objects an audit evaluates, which lead nowhere, and what every other could open: nothing is passed over.

An object of a kind that is in neither list is told as not evaluated.  What a kind could open is named where it is
known; of a kind nobody here knows, anything is possible.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Final

from kubeanswers.kinds import KindTable
from kubeanswers.objects import ManifestObject
from kubeanswers.validation.configurations import is_configuration
from tenancykit.auditing.tenant_signs import is_platform_namespace

_EVALUATED: Final = """
core: Namespace Pod ReplicationController Service ServiceAccount ResourceQuota LimitRange PersistentVolume
core: PersistentVolumeClaim Node PodTemplate
apps: Deployment StatefulSet DaemonSet ReplicaSet
batch: Job CronJob
rbac.authorization.k8s.io: Role ClusterRole RoleBinding ClusterRoleBinding
networking.k8s.io: NetworkPolicy Ingress IngressClass
policy.networking.k8s.io: AdminNetworkPolicy BaselineAdminNetworkPolicy ClusterNetworkPolicy
admissionregistration.k8s.io: ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration
policies.kyverno.io: ValidatingPolicy
node.k8s.io: RuntimeClass
scheduling.k8s.io: PriorityClass
storage.k8s.io: StorageClass
resource.k8s.io: ResourceClaim ResourceClaimTemplate
gateway.networking.k8s.io: Gateway HTTPRoute ReferenceGrant GatewayClass
cilium.io: CiliumNetworkPolicy CiliumClusterwideNetworkPolicy
k8s.cni.cncf.io: NetworkAttachmentDefinition
sriovnetwork.openshift.io: SriovNetwork SriovIBNetwork
k8s.ovn.org: UserDefinedNetwork ClusterUserDefinedNetwork
argoproj.io: AppProject Application
kustomize.toolkit.fluxcd.io: Kustomization
helm.toolkit.fluxcd.io: HelmRelease
external-secrets.io: ClusterSecretStore ExternalSecret
bitnami.com: SealedSecret
capsule.clastix.io: Tenant TenantOwner GlobalTenantResource TenantResource
kubeflow.org: Profile
hnc.x-k8s.io: HierarchyConfiguration SubnamespaceAnchor
management.cattle.io: ProjectRoleTemplateBinding
kueue.x-k8s.io: ClusterQueue LocalQueue
templates.gatekeeper.sh: ConstraintTemplate
constraints.gatekeeper.sh: *
"""
"""Kinds whose meaning for tenants is evaluated."""

_IDLE: Final = """
core: Event ComponentStatus
apps: ControllerRevision
autoscaling: HorizontalPodAutoscaler
autoscaling.k8s.io: VerticalPodAutoscaler
policy: PodDisruptionBudget
coordination.k8s.io: Lease LeaseCandidate
events.k8s.io: Event
apiextensions.k8s.io: CustomResourceDefinition
flowcontrol.apiserver.k8s.io: FlowSchema PriorityLevelConfiguration
storage.k8s.io: CSIDriver CSINode CSIStorageCapacity VolumeAttachment VolumeAttributesClass
snapshot.storage.k8s.io: VolumeSnapshotClass
resource.k8s.io: DeviceClass ResourceSlice DeviceTaintRule
kueue.x-k8s.io: ResourceFlavor Cohort WorkloadPriorityClass Topology Workload AdmissionCheck
monitoring.coreos.com: ServiceMonitor PodMonitor PrometheusRule Probe ScrapeConfig
source.toolkit.fluxcd.io: GitRepository HelmRepository OCIRepository Bucket
notification.toolkit.fluxcd.io: Alert Provider
image.toolkit.fluxcd.io: ImageRepository ImagePolicy ImageUpdateAutomation
cert-manager.io: Certificate Issuer ClusterIssuer CertificateRequest
kustomize.config.k8s.io: Kustomization Component
velero.io: BackupStorageLocation Schedule Backup BackupRepository
capsule.clastix.io: CapsuleConfiguration GlobalResourceQuota ResourcePool ResourcePoolClaim
"""
"""Kinds that no path between tenants leads over by themselves."""

_OPENS: Final = """
crd.projectcalico.org: * | pod-network-to-victim
projectcalico.org: * | pod-network-to-victim
security.istio.io: * | pod-network-to-victim
k8s.cni.cncf.io: MultiNetworkPolicy | pod-network-to-victim
discovery.k8s.io: EndpointSlice | pod-network-to-victim
core: Endpoints | pod-network-to-victim
networking.istio.io: * | pod-network-to-victim
snapshot.storage.k8s.io: VolumeSnapshotContent VolumeSnapshot | claim-of-others
crd.antrea.io: * | pod-network-to-victim
gateway.networking.k8s.io: GRPCRoute TLSRoute TCPRoute UDPRoute BackendTLSPolicy | pod-network-to-victim
route.openshift.io: Route | pod-network-to-victim
projectcontour.io: HTTPProxy TLSCertificateDelegation | pod-network-to-victim api-user-to-shared-api
traefik.io: * | pod-network-to-victim api-user-to-shared-api
traefik.containo.us: * | pod-network-to-victim api-user-to-shared-api
secrets.hashicorp.com: * | api-user-to-shared-api
secrets-store.csi.x-k8s.io: * | api-user-to-shared-api
fleet.cattle.io: * | user-to-delivery-hub
helm.cattle.io: * | user-to-delivery-hub api-user-to-shared-api
kubernetes.crossplane.io: * | user-to-delivery-hub api-user-to-shared-api
operators.coreos.com: * | api-user-to-shared-api
external-secrets.io: SecretStore PushSecret ClusterExternalSecret | api-user-to-shared-api
argoproj.io: ApplicationSet | user-to-delivery-hub
kyverno.io: PolicyException ClusterPolicy Policy | api-user-to-node
policies.kyverno.io: PolicyException | api-user-to-node
"""
"""What kinds that are not evaluated could open, where it is known."""

Table = dict[str, dict[str, tuple[str, ...]]]


def _table(text: str) -> Table:
    found: Table = {}
    for line in text.strip().splitlines():
        group, _, rest = line.partition(": ")
        kinds, _, crossings = rest.partition(" | ")
        opened = tuple(crossings.split())
        found.setdefault("" if group == "core" else group, {}).update(dict.fromkeys(kinds.split(), opened))
    return found


_KNOWN: Final = _table(_EVALUATED + _IDLE.lstrip())
_COULD: Final = _table(_OPENS)
ANYTHING: Final = ("*",)
_SETTINGS: Final = frozenset({"ConfigMap", "Secret"})


def could_open(item: ManifestObject) -> tuple[str, ...] | None:
    """Return the crossings an object could open that is not evaluated; None for one that is, or leads nowhere."""
    if is_configuration(item.data):
        return None  # a file beside the objects: it is judged, and no API server is asked to keep it
    kinds = _KNOWN.get(item.group, {})
    if item.kind in kinds or "*" in kinds:
        return None
    if not item.group and item.kind in _SETTINGS:
        return ANYTHING if _configures(item) else None
    opened = _COULD.get(item.group, {})
    return opened.get(item.kind) or opened.get("*") or ANYTHING


def _configures(item: ManifestObject) -> bool:
    """Return whether a ConfigMap or Secret configures a component of the platform (DNS, identities, join tokens)."""
    return fnmatchcase(item.namespace, "kube-*")


def is_foreign_work(item: ManifestObject) -> bool:
    """Return whether an object makes pods in a namespace of the platform: what they do with its rights is not known."""
    makes = item.group in ("apps", "batch") or (not item.group and item.kind in ("Pod", "ReplicationController"))
    return makes and item.namespaced and is_platform_namespace(item.namespace, {})


def unevaluated_lines(objects: Iterable[ManifestObject], kinds: KindTable) -> Iterator[str]:
    """Yield a line per kind that is not evaluated, with what it could open."""
    counts: Counter[tuple[str, str]] = Counter()
    opened: dict[tuple[str, str], tuple[str, ...]] = {}
    for item in objects:
        found = could_open(item)
        if found is not None and not (not item.group and item.kind in _SETTINGS):
            key = (item.kind, item.group)
            counts[key] += 1
            opened[key] = found
    for (kind, group), count in sorted(counts.items()):
        name = f"{kind}.{group}" if group else kind
        what = "anything" if opened[kind, group] == ANYTHING else ", ".join(opened[kind, group])
        known = "" if kinds.find(group, kind) else ", a kind nobody here knows"
        yield f"{count} {name}{known}: could open {what}"
