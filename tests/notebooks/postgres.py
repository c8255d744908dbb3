"""A PostgreSQL server of one's own: Debian's package, in a temporary folder, as a user who isn't root."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest of those that Debian has, or None."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    newest = max(found, key=lambda path: int(path.parent.name), default=None)
    on_path = shutil.which("initdb")
    return newest or (Path(on_path).parent if on_path else None)


def unprivileged() -> dict[str, Any]:
    """Return the arguments that run a program as somebody else, where we are root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return {}


@contextmanager
def postgres(tools: Path) -> Iterator[str]:
    """Run a server, and give the address of its database, with a password in it."""
    password = f"pw-{secrets.token_hex(8)}"
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    who = unprivileged()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        (folder / "password").write_text(password)
        if who:
            shutil.chown(folder, who["user"], who["group"])
            shutil.chown(folder / "password", who["user"], who["group"])
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        secure = ["-A", "scram-sha-256", "--pwfile", str(folder / "password"), "-U", "teacher"]
        control: list[str | Path] = [tools / "pg_ctl", "-D", folder / "data", "-w"]
        call([tools / "initdb", "-D", folder / "data", "-E", "UTF8", "--locale=C", *secure], folder, who)
        call([*control, "-l", folder / "log", "-o", options, "start"], folder, who)
        try:
            yield f"postgresql://teacher:{password}@127.0.0.1:{port}/postgres"
        finally:
            call([*control, "-m", "immediate", "stop"], folder, who)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def call(command: list[str | Path], folder: Path, who: dict[str, Any]) -> None:
    """Run a program to its end; its messages are in the error when it fails."""
    with tempfile.TemporaryFile("w+") as out:
        done = subprocess.run(
            list(map(str, command)), cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False, **who
        )
        out.seek(0)
        assert done.returncode == 0, out.read()
