"""A real PostgreSQL for one run of the tests: its own data folder, a socket in it, no port, fsync on."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

USER = "postgres"


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl: on the path, or where Debian keeps the newest version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return installed[-1].parent if installed else None


def demoted() -> list[str]:
    """What starts a program as the server's user: PostgreSQL refuses to run as root."""
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.geteuid() == 0 else []


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server; yield the address of its database. Skips, outside CI, where there is none to start."""
    tools = binaries()
    if tools is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs PostgreSQL: no initdb was found")
        pytest.skip("no PostgreSQL server on this machine (Debian: apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="trueup-pg-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam(USER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    control = [*demoted(), str(tools / "pg_ctl"), "-D", str(data), "-w", "-s"]
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=on -c max_connections=60"
    initial = ["-A", "trust", "-U", USER, "-E", "UTF8", "--no-locale", "--data-checksums", "--no-instructions"]
    try:
        run([*demoted(), str(tools / "initdb"), "-D", str(data), *initial], folder)
        run([*control, "-l", str(folder / "log"), "-o", options, "start"], folder)
        try:
            yield f"postgresql:///postgres?host={folder}&user={USER}"
        finally:
            run([*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command: list[str], folder: Path) -> None:
    """Run to the end, in a folder that the server's user may enter."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
