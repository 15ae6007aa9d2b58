"""Party cards on their way (名片交换): ours to the partners, theirs to us, each kept for ever and logged as a ledger leaf.

A partner that has taken our card proves it by its ledger, so who is behind is known (``told``). A card that comes is held
against the one before it (``card.follow``): none older, none jumping ahead, no second one of the same version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import structlog

from gateway.exchange import card as cards
from gateway.exchange.card import STEP, Card, Next
from gateway.exchange.client import Denied, PeerClient, Unreachable
from gateway.exchange.trail import HeldCard
from gateway.exchange.trust import Partner
from gateway.ledger.checkpoint import LedgerProof, check_proof, entry_digest, parse_text
from gateway.problems import Refused
from gateway.store.journal import Journal, Reader, Tx, Work
from signing.providers import Provider
from signing.sm3 import sm3

log = structlog.get_logger("cards")
GAP_S = 0.5  # between two fetches from one partner: strangers must not make us ask it without end
LONGEST_WALK = 64  # cards fetched one after the other
REFUSED_S = 60.0  # before a partner that refused our card is offered it again


@dataclass(frozen=True)
class Cards:
    """All cards of this node. ``own``: ours, oldest first."""

    own: list[HeldCard]
    partners: Mapping[str, Partner]
    journal: Journal
    provider: Provider
    renewed: Callable[[Card], None]  # told of every newer card of a partner
    clients: dict[str, PeerClient] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)
    _asking: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def card(self) -> Card:
        """Our newest card."""
        return self.own[-1].card

    def after(self, version: int) -> HeldCard:
        """What to show to someone who holds this version of ours: the newest card, or the furthest that it may follow."""
        within = [one for one in self.own if version < one.card.version <= version + STEP]
        return within[-1] if version and within else self.own[-1]

    async def keep(self, held: Iterable[HeldCard]) -> None:
        """At start: store what only the files have."""
        reader = self.journal.read()
        known = set(reader.all("SELECT party, version FROM card"))
        new = [_kept(one) for one in held if (one.card.party, one.card.version) not in known]
        if new:
            await self.journal.submit(*new)

    def follows(self, card: Card) -> bool:
        """Whether this may be our next card."""
        step = cards.follow(self.card, card)
        if step in (Next.NEWER, Next.JUMP):  # we hold all our cards ourselves: a jump is only a hurry
            return True
        if step is not Next.SAME:
            log.error("our card file cannot follow our card", step=step.value, version=card.version)
        return False

    async def publish(self, held: HeldCard) -> None:
        """Our own next card: kept, and shown from now on."""
        (await self.journal.submit(_kept(held))).only()
        self.own.append(held)

    # --- theirs ------------------------------------------------------------------------------------------------------

    def offered(self, partner: Partner, data: bytes) -> Card:
        """A card that was brought as this partner's, by its identity key; ``Refused('TB-2015')`` otherwise."""
        if len(data) > cards.MAX_SIZE:
            raise Refused("TB-1002")
        try:
            found = cards.read(data, partner.fingerprint, self.provider)
        except cards.CardError as error:
            raise Refused("TB-2015", error.zh) from None
        if found.party != partner.id:
            raise Refused("TB-2015", Next.OTHER.value)
        return found

    async def take(self, partner: Partner, data: bytes) -> tuple[int, LedgerProof]:
        """Take a partner's card in; its version with our ledger's proof of having it.

        ``Refused``: TB-2015 it cannot follow the one held, TB-2016 a second card of one version (pauses the partner),
        TB-2008 its revocation names a ledger state that is not the one we saw (pauses too).
        """
        card = self.offered(partner, data)
        step = cards.follow(partner.card, card)
        if step is Next.CONFLICT:
            await self._pause(partner.id, "TB-2016")
        if step not in (Next.SAME, Next.NEWER):
            raise Refused("TB-2015", step.value, held=partner.card.version)
        if _contradicts(self.journal.read(), card):
            await self._pause(partner.id, "TB-2008")
        commit = await self.journal.submit(_kept(HeldCard(data, card)))
        leaf, stored = commit.only()
        if card.version > partner.card.version:
            partner.renew(card)
            self.renewed(card)
            log.info("partner's card", peer=partner.id, version=card.version, revoked=len(card.revoked))
        return card.version, self.journal.prove(leaf) if stored else commit.prove(leaf)

    async def fetch(self, partner: Partner) -> None:
        """Ask a partner for what came after the card we hold, once for all who wait for it; not again within ``GAP_S``."""
        task, now_s = self._asking.get(partner.id), asyncio.get_running_loop().time()
        if task is None or task.done():
            if now_s < self._not_before.get(partner.id, 0):
                return
            self._not_before[partner.id] = now_s + GAP_S
            task = self._asking[partner.id] = asyncio.create_task(self._walk(partner))
        await asyncio.shield(task)

    async def _walk(self, partner: Partner) -> None:
        """From the card we hold to the newest, step by step."""
        for _ in range(LONGEST_WALK):
            before = partner.card.version
            data = await self.clients[partner.id].card(before)
            if isinstance(data, Unreachable):
                log.warning("card not fetched", peer=partner.id, cause=data.reason)
                return
            try:
                await self.take(partner, data)
            except Refused as refused:
                log.error("partner's card refused", peer=partner.id, code=refused.code)
                return
            if partner.card.version == before:
                return

    async def fetch_all(self) -> None:
        """Ask every partner."""
        await asyncio.gather(*(self.fetch(partner) for partner in self.partners.values()), return_exceptions=True)

    async def _pause(self, party: str, code: str) -> None:
        await self.journal.submit(
            lambda tx: tx.run("UPDATE peer SET state = 'paused', cause = ? WHERE id = ?", code, party)
        )
        raise Refused(code)

    # --- ours --------------------------------------------------------------------------------------------------------

    def owed(self, party: str) -> bool:
        """Whether the partner has still to be brought our newest card."""
        if asyncio.get_running_loop().time() < self._not_before.get(f"to {party}", 0):
            return False
        return told_version(self.journal.read(), party) < self.card.version

    async def tell(self, partner: Partner) -> Unreachable | None:
        """Bring our newest card to a partner that has an older one; None when it has it, or will not have it."""
        while self.owed(partner.id):
            told = told_version(self.journal.read(), partner.id)
            held = self.after(told)
            outcome = await self.clients[partner.id].send_card(held.data)
            if isinstance(outcome, Unreachable):
                return outcome
            if isinstance(outcome, Denied):
                if outcome.held is not None and told != outcome.held < self.card.version:
                    await self.journal.submit(_told(partner.id, outcome.held, None))
                    continue
                log.error("our card was refused", peer=partner.id, code=outcome.code)
                self._not_before[f"to {partner.id}"] = asyncio.get_running_loop().time() + REFUSED_S
                return None
            if outcome.proof is not None and not await self._proved(partner, held, outcome.proof):
                return Unreachable("proof")
            shown = None if outcome.proof is None else msgspec.json.encode(outcome.proof)
            await self.journal.submit(_told(partner.id, held.card.version, shown))
        return None

    async def _proved(self, partner: Partner, held: HeldCard, proof: LedgerProof) -> bool:
        """Whether the partner's ledger has this card of ours. Its own key may be newer than its card that we hold."""
        entry = _entry(held)
        if check_proof(entry, proof, verify=partner.verify) is None:
            return True
        await self.fetch(partner)
        return check_proof(entry, proof, verify=partner.verify) is None

    async def unknown(self, party: str) -> None:
        """The partner does not know what we sign with: it gets our card again."""
        await self.journal.submit(_told(party, 0, None))

    async def fetched(self, party: str, version: int) -> None:
        """A partner asks, by its signature, for what comes after this version of ours: so it holds that."""
        if told_version(self.journal.read(), party) < version <= self.card.version:
            await self.journal.submit(_told(party, version, None))


