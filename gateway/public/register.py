"""The node's own register as the source of the public pages: as of now, whatever was done to a certificate a moment ago."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.core.ecert import State
from gateway.flow import issued
from gateway.flow.issued import Issued
from gateway.public.shown import Shown, show
from gateway.public.source import News
from gateway.store.journal import Reader
from gateway.store.vault import Vault

HIDDEN = frozenset({State.STAMPING, State.DROPPED})  # nobody has been handed such a one
PAGE = 500
KEPT = 4096  # masked forms in memory


@dataclass(frozen=True)
class Register:
    """``Source`` over the store; ``read`` gives the last committed state. How a certificate stands is read for every answer; what
    was opened and masked is kept until the next act on it."""

    read: Callable[[], Reader]
    vault: Vault
    _kept: dict[str, tuple[int, Shown]] = field(default_factory=dict)

    def look(self, digest: bytes) -> Shown | None:
        """The certificate as it stands."""
        reader = self.read()
        found = issued.by_token(reader, digest)
        if found is None or found.state in HIDDEN:
            return None
        events, kept = self._kept.get(found.id, (-1, None))
        if kept is None or events != found.events:
            kept = shown(reader, self.vault, found)
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[found.id] = (found.events, kept)
        return kept

    def news(self, now_ms: int) -> News:
        """It is the register itself that answers."""
        return News(now_ms, False)


def shown(reader: Reader, vault: Vault, found: Issued) -> Shown:
    """The public form of a certificate of the register."""
    of = issued.metadata(vault, found)
    permits = {one.id: State(one.state) for one in issued.permits(reader, found.id)} if of.permits else {}
    return show(of, State(found.state), _since(reader, found), permits)


def _since(reader: Reader, found: Issued) -> int:
    """Since when a certificate is not valid any more; 0 for one that is."""
    if found.state == State.VALID:
        return 0
    row = reader.one("SELECT max(at_ms) FROM certificate_event WHERE certificate = ? AND permit = ''", found.id)
    return found.updated_ms if row is None or row[0] is None else int(row[0])


def entries(reader: Reader, vault: Vault) -> Iterator[tuple[bytes, Shown]]:
    """All of them in the order of their tokens' digests, a page of the table in memory at a time."""
    after = b""
    while tokens := reader.all("SELECT token FROM certificate WHERE token > ? ORDER BY token LIMIT ?", after, PAGE):
        for (token,) in tokens:
            found = issued.by_token(reader, token)
            if found is not None and found.state not in HIDDEN:
                yield token, shown(reader, vault, found)
        after = tokens[-1][0]
