"""Designs of one's own: variations on a reference architecture (``RA01 +node_dedicated_tenant -pol_vap``), or free."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from kubeanswers.errors import Fault, InputError, did_you_mean
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import Choice, Design, choose
from tenancykit.design.validity import reference_design
from tenancykit.scenario.model import Scenario

_STEP: Final = re.compile(r"\s*([+-])\s*([a-z0-9_]+)")


def variant(text: str, scenario: Scenario, catalogue: Catalogue) -> Design:
    """Return a reference architecture with options added or dropped in every class.

    Args:
        text: id of a reference architecture, then ``+option`` or ``-option`` any number of times. An added option
            replaces the one in its layer.
        scenario: what it is laid over.
        catalogue: options and reference architectures.

    Raises:
        InputError: unknown ids, an option dropped that is not chosen, or a layer left empty that must not be.
    """
    head = re.match(r"\s*([A-Za-z0-9_]+)", text)
    identifier = head[1] if head else ""
    reference = next((r for r in catalogue.references.values() if r.id.lower() == identifier.lower()), None)
    if head is None or reference is None:
        known = list(catalogue.references)
        raise InputError(
            Fault(
                "variant",
                f"unknown reference architecture {identifier!r}",
                ", ".join(known),
                did_you_mean(identifier, known),
            )
        )
    steps = _steps(text[head.end() :], catalogue)
    base = reference_design(reference, scenario, catalogue)
    if not steps:
        return base
    choices = {class_id: _changed(choice, steps, catalogue) for class_id, choice in base.choices.items()}
    label = "".join(f"{sign}{option}" for sign, option in steps)
    return Design(f"{reference.id}{label}", f"{reference.name}, {_words(steps)}", choices, "own", reference.source)


def with_option(design: Design, option: str, catalogue: Catalogue) -> Design:
    """Return any design with one more option in every class, in place of the one in its layer.

    Raises:
        InputError: the option is unknown.
    """
    steps = _steps(f"+{option}", catalogue)
    choices = {class_id: _changed(choice, steps, catalogue) for class_id, choice in design.choices.items()}
    return Design(f"{design.id}+{option}", f"{design.name}, {_words(steps)}", choices, "own", design.source)


def own_design(
    identifier: str,
    name: str,
    options: Iterable[str] | Mapping[str, Iterable[str]],
    scenario: Scenario,
    catalogue: Catalogue,
) -> Design:
    """Return a design of the same options for every class, or of options per class id.

    Raises:
        InputError: an option or class is unknown, two options share a layer, a layer is missing, or a class has no
            options.
    """
    classes = [tenant_class.id for tenant_class in scenario.tenants.classes]
    per_class = options if isinstance(options, Mapping) else dict.fromkeys(classes, tuple(options))
    where = f"design {identifier}"
    faults = [
        Fault(where, f"unknown class {c!r}", cure=did_you_mean(c, classes)) for c in per_class if c not in classes
    ]
    if missing := [c for c in classes if c not in per_class]:
        faults.append(Fault(where, f"chooses nothing for {', '.join(missing)}"))
    if faults:
        raise InputError(faults)
    chosen = {c: choose(catalogue, per_class[c]) for c in classes}
    return Design(identifier, name, {c: replace(one, named=one.options) for c, one in chosen.items()}, named=True)


def _steps(text: str, catalogue: Catalogue) -> list[tuple[str, str]]:
    steps: list[tuple[str, str]] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise InputError(Fault("variant", f"cannot read {text[position:]!r}", "+option or -option"))
        if match[2] not in catalogue.options:
            cure = did_you_mean(match[2], catalogue.options) or "see: tenancykit catalogue options"
            raise InputError(Fault("variant", f"unknown option {match[2]!r}", cure=cure))
        steps.append((match[1], match[2]))
        position = match.end()
    return steps


def _changed(choice: Choice, steps: list[tuple[str, str]], catalogue: Catalogue) -> Choice:
    chosen = list(choice.options)
    for sign, identifier in steps:
        option = catalogue.options[identifier]
        if sign == "-":
            if identifier in chosen:
                chosen.remove(identifier)
            continue
        chosen = [
            other
            for other in chosen
            if (catalogue.options[other].dimension, catalogue.options[other].layer) != (option.dimension, option.layer)
        ]
        chosen.append(identifier)
    named = {*choice.named, *(identifier for sign, identifier in steps if sign == "+")}
    found = choose(catalogue, chosen, completion=choice.completion, tier=choice.tier)
    return replace(found, named=tuple(option for option in found.options if option in named))


def _words(steps: list[tuple[str, str]]) -> str:
    return ", ".join(f"{'with' if sign == '+' else 'without'} {option}" for sign, option in steps)
