"""The life of our own keys (密钥生命周期) as a table: ``(state, act): Row(next, by, needs)``; a missing row is refused.

No row leads back (row L09): a key that was replaced is never used again, and a key is named by the thumbprint of its
public point, so a name cannot pass to another key. What a key may be used for is a question to its state. Activating and
revoking take two custodians. Pure: time, names and what the partners know come in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final

import msgspec

from signing.errors import Malformed, Rejected


class State(StrEnum):
    GENERATED = "generated"
    CSR = "csr"
    CERTIFIED = "certified"
    ANNOUNCED = "announced"
    ACTIVE = "active"
    OVERLAP = "overlap"
    RETIRED = "retired"
    ARCHIVED = "archived"
    REVOKED = "revoked"


class Act(StrEnum):
    CSR = "csr"
    IMPORT = "import"
    ANNOUNCE = "announce"
    ACTIVATE = "activate"
    SUCCEED = "succeed"  # another key of the same use became active
    RETIRE = "retire"
    ARCHIVE = "archive"
    REVOKE = "revoke"


class By(StrEnum):
    CUSTODIAN = "custodian"
    TWO = "two"  # two different custodians
    NODE = "node"  # follows from another act, nobody asks for it


class Need(StrEnum):
    CERTIFICATE = "certificate"  # a certificate of this very key is at hand
    LISTED = "listed"  # our signed card lists it; keys of other uses are not on the card
    SINCE = "since"  # the announced date has come
    FETCHED = "fetched"  # every partner has fetched the card with it, or the custodian was asked twice
    DRAINED = "drained"  # nothing open depends on it any more, or the custodian was asked twice
    REASON = "reason"


class Power(StrEnum):
    SIGN = "sign"
    VERIFY = "verify"  # what it signed is ours
    DECRYPT = "decrypt"


@dataclass(frozen=True, slots=True)
class Row:
    """Where an act leads, who may ask for it, and what must hold."""

    next: State
    by: By
    needs: tuple[Need, ...] = ()


_CSR = Row(State.CSR, By.CUSTODIAN)
_IMPORT = Row(State.CERTIFIED, By.CUSTODIAN, (Need.CERTIFICATE,))
_GIVE_UP = Row(State.RETIRED, By.CUSTODIAN, (Need.REASON,))
_REVOKE = Row(State.REVOKED, By.TWO, (Need.REASON,))

ROWS: Final[dict[tuple[State, Act], Row]] = {
    (State.GENERATED, Act.CSR): _CSR,
    (State.GENERATED, Act.IMPORT): _IMPORT,
    (State.GENERATED, Act.RETIRE): _GIVE_UP,
    (State.GENERATED, Act.REVOKE): _REVOKE,
    (State.CSR, Act.CSR): _CSR,
    (State.CSR, Act.IMPORT): _IMPORT,
    (State.CSR, Act.RETIRE): _GIVE_UP,
    (State.CSR, Act.REVOKE): _REVOKE,
    (State.CERTIFIED, Act.IMPORT): _IMPORT,
    (State.CERTIFIED, Act.ANNOUNCE): Row(State.ANNOUNCED, By.CUSTODIAN, (Need.CERTIFICATE,)),
    (State.CERTIFIED, Act.RETIRE): _GIVE_UP,
    (State.CERTIFIED, Act.REVOKE): _REVOKE,
    (State.ANNOUNCED, Act.ACTIVATE): Row(
        State.ACTIVE, By.TWO, (Need.CERTIFICATE, Need.LISTED, Need.SINCE, Need.FETCHED)
    ),
    (State.ANNOUNCED, Act.RETIRE): _GIVE_UP,
    (State.ANNOUNCED, Act.REVOKE): _REVOKE,
    (State.ACTIVE, Act.SUCCEED): Row(State.OVERLAP, By.NODE),
    (State.ACTIVE, Act.REVOKE): _REVOKE,
    (State.OVERLAP, Act.RETIRE): Row(State.RETIRED, By.CUSTODIAN, (Need.DRAINED,)),
    (State.OVERLAP, Act.REVOKE): _REVOKE,
    (State.RETIRED, Act.ARCHIVE): Row(State.ARCHIVED, By.CUSTODIAN, (Need.REASON,)),
    (State.RETIRED, Act.REVOKE): _REVOKE,
}

# How a key comes to be in the register: made here, delivered by the CA (SM2EnvelopedKey), or in use before there was one.
STARTS: Final[dict[str, State]] = {
    "generate": State.GENERATED,
    "deliver": State.CERTIFIED,
    "adopt": State.ACTIVE,
}

_ALL = frozenset(Power)
_OLD = frozenset({Power.VERIFY})
# An announced key opens already: a partner whose clock is ahead of ours may seal to it before we have switched.
MAY: Final[dict[State, frozenset[Power]]] = {
    State.GENERATED: frozenset(),
    State.CSR: frozenset(),
    State.CERTIFIED: frozenset(),
    State.ANNOUNCED: frozenset({Power.VERIFY, Power.DECRYPT}),
    State.ACTIVE: _ALL,
    State.OVERLAP: _ALL - {Power.SIGN},
    State.RETIRED: _OLD,
    State.ARCHIVED: _OLD,
    State.REVOKED: frozenset(),  # what it signed before is judged by the evidence's own rules, at its checkpoint's time
}


_OVER: Final = (State.RETIRED, State.ARCHIVED, State.REVOKED)


Millis = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]


class Moved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a key's life: when (ms), where to, by whom, why."""

    at_ms: Millis
    to: State
    by: tuple[str, ...]
    reason: str = ""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key: ``id`` thumbprint, ``file`` in the key folder or the URI of a machine, ``certificate`` in ``certs`` or ""."""

    id: str
    use: str
    file: str
    moves: tuple[Moved, ...]
    certificate: str = ""
    since_ms: Millis = 0

    @property
    def state(self) -> State:
        """Where its life stands."""
        return self.moves[-1].to

    @property
    def alive(self) -> bool:
        """Whether it is not yet retired, archived or revoked."""
        return self.state not in _OVER

    def may(self, power: Power) -> bool:
        """Whether it may be used so now."""
        return power in MAY[self.state]


class Custodian(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One who orders acts on keys (密钥管理员): a name and the own SM2 key's point, 04||x||y."""

    name: str
    point: bytes


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All our keys. ``version`` goes up with every change; ``backup_ms``, ``drill_ms``: when a split backup was last made,
    and when shares last opened one (0: never)."""

    version: int = 0
    entries: tuple[Entry, ...] = ()
    custodians: tuple[Custodian, ...] = ()
    backup_ms: Millis = 0
    drill_ms: Millis = 0

    def active(self, use: str) -> Entry | None:
        """The one key of this use that signs."""
        return next((entry for entry in self.entries if entry.use == use and entry.state is State.ACTIVE), None)

    def entry(self, key_id: str) -> Entry | None:
        """The key of this id."""
        return next((entry for entry in self.entries if entry.id == key_id), None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when an act is asked for. ``behind``: partners that have not fetched the key; ``depends``: how many
    open things still rest on it; ``although``: asked twice; ``quorum``: 1 where two persons are switched off (lab)."""

    at_ms: int
    by: tuple[str, ...]
    reason: str = ""
    certified: bool = False
    listed: bool = False
    behind: tuple[str, ...] = ()
    depends: int = 0
    although: bool = False
    quorum: int = 2


