"""The port of certificate sharing (电子证照共享, GB/T 36906): query a holder, authorise one use, fetch, verify.

Each platform for sharing speaks a dialect of it; the gateway's own register is one more. Every call carries a ``Cause``: who
asks, for which item and case, for what, and on what ground. Outcomes are values: ``No`` says why there is nothing, and
whether asking again can help. Nothing here is believed because a platform said it: the caller judges the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

VALID: Final = "valid"
UNKNOWN: Final = "unknown"
OTHER: Final = "other"


@dataclass(frozen=True, slots=True, repr=False)
class HolderKey:
    """持证主体: whose certificates. ``code_type``: 111 citizen number, 001 USCC (GB/T 36903 annex A)."""

    code: str
    code_type: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a certificate is asked for, as it goes on record on both sides (五项审计要素 and the ground).

    ``basis``: the holder's consent (授权) or the law that makes it unnecessary; ``basis_text`` names it.
    """

    clerk: str
    clerk_no: str
    item: str
    item_name: str
    case_number: str
    purpose: str
    basis: Literal["consent", "law"]
    basis_text: str


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """One certificate of a holder. ``status``: ``valid`` or a word of the register's; ``unknown``
    where none is told, ``other`` for a word that nobody here knows."""

    identifier: str
    type_code: str
    type_name: str
    number: str
    holder_code: str
    status: str = UNKNOWN


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """What the platform takes for one use: its use code (用证码), or the identifier where it knows no codes. Opaque."""

    ticket: str


@dataclass(frozen=True, slots=True, repr=False)
class Fetched:
    """A certificate's file and what was said beside it. ``surface``: fields of its face (照面信息) by name."""

    file: bytes
    status: str = UNKNOWN
    surface: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the platform says about a file. ``ok`` None: it does not say."""

    ok: bool | None
    said: str = ""


Kind = Literal["unsent", "unclear", "busy", "refused", "absent", "spent", "unusable"]
AGAIN: Final[frozenset[Kind]] = frozenset({"unsent", "unclear", "busy"})
"""Kinds after which the same question may be asked again later."""


@dataclass(frozen=True, slots=True)
class No:
    """Nothing came. ``unsent``: nothing left this machine; ``unclear``: no usable answer; ``busy``: not now; ``refused``: the
    platform says no; ``absent``: there is no such certificate; ``spent``: its use code is used up or over; ``unusable``:
    what came is not what was asked for. ``reason`` is our word or the platform's code, never personal data."""

    kind: Kind
    reason: str

    @property
    def again(self) -> bool:
        """Whether asking again later can help."""
        return self.kind in AGAIN


class Sharing(Protocol):
    """The port. Never raises for what a platform or the network does."""

    async def query(self, holder: HolderKey, type_code: str, cause: Cause) -> Sequence[Found] | No:
        """The holder's certificates, of one type where ``type_code`` is given; none is an empty sequence."""

    async def authorise(self, holder: HolderKey, identifier: str, type_code: str, cause: Cause) -> Granted | No:
        """Leave to use one certificate of this holder, once, for this cause."""

    async def fetch(self, ticket: str, cause: Cause) -> Fetched | No:
        """The certificate that ``ticket`` stands for."""

    async def verify(self, file: bytes, cause: Cause) -> Judged | No:
        """What the platform itself says about a file."""

    async def close(self) -> None:
        """Release connections."""
