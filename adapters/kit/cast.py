"""Whom the kit plays (扮演的平台): its settings as our node has them, seen from the other side, and what it has on record.

Everything that authenticates is the profile's own: the platform is opened once more with the two parties exchanged, so that
its channel calls the gateway and its door checks the gateway, whatever the scheme.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple, Protocol

import msgspec

from adapters.base import Outbound, Outcome, Untranslatable
from adapters.kit.behaviour import Behaviour
from adapters.kit.mask import Mask
from adapters.kit.mirror import Mirror, mirror_of
from adapters.profile import Profile, compile_profile
from adapters.registry import Platform, PlatformSettings, open_platform, read_profile
from signing.providers import Provider
from signing.sm2 import Signer
from signing.sm3 import sm3

EXCHANGED: Final = (("app_id", "our_app_id"), ("unit", "our_unit"), ("licence", "our_licence"))
"""Settings of the two parties, which change places."""
NOBODY_NAMED: Final = frozenset(
    {"receipt", "status", "acceptance", "step", "special_start", "special_end", "decision", "result", "arrival"}
)
FOREIGN_ID: Final = "kit-another-signer"
_SIGNER_ID: Final = re.compile(rb'(signer_id\s*=\s*)"[^"]*"')


class Heard(NamedTuple):
    """A request as it stood on the wire; ``target``: path and query, undecoded."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The first of this name, "" where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class Answer(NamedTuple):
    """What is said to a request. ``more``: other headers."""

    status: int
    content_type: str
    body: bytes
    more: tuple[tuple[str, str], ...] = ()


@dataclass
class Noted:
    """A message that the platform has. ``case``: the number that its acts about it go by; ``person``: its body in canonical
    form, where it can be read back, for the mask."""

    id: str
    digest: str
    reference: str
    type: str
    case: str
    number: str
    body: object = None
    times: int = 1


@dataclass
class Desk:
    """What the platform has taken. ``fresh`` is called with each message that is new; ``understood`` counts the messages of
    which it is known who is named in them."""

    kept: list[Noted] = field(default_factory=list)
    fresh: Callable[[Noted], None] = lambda kept: None
    understood: int = 0

    def find(self, id_: str) -> Noted | None:
        return next((one for one in self.kept if one.id == id_), None)

    def take(self, message: Noted, how: Behaviour) -> tuple[Noted, bool]:
        """The record of this message and whether it was there before."""
        known = self.find(message.id)
        if known is not None:
            known.times += 1
            if not how.doubled:
                return known, True
        message.reference = f"KIT{len(self.kept) + 1:06d}"
        self.kept.append(message)
        if known is None:
            self.fresh(message)
        return message, False


@dataclass(frozen=True)
class Cast:
    """``settings``: as the node has them; ``signer``: the platform's; ``gateway_key``: of the gateway, hex; ``gateway``: its
    platform listener, "" where the platform only listens."""

    settings: PlatformSettings
    toml: bytes
    beside: Mapping[str, bytes]
    provider: Provider
    signer: Signer
    gateway_key: str
    gateway: str
    now_ms: Callable[[], int]
    mask: Mask
    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    desk: Desk = field(default_factory=Desk)

    @cached_property
    def profile(self) -> Profile:
        return compile_profile(read_profile(self.toml, self.beside))

    @cached_property
    def mirror(self) -> Mirror:
        return mirror_of(self.profile)

    def exchanged(self, base_url: str, how: Behaviour) -> Platform:
        """The gateway as this platform reaches it."""
        own = self.settings
        given: dict[str, object] = {
            name: getattr(own, other) for pair in EXCHANGED for name, other in (pair, pair[::-1])
        }
        toml = self.toml
        if how.foreign_id:
            toml = _SIGNER_ID.sub(rb'\1"' + FOREIGN_ID.encode() + b'"', toml)
            given |= {"our_licence": f"{FOREIGN_ID}-licence"}
        settings = msgspec.structs.replace(own, base_url=base_url, public_keys=self._gateway_keys(), **given)
        return open_platform(
            settings, toml, self.beside, lambda: self.signer, self.provider, lambda: self.provider.random(16).hex(),
            lambda: self.now_ms() + how.skew_ms, self.secrets, lab=True,
        )  # fmt: skip

    def _gateway_keys(self) -> tuple[str, ...]:
        return (self.gateway_key,) if self.gateway_key else ()

    def note(self, id_: str, operation: str, data: bytes, message: Mapping[str, object]) -> Noted:
        """A message of ours as the platform would put it down."""
        plain = dict(message)
        type_ = self.mirror.type_of(operation, plain)
        number = self.mirror.told("case_number", plain)
        case = self.mirror.told("case_id", plain) or number
        body = self.mirror.body(type_, plain) if type_ else None
        self.desk.understood += body is not None or type_ in NOBODY_NAMED
        self.mask.meet(body)
        return Noted(id_, sm3(data).hex(), "", type_, case, number, body)


class Peer(Protocol):
    """A family's part of the play."""

    async def hear(self, heard: Heard, how: Behaviour) -> Answer:
        """Answer one request of the gateway."""

    async def tell(self, out: Outbound, case: str, how: Behaviour) -> Outcome:
        """Tell the gateway an act, once. Raises Untranslatable."""

    async def look(self, how: Behaviour) -> None:
        """Take what lies there, for platforms that are not called."""

    async def close(self) -> None:
        """Release what is held open."""


class Unheard:
    """For families that are not called."""

    async def hear(self, heard: Heard, how: Behaviour) -> Answer:
        return Answer(404, "text/plain", b"this platform is not called")


class NotLooking:
    """For families that are called."""

    async def look(self, how: Behaviour) -> None:
        return None


def cannot(zh: str, en: str) -> Untranslatable:
    """A platform that cannot be played like this."""
    return Untranslatable("kit-cannot", zh, en)
