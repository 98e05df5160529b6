"""JupyterHub's configuration for a class; read by ``jupyterhub -f``, nothing else imports it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from jupyterhub.auth import Authenticator
from jupyterhub.spawner import SimpleLocalProcessSpawner
from jupyterhub.utils import wait_for_http_server
from traitlets.config import get_config

from tenancykit.scenario.naming import kubernetes_name
from tenancykit.studio.classroom.places import prepare
from tenancykit.studio.classroom.roster import TRAINER, admits
from tenancykit.studio.classroom.settings import SETTINGS, read_settings
from tenancykit.studio.workshop.progress import PROGRESS

settings = read_settings()
AT_ONCE: Final = os.cpu_count() or 1
"""Servers that start at the same time: a whole class at once would share the processors until all are too late."""
START: Final = 300
"""Seconds one server may take to answer, its turn come."""
_door: Final = asyncio.Semaphore(AT_ONCE)


class ClassAuthenticator(Authenticator):  # type: ignore[misc] # JupyterHub has no types
    """Lets in whom the class's roster names."""

    async def authenticate(self, handler: object, data: dict[str, str]) -> str | None:  # noqa: ARG002 - JupyterHub's signature
        """Return the account's name where the password is its own; people may enter their name as the roster has it."""
        name = kubernetes_name(data["username"].strip())
        return name if admits(settings.accounts, name, data["password"]) else None


class ClassSpawner(SimpleLocalProcessSpawner):  # type: ignore[misc] # as above
    """Starts one participant's JupyterLab in a folder of its own."""

    async def start(self) -> Any:
        """Start it when its turn comes, the notebooks copied the first time; the turn ends when it answers."""
        async with _door:
            await asyncio.to_thread(prepare, settings, self.user.name)
            address, port = await super().start()
            answer = asyncio.ensure_future(
                wait_for_http_server(f"http://{address}:{port}{self.server.base_url}", timeout=START)
            )
            while not answer.done() and await self.poll() is None:
                await asyncio.wait([answer], timeout=1)
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)  # the hub waits too, and says who is too late
            return address, port

    async def progress(self) -> AsyncIterator[dict[str, object]]:
        """Say what is waited for."""
        if _door.locked():
            yield {"progress": 10, "message": f"Others start first: {AT_ONCE} servers at a time."}
        yield {"progress": 30, "message": "Your server starts."}


c = get_config()
c.JupyterHub.authenticator_class = ClassAuthenticator
c.Authenticator.allowed_users = set(settings.accounts)
c.Authenticator.admin_users = {TRAINER}
c.Authenticator.delete_invalid_users = True  # who is off the roster now stays out, a browser's cookie or not
c.JupyterHub.spawner_class = ClassSpawner
c.SimpleLocalProcessSpawner.home_dir_template = str(settings.folder / "participants" / "{username}")
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.default_url = "/lab/tree/workshop/a-read-and-harden.ipynb"
c.Spawner.start_timeout = START * max(1, len(settings.accounts) // AT_ONCE)
c.Spawner.http_timeout = START
c.Spawner.env_keep = ["PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
c.Spawner.environment = {
    PROGRESS: str(settings.progress),
    "JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp",
}
c.Spawner.args = [
    f"--ServerApp.shutdown_no_activity_timeout={settings.idle}",
    f"--MappingKernelManager.cull_idle_timeout={settings.idle // 2}",
    "--MappingKernelManager.cull_interval=60",
    "--LabApp.news_url=",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
    "--ServerApp.log_level=ERROR",
    *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]
c.JupyterHub.template_paths = [str(Path(__file__).with_name("templates"))]
c.JupyterHub.template_vars = {"announcement_login": "Account and password are the ones your trainer gives you."}
hub, proxy, board = settings.inner
scheme = "https" if settings.certificate else "http"
c.JupyterHub.bind_url = f"{scheme}://{settings.address}:{settings.port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = list(settings.proxy)
c.ConfigurableHTTPProxy.log_level = "error"
c.ConfigurableHTTPProxy.pid_file = str(settings.own / "proxy.pid")
c.JupyterHub.cookie_secret_file = str(settings.own / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{settings.own / 'hub.sqlite'}"
c.JupyterHub.cleanup_servers = True
c.JupyterHub.ssl_cert = str(settings.certificate or "")
c.JupyterHub.ssl_key = str(settings.key or "")
c.JupyterHub.services = [
    {
        "name": "progress",
        "url": f"http://127.0.0.1:{board}",
        "command": [sys.executable, "-m", "tenancykit.studio.classroom.board"],
        "environment": {SETTINGS: str(settings.own / "class.json")},
        "display": True,
        "oauth_no_confirm": True,
    }
]
