"""Two custodians for one act (双人管理): an order in plain words, signed by each with an own SM2 key, good for a short time.

An order names the node, the act, the key and the time it lapses, so an approval cannot be used for another key, node, act
or day; a key's states never lead back, so it cannot be used twice either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from signing import sm2
from signing.errors import Malformed, Rejected
from signing.keyring import Custodian, Millis
from signing.sm2 import PublicKey, Signer

if TYPE_CHECKING:
    from signing.providers import Provider

DOMAIN: Final = b"tongban/v1/key-order\n"
LONGEST_MS: Final = 7 * 24 * 3_600_000
MAX_BYTES: Final = 64 << 10


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be done. ``act``: activate, revoke, or a change of custodians; ``subject``: the key id or the custodian."""

    node: str
    act: str
    subject: str
    reason: str
    made_ms: Millis
    expires_ms: Millis


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One custodian's: the key id says who."""

    key: str
    signature: bytes


class SignedOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order's very bytes with the signatures so far."""

    order: bytes
    signatures: tuple[Signature, ...] = ()


def write(order: Order) -> bytes:
    """An order that nobody has signed yet."""
    return msgspec.json.encode(SignedOrder(msgspec.json.encode(order, order="sorted")))


def read(data: bytes) -> tuple[SignedOrder, Order]:
    """The order as signed and what it says; Malformed if it is none."""
    try:
        if len(data) > MAX_BYTES:
            raise ValueError
        signed = msgspec.json.decode(data, type=SignedOrder)
        order = msgspec.json.decode(signed.order, type=Order)
        if not (order.node + order.act + order.subject + order.reason).isprintable():
            raise ValueError  # it is shown to whoever signs: nothing may steer the terminal
        return signed, order
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Malformed("order-form", "不是密钥操作单", "not an order for an act on keys") from None


def sign(signed: SignedOrder, signer: Signer) -> bytes:
    """The order with one more signature; one who signs again replaces the own."""
    others = tuple(one for one in signed.signatures if one.key != signer.key_id)
    mine = Signature(signer.key_id, signer.sign(DOMAIN + signed.order))
    return msgspec.json.encode(SignedOrder(signed.order, (*others, mine)))


def approved_by(
    data: bytes, wanted: tuple[str, str, str], custodians: Sequence[Custodian], at_ms: int, provider: Provider
) -> tuple[Order, tuple[str, ...]] | Rejected:
    """The order and the names of the custodians whose signature holds. ``wanted``: node, act, subject as asked now."""
    signed, order = read(data)
    if (order.node, order.act, order.subject) != wanted:
        return Rejected("order-other", "操作单是为另一操作签的", "the order is for another act, key or node")
    if not order.made_ms <= order.expires_ms <= order.made_ms + LONGEST_MS or at_ms > order.expires_ms:
        return Rejected("order-lapsed", "操作单已过期或有效期过长", "the order has lapsed or is good for too long")
    held = {PublicKey.from_bytes(one.point).thumbprint: one for one in custodians}
    names = {held[one.key].name for one in signed.signatures if one.key in held and _holds(signed, one, held, provider)}
    return order, tuple(sorted(names))


def _holds(signed: SignedOrder, one: Signature, held: Mapping[str, Custodian], provider: Provider) -> bool:
    public = PublicKey.from_bytes(held[one.key].point)
    return sm2.verify(provider, public, DOMAIN + signed.order, one.signature, signer_id=sm2.DEFAULT_ID)


def appoint(custodians: Sequence[Custodian], new: Custodian) -> tuple[Custodian, ...] | Rejected:
    """The custodians with one more; a name or a key stands once, or one person could pass for two."""
    point = PublicKey.from_bytes(new.point).point
    if any(one.name == new.name or PublicKey.from_bytes(one.point).point == point for one in custodians):
        return Rejected("custodian-known", "该姓名或公钥已登记", "this name or key is registered already")
    return (*custodians, Custodian(new.name, point))
