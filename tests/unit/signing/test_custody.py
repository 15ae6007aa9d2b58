"""Two custodians sign one order: another act, another day, a stranger or the same person twice count for nothing."""

from __future__ import annotations

from functools import lru_cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import custody
from signing.custody import Order, SignedOrder
from signing.errors import Malformed, Rejected
from signing.keyring import Custodian
from signing.sm2 import Signer
from tests import pki

DAY_MS = 24 * 3_600_000
ORDER = Order("420104.X", "activate", "a" * 32, "轮换", 1000, 1000 + DAY_MS)
WANTED = (ORDER.node, ORDER.act, ORDER.subject)
STAFF = tuple(Custodian(name, pki.signer(name).public.point) for name in ("wang", "li", "zhao"))


@lru_cache
def signed(*names: str, order: Order = ORDER) -> bytes:
    data = custody.write(order)
    for name in names:
        data = custody.sign(custody.read(data)[0], pki.signer(name))
    return data


def names(data: bytes, wanted: tuple[str, str, str] = WANTED, at_ms: int = 2000) -> tuple[str, ...]:
    found = custody.approved_by(data, wanted, STAFF, at_ms, pki.PROVIDER)
    assert not isinstance(found, Rejected), found
    return found[1]


def test_each_custodian_counts_once_and_strangers_do_not() -> None:
    assert names(signed()) == ()
    assert names(signed("wang")) == ("wang",)
    assert names(signed("wang", "wang")) == ("wang",)
    assert names(signed("wang", "stranger")) == ("wang",)
    assert names(signed("wang", "li", "zhao")) == ("li", "wang", "zhao")
    found = custody.approved_by(signed("wang", "li"), WANTED, STAFF, 2000, pki.PROVIDER)
    assert not isinstance(found, Rejected) and found[0] == ORDER


@pytest.mark.parametrize(
    "wanted", [("360113.X", *WANTED[1:]), (WANTED[0], "revoke", WANTED[2]), (*WANTED[:2], "b" * 32)]
)
def test_an_order_for_something_else_is_refused(wanted: tuple[str, str, str]) -> None:
    answer = custody.approved_by(signed("wang", "li"), wanted, STAFF, 2000, pki.PROVIDER)
    assert isinstance(answer, Rejected) and answer.code == "order-other"


@pytest.mark.parametrize(
    ("made", "expires", "at", "ok"),
    [
        (1000, 2000, 2000, True), (1000, 2000, 2001, False), (1000, 1000 + 7 * DAY_MS, 2000, True),
        (1000, 1001 + 7 * DAY_MS, 2000, False), (3000, 2000, 1500, False),
    ],
)  # fmt: skip
def test_an_order_lapses(made: int, expires: int, at: int, ok: bool) -> None:
    order = msgspec.structs.replace(ORDER, made_ms=made, expires_ms=expires)
    answer = custody.approved_by(signed("wang", "li", order=order), WANTED, STAFF, at, pki.PROVIDER)
    assert isinstance(answer, Rejected) is not ok
    assert ok or (isinstance(answer, Rejected) and answer.code == "order-lapsed")


def test_a_signature_under_another_order_or_domain_does_not_count() -> None:
    other = custody.read(signed("wang", order=msgspec.structs.replace(ORDER, reason="其他")))[0]
    mixed = SignedOrder(custody.read(signed())[0].order, other.signatures)
    assert names(msgspec.json.encode(mixed)) == ()
    bare = Signer(pki.PROVIDER, pki.signer("wang").private).sign(mixed.order)
    undomained = replace_signature(mixed, bare)
    assert names(undomained) == ()


def replace_signature(held: SignedOrder, signature: bytes) -> bytes:
    ones = tuple(msgspec.structs.replace(one, signature=signature) for one in held.signatures)
    return msgspec.json.encode(msgspec.structs.replace(held, signatures=ones))


def test_one_person_cannot_pass_for_two() -> None:
    for new in (
        Custodian("wang", pki.signer("x").public.point),
        Custodian("again", pki.signer("wang").public.point[1:]),
    ):
        answer = custody.appoint(STAFF, new)
        assert isinstance(answer, Rejected) and answer.code == "custodian-known"
    more = custody.appoint(STAFF, Custodian("qian", pki.signer("qian").public.point[1:]))
    assert not isinstance(more, Rejected) and more[-1] == Custodian("qian", pki.signer("qian").public.point)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[" * 9999, b"x" * (custody.MAX_BYTES + 1), b'{"order":"e30="}', b"\xff"]
)
def test_what_is_no_order_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed, match=r"^order-form:"):
        custody.read(data)


@pytest.mark.parametrize(
    "changes", [{"reason": "a\x1b[2Jb"}, {"subject": "k\n"}, {"expires_ms": 1 << 62}, {"made_ms": -1}]
)
def test_an_order_that_could_steer_a_terminal_or_a_calendar_is_none(changes: dict[str, object]) -> None:
    with pytest.raises(Malformed, match=r"^order-form:"):
        custody.read(custody.write(msgspec.structs.replace(ORDER, **changes)))


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        custody.read(data)


@given(st.integers(0), st.integers(1, 255))
def test_an_altered_byte_never_makes_another_approval(where: int, bits: int) -> None:
    data = bytearray(signed("wang", "li"))
    data[where % len(data)] ^= bits
    try:
        found = custody.approved_by(bytes(data), WANTED, STAFF, 2000, pki.PROVIDER)
    except Malformed:
        return
    assert isinstance(found, Rejected) or set(found[1]) <= {"wang", "li"}
