"""Uploads in ranges, the same for platforms and partners: HEAD tells the offset, PUT adds at it, the last range completes.

A range is durable enough to be resumed after a crash; ``201`` is only answered when the digest has been checked, the
file is on disk and its row is committed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import NamedTuple

from aiohttp import web

from adapters.base import Interrupted, Kept, Pieces
from gateway.flow.post import register_part
from gateway.problems import Refused
from gateway.store.journal import Journal
from gateway.store.parts import SEGMENT, Parts
from gateway.weaklocks import WeakLocks

DIGEST = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"bytes (\d{1,13})-(\d{1,13})/(\d{1,13})")
_WANTED = re.compile(r"bytes=(\d{1,13})-(\d{0,13})")


class Range(NamedTuple):
    """A ``Content-Range``: first byte, last byte, total size."""

    first: int
    last: int
    total: int


class Uploads:
    """Uploads of all owners; one range of one file at a time."""

    def __init__(self, parts: Parts, journal: Journal, part_limit: int) -> None:
        self._parts = parts
        self._journal = journal
        self._limit = part_limit
        self._locks: WeakLocks = WeakLocks()

    def lock(self, owner: str, digest: str) -> asyncio.Lock:
        """The lock of one file, for who else writes it."""
        return self._locks[(owner, digest)]

    def known(self, owner: str, digest: str) -> int | None:
        """Size of a file that this owner has brought whole; None otherwise. Other owners' files do not exist here."""
        row = self._journal.read().one("SELECT size FROM part WHERE owner = ? AND sm3 = ?", owner, digest)
        return None if row is None else int(row[0])

    async def head(self, owner: str, digest: str) -> web.Response:
        """How far the upload is. One that a crash caught between its last byte and its row is completed here: the sender
        would find nothing left to send."""
        size = self.known(owner, digest)
        if size is None:
            async with self._locks[(owner, digest)]:
                size = self.known(owner, digest)
                whole = size is None and await asyncio.to_thread(self._parts.matches, owner, digest)
                offset = self._parts.offset(owner, digest)  # after it was read back: what does not open is cut off
                if whole and offset:
                    size = await self._complete(owner, digest, offset)
        if size is not None:
            return web.Response(
                headers={"Upload-Offset": str(size), "Upload-Length": str(size), "Upload-Complete": "1"}
            )
        return web.Response(headers={"Upload-Offset": str(offset), "Upload-Complete": "0"})

    async def put(self, owner: str, digest: str, span: Range, data: bytes) -> web.Response:
        """Add one range. ``Refused``: TB-6005 impossible range, TB-6001 gap, TB-6002 wrong digest at the end."""
        if span.last - span.first + 1 != len(data) or not data or span.last >= span.total:
            raise Refused("TB-6005")
        if span.total > self._limit:
            raise Refused("TB-1002")
        async with self._locks[(owner, digest)]:
            if self.known(owner, digest) is not None:
                return self._done(span.total)
            end = await asyncio.to_thread(self._parts.append, owner, digest, span.first, data)
            if end < span.total:
                return web.Response(status=200, headers={"Upload-Offset": str(end)})
            await self._complete(owner, digest, span.total)
        return self._done(span.total)

    async def fetch(self, owner: str, name: str, size: int, pieces: Pieces) -> Kept:
        """A file that we fetch and whose digest nobody told, whole here in the end. It grows under its owner's ``name`` for it,
        so that what came before a cut is continued; whole, it is kept by its digest as if it had been uploaded. Raises
        Interrupted, and ``Refused`` TB-1002 for one that is too large."""
        if size > self._limit:
            raise Refused("TB-1002")
        async with self._locks[(owner, name)]:
            await self._grow(owner, name, size, pieces)
            digest = await asyncio.to_thread(self._parts.adopt, owner, name)
            (await self._journal.submit(lambda tx: register_part(tx, owner, digest, size))).only()
            await asyncio.to_thread(self._parts.discard, owner, name)
        return Kept(digest, size)

    async def _grow(self, owner: str, name: str, size: int, pieces: Pieces) -> None:
        """A segment at a time; at a cut also what is not yet a whole one."""
        at = await asyncio.to_thread(self._parts.resumed, owner, name)
        if at < size:
            held = bytearray()
            try:
                async for piece in pieces(at):
                    held += piece
                    while len(held) >= SEGMENT:
                        at = await asyncio.to_thread(self._parts.append, owner, name, at, bytes(held[:SEGMENT]))
                        del held[:SEGMENT]
            finally:
                if held:
                    at = await asyncio.to_thread(self._parts.append, owner, name, at, bytes(held))
        if at < size:
            raise Interrupted("附件未传完", "the file ended before its end")

    async def _complete(self, owner: str, digest: str, size: int) -> int:
        await asyncio.to_thread(self._parts.complete, owner, digest)
        commit = await self._journal.submit(lambda tx: register_part(tx, owner, digest, size))
        commit.only()
        return size

    def discard(self, owner: str, digests: Iterable[str]) -> None:
        """Destroy files whose rows are gone."""
        for digest in digests:
            self._parts.discard(owner, digest)

    @staticmethod
    def _done(size: int) -> web.Response:
        return web.Response(status=201, headers={"Upload-Offset": str(size), "Upload-Complete": "1"})


def content_range(request: web.Request) -> Range:
    """The request's ``Content-Range``; ``Refused('TB-6005')`` without a sound one."""
    found = _RANGE.fullmatch(request.headers.get("Content-Range", ""))
    if found is None:
        raise Refused("TB-6005")
    return Range(*(int(number) for number in found.groups()))


def wanted_range(request: web.Request, size: int) -> tuple[int, int]:
    """(start, length) that a ``Range`` header asks for, the whole file without one."""
    header = request.headers.get("Range", "")
    if not header:
        return 0, size
    found = _WANTED.fullmatch(header)
    if found is None or int(found[1]) >= size:
        raise Refused("TB-6005")
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if last < int(found[1]):
        raise Refused("TB-6005")
    return int(found[1]), last - int(found[1]) + 1


def digest_of(request: web.Request) -> str:
    """The digest in the path."""
    digest = request.match_info["sm3"]
    if not DIGEST.fullmatch(digest):
        raise Refused("TB-6004")
    return digest
