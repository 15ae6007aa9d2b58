"""One byte changed, and what broke: in copies of the exported package and of a stamped result; the originals stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.demo.proof import verify
from gateway.ledger.package import Finding
from gateway.ledger.records import DocumentRecord, MessageRecord, StampRecord, read_line
from signing import certs
from signing.policy import CRL_IF_PRESENT
from signing.providers import Provider
from signing.sm3 import sm3
from signing.verify import SealReport, verify_stamp


@dataclass(frozen=True)
class Change:
    """What was changed (in words and as bytes), where (line of the package), and what the verifier says of it."""

    what: tuple[str, str]
    line: int
    offset: int
    before: str
    after: str
    data: bytes
    found: Sequence[Finding]
    ok: bool | None


@dataclass(frozen=True)
class Restamped:
    """The stamped result with one byte of the document, or of the stamp, changed."""

    what: tuple[str, str]
    report: SealReport


def changes(data: bytes, anchors: Sequence[bytes], provider: Provider) -> Iterator[Change]:
    """One byte changed in a message's body, in a ledger proof, in the result document; each by itself."""
    lines = data.split(b"\n")
    records = [read_line(line) for line in lines if line]
    message = next(n for n, one in enumerate(records) if isinstance(one, MessageRecord))
    document = next((n for n, one in enumerate(records) if isinstance(one, DocumentRecord)), None)
    yield _changed(data, lines, message, "body", ("一份报文的内容", "the content of a message"), anchors, provider)
    yield _changed(data, lines, message, "salt", ("一条账本证明", "a ledger proof"), anchors, provider)
    if document is not None:
        yield _changed(data, lines, document, "data", ("盖章结果文件", "the stamped result"), anchors, provider)


def _changed(
    data: bytes,
    lines: Sequence[bytes],
    number: int,
    key: str,
    what: tuple[str, str],
    anchors: Sequence[bytes],
    provider: Provider,
) -> Change:
    line = lines[number]
    start = line.index(f'"{key}":"'.encode()) + len(key) + 4
    place = start + 20  # a Base64 character well inside the value: the bytes behind it change, the line stays readable
    other = b"B" if line[place : place + 1] == b"A" else b"A"
    fresh = line[:place] + other + line[place + 1 :]
    altered = b"\n".join([*lines[:number], fresh, *lines[number + 1 :]])
    report = verify(altered, anchors, provider)
    offset = sum(len(one) + 1 for one in lines[:number]) + place
    return Change(
        what, number + 1, offset, line[place : place + 1].decode(), other.decode(), altered, report.reasons, report.ok
    )


def restamped(data: bytes, anchors: Sequence[bytes], provider: Provider) -> Iterator[Restamped]:
    """The first stamped result of a package: as it is, with one byte of the document changed, with one of the stamp."""
    records = [read_line(line) for line in data.split(b"\n") if line]
    stamp = next((one.data for one in records if isinstance(one, StampRecord)), None)
    document = next((one.data for one in records if isinstance(one, DocumentRecord) and one.role == "result"), None)
    if stamp is None or document is None:
        return
    roots = [certs.parse(der) for der in anchors]

    def judge(stamp: bytes, document: bytes) -> SealReport:
        return verify_stamp(
            stamp, sm3(document), at=datetime.now(UTC), anchors=roots, provider=provider, policy=CRL_IF_PRESENT
        )

    yield Restamped(("原样", "as it is"), judge(stamp, document))
    yield Restamped(
        ("结果文件改一个字节", "one byte of the document"), judge(stamp, _flip(document, len(document) // 2))
    )
    yield Restamped(("签章改一个字节", "one byte of the stamp"), judge(_flip(stamp, len(stamp) - 5), document))


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
