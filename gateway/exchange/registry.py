"""The registry (名册): one list of party cards that a province or the nation signs by a threshold of keepers (保管人).

Two cities need none: they compare fingerprints. A registry comes later and re-issues nothing; a card that it lists is the
card its party signed. What holds of a list: enough keepers of the list before it signed it, and enough of its own; its
version grows by bounded steps and never goes back; its age is soft: good, to be renewed, in grace, and then refused.
The first list, and one after a loss of keepers, is believed by its keepers' fingerprint, compared out of band.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.exchange.message import Millis, PartyId
from signing import sm2
from signing.errors import Malformed, Rejected
from signing.providers import Provider
from signing.sm3 import sm3

DOMAIN = b"tongban/v1/registry\n"
MAX_BYTES = 16 << 20
MAX_STEP = 32  # versions that may be skipped at once: more is a recovery, by fingerprint
SKEW_MS = 300_000

Standing = Literal["good", "renew", "grace", "refused"]
Name = Annotated[str, Meta(min_length=1, max_length=128)]


class Keeper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One who signs the list: a name and an SM2 public key, 04||x||y."""

    name: Name
    point: Annotated[bytes, Meta(min_length=65, max_length=65)]


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A party of the list: its identity fingerprint, and its card as it signed it."""

    party: PartyId
    fingerprint: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    card: bytes


class Registry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The list. Until ``renew_ms`` it is good, until ``expires_ms`` it warns, then it serves ``grace_ms`` longer."""

    v: Literal[1] = 1
    name: Name
    version: Annotated[int, Meta(ge=1, le=1 << 40)]
    issued_ms: Millis
    renew_ms: Millis
    expires_ms: Millis
    grace_ms: Annotated[int, Meta(ge=0, le=366 * 86_400_000)]
    threshold: Annotated[int, Meta(ge=1, le=32)]
    keepers: Annotated[tuple[Keeper, ...], Meta(min_length=1, max_length=32)]
    cards: Annotated[tuple[Listed, ...], Meta(max_length=5000)]

    def listed(self, party: str) -> Listed | None:
        """The party's line, None where it is not in the list."""
        return next((one for one in self.cards if one.party == party), None)

    def standing(self, now_ms: int) -> Standing:
        """How old the list is."""
        ages: tuple[tuple[int, Standing], ...] = (
            (self.renew_ms, "good"), (self.expires_ms, "renew"), (self.expires_ms + self.grace_ms, "grace"),
        )  # fmt: skip
        return next((name for until, name in ages if now_ms <= until), "refused")


class KeeperSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A keeper's signature: its key's thumbprint and the DER signature over domain and list."""

    key: str
    signature: Annotated[bytes, Meta(max_length=80)]


class SignedRegistry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The list's bytes with what its keepers signed."""

    registry: bytes
    signatures: Annotated[tuple[KeeperSignature, ...], Meta(max_length=64)] = ()


def encode(registry: Registry) -> bytes:
    """The list's canonical bytes."""
    return msgspec.json.encode(registry, order="sorted")


def read(data: bytes) -> tuple[Registry, SignedRegistry]:
    """List and signatures of a file, believed in nothing yet. Raises ``Malformed``."""
    if len(data) > MAX_BYTES:
        raise Malformed("registry-size", "名册超过大小上限", "the registry is larger than allowed")
    try:
        signed = msgspec.json.decode(data, type=SignedRegistry)
        registry = msgspec.json.decode(signed.registry, type=Registry)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Malformed("registry-form", "名册无法读取", "the registry cannot be read") from None
    if encode(registry) != signed.registry:
        raise Malformed("registry-form", "名册不是规范形式", "the registry is not in canonical form")
    _consistent(registry)
    return registry, signed


def _consistent(registry: Registry) -> None:
    keys = {sm2.PublicKey.from_bytes(keeper.point).thumbprint for keeper in registry.keepers}
    parties = {one.party for one in registry.cards}
    times = (registry.issued_ms, registry.renew_ms, registry.expires_ms)
    if len(keys) != len(registry.keepers) or len(parties) != len(registry.cards):
        raise Malformed("registry-duplicate", "名册中有重复的保管人或机构", "a keeper or party occurs twice")
    if registry.threshold > len(keys) or list(times) != sorted(times):
        raise Malformed("registry-terms", "名册的门限或时间自相矛盾", "threshold or times contradict themselves")


