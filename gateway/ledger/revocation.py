"""Signatures of keys that were revoked since (吊销之前的签名, row L08): which of them still count, as a table.

A revoked key's own clock proves nothing: whoever stole it can sign any time into a text. So a signature counts only if
something else fixed it before the revocation: the last good state of the ledger that the revocation names (signed by the
identity key), an authority's time stamp, or another party's ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from gateway.ledger.checkpoint import entry_digest, parse_text
from gateway.ledger.package import Finding
from gateway.ledger.times import Times, Use
from signing.errors import Indeterminate, Rejected
from signing.sm3 import sm3

Reason = Rejected | Indeterminate


class Revocation(NamedTuple):
    """When a key was revoked, and the last good size and root of its party's ledger (0 and b"" where none is named)."""

    at_ms: int
    size: int = 0
    root: bytes = b""


class Statement(NamedTuple):
    """What a revoked key signed: its stated time, and, under a checkpoint, that one's size and root.

    ``fixed``: the times at which others are proved to have held it. ``extends``: whether a consistency path leads from it to
    the last good state that the revocation names.
    """

    at_ms: int
    size: int = 0
    root: bytes = b""
    fixed: Iterable[int] = ()
    extends: bool = False


AFTER = Rejected("key-revoked", "密钥吊销之后的签名", "signed after the key was revoked")
BEYOND = Rejected(
    "key-revoked-beyond",
    "超出吊销时所记的最后完好账本",
    "beyond the last good state of the ledger that the revocation names",
)
OTHER_ROOT = Rejected(
    "key-revoked-root", "与吊销时所记的账本根不同", "another root than the one that the revocation names for this size"
)
UNFIXED = Indeterminate(
    "key-revoked-unfixed",
    "密钥已吊销，没有时间戳或他方账本证明签名在吊销之前",
    "the key was revoked, and neither a time stamp nor another party's ledger proves the signature to be older",
)


class Held(NamedTuple):
    """One signature of a package that holds: whose key, when used, over which entry, under which checkpoint text."""

    section: str
    line: int
    message: str
    party: str
    key: str
    used: Use
    entry: bytes = b""
    text: str = ""

    @property
    def root(self) -> bytes:
        """Of its checkpoint; empty for a direct proof."""
        found = parse_text(self.text.encode())
        return found.root if found is not None else b""

    def fixes(self, other: Held) -> bool:
        """Whether this one shows that the other was there: a receipt for what it sent, or its checkpoint as observed."""
        if self.party == other.party:
            return False
        if (self.section, other.section) == ("receipts", "proofs"):
            return self.message == other.message
        observed = other.used.origin and entry_digest("observed", other.used.origin, sm3(other.text.encode()))
        return self.entry == observed


def doubts(held: Sequence[Held], revoked: Mapping[tuple[str, str], Revocation], times: Times) -> list[Finding]:
    """What does not count of the signatures by keys that their parties have revoked."""
    findings = []
    for one in held:
        revocation = revoked.get((one.party, one.key))
        if revocation is None:
            continue
        fixed = [o.used.at_ms for o in held if (o.party, o.key) not in revoked and o.fixes(one)]
        if (bound := times.bound(one.used)) is not None:
            fixed.append(bound)
        good = any((o.used.origin, o.used.size, o.root) == (one.used.origin, *revocation[1:]) for o in held)
        extends = good and times.leads(one.used, revocation.size)
        said = Statement(one.used.at_ms, one.used.size, one.root, fixed, extends)
        reason = judge(revocation, said)
        if reason is not None:
            bad = isinstance(reason, Rejected)
            findings.append(Finding(one.section, reason.code, reason.zh, reason.en, one.line, one.message, bad=bad))
    return findings


def judge(revoked: Revocation, said: Statement) -> Reason | None:
    """None when it counts; otherwise the first that applies, in this order:

    | 1 | stated at or after the revocation | AFTER |
    | 2 | a larger ledger than the last good one | BEYOND |
    | 3 | the last good size with another root | OTHER_ROOT |
    | 4 | the last good state itself, or one that it extends | counts |
    | 5 | fixed by others before the revocation | counts |
    | 6 | nothing of that | UNFIXED |
    """
    if said.at_ms >= revoked.at_ms:
        return AFTER
    if revoked.root and said.root:
        if said.size > revoked.size:
            return BEYOND
        if said.size == revoked.size:
            return None if said.root == revoked.root else OTHER_ROOT
        if said.extends:
            return None
    if any(fixed < revoked.at_ms for fixed in said.fixed):
        return None
    return UNFIXED
