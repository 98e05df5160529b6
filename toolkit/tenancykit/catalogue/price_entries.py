"""Entries of the price book: what something costs, with its unit, its terms, its date and where it was read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from kubeanswers import quantities
from tenancykit.catalogue.model import Assumed, Entry, Note, SourceKey, When
from tenancykit.conditions import ALWAYS

HOURS_PER_YEAR: Final = quantities.HOURS_PER_MONTH * 12

Kind = Literal[
    "node",
    "control-plane",
    "load-balancer",
    "nat-gateway",
    "nat-traffic",
    "egress",
    "cross-zone",
    "storage",
    "licence",
    "labour",
    "facility",
    "electricity",
    "resource",
    "factor",
    "exchange-rate",
]
Per = Literal[
    "hour",
    "gib",
    "gib-month",
    "gib-hour",
    "core-hour",
    "gpu-hour",
    "gpu-year",
    "kw-month",
    "kwh",
    "person-day",
    "person-year",
    "ratio",
    "days-per-year",
    "kw",
    "percent-of-nodes",
    "core-hour-of-nodes",
]
Term = Literal["on-demand", "reserved", "reserved-3y", "spot", "capacity-block"]
"""How a machine is bought: by the hour, committed for one or three years, interruptible, or as a block of days."""
OtherTerm = Literal["reserved", "reserved-3y", "spot", "capacity-block"]
Confidence = Literal["A", "B", "C"]

BASE_CURRENCY: Final = "USD"
"""Exchange rates are amounts of another currency for one of this."""
WITHOUT_CURRENCY: Final = frozenset({"factor"})
"""Kinds that are not amounts of money."""

SPREAD: Final[Mapping[Confidence, Decimal]] = MappingProxyType(
    {"A": Decimal("0.05"), "B": Decimal("0.15"), "C": Decimal("0.30")}
)
"""Assumption: how far the price paid may lie from the listed one, either way, where the entry states no range. A list
price read from the provider's own feed drifts less than one quoted by a third party, an estimate most."""


