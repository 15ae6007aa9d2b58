"""The files of a message, fetched one after the other from its platform (附件收取) and kept whole before the message counts.

What is here already of a message that waits is remembered, so that a file is fetched once; what was cut is continued.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from adapters.base import Backend, Interrupted, Kept, Problem, Untranslatable
from adapters.union_json.channel import UnionChannel
from adapters.union_json.translate import MAX_FILES, Listed, fetched

WAITING: Final = 1000
"""Messages whose files are remembered; of the oldest, files are fetched again."""


@dataclass(frozen=True)
class Collector:
    """``here``: message -> file -> what it is, of messages that wait for others of their files."""

    channel: UnionChannel
    here: dict[str, dict[str, Kept]] = field(default_factory=dict)

    async def collect(
        self, id_: str, operation: str, message: dict[str, Any], backend: Backend
    ) -> list[dict[str, Any]] | Problem:
        """The files of a message as its tables read them, all of them whole. Raises Interrupted (it waits) or
        Untranslatable; a Problem is the gateway's own word."""
        translator, known = self.channel.translator, self.here.get(id_, {})
        files: list[dict[str, Any]] = []
        until = asyncio.get_running_loop().time() + translator.words.patience_ms / 1000
        for wanted in translator.wanted(operation, message):
            for one in await self._listed(wanted.ask):
                kept = known.get(one.name_here) or await self._fetch(one, backend, until)
                if isinstance(kept, Problem):
                    return kept
                known[one.name_here] = kept
                self._remember(id_, known)
                files.append(fetched(wanted.entry, one, kept.sm3))
                if len(files) > MAX_FILES:
                    raise Untranslatable("value-type", "附件多于一百个", "more than a hundred files")
        return files

    def _remember(self, id_: str, known: dict[str, Kept]) -> None:
        self.here[id_] = known
        while len(self.here) > WAITING:
            self.here.pop(next(iter(self.here)))

    def done(self, id_: str) -> None:
        """The message is dealt with."""
        self.here.pop(id_, None)

    async def _listed(self, ask: dict[str, str]) -> list[Listed]:
        """Raises Interrupted also for a material that has no file yet: its case would be taken without it."""
        detail = self.channel.translator.words.detail
        assert detail is not None  # noqa: S101 - only a profile that has it wants files
        found = self.channel.translator.listed(await self.channel.answer_to(detail.path, ask))
        if detail.each and not found and not detail.empty:
            raise Interrupted("有材料尚无附件", "a material has no file yet")
        return found

    async def _fetch(self, one: Listed, backend: Backend, until: float) -> Kept | Problem:
        kept = await backend.keep(one.name_here, one.size, partial(self._pieces, one, until))
        if isinstance(kept, Kept) and one.sm3 and kept.sm3 != one.sm3:
            raise Untranslatable("material-digest-mismatch", "附件与所报 SM3 摘要不符", "not the digest of its list")
        return kept

    async def _pieces(self, one: Listed, until: float, start: int) -> AsyncIterator[bytes]:
        """Never more than was said: what is longer is not the file of the list. Never for longer than a message is waited
        for: what has come stays, and neighbours go on."""
        left, clock = one.size - start, asyncio.get_running_loop()
        async for piece in self.channel.pieces(one.id, start):
            left -= len(piece)
            if left < 0:
                raise Untranslatable("attachment-size", "附件比清单所列长", "a file is longer than its list says")
            yield piece
            if left and clock.time() > until:
                raise Interrupted("附件尚未收齐，请稍后", "the files are not all here yet", coming=True)