def told_version(reader: Reader, party: str) -> int:
    """Which version of our card the partner is known to hold; 0 when none is."""
    row = reader.one("SELECT version FROM card_told WHERE peer = ?", party)
    return 0 if row is None else int(row[0])


def _entry(held: HeldCard) -> bytes:
    return entry_digest("card", f"{held.card.party}/{held.card.version}", sm3(held.data))


def _kept(held: HeldCard) -> Work[tuple[int, bool]]:
    """The work that keeps a card; its leaf, and whether it was kept before. A second one of its version is a conflict."""
    card = held.card

    def work(tx: Tx) -> tuple[int, bool]:
        row = tx.one("SELECT data, leaf FROM card WHERE party = ? AND version = ?", card.party, card.version)
        if row is not None:
            return int(row[1]), True
        leaf = tx.leaf("card", f"{card.party}/{card.version}", _entry(held))
        tx.run(
            "INSERT INTO card (party, version, data, leaf, at_ms) VALUES (?,?,?,?,?)",
            card.party, card.version, held.data, leaf, tx.now_ms,
        )  # fmt: skip
        return leaf, False

    return work


def _told(party: str, version: int, proof: bytes | None) -> Work[None]:
    def work(tx: Tx) -> None:
        tx.run("DELETE FROM card_told WHERE peer = ?", party)
        tx.run("INSERT INTO card_told (peer, version, proof, at_ms) VALUES (?,?,?,?)", party, version, proof, tx.now_ms)

    return work


def _contradicts(reader: Reader, card: Card) -> bool:
    """Whether a revocation names another root than the one that we saw at that size."""
    row = reader.one("SELECT held FROM peer WHERE id = ?", card.party)
    held = parse_text(row[0].encode()) if row is not None and row[0] else None
    return held is not None and any(one.size == held.size and one.root != held.root.hex() for one in card.revoked)
