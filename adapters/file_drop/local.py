"""A folder on this machine or mounted on it (本机目录). Links are followed nowhere below the root: everything is opened from the
descriptor of its folder, new files are new ones, and what is read is the ordinary file that was opened.

A mount that hangs holds up the threads of this platform alone, and its operations end with their time.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from adapters.file_drop.folder import (
    HARD_LINK,
    MAX_NAMES,
    NO_FILE,
    NO_PERMISSION,
    OWNER,
    Content,
    Place,
    Read,
    Shown,
    Trouble,
)

T = TypeVar("T")
THREADS = 8
_PLAIN = os.O_NOFOLLOW | os.O_CLOEXEC
_READ, _WRITE = os.O_RDONLY | os.O_NONBLOCK | _PLAIN, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN


class LocalFolder:
    """``Folder`` below ``root``. ``temporary``: the suffix of files that are not whole yet; ``owner``: the uid whose files
    are read, anybody's if None; ``seconds``: how long one operation may take."""

    def __init__(self, root: Path, temporary: str, owner: int | None, seconds: float) -> None:
        self.root, self.temporary, self.owner, self.seconds = root, temporary, owner, seconds
        self._threads = ThreadPoolExecutor(THREADS, "files")

    async def names(self, folder: str) -> set[str]:
        return await self._run(self._names, folder)

    async def read(self, wanted: Sequence[tuple[Place, int]]) -> list[Read]:
        return await self._side_by_side(self._read_all, wanted)

    async def write(self, files: Sequence[tuple[Place, bytes]]) -> list[str]:
        return await self._side_by_side(self._write_all, files)

    async def show(self, places: Sequence[Place]) -> list[Shown]:
        try:
            return await self._run(self._show_all, places)
        except Trouble as trouble:
            return [Shown("no" if trouble.absent else "maybe", trouble.reason)] * len(places)

    async def move(self, pairs: Sequence[tuple[Place, Place]]) -> list[Hashable]:
        return await self._run(lambda: [self._move(*pair) for pair in pairs])

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    # --- in threads --------------------------------------------------------------------------------------------------

    async def _run(self, work: Callable[..., T], *given: Any) -> T:
        """Raises Trouble."""
        try:
            async with asyncio.timeout(self.seconds):  # wait_for of Python 3.11 can lose a cancellation
                return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
        except TimeoutError:
            raise Trouble("time-out") from None
        except OSError as error:
            raise _trouble(error) from None

    async def _side_by_side(self, work: Callable[[Sequence[Any]], list[T]], items: Sequence[Any]) -> list[T]:
        """The disk flushes files side by side in the time of one."""
        length = -(-len(items) // THREADS) or 1
        slices = [items[at : at + length] for at in range(0, len(items), length)]
        return [one for done in await asyncio.gather(*[self._run(work, part) for part in slices]) for one in done]

    @contextmanager
    def _folder(self, name: str, *, make: bool = False) -> Iterator[int]:
        """The descriptor of a folder below the root; ``make``: its last part is ours and is made where it is missing."""
        found = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            *above, last = name.split("/")
            for part in above:
                found = _below(found, part)
            if make:
                with suppress(FileExistsError):
                    os.mkdir(last, dir_fd=found)
            found = _below(found, last)
            yield found
        finally:
            os.close(found)

    def _names(self, folder: str) -> set[str]:
        found = set[str]()
        with self._folder(folder) as inside, os.scandir(inside) as entries:
            for entry in entries:
                found.add(entry.name)
                if len(found) > MAX_NAMES:
                    raise Trouble("too many files")
        return found

    def _read_all(self, wanted: Sequence[tuple[Place, int]]) -> list[Read]:
        found: list[Read] = []
        for folder, group in groupby(wanted, lambda one: one[0].folder):
            with self._folder(folder, make="/" in folder) as inside:
                found += [self._read(inside, place.name, limit) for place, limit in group]
        return found

    def _read(self, folder: int, name: str, limit: int) -> Read:
        try:
            descriptor = os.open(name, _READ, dir_fd=folder)
        except FileNotFoundError:
            return None
        except PermissionError:
            return NO_PERMISSION
        except OSError:
            return NO_FILE
        try:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                return NO_FILE
            if about.st_nlink > 1:
                return HARD_LINK
            if self.owner not in (None, about.st_uid):
                return OWNER
            return Content(_bytes(descriptor, limit + 1), _mark(about))
        except OSError:
            return None  # the disk failed under it: looked for again
        finally:
            os.close(descriptor)

    def _write_all(self, files: Sequence[tuple[Place, bytes]]) -> list[str]:
        done: list[str] = []
        for folder, group in groupby(files, lambda one: one[0].folder):
            with self._folder(folder, make="/" in folder) as inside:
                done += [_written(inside, f"{place.name}{self.temporary}", content) for place, content in group]
        return done

    def _show_all(self, places: Sequence[Place]) -> list[Shown]:
        shown: list[Shown] = []
        for folder, group in groupby(places, lambda one: one.folder):
            with self._folder(folder) as inside:
                here = [self._show(inside, place.name) for place in group]
                try:
                    os.fsync(inside)
                except OSError as error:
                    here = [Shown("maybe", _trouble(error).reason) if one.stands == "yes" else one for one in here]
                shown += here
        return shown

    def _show(self, folder: int, name: str) -> Shown:
        try:
            os.replace(f"{name}{self.temporary}", name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            return Shown("no", _trouble(error).reason)
        return Shown("yes")

    def _move(self, come: Place, go: Place) -> Hashable:
        with self._folder(come.folder) as here, self._folder(go.folder, make=True) as there:
            try:
                os.replace(come.name, go.name, src_dir_fd=here, dst_dir_fd=there)
                return _mark(os.stat(go.name, dir_fd=there, follow_symlinks=False))
            except OSError:
                return None


def _below(folder: int, name: str) -> int:
    """The descriptor of a folder in this one, whose own is closed."""
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | _PLAIN, dir_fd=folder)
    finally:
        os.close(folder)


def _written(folder: int, name: str, content: bytes) -> str:
    """A new file of this name, flushed; "" or why there is none."""
    try:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        descriptor = os.open(name, _WRITE, 0o666, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
        except OSError:
            with suppress(OSError):  # a full disk is not to stay full of halves
                os.unlink(name, dir_fd=folder)
            raise
    except OSError as error:
        return _trouble(error).reason
    return ""


def _bytes(descriptor: int, most: int) -> bytes:
    parts = bytearray()
    while len(parts) < most and (part := os.read(descriptor, min(most - len(parts), 1 << 20))):
        parts += part
    return bytes(parts)


def _mark(about: os.stat_result) -> Hashable:
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns


def _trouble(error: OSError) -> Trouble:
    gone = isinstance(error, FileNotFoundError | NotADirectoryError)
    return Trouble("folder not there" if gone else f"folder: {error.strerror}", absent=gone)
