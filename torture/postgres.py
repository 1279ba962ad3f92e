"""A PostgreSQL of its own, to be killed."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.reloads import children

ACCOUNT = "postgres"  # root may not run it, so root becomes this one


class Missing(Exception):
    """It cannot be run here; says why."""


def programs() -> Path:
    """The folder with its programs."""
    found = [Path(each).parent for name in ("initdb",) if (each := shutil.which(name))]
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda at: at.parent.name)
    for folder in [*reversed(versions), *found]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Missing("there are no programs of PostgreSQL")


def account() -> dict[str, Any]:
    """What makes a process run as somebody who may run PostgreSQL."""
    if os.geteuid() != 0:
        return {}
    try:
        found = pwd.getpwnam(ACCOUNT)
    except KeyError:
        raise Missing(f"root may not run PostgreSQL, and there is no {ACCOUNT}") from None
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


class Cluster:
    """One server of PostgreSQL with an empty database; `settings` are of its command line."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.programs, self.account, self.folder = programs(), account(), folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        given = {"unix_socket_directories": str(folder), "listen_addresses": "127.0.0.1"}
        self.settings = [f"--{name}={value}" for name, value in (given | settings).items()]
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if self.account:
            os.chown(folder, self.account["user"], self.account["group"])
            os.chown(data, self.account["user"], self.account["group"])
        self._call("initdb", "--data-checksums", "--auth=trust", "--username=postgres", str(data))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> float:
        """Start it; the moment when it took connections."""
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data")]
        with (self.folder / "said").open("ab") as out:
            self.process = subprocess.Popen(
                [*command, f"--port={self.port}", *self.settings],
                stdout=out,
                stderr=out,
                cwd=self.folder,
                start_new_session=True,
                **self.account,
            )
        end = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < end:
            with suppress(subprocess.CalledProcessError):
                self._call("pg_isready", "--host=127.0.0.1", f"--port={self.port}")
                return time.monotonic()
            time.sleep(0.02)
        raise AssertionError((self.folder / "said").read_text()[-3000:])

    def kill(self) -> None:
        """Kill -9 of it and of all its processes."""
        assert self.process
        everybody = [self.process.pid, *children(self.process.pid)]
        for pid in everybody:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        end = time.monotonic() + 60
        while any(_lives(pid) for pid in everybody):
            assert time.monotonic() < end, "Somebody survived."
            time.sleep(0.01)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(60)

    def amiss(self) -> str:
        """What its own checker of files says; nothing when all is well."""
        command = [str(self.programs / "pg_amcheck"), "--host=127.0.0.1", f"--port={self.port}"]
        if not Path(command[0]).exists():
            return ""
        done = subprocess.run(
            [*command, "--username=postgres", "--install-missing", "--heapallindexed", "postgres"],
            capture_output=True,
            text=True,
            cwd=self.folder,
            **self.account,
        )
        return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()[:300]

    def _call(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / name), *arguments],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **self.account,
        )


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


@contextmanager
def cluster(**settings: str) -> Iterator[Cluster]:
    """A server that runs; raises Missing where none can."""
    programs(), account()
    with TemporaryDirectory(prefix="torture-postgres-") as name:
        made = Cluster(Path(name), settings)
        made.start()
        try:
            yield made
        finally:
            made.stop()
