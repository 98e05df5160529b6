"""Where the pending pods of a cluster's dump would go, device selectors asked as an audit asks them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TextIO

from kubeanswers.device_selectors import selects_device
from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.quantities import cpu_text, memory_text
from kubeanswers.reading import read_objects
from kubeanswers.scheduling.dump import DumpPlacement, place_dump
from kubeanswers.scheduling.requests import Object
from tenancykit.catalogue.price_entries import Price
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import load_catalogue

_MAX_PODS: Final = "110"
"""Pods per node: the kubelet's default ``maxPods``."""
_TYPE: Final = "node.kubernetes.io/instance-type"


def place(
    paths: Iterable[str | os.PathLike[str]],
    stdin: TextIO,
    *,
    grow: bool = False,
    node_types: Iterable[str | os.PathLike[str]] = (),
) -> DumpPlacement:
    """Return where the pending pods of the dumps would go, or why they stay pending.

    The arguments are those of :func:`tenancykit.place`; ``stdin`` is what ``-`` reads.

    Raises:
        InputError: every fault of the objects; a node type is not known, or a file holds no Node.
    """
    read = read_objects(paths, stdin=stdin)
    if read.faults:
        raise InputError(read.faults)
    items = [*(old for old, _ in read.objects.duplicates), *read.objects]
    places = {id(item.data): str(item.where) for item in items}
    offers = [node for one in node_types for node in _offered(one)]
    asked = offers if grow or offers else None
    return place_dump([item.data for item in items], device_test=selects_device, where=places, offers=asked)


def _offered(node_type: str | os.PathLike[str]) -> Iterator[Object]:
    if not Path(node_type).suffix or not Path(node_type).exists():
        yield _of_price_book(os.fspath(node_type))
        return
    read = read_objects([node_type])
    nodes = [item.data for item in read.objects if item.kind == "Node"]
    if read.faults or not nodes:
        raise InputError(read.faults or [Fault(str(node_type), "holds no Node", "what a new node would be like")])
    yield from nodes


def _of_price_book(name: str) -> Object:
    """Return a node like a machine of the price book, all of which pods may use: what a kubelet keeps is not known."""
    known = {price.id: price for price in load_prices(load_catalogue()).of_kind("node")}
    if name not in known:
        cure = did_you_mean(name, known) or "see: tenancykit catalogue prices"
        raise InputError(Fault(f"--node-type {name}", "is no file and no node type of the price book", cure=cure))
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {_TYPE: name}},
        "status": {"allocatable": _amounts(known[name])},
    }


def _amounts(price: Price) -> dict[str, str]:
    shape = price.node
    if shape is None:
        raise LookupError(f"price {price.id!r} is no machine")
    gpus = {"nvidia.com/gpu": str(shape.gpus)} if shape.gpus else {}
    return {"cpu": cpu_text(shape.cpu), "memory": memory_text(shape.memory), "pods": _MAX_PODS, **gpus}
