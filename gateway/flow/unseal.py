"""Open what partners have sealed for us (端到端加密): message keys, bodies, and the parts once they are all here.

Whatever is wrong with a sealed message, key, segments, header, commitment, a part or its digest, it has one reason
(``TB-2101``) and becomes a signed refusal of that message alone. A large part takes its time to decrypt: its sender is told
to come again while that goes on, and finds it done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.exchange import sealing
from gateway.exchange.message import Header, PartRef
from gateway.exchange.sealing import Content
from gateway.problems import Refused
from gateway.store.parts import Parts
from signing import sealed
from signing.errors import Malformed, Unavailable
from signing.providers import Provider
from signing.sm2 import PrivateKey
from signing.sm3 import new

PATIENCE_S = 5.0  # how long an answer waits for parts to be decrypted before it says: come again
REMEMBERED = 256  # messages whose parts are being decrypted, or are and were not asked about again
FAILED = "TB-2101"
Lock = Callable[[str, str], asyncio.Lock]


@dataclass(frozen=True)
class Opener:
    """Our encryption keys by key id, and the files; ``lock`` of an owner's file, the one its uploads take."""

    keys: Mapping[str, PrivateKey]
    provider: Provider
    parts: Parts
    lock: Lock
    patience_s: float = PATIENCE_S
    _under_way: dict[tuple[str, str], asyncio.Task[Refused | None]] = field(default_factory=dict)

    async def contents(self, messages: Sequence[tuple[Header, bytes]]) -> list[Content | Refused]:
        """The content of each message, sealed or not, in order."""
        if any(header.sealed is not None for header, _ in messages):
            return await asyncio.to_thread(lambda: [self._content(header, body) for header, body in messages])
        return [sealing.clear(header, body) for header, body in messages]

    async def open_parts(self, owner: str, header: Header, content: Content) -> Refused | None:
        """Decrypt the parts of a message, all of which are here, into files of the same owner under their own digests."""
        if not content.key or not header.parts:
            return None
        name = (header.id, header.body)
        while len(self._under_way) >= REMEMBERED:
            self._under_way.pop(next(iter(self._under_way)))
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.create_task(self._open_parts(owner, header, content))
        done, _ = await asyncio.wait({task}, timeout=self.patience_s)
        if not done:
            return Refused("TB-6006", early=True)  # the task goes on, and its outcome waits for the next call
        self._under_way.pop(name, None)
        return task.result()

    def _content(self, header: Header, body: bytes) -> Content | Refused:
        if header.sealed is None:
            return sealing.clear(header, body)
        private = self.keys.get(header.sealed.key)
        try:
            if private is None:
                return Refused(FAILED)
            return sealing.open_(header, body, sealing.unwrap(self.provider, private, header.sealed.wrapped))
        except Malformed:
            return Refused(FAILED)
        except Unavailable:
            return Refused("TB-9004", early=True)  # the machine that holds the key does not answer now

    async def _open_parts(self, owner: str, header: Header, content: Content) -> Refused | None:
        for n, (outer, inner) in enumerate(zip(header.parts, content.enclosure.parts, strict=True)):
            stream = sealing.part_stream(content.key, header.id, n)
            async with self.lock(owner, inner.sm3):
                try:
                    opened = await asyncio.to_thread(partial(self._open_part, owner, outer, inner, stream))
                except OSError:
                    return Refused("TB-9001", early=True)
            if not opened:
                return Refused(FAILED)
        return None

    def _open_part(self, owner: str, outer: PartRef, inner: PartRef, stream: sealed.Stream) -> bool:
        """One part: checked against its digest, and kept unless this owner has brought this very file before."""
        plain = sealed.open_(self.parts.read(owner, outer.sm3), stream)
        here = self.parts.offset(owner, inner.sm3) == inner.size and self.parts.matches(owner, inner.sm3)
        try:
            if here:
                return _digest(plain) == inner.sm3
            self.parts.discard(owner, inner.sm3)
            self.parts.keep(owner, inner.sm3, plain)
        except (Malformed, Refused):
            if not here:
                self.parts.discard(owner, inner.sm3)
            return False
        return True


def _digest(pieces: Iterator[bytes]) -> str:
    running = new()
    for piece in pieces:
        running.update(piece)
    return running.digest().hex()
