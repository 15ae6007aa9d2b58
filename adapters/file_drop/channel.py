"""The exchange of files (文件交换): files put down for the platform, files of the platform taken in, in one shared folder.

Taking a file in is: its marker is there, its bytes are those of the manifest, the gateway has it, its receipt is written,
and it is moved away. A crash at any point does the rest again; the gateway knows the act by its id. A file that is not yet
whole waits, one that never can be is refused beside itself, and neither holds up another.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import structlog

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
from adapters.file_drop.folder import REASONS, Content, Folder, NoFile, Place, Put, Read, Trouble, put
from adapters.file_drop.translate import (
    MAX_MANIFEST,
    NAME,
    Manifest,
    Words,
    manifest_of,
    read_manifest,
    unfinished,
    whole,
)  # fmt: skip
from adapters.taking import Cases, Said, each, refused, take
from adapters.together import Together
from signing.sm3 import sm3

AT_ONCE, PAGE, ROOM = 64, 200, 64 << 20
"""How many messages of ours share a flush, how many of theirs, and how many bytes, are in memory at once."""

TAKEN = Untranslatable("name-taken", "文件名用过，内容不同", "the name was used for another message")
log = structlog.get_logger("files")


@dataclass(frozen=True, slots=True)
class Found:
    """A message of the platform that is whole, or why it never can be. ``marks``: which files these were."""

    name: str
    marker: Content | None
    manifest: Manifest | None = None
    document: Content | None = None
    bad: Untranslatable | None = None
    spare: str = ""

    @property
    def marks(self) -> tuple[Hashable, Hashable]:
        return (self.marker and self.marker.mark, self.document and self.document.mark)


class Page(NamedTuple):
    """What a part of the folder's messages is: to be taken now, or answered before a crash and only to be moved away."""

    take: list[Found]
    away: list[Found]
    end: int


