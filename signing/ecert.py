"""The metadata of an electronic certificate (电子证照, GB/T 36903-2018), as they stand in its file and in a register.

Only values here. ``signing.ecert_data`` writes them into the custom data of an OFD and reads them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """持证主体. ``code_type``: 111 citizen number, 001 USCC (GB/T 36903 annex A; other values are kept as they are)."""

    name: str
    code: str
    code_type: str


@dataclass(frozen=True, slots=True)
class Field:
    """One surface field (照面信息): ``name`` as in the template (its KZ_ column), ``label`` as printed."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Permit:
    """One of several permits that one certificate carries, with a validity of its own; ``valid_to`` None: no end."""

    id: str
    name: str
    number: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Annotation:
    """加注: a copy handed to a relying party; who made it, when, why, for whom, until when."""

    made_by: str
    made_at: datetime
    reason: str
    relying_party: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Metadata:
    """``identifier``: GB/T 36904 (电子证照标识); ``number``: 证照编号 as printed; ``url``: what its QR code leads to."""

    identifier: str
    type_code: str
    type_name: str
    number: str
    holder: Holder
    issuer_name: str
    issuer_code: str
    issued: date
    valid_from: date
    valid_to: date | None
    fields: tuple[Field, ...]
    permits: tuple[Permit, ...] = ()
    url: str = ""
    annotation: Annotation | None = None
