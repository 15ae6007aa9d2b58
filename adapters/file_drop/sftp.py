"""A folder on the platform's SFTP server (draft-ietf-secsh-filexfer-02, as OpenSSH speaks it). One connection, opened when it is
needed and dropped when it fails or falls silent; the host's key is the registered one or there is no connection at all.

The server's disk is not ours: files are flushed where the server knows ``fsync@openssh.com``, and renamed over others in one
step where it knows ``posix-rename@openssh.com``. Where it does not, the older file goes first: the files of this exchange
that bear one name say one thing, so that a moment without any is only a moment longer to wait.
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from adapters.file_drop.folder import MAX_NAMES, NO_FILE, NO_PERMISSION, OWNER, Content, Place, Read, Shown, Trouble

if TYPE_CHECKING:
    from asyncssh import SFTPAttrs, SFTPClient, SSHClientConnection, SSHKey

AT_ONCE, PIECE = 32, 1 << 20
T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Login:
    """Where and as whom. ``host_keys``: the server's registered keys. Shows nothing secret."""

    host: str
    port: int
    user: str
    host_keys: tuple[SSHKey, ...]
    password: str | None = field(default=None, repr=False)
    key: SSHKey | None = field(default=None, repr=False)


class SftpFolder:
    """``Folder`` below ``root`` (a path on the server). ``seconds``: how long the server may be silent in one step."""

    def __init__(
        self, login: Login, root: str, temporary: str, owner: int | None, connect_seconds: float, seconds: float
    ) -> None:
        self.login, self.root, self.temporary, self.owner = login, root.rstrip("/"), temporary, owner
        self.connect_seconds, self.seconds = connect_seconds, seconds
        self._line: SSHClientConnection | None = None
        self._sftp: SFTPClient | None = None
        self._opening = asyncio.Lock()

    async def names(self, folder: str) -> set[str]:
        import asyncssh

        sftp = await self._client()

        async def all_names() -> set[str]:
            found = set[str]()
            async for entry in sftp.scandir(f"{self.root}/{folder}"):
                found.add(str(entry.filename))
                if len(found) > MAX_NAMES:
                    raise Trouble("too many files")
            return found

        try:
            return await self._step(all_names())
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            raise Trouble("folder not there", absent=True) from None
        except asyncssh.SFTPError as error:
            raise Trouble(_why(error)) from None

    async def read(self, wanted: Sequence[tuple[Place, int]]) -> list[Read]:
        return await self._each(self._read, wanted)

    async def write(self, files: Sequence[tuple[Place, bytes]]) -> list[str]:
        return await self._each(self._write, files)

    async def show(self, places: Sequence[Place]) -> list[Shown]:
        sftp = await self._client()
        return await _side_by_side(lambda place: self._show(sftp, place), places)

    async def move(self, pairs: Sequence[tuple[Place, Place]]) -> list[Hashable]:
        return await self._each(self._move, pairs)

    async def close(self) -> None:
        line = self._line
        self._drop()
        if line is not None:
            await line.wait_closed()

    # --- the line ----------------------------------------------------------------------------------------------------

    async def _client(self) -> SFTPClient:
        """The open session; whoever waits for one under way gets that one. Raises Trouble."""
        async with self._opening:
            if self._sftp is None or self._line is None or self._line.is_closed():
                self._drop()
                self._line, self._sftp = await self._connected()
            return self._sftp

    async def _connected(self) -> tuple[SSHClientConnection, SFTPClient]:
        import asyncssh

        login = self.login
        try:
            async with asyncio.timeout(self.connect_seconds):
                line = await asyncssh.connect(
                    login.host, login.port, username=login.user, known_hosts=(list(login.host_keys), [], []), config=None,
                    password=login.password, client_keys=[login.key] if login.key else None, agent_path=None,
                    host_based_auth=False, kbdint_auth=False, gss_auth=False, gss_kex=False, x509_trusted_certs=None,
                    disable_trivial_auth=True, compression_algs=["none"], keepalive_interval=15,
                    encryption_algs="^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
                )  # fmt: skip
                try:
                    return line, await line.start_sftp_client(path_errors="surrogateescape")
                except BaseException:
                    line.abort()
                    raise
        except asyncssh.HostKeyNotVerifiable:
            raise Trouble("host-key-not-registered", absent=True) from None
        except asyncssh.PermissionDenied:
            raise Trouble("login-refused", absent=True) from None
        except (asyncssh.Error, OSError, TimeoutError, ValueError):
            raise Trouble("no-connection", absent=True) from None

    def _drop(self) -> None:
        if self._line is not None:
            self._line.abort()
        self._line = self._sftp = None

    async def _step(self, doing: Awaitable[T]) -> T:
        """One exchange with the server. Raises Trouble when the line is lost or silent, SFTPError for what it says no to."""
        import asyncssh

        try:
            async with asyncio.timeout(self.seconds):
                return await doing
        except TimeoutError:
            self._drop()
            raise Trouble("time-out") from None
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError, OSError):
            self._drop()
            raise Trouble("connection-lost") from None
        except asyncssh.SFTPBadMessage:
            self._drop()
            raise Trouble("answer-unreadable") from None

    async def _each(self, work: Callable[[SFTPClient, Item], Awaitable[T]], items: Sequence[Item]) -> list[T]:
        sftp = await self._client()
        return await _side_by_side(lambda item: work(sftp, item), items)

    # --- one file ----------------------------------------------------------------------------------------------------

    def _path(self, place: Place) -> str:
        return f"{self.root}/{place.folder}/{place.name}"

    async def _read(self, sftp: SFTPClient, wanted: tuple[Place, int]) -> Read:
        import asyncssh

        place, limit = wanted
        try:
            about = await self._step(sftp.lstat(self._path(place)))
            if about.permissions is None or not stat.S_ISREG(about.permissions):
                return NO_FILE
            if self.owner not in (None, about.uid):
                return OWNER
            file = await self._step(sftp.open(self._path(place), "rb"))
            try:
                data = bytearray()
                while len(data) <= limit:
                    part: Any = await self._step(file.read(min(limit + 1 - len(data), PIECE)))
                    data += part
                    if len(part) < PIECE:
                        break
                return Content(bytes(data[: limit + 1]), _mark(about))
            finally:
                await self._step(file.close())
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
        except asyncssh.SFTPPermissionDenied:
            return NO_PERMISSION
        except asyncssh.SFTPError:
            return None  # the server cannot read it now: looked for again

    async def _write(self, sftp: SFTPClient, file: tuple[Place, bytes]) -> str:
        import asyncssh

        place, content = file
        path = self._path(place) + self.temporary
        try:
            made = await self._step(self._new(sftp, place, path))
            try:
                for at in range(0, len(content), PIECE):
                    await self._step(made.write(content[at : at + PIECE]))
                with suppress(asyncssh.SFTPOpUnsupported):
                    await self._step(made.fsync())
            finally:
                await self._step(made.close())
        except asyncssh.SFTPError as error:
            with suppress(asyncssh.SFTPError):  # a full disk is not to stay full of halves
                await self._step(sftp.remove(path))
            return _why(error)
        return ""

    async def _new(self, sftp: SFTPClient, place: Place, path: str) -> Any:
        """A new file: what an earlier attempt left under this name goes, folders of our own are made."""
        import asyncssh

        try:
            return await sftp.open(path, "xb")
        except asyncssh.SFTPNoSuchFile:
            if "/" not in place.folder:
                raise Trouble("folder not there", absent=True) from None
            with suppress(asyncssh.SFTPError):
                await sftp.mkdir(f"{self.root}/{place.folder}")
        except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
            await sftp.remove(path)
        return await sftp.open(path, "xb")

    async def _show(self, sftp: SFTPClient, place: Place) -> Shown:
        import asyncssh

        path = self._path(place)
        try:
            await self._step(_rename(sftp, path + self.temporary, path))
        except asyncssh.SFTPError as error:
            return Shown("no", _why(error))
        except Trouble as trouble:
            return Shown("maybe", trouble.reason)
        return Shown("yes")

    async def _move(self, sftp: SFTPClient, pair: tuple[Place, Place]) -> Hashable:
        import asyncssh

        come, go = map(self._path, pair)
        try:
            try:
                await self._step(_rename(sftp, come, go))
            except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPFailure):
                await self._step(sftp.lstat(come))  # gone, or its folder is not there yet
                with suppress(asyncssh.SFTPError):
                    await self._step(sftp.mkdir(f"{self.root}/{pair[1].folder}"))
                await self._step(_rename(sftp, come, go))
            return _mark(await self._step(sftp.lstat(go)))
        except asyncssh.SFTPError:
            return None


