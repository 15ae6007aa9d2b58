"""Questions about a certificate between gateways (证照查验) and their answers: bodies of the messages that belong to no case.

An inspector scans a QR code anywhere; the issuer is asked what the agreement lets that inspector see, and so learns of the
scan. Like every body these have one form for one value (``codec``).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta

from schemas.canonical import Body, utc
from schemas.fields import Line, LongLine, Moment, OptionalLine

Token = Annotated[
    str,
    Meta(
        title="二维码令牌", pattern=r"^[0-9A-Za-z_-]{22,128}$(?!\n)",
        extra={"zh": "二维码网址中 /v/ 之后的部分", "en": "what follows /v/ in the address of a QR code"},
    ),
]  # fmt: skip
MessageId = Annotated[str, Meta(title="报文编号", pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$(?!\n)")]
Value = Annotated[str, Meta(max_length=4000)]
Name = Annotated[str, Meta(max_length=200)]


class CertificateQuery(Body, frozen=True):
    """查验: who scanned which code, where, when and for what. ``officer``: name or number of the inspector 检查人员."""

    token: Token
    purpose: Annotated[Line, Meta(title="用途")]
    place: Annotated[LongLine, Meta(title="地点")]
    officer: Annotated[Line, Meta(title="检查人员")]
    at: Annotated[Moment, Meta(title="查验时间")]
    use: Annotated[Literal["scan"], Meta(title="用法")] = "scan"

    def __post_init__(self) -> None:
        utc(self.at)


class SeenField(Body, frozen=True):
    """One field that the agreement's line grants: its name there, as printed, and what it says."""

    name: Name
    label: Name
    value: Value


class SeenPermit(Body, frozen=True):
    """One permit of several, and how it stands."""

    name: Name
    standing: Name
    valid_from: date
    valid_to: date | None = None


class CertificateAnswer(Body, frozen=True):
    """查验结果. ``released``: this is what ``clause`` grants; ``withheld``: nothing is, for the reason given; ``unknown``: the
    issuer has no such certificate. ``standing``: a value of ``gateway.core.ecert.Standing``."""

    query: MessageId
    outcome: Annotated[Literal["released", "withheld", "unknown"], Meta(title="结果")]
    at: Annotated[Moment, Meta(title="答复时间")]
    standing: Name = ""
    type_name: Name = ""
    issuer: Name = ""
    valid_from: date | None = None
    valid_to: date | None = None
    fields: Annotated[tuple[SeenField, ...], Meta(max_length=200)] = ()
    permits: Annotated[tuple[SeenPermit, ...], Meta(max_length=64)] = ()
    clause: OptionalLine = ""
    code: Name = ""
    reason: Name = ""
    reason_en: Name = ""

    def __post_init__(self) -> None:
        utc(self.at)


INQUIRIES: Final[dict[str, type[Body]]] = {
    "certificate_query": CertificateQuery,
    "certificate_answer": CertificateAnswer,
}
