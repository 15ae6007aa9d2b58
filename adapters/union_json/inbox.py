"""What waits for us at a platform that is asked (获取与回执): fetched, taken, and marked once as fetched.

An entry that cannot be read or is refused is marked so with its reason; one whose files, whose case or whose predecessor must
come first stays unmarked and comes again. Of a case that waits, what is younger waits with it; other cases go on. A mark that
was taken is not made again, whatever the list goes on showing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from adapters.base import Accepted, Act, Backend, Interrupted, Problem, Untranslatable
from adapters.rules import reader
from adapters.transport import Reply
from adapters.union_json import answers
from adapters.union_json.attachments import Collector
from adapters.union_json.channel import UnionChannel
from adapters.union_json.lists import Entry, waiting
from schemas.errors import Invalid

REMEMBERED: Final = 10_000
NO_SUCH_CASE: Final = "TB-5001"
Key = tuple[str, str]


class Told(NamedTuple):
    """What the platform is to hear of an entry: a reason where it was refused."""

    ok: bool
    reason: str = ""


@dataclass(frozen=True)
class UnionInbox:
    """See ``adapters.base.Inbox``. ``marked``: entries whose mark was taken; ``tried``: how often one had to wait for what did
    not come."""

    channel: UnionChannel
    collector: Collector
    marked: dict[Key, None] = field(default_factory=dict)
    tried: dict[Key, int] = field(default_factory=dict)

    @property
    def pause_ms(self) -> int:
        return self.channel.translator.words.poll_ms

    async def poll(self, door: Callable[[bytes], Backend]) -> int:
        done, held = 0, set[str]()
        for entry in await waiting(self.channel):
            if entry.key in self.marked:
                continue
            told = await self._take(entry, door, held)
            if told is None:
                continue
            self.collector.done(entry.name)
            if await self._mark(entry, told):
                _remember(self.marked, entry.key, None)
                self.tried.pop(entry.key, None)
                done += 1
        return done

    # --- one entry ---------------------------------------------------------------------------------------------------

    async def _take(self, entry: Entry, door: Callable[[bytes], Backend], held: set[str]) -> Told | None:
        """What to tell of it; None while it waits, and then its case is held."""
        translator, operation, case = self.channel.translator, entry.fetch.operation, ""
        try:
            call = translator.as_call(entry.raw)
            message = translator.call(call)
            place = translator.profile.text.operations[operation].case
            case = str(reader(place)(message, message))
            if case in held:
                return None
            files = await self.collector.collect(entry.name, operation, message, door(call))
            if isinstance(files, Problem):
                told = self._of_problem(entry, files)
            else:
                acts = translator.profile.acts(operation, translator.with_files(message, files))
                told = await self._accept(entry, acts, door(translator.kept(call, files)))
        except Interrupted as cut:
            told = self._again(entry, cut.coming, f"material-missing {cut.zh}")
        except (Untranslatable, Invalid) as bad:
            return Told(False, f"{bad.code} {bad.path} {bad.zh}".strip())
        if told is None:
            held.add(case)
        return told

    async def _accept(self, entry: Entry, acts: tuple[Act, ...], backend: Backend) -> Told | None:
        for act in acts:
            found = await backend.accept(act)
            if isinstance(found, Problem):
                return self._of_problem(entry, found)
        return Told(True)

    def _of_problem(self, entry: Entry, problem: Problem) -> Told | None:
        """A refusal, or None where it may come again. A case that is not known yet may still be under way."""
        fields = problem.fields
        reason = f"{fields.get('code', '')} {fields.get('detail') or fields.get('title', '')}".strip()
        if fields.get("code") == NO_SUCH_CASE:
            return self._again(entry, False, reason)
        return None if problem.busy else Told(False, reason)

    def _again(self, entry: Entry, on_its_way: bool, reason: str) -> Told | None:
        """It is tried at the next poll, and where nothing moves not for ever."""
        count = self.tried.get(entry.key, 0) + (not on_its_way)
        _remember(self.tried, entry.key, count)
        return None if count < self.channel.translator.words.tries else Told(False, reason)

    async def _mark(self, entry: Entry, told: Told) -> bool:
        """Whether they have our mark. One that may be lost is made again when the entry comes again."""
        mark = self.channel.translator.words.mark
        assert mark is not None  # noqa: S101 - words with fetch have it
        call, id_ = entry.key
        params = {mark.id: id_, mark.state: mark.ok if told.ok else mark.refused}
        if mark.kind:
            params[mark.kind] = call
        if not told.ok:
            params[mark.reason] = told.reason[:200]
        reply = await self.channel.call(mark.call, params)
        said = answers.judge(self.channel.form, reply, self.channel.max_answer) if isinstance(reply, Reply) else None
        return isinstance(said, Accepted)


def _remember(kept: dict[Key, Any], key: Key, value: Any) -> None:
    kept[key] = value
    while len(kept) > REMEMBERED:
        kept.pop(next(iter(kept)))
