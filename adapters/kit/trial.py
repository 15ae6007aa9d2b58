"""One step of a conformance run on its way (一次试验): what it may ask of the platform, and what was seen and sent meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import msgspec

from adapters.base import Outbound, Outcome, Wire
from adapters.kit import bend
from adapters.kit.partner import Partner, holds, tell, types_of, wire_of
from adapters.kit.tap import Exchange, Tap
from adapters.registry import Platform
from adapters.transport import Request

SIGNS_BODIES: Final = frozenset({"rest_signed", "webhook"})
"""Families whose signature covers the body, so that only what is spoilt before it arrives as spoilt."""


class Sent(NamedTuple):
    """A message that a step has sent: for a recording that can be read again later."""

    out: Outbound
    wire: Wire
    outcome: Outcome
    exchanges: tuple[Exchange, ...]


@dataclass
class Trial:
    """One step on its way: the platform, what was seen, what was sent unbent."""

    partner: Partner
    platform: Platform
    oversize: int
    tap: Tap = field(default_factory=Tap)
    sent: list[Sent] = field(default_factory=list)
    _opened: list[Platform] = field(default_factory=list)

    def open(self, **changes: Any) -> Platform:
        """The platform with something else about it; closed with the trial."""
        self._opened.append(self.partner.open(**changes))
        return self._opened[-1]

    async def close(self) -> None:
        """Closes what this step opened."""
        for platform in self._opened:
            await platform.channel.close()

    def first(self) -> Outbound:
        """The message that a case begins with at this platform."""
        return self.partner.sample(types_of(self.platform)[0])

    async def send(self, out: Outbound, platform: Platform | None = None) -> Outcome:
        """Send it as it is."""
        wire, tap = (
            wire_of(self.platform, out),
            Tap(self.tap.bend, self.tap.lose),
        )  # its own: several may be on their way
        outcome = await tell(platform or self.platform, wire, tap)
        self.tap.seen += tap.seen
        if platform is None and self.tap.bend is None:
            self.sent.append(Sent(out, wire, outcome, tuple(tap.seen)))
        return outcome

    async def spoilt(self, out: Outbound, json: bend.Spoil, xml: bend.Spoil) -> Outcome:
        """Send it spoilt: before it is signed where the body is, else on its way."""
        wire = wire_of(self.platform, out)
        spoil = json if bend.is_json(wire.content_type) else xml
        if self.platform.family in SIGNS_BODIES:
            wire = msgspec.structs.replace(wire, body=spoil(wire.body))
        else:
            self.tap.bend = body_bent(spoil)
        try:
            return await tell(self.platform, wire, self.tap)
        finally:
            self.tap.bend = None

    async def holds(self, out: Outbound) -> bool | None:
        return await holds(self.platform, out.id, self.tap)

    @property
    def exchanges(self) -> bool:
        """Whether there is anything between us and the platform that can be seen and bent."""
        return bool(self.tap.seen)


def body_bent(spoil: bend.Spoil) -> Callable[[Request], Request]:
    """The same request with another body."""
    return lambda request: replace(request, body=spoil(request.body))
