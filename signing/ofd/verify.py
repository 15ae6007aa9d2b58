"""Signed OFD documents judged: every signature of the list by the steps of GM/T 0099-2020 and then the stamp by those of
``signing.verify``.

``verify_ofd`` is the whole, ``_judge`` the numbered list. All checks are made and all findings reported. Beyond the
standard, files that no Reference covers are found and named by what they could do: a signed package must not be able to
carry unsigned files unnoticed. A document of which files are encrypted is told as what it is: nobody can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from signing import seal_checks as checks
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Malformed
from signing.ocsp import Answer
from signing.ofd import reasons as ofd_reasons
from signing.ofd import signed as ofd_signed
from signing.ofd.container import Description, Listed, Ofd, open_ofd
from signing.ofd.coverage import Coverage, Exposed
from signing.ofd.package import Octets
from signing.policy import SealPolicy
from signing.reasons import Reason
from signing.seal import parse_stamp
from signing.seal_checks import Outcome
from signing.sm3 import sm3
from signing.timestamp import TimeTrust
from signing.verify import SealReport, verify_stamp

if TYPE_CHECKING:
    from signing.providers import Provider

# What is said of files that no signature covers: a reason against the document, or a remark.
Uncovered = Literal["reject", "note"]
GROUPS: Final = ("description", "references", "coverage", "seal_file")
_WORST: Final = ("failed", "unknown", "ok", "absent")


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """One signature. ``references``: the protected files; ``coverage``: the others, ``exposed``; ``seal_file``: Seal.esl
    against the seal in the stamp; ``document``: all of these and the stamp's digest. ``stamp``: the stamp's own report,
    of Type=Seal. ``ok`` None: cannot tell."""

    listed: Listed
    description: Outcome
    references: Outcome
    coverage: Outcome
    seal_file: Outcome
    signature: Outcome
    chain: Outcome
    document: Outcome
    window: Outcome
    membership: Outcome
    ok: bool | None
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    exposed: tuple[Exposed, ...]
    version: str = ""
    time: datetime | None = None
    signer_subject: str = ""
    stamp: SealReport | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the reasons."""
        return tuple(reason.code for reason in self.reasons)

    @property
    def uncovered(self) -> tuple[str, ...]:
        """The paths of the files it does not protect."""
        return tuple(one.path for one in self.exposed)


