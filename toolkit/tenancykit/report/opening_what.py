"""The first line: what is recommended, and for how much money, how many weeks and people."""

from __future__ import annotations

from typing import Final

from kubeanswers.terminal import counted
from tenancykit.design.model import ClassDesign
from tenancykit.design.needs import asked_needs
from tenancykit.report.calling import EACH, brief, heads, tight
from tenancykit.report.completing import (
    cut_coarsely,
    goes_without,
    lacks,
    left_out,
    machines_of,
    of_ones_own,
    priced_as,
    purchase,
    runs_on,
    swapped,
)
from tenancykit.report.opening_line import LINE, fitted
from tenancykit.sentences import listed, three_digits
from tenancykit.study.evaluation import Evaluation

_FAIR: Final = "fair-queueing"
"""The need by which jobs of several tenants wait in one queue."""
_BY: Final = "queues by "
"""How the words of most queues begin."""


def recommended(best: Evaluation, *, word: str = "Recommended") -> str:
    """Return a design in plain words with its money, weeks, people, hires, purchases and what it goes without.

    Args:
        best: the design.
        word: what is said of it.
    """
    return recommended_line(best, word)[0]


def recommended_line(best: Evaluation, word: str = "Recommended", dearer: str = "") -> tuple[str, list[str]]:
    """Return what :func:`recommended` returns, and what did not fit the line.

    Args:
        best: the design.
        word: what is said of it.
        dearer: how much more it costs than what else would do, in words; empty where that is not said.
    """
    money = best.scenario.infrastructure.currency
    cost, effort, operations = (best.scores[name] for name in ("cost", "effort", "operations"))
    people, rota = operations.figures["people_needed"], operations.figures["on_call_minimum"]
    by = f"run by {'one person' if people == 1 else f'{people} people'}"
    hired = f", {hires(best)} than the team has" if hires(best) else ""
    shifts = " for an on-call rota" if hired and people == rota else ""
    price = (
        f"for {three_digits(cost.value)} {money} a month ({three_digits(cost.low)} to {three_digits(cost.high)})"
        f"{dearer and f', {dearer}'}, "
        f"built in {_weeks(effort.figures['weeks_p50'])}, {by}{shifts}{hired}"
    )
    full, lacking = best.resolved.long or best.name, goes_without(best)
    musts = [*(f"It {text}." for text in [purchase(best, digits=3)] if text), *(f"For {text}." for text in lacking)]
    short = [f"It {text}." for text in [purchase(best, digits=3, brief=True)] if text]
    short += [f"No {need} for {listed(ids)}." for need, ids in lacks(best).items()]
    names = [full, best.name, brief(best), tight(best)]
    machines = machines_of(best)
    many, own = sum(machines.values()), bool(machines) and of_ones_own(best)
    takes = f"It takes {counted(many, 'machine')}." if machines else ""
    on = f", on {counted(many, 'machine')}" if own else ""
    tiers = [(f"{price}{on}.", musts), (f"{price}{on}.", short), (f"{price}.", short)]
    queue, no_queue = queues(best)
    name, said = _fitting(word, [*names, heads(best)], tiers, queue)
    said, _ = fitted(said, [no_queue, "" if own else takes])
    more = [f"In full: {full}."] if name != full else []
    more += [text for text in (*musts, *cut_coarsely(best)) if text not in said]
    more += [f"It {text}." for text in [runs_on(best)] if text]
    more += filter(None, [priced_as(best)])
    if changed := swapped(best):
        more.append(f"It takes {changed}, which the scenario's machines, trust or required isolation do not allow for.")
    if left := left_out(best):
        more.append(f"It {left}.")
    if needs := provided(best):
        more.append(f"It provides what the scenario needs: {needs}.")
    rest = ", the least for an on-call rota" if people == rota and people > 1 else ""
    waiting = "; the cost holds the work of those to hire, not their waiting on call" if hires(best) else ""
    more.append(
        f"Work: {three_digits(effort.value)} person-days to build, {three_digits(operations.value)} hours a month; {by}"
        f"{rest}{waiting}."
    )
    return said, more