def move(register: Register, key_id: str, act: Act, facts: Facts) -> Register | Rejected:
    """The register after the act, or why not. Activating one key moves the one it replaces into overlap."""
    entry = register.entry(key_id)
    row = ROWS.get((entry.state, act)) if entry is not None else None
    if entry is None or row is None or row.by is By.NODE:
        return Rejected("key-move", "密钥在此状态下不能这样做", "the key's state does not allow this")
    refused = _people(row, facts) or next(filter(None, (_NEEDS[need](entry, facts) for need in row.needs)), None)
    if refused is not None:
        return refused
    moved = {entry.id: _step(entry, row.next, facts)}
    former = register.active(entry.use) if row.next is State.ACTIVE else None
    if former is not None:
        moved[former.id] = _step(former, ROWS[State.ACTIVE, Act.SUCCEED].next, facts)
    return _changed(register, tuple(moved.get(one.id, one) for one in register.entries))


def takes_two(register: Register, key_id: str, act: Act) -> bool:
    """Whether this act on this key, as it stands, is one for two custodians."""
    entry = register.entry(key_id)
    row = ROWS.get((entry.state, act)) if entry is not None else None
    return row is not None and row.by is By.TWO


def add(register: Register, entry: Entry) -> Register | Rejected:
    """The register with a new key; one that was ever in it is refused, whatever its state (L09)."""
    if register.entry(entry.id) is not None:
        return Rejected("key-known", "该密钥已登记过，不能重新登记", "the key has been registered before")
    return _changed(register, (*register.entries, entry))


