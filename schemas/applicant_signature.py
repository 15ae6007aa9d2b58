"""The applicant's signature (申请人签名) as evidence of its own: what was signed, by whom, when, how, and by what means.

Four means that places use: handwriting on a pad with its trace (手写签名轨迹), a confirmation in an app, an event certificate
(事件证书) made for this one act, and ink on paper, scanned. One act may cover many documents. The record is bound to their
digests; ``statement`` is what an event certificate, or the pad or system that vouches for the act, signs. What makes the
signature reliable by 电子签名法 article 13 is stated as data, one sentence for each of its four elements.

A record travels as a file of the case with the role ``applicant-signature``; its bytes have one form, as canonical bodies do.
"""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from schemas.canonical import Body
from schemas.codec import strict_json
from schemas.errors import Invalid
from schemas.explain import explain
from schemas.fields import Digest, IdentityCheck, IdNumber, Line, LongLine, Moment, OptionalLine, OptionalProse
from schemas.strict import check_texts

MAX_BYTES: Final = 2 << 20
MEDIA_TYPE: Final = "application/vnd.tongban.applicant-signature+json"
ROLE: Final = "applicant-signature"
DOMAIN: Final = b"tongban/v1/applicant-signature\n"
KINDS: Final = {
    "handwriting": "手写签名", "app": "应用内确认", "event_certificate": "事件证书", "scan": "纸面签名扫描",
}  # fmt: skip
Kind = Literal["handwriting", "app", "event_certificate", "scan"]
Time = Annotated[int, Meta(ge=0, le=3_600_000)]
Place = Annotated[int, Meta(ge=0, le=1_000_000)]
Pressure = Annotated[int, Meta(ge=0, le=65_535)]


class Picture(Body, frozen=True):
    """An image in the record itself. ``data``: PNG, JPEG or GIF bytes (Base64 in JSON)."""

    media_type: Annotated[Literal["image/png", "image/jpeg", "image/gif"], Meta(title="媒体类型")]
    data: Annotated[bytes, Meta(title="图像", min_length=1, max_length=700_000)]


class Handwriting(Body, frozen=True, tag="handwriting", tag_field="kind"):
    """手写签名: the picture, and the trace as strokes of points (ms since the first, x, y, pressure; 0 = not measured)."""

    picture: Annotated[Picture, Meta(title="图像")]
    strokes: Annotated[
        list[Annotated[list[tuple[Time, Place, Place, Pressure]], Meta(min_length=1, max_length=5000)]],
        Meta(title="轨迹", max_length=200),
    ]
    device: Annotated[LongLine, Meta(title="签字设备")]


class AppConfirmation(Body, frozen=True, tag="app", tag_field="kind"):
    """应用内确认: the person, logged in at ``level``, confirmed what the screen showed (``shown``: SM3 of that text)."""

    app: Annotated[LongLine, Meta(title="应用")]
    account: Annotated[LongLine, Meta(title="账号标识")]
    level: Annotated[Line, Meta(title="实名等级")]
    shown: Annotated[Digest, Meta(title="所示内容摘要")]
    reference: Annotated[OptionalLine, Meta(title="应用流水号")] = ""


class EventCertificate(Body, frozen=True, tag="event_certificate", tag_field="kind"):
    """事件证书: DER of a certificate issued for this act, and its SM2 signature (DER) over ``statement``."""

    certificate: Annotated[bytes, Meta(title="事件证书", min_length=1, max_length=16_384)]
    signature: Annotated[bytes, Meta(title="签名值", max_length=80)] = b""


class Scan(Body, frozen=True, tag="scan", tag_field="kind"):
    """纸面签名扫描: the picture, and the clerk who saw the ink."""

    picture: Annotated[Picture, Meta(title="图像")]
    seen_by: Annotated[Line, Meta(title="核对人员")]


