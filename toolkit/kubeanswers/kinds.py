"""Which REST resource a kind is served under, and whether it lives in a namespace.

Manifests speak of kinds, RBAC and admission of resources; this table joins the two for the built-in API of
Kubernetes 1.36 and for the custom resources tenancy tooling uses. CustomResourceDefinitions in the audited set
extend it. Source: https://kubernetes.io/docs/reference/kubernetes-api/ and each project's own CRDs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Final

# group | scope (n: namespaced, c: cluster) | Kind resource [short names]
_TABLE: Final = """
|n|Pod pods po;ConfigMap configmaps cm;Secret secrets;Service services svc;ServiceAccount serviceaccounts sa
|n|PersistentVolumeClaim persistentvolumeclaims pvc;ResourceQuota resourcequotas quota;LimitRange limitranges limits
|n|ReplicationController replicationcontrollers rc;Endpoints endpoints ep;Event events ev;PodTemplate podtemplates
|n|Binding bindings
|c|Namespace namespaces ns;Node nodes no;PersistentVolume persistentvolumes pv;ComponentStatus componentstatuses cs
apps|n|Deployment deployments deploy;StatefulSet statefulsets sts;DaemonSet daemonsets ds;ReplicaSet replicasets rs
apps|n|ControllerRevision controllerrevisions
batch|n|Job jobs;CronJob cronjobs cj
autoscaling|n|HorizontalPodAutoscaler horizontalpodautoscalers hpa
policy|n|PodDisruptionBudget poddisruptionbudgets pdb
networking.k8s.io|n|NetworkPolicy networkpolicies netpol;Ingress ingresses ing
networking.k8s.io|c|IngressClass ingressclasses;IPAddress ipaddresses ip;ServiceCIDR servicecidrs
policy.networking.k8s.io|c|AdminNetworkPolicy adminnetworkpolicies anp
policy.networking.k8s.io|c|BaselineAdminNetworkPolicy baselineadminnetworkpolicies banp
policy.networking.k8s.io|c|ClusterNetworkPolicy clusternetworkpolicies cnp
rbac.authorization.k8s.io|n|Role roles;RoleBinding rolebindings
rbac.authorization.k8s.io|c|ClusterRole clusterroles;ClusterRoleBinding clusterrolebindings
admissionregistration.k8s.io|c|ValidatingAdmissionPolicy validatingadmissionpolicies
admissionregistration.k8s.io|c|ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings
admissionregistration.k8s.io|c|MutatingAdmissionPolicy mutatingadmissionpolicies
admissionregistration.k8s.io|c|MutatingAdmissionPolicyBinding mutatingadmissionpolicybindings
admissionregistration.k8s.io|c|ValidatingWebhookConfiguration validatingwebhookconfigurations
admissionregistration.k8s.io|c|MutatingWebhookConfiguration mutatingwebhookconfigurations
apiextensions.k8s.io|c|CustomResourceDefinition customresourcedefinitions crd
apiregistration.k8s.io|c|APIService apiservices
certificates.k8s.io|c|CertificateSigningRequest certificatesigningrequests csr;ClusterTrustBundle clustertrustbundles
coordination.k8s.io|n|Lease leases;LeaseCandidate leasecandidates
discovery.k8s.io|n|EndpointSlice endpointslices
events.k8s.io|n|Event events ev
flowcontrol.apiserver.k8s.io|c|FlowSchema flowschemas;PriorityLevelConfiguration prioritylevelconfigurations
node.k8s.io|c|RuntimeClass runtimeclasses
scheduling.k8s.io|c|PriorityClass priorityclasses pc
storage.k8s.io|c|StorageClass storageclasses sc;VolumeAttachment volumeattachments;CSIDriver csidrivers
storage.k8s.io|c|CSINode csinodes;VolumeAttributesClass volumeattributesclasses vac
storage.k8s.io|n|CSIStorageCapacity csistoragecapacities
resource.k8s.io|n|ResourceClaim resourceclaims;ResourceClaimTemplate resourceclaimtemplates
resource.k8s.io|c|DeviceClass deviceclasses;ResourceSlice resourceslices;DeviceTaintRule devicetaintrules
authentication.k8s.io|c|TokenReview tokenreviews;SelfSubjectReview selfsubjectreviews
authorization.k8s.io|c|SubjectAccessReview subjectaccessreviews;SelfSubjectAccessReview selfsubjectaccessreviews
authorization.k8s.io|c|SelfSubjectRulesReview selfsubjectrulesreviews
authorization.k8s.io|n|LocalSubjectAccessReview localsubjectaccessreviews
gateway.networking.k8s.io|n|Gateway gateways gtw;HTTPRoute httproutes;GRPCRoute grpcroutes;TLSRoute tlsroutes
gateway.networking.k8s.io|n|TCPRoute tcproutes;UDPRoute udproutes;ReferenceGrant referencegrants refgrant
gateway.networking.k8s.io|n|BackendTLSPolicy backendtlspolicies
gateway.networking.k8s.io|c|GatewayClass gatewayclasses gc
kueue.x-k8s.io|n|LocalQueue localqueues;Workload workloads
kueue.x-k8s.io|c|ClusterQueue clusterqueues;ResourceFlavor resourceflavors;Cohort cohorts;AdmissionCheck admissionchecks
kueue.x-k8s.io|c|MultiKueueCluster multikueueclusters;MultiKueueConfig multikueueconfigs
jobset.x-k8s.io|n|JobSet jobsets
leaderworkerset.x-k8s.io|n|LeaderWorkerSet leaderworkersets lws
ray.io|n|RayCluster rayclusters;RayJob rayjobs;RayService rayservices
cilium.io|n|TracingPolicyNamespaced tracingpoliciesnamespaced
cilium.io|c|TracingPolicy tracingpolicies
spire.spiffe.io|c|ClusterSPIFFEID clusterspiffeids
slinky.slurm.net|n|Controller controllers;NodeSet nodesets;LoginSet loginsets;Accounting accountings
slinky.slurm.net|n|RestApi restapis
kueue.x-k8s.io|c|WorkloadPriorityClass workloadpriorityclasses;Topology topologies
scheduling.volcano.sh|c|Queue queues
scheduling.run.ai|c|Queue queues
capsule.clastix.io|c|Tenant tenants;CapsuleConfiguration capsuleconfigurations
capsule.clastix.io|c|GlobalTenantResource globaltenantresources;TenantOwner tenantowners
capsule.clastix.io|c|GlobalResourceQuota globalresourcequotas globalquota;ResourcePool resourcepools quotapool
capsule.clastix.io|n|ResourcePoolClaim resourcepoolclaims
capsule.clastix.io|n|TenantResource tenantresources
kamaji.clastix.io|n|TenantControlPlane tenantcontrolplanes tcp
kamaji.clastix.io|c|DataStore datastores
hypershift.openshift.io|n|HostedCluster hostedclusters hc;NodePool nodepools np
k0smotron.io|n|Cluster clusters
cluster.x-k8s.io|n|Cluster clusters cl;MachineDeployment machinedeployments md;Machine machines;MachineSet machinesets
cluster.x-k8s.io|n|MachineHealthCheck machinehealthchecks;MachinePool machinepools
infrastructure.cluster.x-k8s.io|n|AWSCluster awsclusters awsc;AWSMachineTemplate awsmachinetemplates awsmt
infrastructure.cluster.x-k8s.io|n|AWSManagedCluster awsmanagedclusters awsmc
infrastructure.cluster.x-k8s.io|n|AWSManagedMachinePool awsmanagedmachinepools awsmmp
infrastructure.cluster.x-k8s.io|n|Metal3Cluster metal3clusters m3c;Metal3MachineTemplate metal3machinetemplates m3mt
infrastructure.cluster.x-k8s.io|n|AzureASOManagedCluster azureasomanagedclusters
infrastructure.cluster.x-k8s.io|n|AzureASOManagedControlPlane azureasomanagedcontrolplanes
infrastructure.cluster.x-k8s.io|n|AzureASOManagedMachinePool azureasomanagedmachinepools
infrastructure.cluster.x-k8s.io|n|GCPManagedCluster gcpmanagedclusters gcpmc
infrastructure.cluster.x-k8s.io|n|GCPManagedControlPlane gcpmanagedcontrolplanes gcpmcp
infrastructure.cluster.x-k8s.io|n|GCPManagedMachinePool gcpmanagedmachinepools gcpmmp
controlplane.cluster.x-k8s.io|n|AWSManagedControlPlane awsmanagedcontrolplanes awsmcp
controlplane.cluster.x-k8s.io|n|KubeadmControlPlane kubeadmcontrolplanes kcp
bootstrap.cluster.x-k8s.io|n|KubeadmConfig kubeadmconfigs;KubeadmConfigTemplate kubeadmconfigtemplates
metal3.io|n|BareMetalHost baremetalhosts bmh
kubevirt.io|n|VirtualMachine virtualmachines vm;VirtualMachineInstance virtualmachineinstances vmi;KubeVirt kubevirts kv
k0rdent.mirantis.com|n|ClusterDeployment clusterdeployments;ClusterTemplate clustertemplates
k0rdent.mirantis.com|n|ServiceTemplate servicetemplates
k0rdent.mirantis.com|c|MultiClusterService multiclusterservices
k3k.io|n|Cluster clusters
k3k.io|c|VirtualClusterPolicy virtualclusterpolicies vcp
tenancy.kcp.io|c|Workspace workspaces ws
apis.kcp.io|c|APIExport apiexports;APIBinding apibindings
policy.karmada.io|n|PropagationPolicy propagationpolicies pp;OverridePolicy overridepolicies op
policy.karmada.io|c|ClusterPropagationPolicy clusterpropagationpolicies;ClusterOverridePolicy clusteroverridepolicies
core.gardener.cloud|n|Shoot shoots
core.gardener.cloud|c|Project projects
management.cattle.io|n|Project projects;ProjectRoleTemplateBinding projectroletemplatebindings
containerservice.azure.com|n|ManagedCluster managedclusters;ManagedClustersAgentPool managedclustersagentpools
resources.azure.com|n|ResourceGroup resourcegroups
kubeovn.io|c|Vpc vpcs;Subnet subnets;VpcDns vpc-dnses;SecurityGroup security-groups;VpcNatGateway vpc-nat-gateways
k8s.ovn.org|n|UserDefinedNetwork userdefinednetworks udn
k8s.ovn.org|c|ClusterUserDefinedNetwork clusteruserdefinednetworks cudn
k8s.cni.cncf.io|n|NetworkAttachmentDefinition network-attachment-definitions net-attach-def
sriovnetwork.openshift.io|n|SriovNetworkNodePolicy sriovnetworknodepolicies;SriovNetwork sriovnetworks
sriovnetwork.openshift.io|n|SriovIBNetwork sriovibnetworks
mellanox.com|c|NicClusterPolicy nicclusterpolicies ncp
configuration.net.nvidia.com|n|NicConfigurationTemplate nicconfigurationtemplates
kai.scheduler|c|SchedulingShard schedulingshards;Topology topologies
ceph.rook.io|n|CephCluster cephclusters;CephBlockPool cephblockpools;CephFilesystem cephfilesystems
ceph.rook.io|n|CephObjectStore cephobjectstores
mutations.gatekeeper.sh|c|Assign assign;ModifySet modifyset;AssignMetadata assignmetadata
cilium.io|n|CiliumNetworkPolicy ciliumnetworkpolicies
cilium.io|c|CiliumClusterwideNetworkPolicy ciliumclusterwidenetworkpolicies
crd.projectcalico.org|n|NetworkPolicy networkpolicies
crd.projectcalico.org|c|GlobalNetworkPolicy globalnetworkpolicies
projectcalico.org|n|NetworkPolicy networkpolicies
projectcalico.org|c|GlobalNetworkPolicy globalnetworkpolicies
security.istio.io|n|AuthorizationPolicy authorizationpolicies;PeerAuthentication peerauthentications
networking.istio.io|n|Sidecar sidecars;VirtualService virtualservices;Gateway gateways;DestinationRule destinationrules
policy.linkerd.io|n|Server servers;ServerAuthorization serverauthorizations;AuthorizationPolicy authorizationpolicies
kyverno.io|n|Policy policies
kyverno.io|c|ClusterPolicy clusterpolicies
policies.kyverno.io|c|ValidatingPolicy validatingpolicies;MutatingPolicy mutatingpolicies
policies.kyverno.io|c|GeneratingPolicy generatingpolicies
policies.kyverno.io|c|ImageValidatingPolicy imagevalidatingpolicies;DeletingPolicy deletingpolicies
policies.kyverno.io|n|NamespacedValidatingPolicy namespacedvalidatingpolicies
templates.gatekeeper.sh|c|ConstraintTemplate constrainttemplates
config.gatekeeper.sh|n|Config configs
argoproj.io|n|Application applications;ApplicationSet applicationsets;AppProject appprojects;Workflow workflows
kustomize.toolkit.fluxcd.io|n|Kustomization kustomizations
helm.toolkit.fluxcd.io|n|HelmRelease helmreleases
source.toolkit.fluxcd.io|n|GitRepository gitrepositories;HelmRepository helmrepositories;OCIRepository ocirepositories
amd.com|n|DeviceConfig deviceconfigs
nvidia.com|c|ClusterPolicy clusterpolicies;NVIDIADriver nvidiadrivers
resource.nvidia.com|n|ComputeDomain computedomains
karpenter.sh|c|NodePool nodepools;NodeClaim nodeclaims
cert-manager.io|n|Certificate certificates;Issuer issuers
cert-manager.io|c|ClusterIssuer clusterissuers
monitoring.coreos.com|n|ServiceMonitor servicemonitors;PodMonitor podmonitors;PrometheusRule prometheusrules
velero.io|n|BackupStorageLocation backupstoragelocations bsl;Schedule schedules;Backup backups;Restore restores
velero.io|n|BackupRepository backuprepositories;DownloadRequest downloadrequests
external-secrets.io|n|ExternalSecret externalsecrets;SecretStore secretstores
external-secrets.io|c|ClusterSecretStore clustersecretstores
serving.kserve.io|n|InferenceService inferenceservices isvc;ServingRuntime servingruntimes
kubeflow.org|n|Notebook notebooks;PyTorchJob pytorchjobs;MPIJob mpijobs
ray.io|n|RayCluster rayclusters;RayJob rayjobs;RayService rayservices
snapshot.storage.k8s.io|n|VolumeSnapshot volumesnapshots
snapshot.storage.k8s.io|c|VolumeSnapshotClass volumesnapshotclasses;VolumeSnapshotContent volumesnapshotcontents
metrics.k8s.io|n|PodMetrics pods
metrics.k8s.io|c|NodeMetrics nodes
"""


_VERSION: Final = re.compile(r"v\d+((alpha|beta)\d+)?\.")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object and the resource it is served under.

    Attributes:
        group: API group; empty for the core group.
        kind: the kind, as in a manifest.
        resource: plural resource name, as in an RBAC rule.
        namespaced: whether objects of the kind live in a namespace.
        short: names kubectl accepts for it besides the plural.
    """

    group: str
    kind: str
    resource: str
    namespaced: bool
    short: tuple[str, ...] = ()


