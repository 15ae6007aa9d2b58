"""A platform of ``message_set``, played (扮演队列平台): it holds the queues, both the one to it and the one from it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from adapters.base import Accepted, Outbound, Outcome
from adapters.kit.behaviour import Behaviour
from adapters.kit.cast import Answer, Cast, Heard, NotLooking
from adapters.message_set.translate import ObjectTranslator
from adapters.soap.tree import local, to_bytes, to_element, to_value
from schemas.errors import Invalid
from schemas.xml import parse_xml


class QueuePeer(NotLooking):
    def __init__(self, cast: Cast) -> None:
        from adapters.message_set.family import open_translator

        self.cast = cast
        self.translator: ObjectTranslator = open_translator(cast.profile, cast.beside)
        self.waiting: dict[str, bytes] = {}
        self.refused: dict[str, bytes] = {}

    async def hear(self, heard: Heard, how: Behaviour) -> Answer:
        words, own = self.translator.words, self.cast.settings
        if own.our_licence and heard.header("authorization") != f"Bearer {own.our_licence}":
            return Answer(401, "text/plain", b"")
        asked, path = words.ask.partition("{id}")[0].format(queue=quote(words.to_them, safe="")), heard.target
        if heard.method == "GET" and path.partition("?")[0] == self._path(words.take, words.from_them):
            taken = [{"id": id_, "body": b64encode(body).decode()} for id_, body in self.waiting.items()]
            return _json({"messages": taken[: words.batch]})
        if heard.method == "POST" and path == self._path(words.acknowledge, words.from_them):
            for id_ in msgspec.json.decode(heard.body, type=dict[str, list[str]]).get("ids", []):
                self.waiting.pop(id_, None)
            return Answer(204, "text/plain", b"")
        if heard.method == "POST" and path == self._path(words.put, words.refused):
            self.refused[heard.header("x-message-id")] = heard.body
            return Answer(201, "text/plain", b"")
        if heard.method == "POST" and path == self._path(words.put, words.to_them):
            return self._put(heard, how)
        if heard.method == "GET" and path.startswith(asked):
            known = not how.moved and self.cast.desk.find(unquote(path[len(asked) :])) is not None
            return Answer(301 if how.moved else 200 if known else 404, "text/plain", b"")
        return Answer(404, "text/plain", b"")

    def _put(self, heard: Heard, how: Behaviour) -> Answer:
        id_ = heard.header("x-message-id")
        try:
            element = parse_xml(heard.body, max_bytes=self.translator.max_bytes)
        except Invalid:
            return Answer(400, "text/plain", b"")
        value = to_value(element)
        note = self.cast.note(id_, local(element), heard.body, value if type(value) is dict else {})
        _, before = self.cast.desk.take(note, how)
        return Answer(409 if before else 201, "text/plain", b"")

    @staticmethod
    def _path(path: str, queue: str) -> str:
        return path.partition("?")[0].format(queue=quote(queue, safe=""), id="", max="")

    async def tell(self, out: Outbound, case: str, how: Behaviour) -> Outcome:
        operation, message = self.cast.mirror.message(out, case)
        element = to_element("", f"V2{operation}" if how.moved else operation, message)
        body = self.translator.document(to_bytes(element, self.translator.encoding))
        self.waiting[out.id] = b"\x00<garbage" if how.answers == "garbage" else body
        return Accepted()

    async def close(self) -> None:
        """Nothing is held open."""


def _json(value: Any) -> Answer:
    return Answer(200, "application/json", msgspec.json.encode(value))
