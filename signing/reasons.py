"""The words of every verdict: stable code -> Chinese, English. ``{who}`` names the certificate, ``{detail}`` the point.

The tables are the whole vocabulary: a code that is not here cannot be said, and the tests walk them.
"""

from __future__ import annotations

from typing import Final

from signing.errors import Indeterminate, Rejected

Reason = Rejected | Indeterminate
Words = tuple[str, str]

PATH_REJECTED: Final[dict[str, Words]] = {
    "serial-number": (
        "{who}的序列号非法（须为正数且不超过 20 字节）",
        "{who}: illegal serial number (positive, at most 20 bytes)",
    ),
    "algorithm-mismatch": ("{who}内外两处签名算法不一致", "{who}: inner and outer signature algorithm differ"),
    "algorithm-parameters": ("{who}的签名算法带有多余参数", "{who}: the signature algorithm has parameters"),
    "issuer-empty": ("{who}没有颁发者名称", "{who}: no issuer name"),
    "subject-empty": ("{who}没有持有者名称", "{who}: no subject name"),
    "duplicate-name-part": ("{who}的名称中有重复项", "{who}: a name part is repeated"),
    "validity-inverted": ("{who}的有效期止早于起", "{who}: validity ends before it begins"),
    "time-form": ("{who}的有效期编码不合规定", "{who}: validity is encoded in the wrong time form"),
    "name-constraints-form": (
        "{who}的名称约束无法执行，不能当作 CA",
        "{who}: its name constraints cannot be acted on",
    ),
    "weak-algorithm": ("{who}使用弱算法或弱密钥（{detail}）", "{who}: weak algorithm or key ({detail})"),
    "not-sm2": ("{who}不是 SM2 证书（{detail}）", "{who}: not an SM2 certificate ({detail})"),
    "bad-signature": ("{who}的签名值不对，可能被改动", "{who}: wrong signature, it may have been altered"),
    "untrusted-root": ("{who}不能追溯到所信任的根证书", "{who}: does not lead to a trusted root"),
    "path-limit": (
        "{who}的候选证书链过多，未找到可信的一条",
        "{who}: too many candidate chains, none trusted was found",
    ),
    "expired": ("{who}已过期（{detail}）", "{who}: expired ({detail})"),
    "not-yet-valid": ("{who}尚未生效（{detail}）", "{who}: not yet valid ({detail})"),
    "ca-expired": ("上级{who}已过期（{detail}）", "issuing {who}: expired ({detail})"),
    "ca-not-yet-valid": ("上级{who}尚未生效（{detail}）", "issuing {who}: not yet valid ({detail})"),
    "root-expired": ("根{who}已过期（{detail}）", "root {who}: expired ({detail})"),
    "root-not-yet-valid": ("根{who}尚未生效（{detail}）", "root {who}: not yet valid ({detail})"),
    "not-a-ca": ("{who}不是 CA 证书，却签发了下级证书", "{who}: not a CA certificate, yet it issued another"),
    "ca-key-usage": ("{who}的密钥用途不含签发证书", "{who}: its key usage does not allow signing certificates"),
    "path-length": ("{who}的路径长度约束被超出", "{who}: its path length constraint is exceeded"),
    "name-constraints": (
        "{who}的名称不在上级 CA 许可之内（{detail}）",
        "{who}: a name that an authority above does not allow ({detail})",
    ),
    "extended-key-usage": (
        "{who}的扩展密钥用途不符（{detail}）",
        "{who}: extended key usage does not fit ({detail})",
    ),
    "key-usage": ("{who}的密钥用途不符（{detail}）", "{who}: key usage does not fit ({detail})"),
    "unknown-critical-extension": (
        "{who}含不认识的关键扩展（{detail}）",
        "{who}: unknown critical extension ({detail})",
    ),
    "revoked": ("{who}已被吊销（{detail}）", "{who}: revoked ({detail})"),
    "ca-revoked": ("上级{who}已被吊销（{detail}）", "issuing {who}: revoked ({detail})"),
}
PATH_UNKNOWN: Final[dict[str, Words]] = {
    "crl-missing": (
        "{who}没有可查的吊销列表或在线状态",
        "{who}: no revocation list to look it up in, and no online status",
    ),
    "crl-stale": ("{who}的吊销列表已过更新期（{detail}）", "{who}: the revocation list is out of date ({detail})"),
    "crl-future": ("{who}的吊销列表签发时间在将来", "{who}: the revocation list is dated in the future"),
    "crl-unusable": ("{who}的吊销列表不可用（{detail}）", "{who}: the revocation list cannot be used ({detail})"),
    "crl-not-covering": (
        "吊销列表签发时{who}已过期，列表不再记载它",
        "{who}: expired before the list was issued, which is silent about it",
    ),
    "ocsp-status": ("{who}的在线状态查询未获答复（{detail}）", "{who}: the status responder did not answer ({detail})"),
    "ocsp-other-certificate": ("在线状态答复说的不是{who}", "{who}: the status response is about another certificate"),
    "ocsp-responder": (
        "{who}的在线状态由无权者答复（{detail}）",
        "{who}: the status response is by one who may not answer ({detail})",
    ),
    "ocsp-signature": (
        "{who}的在线状态答复签名无效（{detail}）",
        "{who}: the status response is not properly signed ({detail})",
    ),
    "ocsp-nonce": ("{who}的在线状态答复随机数{detail}", "{who}: the nonce of the status response is {detail}"),
    "ocsp-stale": ("{who}的在线状态答复已过期（{detail}）", "{who}: the status response is out of date ({detail})"),
    "ocsp-future": ("{who}的在线状态答复时间在将来", "{who}: the status response is dated in the future"),
    "ocsp-unusable": ("{who}的在线状态答复不可用（{detail}）", "{who}: the status response cannot be used ({detail})"),
    "ocsp-unknown": ("在线状态答复不认识{who}", "{who}: unknown to the status responder"),
    "ocsp-not-covering": (
        "在线状态答复时{who}已过期，不再记载它",
        "{who}: expired before the status response, which need not keep track of it",
    ),
}
PAIR_REJECTED: Final[dict[str, Words]] = {
    "pair-key-missing": (
        "双证书中有一张的公钥读不出或不是 SM2",
        "the key of one of the two certificates is unreadable or not SM2",
    ),
    "pair-same-key": ("签名证书与加密证书用了同一密钥", "the signing and the encryption certificate share one key"),
    "pair-subject": ("签名证书与加密证书的持有者不同", "the signing and the encryption certificate name two holders"),
    "pair-issuer": ("签名证书与加密证书不是同一 CA 签发", "the two certificates come from two issuers"),
    "pair-is-ca": ("双证书中有一张是 CA 证书", "one of the two certificates is an authority's"),
    "pair-signing-usage": (
        "签名证书的密钥用途不含签名，或未写用途",
        "the signing certificate's key usage does not say signing",
    ),
    "pair-encryption-usage": (
        "加密证书的密钥用途不含加密，或还含签名",
        "the encryption certificate's key usage does not say encryption, or says signing too",
    ),
    "pair-usage-overlap": (
        "签名证书与加密证书的密钥用途有重叠",
        "the key usages of the signing and the encryption certificate overlap",
    ),
}

