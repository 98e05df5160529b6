"""URLs as Kubernetes' CEL library has them: what Go's parser takes, and the parts it finds.

Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library
"""

from __future__ import annotations

import re
import urllib.parse
from typing import Any, ClassVar, Final

from kubeanswers.cel.values import CelError
from kubeanswers.records import dataclass

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_USER: Final = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
_HOST: Final = re.compile(
    r"(?:\[[^\]]*\]|(?:[A-Za-z0-9\-_.~!$&'()*+,;=<>\"\[\]]|[^\x00-\x7f]|%[89A-Fa-f][0-9A-Fa-f])*)(?P<port>:[0-9]*)?"
)
_PATH_KEPT: Final = re.compile(r"[A-Za-z0-9\-_.~$&+,/:;=@!'()*%\[\]]*")
_PATH_SAFE: Final = "-_.~$&+,/:;=@"


@dataclass(frozen=True)
class Url:
    """A URL with a scheme, or an absolute path.

    Attributes:
        scheme: in small letters; empty for a path.
        host: with its port, without the user.
        path: as it was written.
        query: as it was written.
        text: all of it; two URLs are the same if this is.
    """

    type_name: ClassVar[str] = "kubernetes.URL"
    scheme: str
    host: str
    path: str
    query: str
    text: str

    @classmethod
    def parse(cls, text: Any) -> Url:
        """Return the URL of a text."""
        if not isinstance(text, str):
            raise CelError("no such overload")
        made = _parsed(text)
        if made is None:
            raise CelError(f"URL parse error during conversion from string: {text!r}")
        return made

    def part(self, name: str) -> Any:
        """Return one part of the URL."""
        match name:
            case "getScheme":
                return self.scheme
            case "getHost":
                return self.host
            case "getHostname":
                host, bracket, _ = self.host.partition("]")
                return host.removeprefix("[") if bracket else self.host.partition(":")[0]
            case "getPort":
                match = re.search(r":([0-9]*)$", self.host)
                return match[1] if match else ""
            case "getEscapedPath":
                kept = self.path == "*" or _PATH_KEPT.fullmatch(self.path)
                return self.path if kept else urllib.parse.quote(urllib.parse.unquote(self.path), safe=_PATH_SAFE)
        return _query(self.query)


def _parsed(text: str) -> Url | None:
    if not text or _CONTROL.search(text) or text.startswith(":"):
        return None
    if text == "*":
        return Url("", "", "*", "", text)
    match = _SCHEME.match(text)
    scheme, rest = (match[1].lower(), text[match.end() :]) if match else ("", text)
    if not scheme and not rest.startswith("/"):
        return None
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        return Url(scheme, "", "", query, text)  # opaque, such as mailto:a@b
    user = host = ""
    if scheme and rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        user, _, host = host.rpartition("@")
        rest = slash + path
    escapes = any(_BAD_ESCAPE.search(part) for part in (user, rest, fragment))
    if escapes or not _USER.fullmatch(user) or not _HOST.fullmatch(host):
        return None
    return Url(scheme, host, rest, query, text)


def _query(text: str) -> dict[str, list[str]]:
    """Return the values by key; pairs that cannot be read are left out."""
    found: dict[str, list[str]] = {}
    for pair in text.split("&"):
        if pair and ";" not in pair and not _BAD_ESCAPE.search(pair):
            key, _, value = pair.partition("=")
            found.setdefault(urllib.parse.unquote_plus(key), []).append(urllib.parse.unquote_plus(value))
    return found