class FileDrop:
    """``Channel`` and ``Inbox`` over one folder. ``platform``: our name for it, for the log."""

    def __init__(
        self, platform: str, folder: Folder, words: Words, translator: DocumentTranslator, can_ask: bool = True
    ) -> None:
        self.platform, self.folder, self.words = platform, folder, words
        self.translator, self.can_ask = translator, can_ask
        self._trouble = ""
        self._sending = Together(self._send, AT_ONCE)

    # --- ours to the platform ------------------------------------------------------------------------------------

    async def send(self, wire: Wire) -> Outcome:
        """Put the document down, then its marker; the same message twice is once."""
        if not NAME.fullmatch(wire.id):
            return Refused("id-form", "编号不能作文件名", "the id is no file name")
        return await self._sending(wire)

    async def _send(self, wires: Sequence[Wire]) -> list[Outcome]:
        """Messages put down together; of two with one id the second finds what the first has left."""
        first = {wire.id: wire for wire in reversed(wires)}
        told = dict(zip(first, await self._put(list(first.values())), strict=True))
        later = [wire for wire in wires if first[wire.id] is not wire]
        twice = iter(await self._send(later)) if later else iter(())
        return [told[wire.id] if first[wire.id] is wire else next(twice) for wire in wires]

    async def _put(self, wires: list[Wire]) -> list[Outcome]:
        """Messages of different ids."""
        try:
            done = await self._known(wires)
            fresh = [number for number, outcome in enumerate(done) if outcome is None]
            stands = await put(self.folder, [self._files(wires[number]) for number in fresh])
        except Trouble as trouble:
            return [Temporary(trouble.reason, absent=trouble.absent) for _ in wires]
        outcomes = dict(zip(fresh, map(_outcome, stands), strict=True))
        return [before or outcomes[number] for number, before in enumerate(done)]

    def _files(self, wire: Wire) -> list[tuple[Place, bytes]]:
        """The document, its marker, and our own note that both lay there: the platform may take them away at once."""
        go, marker = self.words.go, manifest_of(wire.operation, wire.body)
        return [
            (Place(go, f"{wire.id}{self.words.document}"), wire.body),
            (Place(go, f"{wire.id}{self.words.marker}"), marker),
            (self._note(wire.id), marker),
        ]

    def _note(self, name: str) -> Place:
        return Place(f"{self.words.go}/.sent", name)

    async def _known(self, wires: Sequence[Wire]) -> list[Outcome | None]:
        """What is to be said of messages that lay there before; None for new ones."""
        known: list[Outcome | None] = []
        for wire, before in zip(wires, await self._left([wire.id for wire in wires]), strict=True):
            same = before in (b"", manifest_of(wire.operation, wire.body))
            told = Accepted() if same else Refused("id-taken", "编号已被占用", "the id is taken")
            known.append(None if before is None else told)
        return known

    async def _left(self, names: Sequence[str]) -> list[bytes | None]:
        """The markers as we put them down; empty where only the platform's answer is there, None where nothing is."""
        go, words = self.words.go, self.words
        ends = (words.marker, words.receipt, words.refusal)
        places = [place for name in names for place in (self._note(name), *(Place(go, f"{name}{end}") for end in ends))]
        found = await self.folder.read([(place, MAX_MANIFEST) for place in places])
        left: list[bytes | None] = []
        for at in range(0, len(found), 1 + len(ends)):
            note, marker, *answers = found[at : at + 1 + len(ends)]
            lay = next((one for one in (marker, note) if isinstance(one, Content)), None)
            left.append(lay.data if lay else b"" if any(answers) else None)
        return left

    async def ask(self, out_id: str) -> Answer:
        """Whether our message lies there, lay there, or has been answered."""
        if not self.can_ask:
            return CannotAsk()
        try:
            [left] = await self._left([out_id])
        except Trouble as trouble:
            return Temporary(trouble.reason, absent=trouble.absent)
        return NotThere() if left is None else Accepted()

    async def reach(self) -> tuple[str, str] | None:
        """Whether both folders can be looked into: None, or what is wrong, in Chinese and in English."""
        try:
            for folder in (self.words.come, self.words.go):
                await self.folder.names(folder)
        except Trouble as trouble:
            return REASONS.get(trouble.reason, trouble.reason), trouble.reason
        return None

    async def close(self) -> None:
        """Let go of the folder."""
        await self._sending.close()
        await self.folder.close()

    # --- the platform's to us ------------------------------------------------------------------------------------

    @property
    def pause_ms(self) -> int:
        """How often files are looked for."""
        return self.words.poll_ms

    async def poll(self, door: Callable[[bytes], Backend]) -> int:
        """Take in what is whole, in the order of names, up to a page of it; how many were dealt with. A folder that is away
        gives none, which is logged once."""
        try:
            done = await self._poll(door)
            trouble = ""
        except Trouble as found:  # what is not answered is taken again, what is answered only moved away
            done, trouble = 0, found.reason
        if trouble and trouble != self._trouble:
            log.warning("the shared folder cannot be used", platform=self.platform, reason=trouble)
        self._trouble = trouble
        return done

    async def _poll(self, door: Callable[[bytes], Backend]) -> int:
        there = await self.folder.names(self.words.come)
        ends = [one.removesuffix(self.words.marker) for one in there if one.endswith(self.words.marker)]
        names = sorted(filter(NAME.fullmatch, ends))
        done, at, cases = 0, 0, Cases()
        while at < len(names) and not done:  # messages that wait hold up none of the pages behind
            page = await self._page(names[at : at + PAGE], there)
            await self._away(page.away)
            said = await each(page.take, lambda found: self._take(found, door, cases))
            answers = [(found, answer) for found, answer in zip(page.take, said, strict=True) if answer is not None]
            done = await self._answer(answers)
            at += page.end
        return done

    async def _take(self, found: Found, door: Callable[[bytes], Backend], cases: Cases) -> Said | None:
        """The answer; None while its case has to wait."""
        if found.manifest is None or found.document is None:
            return refused(self.translator, found.bad or Untranslatable("no-manifest", "没有清单", "no manifest"))
        document = found.document.data
        return await take(self.translator, found.manifest.type, document, door(document), cases)

    async def _page(self, names: Sequence[str], there: set[str]) -> Page:
        """Messages whose marker is there, up to as many bytes as there is room for."""
        come, words = self.words.come, self.words
        markers = [(Place(come, f"{name}{words.marker}"), MAX_MANIFEST) for name in names]
        earlier = [(Place(f"{come}/{words.done}", f"{name}{words.marker}"), MAX_MANIFEST) for name in names]
        read = await self.folder.read(markers + earlier)
        away: list[Found] = []
        take: list[Found] = []
        room = ROOM
        for end, (name, marker, kept) in enumerate(zip(names, read, read[len(names) :], strict=False)):
            found = self._marked(name, marker, kept)
            answered = f"{name}{words.receipt}" in there or f"{name}{words.refusal}" in there
            if found is None:
                continue
            if answered:  # by an earlier message of this name, or by us before a crash
                (take if found.spare else away).append(
                    replace(found, manifest=None, bad=TAKEN if found.spare else None)
                )
                continue
            room -= found.manifest.size if found.manifest else 0
            if room < 0 and take:
                return Page(await self._whole(take), away, end)
            take.append(found)
        return Page(await self._whole(take), away, len(names))

    def _marked(self, name: str, marker: Read, kept: Read) -> Found | None:
        """What a marker says; None while it is not whole yet."""
        spare = _spare(marker, kept)
        if marker is None or (isinstance(marker, Content) and unfinished(marker.data)):
            return None
        if isinstance(marker, NoFile):
            return Found(name, None, bad=Untranslatable(*marker))
        try:
            manifest = read_manifest(marker.data)
            if manifest.size > self.translator.max_bytes:
                raise Untranslatable("too-large", "文件过大", "the file is too large")
        except Untranslatable as bad:
            return Found(name, marker, bad=bad, spare=spare)
        return Found(name, marker, manifest, spare=spare)

    async def _whole(self, marked: Sequence[Found]) -> list[Found]:
        """The same with their documents, less those that are not whole yet."""
        good = [(one, one.manifest) for one in marked if one.manifest is not None]
        places = [(Place(self.words.come, f"{one.name}{self.words.document}"), manifest.size) for one, manifest in good]
        documents = dict(zip([one.name for one, _ in good], await self.folder.read(places), strict=True))
        whole_ones = [one if one.manifest is None else _with(one, documents[one.name]) for one in marked]
        return [one for one in whole_ones if one is not None]

    async def _answer(self, said: Sequence[tuple[Found, Said]]) -> int:
        """All answers durable first, then the messages moved away; how many are dealt with."""
        words = self.words
        files = [[(Place(words.come, f"{found.name}{words.receipt if answer.ok else words.refusal}"), answer.answer)]
                 for found, answer in said]  # fmt: skip
        stands = await put(self.folder, files)
        return await self._away([found for (found, _), one in zip(said, stands, strict=True) if one.done])

    async def _away(self, found: Sequence[Found]) -> int:
        """How many went. The marker goes last: while it and the answer are there, what is left is moved the next time. Where
        what was moved is not what was answered (a new message under the old name meanwhile), the new one is refused."""
        come, words = self.words.come, self.words
        slipped, went = set[str](), 0
        for which, suffix in ((1, words.document), (0, words.marker)):
            pairs = [
                (Place(come, f"{one.name}{suffix}"), Place(f"{come}/{words.done}", f"{one.name}{suffix}{one.spare}"))
                for one in found
            ]
            moved = await self.folder.move(pairs) if pairs else []
            went = sum(mark is not None for mark in moved)
            slipped |= {one.name for one, mark in zip(found, moved, strict=True) if None not in (mark, one.marks[which])
                        and mark != one.marks[which]}  # fmt: skip
        answer = refused(self.translator, TAKEN).answer
        await put(self.folder, [[(Place(come, f"{name}{words.refusal}"), answer)] for name in sorted(slipped)])
        return went


def _spare(marker: Read, kept: Read) -> str:
    """What tells a message among the old ones from an earlier one of its name; "" where there is no other."""
    if isinstance(marker, Content) and isinstance(kept, Content) and marker.data != kept.data:
        return f".{sm3(marker.data).hex()[:16]}"
    return ""


def _with(marked: Found, document: Read) -> Found | None:
    """The message with its document; None while that is not whole."""
    if document is None or marked.manifest is None:
        return None
    if isinstance(document, NoFile):
        return replace(marked, manifest=None, bad=Untranslatable(*document))
    try:
        return replace(marked, document=document) if whole(marked.manifest, document.data) else None
    except Untranslatable as bad:
        return replace(marked, manifest=None, bad=bad)


def _outcome(stands: Put) -> Outcome:
    """The document alone is nothing; with its marker the platform may have it."""
    if stands.done >= 2:
        return Accepted()
    return Unclear(stands.why) if stands.done == 1 and stands.torn else Temporary(stands.why)
