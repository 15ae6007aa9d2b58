"""What custodians (密钥管理员) do with our own keys: make, certify, announce, activate, retire, archive, revoke.

Every act is a move in the register (``signing.keyring``); what must hold for it is found out here. Answers are the changed
entry or a ``Rejected`` that says what is missing.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from gateway.config import Config, ConfigError
from gateway.files import write_public
from gateway.keys import keyfacts, nextcard
from gateway.keys.keyring import USES, Keyring
from gateway.keys.machine import in_machine
from gateway.ops.newnode import PEM_REQUEST
from gateway.ops.newnode import USES as TITLES
from gateway.store.schema import DATABASE
from signing import certs, custody, dual, issue, keyring
from signing.certs import Certificate
from signing.enveloped_key import open_enveloped_key
from signing.errors import Malformed, Rejected
from signing.keyring import STARTS, Act, Custodian, Entry, Facts, Moved, Register, State
from signing.keys import to_pem
from signing.sm2 import PublicKey

QUORUM = 2


@dataclass(frozen=True)
class KeyDesk:
    """A node's keys, the time, and who sits at the desk (``by``: names; ``order``: a signed order where two are needed)."""

    ring: Keyring
    config: Config
    base: Path
    now_ms: int
    by: tuple[str, ...] = ()
    order: bytes = b""

    # --- looking ----------------------------------------------------------------------------------------------------

    def find(self, text: str) -> Entry | Rejected:
        """A key by its id or the beginning of it."""
        found = [entry for entry in self.ring.entries() if len(text) >= 4 and entry.id.startswith(text.lower())]
        if len(found) == 1:
            return found[0]
        return Rejected("key-unknown", "没有这把密钥，或编号不唯一", "no such key, or more than one begins so")

    def certificate(self, entry: Entry) -> Certificate | None:
        """The certificate that lies with a key, if it is this key's."""
        try:
            found = certs.parse(self.ring.certificate_of(entry))
        except (ConfigError, Malformed):
            return None
        return found if found.public_key is not None and found.public_key.thumbprint == entry.id else None

    def listed(self, entry: Entry) -> bool:
        """Whether our signed card lists the key."""
        carded = entry.use in nextcard.CARDED
        return carded and entry.id in {key.id for key in nextcard.held(self.ring, self.base).keys}

    def where(self, entry: Entry) -> str:
        """``machine``, ``software``, or ``elsewhere`` (offline, or destroyed)."""
        if in_machine(entry.file):
            return "machine"
        return "software" if (self.ring.folder / entry.file).exists() else "elsewhere"

    def behind(self, entry: Entry) -> tuple[str, ...]:
        """Partners that are not known to hold a card with this key; none for a use that is not on the card."""
        if entry.use not in nextcard.CARDED or not self.config.peer:
            return ()
        first, told = keyfacts.first_listing(self._store, self.config.node.party, entry.id), keyfacts.told(self._store)
        return tuple(peer.id for peer in self.config.peer if first == 0 or told.get(peer.id, 0) < first)

    def depends(self, entry: Entry) -> int:
        """What still rests on a key in overlap: deliveries from before it was replaced; for an encryption key also what
        partners may still send under it, as long as their messages live."""
        if entry.state is not State.OVERLAP:
            return 0
        switched = entry.moves[-1].at_ms
        sealed = entry.use == "encryption" and self.now_ms < switched + self.config.delivery.expires_ms
        return keyfacts.open_before(self._store, switched) + sealed

    @property
    def _store(self) -> Path:
        return self.base / self.config.node.data / DATABASE

    @property
    def quorum(self) -> int:
        """How many custodians activate and revoke: two, unless this is a laboratory that says otherwise."""
        return QUORUM if self.config.keys.two_persons or not self.config.node.lab else 1

    # --- making -----------------------------------------------------------------------------------------------------

    def generate(self, use: str, index: int | None = None) -> Entry | Rejected:
        """A new key of a use; ``index``: one that was made inside the machine."""
        if use not in USES:
            return Rejected("key-use", f"用途须是 {'、'.join(USES)}", f"a use is one of {', '.join(USES)}")
        first = self._moved(STARTS["generate"])
        if index is not None:
            return self.ring.add_machine(use, index, first)
        return self.ring.add(use, self.ring.provider.generate(), first)

    def request(self, entry: Entry) -> Path | Rejected:
        """A certificate request for the key, beside the certificates."""
        subject = (("C", "CN"), ("O", self.config.node.name), ("OU", self.config.node.party),
                   ("CN", f"{self.config.node.name}{TITLES.get(entry.use, entry.use)}"))  # fmt: skip
        data = issue.build_csr(self.ring.signer_of(entry), subject=subject)
        refused = self._move(entry, Act.CSR)
        if isinstance(refused, Rejected):
            return refused
        path = self.ring.certs / f"{_stem(entry)}.csr"
        write_public(path, to_pem(PEM_REQUEST, data))
        return path

    def accept(self, data: bytes, where: str) -> Entry | Rejected:
        """A certificate that came back: it finds its key by itself."""
        found = _certificate(data, where)
        public = found.public_key
        entry = self.ring.register().entry(public.thumbprint) if public is not None else None
        if entry is None:
            return Rejected("key-unknown", "证书不是本节点任何一把密钥的", "the certificate is of no key of ours")
        refused = _unfit(found, entry.use, self.now_ms)
        if refused is not None:
            return refused
        name = f"{_stem(entry)}.der"
        after = self._move(entry, Act.IMPORT, certified=True, certificate=name)
        if not isinstance(after, Rejected):
            write_public(self.ring.certs / name, found.der)
        return after

    def deliver(self, data: bytes, enveloped: bytes, holder: Entry, where: str) -> Entry | Rejected:
        """The encryption key that the CA made, with its certificate. ``holder``: the key that it is sealed to."""
        found = _certificate(data, where)
        private = open_enveloped_key(_unwrapped(enveloped), self.ring.load(holder), self.ring.provider)
        if found.public_key != private.public:
            return Rejected("key-certificate", "证书不是所交付密钥的", "the certificate is not the delivered key's")
        refused = _unfit(found, "encryption", self.now_ms)
        if refused is not None:
            return refused
        name = f"encryption-{private.public.thumbprint}.der"
        entry = self.ring.add("encryption", private, self._moved(STARTS["deliver"]), name)
        if isinstance(entry, Entry):
            write_public(self.ring.certs / name, found.der)
        return entry

    # --- moving -----------------------------------------------------------------------------------------------------

    def announce(self, entry: Entry, since_ms: int) -> Path | Rejected | None:
        """Announce a key from a date on; the next card to be signed, None where the use is not on the card."""
        certified = self.certificate(entry) is not None
        after = self._move(entry, Act.ANNOUNCE, certified=certified, since_ms=since_ms)
        if isinstance(after, Rejected):
            return after
        return self.next_card() if entry.use in nextcard.CARDED else None

    def next_card(self) -> Path:
        """Write our next card, unsigned, from the register as it stands."""
        before = nextcard.held(self.ring, self.base)
        last_good = partial(keyfacts.last_good, self._store)
        card = nextcard.follow(before, self.ring.register(), self.ring.certificate_of, last_good, self.now_ms)
        return nextcard.write(self.base, card)

    def activate(self, entry: Entry, behind: tuple[str, ...], although: bool) -> Entry | Rejected:
        """Sign with this key from now on; the one before goes into overlap."""
        listed = entry.use not in nextcard.CARDED or self.listed(entry)
        certified = self.certificate(entry) is not None
        return self._move(entry, Act.ACTIVATE, certified=certified, listed=listed, behind=behind, although=although)

    def revoke(self, entry: Entry, reason: str) -> Entry | Rejected:
        """The key is not ours any more, from this moment on."""
        return self._move(entry, Act.REVOKE, reason)

    def retire(self, entry: Entry, reason: str, depends: int, although: bool) -> Entry | Rejected:
        """The overlap is over, or a key that was never used is given up."""
        return self._move(entry, Act.RETIRE, reason, depends=depends, although=although)

    def archive(self, entry: Entry, reason: str) -> Entry | Rejected:
        """Destroy the private key on this node; what it signed stays ours."""
        after = self._move(entry, Act.ARCHIVE, reason)
        if not isinstance(after, Rejected) and self.where(entry) == "software":
            (self.ring.folder / entry.file).unlink()
        return after

    # --- people -----------------------------------------------------------------------------------------------------

    def appoint(self, name: str, public: PublicKey) -> Register | Rejected:
        """Register a custodian; from the third on it takes an order of two."""
        new = Custodian(name, public.point)

        def work(register: Register) -> Register | Rejected:
            if len(register.custodians) >= QUORUM:
                ordered = self._ordered(register, "appoint", f"{name} {public.thumbprint}")
                if isinstance(ordered, Rejected):
                    return ordered
            found = custody.appoint(register.custodians, new)
            return found if isinstance(found, Rejected) else _staffed(register, found)

        return self.ring.change(work)

    def dismiss(self, name: str) -> Register | Rejected:
        """Take a custodian off the list: an order of two, who may be told from the one that leaves or not."""

        def work(register: Register) -> Register | Rejected:
            if name not in {one.name for one in register.custodians}:
                return Rejected("custodian-unknown", "没有这名密钥管理员", "there is no such custodian")
            ordered = self._ordered(register, "dismiss", name)
            if isinstance(ordered, Rejected):
                return ordered
            return _staffed(register, tuple(one for one in register.custodians if one.name != name))

        return self.ring.change(work)

    def _ordered(self, register: Register, act: str, subject: str) -> tuple[tuple[str, ...], str] | Rejected:
        """Names and reason of an order that enough custodians signed."""
        if not self.order:
            zh, en = "须有两名管理员签署的操作单（--order）", "an order signed by two custodians is needed (--order)"
            return Rejected("key-persons", zh, en)
        wanted = (self.config.node.party, act, subject)
        found = custody.approved_by(self.order, wanted, register.custodians, self.now_ms, self.ring.provider)
        if isinstance(found, Rejected):
            return found
        order, names = found
        if len(names) < QUORUM:
            zh = f"操作单上只有 {len(names)} 名登记管理员的有效签名"
            return Rejected("key-persons", zh, f"the order has {len(names)} good signature(s) of registered custodians")
        return names, order.reason

    def _move(
        self, entry: Entry, act: Act, reason: str = "", *, certificate: str = "", since_ms: int = 0, **known: object
    ) -> Entry | Rejected:
        """One move in the register, with new particulars of the key where there are some."""

        def work(register: Register) -> Register | Rejected:
            by, why = self.by[:1], reason
            if self.quorum == QUORUM and keyring.takes_two(register, entry.id, act):
                found = self._ordered(register, act, entry.id)
                if isinstance(found, Rejected):
                    return found
                by, why = found[0], reason or found[1]
            facts = Facts(self.now_ms, by, why, quorum=self.quorum, **known)  # type: ignore[arg-type]
            moved = keyring.move(register, entry.id, act, facts)
            if isinstance(moved, Rejected) or not (certificate or since_ms):
                return moved
            after = msgspec.structs.replace(
                entry, certificate=certificate or entry.certificate, since_ms=since_ms or entry.since_ms
            )
            return keyring.change(moved, after)

        found = self.ring.change(work)
        if isinstance(found, Rejected):
            return found
        after = found.entry(entry.id)
        assert after is not None  # noqa: S101 - it was moved
        return after

    def _moved(self, to: State) -> Moved:
        return Moved(self.now_ms, to, self.by)


