"""SFTP servers for tests: asyncssh's in its own process, and OpenSSH's, one process for each connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))


@dataclass
class Server:
    """A running server: where it listens, as whom one logs in, and what is kept beside it."""

    port: int
    user: str
    home: Path
    children: list[asyncio.subprocess.Process] = field(default_factory=list)

    def url(self, folder: Path) -> str:
        return f"sftp://{self.user}@127.0.0.1:{self.port}{folder}"

    @property
    def host_key(self) -> str:
        return (self.home / "host_key.pub").read_text().strip()

    @property
    def key(self) -> bytes:
        return (self.home / "user_key").read_bytes().rstrip()

    def cut(self) -> None:
        """End the processes that serve open connections (OpenSSH)."""
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                child.kill()

    def faults(self, **faults: Any) -> None:
        (self.home / "faults.new").write_text(json.dumps(faults))
        (self.home / "faults.new").rename(self.home / "faults.json")


def settle(home: Path) -> None:
    """Fresh keys for host and user, a password, no faults."""
    home.mkdir(parents=True, exist_ok=True)
    for name in ("host_key", "user_key"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(str(home / name))
        key.write_public_key(str(home / f"{name}.pub"))
        (home / name).chmod(0o600)
    (home / "password").write_text("correct horse 口令")
    (home / "faults.json").write_text("{}")


@asynccontextmanager
async def foreign(home: Path) -> AsyncIterator[Server]:
    """asyncssh's own server, with faults on order."""
    settle(home)
    script = Path(__file__).with_name("sftp_foreign.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(script), str(home), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        yield Server(json.loads(line)["port"], "hall", home)
    finally:
        process.kill()
        await process.wait()


CONFIG = """
HostKey {home}/host_key
AuthorizedKeysFile {home}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
Subsystem sftp internal-sftp
"""


@asynccontextmanager
async def openssh(home: Path) -> AsyncIterator[Server]:
    """OpenSSH's sshd, started by the connection (``-i``), so that no port is guessed."""
    if SSHD is None:
        pytest.skip("没有 sshd（Debian：openssh-server） no sshd here")
    settle(home)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    (home / "sshd_config").write_text(CONFIG.format(home=home))
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    server = Server(listener.getsockname()[1], pwd.getpwuid(os.geteuid()).pw_name, home)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        while True:
            line, _ = await loop.sock_accept(listener)
            line.setblocking(True)
            with line:
                arguments = (SSHD, "-i", "-e", "-f", str(home / "sshd_config"))
                with (home / "sshd.log").open("ab") as log:
                    child = await asyncio.create_subprocess_exec(*arguments, stdin=line, stdout=line, stderr=log)  # type: ignore[arg-type]
                server.children.append(child)

    serving = asyncio.create_task(serve())
    try:
        yield server
    finally:
        serving.cancel()
        listener.close()
        server.cut()
        for child in server.children:
            await child.wait()
