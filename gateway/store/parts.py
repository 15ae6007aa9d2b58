"""Materials and results as files: uploaded in ranges, named by digest, encrypted in segments, never whole in memory.

A file holds a wrapped SM4 key, then one segment per range: 4-byte length, nonce, ciphertext, tag; the associated data binds
a segment to its file's digest and its place. What was received can be resumed after a crash because the file itself says
how far it is; it counts as a material only once its digest has been checked, it is on disk, and its row is committed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import RLock
from typing import BinaryIO

from gateway.problems import Refused
from gateway.store.vault import Vault
from signing.errors import Malformed
from signing.sm3 import Hash, new, sm3

LENGTH = 4
SEGMENT = 1 << 20


class Parts:
    """Files of one node under ``root``. Owners (a platform, a partner) never see each other's uploads.

    Several threads may bring the same file at once (one document in two messages): one writes it, the others find it here.
    """

    def __init__(self, root: Path, vault: Vault) -> None:
        self._root = root
        self._vault = vault
        self._running: dict[str, tuple[int, Hash]] = {}
        self._writing = [RLock() for _ in range(256)]

    def _writer(self, path: Path) -> RLock:
        """The lock of a file that changes; a few files share one."""
        return self._writing[hash(path.name) % len(self._writing)]

    def path(self, owner: str, digest: str) -> Path:
        """Where a file of an owner lies; the name tells neither owner nor content."""
        name = sm3(owner.encode(), b"\n", digest.encode()).hex()
        return self._root / name[:2] / name

    def offset(self, owner: str, digest: str) -> int:
        """Bytes of an upload that are here, complete or not."""
        path = self.path(owner, digest)
        known = self._running.get(path.name)
        if known is not None:
            return known[0]
        return sum(size for _, size in self._segments(path))

    def append(self, owner: str, digest: str, start: int, data: bytes) -> int:
        """Add one range at the current end; the new end. Raises ``Refused('TB-6001')`` on a gap or overlap."""
        path = self.path(owner, digest)
        with self._writer(path):
            size, running = self._running.get(path.name) or self._resume(path, digest)
            if start != size:
                raise Refused("TB-6001", offset=size)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("r+b" if size else "wb") as file:
                key = self._key(file) if size else self._begin(file)
                count = sum(1 for _ in self._walk(file)) if size else 0
                sealed = self._vault.seal(key, data, _label(digest, count))
                file.write(len(sealed).to_bytes(LENGTH, "big") + sealed)
            running.update(data)
            self._running[path.name] = (size + len(data), running)
            return size + len(data)

    def resumed(self, owner: str, name: str) -> int:
        """Bytes that are here and can be continued; what a crash left half written is cut off first."""
        path = self.path(owner, name)
        with self._writer(path):
            if path.name not in self._running:
                size, running = self._resume(path, name)
                if size:
                    self._running[path.name] = size, running
            return self.offset(owner, name)

    def adopt(self, owner: str, name: str) -> str:
        """Keep what lies here whole under a name that tells no digest, by its digest; which is that. The name stays."""
        path = self.path(owner, name)
        with self._writer(path):
            _, running = self._running.get(path.name) or self._resume(path, name)
            digest = running.copy().digest().hex()
        with self._writer(self.path(owner, digest)):
            if not self.matches(owner, digest):
                self.discard(owner, digest)
                self.keep(owner, digest, self.read(owner, name))
        return digest

    def matches(self, owner: str, digest: str) -> bool:
        """Whether what is here is the whole file already."""
        path = self.path(owner, digest)
        with self._writer(path):
            _, running = self._running.get(path.name) or self._resume(path, digest)
            return running.copy().digest().hex() == digest

    def complete(self, owner: str, digest: str) -> None:
        """Check the digest of a whole upload and put it on disk. A wrong one is removed: ``Refused('TB-6002')``."""
        path = self.path(owner, digest)
        with self._writer(path):
            _, running = self._running.get(path.name) or self._resume(path, digest)
            self._running.pop(path.name, None)
            if running.digest().hex() != digest:
                path.unlink(missing_ok=True)
                raise Refused("TB-6002")
            with path.open("rb") as file:
                os.fsync(file.fileno())
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def store(self, owner: str, digest: str, data: bytes) -> None:
        """Put a file that is already in memory (it came inside a message); nothing happens if it is here."""
        with self._writer(self.path(owner, digest)):
            if self.matches(owner, digest):
                return
            self.discard(owner, digest)
            self.keep(owner, digest, (data[begin : begin + SEGMENT] for begin in range(0, len(data), SEGMENT)))

    def keep(self, owner: str, digest: str, pieces: Iterable[bytes]) -> None:
        """Put a file that comes in pieces, none of it here yet. A wrong digest is ``Refused('TB-6002')``, nothing stays."""
        size = 0
        for piece in pieces:
            size = self.append(owner, digest, size, piece)
        self.complete(owner, digest)

    def read(self, owner: str, digest: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start``, decrypted segment by segment. Raises ``Refused('TB-6004')`` if the file is not here."""
        path = self.path(owner, digest)
        end = None if length is None else start + length
        try:
            with path.open("rb") as file:
                key = self._key(file)
                at = 0
                for n, (position, size) in enumerate(list(self._walk(file))):
                    begin, at = at, at + size
                    if at <= start or (end is not None and begin >= end):
                        continue
                    file.seek(position)
                    clear = self._vault.open(key, file.read(size + 28), _label(digest, n))
                    yield clear[max(start - begin, 0) : None if end is None else end - begin]
        except (OSError, Malformed):
            raise Refused("TB-6004") from None

    def discard(self, owner: str, digest: str) -> None:
        """Destroy a file of an owner."""
        self.destroy(self.path(owner, digest))

    def destroy(self, path: Path) -> None:
        """Destroy a file: its key first, then its name."""
        with self._writer(path):
            self._running.pop(path.name, None)
            if path.exists():
                with path.open("r+b") as file:
                    file.write(b"\0" * 64)
                    os.fsync(file.fileno())
                path.unlink()

    def idle(self, before: float) -> Iterator[Path]:
        """Files last written before a time (seconds since 1970): candidates for the reaper."""
        for path in self._root.glob("??/*"):
            if path.stat().st_mtime < before:
                yield path

    # --- the file's form ---------------------------------------------------------------------------------------------

    def _begin(self, file: BinaryIO) -> bytes:
        key, wrapped = self._vault.new_key()
        file.write(len(wrapped).to_bytes(LENGTH, "big") + wrapped)
        return key

    def _key(self, file: BinaryIO) -> bytes:
        file.seek(0)
        size = int.from_bytes(file.read(LENGTH), "big")
        return self._vault.unwrap(file.read(min(size, 128)))

    def _walk(self, file: BinaryIO) -> Iterator[tuple[int, int]]:
        """(position, plaintext size) of each whole segment; leaves the file at the end of the last one."""
        file.seek(0, os.SEEK_END)
        end = file.tell()
        file.seek(0)
        position = LENGTH + int.from_bytes(file.read(LENGTH), "big")
        while position + LENGTH <= end:
            file.seek(position)
            size = int.from_bytes(file.read(LENGTH), "big")
            if size <= 28 or position + LENGTH + size > end:
                break  # a range that was cut by a crash: as if it had never come
            yield position + LENGTH, size - 28
            position += LENGTH + size
        file.seek(position)
        if file.writable():
            file.truncate()

    def _segments(self, path: Path) -> list[tuple[int, int]]:
        if not path.exists():
            return []
        with path.open("rb") as file:
            return list(self._walk(file))

    def _resume(self, path: Path, digest: str) -> tuple[int, Hash]:
        """Where an upload stands after a restart: its size and the digest so far, read back from the file. What does not
        open (a kill before the key was written, a power cut within a range) never came, and the upload goes on before it."""
        running, size, good = new(), 0, 0
        if path.exists():
            with path.open("r+b") as file:
                try:
                    key = self._key(file)
                    for n, (position, length) in enumerate(list(self._walk(file))):
                        good = position - LENGTH
                        file.seek(position)
                        running.update(self._vault.open(key, file.read(length + 28), _label(digest, n)))
                        size += length
                except Malformed:
                    file.truncate(good)
        return size, running


def _label(digest: str, n: int) -> bytes:
    return f"part:{digest}:{n}".encode()
