"""Bring the certificate that a use code stands for, from where it was authorised, and judge it before anybody sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapters.sharing.base import Fetched, Kind, No, Sharing
from gateway.flow.recognition import Recognised
from gateway.flow.shared import Secret, UseCode
from gateway.sharing.judge import Seen, Unfit, Wanted, judge, not_valid
from signing.ecert_verify import Weight
from signing.providers import Provider

OWN = "own"  # our own register


@dataclass(frozen=True, slots=True)
class Source:
    """One place that certificates come from. ``types``: those that it is asked for, all if empty; ``known``: by what the
    seals on its certificates are judged; ``identifier``: what one that is not after the standard means."""

    id: str
    port: Sharing
    types: frozenset[str]
    known: Callable[[], Recognised]
    identifier: Weight = "note"

    def serves(self, type_code: str) -> bool:
        """Whether it is asked for certificates of this type."""
        return not self.types or type_code in self.types


@dataclass(frozen=True, slots=True)
class Got:
    """A certificate that holds. ``status``: the register's word for it now."""

    seen: Seen
    status: str
    file: bytes = field(repr=False)


UNFIT: Mapping[Kind, str] = {"absent": "TB-7030", "unusable": "TB-7027"}


def unfit(no: No) -> Unfit:
    """Why nothing came, in the catalogue's words."""
    return Unfit("TB-7028" if no.again else UNFIT.get(no.kind, "TB-7029"), no.reason, later=no.again)


@dataclass(frozen=True, slots=True)
class Getting:
    """``sources`` by id."""

    sources: Mapping[str, Source]
    provider: Provider
    now_ms: Callable[[], int]

    async def get(self, row: UseCode, secret: Secret) -> Got | Unfit:
        """The certificate, or why it is not to be had; never raises for what is outside."""
        source = self.sources.get(row.source)
        if source is None:
            return Unfit("TB-7031", "source-not-configured")
        fetched = await _fetched(source.port, row, secret)
        if isinstance(fetched, No):
            return unfit(fetched)
        wanted = Wanted(row.identifier, row.type_code, secret.holder.code)
        at = datetime.fromtimestamp(self.now_ms() / 1000, UTC)
        judged = await asyncio.to_thread(
            judge, fetched.file, wanted, at, source.known(), self.provider, source.identifier
        )
        if isinstance(judged, Unfit):
            return judged
        return not_valid(fetched.status) or Got(judged, fetched.status, fetched.file)


async def _fetched(port: Sharing, row: UseCode, secret: Secret) -> Fetched | No:
    """A ticket that the platform calls used although its answer never came here, or whose time is over while our code lives, is
    asked for anew, once: same certificate, same cause."""
    found = await port.fetch(secret.ticket, secret.cause)
    if isinstance(found, No) and found.kind == "spent":
        again = await port.authorise(secret.holder, row.identifier, row.type_code, secret.cause)
        found = again if isinstance(again, No) else await port.fetch(again.ticket, secret.cause)
    return found
