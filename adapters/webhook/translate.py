"""Events for a registered endpoint (事件回调): our messages as canonical JSON, the same for every receiver. Pure.

An event is one JSON object with sorted keys, fields that say nothing left out: ``id`` (the delivery's, for telling repetitions),
``event`` (the profile's word for the type), ``type``, ``at`` (RFC 3339, UTC), the case's numbers, who says it, and ``body``, the
canonical body as ``schemas.canonical`` has it. Files are named by their SM3 and do not travel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, NoReturn

import msgspec
from msgspec import Meta

from adapters.base import Act, Outbound, Untranslatable, Wire
from adapters.profile import EPOCH, Profile, known_type
from schemas import codec

HEADER: Final = r"^[a-z][a-z0-9-]{0,63}$"
ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[webhook]`` table: the headers that name delivery and event, and the event of each type that is sent.
    ``repeatable``: the receiver tells repetitions by the delivery's id, so that a delivery without an answer is sent again;
    else a person decides."""

    delivery: Annotated[str, Meta(pattern=HEADER)]
    event: Annotated[str, Meta(pattern=HEADER)]
    events: dict[str, Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]]
    repeatable: bool = True


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sent, see the module's header."""

    id: str
    event: str
    type: str
    at: datetime
    case_id: str
    body: msgspec.Raw
    case_number: str = ""
    local_number: str = ""
    item: str = ""
    item_name: str = ""
    agreement: str = ""
    agreement_version: int = 0
    clause: str = ""
    from_party: str = ""
    from_name: str = ""
    status: str = ""


_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_SAME: Final = tuple(sorted(set(Event.__struct_fields__) & set(Outbound.__struct_fields__) - {"body"}))


def read_words(profile: Profile) -> Words:
    """Raises Untranslatable for a table that cannot be read, or events of types that there are not."""
    try:
        words = msgspec.convert(profile.text.webhook, Words)
    except msgspec.ValidationError as error:
        raise Untranslatable(
            "webhook-unreadable", f"webhook 有误：{error}", f"bad webhook table: {error}", "webhook"
        ) from None
    for type_ in words.events:
        if not known_type(type_):
            zh, en = f"没有报文类型 {type_}", f"there is no message type {type_}"
            raise Untranslatable("type-unknown", zh, en, f"webhook.events.{type_}")
    return words


@dataclass(frozen=True, slots=True)
class WebhookTranslator:
    """See ``adapters.base.Translator``; nothing comes in."""

    profile: Profile
    words: Words

    def can_send(self, type_: str) -> bool:
        return type_ in self.words.events

    def outbound(self, out: Outbound) -> Wire:
        event = self.words.events.get(out.type, "")
        if not event:
            raise Untranslatable("type-not-mapped", "方案未列这类事件", "the profile lists no such event")
        at = datetime.fromtimestamp(out.at_ms // 1000, EPOCH.tzinfo).replace(microsecond=out.at_ms % 1000 * 1000)
        same: dict[str, Any] = {name: getattr(out, name) for name in _SAME}
        made = Event(**same, event=event, at=at, body=msgspec.Raw(codec.canonical(out.body)))
        return Wire(id=out.id, operation=event, body=_ENCODER.encode(made), content_type="application/json")

    def decode(self, payload: bytes) -> dict[str, Any]:
        _only_sends()

    def inbound(self, operation: str, payload: bytes, *, case: str = "") -> Act:
        _only_sends()

    def reply_ok(self, act: Act, receipt: dict[str, str]) -> bytes:
        return b""

    def reply_refused(self, problem: dict[str, str]) -> bytes:
        return b""


def _only_sends() -> NoReturn:
    raise Untranslatable("operation-unknown", "此平台只接收事件", "this platform only receives events")
