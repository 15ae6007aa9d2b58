"""The ``[signing]`` table of a profile (签名约定): which scheme a platform speaks, and every name and form in it, as data. Pure.

What a scheme proves has to reach the whole request (attack rows J18, J19): a table that leaves method, path, query or body
uncovered is refused when the profile is compiled, and so is one whose string could be read in two ways (K07).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from adapters.base import Untranslatable
from signing.profiles import STANDARD, SignatureProfile, Text

BOUND: Final = frozenset({"method", "path", "query", "digest"})
SAID: Final = frozenset({"app", "time", "nonce"})
MANDATORY: Final = BOUND | SAID
FIELDS: Final = MANDATORY | {"label", "host", "headers"}
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NAME: Final = r"^[A-Za-z][A-Za-z0-9_]{0,31}$"
_FIXED: Final = re.compile(r"\[[^\[\]]+\]\{[0-9]{1,3}\}")

Algorithm = Literal["SM2", "HMAC-SM3", "ES256", "RS256"]
Named = Annotated[str, Meta(pattern=_NAME)]
Header = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{0,64}$")]


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Header names, lower case. ``binding``: where scheme ``tif`` carries what covers the request."""

    signature: Header
    app: Header = ""
    time: Header = ""
    nonce: Header = ""
    binding: Header = ""


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the platform calls the parameters that are sorted. ``request``: SM3 of the request lines, in lower-case hex."""

    app: Named
    time: Named
    nonce: Named
    request: Named


class Sorted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters sorted by name and written one after another (排序拼接): ``pair`` between name and value, ``join`` between two.

    ``query``: the query's parameters stand among them, as they are on the wire; ``empty``: whether one without a value is
    written or skipped (K08). Without separators all values must have one width, and the query stays out (K07).
    """

    parameters: Parameters
    pair: Annotated[str, Meta(pattern=r"^[=:]?$")] = "="
    join: Annotated[str, Meta(pattern=r"^[&|,;]?$")] = "&"
    query: bool = True
    empty: Literal["keep", "skip"] = "keep"


class Bearer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JWT for each request (RFC 7519). ``alg``: how the platform writes the algorithm, its own name if empty (SM2 has none
    registered); ``request``: the claim with SM3 of the request lines; ``lifetime_s``: of the tokens that we make."""

    request: Named = "req"
    alg: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{0,32}$")] = ""
    prefix: str = "Bearer "
    lifetime_s: Annotated[int, Meta(ge=10, le=600)] = 300


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body that is encrypted with SM4 and signed with SM2 ({data:{encData}, appCode, …, signData}).

    ``data`` and ``sealed``: the object and the member that hold the ciphertext; ``cipher``: the mode, the 16-byte IV or 12-byte
    nonce before the ciphertext; ``text``: how ciphertext is written; ``signature``: how signatures are made and written;
    ``fixed``: members with one value (version, encType, signType), which are signed too.
    """

    data: Named = "data"
    sealed: Named = "encData"
    app: Named = "appCode"
    time: Named = "timestamp"
    signed: Named = "signData"
    fixed: dict[Named, Annotated[str, Meta(pattern=r"^[0-9A-Za-z._-]{1,32}$")]] = {}
    cipher: Literal["CBC", "GCM"] = "CBC"
    text: Text = "base64"
    signature: SignatureProfile = STANDARD
    unit: Literal["ms", "s"] = "ms"


class Scheme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``scheme``: a row of ``adapters.rest_signed.sign.SCHEMES``. ``fields`` in their order, joined by ``separator``, are the
    request lines; ``signature`` says how a signature is made and written, ``time`` is the unit of the time header. ``fixed``:
    headers that the platform's own gateway wants to see on our calls (``x-tif-serviceid``); they prove nothing."""

    headers: Names
    fields: list[str]
    scheme: Literal["headers", "tif", "bearer"] = "headers"
    algorithm: Algorithm = "SM2"
    signature: SignatureProfile = STANDARD
    label: str = ""
    separator: str = "\n"
    covered: list[str] = []
    time: Literal["ms", "s"] = "ms"
    nonce: str = "[A-Za-z0-9_-]{16,64}"
    fixed: dict[Header, Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,128}$")]] = {}
    sorted: Sorted | None = None
    bearer: Bearer = Bearer()
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What is signed beside the body. ``headers`` are the request's own, for ``host`` and the covered ones."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    digest: bytes


def split_target(target: str) -> tuple[str, str]:
    """Raw path and raw query of a request target, undecoded; a lone ``?`` is an empty query."""
    path, _, query = target.partition("?")
    return path, query


# --- what no table may say --------------------------------------------------------------------------------------------


