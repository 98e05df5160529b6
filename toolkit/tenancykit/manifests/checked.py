"""The validator in the way of every export: nothing an API server would refuse reaches the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kubeanswers.errors import OutputError
from kubeanswers.validation.answers import Validator
from kubeanswers.validation.schema import versions
from tenancykit.manifests.model import KubernetesObject

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
