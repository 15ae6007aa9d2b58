"""The agreements in force on this node, asked in the node's own words: route an application, judge one that comes in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from agreements.calendar import Calendars
from agreements.match import Book, Refusal, Request, Route, decide
from gateway.exchange.message import Header
from schemas.canonical import Application


@dataclass(frozen=True)
class Agreed:
    """The book, the calendars, and the parties we can reach."""

    party: str
    book: Book
    calendars: Calendars
    partners: frozenset[str]

    def route(self, application: Application, now_ms: int) -> Route | Refusal:
        """Where an application collected here goes, under which clause; or why it goes nowhere."""
        request = Request(
            sender=self.party, item=application.item, item_version=application.item_version, mode=application.mode,
            handling=application.handling, purpose=application.purpose,
        )  # fmt: skip
        decision = decide(request, self.book, _time(now_ms), self.calendars)
        if isinstance(decision, Route) and decision.handling not in self.partners:
            zh = "协议另一方的网关尚未登记为对端"
            return Refusal(
                "no-agreement-with-place", decision.clause, zh, "the other party's gateway is not registered"
            )
        return decision

    def judge(self, header: Header, application: Application, now_ms: int) -> Route | Refusal:
        """Whether its sender may hand this application to us under the agreement it names."""
        request = Request(
            sender=header.sender, item=application.item, item_version=application.item_version, mode=application.mode,
            handling=application.handling, purpose=application.purpose, agreement=header.agreement,
            version=header.agreement_version,
        )  # fmt: skip
        decision = decide(request, self.book, _time(now_ms), self.calendars)
        if isinstance(decision, Route) and decision.handling != self.party:
            zh = "申请的办理地不是本地"
            return Refusal("wrong-direction", decision.clause, zh, "the application is for another place")
        return decision


def _time(now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC)
