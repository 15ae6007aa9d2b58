"""Terms that run out by themselves (时限届满): no acceptance notice in time means that the case is accepted (视为受理).

Only the handling side's gateway raises this, once the notify clock of the agreement that the case was collected under
has run out by that place's calendar (行政许可法 32). The other side hears of it as it hears of any acceptance. A day that
the calendar only estimates settles nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from agreements.calendar import Calendars, china_date
from agreements.match import Book
from gateway.core import case as machine
from gateway.core.clocks import Clock
from gateway.flow import casefile, post, why
from gateway.flow.casefile import CaseFile
from gateway.store.journal import Journal, Tx, Work
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import Acceptance

log = structlog.get_logger("lapses")
EVERY_S = 60.0
OFFICER = "时限届满，系统记载"


@dataclass(frozen=True)
class Lapses:
    """Looks at the clocks of cases that wait for their acceptance here. ``unit``: our place's name."""

    unit: str
    division: str
    journal: Journal
    vault: Vault
    book: Book
    calendars: Calendars
    new_id: Callable[[], str]
    now_ms: Callable[[], int]
    wake: Callable[[str], None]

    async def run(self) -> None:
        """Look now and then, for ever."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception(
                    "could not look at the clocks"
                )  # a store that is full today must not stop the clocks for ever
            await asyncio.sleep(EVERY_S)

    async def look(self) -> int:
        """Settle every term that has run out; how many."""
        waiting = self.journal.read().all(
            "SELECT id FROM case_file WHERE role = 'handling' AND state = ?", machine.State.RECEIVED_THERE.value
        )
        lapsed = [
            case for (id_,) in waiting if (case := casefile.load(self.journal.read(), id_)) and self._lapsed(case)
        ]
        if not lapsed:
            return 0
        commit = await self.journal.submit(*[self._deem(case.id) for case in lapsed])
        for case in lapsed:
            self.wake(f"peer:{case.counterpart}")
        settled = sum(result is True for result in commit.results)
        log.warning("acceptance overdue: deemed accepted", size=settled)
        return settled

    def _lapsed(self, case: CaseFile) -> bool:
        held = self.book.version(case.agreement, case.agreement_version)
        if held is None:
            return False
        calendar = self.calendars.of(self.division)
        told = why.explain(self.journal.read(), case, held.agreement, calendar, lambda _: None, self.now_ms())
        running, today = told.running, china_date(datetime.fromtimestamp(self.now_ms() / 1000, UTC))
        if running is None or running.clock is not Clock.NOTIFY or running.estimated:
            return False
        return today > running.due

    def _deem(self, case_id: str) -> Work[bool]:
        at = datetime.fromtimestamp(self.now_ms() // 1000, UTC)

        def work(tx: Tx) -> bool:
            case = casefile.load(tx, case_id)
            if case is None or case.state != machine.State.RECEIVED_THERE.value:
                return False  # the department was quicker, in this very group
            message = self.new_id()
            body = codec.encode(Acceptance("deemed_accepted", f"SW-{message}", self.unit, OFFICER, at))
            casefile.move(tx, case, machine.Event.DEEM_ACCEPTED, machine.Actor.CLOCK, message, tx.now_ms)
            key = self.vault.unwrap(case.wrapped_key)
            post.put(
                tx, id=message, case_id=case.id, direction=post.OUT, type="acceptance", act=message, leaf=None,
                sealed=self.vault.seal(key, body, post.body_label(message)),
            )  # fmt: skip
            post.queue(tx, message, f"peer:{case.counterpart}", case.id)
            return True

        return work
