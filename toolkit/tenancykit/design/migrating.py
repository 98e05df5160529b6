"""Scenario files of earlier releases: what they left unsaid is written down as it was meant, comments and order kept.

Lines are added and none is changed. What cannot be carried over, for it now means something else, is told instead.
"""

from __future__ import annotations

from typing import Final

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from kubeanswers.source import Document, parse_yaml
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.needs import asked_needs, stated_needs
from tenancykit.scenario.model import Scenario

KUBERNETES: Final = "1.36"
"""Version that files meant which named none, up to release 0.1; later ones mean the newest known."""
_MARK: Final = "# added by migrate-scenario"
_VALUES: Final = ("scales", "worth", "stakes")


@dataclass(frozen=True)
class Migration:
    """A scenario file in today's form.

    Attributes:
        text: the file; as it was where nothing had to be added.
        assumed: what was added and why, one sentence each.
        told: what means something else today and cannot be carried over.
    """

    text: str
    assumed: tuple[str, ...]
    told: tuple[str, ...]


def migrated(text: str, name: str, scenario: Scenario, catalogue: Catalogue) -> Migration:
    """Return a scenario file with what it left unsaid written down.

    Args:
        text: the file.
        name: how the file is called in messages.
        scenario: what it reads as.
        catalogue: the needs there are.

    Raises:
        InputError: a place that needs a line of its own is written in one line with others.
    """
    document = parse_yaml(text, name)
    lines = text.splitlines()
    added: dict[int, list[str]] = {}
    assumed: list[str] = []
    inline: list[str] = []
    if "kubernetes" not in document.data:
        added.setdefault(_after(document, lines, "name"), []).append(f'kubernetes: "{KUBERNETES}"  {_MARK}')
        assumed.append(f"kubernetes: {KUBERNETES}, which files that named no version meant")
    if "virtualised" not in document.data["infrastructure"]:
        virtual = bool(scenario.infrastructure.virtualised)
        value = str(virtual).lower()
        after = _after(document, lines, "infrastructure")
        meant = f"infrastructure.virtualised: {value}, {_why_virtual(virtual)}"
        if (indent := _indent(document, lines, after)) is None:
            inline.append(f"infrastructure stands in one line, which stays as it is; write into it: {meant}")
        else:
            added.setdefault(after, []).append(f"{indent}virtualised: {value}  {_MARK}")
            assumed.append(meant)
    needs = _common_needs(scenario, catalogue)
    if needs and not any(stated_needs(scenario, c) for c in scenario.tenants.classes):
        added.setdefault(len(lines), []).extend(
            [
                "",
                f"needs:  {_MARK}; every class asks them unless it says otherwise",
                *(f"  {one}: true" for one in needs),
            ]
        )
        assumed.append(f"needs: {', '.join(needs)}, which are every class's by default")
    told = (*inline, *_told(document, scenario, catalogue, needs))
    return Migration(_joined(lines, added), tuple(assumed), told)


def _after(document: Document, lines: list[str], key: str) -> int:
    """Return the number of lines up to and with the one that a top-level key stands in."""
    for number, line in enumerate(lines, start=1):
        if line.startswith(f"{key}:"):
            return number
    where = document.where((key,))
    raise InputError(Fault(where, "is not at the start of a line", "one key a line", "write the file in block style"))


def _indent(document: Document, lines: list[str], after: int) -> str | None:
    """Return how far what stands under ``infrastructure``, up to a line number, is indented; None where in one line."""
    first = document.line(("infrastructure", next(iter(document.data["infrastructure"]))))
    if first <= after:
        return None
    line = lines[first - 1]
    return line[: len(line) - len(line.lstrip())]


def _why_virtual(virtual: bool) -> str:
    meant = "files that did not say it meant true"
    return meant if virtual else f"for all its node types are whole physical hosts, though {meant}"


def _common_needs(scenario: Scenario, catalogue: Catalogue) -> list[str]:
    every = [{one.need.id for one in asked_needs(c, scenario, catalogue)} for c in scenario.tenants.classes]
    return sorted(frozenset.intersection(*map(frozenset, every)))


def _told(document: Document, scenario: Scenario, catalogue: Catalogue, common: list[str]) -> tuple[str, ...]:
    told = []
    for tenant_class in scenario.tenants.classes:
        asked = asked_needs(tenant_class, scenario, catalogue)
        own = [one.need.id for one in asked if not one.stated and one.need.id not in common]
        if own:
            told.append(
                f"class {tenant_class.id} asks by default as well: {', '.join(own)}; it may say needs: of its own"
            )
    if not any(name in document.data for name in _VALUES):
        told.append(
            "weights were swings between the best and worst of the designs at hand and are swings between the ends of "
            "scales now: the file keeps them; tenancykit weigh asks what they mean in money, scales: states the ends"
        )
    if scenario.infrastructure.mode == "fixed" and scenario.infrastructure.buying is None:
        told.append("a fixed fleet admits no design that needs more; buying: allowed admits and prices the purchase")
    return tuple(told)


def _joined(lines: list[str], added: dict[int, list[str]]) -> str:
    found: list[str] = []
    for number, line in enumerate(lines, start=1):
        found.append(line)
        if number < len(lines):
            found += added.get(number, [])
    end = added.get(len(lines), [])
    if end and found and found[-1].strip() == "...":
        found[-1:-1] = end
    else:
        found += end
    return "\n".join(found) + "\n"
