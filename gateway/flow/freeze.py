"""Freeze a message for a partner: header built, ``sent`` leaf added, in one transaction; every retry sends these bytes.

Of a sealed message (端到端加密) the ciphertext is not kept: the same key, header and content give the same bytes, so what
is kept is the message key and the enclosure, under the case's own key, and destroying that one destroys all.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from gateway.core import case as machine
from gateway.core.delivery import Event
from gateway.exchange import message as wireform
from gateway.exchange import sealing
from gateway.exchange.message import Header, PartRef, Sealed
from gateway.exchange.sealing import Content, Enclosure
from gateway.flow import casefile, inquiries, outbox, post
from gateway.flow.casefile import CaseFile
from gateway.flow.inquiries import Inquiry
from gateway.ledger.checkpoint import entry_digest
from gateway.problems import Refused
from gateway.store.journal import Reader, Row, Tx, Work
from gateway.store.vault import Vault
from signing.sealed import Stream
from signing.sm3 import sm3


class Sealing(NamedTuple):
    """What is made ready outside the transaction: the message key, for whom and how it is wrapped, the sealed parts."""

    key: bytes
    recipient: str
    wrapped: bytes
    parts: tuple[PartRef, ...]


class Carried(NamedTuple):
    """A file that the message needs over there: as the header names it, as it lies here, and how it is sealed."""

    part: PartRef
    source: PartRef
    stream: Stream | None


class Frozen(NamedTuple):
    """A message ready to leave: its bytes, digest, the leaf that proves it and the files it needs over there."""

    id: str
    header: bytes
    body: bytes
    digest: bytes
    leaf: int
    parts: tuple[Carried, ...]


def freeze(message: str, *, party: str, vault: Vault, expires_ms: int, sealed: Sealing | None) -> Work[Frozen]:
    """The work that gives a queued message its place in the sequence and its header."""

    def work(tx: Tx) -> Frozen:
        type_, stored, at_rest, case_id = _row(tx, message, "type, parts, sealed, case_id")
        case = _of(tx, case_id)
        place = _next_place(case)
        case_key = vault.unwrap(case.wrapped_key)
        body = vault.open(case_key, at_rest, post.body_label(message))
        enclosure = Enclosure(place.alias, post.read_parts(stored))
        content = Content(enclosure, body, sealed.key if sealed else b"")
        plain = Header(
            id=message, type=type_, sender=party, to=case.counterpart, agreement=case.agreement,
            agreement_version=case.agreement_version, item=case.item, case=place.case, alias=enclosure.alias, seq=place.seq,
            seen=place.seen, key=message, created=tx.now_ms, expires=tx.now_ms + expires_ms, purpose=case.purpose,
            legal_basis=case.legal_basis, body=sm3(body).hex(), body_size=len(body), parts=enclosure.parts,
        )  # fmt: skip
        header, travels = _sealed(plain, content, sealed) if sealed else (wireform.encode_header(plain), body)
        digest = wireform.digest(header)
        leaf = tx.leaf("sent", message, entry_digest("sent", message, digest))
        secret = vault.seal(case_key, content.secret, post.secret_label(message)) if content.secret else None
        tx.run(
            "UPDATE message SET header = ?, secret = ?, sent_leaf = ?, seq = ? WHERE id = ?",
            header, secret, leaf, place.seq, message,
        )  # fmt: skip
        tx.run("UPDATE case_file SET seq_out = ? WHERE id = ?", place.seq, place.case)
        outbox.move(tx, message, Event.FREEZE)
        if type_ == "application" and isinstance(case, CaseFile):
            casefile.move(tx, case, machine.Event.FORWARD, machine.Actor.COLLECTING, message, tx.now_ms)
        return Frozen(message, header, travels, digest, leaf, _carried(header, content))

    return work


def thaw(tx: Reader, message: str, vault: Vault) -> Frozen:
    """A message frozen earlier, exactly as it was."""
    header, leaf, case_id = _row(tx, message, "header, sent_leaf, case_id")
    if header is None:
        raise Refused("TB-5001")
    content = read_content(tx, message, vault.unwrap(_of(tx, case_id).wrapped_key), vault)
    return Frozen(message, header, as_sent(header, content), wireform.digest(header), leaf, _carried(header, content))


def read_content(tx: Reader, message: str, case_key: bytes, vault: Vault) -> Content:
    """A stored message's content in clear, with its key if it travels sealed."""
    at_rest, secret, stored, header = _row(tx, message, "sealed, secret, parts, header")
    body = vault.open(case_key, at_rest, post.body_label(message))
    if secret is not None:
        return sealing.kept(vault.open(case_key, secret, post.secret_label(message)), body)
    alias = wireform.decode_header(header).alias if header is not None else ""
    return Content(Enclosure(alias, post.read_parts(stored)), body)


def as_sent(header: bytes, content: Content) -> bytes:
    """The body as it travelled under this header."""
    return sealing.seal(wireform.decode_header(header), content)[1] if content.key else content.body


def _sealed(plain: Header, content: Content, sealed: Sealing) -> tuple[bytes, bytes]:
    """Header and body of the sealed form."""
    told = Sealed(sealed.recipient, sealed.wrapped, sealing.commitment(content))
    header = msgspec.structs.replace(
        plain, alias="", parts=sealed.parts, body=sealing.BLANK, body_size=sealing.size(content), sealed=told
    )
    return sealing.seal(header, content)


def _carried(header: bytes, content: Content) -> tuple[Carried, ...]:
    sources = content.enclosure.parts
    if not content.key or not sources:
        return tuple(Carried(part, part, None) for part in sources)
    found = wireform.decode_header(header)
    return tuple(
        Carried(part, source, sealing.part_stream(content.key, found.id, n))
        for n, (part, source) in enumerate(zip(found.parts, sources, strict=True))
    )


class _Place(NamedTuple):
    """Where a message stands in its case; nowhere for one that belongs to none."""

    case: str = ""
    alias: str = ""
    seq: int = 0
    seen: int = 0


def _next_place(of: CaseFile | Inquiry) -> _Place:
    return _Place(of.id, casefile.own_number(of), of.seq_out + 1, of.seq_in) if isinstance(of, CaseFile) else _Place()


def _of(tx: Reader, id_: str) -> CaseFile | Inquiry:
    """The case or the inquiry that a message belongs to."""
    found = casefile.load(tx, id_) or inquiries.load(tx, id_)
    if found is None:
        raise Refused("TB-5001")
    return found


def _row(tx: Reader, message: str, columns: str) -> Row:
    row = tx.one(f"SELECT {columns} FROM message WHERE id = ?", message)
    if row is None:
        raise Refused("TB-5001")
    return row
