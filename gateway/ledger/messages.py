"""The messages of an evidence package, judged alone and together: canonical header, body, case, sequence, order.

Only the fields that evidence needs are read from a header; others may come with later versions. The digests are over the
bytes in the package, nothing is re-serialised but to see that the header has one spelling.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from gateway.core.case import EVENT_OF_MESSAGE, Event
from gateway.core.labels import LABELS
from gateway.core.replay import Act, Stuck, replay
from gateway.exchange import message as wireform
from gateway.exchange import sealing
from gateway.exchange.message import Header, Sealed
from gateway.exchange.sealing import Content
from gateway.ledger.package import Finding
from gateway.ledger.records import Digest, Manifest, MessageRecord
from signing import sealed
from signing.errors import Malformed
from signing.sm3 import sm3

_Word = Annotated[str, Meta(pattern=r"^[!-~]{1,128}\Z")]


class _Part(msgspec.Struct, frozen=True):
    sm3: Digest


class Head(msgspec.Struct, frozen=True, kw_only=True, rename={"sender": "from"}):
    """What evidence reads of a header."""

    id: _Word
    type: _Word
    sender: _Word
    to: _Word
    case: _Word
    seq: Annotated[int, Meta(ge=1)]
    seen: Annotated[int, Meta(ge=0)] = 0
    created: Annotated[int, Meta(ge=0, le=253_402_300_799_999)] = 0
    agreement: str = ""
    agreement_version: int = 0
    body: Digest
    body_size: int
    parts: list[_Part] = []
    sealed: Sealed | None = None


class _Material(msgspec.Struct, frozen=True):
    sm3: Digest


class _Document(msgspec.Struct, frozen=True):
    document: _Material
    stamp: _Material | None = None


class _Body(msgspec.Struct, frozen=True):
    outcome: str = ""
    documents: list[_Document] = []


class _Outcome(msgspec.Struct, frozen=True):
    outcome: str = ""


class Stamped(NamedTuple):
    """A result document and its stamp, by digest (hex)."""

    document: str
    stamp: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message that could be read. ``digest``: SM3 of the header's bytes. ``names``: digests of files it names, in clear.
    ``content`` None: it is sealed and its key is not disclosed (or does not open it), so what it says is not known."""

    line: int
    record: MessageRecord
    head: Head
    digest: bytes
    outcome: str
    stamped: tuple[Stamped, ...]
    unstamped: bool
    names: frozenset[str]
    content: Content | None

    def travelled(self, plain: str, data: bytes) -> bool:
        """Whether this file, which the message names in clear, is what its sealed parts hold: sealed again, they must be
        the parts that the header names."""
        if self.content is None or not self.content.key:
            return True
        parts = zip(self.head.parts, self.content.enclosure.parts, strict=True)
        for n, (outer, inner) in enumerate(parts):
            stream = sealing.part_stream(self.content.key, self.head.id, n)
            if inner.sm3 == plain and sm3(sealed.seal_whole(data, stream)).hex() != outer.sm3:
                return False
        return True

    @property
    def event(self) -> Event | None:
        """The event it causes at its receiver; None for types without one."""
        return EVENT_OF_MESSAGE.get((self.head.type, self.outcome))


def read_messages(records: Iterable[tuple[int, MessageRecord]], case: str) -> tuple[list[Message], list[Finding]]:
    """The messages with a sound header, and all that is wrong with each one alone. Ids are unique."""
    found: dict[str, Message] = {}
    findings: list[Finding] = []
    for line, record in records:
        message = _read(line, record, findings)
        if message is None:
            continue
        if message.head.id in found:
            zh, en = "报文编号重复", "the message id occurs twice"
            findings.append(Finding("messages", "duplicate-message", zh, en, line, message.head.id))
            continue
        if message.head.case != case:
            zh, en = "报文属于另一办件", "the message is of another case"
            findings.append(Finding("messages", "other-case", zh, en, line, message.head.id))
        found[message.head.id] = message
    return list(found.values()), findings


def _read(line: int, record: MessageRecord, findings: list[Finding]) -> Message | None:
    try:
        head = msgspec.json.decode(record.header, type=Head)
        canonical = msgspec.json.encode(msgspec.json.decode(record.header), order="sorted") == record.header
    except (msgspec.MsgspecError, ValueError, RecursionError):
        zh, en = "报文头读不出", "the message's header cannot be read"
        findings.append(Finding("messages", "header-malformed", zh, en, line))
        return None
    if not canonical:
        zh, en = "报文头不是规范形式", "the header is not in canonical form"
        findings.append(Finding("messages", "header-form", zh, en, line, head.id))
    if record.withheld:
        if record.refusal is None or record.body:
            zh, en = "正文未附，而该报文并未被拒", "the body is withheld although the message was not refused"
            findings.append(Finding("messages", "body-withheld", zh, en, line, head.id))
    elif sm3(record.body).hex() != head.body or len(record.body) != head.body_size:
        zh, en = "报文正文与报文头中的摘要不符", "the body does not have the digest that the header names"
        findings.append(Finding("messages", "body-digest", zh, en, line, head.id))
    content = _content(line, record, head, findings)
    body = _body(head.type, content.body) if content is not None else _Body()
    stamped = tuple(Stamped(d.document.sm3, d.stamp.sm3) for d in body.documents if d.stamp is not None)
    parts = content.enclosure.parts if content is not None else ()
    names = {part.sm3 for part in parts} | {d.document.sm3 for d in body.documents} | {s.stamp for s in stamped}
    return Message(
        line,
        record,
        head,
        sm3(record.header),
        body.outcome,
        stamped,
        len(stamped) < len(body.documents),
        frozenset(names),
        content,
    )


