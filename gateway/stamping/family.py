"""A city's stamping system (电子印章系统、签名验签服务器) as a JSON family: which words, paths and codes it uses are settings.

The interfaces of the certified products are not public, so nothing here claims to be one of them: it is the shape that
their integration guides share (POST an order under the caller's own number, GET what became of a number), with every name
a setting of ``[stamp.external]``. What cannot be set and is demanded of the system: the caller's number is unique there,
so that a second order under it makes no second stamp, and it can be asked for by that number.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from schemas.codec import strict_json
from schemas.errors import Invalid

Path = Annotated[str, Meta(pattern=r"^/[!-~]*$")]


class _Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: unknown keys are errors."""


class OrderWords(_Words, frozen=True, kw_only=True):
    """The names of an order's fields; "" leaves the field out. ``fixed`` goes into every order as it stands."""

    id: Annotated[str, Meta(min_length=1)] = "requestId"
    app: str = "appId"
    seal: str = "sealId"
    algorithm: str = "digestAlgorithm"
    digest: str = "digest"
    file: str = "file"
    name: str = "documentName"
    property_info: str = "propertyInfo"
    purpose: str = "purpose"
    fixed: dict[str, str] = {}


class AnswerWords(_Words, frozen=True, kw_only=True):
    """Where an answer holds its code, words and stamp (dots lead inwards), and which codes mean what.

    ``done``: the stamp is in it; ``working``: ask again later; ``absent``: no order of that number; ``duplicate``: the number
    is known, ask for it. Any other code is a refusal.
    """

    code: str = "code"
    message: str = "message"
    stamp: str = "data.stamp"
    done: tuple[str, ...] = ("0",)
    working: tuple[str, ...] = ("1",)
    absent: tuple[str, ...] = ("404",)
    duplicate: tuple[str, ...] = ("409",)


class External(_Words, frozen=True, kw_only=True):
    """The ``[stamp.external]`` table. ``seal_id``: the one seal whose stamps are taken. ``send``: the document's digest,
    or the whole file. ``asking``: the path that is asked, with ``{id}``. ``auth``: how calls are signed; the secret (HMAC)
    or key (SM2) is named in ``[stamp]``."""

    seal_id: Annotated[str, Meta(min_length=1, max_length=64)]
    app_id: str = ""
    send: Literal["digest", "file"] = "digest"
    digest_form: Literal["hex", "base64"] = "hex"
    ordering: Path = "/stamps"
    asking: Annotated[str, Meta(pattern=r"^/[!-~]*\{id\}[!-~]*$")] = "/stamps/{id}"
    auth: Literal["none", "hmac-sm3", "sm2"] = "hmac-sm3"
    connect_ms: Annotated[int, Meta(ge=100)] = 5_000
    timeout_ms: Annotated[int, Meta(ge=100)] = 30_000
    max_file: Annotated[int, Meta(ge=1)] = 64 << 20
    max_answer: Annotated[int, Meta(ge=1024)] = 8 << 20
    order: OrderWords = OrderWords()
    answer: AnswerWords = AnswerWords()


@dataclass(frozen=True, slots=True)
class Order:
    """One document to stamp. ``id``: ours, the same over all retries. ``data``: the file, empty where a digest suffices."""

    id: str
    digest: bytes
    name: str
    property_info: str
    purpose: str
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Stamped:
    """What came back as the stamp, not verified."""

    stamp: bytes


@dataclass(frozen=True, slots=True)
class Unstamped:
    """No stamp. ``unsent``: nothing left this machine. ``unclear``: perhaps stamped, ask before ordering again.
    ``absent``: asked, and the number is not known there. ``refused``: it will not stamp; a person has to look.
    ``unusable``: a stamp came that is not the one ordered; its number is spent."""

    kind: Literal["unsent", "unclear", "absent", "refused", "unusable"]
    reason: str


def write_order(
    order: Order, words: OrderWords, *, app: str, seal_id: str, digest_form: Literal["hex", "base64"], with_file: bool
) -> bytes:
    """The order as JSON."""
    digest = order.digest.hex() if digest_form == "hex" else base64.b64encode(order.digest).decode()
    fields = {
        words.id: order.id, words.app: app, words.seal: seal_id, words.algorithm: "SM3", words.digest: digest,
        words.name: order.name, words.property_info: order.property_info, words.purpose: order.purpose,
        words.file: base64.b64encode(order.data).decode() if with_file else "",
    }  # fmt: skip
    if not with_file:
        del fields[words.file]
    fields.pop("", None)
    return msgspec.json.encode({**words.fixed, **fields}, order="sorted")


def read_answer(status: int, body: bytes, words: AnswerWords) -> Stamped | Unstamped:
    """What an answer means. Whatever is not plainly one thing is unclear: the system is asked again before it is used again."""
    value = _object(body)
    code = _text(_at(value, words.code)) if value is not None else ""
    if value is None or not code:
        known_no = 400 <= status < 500 and status not in (404, 408, 425, 429)
        return Unstamped("refused" if known_no else "unclear", f"http-{status}" if status >= 300 else "unreadable")
    if code in words.absent:
        return Unstamped("absent", code)
    if code in words.working or code in words.duplicate:
        return Unstamped("unclear", f"code-{code[:40]}")
    if code not in words.done:
        return Unstamped("unclear" if status >= 500 else "refused", f"code-{code[:40]} {_said(value, words)}".strip())
    try:
        stamp = base64.b64decode(_text(_at(value, words.stamp)), validate=True)
    except (binascii.Error, ValueError):
        stamp = b""
    return Stamped(stamp) if stamp else Unstamped("unclear", "no-stamp-in-answer")


def _said(value: Mapping[str, Any], words: AnswerWords) -> str:
    """Their words, shortened: shown to operators and never trusted further."""
    return _text(_at(value, words.message))[:120]


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = strict_json(body, max_bytes=len(body))
    except Invalid:
        return None
    return value if type(value) is dict else None


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    return str(value) if type(value) in (str, int) else ""
