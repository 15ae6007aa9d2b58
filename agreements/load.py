"""The signed file form of an agreement, read and written.

A file is the agreement's TOML, byte for byte, then a trailer of TOML comment lines, one per signature::

    #签署 <party id> <RFC 3339 UTC time> <base64 certificate DER> <base64 SM2 signature DER>

The signature covers ``tongban/v1/agreement\\n``, the party id, ``\\n``, the time, ``\\n`` and the 32 bytes of
SM3(text), where text is everything before the first trailer line. So the file stays valid TOML, a signature is added
without touching what others signed, and one changed byte of the text breaks every signature. Who may sign for a party
is the caller's to know: ``check_signatures`` takes a verifying function.
"""

from __future__ import annotations

import binascii
import re
import tomllib
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from agreements.model import Agreement
from agreements.problems import AgreementError, cross_checks, from_invalid
from schemas.errors import Invalid
from schemas.explain import explain
from schemas.strict import check_texts
from signing.errors import Indeterminate
from signing.sm3 import sm3

__all__ = [
    "AgreementError", "PartySignature", "SignatureCheck", "SignedAgreement", "check_signatures", "digest", "message", "parse",
    "with_signature",
]  # fmt: skip

MARK: Final = "#签署 "
DOMAIN: Final = b"tongban/v1/agreement\n"
MAX_BYTES: Final = 4 << 20
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_TOML_AT: Final = re.compile(r"\(at line (\d+), column (\d+)\)")


class PartySignature(msgspec.Struct, frozen=True):
    """One trailer line. ``at`` is the text of the time, as it was signed."""

    party: str
    at: str
    certificate: bytes
    signature: bytes

    @property
    def time(self) -> datetime:
        """The time as a value."""
        return datetime.strptime(self.at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)

    def line(self) -> bytes:
        """The trailer line, with its line feed."""
        certificate, signature = b64encode(self.certificate).decode(), b64encode(self.signature).decode()
        return f"{MARK}{self.party} {self.at} {certificate} {signature}\n".encode()


class SignedAgreement(msgspec.Struct, frozen=True):
    """A file as read: ``text`` is what was signed, ``agreement`` what it says."""

    text: bytes
    agreement: Agreement
    signatures: list[PartySignature]

    @property
    def data(self) -> bytes:
        """The whole file."""
        return self.text + b"".join(signature.line() for signature in self.signatures)


class Reason(Protocol):
    """Why a signature is not good: ``signing.errors.Rejected`` or ``Indeterminate`` fit."""

    @property
    def code(self) -> str: ...
    @property
    def zh(self) -> str: ...
    @property
    def en(self) -> str: ...


class Missing(msgspec.Struct, frozen=True):
    """A party has not signed."""

    code: str = "not-signed"
    zh: str = "尚未签署"
    en: str = "has not signed"


class SignatureCheck(msgspec.Struct, frozen=True):
    """One party's state: ``ok`` True with no reason, False, or None where evidence is missing."""

    party: str
    ok: bool | None
    reason: Reason | None


Verify = Callable[[str, bytes, bytes, bytes, datetime], Reason | None]
"""(party id, certificate DER, message, signature, time of signing) -> why not, or None if good."""


def digest(text: bytes) -> str:
    """The agreement's name by content: hex SM3 of the signed text."""
    return sm3(text).hex()


def message(text: bytes, party: str, at: str) -> bytes:
    """The bytes a party signs."""
    return DOMAIN + f"{party}\n{at}\n".encode() + sm3(text)


