"""Stamps verified with all their checks, per second of one core, beside two verifications of ``openssl speed sm2``.

A stamp carries two signatures, its own and its seal's; each has a certificate whose chain has to hold. Warm: anchors, signers
and lists have been met before, the stamps themselves have not.
"""

from __future__ import annotations

import itertools
import resource
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from signing import certs, crl, issue
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.policy import CRL_IF_PRESENT, STRICT, SealPolicy
from signing.providers import open_provider
from signing.seal_build import build_seal, build_stamp, build_stamp_tbs
from signing.seal_picture import round_seal
from signing.sm2 import Signer
from signing.sm3 import sm3
from signing.verify import verify_seal, verify_stamp
from tests.bench import openssl_speed
from tests.bench.measure import Figures, note, turns
from tests.bench.procs import pin
from tests.bench.sign import repeat

STAMPS, UNITS, REVOKED = 256, 64, 1000
PROVIDER = open_provider()
NOW = datetime.now(UTC).replace(microsecond=0)
BORN, DIES = NOW - timedelta(days=30), NOW + timedelta(days=300)
PICTURE = round_seal("样章")


@dataclass(frozen=True)
class Unit:
    """A unit with its seal and the key that stamps."""

    seal: bytes
    certificate: bytes
    signer: Signer

    def stamp(self, number: int) -> tuple[bytes, bytes]:
        """A stamp over a document of its own, and the document's digest."""
        digest = sm3(number.to_bytes(8, "big"))
        tbs = build_stamp_tbs(self.seal, at=NOW, data_hash=digest, property_info="/Doc_0/Signs/Sign_0/Signature.xml")
        return build_stamp(tbs, self.certificate, self.signer.sign(tbs)), digest


class City:
    """A root, a seal maker, and units."""

    def __init__(self) -> None:
        root = Signer(PROVIDER, PROVIDER.generate())
        der = issue.build_root(root, subject=(("CN", "root"),), serial=1, not_before=BORN, not_after=DIES)
        self.authority = issue.Authority(root, certs.parse(der))
        self.serials = itertools.count(2)
        self.maker, self.maker_der = self._issued("seal-maker")

    def _issued(self, profile: str) -> tuple[Signer, bytes]:
        signer, serial = Signer(PROVIDER, PROVIDER.generate()), next(self.serials)
        return signer, issue.build_certificate(
            self.authority, subject=(("C", "CN"), ("O", "某区"), ("CN", f"unit {serial}")), public_key=signer.public,
            serial=serial, not_before=BORN, not_after=DIES, profile=profile,
        )  # fmt: skip

    def unit(self) -> Unit:
        signer, certificate = self._issued("seal-signer")
        seal = build_seal(
            self.maker, self.maker_der, es_id=f"{next(self.serials):014}", name="某区政务服务专用章", certificates=[certificate],
            created=BORN, valid_from=BORN, valid_until=DIES, picture=PICTURE,
        )  # fmt: skip
        return Unit(seal, certificate, signer)

    def list(self) -> RevocationList:
        gone = [issue.Revoked(10**6 + n, BORN) for n in range(REVOKED)]
        return crl.parse(
            issue.build_crl(
                self.authority, number=1, this_update=NOW - timedelta(days=1), next_update=DIES, revoked=gone
            )
        )


def rows(seconds: float) -> dict[str, Callable[[], object]]:
    """Every kind of work as a call that judges the next stamp."""
    city = City()
    anchors = [city.authority.certificate]
    units = [city.unit() for _ in range(UNITS)]
    one = [units[0].stamp(number) for number in range(STAMPS)]
    many = [units[number % UNITS].stamp(number) for number in range(STAMPS)]
    fresh = [city.unit().stamp(number) for number in range(200 + int(1500 * seconds))]  # more than can be judged
    lists, demanding = [city.list()], replace(STRICT, revoked_later="accept")
    return {
        "stamps of one seal": _judging(one, anchors, [], CRL_IF_PRESENT),
        f"stamps of {UNITS} seals": _judging(many, anchors, [], CRL_IF_PRESENT),
        f"stamps of {UNITS} seals, a list of {REVOKED} demanded": _judging(many, anchors, lists, demanding),
        "each stamp of a seal and signer never met": _judging(fresh, anchors, [], CRL_IF_PRESENT),
        "a seal alone": _seal(units[0].seal, anchors),
    }


def _judging(
    stamps: Sequence[tuple[bytes, bytes]], anchors: Sequence[Certificate], lists: Sequence[RevocationList], policy: SealPolicy
) -> Callable[[], object]:  # fmt: skip
    turn = itertools.cycle(stamps)

    def judge() -> None:
        data, digest = next(turn)
        report = verify_stamp(data, digest, at=NOW, anchors=anchors, provider=PROVIDER, crls=lists, policy=policy)
        if report.ok is not True:
            raise SystemExit(f"a good stamp was not found good: {report.codes}")

    return judge


def _seal(seal: bytes, anchors: Sequence[Certificate]) -> Callable[[], object]:
    return lambda: verify_seal(seal, at=NOW, anchors=anchors, provider=PROVIDER, policy=CRL_IF_PRESENT)


def measure(seconds: float) -> Figures:
    """Rounds of baseline and ours take turns; the ratio is the median over the rounds."""
    pin(0)
    times = turns(seconds)
    found: dict[str, list[tuple[Figures, float]]] = {}
    acts = rows(seconds)
    for number in range(times):
        note(f"round {number + 1} of {times}")
        speed = openssl_speed.sm2(max(1, int(seconds / times)))
        beside = speed["verify"] / 2 if speed else 0.0
        for name, act in acts.items():
            found.setdefault(name, []).append((repeat(act, max(0.1, seconds / times)), beside))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": {name: _middle(one) for name, one in found.items()}, "rss_mb": round(peak, 1)}


def _middle(found: list[tuple[Figures, float]]) -> Figures:
    ordered = sorted(found, key=lambda pair: pair[0]["per_second"])
    mine, beside = ordered[len(ordered) // 2]
    ratios = [one["per_second"] / base for one, base in found if base]
    return mine | {"baseline": beside, "ratio": round(statistics.median(ratios), 4) if ratios else None}
