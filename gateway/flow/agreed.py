"""The agreements in force on this node, asked in the node's own words: route an application, judge one that comes in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from agreements.calendar import Calendars
from agreements.match import Book, Refusal, Request, Route, decide
from agreements.model import CertificateUse
from agreements.release import Release, ReleaseRequest, decide_release
from gateway.exchange.message import Header
from schemas.canonical import Application

IN_FLIGHT_MS = 30 * 86_400_000  # how long a message may have been on its way (as long as ``expires`` allows by default)


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

    def not_sealed(self, agreement: str, version: int) -> Refusal | None:
        """Why a message under this agreement may not come unsealed; None if it may."""
        return self.book.not_sealed(agreement, version)

    def seals(self, agreement: str, version: int) -> bool:
        """Whether what we send under it is sealed: also where this node no longer holds the version, to be on the safe side."""
        return self.book.version(agreement, version) is None or self.not_sealed(agreement, version) is not None

    def judge(self, header: Header, application: Application, now_ms: int) -> Route | Refusal:
        """Whether its sender may hand this application to us under the agreement it names.

        A new version that came into force while the application was on its way does not turn it back: it is judged by
        the day on which it was sent, and ends under the version it was collected under.
        """
        request = Request(
            sender=header.sender, item=application.item, item_version=application.item_version, mode=application.mode,
            handling=application.handling, purpose=application.purpose, agreement=header.agreement,
            version=header.agreement_version,
        )  # fmt: skip
        decision = decide(request, self.book, _time(now_ms), self.calendars)
        if _overtaken(decision) and now_ms - IN_FLIGHT_MS <= header.created <= now_ms:
            decision = decide(request, self.book, _time(header.created), self.calendars)
        if isinstance(decision, Route) and decision.handling != self.party:
            zh = "申请的办理地不是本地"
            return Refusal("wrong-direction", decision.clause, zh, "the application is for another place")
        return decision

    def fills(self, item: str, type_code: str) -> dict[str, str]:
        """Form field -> field of the certificate's face that fills it, for an item and a type of certificate, as the newest
        list that says so has it."""
        for held in sorted(self.book.held, key=lambda one: one.agreement.version, reverse=True):
            for one in held.agreement.items:
                for material in one.materials if one.code == item else ():
                    if material.certificate_type == type_code and material.fills:
                        return material.fills
        return {}

    def release(
        self, to: str, type_code: str, purpose: str, at: datetime, use: CertificateUse = "scan"
    ) -> Release | Refusal:
        """What a partner who scans a certificate of ours, or uses it otherwise, may see of it."""
        return decide_release(ReleaseRequest(self.party, to, type_code, use, purpose), self.book, at)

    def may_scan(self, issuer: str, purpose: str, at: datetime) -> Release | Refusal:
        """Under which agreement we may ask an issuer about a code: its line for some type of certificate, for which one only
        the issuer knows."""
        lines = [line for held in self.book.held for line in held.agreement.certificates]
        types = {line.types[0] for line in lines if issuer in line.issuers and self.party in line.to}
        said = [
            decide_release(ReleaseRequest(issuer, self.party, one, "scan", purpose), self.book, at)
            for one in sorted(types)
        ]
        granted = next((one for one in said if isinstance(one, Release)), None)
        if granted is not None and issuer in self.partners:
            return granted
        refused = [one for one in said if isinstance(one, Refusal)]
        zh, en = "与颁发方之间没有可以扫码查验的通办协议", "no agreement under which its certificates may be scanned"
        return refused[-1] if refused and granted is None else Refusal("no-agreement-with-place", "", zh, en)


def _overtaken(decision: Route | Refusal) -> bool:
    return isinstance(decision, Refusal) and decision.code == "agreement-superseded"


def _time(now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC)
