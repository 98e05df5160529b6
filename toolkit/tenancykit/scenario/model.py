"""What is asked: tenants, workloads, infrastructure, team, requirements, weights. Frozen; unknown keys are refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from kubeanswers import quantities
from tenancykit.criterion_names import CRITERIA
from tenancykit.scenario.fields import (
    MAX_TENANTS,
    CpuMilli,
    CriterionId,
    Finite,
    Image,
    Level,
    Line,
    MemoryBytes,
    Model,
    Money,
    Slug,
    TenantName,
    Text,
    Version,
    Word,
)
from tenancykit.scenario.judgement import Plane, Scales, Worth

Skill = Literal["kubernetes", "networking", "gpu", "security", "storage", "virtualisation", "gitops"]
"""Fields of knowledge that effort estimates name."""


PatchKind = Literal["kernel", "node-agent", "control-plane", "gpu-driver", "addon", "hypervisor", "firmware"]
"""Kinds of component whose flaws are patched together."""


class GpuRequest(Model):
    """What one replica asks of GPUs."""

    count: int = Field(default=1, ge=0, le=64)
    """Number of GPUs per replica; 1 when a fraction is asked."""
    fraction: Annotated[Finite, Field(gt=0, le=1)] | None = None
    """Share of one GPU (0 < fraction <= 1); only with count 1."""
    memory: MemoryBytes | None = None
    """GPU memory needed per GPU; decides which MIG profile or card fits."""
    models: tuple[Word, ...] = ()
    """GPU models that will do, as the price book names them (``H100-80GB``); empty means any."""


class Storage(Model):
    """Persistent storage of one replica."""

    size: MemoryBytes
    """Size of the volume."""
    shared: bool = False
    """Whether all replicas of the workload mount the same volume (model weights, data sets)."""


class Exposure(Model):
    """How a workload is reached from outside its pods."""

    scope: Literal["internal", "public"] = "internal"
    """``internal``: from inside the organisation's network; ``public``: from the internet."""
    service_discovery: bool = True
    """Whether other workloads of the tenant find it by DNS name (a Service)."""
    load_balanced: bool = True
    """Whether requests are spread over replicas by a load balancer."""
    port: int = Field(default=8080, ge=1, le=65535)
    """TCP port the containers listen on."""


class Demand(Model):
    """How much of a workload is active over time, as a share of its replicas."""

    profile: Literal["constant", "diurnal", "bursty", "campaigns", "trace"] = "constant"
    """Shape over time; ``trace`` reads ``file``."""
    mean: Annotated[Finite, Field(ge=0, le=1)] = 1.0
    """Mean share of replicas active (0-1); ignored for ``trace``."""
    least: int = Field(default=0, ge=0, le=1_000_000)
    """Fewest replicas per tenant that are kept when fewer are wanted; 0: scales to zero, and who comes first then waits
    for a cold start. It adds to the mean."""
    seed: int = 0
    """Seed of the generated profile."""
    file: Line = ""
    """CSV beside the scenario with columns ``tenant,hour,active`` (active replicas), for ``trace``."""


class Workload(Model):
    """A template of something tenants run."""

    id: Slug
    """Name of the template, used by tenant classes."""
    kind: Literal["training", "inference", "notebook", "batch", "service"]
    """What it is; decides the Kubernetes kind of the sample manifests (Job, Deployment, StatefulSet)."""
    replicas: int = Field(default=1, ge=1, le=1_000_000)
    """Pods per tenant."""
    cpu: CpuMilli = 1000
    """CPU request of one replica."""
    memory: MemoryBytes = 2 * quantities.GIB
    """Memory request of one replica."""
    gpu: GpuRequest | None = None
    """GPU request of one replica; absent for CPU-only workloads."""
    gang: int = Field(default=1, ge=1, le=100_000)
    """Replicas that must start together (all or nothing)."""
    priority: int = Field(default=0, ge=-1_000_000_000, le=1_000_000_000)
    """Kubernetes priority value."""
    preemptible: bool = False
    """Whether it may be stopped in favour of higher priority."""
    storage: Storage | None = None
    """Persistent volume of one replica."""
    exposure: Exposure | None = None
    """How it is reached; absent when nothing calls it."""
    untrusted_code: bool = False
    """Whether it runs code the platform's owner does not vouch for."""
    rdma: bool = False
    """Whether replicas talk over InfiniBand or RoCE."""
    image: Image = "registry.k8s.io/pause:3.10"
    """Container image of the sample manifests."""
    demand: Demand = Demand()
    """Share of replicas active over time."""


class WorkloadUse(Model):
    """A tenant's use of a workload template."""

    template: Slug
    """Id of the template."""
    replicas: int | None = Field(default=None, ge=0, le=1_000_000)
    """Replaces the template's replicas; 0 removes it."""
    demand: Demand | None = None
    """Replaces the template's demand."""


