"""A kustomization file as data: what it names, what it changes, and what of it is not applied here.

What would change the meaning of objects and is not applied (Helm charts, plugins that are programs) is reported, so
that nobody mistakes the audited objects for the built ones.
Source of the fields: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import Fault, InputError
from kubeanswers.kustomize.strict import as_known, refusals
from kubeanswers.objects import mappings, scalar_text, text_map, texts
from kubeanswers.parsing import parse_documents
from kubeanswers.places import below, is_file
from kubeanswers.records import dataclass
from kubeanswers.source import read_text

KUSTOMIZATION_NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_NOT_APPLIED: Final = (
    "helmCharts",
    "helmChartInflationGenerator",
    "openapi",
    "crds",
    "validators",
)


@dataclass(frozen=True)
class Kustomization:
    """One kustomization file.

    Attributes:
        file: where it is.
        data: its fields as written.
    """

    file: Path
    data: Mapping[str, Any]

    @classmethod
    def read(
        cls, file: Path, faults: list[Fault], text: str | None = None, known: dict[str, Kustomization] | None = None
    ) -> Kustomization | None:
        """Return the kustomization in ``file``, or None where it cannot be read; faults say what is not applied.

        Args:
            file: where it is.
            faults: what is wrong with it is added to them.
            text: what the file holds, where that was read before.
            known: kustomizations without faults by their text, to look in and to add to.
        """
        if text is None:
            try:
                text = read_text(file)
            except InputError as error:
                faults.extend(error.faults)
                return None
        if known is not None and text in known:
            return cls(file, known[text].data)
        before = len(faults)
        made = cls._parsed(file, text, faults)
        if made is not None and known is not None and len(faults) == before:
            known[text] = made
        return made

    @classmethod
    def _parsed(cls, file: Path, text: str, faults: list[Fault]) -> Kustomization | None:
        found: list[Fault] = []
        documents = [value for value, _ in parse_documents(text, str(file), found) if isinstance(value, Mapping)]
        faults.extend(found)
        if found or len(documents) != 1:
            if not found:
                faults.append(Fault(str(file), "is not one Kustomization document", cure="write exactly one"))
            return None
        data = as_known(documents[0])
        refused = [Fault(str(file), f"would be refused by Kustomize: {why}") for why in refusals(data)]
        if refused:
            faults.extend(refused)
            return None
        for key in _NOT_APPLIED:
            if data.get(key):
                what = f"uses {key}, which is not applied here"
                faults.append(
                    Fault(str(file), what, cure="audit the result of: kubectl kustomize DIR | tenancykit audit -")
                )
        return cls(file, data)

    @property
    def resources(self) -> tuple[str, ...]:
        """The files and folders it builds on."""
        return tuple(name for key in ("resources", "bases") for name in texts(self.data.get(key)))

    @property
    def components(self) -> tuple[str, ...]:
        """The folders whose changes are made to everything read so far."""
        return tuple(texts(self.data.get("components")))

    def word(self, key: str) -> str:
        """Return a field that holds one text; empty where it is not written."""
        return scalar_text(self.data.get(key))

    def words(self, key: str) -> Mapping[str, str]:
        """Return a field that holds texts by name."""
        return text_map(self.data.get(key))

    def entries(self, key: str) -> list[Mapping[str, Any]]:
        """Return a field that holds a list of mappings."""
        return mappings(self.data.get(key))


def find_kustomization(folder: Path, is_file: Callable[[str], bool] = is_file) -> Path | None:
    """Return the folder's kustomization file, or None."""
    names = (below(str(folder), name) for name in KUSTOMIZATION_NAMES)
    return next((Path(name) for name in names if is_file(name)), None)
