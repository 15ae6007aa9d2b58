"""The shared folder as it is reached: files put down for the platform, files of the platform taken in (a local directory).

Taking a file in is: its marker is there, its bytes are those of the manifest, the gateway has it, its receipt is written,
and it is moved away. A crash at any point does the rest again; the gateway knows the act by its id. A file that is not yet
whole waits, one that never can be is refused beside itself, and neither holds up another.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from adapters.base import (
    Accepted,
    Answer,
    Backend,
    CannotAsk,
    NotThere,
    Outcome,
    Refused,
    Temporary,
    Unclear,
    Untranslatable,
    Wire,
)  # fmt: skip
from adapters.documents import DocumentTranslator
from adapters.file_drop.translate import MAX_MANIFEST, NAME, Manifest, Words, manifest_of, read_manifest, whole
from adapters.taking import Said, refused, take

PAGE = 200


class Found(NamedTuple):
    """A message of the platform that is whole, or why it never can be."""

    name: str
    manifest: Manifest | None
    document: bytes
    bad: Untranslatable | None


@dataclass(frozen=True)
class FileDrop:
    """``Channel`` and ``Inbox`` over one folder."""

    root: Path
    words: Words
    translator: DocumentTranslator
    can_ask: bool = True

    # --- ours to the platform ------------------------------------------------------------------------------------

    async def send(self, wire: Wire) -> Outcome:
        """Put the document down, then its marker; the same message twice is once."""
        return await asyncio.to_thread(self._send, wire)

    def _send(self, wire: Wire) -> Outcome:
        folder, marker = self.root / self.words.go, manifest_of(wire.operation, wire.body)
        if not folder.is_dir():
            return Temporary("folder not there", absent=True)
        if not NAME.fullmatch(wire.id):
            return Refused("id-form", "编号不能作文件名", "the id is no file name")
        try:
            before = self._left(wire.id)
            if before is not None:
                return Accepted() if before in (b"", marker) else Refused("id-taken", "编号已被占用", "the id is taken")
            self._put(folder / f"{wire.id}{self.words.document}", wire.body)
        except OSError as error:
            return Temporary(f"folder: {error.strerror}")
        try:
            self._put(folder / f"{wire.id}{self.words.marker}", marker)
            _flush(folder)
            self._put(self._sent(wire.id), marker)
        except OSError as error:
            return Unclear(f"folder: {error.strerror}")
        return Accepted()

    def _left(self, name: str) -> bytes | None:
        """The marker as we put it down; empty when only the platform's answer is there, None when nothing is."""
        folder = self.root / self.words.go
        for place in (folder / f"{name}{self.words.marker}", self._sent(name)):
            if place.is_file():
                return place.read_bytes()
        answers = [folder / f"{name}{suffix}" for suffix in (self.words.receipt, self.words.refusal)]
        return b"" if any(one.is_file() for one in answers) else None

    def _sent(self, name: str) -> Path:
        """Our own note that the message lay there whole: the platform may have taken it away since."""
        return self.root / self.words.go / ".sent" / name

    async def ask(self, out_id: str) -> Answer:
        """Whether our message lies there, lay there, or has been answered."""
        if not self.can_ask:
            return CannotAsk()
        try:
            left = await asyncio.to_thread(self._left, out_id)
        except OSError as error:
            return Temporary(f"folder: {error.strerror}")
        return NotThere() if left is None else Accepted()

    async def close(self) -> None:
        """Nothing is kept open."""

    # --- the platform's to us ------------------------------------------------------------------------------------

    @property
    def pause_ms(self) -> int:
        """How often files are looked for."""
        return self.words.poll_ms

    async def poll(self, door: Callable[[bytes], Backend]) -> int:
        """Take in what is whole, in the order of names; how many were dealt with. A folder that is away gives none."""
        waiting = set[str]()
        answers: list[tuple[str, Said]] = []
        try:
            for found in await asyncio.to_thread(self._look):
                said = await self._take(found, door, waiting)
                if said is not None:
                    answers.append((found.name, said))
            await asyncio.to_thread(self._answer, answers)
        except OSError:
            return 0  # looked for again: what is not answered is taken again, what is answered only moved away
        return len(answers)

    async def _take(self, found: Found, door: Callable[[bytes], Backend], waiting: set[str]) -> Said | None:
        """The answer; None while its case has to wait."""
        if found.manifest is None:
            return refused(self.translator, found.bad or Untranslatable("no-manifest", "没有清单", "no manifest"))
        return await take(self.translator, found.manifest.type, found.document, door(found.document), waiting)

    def _look(self) -> list[Found]:
        """Messages whose marker is there and whose answer is not; what was answered before a crash is moved away."""
        folder = self.root / self.words.come
        there = {one.name for one in folder.iterdir()}
        names = sorted(one.removesuffix(self.words.marker) for one in there if one.endswith(self.words.marker))
        found: list[Found] = []
        for name in names:
            if not NAME.fullmatch(name):
                continue
            answered = f"{name}{self.words.receipt}" in there or f"{name}{self.words.refusal}" in there
            if answered and not self._used(name):
                self._away(name)
            elif answered:
                taken = Untranslatable("name-taken", "文件名用过，内容不同", "the name was used for another message")
                found.append(Found(name, None, b"", taken))
            elif (one := self._found(name)) is not None:
                found.append(one)
            if len(found) == PAGE:
                break
        return found

    def _used(self, name: str) -> bool:
        """Whether an earlier, other message of this name has been dealt with: an old answer must not pass for the new one's."""
        folder = self.root / self.words.come
        marker = f"{name}{self.words.marker}"
        try:
            return _read(folder / self.words.done / marker, MAX_MANIFEST) != _read(folder / marker, MAX_MANIFEST)
        except (FileNotFoundError, Untranslatable):
            return False

    def _found(self, name: str) -> Found | None:
        """None while the document is not whole yet."""
        folder = self.root / self.words.come
        try:
            manifest = read_manifest(_read(folder / f"{name}{self.words.marker}", MAX_MANIFEST))
            if manifest.size > self.translator.max_bytes:
                raise Untranslatable("too-large", "文件过大", "the file is too large")
            document = _read(folder / f"{name}{self.words.document}", manifest.size)
            return Found(name, manifest, document, None) if whole(manifest, document) else None
        except FileNotFoundError:
            return None
        except Untranslatable as bad:
            return Found(name, None, b"", bad)

    def _answer(self, answers: list[tuple[str, Said]]) -> None:
        """All answers durable first, then the messages moved away."""
        folder = self.root / self.words.come
        for name, said in answers:
            self._put(folder / f"{name}{self.words.receipt if said.ok else self.words.refusal}", said.answer)
        _flush(folder)
        for name, _ in answers:
            self._away(name)

    def _away(self, name: str) -> None:
        """Marker first: without it the document is nobody's business any more."""
        folder = self.root / self.words.come
        away = folder / self.words.done
        away.mkdir(exist_ok=True)
        number = 0
        while (away / f"{name}{self.words.marker}{_numbered(number)}").exists():
            number += 1
        for suffix in (self.words.marker, self.words.document):
            try:
                (folder / f"{name}{suffix}").replace(away / f"{name}{suffix}{_numbered(number)}")
            except FileNotFoundError:
                continue

    def _put(self, place: Path, content: bytes) -> None:
        """Whole or not at all: temporary name, flushed, renamed."""
        place.parent.mkdir(exist_ok=True)
        part = place.with_name(f"{place.name}{self.words.temporary}")
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)


def _numbered(number: int) -> str:
    return f".{number}" if number else ""


def _flush(folder: Path) -> None:
    """What was renamed in it is durable from now on."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(place: Path, limit: int) -> bytes:
    """An ordinary file that is no link, one byte more than the limit at most. Raises Untranslatable for anything else."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError:
        raise Untranslatable("no-file", "不是普通文件", "no ordinary file") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Untranslatable("no-file", "不是普通文件", "no ordinary file")
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit + 1)