class ClassRequirements(Model):
    """What must hold for every tenant of a class."""

    isolation: Level | None = None
    """Least isolation level over both planes."""
    control_plane: Level | None = None
    """Least isolation level of the control plane."""
    data_plane: Level | None = None
    """Least isolation level of the data plane (compute, network, storage, accelerator)."""
    max_slowdown: Annotated[Finite, Field(ge=1, le=100)] | None = None
    """Most that neighbours and sandboxes may slow tenants of the class down on average (1.2: a fifth more time)."""
    own_crds: bool = False
    """Whether tenants bring their own CustomResourceDefinitions or admission webhooks."""
    require_options: tuple[str, ...] = ()
    """Catalogue options every accepted design must choose for the class."""
    forbid_options: tuple[str, ...] = ()
    """Catalogue options no accepted design may choose for the class."""


class Quota(Model):
    """Cap on what one tenant may request; absent fields are sized from its workloads."""

    cpu: CpuMilli | None = None
    """Cap on CPU requests."""
    memory: MemoryBytes | None = None
    """Cap on memory requests."""
    gpus: int | None = Field(default=None, ge=0)
    """Cap on whole GPUs."""
    storage: MemoryBytes | None = None
    """Cap on storage requests."""


class TenantClass(Model):
    """Tenants that are alike: same kind, trust, compliance and workloads."""

    id: Slug
    """Name of the class; prefix of generated tenant names."""
    name: Line = ""
    """Title for people."""
    kind: Literal["team", "customer"]
    """``team``: members hold API access; ``customer``: an instance of the workload is run for them."""
    count: int = Field(ge=1, le=MAX_TENANTS)
    """Number of tenants today."""
    growth_per_year: Annotated[Finite, Field(ge=-0.99, le=100)] = 0.0
    """Growth of the count per year (0.5 = half as many again)."""
    api_access: Literal["none", "namespace", "cluster"] | None = None
    """Kubernetes API rights tenants hold: none, inside their namespaces, or cluster-wide (own CRDs, own roles).
    Default: ``namespace`` for teams, ``none`` for customers."""
    trust: Literal["trusted", "semi-trusted", "untrusted"] | None = None
    """How far tenants of the class trust each other. Default: semi-trusted for teams, untrusted for customers."""
    compliance: tuple[Word, ...] = ()
    """Compliance regimes, such as ``hipaa``, ``pci-dss``, ``iso27001``."""
    residency: tuple[Word, ...] = ()
    """Jurisdictions where data must stay, such as ``eu``; empty means anywhere."""
    service_tier: Literal["basic", "standard", "premium"] = "standard"
    """What they pay for."""
    environment: Literal["production", "development"] = "production"
    """What the class is for."""
    workloads: tuple[WorkloadUse, ...] = Field(min_length=1)
    """What each tenant of the class runs."""
    quota: Quota = Quota()
    """Caps per tenant."""
    committed_gpus: Annotated[Finite, Field(ge=0, le=1e6)] = 0.0
    """GPUs that each tenant has committed itself to pay for, used or not; its bill takes them from what is idle."""
    requirements: ClassRequirements = ClassRequirements()
    """What must hold for the class."""
    needs: dict[Word, bool] = Field(default_factory=dict)
    """Needs the class asks (true) or does not (false); they go before those of the scenario."""
    egress_gib_month: Annotated[Finite, Field(ge=0, le=1e12)] = 0.0
    """Traffic to the internet per tenant and month, GiB."""
    cross_zone_gib_month: Annotated[Finite, Field(ge=0, le=1e12)] = 0.0
    """Traffic between a region's zones per tenant and month, GiB, each GiB once; what is not stated is not counted."""


class NamedTenant(Model):
    """A tenant with a name of its own; counts towards its class."""

    name: TenantName
    """Any printable name; mapped to a Kubernetes name."""
    tenant_class: Slug = Field(alias="class")
    """Id of its class."""
    kubernetes_name: Slug | None = None
    """Fixes the Kubernetes name instead of deriving it."""
    workloads: tuple[WorkloadUse, ...] | None = None
    """Replaces the class's workloads."""
    groups: tuple[Word, ...] = ()
    """Groups of the identity provider whose members act for the tenant; default ``tenant:<kubernetes name>``."""


class Tenants(Model):
    """Who shares the platform."""

    classes: tuple[TenantClass, ...] = Field(min_length=1)
    """Kinds of tenants."""
    named: tuple[NamedTenant, ...] = ()
    """Tenants with names; the rest of a class's count get generated names."""