SEAL_REJECTED: Final[dict[str, Words]] = {
    "format": ("格式不合规定：{detail}", "wrong format: {detail}"),
    "seal-algorithm": ("印章的签名算法不是 SM2（{detail}）", "the seal's signature algorithm is not SM2 ({detail})"),
    "seal-signature": (
        "印章的制章人签名不对，印章可能被改动",
        "the maker's signature on the seal is wrong, the seal may have been altered",
    ),
    "seal-maker-unreadable": ("制章人证书无法读取：{detail}", "the seal maker's certificate cannot be read: {detail}"),
    "seal-expired": ("印章已过有效期（{detail}）", "outside the seal's validity: expired ({detail})"),
    "seal-not-yet-valid": ("印章尚未生效（{detail}）", "outside the seal's validity: not yet valid ({detail})"),
    "seal-revoked": ("印章已被撤销（{detail}）", "the seal has been revoked ({detail})"),
    "seal-unknown-critical-extension": (
        "印章含不认识的关键扩展（{detail}）",
        "unknown critical extension in the seal ({detail})",
    ),
    "stamp-algorithm": ("签章的签名算法不是 SM2（{detail}）", "the stamp's signature algorithm is not SM2 ({detail})"),
    "stamp-signature": (
        "签章的签名值不对，签章可能被改动",
        "the signature of the stamp is wrong, the stamp may have been altered",
    ),
    "stamp-time-future": ("签章时间在将来（{detail}）", "the stamp is dated in the future ({detail})"),
    "stamp-time-after-proof": (
        "签章时间晚于可信时间（{detail}）",
        "the stamp is dated after its trusted time ({detail})",
    ),
    "stamp-unknown-critical-extension": (
        "签章含不认识的关键扩展（{detail}）",
        "unknown critical extension in the stamp ({detail})",
    ),
    "signer-unreadable": ("签章人证书无法读取：{detail}", "the signer's certificate cannot be read: {detail}"),
    "not-in-certificate-list": ("签章人证书不在印章的证书列表中", "the signer's certificate is not in the seal's list"),
    "maker-as-signer": ("制章人证书被用来签章", "the seal maker's certificate was used to stamp"),
    "document-digest": (
        "文件与签章不符：文件被改动，或签章属于别的文件",
        "the document does not fit the stamp: altered, or another document's",
    ),
    "signer-revoked-later": (
        "签章人证书在签章之后被吊销，无可信时间证明签章更早（{detail}）",
        "the signer was revoked after the stated stamp time and no trusted time proves the stamp older ({detail})",
    ),
    "seal-withdrawn-later": (
        "印章在签章之后被撤销，无可信时间证明签章更早（{detail}）",
        "the seal was withdrawn after the stated stamp time and no trusted time proves the stamp older ({detail})",
    ),
    "property-info": ("签章的原文属性与文件位置不符", "the stamp's property information names another place"),
}
SEAL_UNKNOWN: Final[dict[str, Words]] = {
    "document-not-given": ("未给出原文，无法核对文件是否被改动", "no document was given to compare with"),
    "stamp-time-unreadable": (
        "签章时间无法读取，按核验时间判断",
        "the stamp time cannot be read; judged at verification time",
    ),
    "certificate-list-unknown": (
        "证书摘要列表的算法未约定，无法核对",
        "how the list's digests are computed is not agreed",
    ),
    "signer-revoked-later": (
        "签章人证书在签章之后被吊销，无可信时间证明签章更早（{detail}）",
        "the signer was revoked after the stated stamp time and no trusted time proves the stamp older ({detail})",
    ),
    "seal-withdrawn-later": (
        "印章在签章之后被撤销，无可信时间证明签章更早（{detail}）",
        "the seal was withdrawn after the stated stamp time and no trusted time proves the stamp older ({detail})",
    ),
}
KEY_USAGE_PADDED: Final[Words] = (
    "密钥用途末尾多出零位，不合 DER，严格的读者会拒绝",
    "the key usage has zero bits at its end, which is not DER: strict readers refuse it",
)
NOTES: Final[dict[str, Words]] = {
    "timestamp-unreadable": (
        "附带的时间戳无法读取，不予采信",
        "the attached time stamp cannot be read and is not relied on",
    ),
    "timestamp-bad": ("附带的时间戳不予采信：{detail}", "the attached time stamp is not relied on: {detail}"),
    "timestamp-relied-on": (
        "附带的时间戳核验通过（{detail}）",
        "the attached time stamp was verified ({detail})",
    ),
    "timestamp-not-relied-on": (
        "附有时间戳，未经核验，不予采信",
        "a time stamp is attached; it was not verified and is not relied on",
    ),
    "stamp-time-self-declared": ("签章时间由签章人自报，无可信时间戳", "the stamp time is the signer's own statement"),
    "signer-revoked-later": (
        "签章人证书在签章之后被吊销（{detail}）",
        "the signer was revoked after stamping ({detail})",
    ),
    "seal-withdrawn-later": ("印章在签章之后被撤销（{detail}）", "the seal was withdrawn after stamping ({detail})"),
    "seal-maker-revoked-later": (
        "制章人证书在用章之后被吊销（{detail}）",
        "the seal maker was revoked later ({detail})",
    ),
    "signer-expired-since": (
        "签章人证书在签章之后到期，不影响签章",
        "the signer's certificate expired after stamping, which does not matter",
    ),
}
# Whose chain failed, and at what time the standard judges it, goes into the code.
_AT_STAMPING = {
    "expired": "expired-at-stamping",
    "not-yet-valid": "not-yet-valid-at-stamping",
    "revoked": "revoked-before-stamping",
}


