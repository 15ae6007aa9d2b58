"""The evidence package's lines (证据包): JSON Lines, one record per line, each named by its ``record`` field.

The first line is the manifest, the last the end line with the SM3 of all bytes before it, signed by the maker. What a
record claims is proved by what it carries; manifest and timeline only tell the story and are checked against the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from gateway.ledger.checkpoint import Proof, SignedCheckpoint
from signing.sm3 import sm3

FORMAT: Final = "tongban/v1/evidence"
DOMAIN = b"tongban/v1/evidence\n"

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Millis = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]


class _Record(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="record", omit_defaults=True
):
    pass


class PartyNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A party of the case; the role is what the messages must bear out."""

    id: str
    name: str
    role: Literal["collecting", "handling"]


class Manifest(_Record, frozen=True, tag="manifest"):
    """Whose case, who made the package and when (ms)."""

    format: Literal["tongban/v1/evidence"]
    case: str
    made_by: str
    made_at: Millis
    parties: list[PartyNote]


class CertificateRecord(_Record, frozen=True, tag="certificate"):
    """A CA or intermediate certificate, DER."""

    der: bytes


class CrlRecord(_Record, frozen=True, tag="crl"):
    """A revocation list, DER."""

    der: bytes


class CardRecord(_Record, frozen=True, tag="card"):
    """A party's signed card, the bytes as published."""

    party: str
    card: bytes


class AgreementRecord(_Record, frozen=True, tag="agreement"):
    """The signed agreement file, verbatim."""

    id: str
    version: int
    file: bytes


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed refusal: the receiver's proof of the entry "refused" over SM3(header digest, code)."""

    code: str
    proof: Proof


class MessageRecord(_Record, frozen=True, tag="message"):
    """A message's very bytes, its sender's proof and its receiver's answer. ``withheld``: the body is not in the package,
    because who refused the message did not keep it. ``key``: the message key of a sealed body, where it is disclosed."""

    header: bytes
    body: bytes
    withheld: bool = False
    key: bytes = b""
    sender: Proof | None = None
    receipt: Proof | None = None
    refusal: Refusal | None = None


class ProofRecord(_Record, frozen=True, tag="proof"):
    """Another entry of a party's ledger: an act of its local platform, a checkpoint it observed."""

    party: str
    kind: str
    id: str
    digest: Digest
    proof: Proof


class OriginalRecord(_Record, frozen=True, tag="original"):
    """What a party's local platform said, of which the message with this id was made, and the version of the mapping that
    made it. Without ``data`` the package has its digest alone, in the ledger proof of kind ``platform``."""

    party: str
    id: str
    mapping: Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]{0,160}\Z")] = ""
    data: bytes | None = None


class ConsistencyRecord(_Record, frozen=True, tag="consistency"):
    """The path from one checkpoint of the package to a later one of the same origin, by their sizes."""

    origin: str
    old: int
    new: int
    path: list[bytes]


class DocumentRecord(_Record, frozen=True, tag="document"):
    """A file that a message names by its digest: material, result."""

    sm3: Digest
    data: bytes
    name: str = ""
    media_type: str = ""
    role: str = ""


class StampRecord(_Record, frozen=True, tag="stamp"):
    """A stamp (电子签章数据) that a result names by its digest."""

    sm3: Digest
    data: bytes


class TimestampRecord(_Record, frozen=True, tag="timestamp"):
    """An authority's time stamp (时间戳, DER). With a checkpoint it is over that checkpoint and its signature; without, it
    stands behind the end line and is over all bytes before its own line, so anybody can add one later, and one more over
    that (a new seal of time on an old archive)."""

    token: bytes
    checkpoint: SignedCheckpoint | None = None


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of the story: time, event of the case machine, by whom, state after it at the maker, message or none."""

    at: Millis
    event: str
    by: str = ""
    state: str = ""
    message: str = ""
    note: str = ""


class TimelineRecord(_Record, frozen=True, tag="timeline"):
    """The walk of the case as its maker saw it."""

    entries: list[Told]


class End(_Record, frozen=True, tag="end"):
    """Number of records before it, SM3 of all bytes before it, and the maker's signature with its direct key."""

    records: int
    digest: Digest
    key: str = ""
    signature: bytes = b""


Record = (
    Manifest | CertificateRecord | CrlRecord | CardRecord | AgreementRecord | MessageRecord | ProofRecord
    | OriginalRecord | ConsistencyRecord | DocumentRecord | StampRecord | TimelineRecord | TimestampRecord | End
)  # fmt: skip

# bytes to sign -> (key id, signature)
Sign = Callable[[bytes], tuple[str, bytes]]

_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def build(records: Sequence[Record], sign: Sign | None = None) -> bytes:
    """The package: one line per record and the end line. ValueError unless the manifest, and only it, comes first."""
    kinds = [type(record) for record in records]
    if not kinds or kinds[0] is not Manifest or Manifest in kinds[1:] or End in kinds:
        raise ValueError("a package is one manifest and then its records")
    head = _ENCODER.encode_lines(records)
    key, signature = sign(signed_bytes(head)) if sign else ("", b"")
    end = End(records=len(records), digest=sm3(head).hex(), key=key, signature=signature)
    return head + _ENCODER.encode(end) + b"\n"


def signed_bytes(head: bytes) -> bytes:
    """What the maker signs: domain line and SM3 (hex) of all lines before the end line."""
    return DOMAIN + sm3(head).hex().encode() + b"\n"


def with_timestamp(package: bytes, token: bytes) -> bytes:
    """The package with a time stamp over all its bytes behind it."""
    return package + _ENCODER.encode(TimestampRecord(token=token)) + b"\n"


def read_line(line: bytes) -> Record:
    """One record; ``msgspec.MsgspecError``, ``ValueError`` or ``RecursionError`` for anything else.

    Every line has one spelling, so a changed byte is told as its line's even where it would read the same (the last bits
    of a Base64 text), and the end line, which covers all other bytes, is itself covered by its form.
    """
    record = _DECODER.decode(line)
    if _ENCODER.encode(record) != line:
        raise ValueError("the line is not as it is written")
    return record