class NodeSpec(Model):
    """A node type that is not in the price book."""

    cpu: CpuMilli
    """CPU of the machine."""
    memory: MemoryBytes
    """Memory of the machine."""
    gpus: int = Field(default=0, ge=0, le=64)
    """GPUs of the machine."""
    gpu_model: Line = ""
    """GPU model as the price book names models, such as ``A100-80GB``."""
    price_per_hour: Money
    """Price of the machine per hour, in the scenario's currency, everything included."""
    bare_metal: bool | None = None
    """Whether the node is a whole physical host; unless stated, machines of one's own (provider ``own``) are."""


class NodeOffer(Model):
    """Machines that exist (count) or may be bought (elastic)."""

    type: Word
    """Id in the price book (``tenancykit catalogue prices`` lists them), or a name for ``spec``."""
    spec: NodeSpec | None = None
    """Own node type, when the price book does not know it."""
    count: int | None = Field(default=None, ge=0, le=1_000_000)
    """Machines that exist; required for a fixed fleet."""
    term: Literal["on-demand", "reserved", "reserved-3y", "spot", "capacity-block"] = "on-demand"
    """How the machine is paid."""


class Site(Model):
    """A place where clusters run."""

    id: Slug
    """Name of the site."""
    provider: Word
    """``aws``, ``azure``, ``gcp``, a GPU cloud, or ``own`` for own hardware."""
    region: Line = ""
    """Region as the provider names it."""
    jurisdiction: Line = ""
    """Where the data is in law, such as ``eu``; checked against the classes' residency."""


class Infrastructure(Model):
    """What the platform stands on."""

    mode: Literal["fixed", "elastic"] = "elastic"
    """``fixed``: the counted nodes are all there is; ``elastic``: nodes are bought as needed."""
    buying: Literal["allowed", "refused"] | None = None
    """Whether a design that a fixed fleet does not hold may be admitted with the machines it lacks bought and priced.
    Default: refused. Only with ``mode: fixed``."""
    sites: tuple[Site, ...] = Field(min_length=1)
    """Places where clusters run."""
    nodes: tuple[NodeOffer, ...] = Field(min_length=1)
    """Node types in use or on offer."""
    price_book: Line = ""
    """YAML beside the scenario that overrides or extends the catalogue's prices."""
    currency: Word = "USD"
    """Currency of every amount in the scenario."""
    control_plane: Literal["managed", "self-managed"] = "managed"
    """Who runs the control plane of ordinary clusters."""
    virtualised: bool | None = None
    """Whether nodes are virtual machines on hosts that other tenants may share. Default: they are, unless every node
    type is a whole physical host."""
    provider_trust: Literal["trusted", "contractual", "distrusted"] = "trusted"
    """How far the provider's staff and other customers are kept out of the question: ``trusted``: not looked at;
    ``contractual``: held back by contract and audit; ``distrusted``: attackers like any other."""
    fabric: Literal["none", "infiniband", "roce"] = "none"
    """RDMA fabric between GPU nodes."""
    high_availability: bool = True
    """Whether control planes and gateways run in threes."""

    def is_whole_host(self, spec: NodeSpec) -> bool:
        """Return whether a node type of one's own is a whole physical host: stated, or all sites being one's own."""
        return all(site.provider == "own" for site in self.sites) if spec.bare_metal is None else spec.bare_metal

    @property
    def on_virtual_machines(self) -> bool:
        """Whether nodes are virtual machines: stated, or some node type not known to be a whole physical host."""
        if self.virtualised is not None:
            return self.virtualised
        return not all(offer.spec and self.is_whole_host(offer.spec) for offer in self.nodes)


class Team(Model):
    """Who builds and runs the platform, and what is there already."""

    engineers: Annotated[Finite, Field(gt=0, le=10_000)] = 3.0
    """Platform engineers, full-time equivalents."""
    running: tuple[str, ...] = ()
    """Catalogue options or components that already run and are known."""
    skills: dict[Skill, Literal["none", "basic", "good", "expert"]] = Field(default_factory=dict)
    """How well the team knows each field; fields that are not named count as good."""
    automation: Literal["manual", "scripts", "gitops"] = "gitops"
    """How changes reach clusters."""
    admission: Literal["enforce", "audit"] = "enforce"
    """Whether admission policies and Pod Security levels refuse what breaks them, or only report it."""
    checks: tuple[Literal["ci", "verify"], ...] = ()
    """What looks after the configuration: ``ci``: manifests are checked in the build pipeline; ``verify``: the running
    clusters are verified on a schedule."""
    day_rate: Money | None = None
    """Cost of one engineer's day; default from the price book by ``labour_region``."""
    labour_region: Literal["na", "eu"] = "na"
    """Where the team is paid, for the default day rate."""
    on_call: bool = True
    """Whether the platform is supported around the clock."""


