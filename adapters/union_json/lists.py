"""What waits in a platform's lists (待取清单), all of them together in the order of their own times.

A case's acts stand in several lists. Were one of them not there, or cut off at its page, an act could be taken before the one it
rests on: so nothing is taken while a list does not come whole, and nothing that is younger than what a full page may still hide.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from adapters.rules import reader
from adapters.transport import Reply
from adapters.union_json import answers
from adapters.union_json.channel import UnionChannel
from adapters.union_json.page import apart, loose
from adapters.union_json.words import Fetch
from schemas.errors import Invalid
from schemas.strict import strict_json

PAGE_BYTES: Final = 4 << 20


class Entry(NamedTuple):
    """One entry, as its bytes stand there. ``key``: the call and its id, which is "" where it has none that could be marked."""

    fetch: Fetch
    key: tuple[str, str]
    raw: bytes
    order: str

    @property
    def name(self) -> str:
        """For what is remembered of it."""
        return " ".join(self.key)


async def waiting(channel: UnionChannel) -> list[Entry]:
    """Every entry once, the oldest first; none where a list cannot be had whole."""
    found: dict[tuple[str, str], Entry] = {}
    until: str | None = None
    for fetch in channel.translator.words.fetch:
        page = await _page(channel, fetch)
        if page is None:
            return []
        if fetch.full and len(page) >= fetch.full:
            youngest = max(one.order for one in page)
            until = youngest if until is None else min(until, youngest)
        for entry in page:
            if entry.key[1]:
                found.setdefault(entry.key, entry)
    ready = (one for one in found.values() if until is None or one.order <= until)
    return sorted(ready, key=lambda one: one.order)


async def _page(channel: UnionChannel, fetch: Fetch) -> list[Entry] | None:
    reply = await channel.call(fetch.call, fetch.ask, PAGE_BYTES)
    page = apart(reply.body, fetch.list) if isinstance(reply, Reply) else None
    if not isinstance(reply, Reply) or page is None:
        return None
    found = answers.opened(channel.form, Reply(reply.status, reply.content_type, page.head), PAGE_BYTES)
    if not isinstance(found, tuple) or found[0] not in channel.form.ok:
        return None
    return [_entry(fetch, raw) for raw in page.entries]


def _entry(fetch: Fetch, raw: bytes) -> Entry:
    """Its id and its time, as far as they can be read."""
    try:
        value = strict_json(raw, max_bytes=PAGE_BYTES)
    except Invalid:
        return Entry(fetch, (fetch.call, loose(raw, fetch.id)), raw, "")
    id_, order = (reader(place)(value, value) if place else "" for place in (fetch.id, fetch.order))
    good = id_ if type(id_) is str and 0 < len(id_) <= 128 and id_.isprintable() else ""
    return Entry(fetch, (fetch.call, good), raw, order if type(order) is str else "")
