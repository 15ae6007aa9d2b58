"""What of a certificate (电子证照) another party may see, for which purpose and in which way: a question to the agreements held.

The answer is a value: a :class:`Release` with the fields that one line grants, or a :class:`Refusal` with its clause. What anybody
may see who holds the paper (what it is, by whom, until when, whether it stands) is no release and needs no agreement.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

import msgspec

from agreements.calendar import china_date
from agreements.match import Book, Held, out_of_force
from agreements.model import EVERYTHING, CertificateLine, CertificateUse, FieldName, PartyId, TypeCode
from agreements.refuse import Refusal, Refusals
from schemas.fields import LongLine

# Fields that stand in every certificate's metadata beside its own surface fields, by the standard's keys (GB/T 36903).
HEAD: Final[dict[str, tuple[str, str]]] = {
    "ZZBH": ("证照编号", "certificate number"),
    "CZZT": ("持证主体", "holder"),
    "CZZTDM": ("持证主体代码", "holder's code"),
}
NEARNESS: Final = (
    "no-agreement-with-place",
    "agreement-not-in-force",
    "agreement-superseded",
    "certificate-not-agreed",
    "agreement-expired",
    "agreement-not-signed-by-both",
    "use-not-agreed",
    "purpose-not-agreed",
)
"""Every code, the least to the most nearly right: of several lines the nearest one explains."""


class ReleaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked. ``issuer`` issued the certificate, ``to`` wants to use it; both are party ids."""

    issuer: PartyId
    to: PartyId
    type_code: TypeCode
    use: CertificateUse
    purpose: LongLine


class Release(msgspec.Struct, frozen=True):
    """Yes, under this line, so much: ``fields`` by name, or ``whole``: all of it, the file too."""

    agreement: str
    version: int
    clause: str
    fields: tuple[FieldName, ...]
    use: CertificateUse
    purpose: str

    @property
    def whole(self) -> bool:
        """Whether nothing is held back."""
        return self.fields == (EVERYTHING,)

    def shows(self, name: str) -> bool:
        """Whether a field of this name may be shown."""
        return self.whole or name in self.fields


def decide_release(request: ReleaseRequest, book: Book, now: datetime) -> Release | Refusal:
    """The decision at ``now`` (aware). Of several lines that grant it, the one that shows most. Pure."""
    today = china_date(now)
    granted: list[Release] = []
    flaws: list[Refusal] = []
    for held, line in _lines(request, book):
        flaw = _flaw(held, line, request, today, book)
        if flaw is None:
            granted.append(_release(held, line, request))
        else:
            flaws.append(flaw)
    if granted:
        return max(granted, key=lambda one: (one.whole, len(one.fields)))
    flaws += _uncovered(request, book, today)
    if flaws:
        return max(flaws, key=lambda refusal: NEARNESS.index(refusal.code))
    zh, en = "与颁发方之间没有通办协议", "no agreement with the issuer"
    return Refusal("no-agreement-with-place", "", zh, en)


def _lines(request: ReleaseRequest, book: Book) -> Iterator[tuple[Held, CertificateLine]]:
    """Every line between the two for this type, newest version of an agreement first."""
    for held in book.held:
        for line in held.agreement.certificates:
            if _covers(line, request):
                yield held, line


def _covers(line: CertificateLine, request: ReleaseRequest) -> bool:
    between = request.issuer in line.issuers and request.to in line.to and request.issuer != request.to
    return between and request.type_code in line.types


def _flaw(held: Held, line: CertificateLine, request: ReleaseRequest, today: date, book: Book) -> Refusal | None:
    """Why a line does not grant this; None if it does. In the order a person would ask."""
    say = Refusals(held.agreement)
    flaw = out_of_force(held, today, book)
    if flaw is not None:
        return flaw
    if request.use not in line.uses:
        return say.use(line, request.use)
    if request.purpose not in (line.purposes or held.agreement.purposes):
        return say.purpose(line)
    return None


def _uncovered(request: ReleaseRequest, book: Book, today: date) -> list[Refusal]:
    """The agreements between the two that say nothing of this type."""
    ends = {request.issuer, request.to}
    return [
        Refusals(held.agreement).certificate()
        for held in book.held
        if len(ends) == 2
        and ends <= {party.id for party in held.agreement.parties}
        and held is (book.current(held.agreement.id, today) or held)
        and not any(_covers(line, request) for line in held.agreement.certificates)
    ]


def _release(held: Held, line: CertificateLine, request: ReleaseRequest) -> Release:
    agreement = held.agreement
    return Release(agreement.id, agreement.version, line.clause, tuple(line.fields), request.use, request.purpose)
