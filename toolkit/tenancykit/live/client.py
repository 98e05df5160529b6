"""One API server behind a kube context: requests go out, status and body come back, whatever the status is.

kr8s reads the kubeconfig and signs in (certificates, tokens, exec plugins); it is imported here and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar

from kubeanswers.errors import Fault, InputError, MissingExtraError, TenancyKitError
from kubeanswers.objects import mapping, sequence
from kubeanswers.records import dataclass
from kubeanswers.scalars import whole_number

FIELD_MANAGER: Final = "tenancykit"
ATTEMPTS: Final = 4
"""Times a request is sent before the server is given up; every request here may be repeated without harm."""
_BUSY: Final = frozenset({429, 502, 503, 504})
_LONGEST_WAIT: Final = 10.0
"""Longest wait in seconds between two attempts, whatever Retry-After says (assumption: longer is a person's call)."""

_GRACE: Final = 1.0
"""Seconds work that took too long has to stop (assumption)."""
MAX_ANSWER: Final = 64 * 1024 * 1024
"""Longest answer read, in bytes (assumption: lists are asked for in pages of a few hundred objects)."""
PAGE: Final = 500
"""Objects asked for at once in lists, as kubectl does."""

T = TypeVar("T")


class UnreachableError(TenancyKitError):
    """An API server does not answer, or stopped answering."""


class StrangerError(UnreachableError):
    """Something answers that is no API server: a sign-in page of a network, a proxy, another program."""


class SignedOutError(UnreachableError):
    """The credentials do not count, or no longer do: nothing asked for has happened."""


@dataclass(frozen=True)
class Answer:
    """What an API server answered.

    Attributes:
        status: HTTP status.
        body: the object, or a ``Status`` for a refusal; empty where the body is no JSON object.
    """

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        """Whether the request was granted."""
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        """The server's words for a refusal, with the causes it gives; its status where it has none."""
        text = str(self.body.get("message") or f"HTTP status {self.status}")
        causes = [mapping(cause).get("message") for cause in sequence(mapping(self.body.get("details")).get("causes"))]
        return "; ".join([text, *(str(cause) for cause in causes if cause and str(cause) not in text)])


class ApiServer(Protocol):
    """Something that answers like an API server."""

    @property
    def name(self) -> str:
        """How messages call it."""

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Answer:
        """Return the answer to a request, refusals included."""


class KubeServer:
    """The API server of one context of a kubeconfig; use as a context manager.

    Args:
        context: the context; empty for the kubeconfig's current one.
        kubeconfig: file to read instead of ``$KUBECONFIG`` or ``~/.kube/config``.
        timeout: seconds a request may take.
        sleep: waits between attempts.

    Raises:
        MissingExtraError: kr8s is not installed.
        InputError: the kubeconfig or its context cannot be used.
        UnreachableError: the server does not answer.
    """

    def __init__(
        self,
        context: str = "",
        kubeconfig: str | os.PathLike[str] = "",
        *,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sleep = sleep
        self._timeout = timeout
        self._runner = asyncio.Runner()
        self._stuck = False
        self._api: Any = None
        try:
            self._api = self._connect(context, kubeconfig)
        except BaseException:
            self._close()
            raise
        self.context = str(self._api.auth.active_context or context)
        self.name = f"{self.context or 'service account'} ({self._api.auth.server})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _forget_keys(self._api.auth)
        session = self._api._session  # noqa: SLF001 - kr8s has no way to close its connections
        if session is not None:
            with contextlib.suppress(RuntimeError):
                self._within(session.aclose())
        self._close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def _within(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what comes of some work, or raise where it takes too long, whether it stops then or not.

        An exec plugin that ignores signals, or whose children keep its output open, would be waited for otherwise.

        Raises:
            TimeoutError: it took longer than a request may.
        """

        async def bounded() -> T:
            task = asyncio.ensure_future(work)
            await asyncio.wait({task}, timeout=self._timeout)
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=_GRACE)
                self._stuck = self._stuck or not task.done()
                raise TimeoutError
            return task.result()

        return self._run(bounded())

    def _close(self) -> None:
        if self._stuck:
            self._runner.get_loop().set_exception_handler(lambda *_: None)  # the stuck task ends with the process
        else:
            self._runner.close()

    def _connect(self, context: str, kubeconfig: str | os.PathLike[str]) -> Any:
        try:
            import kr8s.asyncio  # noqa: PLC0415 - optional, and slow to import
        except ImportError:
            raise MissingExtraError("kr8s", "live") from None
        for name in ("httpx", "kr8s"):
            logging.getLogger(name).setLevel(logging.WARNING)  # they log every request
        stated = str(kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config")
        file = ":".join(str(Path(part).expanduser()) for part in stated.split(":"))
        place = f"context {context!r} of {file}" if context else f"the current context of {file}"
        if kubeconfig and not any(Path(part).exists() for part in file.split(":")):
            raise InputError(Fault(file, "no such file", cure="name a kubeconfig that exists"))
        try:
            # The factory would ask for the version first, and lose its connection where that fails.
            api = kr8s.asyncio.Api(bypass_factory=True, kubeconfig=file, context=context or None)
            self._within(_signed_in(api))
        except TimeoutError:
            told = f"{place}: signing in took longer than {self._timeout:g} seconds"
            raise UnreachableError(f"{told}; run its exec plugin by hand, or give it more with --timeout") from None
        except (ValueError, KeyError, IndexError, TypeError, RuntimeError, AttributeError, OSError) as error:
            cure = "check it with: kubectl config get-contexts"
            raise InputError(Fault(place, f"cannot be used: {error}", cure=cure)) from None
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "yaml":
                raise
            raise InputError(Fault(place, f"is no kubeconfig: {error}", cure="check the file")) from None
        api.timeout = self._timeout
        return api

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Answer:
        """Return the answer to a request; busy servers and lost connections are tried again, with growing pauses.

        Raises:
            UnreachableError: the server did not answer in any attempt.
        """
        sent: dict[str, Any] = {"params": dict(query or {}), "headers": list(headers)}
        if body is not None:
            sent["content"] = json.dumps(body, ensure_ascii=False).encode()
        reason, wait = "", 0.0
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(wait)
            wait = 0.5 * 2.0**attempt
            try:
                answer, after = self._within(self._send(method, path, sent))
            except StrangerError:
                raise
            except Exception as error:  # noqa: BLE001 - httpx, anyio and ssl have no root in common
                reason = _reason(error)
                continue
            if answer.status == 401 and attempt == 0:
                self._sign_in_again()
            elif answer.status == 401:
                raise SignedOutError(f"{self.name}: does not let you in: {answer.message}; sign in again")
            elif answer.status not in _BUSY or attempt == ATTEMPTS - 1:
                return answer
            wait = after or wait
        raise UnreachableError(f"{self.name}: the API server does not answer: {reason or 'it is too busy'}")

    async def _send(self, method: str, path: str, sent: Mapping[str, Any]) -> tuple[Answer, float]:
        session = self._api._session  # noqa: SLF001 - kr8s follows redirects unless its session is told not to
        if session is None or session.is_closed:
            await self._api._create_session()  # noqa: SLF001 - as above
            _forget_keys(self._api.auth)
        self._api._session.follow_redirects = False  # noqa: SLF001 - as above
        base, _, url = path.rpartition("/")
        call = self._api.call_api(method, version="", base=base, url=url, raise_for_status=False, stream=True, **sent)
        async with call as response:
            return self._answer(response, await self._content(response)), _seconds(
                response.headers.get("Retry-After", "")
            )

    async def _content(self, response: Any) -> bytes:
        """Return a body, read no further than the bound."""
        found = bytearray()
        async for part in response.aiter_bytes():
            found += part
            if len(found) > MAX_ANSWER:
                raise StrangerError(
                    f"{self.name}: answers with more than {MAX_ANSWER >> 20} MiB; that is no API server's"
                )
        return bytes(found)

    def _answer(self, response: Any, content: bytes) -> Answer:
        """Return an answer; what no API server would say is told as such.

        Raises:
            StrangerError: a redirect, or a success that is no Kubernetes object.
        """
        status = int(response.status_code)
        if 300 <= status < 400:
            target = str(response.headers.get("Location", "elsewhere"))[:200]
            raise StrangerError(f"{self.name}: no API server there: it redirects to {target}; nothing was sent on")
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict) and (status >= 400 or (body.get("kind") and body.get("apiVersion"))):
            return Answer(status, body)
        if status < 400:
            kind = str(response.headers.get("Content-Type", "no content type")).partition(";")[0]
            raise StrangerError(
                f"{self.name}: no API server there: it answers with {kind}, which is no Kubernetes object"
            )
        text = content[:500].decode(errors="replace").strip()
        return Answer(status, {"message": text} if text and "<" not in text[:1] else {})

    def _sign_in_again(self) -> None:
        """Get new credentials, as after a token ran out; whether they help the next attempt shows."""
        with contextlib.suppress(Exception):
            self._within(self._api.async_reauthenticate())
            self._run(self._api._create_session())  # noqa: SLF001 - kr8s does this only for calls that raise
        _forget_keys(self._api.auth)


async def _signed_in(api: Any) -> None:
    await api.auth


def _seconds(text: str) -> float:
    return min(_LONGEST_WAIT, whole_number(text) or 0)


def _reason(error: BaseException) -> str:
    """Return why a request failed, in words; many of the errors below httpx carry none."""
    told = str(error) or type(error).__name__
    slow = ("ReadTimeout", "APITimeoutError", "TimeoutError", "ConnectTimeout")
    return "it took too long" if type(error).__name__ in slow else told


def _forget_keys(auth: Any) -> None:
    """Remove the files kr8s makes of keys that the kubeconfig or an exec plugin holds as text; they have been read."""
    parts = (auth._cluster, auth._user)  # noqa: SLF001 - kr8s leaves private keys lying in the temporary folder
    given = {key: value for part in parts if isinstance(part, Mapping) for key, value in part.items()}
    for key, name in _KEY_FILES.items():
        file = getattr(auth, name, None)
        if key in given and file and Path(str(file)).parent == Path(tempfile.gettempdir()):
            Path(str(file)).unlink(missing_ok=True)


_KEY_FILES: Final = {
    "client-key-data": "client_key_file",
    "client-certificate-data": "client_cert_file",
    "certificate-authority-data": "server_ca_file",
}
