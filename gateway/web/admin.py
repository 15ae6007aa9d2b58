"""The admin listener: health, readiness, figures. It never shares a port with partners or platforms (O11, P10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import generate_latest

from gateway.flow import shared
from gateway.ops import metrics
from gateway.store.journal import Journal


@dataclass(frozen=True)
class Admin:
    """Handlers of the admin listener."""

    journal: Journal
    party: str
    name: str
    now_ms: Callable[[], int]
    wake: Callable[[str], None]
    keys_answer: Callable[[], None]

    def routes(self) -> list[web.RouteDef]:
        """The listener's paths (contract)."""
        return [
            web.get("/healthz", self.health),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.figures),
            web.get("/admin/v1/overview", self.overview),
            web.post("/admin/v1/wake", self.wake_up),
        ]

    async def health(self, _: web.Request) -> web.Response:
        """The process answers."""
        return web.json_response({"ok": True})

    async def ready(self, _: web.Request) -> web.Response:
        """The store takes a commit and the keys answer: a gateway that can do neither must get no traffic."""
        await asyncio.to_thread(self.keys_answer)
        await self.journal.submit(lambda tx: tx.run("DELETE FROM nonce WHERE expires_ms < ?", tx.now_ms))
        return web.json_response({"ok": True, "party": self.party})

    async def figures(self, _: web.Request) -> web.Response:
        """Prometheus text."""
        self._gauge()
        return web.Response(
            body=generate_latest(metrics.REGISTRY), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    async def overview(self, _: web.Request) -> web.Response:
        """How many cases stand where, and what waits for whom."""
        reader = self.journal.read()
        return web.json_response(
            {
                "party": self.party,
                "name": self.name,
                "cases": dict(reader.all("SELECT state, count(*) FROM case_file GROUP BY state")),
                "deliveries": dict(reader.all("SELECT state, count(*) FROM delivery GROUP BY state")),
                "certificates": dict(zip(("uploads_avoided", "fields_filled"), shared.counters(reader), strict=True)),
                "ledger": self.journal.head.size,
            }
        )

    async def wake_up(self, request: web.Request) -> web.Response:
        """An operator's command has changed what is owed to a destination: its loop looks again now, not half a minute later."""
        self.wake(request.query.get("destination", ""))
        return web.json_response({"ok": True})

    def _gauge(self) -> None:
        reader = self.journal.read()
        metrics.COMMITS.set(self.journal.commits)
        metrics.WORKS.set(self.journal.works)
        metrics.LEDGER_SIZE.set(self.journal.head.size)
        avoided, filled = shared.counters(reader)
        metrics.UPLOADS_AVOIDED.set(avoided)
        metrics.FIELDS_FILLED.set(filled)
        metrics.OUTBOX.clear()
        for state, count in reader.all("SELECT state, count(*) FROM delivery GROUP BY state"):
            metrics.OUTBOX.labels(state).set(count)
        row = reader.one(
            "SELECT min(m.created_ms) FROM delivery d JOIN message m ON m.id = d.message "
            "WHERE d.state NOT IN ('delivered','refused','given_up')"
        )
        oldest = row[0] if row is not None and row[0] is not None else self.now_ms()
        metrics.OLDEST_SECONDS.set(max(0.0, (self.now_ms() - oldest) / 1000))
