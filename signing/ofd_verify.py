"""Signed OFD documents judged: every signature of the list by the steps of GM/T 0099-2020 and then the stamp by those of
``signing.verify``.

``verify_ofd`` is the whole, ``_judge`` the numbered list. All checks are made and all findings reported. Beyond the
standard, files that no Reference covers are found (a signed package must not be able to carry unsigned files unnoticed),
and a bare signature value without certificate is told as what it is: nobody knows whose it is.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from signing import der, ofd_reasons, signed_data, sm2
from signing import seal_checks as checks
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Malformed
from signing.ocsp import Answer
from signing.ofd import Description, Listed, Ofd, open_ofd
from signing.oids import SM2_CURVE, SM2_SIGN, SM2_WITH_SM3, SM3
from signing.policy import SealPolicy
from signing.reasons import Reason
from signing.seal import parse_stamp
from signing.seal_checks import Outcome
from signing.signed_data import SignedData, SignerInfo
from signing.sm3 import sm3
from signing.timestamp import TimeTrust
from signing.verify import SealReport, verify_stamp

if TYPE_CHECKING:
    from signing.providers import Provider

# What is said of files that no signature covers: a reason against the document, or a remark.
Uncovered = Literal["reject", "note"]
GROUPS: Final = ("description", "references", "coverage", "seal_file")
_CHECK_METHODS: Final = frozenset({"sm3", SM3, f"{SM3}.1"})
_METHODS: Final = frozenset({SM2_WITH_SM3, SM2_SIGN, SM2_CURVE, "sm2", "sm2withsm3", "sm3withsm2", "sm2-with-sm3"})
_WORST: Final = ("failed", "unknown", "ok", "absent")


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """One signature. ``references``: the protected files; ``coverage``: the others; ``seal_file``: Seal.esl against the
    seal in the stamp; ``document``: all of these and the stamp's digest. ``stamp``: the stamp's own report, of Type=Seal.
    ``ok`` None: cannot tell."""

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
    uncovered: tuple[str, ...]
    version: str = ""
    time: datetime | None = None
    signer_subject: str = ""
    stamp: SealReport | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the reasons."""
        return tuple(reason.code for reason in self.reasons)


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
    uncovered: Uncovered
    against: checks.Against
    found: checks.Findings


