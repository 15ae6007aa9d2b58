"""Opens the places that certificates come from: our own register first, then the platforms of ``[[sharing]]``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from adapters.base import Untranslatable
from adapters.sharing.line import Decrypt
from adapters.sharing.registry import open_sharing, profile
from gateway.config import Config, ConfigError, SharingPlatform, secret
from gateway.flow.recognition import Recognised, lists, seal_policy
from gateway.ground import read_file
from gateway.keys.keyring import Keyring
from gateway.sharing.getting import OWN, Source
from gateway.sharing.own import OwnRegister
from gateway.stamping.external import Expected
from signing import certs
from signing.errors import Malformed
from signing.keys import private_from_pem


def open_sources(
    config: Config, base: Path, ring: Keyring, own: OwnRegister, expected: Expected, now_ms: Callable[[], int]
) -> dict[str, Source]:
    """All sources by id. ``expected``: by what the seals on our own certificates are judged. ``ConfigError`` for settings
    that cannot work."""

    def ours() -> Recognised:
        return Recognised(expected.anchors, expected.crls(), expected.policy)

    sources = {OWN: Source(OWN, own, frozenset(), ours)}
    for one in config.sharing:
        if one.id in sources:
            raise ConfigError(f"sharing.{one.id}", "编号重复", "the id is used twice")
        sources[one.id] = open_source(config, base, ring, one, now_ms)
    return sources


def open_source(config: Config, base: Path, ring: Keyring, one: SharingPlatform, now_ms: Callable[[], int]) -> Source:
    """One configured platform."""
    where = f"sharing.{one.id}"
    try:
        dialect = profile(one.profile)
        anchors = [anchor for name in one.anchors for anchor in certs.load(read_file(base / name))]
    except Untranslatable as error:
        raise ConfigError(f"{where}.profile", error.zh, error.en) from None
    except Malformed as error:
        raise ConfigError(f"{where}.anchors", error.zh, error.en) from None
    decrypt = _decrypt(base / one.key, ring, where) if one.key else None
    if dialect.encrypted and decrypt is None:
        raise ConfigError(
            f"{where}.key", "此方案的数据是加密的，须有解密密钥", "this profile's data are encrypted: a key is needed"
        )
    port = open_sharing(one, secret(one.secret, base).decode("utf-8", "replace"), decrypt, now_ms, dialect)
    crl = base / one.crl if one.crl else None
    policy = seal_policy(config.revocation)
    return Source(one.id, port, frozenset(one.types), lambda: Recognised(anchors, lists(crl), policy), one.identifier)


def _decrypt(path: Path, ring: Keyring, where: str) -> Decrypt:
    try:
        return partial(ring.provider.decrypt, private_from_pem(read_file(path), ring.passphrase))
    except Malformed as error:
        raise ConfigError(f"{where}.key", error.zh, error.en) from None
