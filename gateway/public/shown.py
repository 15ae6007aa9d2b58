"""What anybody who scans a certificate's QR code (二维码) is told, as values, and the one verdict at the head of the page.

``Shown`` is made where the certificate is known and is masked from then on: a snapshot for a DMZ holds nothing else. Time
passes after it was made, so whether a certificate has begun or expired is judged when somebody asks (``judge``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from gateway.core import ecert
from gateway.core.ecert import Standing, State, Term
from gateway.public import masking
from signing.ecert import Metadata

Text = Annotated[str, Meta(max_length=masking.LONGEST)]
UNCERTAIN, UNKNOWN, BUSY = "uncertain", "unknown", "busy"  # verdicts beside those of ``ecert.Standing``


class ShownPermit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One permit of a certificate that carries several; ``valid_to`` None: no end."""

    name: Text
    valid_from: date
    valid_to: date | None = None
    status: State = State.VALID


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A certificate as the public sees it: masked, without number, surface fields or reasons. ``since_ms``: since when it
    is not valid any more, 0 while it is."""

    type_name: Text
    issuer: Text
    holder: Text
    holder_code: Text
    valid_from: date
    valid_to: date | None = None
    status: State = State.VALID
    since_ms: int = 0
    permits: Annotated[tuple[ShownPermit, ...], Meta(max_length=64)] = ()


class Face(NamedTuple):
    """How a verdict looks: a sign and words, so that colour is never the only difference."""

    mark: str
    zh: str
    en: str
    tone: str


def _faces() -> dict[str, Face]:
    looks = {
        "✓ good": ("valid",), "‖ wait": ("suspended",), "! wait": ("not_yet_valid", BUSY), "? wait": (UNCERTAIN,),
        "? none": (UNKNOWN,),
        "✗ bad": ("revoked", "withdrawn", "cancelled", "superseded", "expired", "lapsed"),
    }  # fmt: skip
    words = ecert.NAMES | {
        UNCERTAIN: ("暂不能确认", "cannot be confirmed now"),
        UNKNOWN: ("查无此证", "no such certificate"),
        BUSY: ("查询过于频繁", "asked too often"),
    }
    return {one: Face(look[0], *words[one], look[2:]) for look, verdicts in looks.items() for one in verdicts}


FACES = _faces()
_MAY_CHANGE = frozenset({Standing.VALID, Standing.SUSPENDED, Standing.NOT_YET})


def show(found: Metadata, status: State, since_ms: int, permits: Mapping[str, State]) -> Shown:
    """A certificate's public form. ``permits``: the state of each by its id, valid if not named."""
    return Shown(
        type_name=masking.words(found.type_name),
        issuer=masking.words(found.issuer_name),
        holder=masking.holder(found.holder.name, found.holder.code_type),
        holder_code=masking.code(found.holder.code),
        since_ms=since_ms,
        valid_from=found.valid_from,
        valid_to=found.valid_to,
        status=status,
        permits=tuple(
            ShownPermit(masking.words(one.name), one.valid_from, one.valid_to, permits.get(one.id, State.VALID))
            for one in found.permits
        ),
    )


def judge(found: Shown, today: date, stale: bool) -> tuple[str, list[str]]:
    """The verdict of this day (China), a key of ``FACES``, and one for each permit. ``stale``: the news is too old to say
    that nothing has happened since; what has ended has ended all the same."""
    permits = [_standing(one, today) for one in found.permits]
    sheet = ecert.of_sheet(_standing(found, today), permits)
    all_ = [sheet, *(ecert.of_permit(one, sheet) for one in permits)]
    verdict, *each = [UNCERTAIN if stale and one in _MAY_CHANGE else one.value for one in all_]
    return verdict, each


def _standing(found: Shown | ShownPermit, today: date) -> Standing:
    return ecert.standing(found.status, Term(found.valid_from, found.valid_to), today)