def path_reason(code: str, who: Words, detail: Words | str = "") -> Reason:
    """A verdict about one certificate; ``who`` names it in both languages."""
    table, kind = (PATH_REJECTED, Rejected) if code in PATH_REJECTED else (PATH_UNKNOWN, Indeterminate)
    zh, en = table[code]
    zh_detail, en_detail = (detail, detail) if isinstance(detail, str) else detail
    return kind(code, zh.format(who=who[0], detail=zh_detail), en.format(who=who[1], detail=en_detail))


def seal_rejected(code: str, detail: Words | str = "") -> Rejected:
    """A failed check of a seal or stamp."""
    return Rejected(code, *_fill(SEAL_REJECTED[code], detail))


def seal_unknown(code: str, detail: Words | str = "") -> Indeterminate:
    """A check of a seal or stamp that could not be made."""
    return Indeterminate(code, *_fill(SEAL_UNKNOWN[code], detail))


def note(code: str, detail: Words | str = "") -> Rejected | Indeterminate:
    """A remark that changes no verdict, in the same shape."""
    return Indeterminate(code, *_fill(NOTES[code], detail))


def of_party(reason: Reason, party: str) -> Reason:
    """A path's reason as that of the ``seal-maker`` or the ``signer``."""
    zh, en = ("制章人", "seal maker") if party == "seal-maker" else ("签章人", "signer")
    code = _AT_STAMPING.get(reason.code, reason.code) if party == "signer" else reason.code
    return type(reason)(f"{party}-{code}", f"{zh}：{reason.zh}", f"{en}: {reason.en}")


def _fill(words: Words, detail: Words | str) -> Words:
    zh, en = (detail, detail) if isinstance(detail, str) else detail
    return words[0].format(detail=zh), words[1].format(detail=en)
