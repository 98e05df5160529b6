"""The fake cluster without a network between: for tests that are not about connections."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from email.message import Message
from typing import Any
from urllib.parse import urlencode

from tenancykit.live.client import Answer
from tests.live.api_server import Cluster


class Direct:
    """An API server that is asked by a call."""

    name = "fake"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Answer:
        message = Message()
        for name, value in headers:
            message[name] = value
        url = f"{path}?{urlencode(query or {})}"
        self.cluster.log.append((method, url, message.get("Impersonate-User", "")))
        reply = self.cluster.answer(method, url, message, json.loads(json.dumps(body)))
        return Answer(reply.status, reply.body)
