"""What a chain is judged from, and how its parts are made, also such as no authority would make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from signing import certs, issue, names
from signing.certs import Certificate, Extension
from signing.crl import RevocationList
from signing.crl import parse as parse_crl
from signing.issue import Authority, Revoked, build_crl
from signing.ocsp import Answer
from signing.path import PathReport, check_path
from signing.policy import PathPolicy
from tests import pki
from tests.pki import BORN, DAY

SIGN = PathPolicy(usage="sign", revocation="if-present")
REQUIRE = PathPolicy(usage="sign", revocation="require")
HOUR = timedelta(hours=1)


@dataclass
class Case:
    leaf: Certificate
    middle: Sequence[Certificate] = ()
    anchors: Sequence[Certificate] = ()
    at: datetime = DAY
    crls: Sequence[RevocationList] = ()
    statuses: Sequence[Answer] = ()
    policy: PathPolicy = SIGN
    now: datetime | None = None
    responses: Sequence[bytes] = ()  # of ``statuses``, as received

    def judge(self) -> PathReport:
        anchors = self.anchors or [pki.root().certificate]
        return check_path(
            self.leaf, self.middle, anchors, self.at, pki.PROVIDER, crls=self.crls, statuses=self.statuses,
            policy=self.policy, now=self.now,
        )  # fmt: skip


def crl(by: Authority | None = None, *revoked: Revoked, start: datetime = BORN, days: int = 365) -> RevocationList:
    until = start + timedelta(days=days)
    return parse_crl(build_crl(by or pki.root(), number=1, this_update=start, next_update=until, revoked=revoked))


def under(middle: Certificate | bytes, key: str, name: str = "end") -> Case:
    """A leaf below a hand-made certificate of ``key``."""
    issuer = certs.parse(middle) if isinstance(middle, bytes) else middle
    return Case(pki.leaf(name, by=Authority(pki.signer(key), issuer)), [issuer])


def hand_made_ca(key: str, *items: Extension, version: bytes | None = None) -> Certificate:
    parts: dict[str, object] = {"spki": issue.keys.spki(pki.signer(key).public)}
    parts["subject"] = names.encode(pki.subject(key))
    parts["extensions"] = pki.extensions(*items) if items else None
    if version is not None:
        parts["version"] = version
    return pki.certificate(**parts)


# (name with the row of the attack catalogue, code that must be among the reasons or "" for a good chain, what is judged)
Row = tuple[str, str, Callable[[], Case]]
