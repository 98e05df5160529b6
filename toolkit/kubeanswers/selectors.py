"""Label selectors with Kubernetes' meaning of empty, missing and impossible ones.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from kubeanswers.objects import mapping, mappings, scalar_text, text_map, texts
from kubeanswers.records import dataclass


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label key."""

    key: str
    operator: str
    values: frozenset[str]

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Return whether the labels satisfy the condition; an unknown operator is satisfied by nothing."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return self.key not in labels or labels[self.key] not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
        return False


@dataclass(frozen=True, slots=True)
class Selector:
    """A label selector; without requirements it matches everything."""

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def of(cls, data: object) -> Selector:
        """Return the selector of a ``matchLabels`` / ``matchExpressions`` mapping; of anything else, the empty one."""
        data = mapping(data)
        labels = [
            Requirement(key, "In", frozenset({value})) for key, value in text_map(data.get("matchLabels")).items()
        ]
        terms = [
            Requirement(
                scalar_text(item.get("key")), scalar_text(item.get("operator")), frozenset(texts(item.get("values")))
            )
            for item in mappings(data.get("matchExpressions"))
        ]
        return _once(tuple(sorted(labels + terms, key=lambda term: (term.key, term.operator, sorted(term.values)))))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether every requirement holds."""
        return all(requirement.holds(labels) for requirement in self.requirements)

    @property
    def keys(self) -> frozenset[str]:
        """The label keys the answer depends on."""
        return frozenset(requirement.key for requirement in self.requirements)


@lru_cache(maxsize=4096)
def _once(requirements: tuple[Requirement, ...]) -> Selector:
    """Return the selector of the requirements, the same one for the same: thousands of tenants repeat a few."""
    return Selector(requirements)


EVERYTHING = Selector()
