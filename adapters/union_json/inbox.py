"""What waits for us at a platform that is asked (获取与回执): fetched, taken, and marked once as fetched.

The lists of all calls are one queue, in the order of the entries' own times where the profile names them. An entry that
cannot be read or is refused is marked so with its reason; one whose files or whose case must wait stays unmarked and comes
again. Neither holds up its neighbours. A mark that was taken is not made again, whatever the list goes on showing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from adapters.base import Accepted, Backend, Interrupted, Problem, Untranslatable
from adapters.rules import reader
from adapters.transport import Reply
from adapters.union_json import answers
from adapters.union_json.attachments import Collector
from adapters.union_json.channel import UnionChannel
from adapters.union_json.page import apart, loose
from adapters.union_json.words import Fetch, Mark
from schemas.errors import Invalid
from schemas.strict import strict_json

REMEMBERED: Final = 10_000
PAGE_BYTES: Final = 4 << 20


class Entry(NamedTuple):
    """One entry of a list, as its bytes stand there. ``id`` is "" where it has none that could be marked."""

    fetch: Fetch
    id: str
    raw: bytes
    order: str


class Told(NamedTuple):
    """What the platform is to hear of an entry: a reason where it was refused."""

    ok: bool
    reason: str = ""


@dataclass(frozen=True)
class UnionInbox:
    """See ``adapters.base.Inbox``. ``marked``: entries whose mark was taken; ``tried``: how often files did not come."""

    channel: UnionChannel
    collector: Collector
    marked: dict[tuple[str, str], None] = field(default_factory=dict)
    tried: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def pause_ms(self) -> int:
        return self.channel.translator.words.poll_ms

    async def poll(self, door: Callable[[bytes], Backend]) -> int:
        waiting: set[str] = set()
        seen: set[tuple[str, str]] = set()
        entries = [entry for fetch in self.channel.translator.words.fetch for entry in await self._page(fetch)]
        done = 0
        for entry in sorted(entries, key=lambda one: one.order):
            name = (entry.fetch.call, entry.id)
            if not entry.id or name in seen or name in self.marked:
                continue
            seen.add(name)
            told = await self._take(entry, door, waiting)
            if told is not None and await self._mark(entry, told):
                _remember(self.marked, name, None)
                self.tried.pop(name, None)
                done += 1
        return done

    # --- lists -------------------------------------------------------------------------------------------------------

    async def _page(self, fetch: Fetch) -> list[Entry]:
        """What a list holds; nothing where it cannot be had whole."""
        reply = await self.channel.call(fetch.call, fetch.ask, PAGE_BYTES)
        if not isinstance(reply, Reply):
            return []
        page = apart(reply.body, fetch.list)
        if page is None:
            return []
        found = answers.opened(self.channel.form, Reply(reply.status, reply.content_type, page.head), PAGE_BYTES)
        if not isinstance(found, tuple) or found[0] not in self.channel.form.ok:
            return []
        return [_entry(fetch, raw) for raw in page.entries]

    # --- one entry ---------------------------------------------------------------------------------------------------

    async def _take(self, entry: Entry, door: Callable[[bytes], Backend], waiting: set[str]) -> Told | None:
        """What to tell of it; None while it waits."""
        translator = self.channel.translator
        try:
            call = translator.as_call(entry.raw)
            message = translator.call(call)
            name, operation = f"{entry.fetch.call} {entry.id}", entry.fetch.operation
            files = await self.collector.collect(name, operation, message, door(call))
            if isinstance(files, Problem):
                return self._refused(entry, files)
            acts = translator.profile.acts(operation, translator.with_files(message, files))
        except Interrupted as cut:
            return self._not_yet(entry, cut)
        except (Untranslatable, Invalid) as bad:
            return self._over(entry, Told(False, f"{bad.code} {bad.path} {bad.zh}".strip()))
        backend = door(translator.kept(call, files))
        for act in acts:
            if act.case in waiting:
                return None
            found = await backend.accept(act)
            if isinstance(found, Problem):
                if found.busy:
                    waiting.add(act.case)
                return self._refused(entry, found)
        return self._over(entry, Told(True))

    def _over(self, entry: Entry, told: Told) -> Told:
        self.collector.done(f"{entry.fetch.call} {entry.id}")
        return told

    def _refused(self, entry: Entry, problem: Problem) -> Told | None:
        if problem.busy:
            return None
        fields = problem.fields
        return self._over(
            entry, Told(False, f"{fields.get('code', '')} {fields.get('detail') or fields.get('title', '')}")
        )

    def _not_yet(self, entry: Entry, cut: Interrupted) -> Told | None:
        """Its files are tried again at the next poll, and not for ever."""
        name = (entry.fetch.call, entry.id)
        _remember(self.tried, name, self.tried.get(name, 0) + (not cut.coming))
        if self.tried[name] < self.channel.translator.words.tries:
            return None
        return self._over(entry, Told(False, f"material-missing {cut.zh}"))

    async def _mark(self, entry: Entry, told: Told) -> bool:
        """Whether they have our mark. One that may be lost is made again when the entry comes again."""
        mark: Mark | None = self.channel.translator.words.mark
        assert mark is not None  # noqa: S101 - words with fetch have it
        params = {mark.id: entry.id, mark.state: mark.ok if told.ok else mark.refused}
        if mark.kind:
            params[mark.kind] = entry.fetch.call
        if not told.ok:
            params[mark.reason] = told.reason[:200]
        reply = await self.channel.call(mark.call, params)
        return isinstance(reply, Reply) and isinstance(
            answers.judge(self.channel.form, reply, self.channel.max_answer), Accepted
        )


def _remember(kept: dict[tuple[str, str], Any], name: tuple[str, str], value: Any) -> None:
    kept[name] = value
    while len(kept) > REMEMBERED:
        kept.pop(next(iter(kept)))


def _entry(fetch: Fetch, raw: bytes) -> Entry:
    """Its id and its time, as far as they can be read."""
    try:
        value = strict_json(raw, max_bytes=PAGE_BYTES)
    except Invalid:
        return Entry(fetch, loose(raw, fetch.id), raw, "")
    id_, order = (reader(place)(value, value) if place else "" for place in (fetch.id, fetch.order))
    good = type(id_) is str and 0 < len(id_) <= 128 and id_.isprintable()
    return Entry(fetch, id_ if good else "", raw, order if type(order) is str else "")