@cache
def _builtin() -> tuple[Kind, ...]:
    kinds: list[Kind] = []
    for row in _TABLE.strip().splitlines():
        group, scope, entries = row.split("|")
        for entry in entries.split(";"):
            kind, resource, *short = entry.split()
            kinds.append(Kind(group, kind, resource, scope == "n", tuple(short)))
    return tuple(kinds)


@dataclass(frozen=True)
class KindTable:
    """The kinds known to an audit: the built-in ones and those of the set's CustomResourceDefinitions."""

    by_kind: Mapping[tuple[str, str], Kind]
    by_resource: Mapping[tuple[str, str], Kind]
    by_word: Mapping[str, Kind] = field(repr=False)

    def find(self, group: str, kind: str) -> Kind | None:
        """Return the kind's entry, or None where it is unknown."""
        return self.by_kind.get((group, kind))

    def served_as(self, resource: str) -> Sequence[Kind]:
        """Return the kinds of any group that are served under a plural resource name."""
        return self._by_plural.get(resource, ())

    @cached_property
    def _by_plural(self) -> Mapping[str, Sequence[Kind]]:
        found: dict[str, list[Kind]] = {}
        for (_, resource), kind in self.by_resource.items():
            found.setdefault(resource, []).append(kind)
        return found

    def resource(self, word: str) -> tuple[str, str]:
        """Return (group, resource) for what a person types: ``deploy``, ``pods``, ``roles.rbac.authorization.k8s.io``.

        An unknown word is taken as a resource of the core group, the way RBAC itself would; a version between resource
        and group (``deployments.v1.apps``) is left out.
        """
        name, _, group = word.partition(".")
        if _VERSION.match(group):
            group = group.partition(".")[2]
        if group:
            return group, name
        known = self.by_word.get(word.lower())
        return (known.group, known.resource) if known else ("", word)


