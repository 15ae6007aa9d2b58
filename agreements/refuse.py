"""The refusals of ``decide``: each a value with a stable code, the clause it rests on, and a sentence in two
languages."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from agreements.model import POWERS, USES, Agreement, CertificateLine, CertificateUse, Line
from schemas.fields import MODES

NEARNESS = (
    "unknown-division",
    "no-agreement-with-place",
    "agreement-not-in-force",
    "agreement-superseded",
    "item-not-in-agreement",
    "wrong-direction",
    "mode-not-agreed",
    "agreement-expired",
    "agreement-not-signed-by-both",
    "item-version-unknown",
    "power-exceeded",
    "purpose-not-agreed",
)
"""Every code of ``decide``, the least to the most nearly right: of several agreements the nearest one explains."""


class Refusal(msgspec.Struct, frozen=True):
    """No, and why. ``clause`` is ``""`` only where no agreement was found to cite."""

    code: str
    clause: str
    zh: str
    en: str

    @property
    def nearness(self) -> int:
        """How far the request came."""
        return NEARNESS.index(self.code)


class Refusals:
    """The refusals one agreement can give, with its own clauses."""

    def __init__(self, agreement: Agreement) -> None:
        self._agreement = agreement
        self._clauses = agreement.clauses
        self._zh = f"《{agreement.name}》第{agreement.version}版"
        self._en = f"agreement {agreement.id} version {agreement.version}"

    def _refusal(self, code: str, clause: str, zh: str, en: str) -> Refusal:
        return Refusal(code, f"{self._zh} {clause}", self._zh + zh, f"{self._en} {en}")

    def not_in_force(self) -> Refusal:
        """Its term has not begun."""
        day = self._agreement.in_force
        return self._refusal("agreement-not-in-force", self._clauses.term, f"自{day}起生效", f"is in force from {day}")

    def expired(self) -> Refusal:
        """Its term has ended."""
        day = self._agreement.expires
        return self._refusal("agreement-expired", self._clauses.term, f"已于{day}届满", f"expired on {day}")

    def superseded(self) -> Refusal:
        """A newer version is in force."""
        return self._refusal(
            "agreement-superseded", self._clauses.term, "已被新版本取代", "is superseded by a newer version"
        )

    def not_signed(self, signed_by: Iterable[str]) -> Refusal:
        """A party's signature is missing or not good."""
        signed = frozenset(signed_by)
        names = "、".join(party.name for party in self._agreement.parties if party.id not in signed)
        ids = ", ".join(party.id for party in self._agreement.parties if party.id not in signed)
        return self._refusal(
            "agreement-not-signed-by-both",
            self._clauses.signing,
            f"缺少有效签署：{names}",
            f"lacks a good signature of {ids}",
        )

    def item_version(self, known: Iterable[int]) -> Refusal:
        """The item is listed, in other versions."""
        versions = "、".join(map(str, known))
        return self._refusal(
            "item-version-unknown",
            self._clauses.items,
            f"事项清单只有版本{versions}",
            f"lists the item in versions {versions}",
        )

    def power(self, line: Line, act: str) -> Refusal:
        """The window would do more than the line gives it: with *collect* it never decides."""
        zh = f"只授予{POWERS[line.power]}，不含{POWERS[act]}"
        return self._refusal("power-exceeded", line.clause, zh, f"gives the power to {line.power}, not to {act}")

    def purpose(self, line: CertificateLine | None = None) -> Refusal:
        """The purpose is not one of those agreed, by the line itself where it names its own."""
        own = line is not None and line.purposes
        allowed = "、".join(line.purposes if line is not None and own else self._agreement.purposes)
        return self._refusal(
            "purpose-not-agreed",
            line.clause if line is not None and own else self._clauses.purposes,
            f"约定的用途只有：{allowed}",
            f"allows the purposes: {allowed}",
        )

    def not_sealed(self) -> Refusal:
        """Its parties agreed to send nothing that others on the way can read."""
        return self._refusal(
            "not-sealed", self._clauses.confidentiality, "要求端到端加密", "demands that contents are sealed end to end"
        )

    def certificate(self) -> Refusal:
        """No line lets this party use certificates of this type from that issuer."""
        clause = self._clauses.certificates or self._clauses.items
        return self._refusal(
            "certificate-not-agreed", clause, "未约定使用该类证照", "has no line for certificates of this type"
        )

    def use(self, line: CertificateLine, use: CertificateUse) -> Refusal:
        """The line covers the certificate, for other uses."""
        zh, en = USES[use]
        allowed_zh, allowed_en = ("、".join(USES[one][n] for one in line.uses) for n in (0, 1))
        return self._refusal(
            "use-not-agreed", line.clause, f"只约定了{allowed_zh}，不含{zh}", f"allows {allowed_en}, not {en}"
        )

    def uncovered(self, sender: str, division: str, item: str, mode: str) -> Refusal | None:
        """Why no line covers sender, place, item and mode; None if one does, or if sender or place is no party."""
        agreement = self._agreement
        there = {party.id for party in agreement.parties if party.division == division and party.id != sender}
        if agreement.party(sender) is None or not there:
            return None
        lines = [line for line in agreement.lines if item in line.items]
        if not lines:
            return self._refusal(
                "item-not-in-agreement", self._clauses.items, "的事项清单没有此事项", "does not list this item"
            )
        forward = [line for line in lines if _allows(line, sender, there)]
        if not forward:
            backward = any(_reverses(line, sender, there) for line in lines)
            if backward:
                return self._refusal(
                    "wrong-direction", self._clauses.direction, "只约定了相反方向", "allows the other direction only"
                )
            return self._refusal(
                "item-not-in-agreement",
                self._clauses.items,
                "未约定两地之间办理此事项",
                "has no line for this item here",
            )
        if any(line.mode == mode for line in forward):
            return None
        modes = "、".join(dict.fromkeys(MODES[line.mode] for line in forward))
        return self._refusal(
            "mode-not-agreed",
            self._clauses.mode,
            f"此事项约定的方式是：{modes}",
            f"allows this item by other modes than {mode}",
        )


def _reverses(line: Line, sender: str, there: set[str]) -> bool:
    return sender in line.handling and not there.isdisjoint(line.collecting)


def _allows(line: Line, sender: str, there: set[str]) -> bool:
    if sender in line.collecting and not there.isdisjoint(line.handling):
        return True
    return line.direction == "mutual" and _reverses(line, sender, there)
