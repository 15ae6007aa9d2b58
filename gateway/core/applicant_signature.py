"""The applicant's signature judged (申请人签名核验): does it cover these documents, is it this person's, and what binds it.

All checks are made and all findings reported. ``Rejected``: something is wrong. ``Indeterminate``: nothing outside the record
vouches for it (no event certificate or attestation, or nobody said whose certificates are believed); a place may take such a
signature as evidence of less weight. Article numbers are those of 电子签名法.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from schemas.applicant_signature import ApplicantSignature, EventCertificate, Handwriting, Scan, statement
from signing import certs, picture, sm2
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Indeterminate, Malformed, Rejected
from signing.path import check_path
from signing.policy import PathPolicy
from signing.providers import Provider

Reason = Rejected | Indeterminate
SKEW: Final = timedelta(minutes=5)
LEAST_POINTS: Final = 8
LEAST_MS: Final = 150  # a signature written faster than this was not written
_TYPES: Final = {"image/png": "PNG", "image/jpeg": "JPG", "image/gif": "GIF"}

REJECTED: Final[dict[str, tuple[str, str]]] = {
    "means-not-accepted": ("此事项不接受这种签名方式（{detail}）", "this item does not accept this means of signing ({detail})"),
    "no-document-covered": ("所签文件中没有本件的材料，可能是别的办件的签名", "it covers none of the documents: another case's?"),
    "not-the-applicant": ("签名人不是申请人或代理人", "the signer is neither the applicant nor the agent"),
    "signed-in-the-future": ("签署时间在将来", "signed in the future"),
    "picture": ("签名图像有误：{detail}", "the picture is wrong: {detail}"),
    "trace-empty": ("签名轨迹点数过少", "the trace has too few points"),
    "trace-time": ("签名轨迹的时间倒流，或快得不像手写", "the trace runs back in time, or is faster than a hand"),
    "certificate-unreadable": ("证书无法读取：{detail}", "the certificate cannot be read: {detail}"),
    "signature-wrong": ("签名值与所签内容不符，记录可能被改动", "the signature does not fit, the record may have been altered"),
    "certificate": ("证书未通过核验：{detail}", "the certificate does not hold: {detail}"),
}  # fmt: skip
UNKNOWN: Final[dict[str, tuple[str, str]]] = {
    "unattested": ("记录之外没有证书或系统为其作证", "nothing outside the record vouches for it"),
    "anchors-unknown": ("未配置所信任的签名证书颁发机构", "it is not configured whose certificates are believed"),
    "certificate-unknown": ("证书暂时无法核验：{detail}", "the certificate cannot be judged now: {detail}"),
}
NOTES: Final[dict[str, tuple[str, str]]] = {
    "element-not-claimed": ("未说明电子签名法第十三条要素：{detail}", "element of article 13 not stated: {detail}"),
    "partly-covered": ("有 {detail} 份材料不在所签文件中", "{detail} of the documents are not covered"),
    "witnessed": ("在场人员：{detail}", "there was a witness"),
}
_ELEMENTS: Final = {
    "exclusive": ("制作数据专有", "exclusive to the signer"),
    "sole_control": ("签署时仅由签名人控制", "under the signer's sole control"),
    "signature_sealed": ("对签名的改动可被发现", "changes of the signature show"),
    "content_sealed": ("对内容的改动可被发现", "changes of the content show"),
}


@dataclass(frozen=True, slots=True)
class Believed:
    """Whose certificates vouch for signatures, and which means suffice (all, if empty)."""

    anchors: Sequence[Certificate] = ()
    crls: Sequence[RevocationList] = ()
    means: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """``ok`` None: cannot tell."""

    reasons: tuple[Reason, ...]
    notes: tuple[Indeterminate, ...] = ()
    ok: bool | None = field(init=False)

    def __post_init__(self) -> None:
        bad = any(isinstance(reason, Rejected) for reason in self.reasons)
        object.__setattr__(self, "ok", False if bad else None if self.reasons else True)


def judge(
    record: ApplicantSignature,
    documents: Collection[str],
    people: Collection[str],
    *,
    at: datetime,
    believed: Believed,
    provider: Provider,
) -> SignatureReport:
    """Judge a record beside documents (SM3, hex) handed in for ``people`` (their id numbers), as of ``at``.

    It has to cover at least one of them: a form is signed, a copied licence is not.
    """
    reasons: list[Reason] = []
    # 1. the means, the documents, the person, the time
    if believed.means and record.kind not in believed.means:
        reasons.append(_no("means-not-accepted", record.kind))
    uncovered = set(documents) - {one.sm3 for one in record.documents}
    if documents and len(uncovered) == len(set(documents)):
        reasons.append(_no("no-document-covered"))
    if record.id_number not in people:
        reasons.append(_no("not-the-applicant"))
    if record.at - at > SKEW:
        reasons.append(_no("signed-in-the-future"))
    # 2. what the means themselves show
    if isinstance(record.evidence, Handwriting | Scan):
        reasons += _picture(record.evidence)
    if isinstance(record.evidence, Handwriting):
        reasons += _trace(record.evidence)
    # 3. what binds it: an event certificate's signature, or somebody's who vouches
    reasons += _bound(record, believed, provider)
    return SignatureReport(tuple(reasons), tuple(_notes(record, len(uncovered))))


def _picture(evidence: Handwriting | Scan) -> list[Reason]:
    seen = picture.look(evidence.picture.data)
    if seen.faults:
        return [_no("picture", picture.FAULTS[seen.faults[0]])]
    if seen.type != _TYPES[evidence.picture.media_type]:
        return [_no("picture", f"{evidence.picture.media_type} ≠ {seen.type}")]
    return []


def _trace(evidence: Handwriting) -> list[Reason]:
    points = [point for stroke in evidence.strokes for point in stroke]
    if len(points) < LEAST_POINTS:
        return [_no("trace-empty")]
    times = [point[0] for point in points]
    if times != sorted(times) or times[-1] - times[0] < LEAST_MS:
        return [_no("trace-time")]
    return []


def _bound(record: ApplicantSignature, believed: Believed, provider: Provider) -> list[Reason]:
    proofs = [(one.certificate, one.signature) for one in (record.evidence,) if isinstance(one, EventCertificate)]
    if record.attestation is not None:
        proofs.append((record.attestation.certificate, record.attestation.signature))
    if not proofs:
        return [_open("unattested")]
    message, found = statement(record), list[Reason]()
    for certificate, signature in proofs:
        found += _proved(certificate, signature, message, record.at, believed, provider)
    return found


def _proved(
    data: bytes, signature: bytes, message: bytes, at: datetime, believed: Believed, provider: Provider
) -> list[Reason]:
    try:
        certificate = certs.parse(data)
    except Malformed as fault:
        return [_no("certificate-unreadable", (fault.zh, fault.en))]
    key = certificate.public_key
    if key is None or not sm2.verify(provider, key, message, signature, signer_id=sm2.DEFAULT_ID):
        return [_no("signature-wrong")]
    if not believed.anchors:
        return [_open("anchors-unknown")]
    policy = PathPolicy(usage="sign", revocation="if-present")
    path = check_path(certificate, (), believed.anchors, at, provider, crls=believed.crls, policy=policy)
    for reason in path.reasons:
        say, code = (_no, "certificate") if isinstance(reason, Rejected) else (_open, "certificate-unknown")
        return [say(code, (reason.zh, reason.en))]
    return []


def _notes(record: ApplicantSignature, uncovered: int) -> list[Indeterminate]:
    lacking = [words for name, words in _ELEMENTS.items() if not getattr(record.reliability, name)]
    notes = [Indeterminate("element-not-claimed", *_filled(NOTES["element-not-claimed"], words)) for words in lacking]
    if uncovered:
        notes.append(Indeterminate("partly-covered", *_filled(NOTES["partly-covered"], str(uncovered))))
    if record.witness:
        notes.append(Indeterminate("witnessed", *_filled(NOTES["witnessed"], record.witness)))
    return notes


Words = tuple[str, str]


def _no(code: str, detail: Words | str = "") -> Reason:
    return Rejected(code, *_filled(REJECTED[code], detail))


def _open(code: str, detail: Words | str = "") -> Reason:
    return Indeterminate(code, *_filled(UNKNOWN[code], detail))


def _filled(words: Words, detail: Words | str) -> Words:
    zh, en = (detail, detail) if isinstance(detail, str) else detail
    return words[0].format(detail=zh), words[1].format(detail=en)
