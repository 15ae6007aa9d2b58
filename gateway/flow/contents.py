"""Files looked at before they are taken in (F04): from our own platforms and from partners, each time a message names them.

What the look finds is refused or only noted, as ``[content]`` says; a note is logged by the file's digest and counted. A
scanner, where one is set, has the last word; while it cannot be asked a file waits (the sender tries again) or is taken
with a note. Nothing is lost either way: an upload stays where it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import structlog

from gateway.config import Content
from gateway.core import content
from gateway.flow.post import materials_of
from gateway.ops import metrics
from gateway.ops.scanner import Scanner
from gateway.problems import Refused
from gateway.store.parts import Parts
from schemas.canonical import Material

log = structlog.get_logger("contents")
_HARM: Final = frozenset({"executable", "active", "polyglot", "name"})


@dataclass(frozen=True)
class Contents:
    """Looks at the files of a body, as far as they are here whole."""

    parts: Parts
    settings: Content
    scanner: Scanner | None = None

    async def judge(self, owner: str, body: Any) -> Refused | None:
        """The first refusal that a file of this body earns; the file itself stays."""
        for material in {one.sm3: one for one in materials_of(body)}.values():
            try:
                refused = await self._one(owner, material)
            except Refused as damaged:  # on our disk
                return damaged
            if refused is not None:
                metrics.CONTENT.labels(refused.code).inc()
                return refused
        return None

    async def _one(self, owner: str, material: Material) -> Refused | None:
        if await asyncio.to_thread(self.parts.offset, owner, material.sm3) != material.size:
            return None  # not here, or not whole: the acceptance has its own word for it
        found = await asyncio.to_thread(self._look, owner, material)
        for code in found:
            if code in self.settings.refuse:
                zh, _ = content.FINDINGS[code]
                return Refused("TB-6012" if code in _HARM else "TB-6011", f"{material.name}：{zh}")
        self._note(material, *found)
        return await self._scanned(self.scanner, owner, material) if self.scanner else None

    def _look(self, owner: str, material: Material) -> tuple[str, ...]:
        said = content.Said(material.media_type, material.file_name, material.size)
        limit = min(self.settings.search_bytes, material.size)
        pieces = self.parts.read(owner, material.sm3, 0, limit)
        tail = b"".join(self.parts.read(owner, material.sm3, max(0, material.size - content.TAIL)))
        return content.look(said, pieces, tail)[1]

    async def _scanned(self, scanner: Scanner, owner: str, material: Material) -> Refused | None:
        verdict = await scanner.scan(self._pieces(owner, material))
        if verdict == "found":
            return Refused("TB-6013", material.name)
        if verdict is None and self.settings.scanner_down == "wait":
            return Refused("TB-6014", material.name, early=True)
        if verdict != "clean":
            self._note(material, "not-scanned")
        return None

    async def _pieces(self, owner: str, material: Material) -> AsyncIterator[bytes]:
        pieces = self.parts.read(owner, material.sm3)
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece

    @staticmethod
    def _note(material: Material, *codes: str) -> None:
        if codes:
            log.info("content_noted", file=material.sm3[:16], found=list(codes))
            for code in codes:
                metrics.CONTENT.labels(code).inc()
