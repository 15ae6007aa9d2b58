"""Signed JSON REST (签名 JSON 接口): foreign JSON to acts, and our messages to the platform's JSON. Pure.

JSON is read strictly (duplicate keys, NaN, depth, lone surrogates: schemas.codec.strict_json) from the very bytes whose
digest was signed. Answers to accepted acts use the platform's own key names; refusals stay problem+json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.base import Act, Outbound, Untranslatable, Wire
from adapters.profile import Profile
from schemas.codec import strict_json


@dataclass(frozen=True, slots=True)
class RestTranslator:
    """See ``adapters.base.Translator``. Operations are those of the profile: ``case`` and ``event`` by convention."""

    profile: Profile
    max_bytes: int = 1 << 20

    def decode(self, payload: bytes) -> dict[str, Any]:
        """The message as a plain object."""
        value = strict_json(payload, max_bytes=self.max_bytes)
        if type(value) is not dict:
            raise Untranslatable("body-form", "报文应为 JSON 对象", "the body must be a JSON object")
        return value

    def inbound(self, operation: str, payload: bytes, *, case: str = "") -> Act:
        return self.profile.act(operation, self.decode(payload), case)

    def can_send(self, type_: str) -> bool:
        return type_ in self.profile.outward

    def outbound(self, out: Outbound) -> Wire:
        body = msgspec.json.encode(self.profile.message(out))
        path = self.profile.text.send.path
        return Wire(id=out.id, operation=out.type, body=body, path=path, content_type="application/json; charset=utf-8")

    def reply_ok(self, act: Act, receipt: dict[str, str]) -> bytes:
        names: Mapping[str, str] = self.profile.text.reply.get("names", {})
        fixed: Mapping[str, Any] = self.profile.text.reply.get("fixed", {})
        return msgspec.json.encode({**fixed, **{names.get(key, key): value for key, value in receipt.items()}})

    def reply_refused(self, problem: dict[str, str]) -> bytes:
        return msgspec.json.encode(problem)
