"""SM2 over a canonical request (规范请求签名): the scheme of a profile, checked and made. Pure.

The string that is signed has the profile's ``fields`` in its order, joined by its separator. Method, raw path, raw
query, SM3 of the body, app id, time and nonce must all be among them (attack row J19): a scheme that leaves one out is
refused when the profile is compiled. Path and query are the bytes of the request line, neither decoded nor sorted
(K04); an absent query is an empty line; a covered header is ``name:value``, and ``name`` alone when the request has
none (K08). No part may hold a control character, so two different requests never make one string (K07).
The scheme is ours; it rests on the public family of signed headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from adapters.base import Denied, Presented, Signed, Untranslatable
from signing import profiles, sm2
from signing.profiles import SignatureProfile

if TYPE_CHECKING:
    from signing.providers import Provider

MANDATORY: Final = frozenset({"method", "path", "query", "digest", "app", "time", "nonce"})
FIELDS: Final = MANDATORY | {"label", "host", "headers"}
DECOY: Final = sm2.PublicKey(sm2.GX, sm2.GY)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

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


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Header names, lower case."""

    app: str
    time: str
    nonce: str
    signature: str


class Scheme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[signing]`` table of a profile. ``signature`` says how a signature is made and written, ``time`` is the unit of
    the time header."""

    headers: Names
    fields: list[str]
    signature: SignatureProfile
    label: str = ""
    separator: str = "\n"
    covered: list[str] = []
    time: Literal["ms", "s"] = "ms"
    nonce: str = "[A-Za-z0-9_-]{16,64}"


@dataclass(frozen=True, slots=True)
class Part:
    """What is signed beside the body. ``headers`` are the request's own, for ``host`` and the covered ones."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    digest: bytes


def read_scheme(table: Mapping[str, Any]) -> Scheme:
    """Raises Untranslatable for a scheme that leaves a part of the request uncovered or cannot be unambiguous."""
    try:
        scheme = msgspec.convert(table, Scheme)
    except msgspec.ValidationError as error:
        raise Untranslatable(
            "signing-unreadable", f"signing 有误：{error}", f"bad signing table: {error}", "signing"
        ) from None
    missing = sorted(MANDATORY - set(scheme.fields))
    unknown = sorted(set(scheme.fields) - FIELDS)
    if missing or unknown or len(set(scheme.fields)) != len(scheme.fields):
        zh = f"签名必须覆盖 {'、'.join(sorted(MANDATORY))}，各一次；缺少或不识 {'、'.join(missing + unknown)}"
        en = f"the signature must cover {', '.join(sorted(MANDATORY))} once each; wrong: {', '.join(missing + unknown)}"
        raise Untranslatable("signing-uncovered", zh, en, "signing.fields")
    if scheme.signature.text == "binary":
        zh, en = "签名放在请求头里，须为 hex、HEX 或 base64", "a signature in a header is hex, HEX or base64"
        raise Untranslatable("signing-unreadable", zh, en, "signing.signature.text")
    if not scheme.separator or not _CONTROL.fullmatch(scheme.separator):
        raise Untranslatable("signing-separator", "分隔符须为一个控制字符", "the separator is one control character",
                             "signing.separator")  # fmt: skip
    return scheme


def split_target(target: str) -> tuple[str, str]:
    """Raw path and raw query of a request target, undecoded; a lone ``?`` is an empty query."""
    path, _, query = target.partition("?")
    return path, query


def canonical(scheme: Scheme, part: Part, app: str, time: str, nonce: str) -> bytes | None:
    """The bytes that are signed; None when a part holds a control character."""
    covered = [f"{name}:{part.headers[name]}" if name in part.headers else name for name in scheme.covered]
    values = {
        "label": [scheme.label], "method": [part.method], "path": [part.path], "query": [part.query],
        "host": [part.headers.get("host", "").lower()], "headers": covered, "digest": [part.digest.hex()],
        "app": [app], "time": [time], "nonce": [nonce],
    }  # fmt: skip
    lines = [line for field in scheme.fields for line in values[field]]
    if any(_CONTROL.search(line) for line in lines):
        return None
    return scheme.separator.join(lines).encode("utf-8", "surrogateescape")


def sign(
    scheme: Scheme, signer: sm2.Signer, part: Part, *, app: str, time_ms: int, nonce: str
) -> list[tuple[str, str]]:
    """The headers to add to a request."""
    time = str(time_ms if scheme.time == "ms" else time_ms // 1000)
    message = canonical(scheme, part, app, time, nonce)
    if message is None:
        raise ValueError("a part of the request holds a control character")
    written = profiles.sign(scheme.signature, signer, message).decode("ascii")
    names = scheme.headers
    return [(names.app, app), (names.time, time), (names.nonce, nonce), (names.signature, written)]


def app_of(scheme: Scheme, headers: Iterable[tuple[str, str]]) -> str:
    """The app id that the headers state; "" when none or several."""
    found = [value for name, value in headers if name.lower() == scheme.headers.app]
    return found[0] if len(found) == 1 else ""


def verify(
    scheme: Scheme,
    provider: Provider,
    shown: Presented,
    keys: Mapping[str, Sequence[sm2.PublicKey]],
    now_ms: int,
    window_ms: int,
) -> Signed | Denied:
    """Who signed this request, or the one reason why not. Whether the nonce was used before is for the caller to know.

    1 all parts there and no covered header twice, 2 nonce, 3 time, 4 signature under the registered keys of the app id.
    An unknown app id costs a verification too, so that the answer's time does not tell which ids exist (J17).
    """
    names = scheme.headers
    watched = {names.app, names.time, names.nonce, names.signature, "host", *scheme.covered}
    headers: dict[str, str] = {}
    for name, value in shown.headers:
        low = name.lower()
        if low in headers and low in watched:
            return DUPLICATE
        headers[low] = value
    given = [headers.get(name, "") for name in (names.app, names.time, names.nonce, names.signature)]
    app, time, nonce, written = given
    if not all(given):
        return MISSING
    if not re.fullmatch(scheme.nonce, nonce):
        return NONCE
    time_ms = _time(scheme, time)
    if time_ms is None or abs(now_ms - time_ms) > window_ms:
        return TIME
    part = Part(shown.method, shown.raw_path, shown.raw_query, headers, shown.body_digest)
    message = canonical(scheme, part, app, time, nonce)
    if message is None:
        return BAD
    held, signature = False, written.encode("utf-8", "surrogateescape")
    for key in keys.get(app) or (DECOY,):
        held |= profiles.verify(scheme.signature, provider, key, message, signature)
    if app not in keys:
        return UNKNOWN
    return Signed(app, nonce, time_ms) if held else BAD


def _time(scheme: Scheme, written: str) -> int | None:
    digits = 13 if scheme.time == "ms" else 10
    if not re.fullmatch(rf"[0-9]{{{digits}}}", written):
        return None
    return int(written) if scheme.time == "ms" else int(written) * 1000
