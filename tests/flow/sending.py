"""Gateway A's side of a batch, made by A's own journal, with parts of it bent before it leaves."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import msgspec

from gateway.exchange import message as wireform
from gateway.exchange import sealing, wire
from gateway.exchange.sealing import Content
from gateway.flow.freeze import Frozen, freeze, read_content
from gateway.ids import now_ms
from gateway.ledger.checkpoint import SignedCheckpoint, entry_digest, parse_text
from gateway.store.journal import Commit
from signing.sealed import sealed_size
from tests.flow.nodes import Reply, Running, Window


class Sender:
    """Gateway A's side of a batch, made by A's own journal, with parts of it bent before it leaves."""

    def __init__(self, a: Running, b: Running, session: aiohttp.ClientSession) -> None:
        self.a, self.b, self.session = a, b, session
        self.window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))

    async def frozen(self, **papers: Any) -> tuple[Frozen, Commit]:
        """An application of the window, frozen but not sent."""
        reply = await self.window.hand_in(self.window.papers(**papers))
        assert reply.status == 200, reply.body
        desk, message = self.a.node.desk, reply.json["lsh"]
        to_b = self.a.node.loops[f"peer:{self.b.node.desk.party}"]._round
        [how] = (await to_b.sealer.prepare(desk.journal.read(), [message], now_ms())).values()  # type: ignore[attr-defined]
        work = freeze(message, party=desk.party, vault=desk.vault, expires_ms=60_000, sealed=how)
        commit = await desk.journal.submit(work)
        return commit.only(), commit

    def content(self, one: Frozen) -> Content:
        """What a message says, in clear, from A's store."""
        vault, reader = self.a.node.desk.vault, self.a.node.journal.read()
        wrapped = self.a.one("SELECT wrapped_key FROM case_file WHERE id = ?", wireform.decode_header(one.header).case)
        return read_content(reader, one.id, vault.unwrap(wrapped), vault)

    def line(self, one: Frozen, commit: Commit) -> wire.Line:
        return wire.Line(one.header, one.body, wire.place(commit.prove(one.leaf)))

    def head(self, signed_checkpoint: SignedCheckpoint) -> wire.BatchHead:
        party, size = self.a.node.desk.party, parse_text(signed_checkpoint.text.encode())
        base = self.b.one("SELECT held_size FROM peer")
        path = self.a.node.journal.consistency(base, size.size) if size and 0 < base < size.size else []
        to = self.b.node.desk.party
        return wire.BatchHead(sender=party, to=to, checkpoint=signed_checkpoint, base=base, consistency=path)

    async def post(self, head: wire.BatchHead | bytes, *lines: wire.Line) -> Reply:
        data = head if isinstance(head, bytes) else wire.encode(head, lines)
        async with self.session.post(self.b.url("exchange", "/exchange/v1/messages"), data=data) as answer:
            return Reply(answer.status, dict(answer.headers), await answer.read())

    async def one(self, line: wire.Line, commit: Commit) -> wire.Answer:
        """Post a single message; its answer."""
        reply = await self.post(self.head(commit.checkpoint), line)
        assert reply.status == 200, reply.body
        return wire.decode_answer(reply.body)[1][0]


async def bent(sender: Sender, one: Frozen, body: bytes | None = None, **changes: Any) -> wire.Answer:
    """The message with other header fields (or body), honestly sealed and proved by A's ledger, so that only its content is
    wrong."""
    header, content = wireform.decode_header(one.header), sender.content(one)
    content = content._replace(body=content.body if body is None else body)
    if "parts" in changes:
        content = content._replace(enclosure=msgspec.structs.replace(content.enclosure, parts=changes["parts"]))
        changes["parts"] = tuple(
            wireform.PartRef(part.sm3, sealed_size(part.size), "", "", "") for part in changes["parts"]
        )
    if "outer" in changes:
        changes["parts"] = changes.pop("outer")  # what the header names, other than what the enclosure says
    assert header.sealed is not None
    told = msgspec.structs.replace(header.sealed, commitment=sealing.commitment(content))
    changes = {"sealed": told, "body_size": sealing.size(content)} | changes
    data, travels = sealing.seal(msgspec.structs.replace(header, **changes), content)
    digest = wireform.digest(data)
    identity = changes.get("id", one.id)
    commit = await sender.a.node.journal.submit(
        lambda tx: tx.leaf("sent", identity, entry_digest("sent", identity, digest))
    )
    leaf: int = commit.only()
    return await sender.one(wire.Line(data, travels, wire.place(commit.prove(leaf))), commit)