@dataclass(frozen=True, slots=True)
class OfdReport:
    """The document: as good as its worst signature; cannot be told without any. ``reasons``, ``notes``: each once."""

    ofd: Ofd
    signatures: tuple[SignatureReport, ...]
    ok: bool | None
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]

    def outcome(self, group: str) -> Outcome:
        """The worst outcome of a group of checks over all signatures."""
        found: list[Outcome] = [getattr(one, group) for one in self.signatures]
        return min(found, key=_WORST.index, default="absent")

    @property
    def version(self) -> str:
        """The forms of the stamps, without repetition."""
        return " ".join(dict.fromkeys(one.version for one in self.signatures if one.version))

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the reasons."""
        return tuple(reason.code for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class _Case:
    """What one signature is judged in and against."""

    ofd: Ofd
    listed: Listed
    coverage: Coverage
    uncovered: Uncovered
    against: checks.Against
    found: checks.Findings


def verify_ofd(
    data: Octets | Ofd,
    *,
    at: datetime,
    anchors: Sequence[Certificate],
    provider: Provider,
    crls: Sequence[RevocationList] = (),
    statuses: Sequence[Answer] = (),
    policy: SealPolicy,
    uncovered: Uncovered,
    intermediates: Sequence[Certificate] = (),
    lists_as_of: datetime | None = None,
    times: TimeTrust | None = None,
) -> OfdReport:
    """Judge every signature of an OFD document; ``at`` is the time of verification. Malformed: no OFD to be judged.

    ``lists_as_of``: when revocation lists and online ``statuses`` must be fresh, ``at`` if not given.
    ``times``: whose time stamps are believed. The signer of a bare value is looked for among ``intermediates``.
    """
    ofd = data if isinstance(data, Ofd) else open_ofd(data)
    against = checks.Against(at, lists_as_of or at, anchors, intermediates, provider, crls, policy, times, statuses)
    coverage = Coverage(ofd)
    cases = (_Case(ofd, one, coverage, uncovered, against, checks.Findings()) for one in ofd.signatures)
    judged = () if ofd.encrypted else tuple(map(_judge, cases))
    found = checks.Findings()
    for one in judged:
        found.reasons += one.reasons
        found.notes += one.notes
    if ofd.encrypted:
        found.add("document", [ofd_reasons.unknown("ofd-encrypted")])
    elif all(one.listed.whole for one in judged):  # a list of names vouches for no content
        found.add("signature", [ofd_reasons.unknown("ofd-unsigned")])
    return OfdReport(ofd, judged, found.ok, tuple(dict.fromkeys(found.reasons)), tuple(dict.fromkeys(found.notes)))


def _judge(case: _Case) -> SignatureReport:
    found, listed = case.found, case.listed
    for group in GROUPS:
        found.outcome[group] = "absent"
    # 1. the description: readable, of a known type (GB/T 33190 18.2)
    known = [] if listed.whole or listed.type in ("Seal", "Sign") else [ofd_reasons.rejected("ofd-type")]
    description = listed.description
    if isinstance(description, Malformed):
        said = (description.zh, description.en)
        found.add("description", [*known, ofd_reasons.rejected("ofd-signature-file", said)])
        return _report(case)
    found.add("description", known)
    # 2. each protected file against its digest
    found.add("references", case.coverage.references(listed, description))
    # 3. files that it does not cover
    exposed = case.coverage.exposed(listed, description)
    _coverage(case, exposed)
    # 4. the signed value, over the description's bytes
    if description.value not in case.ofd.package.digests:
        found.add("signature", [ofd_reasons.rejected("ofd-value-missing")])
        return _report(case, exposed)
    value = case.ofd.package.read(description.value)
    if listed.whole or listed.type == "Sign":
        return _signed(case, description, value, exposed)
    return _stamped(case, description, value, exposed)


def _coverage(case: _Case, exposed: Sequence[Exposed]) -> None:
    if not exposed:
        case.found.add("coverage", [])
    elif case.uncovered == "reject":
        case.found.add("coverage", [ofd_reasons.rejected("ofd-uncovered", ofd_reasons.listed_effects(exposed))])
    else:
        case.found.notes.append(ofd_reasons.note("ofd-uncovered", ofd_reasons.listed_effects(exposed)))


# --- Type=Seal --------------------------------------------------------------------------------------------------------


def _stamped(case: _Case, description: Description, value: bytes, exposed: tuple[Exposed, ...]) -> SignatureReport:
    found, against = case.found, case.against
    try:
        stamp = parse_stamp(value)
    except Malformed:
        stamp = None
    # 5. the seal file is the seal in the stamp
    found.add("seal_file", _seal_file(case.ofd, description, stamp.seal.raw if stamp else None))
    if not description.seal:
        found.outcome["seal_file"] = "absent"
    # 6. the stamp over the description, at its place in the package, and the seal in it. Some leave out the first slash.
    slash = "" if stamp is not None and not stamp.property_info.startswith("/") else "/"
    report = verify_stamp(
        value,
        sm3(description.raw),
        at=against.at,
        anchors=against.anchors,
        provider=against.provider,
        crls=against.crls,
        statuses=against.statuses,
        policy=against.policy,
        intermediates=against.intermediates,
        property_info=slash + case.listed.path,
        lists_as_of=against.lists_as_of,
        times=against.times,
    )
    found.reasons += report.reasons
    found.notes += report.notes
    for group in ("signature", "chain", "document", "window", "membership"):
        found.outcome[group] = getattr(report, group)
    _description_notes(description, report.stamp_time, against, found)
    return _report(case, exposed, stamp=report, time=report.stamp_time, signer=report.signer_subject)


def _seal_file(ofd: Ofd, description: Description, seal: bytes | None) -> list[Reason]:
    if not description.seal:
        return []
    if description.seal not in ofd.package.digests:
        return [ofd_reasons.rejected("ofd-seal-file-missing")]
    same = seal is not None and ofd.package.digests[description.seal] == sm3(seal)
    return [] if same else [ofd_reasons.rejected("ofd-seal-file")]


# --- Type=Sign --------------------------------------------------------------------------------------------------------


def _signed(case: _Case, description: Description, value: bytes, exposed: tuple[Exposed, ...]) -> SignatureReport:
    found, against = case.found, case.against
    if not case.listed.whole:
        found.notes.append(ofd_reasons.note("ofd-no-seal"))
        _description_notes(description, description.time, against, found)
    signer = ofd_signed.judge(description, value, case.coverage.beside(case.listed), against, found)
    return _report(case, exposed, time=description.time, signer=signer)


# --- reports ----------------------------------------------------------------------------------------------------------


def _description_notes(
    description: Description, stated: datetime | None, against: checks.Against, found: checks.Findings
) -> None:
    """What the description says beside the signed value and should agree with it."""
    if description.method.strip().lower() not in ofd_signed.METHODS:
        found.notes.append(ofd_reasons.note("ofd-method-unusual", ofd_reasons.listed([description.method[:40]])))
    if description.time is None:
        found.notes.append(ofd_reasons.note("ofd-time-unreadable"))
    elif stated is not None and abs(stated - description.time) > against.policy.clock_skew:
        found.notes.append(ofd_reasons.note("ofd-time-differs"))


def _report(
    case: _Case,
    exposed: tuple[Exposed, ...] = (),
    *,
    stamp: SealReport | None = None,
    time: datetime | None = None,
    signer: str = "",
) -> SignatureReport:
    found = case.found
    files: list[Outcome] = [found.of(group) for group in ("document", *GROUPS)]
    return SignatureReport(
        listed=case.listed,
        description=found.of("description"),
        references=found.of("references"),
        coverage=found.of("coverage"),
        seal_file=found.of("seal_file"),
        signature=found.of("signature"),
        chain=found.of("chain"),
        document=min(files, key=_WORST.index),
        window=found.of("window"),
        membership=found.of("membership"),
        ok=found.ok,
        reasons=tuple(found.reasons),
        notes=tuple(found.notes),
        exposed=exposed,
        version=stamp.version if stamp else "",
        time=time,
        signer_subject=signer,
        stamp=stamp,
    )
