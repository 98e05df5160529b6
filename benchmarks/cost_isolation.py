"""What isolation costs in machines: tenants on machines of their own against sharing, by number of tenants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from harness import line, report
from kubeanswers.quantities import GIB
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.cost.placement.devices import FRACTION
from tenancykit.criteria.cost.placement.elastic import buy
from tenancykit.criteria.cost.placement.values import NodeClass, PodClass

SMALL, LARGE = ("aws_m7i_xlarge",), ("aws_m7i_4xlarge",)
GPU_SMALL, GPU_LARGE = ("aws_g6_12xlarge",), ("aws_p4d_24xlarge",)
CHOICE = ("aws_g6_xlarge", "aws_g6_12xlarge", "aws_p4d_24xlarge", "aws_m7i_4xlarge")

TRAINING = [PodClass("train", 4, 11_000, 64 * GIB, 1, gang=4), PodClass("notebook", 2, 2000, 8 * GIB, 1, 500)]
TENANTS_PODS = {
    "web service (3 x 250m, 512Mi) on 4-core nodes": ([PodClass("web", 3, 250, GIB // 2)], SMALL),
    "data team (4 x 2 cores, 8Gi) on 16-core nodes": ([PodClass("job", 4, 2000, 8 * GIB)], LARGE),
    "inference (2 x a quarter GPU) on 4 x L4 nodes": ([PodClass("llm", 2, 2000, 8 * GIB, 1, 250)], GPU_SMALL),
    "training (4 GPUs) and notebooks on 8 x A100 nodes": (TRAINING, GPU_LARGE),
    "training (4 GPUs) and notebooks on the cheapest nodes": (TRAINING, CHOICE),
}
"""What one tenant runs (assumptions), and the machines to choose from. With a choice of machines isolation may take
fewer of them and still cost more: the price ratio says so."""


TENANTS: Final = (1, 10, 50, 100, 200, 500)
"""Numbers of tenants the cost of isolation is shown for."""


@dataclass(frozen=True)
class CostOfIsolation:
    """Machines for a number of equal tenants, shared and dedicated.

    Attributes:
        tenants: number of tenants.
        shared: machines when all share.
        dedicated: machines when none shares.
        shared_price: price of the shared machines per hour.
        dedicated_price: price of the dedicated machines per hour.
    """

    tenants: int
    shared: int
    dedicated: int
    shared_price: Decimal
    dedicated_price: Decimal

    @property
    def extra_nodes(self) -> int:
        """Machines that isolation adds."""
        return self.dedicated - self.shared

    @property
    def price_ratio(self) -> float:
        """Price dedicated over price shared; 1 where nothing is bought."""
        return float(self.dedicated_price / self.shared_price) if self.shared_price else 1.0


def cost_of_isolation(
    pods: Sequence[PodClass], types: Sequence[NodeClass], tenants: Iterable[int] = TENANTS
) -> tuple[CostOfIsolation, ...]:
    """Return what isolation on machines of their own costs equal tenants, beside sharing.

    The purchase for a tenant alone is also a way to house a tenant among others; where packing all tenants together
    comes out dearer than that (packing is not exact), the tenants' own machines are taken as the shared ones.

    Args:
        pods: what one tenant runs.
        types: machines to choose from.
        tenants: numbers of tenants.
    """
    alone = buy(pods, types, bound=None)
    machines = sum(alone.nodes.values())
    rows = []
    for number in tenants:
        together = buy([replace(pod, count=pod.count * number) for pod in pods], types, bound=None)
        shared, price = sum(together.nodes.values()), together.price
        if price > alone.price * number:
            shared, price = machines * number, alone.price * number
        rows.append(CostOfIsolation(number, shared, machines * number, price, alone.price * number))
    return tuple(rows)


def machines(names: tuple[str, ...]) -> list[NodeClass]:
    """Return machines of the price book; GPUs may be shared in any fraction."""
    book = load_prices(load_catalogue())
    result = []
    for name in names:
        price, shape = book[name].amount, book[name].node
        if price is None or shape is None:
            raise LookupError(f"{name} is no machine with a list price")
        result.append(
            NodeClass(
                name,
                None,
                shape.cpu,
                shape.memory,
                shape.gpus,
                shape.gpu_model,
                shape.gpu_memory,
                FRACTION,
                price=price,
            )
        )
    return result


def isolation() -> list[dict[str, object]]:
    """Extra machines and price ratio for each kind of tenant and number of tenants."""
    return [
        line(
            f"extra machines, {what}",
            row.extra_nodes,
            "nodes",
            n=row.tenants,
            ratio_to={"price of sharing": round(row.price_ratio, 3)},
            shared=row.shared,
            dedicated=row.dedicated,
        )
        for what, (pods, names) in TENANTS_PODS.items()
        for row in cost_of_isolation(pods, machines(names))
    ]


if __name__ == "__main__":
    report(__doc__ or "", [isolation])
