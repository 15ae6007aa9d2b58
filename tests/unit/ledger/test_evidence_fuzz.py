"""Packages whose values were replaced at random and sealed anew by their maker: always a report, never a traceback."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.checkpoint import stamped_bytes
from gateway.ledger.evidence import verify
from gateway.ledger.records import TimestampRecord, signed_bytes, with_timestamp
from signing.sm3 import sm3
from tests.vectors.ledger import lab

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 70), 1 << 70), st.floats(allow_nan=False), st.text(max_size=80),
    st.binary(max_size=80), st.lists(st.text(max_size=5), max_size=3), st.just({}),
    st.sampled_from([10**15, -1, 253_402_300_800_000, "0" * 64, "A/1", "999999.X", "tongban/v1/checkpoint\n"]),
)  # fmt: skip


@lru_cache(maxsize=1)
def lines() -> tuple[bytes, ...]:
    story = lab.whole_walk()
    said = lab.platform_said(story)
    last = story.a.checkpoints[-1]
    stamped = TimestampRecord(token=lab.token(stamped_bytes(last), lab.T0 + 86_400_000), checkpoint=last)
    listed = [*lab.records(story), *said, lab.TimelineRecord(entries=lab.timeline(story)), stamped]
    return tuple(lab.seal(listed).splitlines()[:-1])


@lru_cache(maxsize=1)
def stamped() -> tuple[bytes, bytes]:
    """A package and a time stamp over it: made once, for signatures differ from run to run."""
    package = sealed(b"".join(line + b"\n" for line in lines()), len(lines()))
    return package, lab.token(package, lab.T0 + 86_400_000)


def sealed(head: bytes, records: int) -> bytes:
    maker = lab.City(lab.A).signer("direct")
    end = {
        "record": "end", "records": records, "digest": sm3(head).hex(), "key": maker.key_id,
        "signature": maker.sign(signed_bytes(head)),
    }  # fmt: skip
    return head + msgspec.json.encode(end, order="sorted") + b"\n"


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(copy[path[0]], path[1:], new)
    return copy


@settings(max_examples=250)
@given(st.data())
def test_any_value_anywhere_gets_a_report(data: st.DataObject) -> None:
    changed = list(lines())
    at = data.draw(st.integers(0, len(changed) - 1))
    record = msgspec.json.decode(changed[at])
    path = data.draw(st.sampled_from(places(record)))
    changed[at] = msgspec.json.encode(put(record, path, data.draw(ANYTHING)))
    head = b"".join(line + b"\n" for line in changed)
    report = verify(sealed(head, len(changed)), lab.checks())
    assert report.ok in (True, False, None)
    assert (report.ok is True) == (not report.reasons)


@settings(max_examples=100)
@given(st.data())
def test_lines_left_out_doubled_or_moved_get_a_report(data: st.DataObject) -> None:
    body = list(lines())[1:]
    chosen = data.draw(st.lists(st.sampled_from(body), max_size=len(body) + 3))
    head = b"".join(line + b"\n" for line in [lines()[0], *chosen])
    report = verify(sealed(head, len(chosen) + 1), lab.checks())
    messages = [line for line in chosen if b'"record":"message"' in line]
    assert report.messages == len(messages)
    if len(set(messages)) < 9 or len(messages) != len(set(messages)):
        assert report.ok is not True


@given(st.binary(max_size=300))
def test_noise_gets_a_report(noise: bytes) -> None:
    assert verify(noise, lab.checks()).ok is False


@settings(max_examples=100)
@given(st.data())
def test_any_time_stamp_behind_the_end_gets_a_report(data: st.DataObject) -> None:
    package, good = stamped()
    token = bytearray(good)
    for at in data.draw(st.lists(st.integers(0, len(token) - 1), max_size=4)):
        token[at] = data.draw(st.integers(0, 255))
    cut = (data.draw(st.integers(0, 3)) and len(token)) or data.draw(st.integers(0, len(token)))
    report = verify(with_timestamp(package, bytes(token[:cut])), lab.checks(tsa=True))
    assert len(report.times) == 2 and (report.ok is True) == (not report.reasons)
