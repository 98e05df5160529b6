"""What an API server serves: the path of each kind, and whether it lives in a namespace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text
from kubeanswers.records import dataclass
from tenancykit.live.client import ApiServer, UnreachableError


@dataclass(frozen=True)
class Served:
    """A kind as a server serves it.

    Attributes:
        root: path of its group and version.
        plural: resource name.
        namespaced: whether it lives in a namespace.
    """

    root: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the path of an object, or of the collection."""
        place = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{self.root}{place}/{self.plural}" + (f"/{name}" if name else "")


@dataclass
class Discovery:
    """The kinds of one server, asked for group by group and remembered."""

    server: ApiServer
    _known: dict[str, Mapping[str, Served] | None] = field(default_factory=dict)

    def find(self, api_version: str, kind: str) -> Served | None:
        """Return how a kind is served; None where the server does not know it.

        Raises:
            UnreachableError: the server does not say.
        """
        if api_version not in self._known:
            self._known[api_version] = self._ask(api_version)
        return (self._known[api_version] or {}).get(kind)

    def of(self, item: ManifestObject) -> Served | None:
        """Return how an object's kind is served; None where the server does not know it."""
        return self.find(scalar_text(item.data.get("apiVersion")), item.kind)

    def forget(self) -> None:
        """Ask again from now on: definitions may have been applied since."""
        self._known.clear()

    def _ask(self, api_version: str) -> Mapping[str, Served] | None:
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        answer = self.server.request("GET", root)
        if answer.status == 404:
            return None
        if not answer.is_ok:
            raise UnreachableError(f"{self.server.name}: does not say what {api_version} holds: {answer.message}")
        return {
            scalar_text(entry.get("kind")): Served(
                root, scalar_text(entry.get("name")), entry.get("namespaced") is True
            )
            for entry in mappings(mapping(answer.body).get("resources"))
            if "/" not in scalar_text(entry.get("name"))
        }
