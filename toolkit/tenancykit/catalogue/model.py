"""What could be done: options, components, rules and reference architectures, as the catalogue's files state them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from tenancykit.conditions import Condition, parse_condition


def _condition(value: Any) -> Condition:
    if isinstance(value, Condition):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a condition; write text such as 'shares-nodes and not rt_gvisor'")  # noqa: TRY004 - pydantic collects ValueErrors
    return parse_condition(value)


When = Annotated[Condition, BeforeValidator(_condition, json_schema_input_type=str), PlainSerializer(str)]
"""A condition over the facts of a design, in the catalogue's closed grammar."""

Dimension = Literal[
    "control_plane",
    "node_isolation",
    "runtime",
    "network",
    "storage",
    "gpu_sharing",
    "scheduling_quota",
    "policy_admission",
    "identity_gitops",
    "observability_chargeback",
]
Vendor = Literal["nvidia", "amd", "google", "aws", "intel"]
"""Who makes an accelerator, and whose operator and device plugin serve it."""

DIMENSIONS: tuple[Dimension, ...] = Dimension.__args__  # type: ignore[attr-defined]
"""The ten dimensions in the order they are always shown."""


Id = Annotated[str, Field(description="Unique id.")]
SourceKey = Annotated[str, Field(description="Key or address of the source; empty only for assumptions.")]
Assumed = Annotated[bool, Field(description="Whether it, or a number of it, is our assumption.")]
Note = Annotated[str, Field(description="How it was derived, and what else is to be known.")]


class Entry(BaseModel):
    """A frozen catalogue value that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Source(Entry):
    """Where a fact was read."""

    url: str
    """Address of the page or file."""
    title: str = ""
    """What it is."""
    as_of: str = ""
    """Date of the copy that was read, ISO 8601 or as precise as known."""
    opened: bool = True
    """Whether the page itself was read; no number may rest on an unopened source alone."""


class Quantity(Entry):
    """A number with its unit and where it comes from."""

    metric: str
    """What is measured."""
    value: float
    """The number."""
    unit: str
    """Its unit."""
    source: SourceKey = ""
    assumption: Assumed = False
    note: Note = ""


class Requisite(Entry):
    """A condition that must hold wherever an option is chosen."""

    when: When
    """What must hold."""
    why: str
    """Reason, in words for the person whose design is refused."""
    source: SourceKey = ""
    assumption: Assumed = False


class Wanted(Entry):
    """Where an option that a published architecture came with is wanted though nobody named it."""

    when: When
    """What a class or the team states that asks for it; ``never`` where nobody asks but by name."""
    otherwise: str
    """Why it is left out elsewhere, in words that follow *since*."""


class KubernetesObject(Entry):
    """A kind of object an option brings."""

    api_version: str = Field(alias="apiVersion")
    """API group and version."""
    kind: str
    """Kind."""
    scope: Literal["fleet", "cluster", "class", "tenant", "node", "workload"] = "cluster"
    """Where one such object is needed."""
    count: int = Field(default=1, ge=0)
    """Objects per scope."""
    note: str = ""
    """What it is for."""
    assumption: bool = False
    """Whether kind or count is our reading."""


class Footprint(Entry):
    """Machines' resources a component takes, per unit of its scope."""

    scope: Literal["fleet", "cluster", "node", "gpu_node", "class", "tenant", "pod"]
    """What one instance serves."""
    pods: int = Field(default=0, ge=0)
    """Pods per scope."""
    cpu_milli: int = Field(default=0, ge=0)
    """CPU requests of those pods together, millicores."""
    memory_mib: int = Field(default=0, ge=0)
    """Memory requests of those pods together, MiB."""
    hosts: int = Field(default=0, ge=0)
    """Whole machines per scope (control-plane hosts)."""
    when: When = Condition("always")
    """Facts under which this footprint applies (``high-availability``)."""
    source: SourceKey = ""
    assumption: Assumed = False
    note: Note = ""


class Lifecycle(Entry):
    """How fast something moves."""

    latest: str = ""
    """Newest release known."""
    date: str = ""
    """Its date."""
    minor_releases_12m: float | None = Field(default=None, ge=0)
    """Minor releases in the twelve months before the catalogue was compiled."""
    support_months: float | None = Field(default=None, gt=0)
    """Months a minor release is supported."""
    source: SourceKey = ""
    assumption: Assumed = False
    note: Note = ""


class HelmChart(Entry):
    """A chart pinned to the version the builders follow."""

    chart: str
    """Chart name."""
    repository: str
    """Chart repository."""
    version: str
    """Pinned version."""
    as_of: str = ""
    """When that was the newest."""
    required: dict[str, Any] = Field(default_factory=dict)
    """Values without which the chart refuses to be rendered, read off its templates."""
    required_source: str = ""
    """Template of the chart that refuses it."""