def _content(line: int, record: MessageRecord, head: Head, findings: list[Finding]) -> Content | None:
    """What the message says, opened with the key that the package discloses."""
    try:
        header: Header | None = wireform.decode_header(record.header)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        header = None
    if head.sealed is None or record.withheld:
        return Content(sealing.Enclosure("", header.parts if header is not None else ()), record.body)
    if not record.key:
        zh, en = "正文已加密，包内没有公开其密钥", "the body is sealed, and its key is not disclosed in the package"
        findings.append(Finding("messages", "content-sealed", zh, en, line, head.id, bad=False))
        return None
    try:
        if header is not None:
            return sealing.open_(header, record.body, record.key)
    except Malformed:
        pass
    zh = "公开的密钥打不开正文，或内容与发送时的承诺不符"
    en = "the disclosed key does not open the body, or its content is not what was committed to"
    findings.append(Finding("messages", "decrypt-failed", zh, en, line, head.id))
    return None


def _body(type_: str, body: bytes) -> _Body:
    """The few fields that matter here. A body of a shape we do not know says nothing; its digest is checked all the same."""
    try:
        if type_ == "result":
            return msgspec.json.decode(body, type=_Body)
        return _Body(outcome=msgspec.json.decode(body, type=_Outcome).outcome)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _Body()


def check_sequences(messages: Sequence[Message], manifest: Manifest | None) -> Iterator[Finding]:
    """Numbers run from 1 without gap or repetition for each sender and receiver, and the parties are the case's."""
    roles = {note.id: note.role for note in manifest.parties} if manifest else {}
    numbers: dict[tuple[str, str], dict[int, Message]] = {}
    for message in messages:
        head = message.head
        if manifest and (head.sender not in roles or head.to not in roles or head.sender == head.to):
            zh, en = "收发方不是本办件的当事方", "sender or receiver is not a party of this case"
            yield Finding("messages", "other-party", zh, en, message.line, head.id)
        if manifest and head.type == "application" and roles.get(head.sender) == "handling":
            zh, en = "证据包说明的收件地、办理地与申请报文不符", "the manifest's roles are not those of the application"
            yield Finding("messages", "manifest-roles", zh, en, message.line, head.id)
        if head.seq in numbers.setdefault((head.sender, head.to), {}):
            zh, en = "同一序号用于两份报文", "one sequence number is used for two messages"
            yield Finding("messages", "sequence-conflict", zh, en, message.line, head.id)
        numbers[head.sender, head.to][head.seq] = message
    for by_number in numbers.values():
        yield from _gaps(by_number)


def _gaps(by_number: dict[int, Message]) -> Iterator[Finding]:
    expected = 1
    for number in sorted(by_number):
        if number != expected:
            message = by_number[number]
            zh = f"缺少该方第 {expected} 至 {number - 1} 号报文"
            en = f"messages {expected} to {number - 1} of this sender are not in the package"
            yield Finding("messages", "message-missing", zh, en, message.line, message.head.id, bad=False)
        expected = number + 1


def check_order(messages: Sequence[Message]) -> tuple[str, list[Finding]]:
    """The case's state now ("" if it cannot be told), and the message that the case machine could not place."""
    application = next((m for m in messages if m.head.type == "application"), None)
    if application is None:
        return "", []
    if application.record.refusal is not None:
        return "", []
    collecting, handling = [], []
    for message in sorted((m for m in messages if m.event is not None), key=lambda m: m.head.seq):
        if message.head.sender != application.head.sender:
            handling.append(_act(message, sure=message.record.refusal is None))
        elif message.record.refusal is None:
            collecting.append(_act(message, sure=message.record.receipt is not None))
    outcome = replay(collecting, handling)
    if not isinstance(outcome, Stuck):
        return (next(iter(outcome.states)).value if len(outcome.states) == 1 else ""), []
    message = next(m for m in messages if m.head.id == outcome.act.label)
    event = LABELS[outcome.act.event]
    states_zh = "、".join(sorted(LABELS[state][0] for state in outcome.states))
    states_en = ", ".join(sorted(LABELS[state][1] for state in outcome.states))
    zh = f"“{event[0]}”不合办件规则（当时可能的状态：{states_zh or '无'}）"
    en = f'"{event[1]}" breaks the rules of the case (possible states then: {states_en or "none"})'
    return "", [Finding("order", "wrong-order", zh, en, message.line, message.head.id)]


def _act(message: Message, *, sure: bool) -> Act:
    """``sure``: the message certainly moved the handling place's copy. Its own messages did unless they were refused."""
    event = message.event
    assert event is not None  # noqa: S101 - filtered by check_order
    return Act(event, message.head.seq, message.head.seen, sure, message.head.id, message.head.created)
