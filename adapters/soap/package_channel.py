"""The channel for documents that travel as text: our package to the platform's operation, its codes to outcomes.

The licence is added at each send. These services have no operation to ask what they hold, so an unclear outcome waits for
a person (待人工确认).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from adapters.base import Accepted, Answer, CannotAsk, Outcome, Refused, Temporary, Unclear, Untranslatable, Wire
from adapters.rules import MISSING, reader
from adapters.soap.caller import Caller, unanswered
from adapters.soap.package import PackageTranslator
from adapters.soap.tree import to_value
from adapters.transport import AnswerForm
from schemas.errors import Invalid
from schemas.xml import parse_text


@dataclass(frozen=True, slots=True)
class PackageChannel:
    """See ``adapters.base.Channel``. ``licence`` is what we show the platform."""

    caller: Caller
    translator: PackageTranslator
    licence: str
    answer: AnswerForm

    async def send(self, wire: Wire) -> Outcome:
        body = self.translator.call(wire.operation, self.licence, wire.body)
        found = await self.caller.call(wire.operation, body, wire.id)
        if not isinstance(found, etree._Element):
            return unanswered(found)
        try:
            told = self._read(found)
        except (Invalid, Untranslatable):
            return unanswered(None)
        there, sent = _text(told, self.translator.words.same), parse_text(wire.body.decode())
        if there and there != sent.findtext(self.translator.words.same.replace(".", "/")):
            return Unclear("answer-of-another")
        return self._outcome(list(_codes(told)))

    async def ask(self, out_id: str) -> Answer:
        return CannotAsk()

    async def close(self) -> None:
        await self.caller.line.close()

    def _read(self, body: etree._Element) -> dict[str, Any]:
        value = to_value(body)
        said = value.get(self.translator.words.reply, "") if type(value) is dict else ""
        return self.translator.value(parse_text(said if type(said) is str else ""))

    def _outcome(self, told: list[tuple[str, str]]) -> Outcome:
        """One record goes out, so one code comes back; the first that is no good one decides."""
        if not told:
            return unanswered(None)
        good = {*self.answer.ok, *self.answer.duplicate}
        code, text = next(((code, text) for code, text in told if code not in good), ("", ""))
        if not code:
            return Accepted() if all(one for one, _ in told) else unanswered(None)
        if code in self.answer.busy:
            return Temporary(f"busy-{code}"[:80])
        said = text or self.translator.words.codes.means.get(code, "平台未说明原因")
        return Refused(code[:64], said, text or f"refused by the platform with {code[:16]}")


def _codes(package: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(code, message) of the package, or of each of its records."""
    data = package.get("DATA")
    if type(data) is not dict:
        return
    if "CODE" in data:
        yield str(data["CODE"]), str(data.get("MSG", ""))[:200]
    records = data.get("RECORD", [])
    for one in records if type(records) is list else [records]:
        shown = one if type(one) is dict else {}
        yield shown.get("@code", ""), shown.get("@msg", "")[:200]


def _text(package: Mapping[str, Any], path: str) -> str:
    found = reader(path)(package, package)
    return found if found is not MISSING and type(found) is str else ""