class Component(Entry):
    """Something that has to be installed and kept running."""

    id: Id
    name: str
    """Title."""
    what: str = ""
    """What it does, in one sentence."""
    requires: tuple[str, ...] = ()
    """Ids of components it cannot run without."""
    scope: Literal["fleet", "cluster", "tenant"] = "cluster"
    """What one installation serves: the fleet, a cluster, or one tenant."""
    footprint: tuple[Footprint, ...] = ()
    """Resources it takes."""
    crds: int = Field(default=0, ge=0)
    """CustomResourceDefinitions it brings."""
    api_groups: tuple[str, ...] = ()
    """API groups whose definitions it brings."""
    drives: Vendor | None = None
    """Whose accelerators it drives; it is installed where some of them are on offer, and nowhere else."""
    namespace: str = ""
    """Namespace of its release, where nothing but its chart's required values has to be stated to install it."""
    helm: HelmChart | None = None
    """Chart it is installed from."""
    lifecycle: Lifecycle = Lifecycle()
    """How fast it moves."""
    privileged: bool = False
    """Whether it runs with rights over every tenant (node root or cluster-wide)."""
    sources: tuple[str, ...] = ()
    """Keys of sources."""


class Cluster(Entry):
    """How an option of the control plane divides clusters."""

    control_plane: Literal["shared", "virtual", "hosted", "dedicated", "managed", "logical"]
    """Whose API server a tenant talks to: shared with all; its own beside a shared host cluster (virtual); its own,
    hosted centrally, with own workers (hosted); its own machines (dedicated); run by a provider (managed); a logical
    workspace of one server (logical)."""
    per_tenant: bool
    """Whether each tenant gets a cluster (API server and workers) of its own."""
    fee: str = ""
    """Id of the control-plane fee in the price book, where a provider charges one; resolved per provider."""


class Placement(Entry):
    """Who may share a node."""

    domain: Literal["fleet", "class", "tenant"]
    """Tenants that may share nodes: all of a cluster, those of one class, or one tenant alone."""
    whole_hosts: bool = False
    """Whether the nodes are whole physical hosts."""


class Sandbox(Entry):
    """What a runtime adds to every pod."""

    cpu_milli: int = 0
    """RuntimeClass overhead, millicores."""
    memory_mib: int = 0
    """RuntimeClass overhead, MiB."""
    gpu_cpu_milli: int | None = None
    """Overhead of GPU pods, where it differs, millicores."""
    gpu_memory_mib: int | None = None
    """Overhead of GPU pods, where it differs, MiB."""
    runtime_class: str = ""
    """Name of the RuntimeClass; empty for the default runtime."""
    handler: str = ""
    """Handler of the RuntimeClass."""
    gpu_runtime_class: str = ""
    """RuntimeClass for GPU pods, where it differs."""
    gpu_pods_per_node: int | None = Field(default=None, ge=1)
    """Most GPU pods a node can hold."""
    source: SourceKey = ""
    assumption: Assumed = False


class GpuMode(Entry):
    """How a GPU is cut."""

    mode: Literal["whole", "time-slicing", "mps", "mig", "partition", "vgpu", "software", "bookkeeping", "dra"]
    """Mechanism; ``partition``: every card of a node is divided alike, and a pod may take several parts."""
    vendor: Vendor = "nvidia"
    """Whose cards are cut; nobody's are where they are handed out whole."""
    replicas: int = Field(default=1, ge=1)
    """Pods per GPU offered by default, for modes that offer replicas."""
    profiles: dict[str, dict[str, int]] = Field(default_factory=dict)
    """MIG and partitions: instances of each profile that fit on one GPU, by GPU model."""
    source: SourceKey = ""
    assumption: Assumed = False

    def cuts(self, model: str) -> bool:
        """Return whether GPUs of a model can be cut in this way: modes without profiles cut any of their vendor."""
        return not self.profiles or any(model == name or model.startswith(f"{name}-") for name in self.profiles)


class Limit(Entry):
    """A scale limit."""

    metric: str
    """What is counted: tenants, namespaces, nodes, pods, services, control_planes, tenants_per_host_cluster."""
    most: float
    """Largest supported value."""
    source: SourceKey = ""
    assumption: Assumed = False
    note: str = ""
    """Under which conditions."""


