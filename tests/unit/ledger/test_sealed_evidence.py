"""Sealed messages in evidence: opened with the key that is disclosed, and only if it opens what was said."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gateway.exchange.message import PartRef
from gateway.exchange.sealing import seal
from gateway.ledger.messages import Message, read_messages
from gateway.ledger.package import Finding
from gateway.ledger.records import MessageRecord
from signing.sm3 import sm3
from tests.vectors.sealed import generate
from tests.vectors.sealed.generate import PART

CASE = f"{generate.A}/{generate.MESSAGE}"


def read(record: MessageRecord) -> tuple[Message, list[Finding]]:
    [message], findings = read_messages([(1, record)], CASE)
    return message, findings


def record(**changes: object) -> MessageRecord:
    header, body = generate.good()
    return replace(MessageRecord(header=header, body=body, key=generate.content().key), **changes)


def test_a_disclosed_key_opens_the_message_and_its_documents_are_what_travelled() -> None:
    message, findings = read(record())
    assert findings == [] and message.content == generate.content()
    assert sm3(PART).hex() in message.names and message.head.parts[0].sm3 not in message.names
    assert message.travelled(sm3(PART).hex(), PART)


def test_without_the_key_nobody_can_tell_what_was_said() -> None:
    message, [finding] = read(record(key=b""))
    assert message.content is None and (finding.code, finding.bad) == ("content-sealed", False)


@pytest.mark.parametrize("key", [b"\0" * 16, b"short", generate.key("other"), b"\0" * 1000])
def test_a_key_that_is_not_the_one_is_found_out(key: bytes) -> None:
    message, [finding] = read(record(key=key))
    assert message.content is None and (finding.code, finding.bad) == ("decrypt-failed", True)


@pytest.mark.parametrize("name", ["commitment-wrong", "enclosure-spelling", "altered-item", "body-truncated"])
def test_a_message_that_its_recipient_would_refuse_does_not_hold_in_evidence_either(name: str) -> None:
    header, body = generate.messages()[name]
    message, findings = read(record(header=header, body=body))
    assert message.content is None and "decrypt-failed" in {finding.code for finding in findings}


def test_a_document_that_did_not_travel_sealed_with_the_message_is_found_out() -> None:
    """Its sender named one file in the enclosure and sent another: the header's digest is of what was sent."""
    said = generate.content()
    lying = generate.header(said, parts=(PartRef("ab" * 32, len(PART) + 16, "", "", ""),))
    header, body = seal(lying, said)
    message, findings = read(record(header=header, body=body))
    assert findings == [] and not message.travelled(sm3(PART).hex(), PART)
