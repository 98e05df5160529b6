"""Weights as exchange rates: what a unit of anything is worth in units of one criterion, such as money, and back.

In an additive value model a weight is the value of a swing between two ends. Divided by what a unit of money is worth
on its own scale it becomes a price, which its author can check: R. L. Keeney (2002), Common mistakes in making value
trade-offs, Operations Research 50(6), 935-945.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.table import FloatArray
from tenancykit.decision.value_tree import ValueTree
from tenancykit.decision.weights import Weights


def prices(tree: ValueTree, weights: Weights, money: str) -> FloatArray:
    """Return [leaves] what one unit of each figure for the better is worth in units of the money leaf.

    On average between the leaf's ends; the money leaf's own price is 1.

    Args:
        tree: the value tree.
        weights: weights of its criteria.
        money: name of the leaf whose units are the currency.

    Raises:
        InputError: money weighs nothing, so nothing can be priced in it.
    """
    column = _money(tree, money)
    per_unit = tree.leaf_weights(weights) * np.abs([leaf.function.rate for leaf in tree.leaves])
    if per_unit[column] <= 0:
        cure = f"give {money} a weight above 0"
        raise InputError(Fault("weights", f"{money} weighs nothing, so nothing has a price in it", cure=cure))
    return np.asarray(per_unit / per_unit[column], dtype=np.float64)


@dataclass(frozen=True)
class Price:
    """A stated price of one unit more on some leaves together, in units of the money leaf.

    Attributes:
        leaves: names of the leaves that each gain one unit.
        amount: what that is worth.
    """

    leaves: tuple[str, ...]
    amount: float


def priced(tree: ValueTree, weights: Weights, money: str, stated: Sequence[Price]) -> tuple[ValueTree, Weights]:
    """Return the tree and weights under which stated prices hold; what has no stated price keeps the one it has.

    Within a stated price the leaves keep their proportions. Weights are then what the prices say, so that the only
    thing left of the given ones is the price of what was not stated.

    Args:
        tree: the value tree.
        weights: weights that give a price to what is not stated.
        money: name of the leaf whose units are the currency.
        stated: the prices; no leaf in two of them.

    Raises:
        InputError: a leaf is unknown or priced twice, an amount is negative, or money weighs nothing while something
            is not stated.
    """
    column = _money(tree, money)
    names = [leaf.name for leaf in tree.leaves]
    swings = _swings(tree, weights, column, stated)
    for price in stated:
        places = [names.index(name) for name in price.leaves]
        rates = np.abs([tree.leaves[place].function.rate for place in places])
        parts = swings[places] if swings[places].sum() > 0 else np.array([tree.leaves[p].share for p in places])
        if not parts.sum():
            parts = np.ones(len(places))
        swings[places] = parts * (price.amount / float(parts @ rates))
    totals = np.array([swings[tree.columns(name)].sum() for name in tree.criteria])
    leaves = []
    for leaf, swing in zip(tree.leaves, swings.tolist(), strict=True):
        total = float(totals[tree.criteria.index(leaf.criterion)])
        leaves.append(replace(leaf, share=swing / total) if total > 0 else leaf)
    found = Weights(tree.criteria, totals / totals.sum(), "exchange rates")
    return replace(tree, leaves=tuple(leaves)), found


def _swings(tree: ValueTree, weights: Weights, column: int, stated: Sequence[Price]) -> FloatArray:
    """Return [leaves] the swing of each leaf in money, by the weights; that of money is its own."""
    along = tree.leaf_weights(weights)
    money = 1.0 / abs(tree.leaves[column].function.rate)
    faults = [*_price_faults(tree, column, stated)]
    told = {name for price in stated for name in price.leaves}
    heard = [leaf for leaf, weight in zip(tree.leaves, along, strict=True) if weight]
    silent = [leaf.criterion for leaf in heard if leaf.name not in told]
    if along[column] <= 0 and silent:
        cure = "state what the rest is worth too, or give cost a weight"
        faults.append(Fault("weights", f"{tree.leaves[column].name} weighs nothing, but {silent[0]} does", cure=cure))
    if faults:
        raise InputError(faults)
    swings = along * (money / along[column]) if along[column] > 0 else np.zeros(len(along))
    swings[column] = money
    return np.asarray(swings, dtype=np.float64)


def _price_faults(tree: ValueTree, column: int, stated: Sequence[Price]) -> list[Fault]:
    names = [leaf.name for leaf in tree.leaves]
    faults, seen = [], {tree.leaves[column].name}
    for price in stated:
        for name in price.leaves:
            if name not in names:
                faults.append(Fault("exchange rate", f"no leaf {name!r}", ", ".join(names)))
            elif name in seen:
                faults.append(Fault("exchange rate", f"{name!r} is priced twice", "one price per leaf"))
            seen.add(name)
        if not (np.isfinite(price.amount) and price.amount >= 0):
            faults.append(Fault("exchange rate", f"is {price.amount:g}", "a finite amount, zero or more"))
    return faults


def _money(tree: ValueTree, money: str) -> int:
    names = [leaf.name for leaf in tree.leaves]
    if money not in names:
        raise InputError(Fault("exchange rate", f"no leaf {money!r}", ", ".join(names)))
    return names.index(money)


def together(tree: ValueTree, price_of: FloatArray, leaves: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return what one unit more on every leaf of a group is worth, per group."""
    names = [leaf.name for leaf in tree.leaves]
    return {group: float(sum(price_of[names.index(name)] for name in members)) for group, members in leaves.items()}


__all__ = ["Price", "priced", "prices", "together"]