def _fitting(word: str, names: list[str], tiers: list[tuple[str, list[str]]], queue: str) -> tuple[str, str]:
    """Return the longest name with which everything that must be said fits one line, and the line.

    What must be said gives way to its short form before the name is cut to whose clusters there are, and what stands
    there in brackets goes last. Jobs' queues come before parts of the name that are no queue.

    Args:
        word: what is said of the design.
        names: of the design, longest first.
        tiers: its price with what else must be said, in full first; the last where no name leaves room for another.
        queue: by what jobs queue, as a sentence or empty.
    """
    *ample, (price, musts) = tiers
    ways = [(name, *tier) for tier in ample for name in names[:3]]
    ways += [(name, *tier) for name in names[3:] for tier in ample]
    ways += [(name, price, musts) for name in names]
    ways += [(name, price, [text.partition(" (")[0].rstrip(".") + "." for text in musts]) for name in names[3:]]
    if queue:
        queued = [(n, p, told if _BY in n else [*told, queue]) for n, p, told in ways if not n.startswith(EACH)]
        ways = [*queued, *ways]
    lines = [(name, " ".join([f"{word}: {name}, {price}", *told])) for name, price, told in ways]
    return next((line for line in lines if len(line[1]) <= LINE), lines[-1])


def queues(best: Evaluation) -> tuple[str, str]:
    """Return how jobs queue where tenants need a fair queue, and who need none after all, as sentences or empty.

    Tenants of one cluster who have GPU nodes of their own share nothing that a queue would serve.
    """
    asks = [one for one in best.resolved.classes if not one.cluster.per_tenant and _asks_fair(best, one)]
    found: dict[str, list[str]] = {}
    alone = []
    for resolved in asks:
        need, queue = best.catalogue.needs[_FAIR], resolved.chosen("scheduling_quota", "queue")
        if not need.applies.holds(resolved.facts):
            alone.append(resolved.tenant_class.id)
        elif queue is not None and need.met.holds(resolved.facts):
            found.setdefault(queue.words, []).append(resolved.tenant_class.id)
    everybody = len(best.resolved.classes)
    told = " ".join(_by_whom(words, ids if len(ids) < everybody else []) for words, ids in found.items())
    whom = listed(alone) if len(alone) < everybody else "tenants"
    return told, f"No queue: {whom} share no GPU node." if alone else ""


def _by_whom(words: str, ids: list[str]) -> str:
    """Return an option's words as a sentence: of ``queues by X``, whose queue X is."""
    whom = f" for {listed(ids)}" if ids else ""
    if words.startswith(_BY):
        return f"Queue{whom}: {words.removeprefix(_BY)}."
    return f"{words[:1].upper()}{words[1:]}{whom}."


def _asks_fair(best: Evaluation, resolved: ClassDesign) -> bool:
    return any(one.need.id == _FAIR for one in asked_needs(resolved.tenant_class, best.scenario, best.catalogue))


def _weeks(weeks: float) -> str:
    """Return a schedule's median in words: whole weeks, since nobody plans tenths of one."""
    return counted(round(weeks), "week") if weeks >= 1 else counted(max(1, round(7 * weeks)), "day")


def hires(best: Evaluation) -> str:
    """Return how many more people a design needs than the team has, as words; empty where the team suffices."""
    people = best.scores["operations"].figures["people_needed"]
    has = best.scenario.team.engineers
    if people <= has:
        return ""
    return "one person more" if people - has == 1 else f"{three_digits(people - has)} people more"


def provided(best: Evaluation) -> str:
    """Return the needs a design provides, those of most classes first; what does not arise under it is left out."""
    counts: dict[str, int] = {}
    for resolved in best.resolved.classes:
        for asked in asked_needs(resolved.tenant_class, best.scenario, best.catalogue):
            if asked.need.applies.holds(resolved.facts) and asked.need.met.holds(resolved.facts):
                counts[asked.need.name] = counts.get(asked.need.name, 0) + 1
    names = sorted(counts, key=lambda name: -counts[name])
    return listed(names)


__all__ = ["hires", "provided", "queues", "recommended", "recommended_line"]
