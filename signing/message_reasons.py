"""The words of verdicts about signed messages and time stamps: stable code -> Chinese, English, as in ``reasons``."""

from __future__ import annotations

from typing import Final

from signing.errors import Indeterminate, Rejected
from signing.reasons import Reason, Words

REJECTED: Final[dict[str, Words]] = {
    "message-form": ("消息格式不合规定：{detail}", "wrong form of the message: {detail}"),
    "message-unsigned": ("消息没有签名者", "nobody signed the message"),
    "message-content": ("所给原文与消息中的内容不一致", "the content given is not the message's own"),
    "message-algorithm": ("签名算法不是 SM2 与 SM3（{detail}）", "the algorithms are not SM2 and SM3 ({detail})"),
    "message-content-type": ("签名属性中的内容类型不符", "the signed content type is another one"),
    "message-digest": (
        "内容与签名属性中的摘要不符：内容被改动",
        "the content does not have the signed digest: it was altered",
    ),
    "message-signature": ("签名值不对，可能被改动", "the signature is wrong, the message may have been altered"),
    "timestamp-form": ("时间戳格式不合规定：{detail}", "wrong form of the time stamp: {detail}"),
    "timestamp-imprint-algorithm": (
        "时间戳所盖摘要的算法不是 SM3（{detail}）",
        "the time stamp's imprint is not SM3 ({detail})",
    ),
    "timestamp-imprint": ("时间戳盖的不是这份数据", "the time stamp is over other data"),
    "timestamp-policy": ("时间戳的策略不是所要求的（{detail}）", "the time stamp has another policy ({detail})"),
    "timestamp-nonce": ("时间戳不是对本次请求的回答", "the time stamp does not answer this request"),
    "timestamp-signature": ("时间戳的签名不对", "the time stamp's signature is wrong"),
    "timestamp-certificate": (
        "时间戳签名属性所指的证书不是签名者的",
        "the time stamp's signed certificate reference names another certificate",
    ),
    "timestamp-usage": (
        "时间戳机构的证书没有以关键扩展专限于时间戳用途",
        "the authority's certificate is not limited to time stamping by a critical extension",
    ),
    "timestamp-future": ("时间戳的时间在将来（{detail}）", "the time stamp is dated in the future ({detail})"),
    "timestamp-accuracy": ("时间戳的精度不够（{detail}）", "the time stamp is not accurate enough ({detail})"),
}
UNKNOWN: Final[dict[str, Words]] = {
    "message-content-missing": ("消息不含原文，也未给出原文", "the message holds no content and none was given"),
    "message-signer-unknown": ("找不到签名者的证书", "the signer's certificate is not there"),
    "timestamp-signer-unknown": ("找不到时间戳机构的证书", "the authority's certificate is not there"),
    "timestamp-revoked-later": (
        "时间戳机构的证书后来被吊销（{detail}）",
        "the authority's certificate was revoked later ({detail})",
    ),
    "timestamp-expired": (
        "时间戳机构的证书现已过期，需要其后的时间戳佐证（{detail}）",
        "the authority's certificate has expired; a later time stamp is needed ({detail})",
    ),
}


def message_reason(code: str, detail: Words | str = "") -> Reason:
    """A verdict about a message or a time stamp."""
    table, kind = (REJECTED, Rejected) if code in REJECTED else (UNKNOWN, Indeterminate)
    zh, en = (detail, detail) if isinstance(detail, str) else detail
    return kind(code, table[code][0].format(detail=zh), table[code][1].format(detail=en))


def of_authority(reason: Reason) -> Reason:
    """A path's reason as that of the time-stamp authority."""
    return type(reason)(f"tsa-{reason.code}", f"时间戳机构：{reason.zh}", f"time-stamp authority: {reason.en}")
