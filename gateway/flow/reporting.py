"""Feeds a collector of case data (办件归集): every committed event of a case that we handle becomes one report, once.

How far each case has been reported is stored with the reports themselves in one transaction: a crash leaves both or neither,
and the next look goes on from there. A collector that is configured later finds nothing reported, and is told of all cases
that there are. Delivery is the outbox's, as for any platform.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

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
PAGE = 64


@dataclass
class Reporting:
    """Looks for new events for one collector. ``id``: the collector's; ``party``, ``name``: ours."""

    id: str
    collecting: Collecting
    journal: Journal
    vault: Vault
    party: str
    name: str
    new_id: Callable[[], str]
    wake: Callable[[str], None]
    _since_ms: int = field(default=0, init=False)

    async def run(self) -> None:
        """Now and then, for ever."""
        while True:
            try:
                while await self.feed() == PAGE:
                    pass
            except Refused as refused:
                log.warning("not reported yet", collector=self.id, code=refused.code)
            except Exception:
                log.exception("could not report", collector=self.id)  # what cannot be done now is done next time
            await asyncio.sleep(self.collecting.every_s)

    async def feed(self) -> int:
        """One page of cases that have gone on; how many."""
        found = behind(self.journal.read(), self.id, self._since_ms, PAGE)
        if found:
            commit = await self.journal.submit(*[self._report(case) for case, _ in found])
            for result in commit.results:
                if isinstance(result, BaseException):
                    raise result
            self.wake(f"platform:{self.id}")
            self._since_ms = found[-1][1]
        return len(found)

    def _report(self, case_id: str) -> Work[None]:
        def work(tx: Tx) -> None:
            case = casefile.load(tx, case_id)
            if case is None:
                raise Refused("TB-5001")
            key, done = self.vault.unwrap(case.wrapped_key), reported(tx, self.id, case_id)
            rows = tx.all("SELECT n, event FROM case_event WHERE case_id = ? AND n > ? ORDER BY n", case_id, done)
            for n, _ in (row for row in rows if row[1] in self.collecting.events):
                message = self.new_id()
                due = msgspec.msgpack.encode(Due(n, self.party, self.name))
                post.put(
                    tx, id=message, case_id=case_id, direction=post.REPORT, type=TYPE, act=act_of(self.id, n), leaf=None,
                    sealed=self.vault.seal(key, due, post.body_label(message)), seq=_next(tx, self.id),
                )  # fmt: skip
                post.queue(tx, message, f"platform:{self.id}", case_id)
            if rows:
                _reach(tx, self.id, case_id, rows[-1][0])

        return work


def behind(reader: Reader, collector: str, since_ms: int, limit: int) -> list[tuple[str, int]]:
    """Cases handled here that have gone on since they were last reported, with when; longest ago first."""
    return [
        (case, at_ms)
        for case, at_ms in reader.all(
            "SELECT c.id, c.updated_ms FROM case_file c LEFT JOIN reported r ON r.collector = ? AND r.case_id = c.id "
            "WHERE c.role = ? AND c.updated_ms >= ? AND c.events > coalesce(r.events, 0) ORDER BY c.updated_ms, c.id LIMIT ?",
            collector, Actor.HANDLING.value, since_ms, limit,
        )
    ]  # fmt: skip


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
