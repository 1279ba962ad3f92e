"""Real servers for tests: a help desk, and the shipped nginx configuration in front of one."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

# What stands around the shipped file on a real machine, in a folder of its own.
AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
{user}
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/helpdesk.conf;
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def desk(folder: Path, env: dict[str, str]) -> Iterator[int]:
    """A help desk that runs, as by `manage.py run`; its port."""
    port = free_port()
    with _running(
        [sys.executable, "manage.py", "run"],
        folder / "said.txt",
        port,
        env | {"PORT": str(port), "VAR_DIR": str(folder)},
    ):
        yield port


@contextmanager
def nginx(folder: Path, port: int, upstream: int) -> Iterator[Path]:
    """nginx with the shipped configuration on this port, without TLS; the folder of its logs."""
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "helpdesk.conf").write_text(adapted(folder, port, upstream))
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))
    command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with _running(command, folder / "said.txt", port, dict(os.environ)):
        yield folder


def adapted(folder: Path, port: int, upstream: int) -> str:
    """The shipped configuration with our ports and paths; of each change one must be found."""
    text = (settings.BASE_DIR / "docs" / "nginx.conf").read_text()
    for shipped, ours in {
        r"server 127\.0\.0\.1:8000;": f"server 127.0.0.1:{upstream};",
        r"listen 80;": f"listen 127.0.0.1:{free_port()};",
        r"listen 443 ssl http2;": f"listen 127.0.0.1:{port};",
        r"listen \[::\].*;": "",
        r"ssl_\w+ .*;": "",
        r"/var/log/nginx/": f"{folder}/",
    }.items():
        text, found = re.subn(shipped, ours, text)
        assert found, f"docs/nginx.conf has no {shipped}"
    return text


@contextmanager
def _running(command: list[str], said: Path, port: int, env: dict[str, str]) -> Iterator[None]:
    """A process that listens on this port; what it says goes into a file."""
    with said.open("w") as out:
        process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=env, stdout=out, stderr=out)
    try:
        end = time.monotonic() + 120
        while not _listens(port):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < end, f"It did not start:\n{said.read_text()}"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


def ask(
    port: int,
    path: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    source: str = "127.0.0.1",
) -> tuple[int, http.client.HTTPMessage, str]:
    """One request from this address of the machine: its status, headers and text."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=30, source_address=(source, 0)
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
    try:
        connection.request("GET" if body is None else "POST", path, body, form | (headers or {}))
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()
