"""Files whose digest nobody tells: grown by their own name, continued after a cut or a restart, never whole in memory."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from adapters.base import Interrupted, Kept
from gateway.demo import world
from gateway.problems import Refused
from gateway.web.uploads import Uploads
from signing.sm3 import sm3
from tests.flow.nodes import Running, running

BLOCK = bytes(range(256)) * 256
OWNER, NAME = "platform:city", "G1:1"


def uploads(node: Running, limit: int = 1 << 30) -> Uploads:
    return Uploads(node.node.desk.parts, node.node.journal, limit)


class Source:
    """``size`` bytes in blocks that all look alike, cut at each of ``cuts`` in turn."""

    def __init__(self, size: int, cuts: list[int] | None = None) -> None:
        self.size, self.cuts, self.asked = size, list(cuts or []), list[int]()

    async def pieces(self, start: int) -> AsyncIterator[bytes]:
        self.asked.append(start)
        end = self.cuts.pop(0) if self.cuts else self.size
        while start < end:
            begin = start % len(BLOCK)
            piece = BLOCK[begin : begin + min(len(BLOCK) - begin, end - start)]
            start += len(piece)
            yield piece
        if end < self.size:
            raise Interrupted("断了", "cut")

    def whole(self) -> bytes:
        return (BLOCK * (self.size // len(BLOCK) + 1))[: self.size]


async def test_F_a_file_goes_on_where_it_was_cut_also_after_a_restart(places: world.World) -> None:
    source = Source(3_500_001, [10, 1_500_000, 2_999_999])
    async with running(places.a, deliver=False) as (node,):
        for _ in range(2):
            with pytest.raises(Interrupted):
                await uploads(node).fetch(OWNER, NAME, source.size, source.pieces)
    async with running(places.a, deliver=False) as (node,):
        with pytest.raises(Interrupted):
            await uploads(node).fetch(OWNER, NAME, source.size, source.pieces)
        kept = await uploads(node).fetch(OWNER, NAME, source.size, source.pieces)
        assert source.asked == [0, 10, 1_500_000, 2_999_999]
        assert kept == Kept(sm3(source.whole()).hex(), source.size)
        parts = node.node.desk.parts
        assert b"".join(parts.read(OWNER, kept.sm3)) == source.whole()
        assert parts.offset(OWNER, NAME) == 0, "what it grew under is gone"
        assert node.rows("SELECT owner, sm3, size FROM part") == [(OWNER, kept.sm3, kept.size)]


async def test_F_the_same_file_twice_and_by_two_at_once_is_one(places: world.World) -> None:
    async with running(places.a, deliver=False) as (node,):
        store, source = uploads(node), Source(1_200_000)
        both = await asyncio.gather(
            *[store.fetch(OWNER, name, source.size, source.pieces) for name in (NAME, NAME, "G2:1")]
        )
        assert len(set(both)) == 1 and node.one("SELECT count(*) FROM part") == 1
        assert len(list((places.a.folder / "data" / "parts").glob("??/*"))) == 1


async def test_F_a_file_that_ends_too_soon_or_is_too_large_is_none(places: world.World) -> None:
    async with running(places.a, deliver=False) as (node,):
        short = Source(1000)
        with pytest.raises(Interrupted):
            await uploads(node).fetch(OWNER, NAME, 1001, short.pieces)
        with pytest.raises(Refused):
            await uploads(node, 999).fetch(OWNER, NAME, 1000, short.pieces)
        assert node.one("SELECT count(*) FROM part") == 0


@pytest.mark.parametrize("megabytes", [24, pytest.param(200, marks=pytest.mark.long)])
async def test_F_a_large_file_is_never_whole_in_memory(megabytes: int, places: world.World) -> None:
    async with running(places.a, deliver=False) as (node,):
        source = Source(megabytes << 20)
        tracemalloc.start()
        try:
            kept = await uploads(node).fetch(OWNER, NAME, source.size, source.pieces)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept.size == source.size and peak < 12 << 20, peak
