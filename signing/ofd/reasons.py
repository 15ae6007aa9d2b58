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
    "ofd-signed-signature": ("签名值不对，可能被改动", "the signature is wrong, it may have been altered"),
    "ofd-time-future": ("签名时间在将来（{detail}）", "the signature is dated in the future ({detail})"),
}
UNKNOWN: Final[dict[str, Words]] = {
    "ofd-encrypted": (
        "文件已加密（GM/T 0099），须解密后再核验",
        "files of the document are encrypted (GM/T 0099): decrypt it, then verify",
    ),
    "ofd-check-method-unknown": (
        "文件摘要算法不是 SM3（{detail}），无法核对",
        "the files are not digested with SM3 ({detail}) and cannot be compared",
    ),
    "ofd-signed-algorithm": ("签名算法不是 SM2 与 SM3（{detail}）", "the algorithms are not SM2 and SM3 ({detail})"),
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
# What an unprotected file could do, the gravest first.
EFFECTS: Final[dict[str, Words]] = {
    "entry": ("文件入口，可换掉整份文件", "the way in: can show another document"),
    "body": ("另一份文档", "another document"),
    "document": ("文档结构，可增删页面", "the document's structure: can add or drop pages"),
    "version": ("历史版本，可切换显示", "another version, which readers can switch to"),
    "page": ("页面内容", "what a page shows"),
    "template": ("页面底版", "a template below the pages"),
    "annotation": ("注释，可盖住页面", "annotations: can cover a page"),
    "resource": ("字体、图像等资源，可改变显示", "fonts, pictures and the like: can change what is shown"),
    "attachment": ("附件", "an attachment"),
    "signature": ("列表之外的签名", "of a signature that is not in the list"),
    "data": ("标引或扩展数据，不显示", "tags or other data, not shown"),
    "unread": ("用途未查", "not looked into"),
    "hidden": ("没有被引用，不显示", "named by nothing, not shown"),
}
_SHOWN: Final = 3


def rejected(code: str, detail: Words | str = "") -> Rejected:
    """A failed check of an OFD document."""
    return Rejected(code, *_fill(REJECTED[code], detail))


def unknown(code: str, detail: Words | str = "") -> Indeterminate:
    """A check that could not be made."""
    return Indeterminate(code, *_fill(UNKNOWN[code], detail))


def note(code: str, detail: Words | str = "") -> Indeterminate:
    """A remark that changes no verdict."""
    return Indeterminate(code, *_fill(NOTES[code], detail))


def listed(paths: Sequence[str]) -> Words:
    """The first few paths, escaped, and how many there are."""
    shown = [names.escape(path) for path in paths[:_SHOWN]]
    return _shortened(shown, shown, len(paths))


def listed_effects(files: Sequence[tuple[str, str]]) -> Words:
    """The first few of (path, effect), each with what it could do, and how many there are."""
    shown = [(names.escape(path), *EFFECTS[effect]) for path, effect in files[:_SHOWN]]
    return _shortened(
        [f"{path}（{zh}）" for path, zh, _ in shown], [f"{path} ({en})" for path, _, en in shown], len(files)
    )


def _shortened(zh: Sequence[str], en: Sequence[str], count: int) -> Words:
    if count <= _SHOWN:
        return "、".join(zh), ", ".join(en)
    return f"{'、'.join(zh)} 等 {count} 个", f"{', '.join(en)} and {count - _SHOWN} more"


def _fill(words: Words, detail: Words | str) -> Words:
    zh, en = (detail, detail) if isinstance(detail, str) else detail
    return words[0].format(detail=zh), words[1].format(detail=en)