def read_scheme(table: Mapping[str, Any]) -> Scheme:
    """Raises Untranslatable for a scheme that leaves a part of the request uncovered or cannot be unambiguous."""
    try:
        scheme = msgspec.convert(table, Scheme)
    except msgspec.ValidationError as error:
        raise _bad("signing-unreadable", f"signing 有误：{error}", f"bad signing table: {error}", "") from None
    _lines(scheme)
    _names(scheme)
    _nonce(scheme)
    if scheme.sorted is not None:
        _sorted(scheme, scheme.sorted)
    if scheme.envelope is not None:
        _envelope(scheme.envelope)
    if scheme.signature.text == "binary":
        raise _binary("signature.text")
    return scheme


def _bad(code: str, zh: str, en: str, at: str) -> Untranslatable:
    return Untranslatable(code, zh, en, f"signing.{at}" if at else "signing")


def _lines(scheme: Scheme) -> None:
    outside = scheme.sorted is not None or scheme.scheme == "bearer"  # who, when and once are said beside the lines
    needed = BOUND | {"host"} if outside else MANDATORY
    missing, unknown = sorted(needed - set(scheme.fields)), sorted(set(scheme.fields) - FIELDS)
    if missing or unknown or len(set(scheme.fields)) != len(scheme.fields):
        zh = f"签名必须覆盖 {'、'.join(sorted(needed))}，各一次；缺少或不识 {'、'.join(missing + unknown)}"
        en = f"the signature must cover {', '.join(sorted(needed))} once each; wrong: {', '.join(missing + unknown)}"
        raise _bad("signing-uncovered", zh, en, "fields")
    if not scheme.separator or not CONTROL.fullmatch(scheme.separator):
        zh, en = "分隔符须为一个控制字符", "the separator is one control character"
        raise _bad("signing-separator", zh, en, "separator")


_WANTED: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "headers": (frozenset({"signature", "app", "time", "nonce"}), frozenset({"SM2", "HMAC-SM3"})),
    "tif": (frozenset({"signature", "app", "time", "nonce", "binding"}), frozenset({"HMAC-SM3"})),
    "bearer": (frozenset({"signature"}), frozenset({"SM2", "ES256", "RS256"})),
}


def _names(scheme: Scheme) -> None:
    """Each scheme names the headers that it uses, all different, and an algorithm that it can work with."""
    wanted, algorithms = _WANTED[scheme.scheme]
    told = {name: value for name, value in msgspec.structs.asdict(scheme.headers).items() if value}
    used = [*told.values(), *scheme.fixed, *scheme.covered, "host"]
    if told.keys() != wanted or len(set(used)) != len(used):
        names = "、".join(sorted(wanted))
        zh, en = f"须给出请求头名 {names}，各不相同", f"headers must name {names}, all different"
        raise _bad("signing-headers", zh, en, "headers")
    if scheme.algorithm not in algorithms:
        known = "、".join(sorted(algorithms))
        zh, en = f"此方案的算法须为 {known}", f"the algorithm of this scheme is one of {known}"
        raise _bad("signing-algorithm", zh, en, "algorithm")


def _nonce(scheme: Scheme) -> None:
    try:
        re.compile(scheme.nonce)
    except re.error as error:
        raise _bad(
            "signing-unreadable", f"nonce 不是正则式：{error}", f"nonce is no pattern: {error}", "nonce"
        ) from None


def _envelope(form: Envelope) -> None:
    names = (form.data, form.app, form.time, form.signed, *form.fixed)
    if len(set(names)) != len(names):
        zh, en = "信封各项的名称不得相同", "the members of an envelope have different names"
        raise _bad("signing-envelope", zh, en, "envelope")
    if "binary" in (form.text, form.signature.text):
        raise _binary("envelope.text")


def _binary(at: str) -> Untranslatable:
    zh, en = "签名与密文以文字书写，须为 hex、HEX 或 base64", "signatures and ciphertexts are text: hex, HEX or base64"
    return _bad("signing-unreadable", zh, en, at)


def _sorted(scheme: Scheme, form: Sorted) -> None:
    names = msgspec.structs.astuple(form.parameters)
    if scheme.scheme != "headers" or len(set(names)) != len(names) or bool(form.pair) != bool(form.join):
        zh = "排序拼接只用于 headers 方案；参数名各不相同；两个分隔符同有或同无"
        en = "sorting belongs to scheme headers; parameter names differ; both separators or none"
        raise _bad("signing-sorted", zh, en, "sorted")
    if not form.join and (form.query or not _FIXED.fullmatch(scheme.nonce)):
        zh = "无分隔符的拼接会使不同参数得到同一签名串：各值须定长，查询参数不得参与"
        en = "without separators different parameters make one string: all values need one width, the query stays out"
        raise _bad("signing-collision", zh, en, "sorted")
