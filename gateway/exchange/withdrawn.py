"""The list of a party's withdrawn seals (撤销印章清单), signed by one of its direct keys.

A seal can be withdrawn while its certificates live on (the unit is renamed, the seal is lost), and no revocation list says
so. The list is whole: what a newer one leaves out is withdrawn no longer. It says until when it counts; after that nothing
of the party's seals can be told until a newer one is here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gateway.exchange.message import PartyId
from signing import sm2
from signing.providers import Provider

DOMAIN: Final = b"tongban/v1/seals-withdrawn\n"
MAX_BYTES: Final = 4 << 20
Milliseconds = Annotated[int, Meta(ge=0, le=253_402_300_799_000)]


class WithdrawnSeal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One seal: its id (esID), since when it is withdrawn, and why."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    at_ms: Milliseconds
    reason: Annotated[str, Meta(max_length=200)] = ""


class SealList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All withdrawn seals of a party. ``number`` only goes up; ``next_ms``: until when this list counts."""

    v: int = 1
    party: PartyId
    number: Annotated[int, Meta(ge=1)]
    issued_ms: Milliseconds
    next_ms: Milliseconds
    seals: Annotated[tuple[WithdrawnSeal, ...], Meta(max_length=100_000)] = ()

    def by_id(self) -> dict[str, datetime]:
        """Seal id -> since when; the earliest where one is named twice."""
        found: dict[str, datetime] = {}
        for seal in sorted(self.seals, key=lambda one: -one.at_ms):
            found[seal.id] = datetime.fromtimestamp(seal.at_ms / 1000, UTC)
        return found


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The list's bytes with the signature over them; ``key``: the key id (thumbprint) of a direct key."""

    list: bytes
    key: str
    signature: bytes


class WithdrawnError(Exception):
    """The list cannot be used; both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def sign(seals: SealList, signer: sm2.Signer) -> bytes:
    """The list as it is handed to partners."""
    data = msgspec.json.encode(seals, order="sorted")
    return msgspec.json.encode(_Signed(data, signer.key_id, signer.sign(DOMAIN + data)), order="sorted")


def read(data: bytes, party: str, keys: dict[str, sm2.PublicKey], provider: Provider) -> SealList:
    """The list, if one of the party's direct keys signed it and it is this party's. Raises ``WithdrawnError``."""
    if len(data) > MAX_BYTES:
        raise WithdrawnError("撤销印章清单过大", "the list of withdrawn seals is too large")
    try:
        signed = msgspec.json.decode(data, type=_Signed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise WithdrawnError("撤销印章清单无法读取", "the list of withdrawn seals cannot be read") from None
    key = keys.get(signed.key)
    if key is None or not sm2.verify(provider, key, DOMAIN + signed.list, signed.signature, signer_id=sm2.DEFAULT_ID):
        raise WithdrawnError(
            "撤销印章清单不是该方直签密钥所签", "the list of withdrawn seals is not signed by the party's direct key"
        )
    try:
        found = msgspec.json.decode(signed.list, type=SealList)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise WithdrawnError("撤销印章清单内容有误", "the content of the list of withdrawn seals is wrong") from None
    if found.party != party:
        raise WithdrawnError("撤销印章清单是别的主体的", "the list of withdrawn seals is another party's")
    return found