def change(register: Register, entry: Entry) -> Register:
    """The register with other particulars (certificate, announced date) of a key it has; moves stay as they are."""
    entries = tuple(
        msgspec.structs.replace(entry, moves=one.moves) if one.id == entry.id else one for one in register.entries
    )
    return _changed(register, entries)


def check(register: Register) -> None:
    """Malformed when the register tells a life that the table does not know, a key twice, or two active keys of one use."""
    ids = [entry.id for entry in register.entries]
    active = [entry.use for entry in register.entries if entry.moves and entry.state is State.ACTIVE]
    lives = all(map(_lived, register.entries))
    if len(set(ids)) != len(ids) or len(set(active)) != len(active) or not lives:
        raise Malformed("key-register", "密钥登记簿自相矛盾", "the key register contradicts itself")


def _lived(entry: Entry) -> bool:
    steps = {(state, row.next) for (state, _), row in ROWS.items()}
    states = [moved.to for moved in entry.moves]
    times = [moved.at_ms for moved in entry.moves]
    begun = bool(states) and states[0] in STARTS.values()
    return begun and times == sorted(times) and all(pair in steps for pair in pairwise(states))


def _people(row: Row, facts: Facts) -> Rejected | None:
    needed = facts.quorum if row.by is By.TWO else 1
    if len(set(facts.by)) < needed:
        return Rejected("key-persons", f"须由 {needed} 名密钥管理员办理", f"takes {needed} custodian(s)")
    return None


def _certificate(_: Entry, facts: Facts) -> Rejected | None:
    if facts.certified:
        return None
    return Rejected("key-certificate", "没有与该密钥相符的证书", "there is no certificate of this very key")


def _listed(_: Entry, facts: Facts) -> Rejected | None:
    if facts.listed:
        return None
    return Rejected("key-not-on-card", "签发的名片中还没有这把密钥", "our signed card does not list the key yet")


def _since(entry: Entry, facts: Facts) -> Rejected | None:
    if facts.at_ms >= entry.since_ms:
        return None
    return Rejected("key-not-yet", "尚未到名片公布的启用时间", "the announced date has not come")


def _fetched(_: Entry, facts: Facts) -> Rejected | None:
    if not facts.behind or facts.although:
        return None
    names = "、".join(facts.behind)
    return Rejected("key-behind", f"尚未取得新名片的对端：{names}", f"partners without the new card: {names}")


def _drained(_: Entry, facts: Facts) -> Rejected | None:
    if not facts.depends or facts.although:
        return None
    return Rejected("key-depends", f"还有 {facts.depends} 项依赖该密钥", f"{facts.depends} open things rest on the key")


def _reason(_: Entry, facts: Facts) -> Rejected | None:
    return None if facts.reason.strip() else Rejected("key-reason", "须说明事由", "a reason is needed")


_NEEDS: Final[dict[Need, Callable[[Entry, Facts], Rejected | None]]] = {
    Need.CERTIFICATE: _certificate,
    Need.LISTED: _listed,
    Need.SINCE: _since,
    Need.FETCHED: _fetched,
    Need.DRAINED: _drained,
    Need.REASON: _reason,
}


def _step(entry: Entry, to: State, facts: Facts) -> Entry:
    """Never before the step before it, also when a clock was set back."""
    at_ms = max(facts.at_ms, entry.moves[-1].at_ms)
    moved = Moved(at_ms, to, tuple(sorted(set(facts.by))), facts.reason.strip())
    return msgspec.structs.replace(entry, moves=(*entry.moves, moved))


def _changed(register: Register, entries: tuple[Entry, ...]) -> Register:
    return msgspec.structs.replace(register, version=register.version + 1, entries=entries)


# state -> Chinese, English
NAMES: Final[dict[State, tuple[str, str]]] = {
    State.GENERATED: ("已生成", "generated"),
    State.CSR: ("待发证", "certificate requested"),
    State.CERTIFIED: ("已发证", "certified"),
    State.ANNOUNCED: ("预发布", "announced"),
    State.ACTIVE: ("在用", "active"),
    State.OVERLAP: ("重叠期", "overlap"),
    State.RETIRED: ("停用", "retired"),
    State.ARCHIVED: ("归档", "archived"),
    State.REVOKED: ("吊销", "revoked"),
}