class SignedFile(Body, frozen=True):
    """One document that the act covers."""

    name: Annotated[LongLine, Meta(title="文件名称")]
    sm3: Annotated[Digest, Meta(title="SM3摘要")]


class Reliability(Body, frozen=True):
    """电子签名法 第十三条: why each element is met, "" where it is not claimed."""

    exclusive: Annotated[OptionalProse, Meta(title="制作数据专有")] = ""
    sole_control: Annotated[OptionalProse, Meta(title="签署时仅由签名人控制")] = ""
    signature_sealed: Annotated[OptionalProse, Meta(title="对签名的改动可被发现")] = ""
    content_sealed: Annotated[OptionalProse, Meta(title="对内容的改动可被发现")] = ""


class Attestation(Body, frozen=True):
    """The pad, app or window system that vouches for the act: its certificate (DER), its SM2 signature over ``statement``."""

    certificate: Annotated[bytes, Meta(title="证书", min_length=1, max_length=16_384)]
    signature: Annotated[bytes, Meta(title="签名值", min_length=1, max_length=80)]


class ApplicantSignature(Body, frozen=True, kw_only=True):
    """One signing act. ``at``: when; ``where``: the window, terminal or address; ``witness``: a clerk who was there."""

    v: Annotated[Literal[1], Meta(title="版本")]
    signer: Annotated[LongLine, Meta(title="签名人")]
    id_number: Annotated[IdNumber, Meta(title="证件号码")]
    documents: Annotated[list[SignedFile], Meta(title="所签文件", min_length=1, max_length=200)]
    at: Annotated[Moment, Meta(title="签署时间")]
    where: Annotated[LongLine, Meta(title="签署地点")]
    identity_check: Annotated[IdentityCheck, Meta(title="身份核验方式")]
    evidence: Annotated[Handwriting | AppConfirmation | EventCertificate | Scan, Meta(title="签署方式")]
    witness: Annotated[OptionalLine, Meta(title="在场人员")] = ""
    reliability: Annotated[Reliability, Meta(title="可靠性")] = Reliability()
    attestation: Annotated[Attestation | None, Meta(title="见证")] = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is not UTC and (self.at.tzinfo is None or self.at.utcoffset()):
            raise Invalid("time-not-utc", "时间应为以Z结尾的UTC时间", "a time must be in UTC and end in Z", "at")

    @property
    def kind(self) -> Kind:
        """The means."""
        return _KIND[type(self.evidence)]


_KIND: Final[dict[type[Any], Kind]] = {
    Handwriting: "handwriting", AppConfirmation: "app", EventCertificate: "event_certificate", Scan: "scan",
}  # fmt: skip
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder(ApplicantSignature)


def encode(record: ApplicantSignature) -> bytes:
    """The record's one form."""
    return _ENCODER.encode(record)


def decode(data: bytes) -> ApplicantSignature:
    """A record from its bytes, or Invalid: also where they are not the bytes that ``encode`` would have written."""
    if len(data) > MAX_BYTES:
        raise Invalid("too-large", f"签名记录超过{MAX_BYTES}字节", f"the record is larger than {MAX_BYTES} bytes")
    try:
        record = _DECODER.decode(data)
    except msgspec.ValidationError as error:
        strict_json(data, max_bytes=MAX_BYTES)
        raise explain(error, ApplicantSignature) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid("bad-json", "签名记录不是合法JSON", "the record is not JSON") from None
    if _ENCODER.encode(record) != data:
        raise Invalid("not-canonical", "签名记录不是规范字节", "not the record's canonical bytes")
    check_texts(msgspec.to_builtins(record))
    return record


def statement(record: ApplicantSignature) -> bytes:
    """What is signed: the whole record but the signatures that are made over it."""
    evidence = record.evidence
    if isinstance(evidence, EventCertificate):
        evidence = msgspec.structs.replace(evidence, signature=b"")
    return DOMAIN + _ENCODER.encode(msgspec.structs.replace(record, evidence=evidence, attestation=None))
