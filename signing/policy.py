"""What a verifier demands, as values that every check takes as a required argument. Nothing here has a silent default
where the answer changes what is trusted: revocation and usage are always said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

Revocation = Literal["ignore", "if-present", "require"]
Usage = Literal["any", "sign", "encrypt", "crl-sign"]
Partitions = Literal["by-point", "refuse", "as-complete"]
Nonce = Literal["require", "optional"]

# At least one of these must be allowed by the end certificate's keyUsage, where it has one. Real signing certificates
# also carry keyEncipherment, so nothing is demanded to be absent; an encryption certificate lacks both signing bits.
USAGES: dict[Usage, frozenset[str]] = {
    "any": frozenset(),
    "sign": frozenset({"digitalSignature", "nonRepudiation"}),
    "encrypt": frozenset({"keyEncipherment", "dataEncipherment", "keyAgreement"}),
    "crl-sign": frozenset({"cRLSign"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPolicy:
    """How a chain is judged.

    ``revocation``: ``require`` = every certificate below the anchor needs a fresh list, or the answer is "cannot tell";
    ``if-present`` = a list that is given counts and must be usable; ``ignore`` = lists are not looked at.
    ``purpose``: the extended usage that is asked for, "" for none; a leaf that names its usages must name this one (or
    any usage), and one that names them critically serves no unnamed purpose. ``crl_grace``: how long after its nextUpdate
    a list still counts as fresh. ``crl_partitions``: a list for part of an authority's certificates speaks of those whose
    own distribution point or kind it names (``by-point``, RFC 5280 6.3.3), of none (``refuse``), or, where an authority
    is known to put its point into its complete list, of all (``as-complete``). ``ocsp_nonce``: whether an online answer must
    repeat the nonce we sent (many responders hand out prepared answers without one); another nonce is never taken.
    ``ocsp_max_age``: how old an online answer that states no nextUpdate may be. ``max_depth`` certificates in a chain;
    ``max_checks`` signature checks, and as many complete chains, for one leaf.
    """

    usage: Usage
    revocation: Revocation
    purpose: str = ""
    crl_grace: timedelta = timedelta(0)
    crl_partitions: Partitions = "by-point"
    ocsp_nonce: Nonce = "require"
    ocsp_max_age: timedelta = timedelta(hours=24)
    max_depth: int = 8
    max_checks: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPolicy:
    """How seals and stamps are judged.

    ``revoked_later``: a signer revoked after the stated stamp time, with no trusted time to prove the stamp older:
    ``accept`` it with a note, say ``cannot-tell``, or ``reject``. ``maker_at``: the seal maker's certificate must be valid when the
    seal is ``use``d, or at the seal's ``creation``. ``digest_list``: what a certificate digest in a list of type 2 is
    computed over is not settled in the field: SM3 of the whole certificate, or say ``cannot-tell``. ``revoked_seals``:
    seal id -> when that seal was withdrawn by its issuer. ``clock_skew``: how far ahead a stamp's time may lie.
    ``timestamp_over``: what a stamp's own time stamp is over, which no public text settles: the signature's value, or the
    bytes that were signed.
    """

    path: PathPolicy
    revoked_later: Literal["accept", "cannot-tell", "reject"]
    clock_skew: timedelta = timedelta(minutes=5)
    maker_at: Literal["use", "creation"] = "use"
    digest_list: Literal["sm3-of-certificate", "cannot-tell"] = "sm3-of-certificate"
    revoked_seals: Mapping[str, datetime] = field(default_factory=dict)
    timestamp_over: Literal["signature-value", "signed-bytes"] = "signature-value"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampPolicy:
    """How time stamps are judged.

    ``policies``: the authority's policies that are accepted, any if empty. ``accuracy``: the coarsest accepted, any if None.
    ``clock_skew``: how far ahead of our clock a time stamp may lie. ``since``: an authority's certificate that has expired,
    or was revoked, after it made the time stamp: ``accept``, or ``cannot-tell`` unless a later time stamp covers this one.
    """

    path: PathPolicy
    policies: frozenset[str] = frozenset()
    accuracy: timedelta | None = None
    clock_skew: timedelta = timedelta(minutes=5)
    since: Literal["accept", "cannot-tell"] = "cannot-tell"


STRICT = SealPolicy(
    path=PathPolicy(usage="sign", revocation="require", crl_grace=timedelta(hours=24)), revoked_later="cannot-tell"
)
CRL_IF_PRESENT = SealPolicy(path=PathPolicy(usage="sign", revocation="if-present"), revoked_later="cannot-tell")
TIMESTAMPS: Final = TimestampPolicy(path=PathPolicy(usage="sign", revocation="if-present"))
