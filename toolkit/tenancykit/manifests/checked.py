"""The validator in the way of every export: nothing an API server would refuse reaches the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Final

from kubeanswers.errors import OutputError
from kubeanswers.records import dataclass
from kubeanswers.source import parse_yaml
from tenancykit.manifests.model import KubernetesObject

if TYPE_CHECKING:
    from kubeanswers.validation.answers import Validator

_SHOWN = 5


@dataclass
class Gate:
    """Judges the files of one export; files that differ only in the tenant's name are judged once.

    Attributes:
        kubernetes: version the export is for.
    """

    kubernetes: str
    _validator: Validator = field(init=False)
    _passed: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        from kubeanswers.validation.answers import Validator  # noqa: PLC0415 - sixty modules only an export needs
        from kubeanswers.validation.schema import versions  # noqa: PLC0415 - as above

        known = versions()
        self._validator = Validator(self.kubernetes if self.kubernetes in known else known[-1])

    def check(self, path: str, text: str, objects: Sequence[KubernetesObject], tenant: str = "") -> None:
        """Let a file pass.

        Raises:
            OutputError: an API server would refuse an object of it.
        """
        alike = text.replace(tenant, "\0") if tenant else text
        key = (len(tenant), hash(alike))
        if key in self._passed:
            return
        told = [
            f"{path}: {obj['kind']} {obj['metadata']['name']}: {fault}"
            for obj in objects
            for fault in self._validator.texts(obj)
        ]
        if told:
            more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
            cure = "nothing was written; correct what the scenario or your own catalogue puts there"
            raise OutputError(
                f"the export would be refused by Kubernetes {self.kubernetes}: {'; '.join(told[:_SHOWN])}{more}; {cure}"
            )
        self._passed.add(key)

    def check_file(self, path: str, text: str) -> None:
        """Let a file pass that no API server takes as an object: a configuration its binary would refuse is none.

        Raises:
            OutputError: the binary it is for would refuse it.
        """
        from kubeanswers.validation.configurations import (  # noqa: PLC0415 - as above
            configuration_faults,
            is_configuration,
        )

        found = parse_yaml(text, path).data
        if isinstance(found, Mapping) and is_configuration(found):
            told = configuration_faults(found)
            if told:
                raise OutputError(f"{path}: would be refused at start: {'; '.join(told[:_SHOWN])}; nothing was written")


_IN_EVERY_CLUSTER: Final = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


@dataclass
class Namespaces:
    """The namespaces that objects of an export live in, and those it makes itself, by the folder that is applied.

    Attributes:
        needed: where objects live.
        made: what Namespace objects and charts make.
    """

    needed: dict[str, set[str]] = field(default_factory=dict)
    made: dict[str, set[str]] = field(default_factory=dict)

    def note(self, root: str, objects: Sequence[KubernetesObject]) -> None:
        """Note the objects of one file."""
        for obj in objects:
            metadata = obj["metadata"]
            if obj["kind"] == "Namespace":
                self.made.setdefault(root, set()).add(metadata["name"])
            elif "namespace" in metadata:
                self.needed.setdefault(root, set()).add(metadata["namespace"])

    def missing(self, root: str) -> tuple[str, ...]:
        """Return the namespaces that have to be ready before a folder is applied."""
        return tuple(sorted(self.needed.get(root, set()) - self.made.get(root, set()) - _IN_EVERY_CLUSTER))
