"""The message between gateways: one immutable byte string, header and body (docs/protocol.md, "Message").

The header is canonical JSON and names the SM3 digest of the body and of every part, so the digest of the
header bytes commits to the whole message. Nothing is re-serialised before it is checked: what was received
is what is hashed, and a header that is not in canonical form is refused. Of a sealed message (端到端加密) the digests are
those of the ciphertexts, and the header tells what routing needs: names of files and the sender's own number are inside.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.inquiry import INQUIRIES
from signing.sm3 import sm3

VERSION = 1
BODY_TYPE = "application/json"
WITHOUT_CASE = frozenset(INQUIRIES)  # types that belong to no case and have no sequence

PartyId = Annotated[str, Meta(pattern=r"^\d{6}\.[0-9A-Z]{18}\Z")]
MessageId = Annotated[str, Meta(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}\Z")]
CaseId = Annotated[str, Meta(pattern=r"^(\d{6}\.[0-9A-Z]{18}/[0-9A-HJKMNP-TV-Z]{26})?\Z")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Millis = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
Short = Annotated[str, Meta(max_length=128)]


class PartRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part (材料, 结果文件, 签章) that travels beside the message: digest, bytes, media type, name, role."""

    sm3: Digest
    size: Annotated[int, Meta(ge=0, le=1 << 40)]
    media_type: Short
    name: Annotated[str, Meta(max_length=255)]
    role: Short


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a message is sealed: the recipient's key id, the message key wrapped to it (SM2, DER of GM/T 0009), and the
    commitment to the content."""

    key: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    wrapped: Annotated[bytes, Meta(max_length=256)]
    commitment: Digest


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """Header of a message; times in ms since 1970 (UTC); ``seq`` counts per case, sender and receiver from 1. A message that
    belongs to no case has no case id and seq 0.

    ``alias`` is the sender's own number for the case, once it has one: either place's number finds a case.
    """

    v: Annotated[int, Meta(ge=1, le=VERSION)] = VERSION
    id: MessageId
    type: Short
    sender: PartyId
    to: PartyId
    hops: Annotated[tuple[PartyId, ...], Meta(max_length=4)] = ()
    agreement: Short
    agreement_version: Annotated[int, Meta(ge=1, le=1_000_000)]
    item: Short
    case: CaseId
    alias: Short = ""
    seq: Annotated[int, Meta(ge=0, le=1_000_000)]
    seen: Annotated[int, Meta(ge=0, le=1_000_000)]
    key: Short
    created: Millis
    expires: Millis
    purpose: Annotated[str, Meta(max_length=200)] = ""  # as long as an application's may be
    legal_basis: Annotated[str, Meta(max_length=4000)] = ""
    content_type: Short = BODY_TYPE
    body: Digest
    body_size: Annotated[int, Meta(ge=0, le=1 << 24)]
    parts: Annotated[tuple[PartRef, ...], Meta(max_length=256)] = ()
    sealed: Sealed | None = None


_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(Header)


def encode_header(header: Header) -> bytes:
    """The header's canonical bytes: UTF-8 JSON, keys sorted, no spaces."""
    return _ENCODER.encode(header)


def decode_header(data: bytes) -> Header:
    """The header of received bytes. Raises ValueError if unreadable, incomplete or not canonical, or if that of a sealed
    message tells of its content.

    Encoding again must give the same bytes: that refuses duplicate keys, spaces and second spellings at once.
    """
    header = _DECODER.decode(data)
    if _ENCODER.encode(header) != data:
        raise ValueError("header is not in canonical form")
    if header.sealed is not None and (header.alias or any(part != bare(part) for part in header.parts)):
        raise ValueError("the header of a sealed message tells of its content")
    if {header.type in WITHOUT_CASE, not header.case, header.seq == 0} not in ({True}, {False}):
        raise ValueError("case and sequence belong together, and to the types that have them")
    return header


def bare(part: PartRef) -> PartRef:
    """A part as a sealed message's header names it: digest and size of its ciphertext, nothing else."""
    return PartRef(part.sm3, part.size, "", "", "")


def digest(header_bytes: bytes) -> bytes:
    """The digest that stands for the whole message: SM3 of the header's bytes."""
    return sm3(header_bytes)
