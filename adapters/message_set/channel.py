"""A message queue behind HTTP (消息队列): put with our message id, ask for it, take a batch, acknowledge what is kept.

The queue is asked by name; what it says: 2xx it has it, 409 it had it, 404 to a question it has it not. Being in the queue
is all that "accepted" can mean here: the set has no object that acknowledges another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import msgspec
from yarl import URL

from adapters.base import Accepted, Answer, CannotAsk, NotThere, Outcome, Refused, Temporary, Unclear, Wire
from adapters.message_set.translate import ObjectTranslator
from adapters.transport import Line, Lost, Reply, Request, Unsent, exchange
from schemas.errors import Invalid
from schemas.strict import strict_json

MISCONFIGURED = frozenset({401, 403, 404, 405, 408, 425, 429})
"""Answers about the queue or about us, not about the message: it may be put again when that is mended."""


class Taken(msgspec.Struct, frozen=True):
    """A message out of a queue."""

    id: str
    body: bytes


class Batch(msgspec.Struct, frozen=True):
    """What a queue gives: Base64 bodies, oldest first."""

    messages: list[Taken]


@dataclass(frozen=True, slots=True)
class QueueChannel:
    """See ``adapters.base.Channel``. ``licence`` is the bearer token that the queue knows us by."""

    line: Line
    translator: ObjectTranslator
    url: str
    licence: str
    can_ask: bool
    connect_ms: int
    total_ms: int
    max_answer: int

    async def send(self, wire: Wire) -> Outcome:
        return await self.put(self.translator.words.to_them, wire.id, self.translator.document(wire.body))

    async def put(self, queue: str, id_: str, document: bytes) -> Outcome:
        """A document into a queue, under an id that makes it the same message when it comes again."""
        media = {"Content-Type": f"text/xml; charset={self.translator.encoding}", "X-Message-Id": id_}
        reply = await self._call("POST", self.translator.words.put, queue, document, media)
        if isinstance(reply, Unsent):
            return Temporary(reply.reason, absent=True)
        if isinstance(reply, Lost):
            return Unclear(reply.reason)
        if reply.status in (200, 201, 202, 204, 409):
            return Accepted()
        if reply.status < 200:
            return Unclear("answer-unreadable")
        if reply.status >= 500 or reply.status < 400 or reply.status in MISCONFIGURED:
            return Temporary(f"http-{reply.status}")
        return Refused(f"http-{reply.status}", "队列拒收此报文", "the queue refuses this message")

    async def ask(self, out_id: str) -> Answer:
        if not self.can_ask:
            return CannotAsk()
        words = self.translator.words
        reply = await self._call("GET", words.ask, words.to_them, id_=out_id)
        if isinstance(reply, Unsent | Lost):
            return Temporary(reply.reason, absent=isinstance(reply, Unsent))
        if reply.status == 404:
            return NotThere()
        return Accepted() if reply.status == 200 else Temporary(f"http-{reply.status}")

    async def take(self) -> list[Taken]:
        """Messages that wait for us; none where the queue cannot be reached or cannot be read."""
        words = self.translator.words
        reply = await self._call("GET", words.take, words.from_them, limit=self.translator.max_bytes)
        if not isinstance(reply, Reply) or reply.status != 200:
            return []
        try:
            batch = msgspec.convert(strict_json(reply.body, max_bytes=self.translator.max_bytes), Batch)
        except (Invalid, msgspec.ValidationError):
            return []
        return [one for one in batch.messages if 0 < len(one.id) <= 128 and one.id.isprintable()]

    async def acknowledge(self, ids: Sequence[str]) -> None:
        """These need not come again. One that does, because this was lost, is known by its id."""
        words = self.translator.words
        media = {"Content-Type": "application/json"}
        await self._call("POST", words.acknowledge, words.from_them, msgspec.json.encode({"ids": list(ids)}), media)

    async def close(self) -> None:
        await self.line.close()

    async def _call(
        self, method: str, path: str, queue: str, body: bytes = b"", headers: Mapping[str, str] | None = None,
        *, id_: str = "", limit: int = 0,
    ) -> Reply | Unsent | Lost:  # fmt: skip
        words = self.translator.words
        filled = path.format(queue=quote(queue, safe=""), id=quote(id_, safe=""), max=words.batch)
        shown = {"Authorization": f"Bearer {self.licence}"} if self.licence else {}
        url = URL(self.url.rstrip("/") + filled, encoded=True)
        request = Request(method, url, {**shown, **(headers or {})}, body)
        return await exchange(self.line.session(), request, self.connect_ms, self.total_ms, limit or self.max_answer)