def _stem(entry: Entry) -> str:
    """The name of what belongs to a key, beside the certificates of other keys."""
    return f"{entry.use}-{entry.id}"


def _staffed(register: Register, custodians: tuple[Custodian, ...]) -> Register:
    return msgspec.structs.replace(register, version=register.version + 1, custodians=custodians)


def _certificate(data: bytes, where: str) -> Certificate:
    try:
        return certs.load(data)[0]
    except Malformed as error:
        raise ConfigError(where, error.zh, error.en) from None


def _unfit(found: Certificate, use: str, now_ms: int) -> Rejected | None:
    """Why a certificate is none for this use now."""
    if not (dual.may_encrypt if use == "encryption" else dual.may_sign)(found):
        zh, en = "证书的密钥用途与这把密钥的用途不符", "the certificate's key usage is not what this key is for"
        return Rejected("key-usage", zh, en)
    if found.not_after <= datetime.fromtimestamp(now_ms / 1000, UTC):
        return Rejected("key-expired", "证书已过期", "the certificate has expired")
    return None


def _unwrapped(data: bytes) -> bytes:
    """The delivered structure as DER or blob; CAs hand it over as Base64 text too."""
    try:
        text = b"".join(data.split())
        return base64.b64decode(text, validate=True) if text.isascii() and text[:1] not in (b"\x30", b"\x01") else data
    except binascii.Error:
        return data
