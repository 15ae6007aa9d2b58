"""A certificate that came from a sharing platform, judged before it is used: its seal, what it says of itself, and whose it is.

No I/O. What a platform said beside the file is not believed where the file says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from adapters.sharing.base import UNKNOWN, VALID
from agreements.calendar import china_date
from gateway.flow.recognition import Recognised
from signing import ecert_data
from signing.ecert import Metadata
from signing.ecert_verify import Weight, deviations
from signing.errors import Malformed
from signing.ofd.container import open_ofd
from signing.ofd.custom import custom_data
from signing.ofd.verify import verify_ofd
from signing.providers import Provider

MAX_TEXT = 4000  # of a form field


class Seen(msgspec.Struct, frozen=True):
    """What a verified certificate says. ``surface``: its fields under the names that agreements use
    too: those of its face by their own, those of the head by the standard's keys. ``findings``: what of its identifier is not
    after the standard, as codes of ``signing.ecert_reasons``."""

    identifier: str
    type_code: str
    type_name: str
    holder_code: str
    holder_code_type: str
    surface: dict[str, str]
    findings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # it is about a person


@dataclass(frozen=True, slots=True)
class Unfit:
    """It cannot be used: a code of the catalogue, our word for the reason. ``later``: it may be told another time."""

    code: str
    reason: str
    later: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Wanted:
    """What was authorised; "" where nothing was said."""

    identifier: str = ""
    type_code: str = ""
    holder_code: str = ""


def judge(
    file: bytes, wanted: Wanted, at: datetime, known: Recognised, provider: Provider, identifier: Weight = "note"
) -> Seen | Unfit:
    """The certificate in a file, or why it cannot be used at ``at``; ``status`` of a register is asked apart. ``identifier``:
    whether one that is not after the standard refuses the certificate; in the field they deviate."""
    try:
        ofd = open_ofd(file)
        said = ecert_data.read(custom_data(ofd.package)).metadata
        report = verify_ofd(
            ofd,
            at=at,
            anchors=known.anchors,
            provider=provider,
            crls=known.crls,
            policy=known.policy,
            uncovered="reject",
        )
    except Malformed as error:
        return Unfit("TB-7027", error.code)
    if report.ok is not True:
        cause = report.reasons[0].code if report.reasons else "not-told"
        sealed_but_open = report.ok is None and bool(ofd.signatures)
        return Unfit("TB-7032" if sealed_but_open else "TB-7027", cause, later=sealed_but_open)
    _, findings = deviations(said)
    deviates = Unfit("TB-7027", findings[0]) if findings and identifier == "reject" else None
    return _another(said, wanted) or _over(said, at) or deviates or _seen(said, tuple(findings))


def not_valid(status: str) -> Unfit | None:
    """Why a certificate with this word of its register cannot be used; a register that says nothing leaves it to the dates."""
    return None if status in (VALID, UNKNOWN) else Unfit("TB-7026", status)


def fill(fills: Mapping[str, str], surface: Mapping[str, str]) -> dict[str, str]:
    """Form fields that this certificate can fill: form field -> text, by a table of form field -> field of the face."""
    told = {field: surface.get(name, "") for field, name in fills.items()}
    return {field: text for field, text in told.items() if text and len(text) <= MAX_TEXT and text.isprintable()}


def _another(said: Metadata, wanted: Wanted) -> Unfit | None:
    """Another certificate than the one authorised; of another holder, above all."""
    if wanted.holder_code and said.holder.code.upper() != wanted.holder_code:
        return Unfit("TB-7025", "another-holder")
    other = (wanted.identifier and said.identifier != wanted.identifier) or (
        wanted.type_code and said.type_code != wanted.type_code
    )
    return Unfit("TB-7027", "another-certificate") if other else None


def _over(said: Metadata, at: datetime) -> Unfit | None:
    today = china_date(at)
    if said.valid_to is not None and today > said.valid_to:
        return Unfit("TB-7026", "expired")
    if today < said.valid_from:
        return Unfit("TB-7026", "not_yet_valid")
    if said.annotation is not None and said.annotation.expires <= at:
        return Unfit("TB-7026", "copy-expired")
    return None


def _seen(said: Metadata, findings: tuple[str, ...]) -> Seen:
    head = {
        "ZZMC": said.type_name, "ZZBH": said.number, "CZZT": said.holder.name, "CZZTDM": said.holder.code,
        "ZZBFJG": said.issuer_name, "ZZBFRQ": said.issued.isoformat(), "ZZYXQQSRQ": said.valid_from.isoformat(),
        "ZZYXQJZRQ": said.valid_to.isoformat() if said.valid_to else "",
    }  # fmt: skip
    surface = head | {field.name: field.value for field in said.fields}
    return Seen(
        said.identifier, said.type_code, said.type_name, said.holder.code, said.holder.code_type, surface, findings
    )  # fmt: skip