def sign(data: bytes, signer: sm2.Signer) -> bytes:
    """The file with one keeper's signature added. ``Malformed`` when the key is no keeper's of this list."""
    registry, signed = read(data)
    if signer.key_id not in _keys(registry):
        raise Malformed("not-a-keeper", "该密钥不是名册的保管人", "the key is not a keeper's of this registry")
    others = tuple(one for one in signed.signatures if one.key != signer.key_id)
    mine = KeeperSignature(signer.key_id, signer.sign(DOMAIN + signed.registry))
    return msgspec.json.encode(SignedRegistry(signed.registry, (*others, mine)), order="sorted")


def fingerprint(registry: Registry) -> str:
    """What people compare out of band: SM3 over threshold and keepers' keys, the first 16 bytes, hex."""
    keys = "".join(sorted(_keys(registry)))
    return sm3(DOMAIN + f"{registry.threshold}\n{keys}".encode())[:16].hex()


def signed_by(registry: Registry, signed: SignedRegistry, provider: Provider) -> list[str]:
    """Names of this registry's keepers whose signature over the file holds, each once."""
    keys = _keys(registry)
    found = {}
    for one in signed.signatures:
        keeper = keys.get(one.key)
        if keeper is not None and sm2.verify(
            provider, sm2.PublicKey.from_bytes(keeper.point), DOMAIN + signed.registry, one.signature,
            signer_id=sm2.DEFAULT_ID,
        ):  # fmt: skip
            found[one.key] = keeper.name
    return list(found.values())


def believe(data: bytes, expected: str, provider: Provider) -> Registry | Rejected:
    """A list believed by its keepers' fingerprint, whatever its age: one that we imported before."""
    registry, signed = read(data)
    if fingerprint(registry) != expected:
        return Rejected("keepers", "保管人与核对过的指纹不符", "the keepers are not those of the confirmed fingerprint")
    return _enough(registry, signed, registry, provider) or registry


def first(data: bytes, expected: str, now_ms: int, provider: Provider) -> Registry | Rejected:
    """The first list, or one that recovers lost keepers: by its keepers' fingerprint, and in force."""
    registry = believe(data, expected, provider)
    return registry if isinstance(registry, Rejected) else _not_in_force(registry, now_ms) or registry


def follow(held: Registry, data: bytes, now_ms: int, provider: Provider) -> Registry | Rejected:
    """The list that follows the one we hold, or why the offered one does not."""
    registry, signed = read(data)
    if registry == held:
        return held
    return (
        _step(held, registry)
        or _enough(registry, signed, held, provider)
        or _enough(registry, signed, registry, provider)
        or _not_in_force(registry, now_ms)
        or registry
    )


def _step(held: Registry, registry: Registry) -> Rejected | None:
    if registry.name != held.name:
        return Rejected("registry-name", "是另一本名册", "it is another registry")
    if registry.version == held.version:
        return Rejected("registry-conflict", "同一版本的内容不同", "one version, other content")
    if registry.version < held.version or registry.issued_ms < held.issued_ms:
        return Rejected("registry-rollback", "版本或签发时间倒退", "the version or the time of issue goes back")
    if registry.version > held.version + MAX_STEP:
        zh = f"版本一次跨越 {registry.version - held.version}（上限 {MAX_STEP}），须按指纹恢复"
        return Rejected("registry-step", zh, f"more than {MAX_STEP} versions at once: recover by fingerprint")
    return None


def _enough(registry: Registry, signed: SignedRegistry, keeping: Registry, provider: Provider) -> Rejected | None:
    """Signed by as many keepers of ``keeping`` as it demands."""
    count = len(signed_by(keeping, signed, provider))
    if count >= keeping.threshold:
        return None
    zh = f"有效签名 {count} 个，须 {keeping.threshold} 个（第 {keeping.version} 版的保管人）"
    en = f"{count} good signatures, {keeping.threshold} needed (keepers of version {keeping.version})"
    return Rejected("registry-threshold", zh, en)


def _not_in_force(registry: Registry, now_ms: int) -> Rejected | None:
    if registry.issued_ms > now_ms + SKEW_MS:
        return Rejected("registry-future", "签发时间晚于现在", "the time of issue lies ahead of now")
    if registry.standing(now_ms) == "refused":
        return Rejected("registry-expired", "名册已过期（含宽限期）", "the registry has expired, grace included")
    return None


def _keys(registry: Registry) -> dict[str, Keeper]:
    return {sm2.PublicKey.from_bytes(keeper.point).thumbprint: keeper for keeper in registry.keepers}
