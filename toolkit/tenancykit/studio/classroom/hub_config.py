"""JupyterHub's configuration for a class; read by ``jupyterhub -f``, nothing else imports it."""

from __future__ import annotations

import os
import sys
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets.config import get_config

from tenancykit.studio.classroom.places import prepare
from tenancykit.studio.classroom.roster import TRAINER, admits
from tenancykit.studio.classroom.settings import SETTINGS, read_settings
from tenancykit.studio.workshop.progress import PROGRESS

settings = read_settings()


class ClassAuthenticator(Authenticator):  # type: ignore[misc] # JupyterHub has no types
    """Lets in whom the class's roster names."""

    async def authenticate(self, handler: object, data: dict[str, str]) -> str | None:  # noqa: ARG002 - JupyterHub's signature
        """Return the account's name where the password is its own."""
        name = data["username"].strip().lower()
        return name if admits(settings.accounts, name, data["password"]) else None


class ClassSpawner(SimpleLocalProcessSpawner):  # type: ignore[misc] # as above
    """Starts one participant's JupyterLab in a folder of its own."""

    async def start(self) -> Any:
        """Start it, the notebooks copied the first time."""
        prepare(settings, self.user.name)
        return await super().start()


c = get_config()
c.JupyterHub.authenticator_class = ClassAuthenticator
c.Authenticator.allowed_users = set(settings.accounts)
c.Authenticator.admin_users = {TRAINER}
c.JupyterHub.spawner_class = ClassSpawner
c.SimpleLocalProcessSpawner.home_dir_template = str(settings.folder / "participants" / "{username}")
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.default_url = "/lab/tree/workshop/a-read-and-harden.ipynb"
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300
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
    }
]
