"""What waits for us in a platform's queue, taken in order: kept and acknowledged, or refused with its reason and parked.

A message that cannot be read or is refused goes into the queue of refused ones with the reason; one for which we are busy
stays where it is and comes again. Neither holds up its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adapters.base import Accepted, Backend, Problem, Untranslatable
from adapters.message_set.channel import QueueChannel, Taken
from schemas.errors import Invalid


@dataclass(frozen=True, slots=True)
class QueueInbox:
    """See ``adapters.base.Inbox``."""

    channel: QueueChannel

    @property
    def pause_ms(self) -> int:
        return self.channel.translator.words.poll_ms

    async def poll(self, door: Callable[[bytes], Backend]) -> int:
        done = [one.id for one in await self.channel.take() if await self._taken(one, door(one.body))]
        if done:
            await self.channel.acknowledge(done)
        return len(done)

    async def _taken(self, one: Taken, backend: Backend) -> bool:
        """Whether this message need not come again."""
        try:
            acts = self.channel.translator.acts(one.body, one.id)
        except (Untranslatable, Invalid) as bad:
            return await self._refuse(one.id, {"code": bad.code, "title": bad.zh, "path": bad.path})
        for act in acts:
            found = await backend.accept(act)
            if isinstance(found, Problem):
                return False if found.busy else await self._refuse(one.id, found.fields)
        return True

    async def _refuse(self, id_: str, told: dict[str, str]) -> bool:
        words = self.channel.translator.words
        document = self.channel.translator.refusal(id_, told)
        return isinstance(await self.channel.put(words.refused, id_, document), Accepted)