def kind_table(definitions: Iterable[Mapping[str, Any]] = ()) -> KindTable:
    """Return the table of built-in kinds, extended by the given CustomResourceDefinition objects."""
    kinds = [*_builtin(), *(kind for data in definitions if (kind := _from_definition(data)))]
    by_word: dict[str, Kind] = {}
    for kind in kinds:
        for word in (kind.resource, kind.kind.lower(), *kind.short):
            by_word.setdefault(word, kind)
    return KindTable(
        by_kind={(kind.group, kind.kind): kind for kind in kinds},
        by_resource={(kind.group, kind.resource): kind for kind in kinds},
        by_word=by_word,
    )


@cache
def builtin_kinds() -> KindTable:
    """Return the table of the built-in kinds alone."""
    return kind_table()


def _from_definition(data: Mapping[str, Any]) -> Kind | None:
    spec = data.get("spec")
    if data.get("kind") == "ConstraintTemplate" and isinstance(spec, Mapping):
        return _from_template(spec)
    names = spec.get("names") if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(names, Mapping):
        return None
    group, kind, plural = spec.get("group"), names.get("kind"), names.get("plural")
    if not (isinstance(group, str) and isinstance(kind, str) and isinstance(plural, str)):
        return None
    short = names.get("shortNames")
    words = tuple(str(word) for word in short) if isinstance(short, list) else ()
    return Kind(group, kind, plural, spec.get("scope") != "Cluster", words)


def _from_template(spec: Mapping[str, Any]) -> Kind | None:
    """Return the kind of constraint a Gatekeeper template defines."""
    names: Any = spec
    for key in ("crd", "spec", "names"):
        names = names.get(key) if isinstance(names, Mapping) else None
    kind = names.get("kind") if isinstance(names, Mapping) else None
    return Kind("constraints.gatekeeper.sh", kind, kind.lower(), namespaced=False) if isinstance(kind, str) else None