async def _rename(sftp: SFTPClient, old: str, new: str) -> None:
    import asyncssh

    try:
        await sftp.posix_rename(old, new)
        return
    except asyncssh.SFTPOpUnsupported:
        pass
    try:
        await sftp.rename(old, new)
    except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
        await sftp.lstat(old)  # what takes its place is there before the older one goes
        with suppress(asyncssh.SFTPNoSuchFile):
            await sftp.remove(new)
        await sftp.rename(old, new)


async def _side_by_side(work: Callable[[Item], Awaitable[T]], items: Iterable[Item]) -> list[T]:
    """All of them, some at once. What cannot be done for one does not leave another half done behind our back."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(item: Item) -> T:
        async with gate:
            return await work(item)

    done = await asyncio.gather(*[one(item) for item in items], return_exceptions=True)
    for found in done:
        if isinstance(found, BaseException):
            raise found
    return [found for found in done if not isinstance(found, BaseException)]


def _mark(about: SFTPAttrs) -> Hashable:
    return about.size, about.mtime, about.uid


_WHY = {
    3: "permission denied",
    4: "the server failed",
    8: "not supported by the server",
    14: "no space",
    15: "quota exceeded",
}


def _why(error: Any) -> str:
    """By the status code alone: the server's own words may hold anything."""
    return f"folder: {_WHY.get(error.code, f'status {error.code}')}"