class Option(Entry):
    """One way to do one thing: a choice in one layer of one dimension."""

    id: str
    """Unique id, such as ``cp_capsule``."""
    dimension: Dimension
    """Dimension it belongs to."""
    layer: str
    """Layer of the dimension; a design takes at most one option per layer."""
    name: str
    """Title."""
    words: str = ""
    """How the name of a design speaks of it (``{tenant}`` stands for team or customer, ``{gpu}`` for GPU nodes,
    ``{shared}`` for one shared cluster or one per site); empty where a name need not mention it."""
    what: str
    """What it is, in a sentence or two."""
    selectable: bool = True
    """Whether new designs may choose it; false for retired projects, kept so that a dump can be recognised."""
    status: str = ""
    """What is to be known of its state."""
    gaps: tuple[str, ...] = ()
    """What it does not do."""
    no_barrier: str = ""
    """Why it moves no figure of isolation, said on its page; empty where it does."""
    queued_kinds: tuple[str, ...] = ()
    """Kinds of work it brings, as ``group/kind``, which a queue has to follow, or they would pass it by."""
    no_objects: str = ""
    """Why no object of Kubernetes carries it, said in the export's README; empty where builders or charts serve it."""
    provides: tuple[str, ...] = ()
    """Traits (facts) that hold wherever it is chosen; read by conditions of the catalogue."""
    needs: tuple[Requisite, ...] = ()
    """What must hold wherever it is chosen."""
    wanted: Wanted | None = None
    """Where completing a published architecture keeps it though nobody named it; absent: everywhere."""
    components: tuple[str, ...] = ()
    """Components that have to run."""
    objects: tuple[KubernetesObject, ...] = ()
    """Kinds of objects it brings."""
    cluster: Cluster | None = None
    """For control-plane options: how clusters are divided."""
    placement: Placement | None = None
    """For node options: who may share a node."""
    sandbox: Sandbox | None = None
    """For runtime options: what every pod pays."""
    gpu: GpuMode | None = None
    """For GPU options: how a GPU is cut."""
    overhead: tuple[Quantity, ...] = ()
    """Published measurements of what it costs at run time."""
    limits: tuple[Limit, ...] = ()
    """Scale limits."""
    lifecycle: Lifecycle = Lifecycle()
    """How fast it moves."""
    licence: str = ""
    """Licence and terms."""
    maturity: str = ""
    """Maturity as its project or foundation states it."""
    sources: tuple[str, ...] = Field(min_length=1)
    """Keys of sources."""


class Rule(Entry):
    """A constraint between options, GPU models, Kubernetes versions and facts of a tenant class."""

    id: Id
    when: When
    """Where the rule applies."""
    then: When | None = None
    """What must hold there; absent for rules that only restrict GPU models or versions."""
    gpu_models: tuple[str, ...] = ()
    """GPU models that will do there (a model matches by prefix: ``A100`` covers ``A100-80GB``); empty: any."""
    kubernetes_min: str = ""
    """Oldest Kubernetes minor version there; follows from ``feature`` where that is stated."""
    feature: str = ""
    """Kubernetes feature that must have reached ``stage`` there."""
    stage: Literal["alpha", "beta", "on", "stable"] = "on"
    """What is demanded of the feature: a stage, or that it is on by default."""
    gpu_pods_per_node: int | None = Field(default=None, ge=1)
    """Most GPU pods per node there."""
    why: str
    """Reason, in words for the person whose design is refused."""
    source: SourceKey = ""
    assumption: Assumed = False


class Conflict(Entry):
    """Facts of a class under which a need cannot be asked."""

    when: When
    """Facts of the class."""
    why: str
    """Reason, in words for the person who asked."""
    cure: str
    """What to change."""


class Need(Entry):
    """Something the platform has to do for its tenants, whatever design does it."""

    id: str
    """Unique id, as scenarios write it."""
    name: str
    """Title, as sentences use it."""
    what: str
    """What it means, in a sentence."""
    default: When
    """Facts of a class and its infrastructure under which it is asked unless the scenario says otherwise."""
    why: str
    """Why it is asked by default where it is."""
    unless: str
    """Why it is not asked by default where it is not."""
    applies: When = Condition("always")
    """Facts of a design under which it matters (a fleet's automation, where there is a fleet)."""
    met: When
    """Traits of options that provide it."""
    prefer: When = Condition("never")
    """Traits of options taken first when a design is completed; others are taken only where none of these is valid."""
    instead: str = ""
    """What happens where nothing provides it, for needs that do not exclude a design; empty: the design is excluded."""
    swaps: tuple[str, ...] = ()
    """Layers in which completing a design may replace what it chose, although every design has to choose there."""
    conflicts: tuple[Conflict, ...] = ()
    """Facts of a class under which asking for it is a contradiction."""
    source: SourceKey = ""
    assumption: bool = False
    """Whether the default or what counts as met is our reading."""


class Tier(Entry):
    """The part of a reference architecture that serves some tenant classes."""

    id: str
    """Name of the tier."""
    when: When = Condition("always")
    """Facts of the classes it serves; tiers are tried in order, the last serves the rest."""
    options: tuple[str, ...] = Field(min_length=1)
    """Options chosen, at most one per layer."""
    completion: tuple[str, ...] = ()
    """Those of the options that the publisher does not fix: our completion (assumption)."""


class Reference(Entry):
    """A published reference architecture as a combination of options."""

    id: str
    """``RA01`` and so on for the published ones."""
    name: str
    """Title."""
    serves: tuple[str, ...]
    """Tenancy it is published for: multi-team, multi-customer, gpuaas, ai-factory, regulated, provider, hybrid."""
    published_by: str
    """Who publishes it."""
    source: str
    """Address of the publication."""
    tiers: tuple[Tier, ...] = Field(min_length=1)
    """One tier, or several for hybrids."""
    alternatives: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Options the publisher allows in place of another."""
    fits: str = ""
    """Where it fits, in the publisher's sense."""
    cautions: tuple[str, ...] = ()
    """What the publisher warns of."""
