"""A session written down and read again (录制与回放): what a profile wrote and read then, held against what it does now.

One JSON object a line. A message of ours stands as the sample that it was, its bytes and the exchange that it had; a message
of the platform as its bytes and what was understood. Reading it again needs no network and no key: the recorded answers are
given to the channel, and all but the signature has to come out the same, byte for byte. What was taken out for the sake of
people or secrets (files, names) is put back as the sample's where that is possible; where it is not, the line is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from adapters.base import Accepted, Act, Outcome, Refused, Temporary, Unclear, Untranslatable
from adapters.kit.mask import Mask, restored, whole
from adapters.kit.masking import text_of
from adapters.kit.partner import REPORT, Partner, tell, wire_of
from adapters.kit.score import Result, Said, failed, not_applicable, passed
from adapters.kit.tap import Answered, Exchange, Tap
from adapters.kit.trial import Sent
from adapters.registry import Platform
from adapters.transport import Lost, Reply, Unsent
from schemas import codec
from schemas.errors import Invalid
from signing.sm3 import sm3

VERSION: Final = 1
NUMBERS: Final = ("id", "case", "local_number")
_OUTCOME = msgspec.json.Decoder(Outcome)


class Heard(NamedTuple):
    """A message of the platform as it came, and the act that it was; ``original``: its bytes."""

    operation: str
    case: str
    original: bytes
    content_type: str
    act: Act


def head(platform: Platform) -> dict[str, Any]:
    """The first line: by which version of which profile."""
    return {"kit": VERSION, "profile": platform.profile, "family": platform.family, "mapping": platform.mapping}


def sent_line(sent: Sent, mask: Mask) -> dict[str, Any]:
    """A message of ours; ``sm3`` is of its very bytes."""
    out, wire = sent.out, sent.wire
    type_ = f"{REPORT}{out.body.event}" if out.type == "report" else out.type
    return {
        "sent": type_, "id": out.id, "case_id": out.case_id, "case_number": out.case_number, "item": out.item,
        "at_ms": out.at_ms,
        "wire": {
            "operation": wire.operation, "method": wire.method, "path": wire.path, "content_type": wire.content_type,
            "sm3": sm3(wire.body).hex(), **_text(wire.body, wire.content_type, mask),
        },
        "exchanges": [_exchange(one, mask) for one in sent.exchanges],
        "outcome": msgspec.to_builtins(sent.outcome),
    }  # fmt: skip


def heard_line(heard: Heard, mask: Mask) -> dict[str, Any]:
    """A message of theirs, and the act."""
    mask.meet(heard.act.body)
    act = heard.act
    return {
        "heard": heard.operation, "case": mask.kept(heard.case), **_text(heard.original, heard.content_type, mask),
        "act": {
            "type": act.type, **{name: mask.kept(getattr(act, name)) for name in NUMBERS},
            "body": mask.kept(codec.canonical(act.body).decode()),
        },
    }  # fmt: skip


def _text(data: bytes, content_type: str, mask: Mask) -> dict[str, str]:
    text, encoding = text_of(data, content_type)
    return {"encoding": encoding, "text": mask.kept(text)}


def _exchange(one: Exchange, mask: Mask) -> dict[str, Any]:
    request, answer = one
    asked = {
        "method": request.method, "target": request.url.raw_path_qs, "headers": mask.headers(request.headers.items()),
        **_text(request.body, request.headers.get("Content-Type", request.headers.get("content-type", "")), mask),
    }  # fmt: skip
    if not isinstance(answer, Reply):
        return {"request": asked, "answer": {"none": answer.reason, "left": isinstance(answer, Lost)}}
    said = {"status": answer.status, "content_type": answer.content_type}
    return {"request": asked, "answer": said | _text(answer.body, answer.content_type, mask)}


# --- reading it again -------------------------------------------------------------------------------------------------


def _bytes(line: Mapping[str, str]) -> bytes:
    return restored(line["text"]).encode(line["encoding"])


def _answered(answer: Mapping[str, Any]) -> Answered:
    if "none" in answer:
        return Lost(answer["none"]) if answer["left"] else Unsent(answer["none"])
    return Reply(answer["status"], answer["content_type"], _bytes(answer))


async def replayed(partner: Partner, platform: Platform, lines: Iterator[dict[str, Any]]) -> list[Result]:
    """A result for each line. Raises KeyError, TypeError, ValueError or LookupError for a line that is none of ours."""
    results = []
    for number, line in enumerate(lines, 2):
        if "sent" in line:
            said, what = await _again(partner, platform, line), line["sent"]
            results.append(Result(f"{number}.{what}", f"写出 {what} 与录制相同", f"writes {what} as recorded", said))
        else:
            said, what = _read_again(platform, line), line["heard"]
            results.append(Result(f"{number}.{what}", f"读懂 {what} 与录制相同", f"reads {what} as recorded", said))
    return results


_TAKEN_OUT = not_applicable(
    "录制时取走了文件或密钥，不能逐字节比对", "files or secrets were taken out: bytes cannot be compared"
)


async def _again(partner: Partner, platform: Platform, line: Mapping[str, Any]) -> Said:
    told = line["wire"]
    if not whole(told["text"]) or sm3(_bytes(told)).hex() != told["sm3"]:
        return _TAKEN_OUT  # somebody's own sample, or one with files inside
    named = {name: line[name] for name in ("case_id", "case_number", "item")}
    out = msgspec.structs.replace(partner.named(**named).sample(line["sent"]), id=line["id"], at_ms=line["at_ms"])
    try:
        wire = wire_of(platform, out)
    except (Untranslatable, Invalid) as bad:
        return failed(f"写不出：{bad.path} {bad.zh}", f"cannot be written: {bad.path} {bad.en}")
    differs = _first_difference(
        {name: getattr(wire, name) for name in ("operation", "method", "path", "content_type", "body")},
        {**{name: told[name] for name in ("operation", "method", "path", "content_type")}, "body": _bytes(told)},
    )
    if differs:
        return differs
    if not line["exchanges"] or not all(whole(one["answer"].get("text", "")) for one in line["exchanges"]):
        return passed("报文逐字节相同", "the message is the same, byte for byte")
    tap = Tap(given=[_answered(one["answer"]) for one in line["exchanges"]])
    outcome = await tell(platform, wire, tap)
    return _requests(tap, line) or _outcome(outcome, _OUTCOME.decode(msgspec.json.encode(line["outcome"])))


def _requests(tap: Tap, line: Mapping[str, Any]) -> Said | None:
    """What a request is beside its signature and credential."""
    for seen, told in zip(tap.seen, line["exchanges"], strict=False):
        asked = told["request"]
        if not whole(asked["text"]):
            continue
        request = seen.request
        differs = _first_difference(
            {"method": request.method, "target": request.url.raw_path_qs, "body": request.body},
            {"method": asked["method"], "target": asked["target"], "body": _bytes(asked)},
        )
        if differs:
            return differs
    return None


def _outcome(now: Accepted | Refused | Temporary | Unclear, then: Accepted | Refused | Temporary | Unclear) -> Said:
    if now == then:
        return passed("报文、请求与结论都相同", "message, request and outcome are the same")
    return failed(f"结论不同：录制 {then!r}，现在 {now!r}", f"another outcome: recorded {then!r}, now {now!r}")


def _first_difference(now: Mapping[str, Any], then: Mapping[str, Any]) -> Said | None:
    """Where two of the same differ, told without telling anything of their content but a place."""
    for name, value in now.items():
        if value == then[name]:
            continue
        at = _place(value, then[name]) if isinstance(value, bytes) else ""
        return failed(f"{name} 与录制不同{at}", f"{name} differs from the recording{at}")
    return None


def _place(now: bytes, then: bytes) -> str:
    at = next((place for place, (a, b) in enumerate(zip(now, then, strict=False)) if a != b), min(len(now), len(then)))
    return f" @{at} ({len(then)} -> {len(now)})"


def _read_again(platform: Platform, line: Mapping[str, Any]) -> Said:
    then = line["act"]
    if not whole(line["text"]):
        return _TAKEN_OUT
    try:
        act = platform.translator.inbound(line["heard"], _bytes(line), case=restored(line["case"]))
    except (Untranslatable, Invalid) as bad:
        return failed(f"读不懂：{bad.path} {bad.zh}", f"cannot be read: {bad.path} {bad.en}")
    now = {name: getattr(act, name) for name in ("type", *NUMBERS)}
    known = {name: restored(then[name]) for name in now}
    differs = _first_difference(now, known) or _first_difference(
        {"body": codec.canonical(act.body)}, {"body": restored(then["body"]).encode()}
    )
    return differs or passed("读出的内容相同", "what is read is the same")
