"""The words of every verdict on an OFD document beyond those on its stamps: stable code -> Chinese, English."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from signing import names
from signing.errors import Indeterminate, Rejected
from signing.reasons import Words

REJECTED: Final[dict[str, Words]] = {
    "ofd-signature-file": ("签名描述文件无法采用：{detail}", "the signature's description cannot be used: {detail}"),
    "ofd-type": ("签名类型既非 Seal 也非 Sign", "the signature's type is neither Seal nor Sign"),
    "ofd-check-method": ("文件摘要算法不是 SM3（{detail}）", "the files are not digested with SM3 ({detail})"),
    "ofd-no-references": ("签名没有保护任何文件", "the signature protects no file"),
    "ofd-reference-repeated": ("同一文件被登记两次：{detail}", "a file is listed twice: {detail}"),
    "ofd-reference-missing": ("被保护的文件不在包内：{detail}", "a protected file is not in the package: {detail}"),
    "ofd-reference-digest": ("被保护的文件已被改动：{detail}", "a protected file was altered: {detail}"),
    "ofd-uncovered": (
        "包内有未受签名保护的文件：{detail}",
        "the package holds files that no signature covers: {detail}",
    ),
    "ofd-value-missing": ("签名值文件不在包内", "the signed value is not in the package"),
    "ofd-seal-file-missing": ("所指的印章文件不在包内", "the seal file it names is not in the package"),
    "ofd-seal-file": ("包内印章文件与签章中的印章不同", "the seal file and the seal in the stamp differ"),
    "ofd-signed-value": ("签名值不合规定：{detail}", "the signed value is malformed: {detail}"),
    "ofd-signed-content": (
        "签名所签的不是此签名描述文件：文件被改动，或签名属于别的文件",
        "what was signed is not this description: altered, or another document's",
    ),
    "ofd-signed-algorithm": ("签名算法不是 SM2 与 SM3（{detail}）", "the algorithms are not SM2 and SM3 ({detail})"),
    "ofd-signed-signature": ("签名值不对，可能被改动", "the signature is wrong, it may have been altered"),
    "ofd-time-future": ("签名时间在将来（{detail}）", "the signature is dated in the future ({detail})"),
}
UNKNOWN: Final[dict[str, Words]] = {
    "ofd-unsigned": ("文件没有任何签名，无可核验", "the document carries no signature to verify"),
    "ofd-signer-unknown": (
        "签名值中没有证书，无法知道是谁签的",
        "the signed value carries no certificate: who signed cannot be told",
    ),
}
NOTES: Final[dict[str, Words]] = {
    "ofd-uncovered": REJECTED["ofd-uncovered"],
    "ofd-no-seal": ("这是不带印章的数字签名", "a plain signature without a seal"),
    "ofd-method-unusual": ("签名方法写法少见：{detail}", "an unusual name of the signature method: {detail}"),
    "ofd-time-unreadable": (
        "签名描述中的签名时间无法读取，不予采信",
        "the description's time cannot be read and is not relied on",
    ),
    "ofd-time-differs": ("签名描述与签章所载时间不同", "the description and the stamp state different times"),
    "ofd-time-self-declared": ("签名时间由签名人自报，无可信时间戳", "the time is the signer's own statement"),
}
_SHOWN: Final = 3


def rejected(code: str, detail: Words | str = "") -> Rejected:
    """A failed check of an OFD document."""
    return Rejected(code, *_fill(REJECTED[code], detail))


def unknown(code: str) -> Indeterminate:
    """A check that could not be made."""
    return Indeterminate(code, *UNKNOWN[code])


def note(code: str, detail: Words | str = "") -> Indeterminate:
    """A remark that changes no verdict."""
    return Indeterminate(code, *_fill(NOTES[code], detail))


def listed(paths: Sequence[str]) -> Words:
    """The first few paths, escaped, and how many there are."""
    shown = [names.escape(path) for path in paths[:_SHOWN]]
    if len(paths) <= _SHOWN:
        return "、".join(shown), ", ".join(shown)
    return f"{'、'.join(shown)} 等 {len(paths)} 个", f"{', '.join(shown)} and {len(paths) - _SHOWN} more"


def _fill(words: Words, detail: Words | str) -> Words:
    zh, en = (detail, detail) if isinstance(detail, str) else detail
    return words[0].format(detail=zh), words[1].format(detail=en)
