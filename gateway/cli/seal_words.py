"""What a clerk reads at the end of ``tongban seal verify``: one sentence of conclusion, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from signing.errors import Rejected
from signing.reasons import Reason
from signing.verify import SealReport

if TYPE_CHECKING:
    from signing.ofd.verify import OfdReport

Words = tuple[str, str]

_GOOD: Final[dict[str, Words]] = {
    "stamp": (
        "文件自签章以来未被改动，由“{name}”有效签章，可以采信。",
        "The document is unaltered since it was validly stamped with “{name}”; it can be relied on.",
    ),
    "seal": ("“{name}”是有效的电子印章。", "“{name}” is a valid seal."),
    "ofd": (
        "文件自签名以来未被改动，包内文件都受签名保护，可以采信。",
        "The document is unaltered since it was signed, every file of it is protected; it can be relied on.",
    ),
    "open": (
        "签名所保护的部分未被改动，可以采信；所列未受保护的文件不可采信。",
        "What the signatures protect is unaltered and can be relied on; the unprotected files that are listed cannot.",
    ),
}
_BAD: Final[Words] = ("不能采信：{why}。", "Not to be relied on: {why}.")
_OPEN: Final[Words] = ("暂时不能下结论：{why}。", "No conclusion yet: {why}.")
_NOTHING: Final[Words] = ("无须另行处理。", "Nothing further to do.")
_ISSUER: Final[Words] = (
    "请出具单位重新出具或重新签章；不要据此办理。",
    "Have the issuer issue or stamp it again; do not act on this one.",
)
_ADMIN: Final[Words] = (
    "请系统管理员核对根证书与对端名片后再核验。",
    "Have the administrator check the trusted roots and the partner's card, then verify again.",
)
_LIST: Final[Words] = (
    "请系统管理员更新吊销列表后再核验。",
    "Have the administrator update the revocation lists, then verify again.",
)
_ORIGINAL: Final[Words] = (
    "核对所选文件是否就是签章的那一份；仍不符则请出具单位重新出具。",
    "Make sure that this is the very file that was stamped; if it is, have the issuer issue it again.",
)
_MAKER: Final[Words] = (
    "用 tongban seal doctor 查看细节，连同结果发给印章厂商。",
    "Look closer with tongban seal doctor and send the outcome to the seal's vendor.",
)
_ASK: Final[Words] = (
    "请向出具单位书面核实签章的真实时间，或改用带可信时间戳的文件。",
    "Ask the issuer in writing when it was stamped, or for a document with a trusted time stamp.",
)
_NATIONAL: Final[Words] = (
    "请出具单位用 SM2、SM3 重新签名，或用其原软件核验。",
    "Have the issuer sign it again with SM2 and SM3, or verify it with the software that made it.",
)
# Code, or the end of a code, -> the next action; the first that fits.
_NEXT: Final[tuple[tuple[str, Words], ...]] = (
    (
        "ofd-encrypted",
        ("请持有密钥的单位解密后再核验。", "Have whoever holds the key decrypt it, then verify again."),
    ),
    (
        "ofd-signer-unknown",
        (
            "取得签名人的证书，用 --intermediate 附上后再核验。",
            "Get the signer's certificate and verify again with --intermediate.",
        ),
    ),
    (
        "ofd-unsigned",
        ("请出具单位提供已签章的文件。", "Ask the issuer for the signed document."),
    ),
    ("ofd-check-method-unknown", _NATIONAL),
    ("ofd-signed-algorithm", _NATIONAL),
    ("document-not-given", ("请附上原文再核验（--document）。", "Verify again with the document (--document).")),
    ("document-digest", _ORIGINAL),
    ("property-info", _ORIGINAL),
    ("untrusted-root", _ADMIN),
    ("crl-missing", _LIST),
    ("crl-stale", _LIST),
    ("crl-future", _LIST),
    ("crl-unusable", _LIST),
    ("crl-not-covering", _LIST),
    ("withdrawn-seals-unknown", _LIST),
    ("revoked-later", _ASK),
    ("withdrawn-later", _ASK),
    ("stamp-time-unreadable", _ASK),
    (
        "stamp-time-future",
        ("核对本机时钟；时钟无误则请出具单位说明。", "Check this machine's clock; if it is right, ask the issuer."),
    ),
    ("certificate-list-unknown", _ADMIN),
    ("format", _MAKER),
    ("algorithm", _MAKER),
    ("unreadable", _MAKER),
    ("critical-extension", _MAKER),
)


def conclusion(report: SealReport) -> Words:
    """The outcome in one sentence."""
    if report.ok is True:
        return _filled(_GOOD[report.kind], name=(report.seal_name, report.seal_name))
    return _why_not(report)


def of_document(report: OfdReport) -> Words:
    """The outcome of an OFD document in one sentence."""
    if report.ok is True:
        return _GOOD["open" if any(one.exposed for one in report.signatures) else "ofd"]
    return _why_not(report)


def _why_not(report: SealReport | OfdReport) -> Words:
    # What is wrong goes before what cannot be told.
    first = min(report.reasons, key=lambda reason: not isinstance(reason, Rejected))
    return _filled(_BAD if report.ok is False else _OPEN, why=(first.zh.rstrip("。"), first.en.rstrip(".")))


def action(report: SealReport | OfdReport) -> Words:
    """What to do next."""
    return next_step(report.reasons[0]) if report.reasons else _NOTHING


def next_step(reason: Reason) -> Words:
    """What to do about one reason; what is not told apart goes back to the issuer."""
    return next((words for end, words in _NEXT if reason.code.endswith(end)), _ISSUER)


def _filled(words: Words, **parts: Words) -> Words:
    return (
        words[0].format(**{key: zh for key, (zh, _) in parts.items()}),
        words[1].format(**{key: en for key, (_, en) in parts.items()}),
    )