def time_text(at: datetime) -> str:
    """A time as the trailer writes it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def with_signature(data: bytes, signature: PartySignature) -> bytes:
    """The file with one signature more. Raises AgreementError: a stranger, or a party that has signed already."""
    signed = parse(data)
    return parse(signed.data + signature.line()).data


def _signature(line: str, number: int) -> PartySignature:
    """A trailer line has one writing: what reads back otherwise is refused."""
    parts = line.removeprefix(MARK).split(" ")
    try:
        if len(parts) != 4 or not _TIME.fullmatch(parts[1]):
            raise ValueError
        found = PartySignature(
            parts[0], parts[1], b64decode(parts[2], validate=True), b64decode(parts[3], validate=True)
        )
        if found.line() != f"{line}\n".encode() or found.time is None:
            raise ValueError
    except (ValueError, binascii.Error):
        zh, en = "签署行应为：主体 时间 证书 签名", "a signature line is: party, time, certificate, signature"
        raise AgreementError("signature-line", zh, en, f"第{number}行 line {number}") from None
    return found


def _cut(data: bytes) -> tuple[bytes, bytes]:
    """(signed text, trailer): the trailer begins with the first line that begins with the mark."""
    if len(data) > MAX_BYTES:
        raise AgreementError("too-large", f"协议文件超过{MAX_BYTES}字节", f"larger than {MAX_BYTES} bytes")
    mark = MARK.encode()
    start = 0 if data.startswith(mark) else data.find(b"\n" + mark) + 1 or len(data)
    text = data[:start]
    if mark in text:
        line = text[: text.index(mark)].count(b"\n") + 1
        where = f"第{line}行 line {line}"
        raise AgreementError("mark-in-text", "“#签署”只能写在行首", "a signature line must begin its line", where)
    return text, data[start:]


def _signatures(trailer: bytes, first: int) -> list[PartySignature]:
    """The lines of a trailer, ``first`` being the number of its first line. Nothing else may stand between or after."""
    if not trailer:
        return []
    try:
        lines = trailer.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise AgreementError("not-utf8", "签署行不是UTF-8", "the signature lines are not UTF-8") from None
    for number, line in enumerate(lines, first):
        if not line.startswith(MARK):
            where = f"第{number}行 line {number}"
            raise AgreementError("text-after-signature", "签署行之后还有内容", "text after the signature lines", where)
    return [_signature(line, number) for number, line in enumerate(lines, first)]


def _agreement(text: bytes) -> Agreement:
    try:
        source = text.decode()
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise AgreementError("not-utf8", "不是UTF-8文本", "not UTF-8", f"第{line}行 line {line}") from None
    try:
        table = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _TOML_AT.search(str(error))
        where = f"第{found[1]}行第{found[2]}列 line {found[1]} column {found[2]}" if found else "末尾 end"
        what = str(error).partition(" (at")[0]
        raise AgreementError("bad-toml", "不是合法TOML", f"not TOML: {what[:120]}", where) from None
    try:
        check_texts(table)
        agreement = msgspec.convert(table, Agreement, strict=True)
    except Invalid as error:
        raise from_invalid(error, source) from None
    except msgspec.ValidationError as error:
        raise from_invalid(explain(error, Agreement), source) from None
    cross_checks(agreement, source)
    return agreement


def parse(data: bytes) -> SignedAgreement:
    """A file, signed or not yet, or AgreementError with what and where."""
    text, trailer = _cut(data)
    agreement = _agreement(text)
    signatures = _signatures(trailer, text.count(b"\n") + 1)
    seen: set[str] = set()
    for signature in signatures:
        if agreement.party(signature.party) is None:
            zh, en = "签署者不是协议的一方", "the signer is no party of the agreement"
            raise AgreementError("signature-by-stranger", zh, en, signature.party)
        if signature.party in seen:
            zh, en = "同一方签署了两次", "a party has signed twice"
            raise AgreementError("signed-twice", zh, en, signature.party)
        seen.add(signature.party)
    return SignedAgreement(text, agreement, signatures)


def check_signatures(signed: SignedAgreement, *, verify: Verify) -> list[SignatureCheck]:
    """The state of every party, in the agreement's order."""
    by_party = {signature.party: signature for signature in signed.signatures}
    checks = []
    for party in signed.agreement.parties:
        signature = by_party.get(party.id)
        reason: Reason | None = Missing()
        if signature is not None:
            covered = message(signed.text, party.id, signature.at)
            reason = verify(party.id, signature.certificate, covered, signature.signature, signature.time)
        ok = None if isinstance(reason, Indeterminate) else reason is None
        checks.append(SignatureCheck(party.id, ok, reason))
    return checks


def signed_by(checks: Sequence[SignatureCheck]) -> frozenset[str]:
    """The parties whose signature is good: what ``match.Held`` wants."""
    return frozenset(check.party for check in checks if check.ok)
