"""The platform that is tried (被测平台), as our gateway would reach it; and the sample messages for it.

Everything goes through the platform's own profile and channel, so what is tried is exactly what will run. A step asks for
the platform with one thing wrong: another key, another clock, another credential.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from adapters import samples
from adapters.base import Accepted, Answer, CannotAsk, NotThere, Outbound, Outcome, Wire
from adapters.kit.mask import Mask
from adapters.kit.tap import Tap, tapped
from adapters.profile import known_type
from adapters.registry import Platform, PlatformSettings, open_platform
from adapters.samples import FILE
from schemas import codec
from schemas.canonical import BODIES
from signing.providers import Provider
from signing.sm2 import Signer

REPORT = "report."
"""What stands before an event's name where a collector is told of it."""


@dataclass(frozen=True)
class Keys:
    """What signs, and what tells the time."""

    provider: Provider
    signer: Signer
    now_ms: Callable[[], int]


@dataclass(frozen=True)
class Partner:
    """``case_id`` and ``case_number``: the case that the messages are about; empty: a new one for each run. ``bodies``: the
    tester's own canonical bodies by type, in the place of the samples."""

    settings: PlatformSettings
    profile: bytes
    beside: Mapping[str, bytes]
    keys: Keys
    case_id: str = ""
    case_number: str = ""
    item: str = ""
    bodies: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    mask: Mask = field(default_factory=Mask)

    def open(self, *, wrong: bool = False, shift_ms: int = 0, **changes: Any) -> Platform:
        """The platform with a fresh channel. ``wrong``: with another key, licence and secrets; ``changes``: other settings."""
        provider, now = self.keys.provider, self.keys.now_ms
        signer = Signer(provider, provider.generate()) if wrong else self.keys.signer
        if wrong:
            changes |= {"our_licence": "kit-wrong-licence"}
        secrets = {name: _altered(value) for name, value in self.secrets.items()} if wrong else self.secrets
        settings = msgspec.structs.replace(self.settings, **changes)
        return open_platform(
            settings, self.profile, self.beside, lambda: signer, provider, lambda: provider.random(16).hex(),
            lambda: now() + shift_ms, secrets, lab=True,
        )  # fmt: skip

    def about(self) -> Partner:
        """The same with a case of its own, where none was named."""
        fresh = uuid.uuid4()
        number = f"KIT{self.keys.now_ms()}{fresh.int % 10_000:04d}"
        return replace(
            self, case_id=self.case_id or f"420104.11420104MB0000000X/{fresh}", case_number=self.case_number or number
        )

    def named(self, case_id: str, case_number: str, item: str) -> Partner:
        """The same with this case."""
        return replace(self, case_id=case_id, case_number=case_number, item=item)

    def sample(self, type_: str) -> Outbound:
        """A sample message of this type about this case, under an id of its own."""
        if type_.startswith(REPORT):
            report = samples.report(type_.removeprefix(REPORT))
            self.mask.meet(report.body)
            return msgspec.structs.replace(report, id=str(uuid.uuid4()), case_id=self.case_id, at_ms=self.keys.now_ms())
        out = samples.outbound(type_)
        body = self.bodies.get(type_) or _sized(type_, out.body)
        if type_ == "application":
            body = msgspec.structs.replace(
                body, case_number=self.case_number, **({"item": self.item} if self.item else {})
            )
        self.mask.meet(body)
        return msgspec.structs.replace(
            out, id=str(uuid.uuid4()), case_id=self.case_id, case_number=self.case_number, at_ms=self.keys.now_ms(),
            body=body, item=self.item or out.item,
        )  # fmt: skip


def _altered(secret: bytes) -> bytes:
    """Another secret of the same form; a key in PEM stays what it is."""
    return secret if secret.startswith(b"-----") else secret[:-1] + (b"2" if secret.endswith(b"1") else b"1")


def _sized(type_: str, body: Any) -> Any:
    """The sample body with the size that the sample file really has."""
    if type_ not in BODIES:
        return body
    return codec.build(type_, _with_size(msgspec.to_builtins(body, builtin_types=(datetime,))))


def _with_size(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_size(one) for one in value]
    if isinstance(value, dict):
        size = {"size": len(FILE)} if value.get("sm3") == samples.DIGEST else {}
        return {name: _with_size(one) for name, one in value.items()} | size
    return value


def types_of(platform: Platform) -> list[str]:
    """The types that this platform is told, the application first; of a collector of case data its reports."""
    if platform.translator.can_send("report"):
        return [f"{REPORT}{event}" for event in getattr(platform.translator, "words").events]  # noqa: B009 - that family's
    told = [one for one in samples.types() if known_type(one) and platform.translator.can_send(one)]
    return sorted(told, key=lambda one: one != "application")


def wire_of(platform: Platform, out: Outbound) -> Wire:
    """The platform's bytes, with the files inside where it wants them inside."""
    wire = platform.translator.outbound(out)
    if platform.inlined is None:
        return wire
    return platform.inlined.filled(wire, dict.fromkeys(platform.inlined.wanted(wire), FILE))


async def tell(platform: Platform, wire: Wire, tap: Tap) -> Outcome:
    """Send once through the tap; the channel is closed afterwards by who opened it."""
    with tapped(tap):
        return await platform.channel.send(wire)


async def holds(platform: Platform, id_: str, tap: Tap) -> bool | None:
    """Whether the platform says that it has this message; None where it cannot be asked or says neither."""
    with tapped(tap):
        answer: Answer = await platform.channel.ask(id_)
    if isinstance(answer, CannotAsk):
        return None
    return True if isinstance(answer, Accepted) else (False if isinstance(answer, NotThere) else None)
