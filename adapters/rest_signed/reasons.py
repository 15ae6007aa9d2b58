"""Why a request is not let in: one value for each reason, in both languages. Pure."""

from __future__ import annotations

from adapters.base import Denied

MISSING = Denied(
    "missing-signature", "请求未签名或缺少签名要素", "the request is not signed or lacks a part of its signature"
)
DUPLICATE = Denied("duplicate-header", "签名相关的请求头重复", "a header that the signature covers comes twice")
UNKNOWN = Denied("unknown-app", "应用标识未登记", "this app id is not registered")
NONCE = Denied("bad-nonce", "随机数格式不符", "the nonce has the wrong form")
TIME = Denied(
    "time-outside-window", "请求时间不在允许的时间窗内，请校准时钟", "the request's time is outside the window"
)
BAD = Denied("bad-signature", "签名验证未通过", "the signature does not hold")
TOKEN = Denied("bad-token", "令牌不合约定", "the token is not as agreed")
OTHER = Denied("bad-token", "令牌不是为本请求或本方签发", "the token was made for another request or another receiver")
ENVELOPE = Denied("bad-envelope", "加密报文不合约定", "the encrypted body is not as agreed")
SEALED = Denied("undecryptable", "报文内容无法解密", "the content cannot be decrypted")
