"""Feeds a collector of case data (办件归集): every committed event of a case that we handle becomes one report, once.

How far each case has been reported is stored with the reports themselves in one transaction: a crash leaves both or neither,
and the next look goes on from there. A collector that is configured later finds nothing reported, and is told of all cases
that there are. Delivery is the outbox's, as for any platform.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import structlog

from adapters.registry import Collecting
from gateway.core.case import Actor
from gateway.flow import casefile, post
from gateway.flow.reports import TYPE, Due
from gateway.problems import Refused
from gateway.store.journal import Journal, Reader, Tx, Work
from gateway.store.vault import Vault

log = structlog.get_logger("reports")
LOOK, PAGE = 1000, 64  # cases looked at in one go, and reported in one transaction


@dataclass
class Reporting:
    """Looks for new events for one collector. ``id``: the collector's; ``party``, ``name``: ours; ``guests``: local platforms that
    are another party's (客方), which handles what they handle."""

    id: str
    collecting: Collecting
    journal: Journal
    vault: Vault
    party: str
    name: str
    guests: Mapping[str, str]
    new_id: Callable[[], str]
    wake: Callable[[str], None]
    _seen: tuple[int, str] = field(default=(0, ""), init=False)  # the case up to which all have been looked at
    _failed: list[str] = field(default_factory=list, init=False)

    async def run(self) -> None:
        """Now and then, for ever."""
        while True:
            pause_s = self.collecting.every_s
            try:
                if await self.feed():
                    pause_s = 0.0
            except Refused as refused:
                log.warning("not reported yet", collector=self.id, code=refused.code)
            except Exception:
                log.exception("could not report", collector=self.id)  # what cannot be done now is done next time
            await asyncio.sleep(pause_s)

    async def feed(self) -> bool:
        """Look at the cases that have changed since; whether there may be more. One that cannot be reported holds up no other."""
        looked = changed(self.journal.read(), self.id, self._seen, LOOK)
        owed = list(dict.fromkeys([*self._failed, *(one.case for one in looked if one.owed)]))
        failed: list[str] = []
        for start in range(0, len(owed), PAGE):
            page = owed[start : start + PAGE]
            commit = await self.journal.submit(*[self._report(case) for case in page])
            for case, result in zip(page, commit.results, strict=True):
                if not isinstance(result, BaseException):
                    continue
                failed.append(case)
                if case not in self._failed:  # said once, tried every time
                    log.error("a case cannot be reported", collector=self.id, case=case, cause=type(result).__name__)
        if owed:
            self.wake(f"platform:{self.id}")
        self._failed, more = failed, len(looked) == LOOK
        if looked:  # of those that changed in the last moment, one may still come
            self._seen = (looked[-1].at_ms, looked[-1].case if more else "")
        return more

    def _report(self, case_id: str) -> Work[None]:
        def work(tx: Tx) -> None:
            case = casefile.load(tx, case_id)
            if case is None:
                raise Refused("TB-5001")
            key, done = self.vault.unwrap(case.wrapped_key), reported(tx, self.id, case_id)
            rows = tx.all("SELECT n, event FROM case_event WHERE case_id = ? AND n > ? ORDER BY n", case_id, done)
            for n, _ in (row for row in rows if row[1] in self.collecting.events):
                message = self.new_id()
                due = msgspec.msgpack.encode(Due(n, self.guests.get(case.platform, self.party), self.name))
                post.put(
                    tx, id=message, case_id=case_id, direction=post.REPORT, type=TYPE, act=act_of(self.id, n), leaf=None,
                    sealed=self.vault.seal(key, due, post.body_label(message)), seq=_next(tx, self.id),
                )  # fmt: skip
                post.queue(tx, message, f"platform:{self.id}", case_id)
            if rows:
                _reach(tx, self.id, case_id, rows[-1][0])

        return work


class Changed(NamedTuple):
    """A case handled here, when it last changed, and whether an event of it has not been looked at for this collector."""

    case: str
    at_ms: int
    owed: bool


def changed(reader: Reader, collector: str, after: tuple[int, str], limit: int) -> list[Changed]:
    """Cases that have changed since, in the order in which they did."""
    rows = reader.all(
        "SELECT c.id, c.updated_ms, c.events > coalesce(r.events, 0) FROM case_file c "
        "LEFT JOIN reported r ON r.collector = ? AND r.case_id = c.id "
        "WHERE c.role = ? AND c.updated_ms >= ? AND (c.updated_ms > ? OR c.id > ?) ORDER BY c.updated_ms, c.id LIMIT ?",
        collector, Actor.HANDLING.value, after[0], after[0], after[1], limit,
    )  # fmt: skip
    return [Changed(case, at_ms, bool(owed)) for case, at_ms, owed in rows]


def reported(reader: Reader, collector: str, case_id: str) -> int:
    """The number of the last event of a case that has been looked at for this collector."""
    row = reader.one("SELECT events FROM reported WHERE collector = ? AND case_id = ?", collector, case_id)
    return 0 if row is None else int(row[0])


def act_of(collector: str, n: int) -> str:
    """What a report is of: the same for one that is sent again."""
    return f"{collector}#{n}"


def _next(tx: Tx, collector: str) -> int:
    """The collector's next running number: none is left out."""
    if not tx.run("UPDATE collector SET sequence = sequence + 1 WHERE id = ?", collector):
        tx.run("INSERT INTO collector (id, sequence) VALUES (?,1)", collector)
    row = tx.one("SELECT sequence FROM collector WHERE id = ?", collector)
    assert row is not None  # noqa: S101 - it was written just now
    return int(row[0])


def _reach(tx: Tx, collector: str, case_id: str, n: int) -> None:
    if not tx.run("UPDATE reported SET events = ? WHERE collector = ? AND case_id = ?", n, collector, case_id):
        tx.run("INSERT INTO reported (collector, case_id, events) VALUES (?,?,?)", collector, case_id, n)