class Requirements(Model):
    """Hard limits on the whole platform; a design that misses one is excluded with the distance."""

    budget_per_month: Money | None = None
    """Most that may be spent per month, people included, in the scenario's currency."""
    go_live_weeks: Annotated[Finite, Field(gt=0)] | None = None
    """Weeks until the platform must serve its tenants (P50 of the schedule)."""
    platform_engineers: Annotated[Finite, Field(gt=0)] | None = None
    """Most people that operations may need (P50)."""
    isolation: Level | None = None
    """Least isolation level for every class that states none of its own."""


class Weights(Model):
    """Relative importance of the four criteria; they add up to 1 unless ``normalise`` is set."""

    isolation: Annotated[Finite, Field(ge=0, le=1_000_000)] = 0.25
    """Weight of the isolation level."""
    effort: Annotated[Finite, Field(ge=0, le=1_000_000)] = 0.25
    """Weight of implementation effort."""
    operations: Annotated[Finite, Field(ge=0, le=1_000_000)] = 0.25
    """Weight of operational complexity."""
    cost: Annotated[Finite, Field(ge=0, le=1_000_000)] = 0.25
    """Weight of service cost."""
    added: dict[CriterionId, Annotated[Finite, Field(ge=0, le=1_000_000)]] = Field(default_factory=dict)
    """Weights of criteria registered beside the four, by id; 0 where not stated."""
    normalise: bool = False
    """Divide by the sum instead of demanding that it is 1."""

    @classmethod
    def by_criterion(cls, weights: Mapping[str, float], *, normalise: bool = False) -> Weights:
        """Return weights given by criterion, whichever they are.

        Raises:
            ValidationError: a weight is negative or not finite, or there is no such criterion.
        """
        known = {name: value for name, value in weights.items() if name in cls.model_fields}
        added = {name: value for name, value in weights.items() if name not in known}
        return cls.model_validate({**known, "added": added, "normalise": normalise})

    def of_criteria(self) -> dict[str, float]:
        """Return the weight of every criterion, in the order they are shown."""
        stated = {name: float(getattr(self, name)) for name in type(self).model_fields if name in CRITERIA}
        return {name: stated[name] if name in stated else float(self.added.get(name, 0.0)) for name in CRITERIA}


class Scenario(Model):
    """Everything a comparison is asked about."""

    schema_version: Literal["tenancykit/scenario/v1"] = Field(alias="schema")
    """Version of this format."""
    name: Slug
    """Short name, used for folders."""
    title: Line = ""
    """Title for people."""
    description: Text = ""
    """What the scenario is about."""
    credit: Text = ""
    """Where figures in it come from, and the credit their terms ask for."""
    kubernetes: Version = "1.37"
    """Kubernetes minor version, in quotes."""
    tenants: Tenants
    """Who shares the platform."""
    workloads: tuple[Workload, ...] = Field(min_length=1)
    """Templates of what tenants run."""
    patch_days: dict[PatchKind, Annotated[Finite, Field(gt=0, le=10_000)]] = Field(default_factory=dict)
    """Days from disclosure of a flaw to its patch on the last machine, per kind of component; kinds that are not named
    take published times (``tenancykit catalogue beliefs``)."""
    infrastructure: Infrastructure
    """What the platform stands on."""
    team: Team = Team()
    """Who builds and runs it."""
    requirements: Requirements = Requirements()
    """Hard limits."""
    needs: dict[Word, bool] = Field(default_factory=dict)
    """Needs every class asks (true) or does not (false); the others follow from the classes (``tenancykit check``)."""
    weights: Weights = Weights()
    """Relative importance of the criteria."""
    worth: Worth = Worth()
    """Exchange rates in money that replace what the weights say about the same."""
    scales: Scales = Scales()
    """Ends of the scales the figures are valued on; derived where not stated."""
    stakes: dict[Plane, Annotated[Finite, Field(ge=0, le=1_000_000)]] = Field(default_factory=dict)
    """How much each plane of isolation counts beside the others; 1 where not stated."""
    stakeholders: dict[Word, Weights] = Field(default_factory=dict)
    """Weights per stakeholder (platform, security, finance, tenant)."""
    _folder: Path | None = PrivateAttr(default=None)

    @property
    def folder(self) -> Path | None:
        """Folder the scenario was read from; files it names lie there. None for scenarios made in memory."""
        return self._folder

    def in_folder(self, folder: Path) -> Scenario:
        """Return the scenario with the files it names looked for in ``folder``."""
        placed = self.model_copy()
        placed._folder = folder  # noqa: SLF001 - its own private attribute, on the copy
        return placed

    def tenant_class(self, identifier: str) -> TenantClass:
        """Return the class with this id.

        Raises:
            KeyError: there is none.
        """
        for found in self.tenants.classes:
            if found.id == identifier:
                return found
        raise KeyError(identifier)

    def workload(self, identifier: str) -> Workload:
        """Return the workload template with this id.

        Raises:
            KeyError: there is none.
        """
        for found in self.workloads:
            if found.id == identifier:
                return found
        raise KeyError(identifier)
