"""What a local platform itself said (平台原件), held against its own party's ledger (K10).

A message is what the gateway made of it by a mapping. Seals and signatures of the platform are over its own bytes, and so is
the ledger's entry of kind ``platform``: the bytes prove themselves, whatever the translation left out or put otherwise. Which
mapping it was is the maker's word alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.ledger.messages import Message
from gateway.ledger.package import Finding
from gateway.ledger.records import OriginalRecord, ProofRecord
from signing.sm3 import sm3


@dataclass(frozen=True, slots=True)
class Origin:
    """Of what a message was made: SM3 (hex) of the platform's bytes as its ledger has it, their number (None: the bytes are
    not in the package), and the version of the mapping ("": not told)."""

    message: str
    party: str
    mapping: str
    sm3: str
    size: int | None


def check_originals(
    originals: Sequence[tuple[int, OriginalRecord]],
    proofs: Sequence[tuple[int, ProofRecord]],
    messages: Sequence[Message],
) -> tuple[list[Origin], list[Finding]]:
    """Those that are what they are said to be, and what is wrong with the others. Whether the proofs hold is not asked here."""
    proved = {(one.party, one.id): one.digest for _, one in proofs if one.kind == "platform"}
    senders = {message.head.id: message.head.sender for message in messages}
    found: dict[str, Origin] = {}
    findings: list[Finding] = []
    for line, one in originals:
        digest = proved.get((one.party, one.id))
        if one.id in found:
            findings.append(_twice(line, one.id))
        elif senders.get(one.id, one.party) != one.party:
            findings.append(_other(line, one.id))
        elif digest is None:
            findings.append(_unproved(line, one.id))
        elif one.data is not None and sm3(one.data).hex() != digest:
            findings.append(_altered(line, one.id))
        else:
            found[one.id] = Origin(one.id, one.party, one.mapping, digest, None if one.data is None else len(one.data))
    return list(found.values()), findings


def _twice(line: int, message: str) -> Finding:
    zh, en = "同一报文有两份平台原件", "one message has two originals"
    return Finding("originals", "original-twice", zh, en, line, message)


def _other(line: int, message: str) -> Finding:
    zh, en = "平台原件不属于报文的发送方", "the original is not of the message's sender"
    return Finding("originals", "original-other", zh, en, line, message)


def _unproved(line: int, message: str) -> Finding:
    zh, en = "包内没有该平台原件的账本证明", "no ledger proof of this original is in the package"
    return Finding("originals", "original-unproved", zh, en, line, message, bad=False)


def _altered(line: int, message: str) -> Finding:
    zh, en = "平台原件与账本中的摘要不符", "the original does not have the digest that is in the ledger"
    return Finding("originals", "original-digest", zh, en, line, message)
