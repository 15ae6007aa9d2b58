"""An e-certificate judged from its file alone: its seals, its identifier, who says and who sealed it, and its dates.

``judge`` is the numbered list; it begins where ``signing.ofd.verify`` ends. Whether the issuer has suspended or revoked the
certificate since does not stand in the file: that is asked of its register.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from signing import ecert_data, ecert_id, ecert_reasons
from signing.ecert import Metadata, Permit
from signing.ecert_id import Identifier
from signing.errors import Malformed
from signing.ofd.container import BEIJING, Description
from signing.ofd.custom import custom_data
from signing.ofd.verify import OfdReport, SignatureReport
from signing.reasons import Reason
from signing.seal_checks import Findings, Outcome

Weight = Literal["reject", "note"]
Status = Literal["valid", "expired", "not_yet_valid", "copy_expired"]


@dataclass(frozen=True, slots=True)
class EcertPolicy:
    """``identifier``: what deviates from GB/T 36904; ``issuer``: a seal that does not carry the issuer's name."""

    identifier: Weight
    issuer: Weight


# Identifiers in the field deviate and their certificates are good; somebody else's seal makes a certificate worthless.
FIELD: EcertPolicy = EcertPolicy(identifier="note", issuer="reject")


@dataclass(frozen=True, slots=True)
class EcertReport:
    """``status``: by the dates it carries, at the time asked about; ``permits``: each with its own. ``ok`` None: cannot tell."""

    metadata: Metadata
    identifier: Identifier | None
    check_char: Outcome
    issuer: Outcome
    seal: OfdReport
    status: Status
    permits: tuple[tuple[Permit, Status], ...]
    ok: bool | None
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]


def judge(seal: OfdReport, *, at: datetime, policy: EcertPolicy = FIELD) -> EcertReport:
    """The certificate in an OFD whose seals were judged. Malformed if it holds no certificate that can be read."""
    found = Findings()
    # 1. what it says (GB/T 36903)
    reading = ecert_data.read(custom_data(seal.ofd.package))
    data = reading.metadata
    if reading.missing:
        found.notes.append(ecert_reasons.note("ecert-data-missing", "、".join(reading.missing)))
    # 2. its seals, and that they cover what it says
    found.reasons += seal.reasons
    found.notes += seal.notes
    good = [one for one in seal.signatures if one.ok]
    if good and not any(_covers_metadata(one) for one in good):
        found.add("seal", [ecert_reasons.rejected("ecert-unprotected")])
    # 3. its identifier (GB/T 36904)
    identifier = _identifier(data, policy, found)
    # 4. the issuer it names is the one who sealed it
    if good:
        same = any(_issued_by(one, data.issuer_name) for one in good)
        _weigh("issuer", [] if same else ["ecert-issuer-seal"], policy.issuer, found)
    # 5. its dates and those of its permits
    status, permits = status_at(data, at), permits_at(data, at)
    if status != "valid":
        found.add("status", [ecert_reasons.rejected(f"ecert-{status.replace('_', '-')}")])
    if data.annotation is not None:
        whom = f"{data.annotation.relying_party} {data.annotation.reason}".strip()
        found.notes.append(ecert_reasons.note("ecert-copy", whom))
    lapsed = [one.name for one, own in permits if own != "valid"]
    if lapsed:
        found.notes.append(ecert_reasons.note("ecert-permits-lapsed", "、".join(lapsed)))
    return EcertReport(
        metadata=data,
        identifier=identifier,
        check_char=check_char(identifier),
        issuer=found.outcome.get("issuer", "unknown"),
        seal=seal,
        status=status,
        permits=permits,
        ok=found.ok,
        reasons=tuple(found.reasons),
        notes=tuple(found.notes),
    )


def check_char(identifier: Identifier | None) -> Outcome:
    """Whether an identifier's check character is right; absent where there is no such part."""
    if identifier is None:
        return "absent"
    return "ok" if identifier.check == identifier.wanted else "failed"


def status_at(data: Metadata, at: datetime) -> Status:
    """What the dates say; a date is a day in Beijing, from its beginning to its end. A copy ends with its purpose, a
    certificate of several permits with the last of them."""
    if data.annotation is not None and data.annotation.expires <= at:
        return "copy_expired"
    own = _dates(data.valid_from, data.valid_to, at)
    over = bool(data.permits) and all(status == "expired" for _, status in permits_at(data, at))
    return "expired" if own == "valid" and over else own


def permits_at(data: Metadata, at: datetime) -> tuple[tuple[Permit, Status], ...]:
    """Each permit by its own dates."""
    return tuple((one, _dates(one.valid_from, one.valid_to, at)) for one in data.permits)


def _dates(first: date, last: date | None, at: datetime) -> Status:
    day = at.astimezone(BEIJING).date()
    if day < first:
        return "not_yet_valid"
    return "expired" if last is not None and day > last else "valid"


def _identifier(data: Metadata, policy: EcertPolicy, found: Findings) -> Identifier | None:
    read, codes = deviations(data)
    _weigh("identifier", codes, policy.identifier, found)
    return read


def deviations(data: Metadata) -> tuple[Identifier | None, list[str]]:
    """The identifier and what of it is not after GB/T 36904, as codes of ``signing.ecert_reasons``; None for one without parts."""
    try:
        read = ecert_id.parse(data.identifier)
    except Malformed:
        return None, ["ecert-id-form"]
    others = {
        "ecert-id-other-type": data.type_code not in ("", read.type_code),
        "ecert-id-other-issuer": data.issuer_code not in ("", read.issuer),
    }
    return read, [*read.findings, *(code for code, differs in others.items() if differs)]


def _weigh(group: str, codes: list[str], weight: Weight, found: Findings) -> None:
    """A finding refuses or is remarked on; either way the group's outcome tells it."""
    if weight == "reject":
        found.add(group, [ecert_reasons.rejected(code) for code in codes])
    else:
        found.notes += [ecert_reasons.note(code) for code in codes]
        found.outcome[group] = "failed" if codes else "ok"


def _covers_metadata(one: SignatureReport) -> bool:
    """The custom data stand in OFD.xml."""
    said = one.listed.description
    return isinstance(said, Description) and any(reference.path == "OFD.xml" for reference in said.references)


def _issued_by(one: SignatureReport, issuer: str) -> bool:
    """The seal's name or the signer's certificate carries the issuer's name."""
    seal = one.stamp.seal if one.stamp is not None else None
    names = (one.signer_subject, seal.property.name if seal is not None else "")
    wanted = _plain(issuer)
    return bool(wanted) and any(wanted in _plain(name) for name in names)


def _plain(name: str) -> str:
    """Without spaces, full-width forms folded."""
    return "".join(unicodedata.normalize("NFKC", name).split())
