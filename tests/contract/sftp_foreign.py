"""An SFTP server that is none of ours (asyncssh's own), with faults on order: started by tests in its own process.

    python -I sftp_foreign.py FOLDER      FOLDER holds host key, the user's public key or password, and faults.json

``faults.json`` is read at each operation: {operation: {"how": …, "name": end of the path}}. ``how``: ``cut`` (the connection is cut
before it), ``cut-after`` (once it is done), ``hang``, ``full``, ``denied``, ``unsupported``, ``failed``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import asyncssh

HOME = Path(sys.argv[1])


class Files(asyncssh.SFTPServer):
    def __init__(self, channel: Any) -> None:
        super().__init__(channel)
        self.names: dict[int, bytes] = {}

    async def meet(self, operation: str, path: bytes) -> bool:
        """What is to go wrong with this; True: the connection is cut when it is done."""
        fault = json.loads((HOME / "faults.json").read_text()).get(operation)
        if not fault or not path.endswith(fault.get("name", "").encode()):
            return False
        match fault["how"]:
            case "cut":
                self.cut()
                await asyncio.sleep(3600)
            case "hang":
                await asyncio.sleep(3600)
            case "full":
                raise asyncssh.SFTPFailure("No space left on device in /home/secret")
            case "failed":
                raise asyncssh.SFTPFailure("failure")
            case "denied":
                raise asyncssh.SFTPPermissionDenied("/home/secret")
            case "unsupported":
                raise asyncssh.SFTPOpUnsupported("no")
        return bool(fault["how"] == "cut-after")

    def cut(self) -> None:
        self.channel.get_connection().abort()

    async def _done(self, operation: str, path: bytes, work: Any) -> Any:
        after = await self.meet(operation, path)
        found = work()
        if asyncio.iscoroutine(found):
            found = await found
        if after:
            self.cut()
        return found

    async def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
        file = await self._done("open", path, lambda: super(Files, self).open(path, pflags, attrs))
        self.names[id(file)] = path
        return file

    async def write(self, file: Any, offset: int, data: bytes) -> Any:
        return await self._done("write", self.names[id(file)], lambda: super(Files, self).write(file, offset, data))

    async def read(self, file: Any, offset: int, size: int) -> Any:
        return await self._done("read", self.names[id(file)], lambda: super(Files, self).read(file, offset, size))

    async def fsync(self, file: Any) -> Any:
        return await self._done("fsync", self.names[id(file)], lambda: super(Files, self).fsync(file))

    async def close(self, file: Any) -> Any:
        return await self._done("close", self.names[id(file)], lambda: super(Files, self).close(file))

    async def lstat(self, path: bytes) -> Any:
        return await self._done("lstat", path, lambda: super(Files, self).lstat(path))

    async def remove(self, path: bytes) -> Any:
        return await self._done("remove", path, lambda: super(Files, self).remove(path))

    async def mkdir(self, path: bytes, attrs: Any) -> Any:
        return await self._done("mkdir", path, lambda: super(Files, self).mkdir(path, attrs))

    async def posix_rename(self, old: bytes, new: bytes) -> Any:
        return await self._done("posix_rename", new, lambda: super(Files, self).posix_rename(old, new))

    async def rename(self, old: bytes, new: bytes) -> Any:
        if Path(new.decode()).exists():  # as servers without overwriting do
            raise asyncssh.SFTPFailure("exists")
        return await self._done("rename", new, lambda: super(Files, self).rename(old, new))

    async def scandir(self, path: bytes) -> Any:
        await self.meet("scandir", path)
        async for entry in super().scandir(path):
            yield entry


class Guard(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("hall", (HOME / "password").read_text())


async def main() -> None:
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Guard, server_host_keys=[str(HOME / "host_key")], sftp_factory=Files,
        authorized_client_keys=str(HOME / "user_key.pub"),
    )  # fmt: skip
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await asyncio.sleep(86_400)


asyncio.run(main())