def _amount(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{value!r} is not an amount; write a number")  # noqa: TRY004 - pydantic collects ValueErrors
    amount = value if isinstance(value, Decimal) else quantities.parse_quantity(value)
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{value!r} is not an amount; write a number of zero or more")
    return amount


def _cpu(value: Any) -> int:
    milli = quantities.millis(value)
    if milli <= 0:
        raise ValueError(f"{value!r} is no CPU capacity; write more than zero")
    return milli


def _memory(value: Any) -> int:
    size = quantities.whole(value)
    if size <= 0:
        raise ValueError(f"{value!r} is no memory capacity; write more than zero")
    return size


Amount = Annotated[Decimal, BeforeValidator(_amount, json_schema_input_type=str | float)]
"""An exact amount, zero or more."""
Cpu = Annotated[int, BeforeValidator(_cpu, json_schema_input_type=str | float)]
"""CPU capacity in millicores; written as a Kubernetes quantity."""
Memory = Annotated[int, BeforeValidator(_memory, json_schema_input_type=str | int)]
"""Memory capacity in bytes; written as a Kubernetes quantity."""


class NodeShape(Entry):
    """What a machine holds."""

    cpu: Cpu
    """CPU of the machine (hardware threads, as clouds count vCPU)."""
    memory: Memory
    """Memory of the machine."""
    gpus: int = Field(default=0, ge=0, le=64)
    """GPUs of the machine."""
    gpu_model: str = ""
    """GPU model with its memory, such as ``A100-80GB``; the name scenarios use."""
    bare_metal: bool = False
    """Whether the machine is a whole physical host."""
    assumption: bool = False
    """Whether a figure of the shape is our reading."""

    @model_validator(mode="after")
    def _gpu_named(self) -> Self:
        if bool(self.gpus) != bool(self.gpu_model):
            raise ValueError("gpus and gpu_model go together; write both or neither")
        return self

    @property
    def gpu_memory(self) -> int:
        """Memory of one GPU in bytes, from the model's name; 0 where the name does not say."""
        return gpu_memory(self.gpu_model)


class OwnHardware(Entry):
    """A machine that is bought, not rented."""

    capex: Amount
    """Purchase price of the machine with its share of network and racks."""
    years: Annotated[float, Field(gt=0, le=20)]
    """Years over which it is written off."""
    power_kw: Annotated[Decimal, BeforeValidator(_amount, json_schema_input_type=str | float)]
    """Greatest electrical power, kW; also the power the facility is paid for."""
    load: Annotated[Decimal, BeforeValidator(_amount, json_schema_input_type=str | float)] = Decimal("0.7")
    """Mean share of that power drawn (assumption unless the entry says otherwise)."""
    support_share: Annotated[Decimal, BeforeValidator(_amount, json_schema_input_type=str | float)] = Decimal("0.05")
    """Yearly maintenance contract as a share of capex (assumption unless the entry says otherwise)."""


class Price(Entry):
    """One price, with where and when it was read."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", examples=["acme_h100_8"])
    """Unique id; node types of a scenario name it."""
    kind: Kind
    """What is paid for."""
    name: str = ""
    """Title for people."""
    provider: str = ""
    """Who charges it; empty where it holds for any provider."""
    region: str = "global"
    """Region it was listed for."""
    amount: Amount | None = None
    """Price per unit, in the currency; absent for own hardware, whose price follows from ``own``, and where only
    ``terms`` are sold."""
    low: Amount | None = None
    """Lower end of its range (P10), where known."""
    high: Amount | None = None
    """Upper end of its range (P90), where known."""
    per: Per
    """Unit the amount is for."""
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$", examples=["USD"])
    """Currency, ISO 4217; every price needs one."""
    terms: dict[OtherTerm, Amount] = Field(default_factory=dict)
    """Amounts under other terms, where they are known; a labelled factor stands in otherwise."""
    sku: str = ""
    """For nodes: the provider's own name of the machine type, by which its price files are read."""
    node: NodeShape | None = None
    """For nodes: what the machine holds."""
    own: OwnHardware | None = None
    """For own hardware: what its price follows from."""
    standard: bool = False
    """For control planes: whether this is the provider's ordinary production tier."""
    when: When = ALWAYS
    """For licences, and tiers of control planes: facts of a class under which it is due."""
    source: SourceKey = ""
    as_of: str = Field(pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$", examples=["'2026-11-01'", "'2026-11'", "'2026'"])
    """Date of the price, as precise as known (``2026-07-20``, ``2026-02``, ``'2026'``)."""
    confidence: Confidence
    """A: the provider's own feed or page; B: a third party quoting it; C: an estimate."""
    assumption: Assumed = False
    note: Note = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.currency is None and self.kind not in WITHOUT_CURRENCY:
            raise ValueError(f"price {self.id!r} has no currency; write one, such as currency: USD")
        if self.amount is not None and self.own is not None:
            raise ValueError(f"price {self.id!r} needs either an amount or own hardware to derive it from, not both")
        if self.amount is None and self.own is None and not self.terms:
            raise ValueError(f"price {self.id!r} needs either an amount or own hardware to derive it from")
        if (self.kind == "node") != (self.node is not None):
            raise ValueError(f"price {self.id!r}: kind node and the section node go together")
        if not self.source and not self.assumption:
            raise ValueError(f"price {self.id!r} has no source; name one, or write assumption: true")
        if self.amount is not None:
            low, high = self.low or self.amount, self.high or self.amount
            if not low <= self.amount <= high:
                raise ValueError(f"price {self.id!r}: low <= amount <= high does not hold")
        return self


_MODEL_MEMORY: Final = re.compile(r"-([0-9]+)GB$")


def gpu_memory(model: str) -> int:
    """Return the memory of a GPU in bytes from its model's name (``H100-80GB``), or 0 where the name does not say.

    Vendors' GB are counted as GiB here, so that a request written ``80Gi`` fits the card sold as 80 GB.
    """
    found = _MODEL_MEMORY.search(model)
    return int(found[1]) * quantities.GIB if found else 0