def verify_ofd(
    data: bytes | Ofd,
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
    ``times``: whose time stamps are believed.
    """
    ofd = data if isinstance(data, Ofd) else open_ofd(data)
    against = checks.Against(at, lists_as_of or at, anchors, intermediates, provider, crls, policy, times, statuses)
    judged = tuple(_judge(_Case(ofd, one, uncovered, against, checks.Findings())) for one in ofd.signatures)
    found = checks.Findings()
    for one in judged:
        found.reasons += one.reasons
        found.notes += one.notes
    if not judged:
        found.add("signature", [ofd_reasons.unknown("ofd-unsigned")])
    return OfdReport(ofd, judged, found.ok, tuple(dict.fromkeys(found.reasons)), tuple(dict.fromkeys(found.notes)))


def _judge(case: _Case) -> SignatureReport:
    found, listed = case.found, case.listed
    for group in GROUPS:
        found.outcome[group] = "absent"
    # 1. the description: readable, of a known type (GB/T 33190 18.2)
    known = [] if listed.type in ("Seal", "Sign") else [ofd_reasons.rejected("ofd-type")]
    description = listed.description
    if isinstance(description, Malformed):
        said = (description.zh, description.en)
        found.add("description", [*known, ofd_reasons.rejected("ofd-signature-file", said)])
        return _report(case)
    found.add("description", known)
    # 2. each protected file against its digest
    found.add("references", _references(case.ofd, description))
    # 3. files that nothing covers
    uncovered = _uncovered(case.ofd, description)
    _coverage(case, uncovered)
    # 4. the signed value, over the description's bytes
    if description.value not in case.ofd.package.digests:
        found.add("signature", [ofd_reasons.rejected("ofd-value-missing")])
        return _report(case, uncovered=uncovered)
    value = case.ofd.package.read(description.value)
    if listed.type == "Sign":
        return replace(_signed(case, description, value), uncovered=uncovered)
    return replace(_stamped(case, description, value), uncovered=uncovered)


# --- files ------------------------------------------------------------------------------------------------------------


def _references(ofd: Ofd, description: Description) -> list[Reason]:
    """Every protected file: listed once, in the package, unchanged."""
    if description.check_method.lower() not in _CHECK_METHODS:
        method = ofd_reasons.listed([description.check_method[:40]])
        return [ofd_reasons.rejected("ofd-check-method", method)]
    if not description.references:
        return [ofd_reasons.rejected("ofd-no-references")]
    times = Counter(reference.path for reference in description.references)
    digests = ofd.package.digests
    present = [reference for reference in description.references if reference.path in digests]
    faults = {
        "ofd-reference-repeated": [path for path, count in times.items() if count > 1],
        "ofd-reference-missing": [path for path in times if path not in digests],
        "ofd-reference-digest": [one.path for one in present if digests[one.path] != one.digest],
    }
    return [ofd_reasons.rejected(code, ofd_reasons.listed(wrong)) for code, wrong in faults.items() if wrong]


def _uncovered(ofd: Ofd, description: Description) -> tuple[str, ...]:
    """Files neither protected nor part of a signature: a later signature adds its own files, which earlier ones cannot
    cover. Its own seal file is compared with the seal in the stamp."""
    expected = {*ofd.lists, *(reference.path for reference in description.references)}
    for listed in ofd.signatures:
        expected.add(listed.path)
        if isinstance(listed.description, Description):
            expected |= {listed.description.value, listed.description.seal}
    return tuple(name for name in ofd.package.digests if name not in expected)


def _coverage(case: _Case, uncovered: tuple[str, ...]) -> None:
    if not uncovered:
        case.found.add("coverage", [])
    elif case.uncovered == "reject":
        case.found.add("coverage", [ofd_reasons.rejected("ofd-uncovered", ofd_reasons.listed(uncovered))])
    else:
        case.found.notes.append(ofd_reasons.note("ofd-uncovered", ofd_reasons.listed(uncovered)))


# --- Type=Seal --------------------------------------------------------------------------------------------------------


def _stamped(case: _Case, description: Description, value: bytes) -> SignatureReport:
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
    return _report(case, stamp=report, time=report.stamp_time, signer=report.signer_subject)


def _seal_file(ofd: Ofd, description: Description, seal: bytes | None) -> list[Reason]:
    if not description.seal:
        return []
    if description.seal not in ofd.package.digests:
        return [ofd_reasons.rejected("ofd-seal-file-missing")]
    same = seal is not None and ofd.package.digests[description.seal] == sm3(seal)
    return [] if same else [ofd_reasons.rejected("ofd-seal-file")]


# --- Type=Sign --------------------------------------------------------------------------------------------------------


def _signed(case: _Case, description: Description, value: bytes) -> SignatureReport:
    found, against, digest = case.found, case.against, sm3(description.raw)
    found.outcome.update(window="absent", membership="absent")
    found.notes.append(ofd_reasons.note("ofd-no-seal"))
    _description_notes(description, description.time, against, found)
    # 5. a bare r, s: well formed, but whose?
    if _is_bare(value):
        found.add("signature", [ofd_reasons.unknown("ofd-signer-unknown")])
        return _report(case, time=description.time)
    # 6. or signed data: about this description, signed by the certificate it carries, which is trusted
    try:
        signed = signed_data.parse(value)
        info = signed.only_signer
    except Malformed as fault:
        found.add("signature", [ofd_reasons.rejected("ofd-signed-value", (fault.zh, fault.en))])
        return _report(case, time=description.time)
    signer = next((one for one in signed.certificates if info.fits(one)), None)
    found.add("document", [] if _is_about(signed, info, digest) else [ofd_reasons.rejected("ofd-signed-content")])
    found.add("signature", _signed_signature(signed, info, signer, digest, against.provider))
    if signer is not None:
        moment = description.time or against.at
        trust = replace(against, intermediates=(*against.intermediates, *signed.certificates))
        checks.signer_chain(signer, moment, None, trust, found)
        found.notes.append(ofd_reasons.note("ofd-time-self-declared"))
    found.add("time", _future(description.time, against))
    return _report(case, time=description.time, signer=signer.subject if signer else "")


def _is_bare(value: bytes) -> bool:
    try:
        der.decode_signature(value)
    except Malformed:
        return False
    return True


def _is_about(signed: SignedData, info: SignerInfo, digest: bytes) -> bool:
    """The content is the digest of the description, at times as Base64 (GM/T 0099-2020 7.2.2), or is left out; a digest
    among the signed attributes is that digest itself, not one of the content."""
    content = signed.content
    fits = content is None or content == digest or content.strip() == base64.b64encode(digest)
    return fits and info.stated in (None, digest)


def _signed_signature(
    signed: SignedData, info: SignerInfo, signer: Certificate | None, digest: bytes, provider: Provider
) -> list[Reason]:
    if not info.algorithms_known:
        named = f"{info.digest_algorithm}, {info.signature_algorithm}"
        return [ofd_reasons.rejected("ofd-signed-algorithm", named)]
    if signer is None:
        return [ofd_reasons.unknown("ofd-signer-unknown")]
    message = info.covered or signed.content or digest
    key = signer.public_key
    held = key is not None and sm2.verify(provider, key, message, info.signature, signer_id=sm2.DEFAULT_ID)
    return [] if held else [ofd_reasons.rejected("ofd-signed-signature")]


def _future(time: datetime | None, against: checks.Against) -> list[Reason]:
    if time is None or time - against.at <= against.policy.clock_skew:
        return []
    return [ofd_reasons.rejected("ofd-time-future", f"{time:%Y-%m-%d %H:%M:%S}Z")]


# --- reports ----------------------------------------------------------------------------------------------------------


def _description_notes(
    description: Description, stated: datetime | None, against: checks.Against, found: checks.Findings
) -> None:
    """What the description says beside the signed value and should agree with it."""
    if description.method.lower() not in _METHODS:
        found.notes.append(ofd_reasons.note("ofd-method-unusual", ofd_reasons.listed([description.method[:40]])))
    if description.time is None:
        found.notes.append(ofd_reasons.note("ofd-time-unreadable"))
    elif stated is not None and abs(stated - description.time) > against.policy.clock_skew:
        found.notes.append(ofd_reasons.note("ofd-time-differs"))


def _report(
    case: _Case,
    *,
    uncovered: tuple[str, ...] = (),
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
        uncovered=uncovered,
        version=stamp.version if stamp else "",
        time=time,
        signer_subject=signer,
        stamp=stamp,
    )
