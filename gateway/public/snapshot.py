"""Signed status snapshots (状态快照): the whole public register as one file, for a machine in a DMZ without keys or store.

A text file: line 1 the head (canonical JSON), line 2 the key id and its signature over the domain line and line 1, then one
line per certificate: hex SM3 of its token, a blank, its ``Shown`` as JSON; sorted, so a reader bisects and decodes one line per
question. The head holds the SM3 of all bytes after line 2. What is in it is masked already and nobody's token can be read
from it. The signature is the issuer's direct key's; the reader believes it by the issuer's card alone (docs/protocol.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from gateway.exchange.card import Card
from gateway.exchange.known import known_keys
from gateway.exchange.message import Digest, Millis, PartyId
from gateway.public.shown import Shown
from gateway.public.source import News
from signing import sm2
from signing.errors import Malformed, Rejected
from signing.providers import Provider
from signing.sm2 import Signer
from signing.sm3 import new

DOMAIN: Final = b"tongban/v1/snapshot\n"
MAX_SIZE: Final = 512 << 20  # bytes of a file, some 1.5 million certificates
MAX_HEAD: Final = 4096
CLOCKS_MS: Final = 300_000  # how far two clocks may differ
_KEY: Final = 64  # hex characters of a digest
_CHUNK: Final = 1 << 20
T = TypeVar("T")


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``sequence`` only goes up; ``next_ms``: when the next one is due at the latest; ``body``: SM3 of what follows;
    ``sample``: a laboratory's, whose certificates are none."""

    v: Literal[1] = 1
    issuer: PartyId
    sequence: Annotated[int, Meta(ge=1, le=1 << 53)]
    made_ms: Millis
    next_ms: Millis
    entries: Annotated[int, Meta(ge=0, le=1 << 32)]
    body: Digest
    sample: bool


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Line 2."""

    key: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    signature: Annotated[bytes, Meta(max_length=80)]


class Made(NamedTuple):
    """What was written."""

    entries: int
    sequence: int


_ENCODER = msgspec.json.Encoder(order="sorted")
_SHOWN = msgspec.json.Decoder(Shown)


# --- writing ---------------------------------------------------------------------------------------------------------


def write(
    path: Path,
    rows: Iterable[tuple[bytes, Shown]],
    issuer: str,
    made_ms: int,
    next_ms: int,
    sample: bool,
    signer: Signer,
) -> Made:
    """Put a snapshot in the place of the one before, whole or not at all. ``rows`` in the order of their digests; one at a
    time is in memory. Raises OSError."""
    body, part = (path.with_name(f".{path.name}.{os.getpid()}.{kind}") for kind in ("body", "part"))
    try:
        entries, digest = _body(body, rows)
        head = Head(
            issuer=issuer, sequence=max(made_ms, _before(path) + 1), made_ms=made_ms, next_ms=next_ms, entries=entries,
            body=digest, sample=sample,
        )  # fmt: skip
        first = _ENCODER.encode(head)
        signature = Signature(signer.key_id, signer.sign(DOMAIN + first))
        with part.open("wb") as file, body.open("rb") as lines:
            file.write(first + b"\n" + _ENCODER.encode(signature) + b"\n")
            while chunk := lines.read(_CHUNK):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        body.unlink(missing_ok=True)
        part.unlink(missing_ok=True)
    return Made(entries, head.sequence)


def _body(path: Path, rows: Iterable[tuple[bytes, Shown]]) -> tuple[int, str]:
    entries, digest = 0, new()
    with path.open("wb") as file:
        for token, shown in rows:
            line = token.hex().encode() + b" " + _ENCODER.encode(shown) + b"\n"
            digest.update(line)
            file.write(line)
            entries += 1
    return entries, digest.digest().hex()


def _before(path: Path) -> int:
    """The sequence of the file that is there; 0 for none that can be read."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.readline(MAX_HEAD), type=Head).sequence
    except (OSError, msgspec.MsgspecError, ValueError):
        return 0


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that was believed: ``Source`` over its bytes. ``first``: line 1."""

    head: Head
    first: bytes
    data: bytes
    start: int

    def look(self, digest: bytes) -> Shown | None:
        """The certificate of a token's digest: a bisection over the sorted lines."""
        wanted, low, high = digest.hex().encode(), self.start, len(self.data)
        while low < high:
            begin = self.data.rfind(b"\n", 0, (low + high) // 2) + 1
            end = self.data.find(b"\n", begin)
            found = self.data[begin : begin + _KEY]
            if found == wanted:
                return _SHOWN.decode(self.data[begin + _KEY + 1 : end])
            low, high = (end + 1, high) if found < wanted else (low, begin)
        return None

    def news(self, now_ms: int) -> News:
        """Of when it is, and whether the next one is overdue."""
        return News(self.head.made_ms, now_ms > self.head.next_ms)


def read(data: bytes, card: Card, provider: Provider, now_ms: int, held: Snapshot | None) -> Snapshot | Rejected:
    """The snapshot in these bytes, if the card's party signed it and it does not go back behind the one held. Raises
    ``Malformed`` for bytes that are none."""
    first, second, start = _lines(data)
    head, signed = _decode(first, Head), _decode(second, Signature)
    if head.issuer != card.party:
        return Rejected("snapshot-issuer", "快照不是该方的", "the snapshot is another party's")
    key = known_keys([card]).get(signed.key)
    if key is None or key.use != "direct" or key.revoked is not None or not key.counts(head.made_ms, CLOCKS_MS):
        return Rejected("snapshot-key", "快照不是名片中有效的直签密钥所签", "not signed by a direct key of the card")
    if not sm2.verify(provider, key.public, DOMAIN + first, signed.signature, signer_id=sm2.DEFAULT_ID):
        return Rejected("snapshot-signature", "快照签名验证未通过", "the snapshot's signature does not verify")
    if head.made_ms > now_ms + CLOCKS_MS:
        return Rejected("snapshot-future", "快照的时间在将来", "the snapshot is of the future")
    if held is not None and first != held.first and head.sequence <= held.head.sequence:
        return Rejected("snapshot-rollback", "快照比已有的旧", "the snapshot is older than the one held")
    if _digest(data, start) != head.body:
        return Rejected("snapshot-body", "快照内容与签名不符", "the content is not what was signed")
    _check_order(data, start, head.entries)
    return Snapshot(head, first, data, start)


def _lines(data: bytes) -> tuple[bytes, bytes, int]:
    first = data.find(b"\n", 0, MAX_HEAD)
    second = data.find(b"\n", first + 1, first + MAX_HEAD)
    if len(data) > MAX_SIZE or first < 0 or second < 0 or not data.endswith(b"\n"):
        raise _unreadable()
    return data[:first], data[first + 1 : second], second + 1


def _decode(line: bytes, form: type[T]) -> T:
    try:
        return msgspec.json.decode(line, type=form)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise _unreadable() from None


def _digest(data: bytes, start: int) -> str:
    digest = new()
    for at in range(start, len(data), _CHUNK):
        digest.update(data[at : at + _CHUNK])
    return digest.digest().hex()


def _check_order(data: bytes, start: int, entries: int) -> None:
    """What its issuer signed must be what a bisection can read: strictly ascending, as many as it says."""
    count, before, begin = 0, b"", start
    while begin < len(data):
        key = data[begin : begin + _KEY]
        if key <= before or data[begin + _KEY : begin + _KEY + 1] != b" ":
            raise _unreadable()
        count, before, begin = count + 1, key, data.find(b"\n", begin) + 1
    if count != entries:
        raise _unreadable()


def _unreadable() -> Malformed:
    return Malformed("snapshot-form", "快照文件无法读取", "the snapshot cannot be read")
