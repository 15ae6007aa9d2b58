"""Our door for a platform that calls us by its own paths (对方调用): messages, lists of a case's files, and the files' names.

Answers carry their codes in the body, as the family does. A message whose files have not all come is answered "busy": nothing
of it is taken, what has come of its files stays, and its sender sends it again. Files themselves are streamed by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.base import Attachment, Backend, Interrupted, Problem
from adapters.rules import reader
from adapters.union_json.attachments import Collector
from adapters.union_json.translate import UnionTranslator
from adapters.union_json.words import File

Door = Callable[[bytes], Backend]
"""The backend for a message of these original bytes."""


@dataclass(frozen=True)
class UnionService:
    """The calls that a platform makes."""

    translator: UnionTranslator
    collector: Collector

    def operation(self, path: str) -> str | None:
        """The operation behind a path of our door; None for a path that is none."""
        words = self.translator.words
        return next((name for name in words.push if words.calls[name] == path), None)

    def lists(self, path: str) -> bool:
        """Whether this is the call for lists of files."""
        detail = self.translator.words.detail
        return detail is not None and detail.path == path

    def file(self, path: str, query: Mapping[str, list[str]]) -> str | None:
        """The id of the file that a GET asks for; None where it asks for none."""
        file = self.translator.words.file
        given = query.get(file.parameter, []) if file is not None and file.path == path else []
        return given[0] if len(given) == 1 else None

    async def listed(self, payload: bytes, backend: Backend) -> bytes | Problem:
        """The files of a case, or of one of its materials. Raises Untranslatable or Invalid."""
        detail, file = self.translator.words.detail, self.translator.words.file
        assert detail is not None and file is not None  # noqa: S101 - this path is asked for where both are
        params = self.translator.call(payload)[self.translator.words.params]
        found = await backend.attachments(_named(params, detail.case), _named(params, detail.material))
        if isinstance(found, Problem):
            return found
        return self.translator.answer("ok", {}, {detail.list: [_shown(one, file) for one in found]})

    async def take(self, operation: str, payload: bytes, door: Door) -> bytes | Problem:
        """A message: its answer once all its files are here and the gateway has it; busy until then."""
        message = self.translator.call(payload)
        place = self.translator.profile.text.operations[operation].id
        known = f"{operation} {str(reader(place)(message, message))[:128]}"
        try:
            files = await self.collector.collect(known, operation, message, door(payload))
        except Interrupted as cut:
            return Problem({"code": "TB-6003", "title": cut.zh, "title_en": cut.en}, busy=True)
        if isinstance(files, Problem):
            return files
        acts = self.translator.profile.acts(operation, self.translator.with_files(message, files))
        backend, receipt = door(self.translator.kept(payload, files)), dict[str, str]()
        for act in acts:
            found = await backend.accept(act)
            if isinstance(found, Problem):
                if not found.busy:
                    self.collector.done(known)
                return found
            receipt = found
        self.collector.done(known)
        return self.translator.answer("ok", receipt)

    def told(self, problem: Problem) -> bytes:
        """A refusal, or that it has to come again."""
        return self.translator.answer("busy" if problem.busy else "refused", problem.fields)


def _shown(one: Attachment, file: File) -> dict[str, Any]:
    shown: dict[str, Any] = {file.name: one.file_name, file.size: one.size, file.id: one.id}
    return shown | ({file.sm3: one.sm3} if file.sm3 else {})


def _named(params: Mapping[str, Any], name: str) -> str:
    """A number that a caller gives, "" where it gives none."""
    given = params.get(name) if name else None
    return given if type(given) is str and len(given) <= 128 else ""
