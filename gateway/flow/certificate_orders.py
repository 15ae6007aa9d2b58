"""What a local platform says when it has a certificate issued or acts on one, as JSON, read strictly.

The same for every platform, whatever the dialect of its cases: signed like all else that it sends. Instants are RFC 3339, days
``YYYY-MM-DD``, pictures Base64.
"""

from __future__ import annotations

from datetime import MAXYEAR, date, datetime
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from agreements.model import PartyId
from gateway.certificates.issue import WantedHolder, WantedPermit
from gateway.core.ecert import Event
from gateway.problems import Refused, of_reason
from schemas.codec import strict_json
from schemas.errors import Invalid
from schemas.explain import explain
from schemas.strict import check_texts

T = TypeVar("T", bound=msgspec.Struct)
Number = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[!-~]+$")]
Line = Annotated[str, Meta(min_length=1, max_length=200)]
Code = Annotated[str, Meta(max_length=40, pattern=r"^[a-z-]*$")]
Note = Annotated[str, Meta(max_length=400)]
Pictures = Annotated[dict[str, bytes], Meta(max_length=8)]


class _Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unknown keys are refused. ``id``: the platform's own number; said twice, it is done once."""

    id: Number


class Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to stand on a certificate. ``number``: 证照编号 as printed; ``fields``: values of the template's surface fields."""

    holder: WantedHolder
    number: Line
    valid_from: date
    valid_to: date | None = None
    issued: date | None = None
    fields: Annotated[dict[str, Annotated[str, Meta(max_length=2000)]], Meta(max_length=200)] = {}
    permits: Annotated[list[WantedPermit], Meta(max_length=64)] = []
    pictures: Pictures = {}


class Issue(_Order, frozen=True, kw_only=True):
    """A new certificate. ``type``: its type code; ``serial``: ours if empty; ``case``: whose result it is, any of its numbers."""

    type: Annotated[str, Meta(pattern=r"^[0-9A-Z]{18}[0-9]{3}$")]
    content: Content
    serial: Annotated[str, Meta(pattern=r"^[0-9A-Z]{0,32}$")] = ""
    case: Annotated[str, Meta(max_length=64)] = ""


class Copy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """加注件: for whom, why, until when."""

    relying_party: Annotated[str, Meta(min_length=1, max_length=64)]
    reason: Line
    expires: datetime


class Change(_Order, frozen=True, kw_only=True):
    """An act on a certificate. ``reason``: a code of ``gateway.core.ecert.REASONS``; ``permit``: the one it concerns, the whole if
    empty; ``content`` with ``reissue``, ``copy`` with ``annotate``, and with nothing else."""

    event: Event
    reason: Code = ""
    note: Note = ""
    permit: Annotated[str, Meta(max_length=64)] = ""
    content: Content | None = None
    copy: Copy | None = None

    def __post_init__(self) -> None:
        if (self.content is not None) != (self.event is Event.REISSUE):
            raise ValueError("content 只用于且必须用于 reissue (content goes with reissue, and must)")
        if (self.copy is not None) != (self.event is Event.ANNOTATE):
            raise ValueError("copy 只用于且必须用于 annotate (copy goes with annotate, and must)")
        if self.copy is not None and self.copy.expires.tzinfo is None:
            raise ValueError("expires 须带时区 (expires needs its offset)")
        if self.copy is not None and self.copy.expires.year == MAXYEAR:  # in another zone it may have no date any more
            raise ValueError("expires 过晚 (expires is too late)")


class Disclose(_Order, frozen=True, kw_only=True):
    """What a partner may see of a certificate under an agreement's line is to be given to it: ``to``, a party id; ``use``,
    ``purpose`` as the line has them."""

    to: PartyId
    use: Literal["fetch", "verify"]
    purpose: Line


def read(data: bytes, kind: type[T], limit: int) -> T:
    """An order, or ``Refused`` with the field that is wrong."""
    try:
        value = strict_json(data, max_bytes=limit)
        check_texts(value)
        return msgspec.convert(value, kind, strict=True)
    except Invalid as error:
        raise Refused(of_reason(error.code), f"{error.path} {error.zh}".strip()) from None
    except msgspec.ValidationError as error:
        told = explain(error, kind)
        raise Refused(of_reason(told.code), f"{told.path} {told.zh}".strip()) from None
