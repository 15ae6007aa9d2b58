"""The registry (名册) that a node holds: one private file with the list as imported and the keepers we believe for it.

``bring_in`` is the only way in: a list that follows the one held, or any list by its keepers' fingerprint.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway import keyring
from gateway.config import ConfigError
from gateway.exchange import registry as registries
from gateway.exchange.registry import Registry
from signing.errors import Malformed, Rejected
from signing.providers import Provider


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The signed list, and the fingerprint of its keepers at the time it was believed."""

    keepers: str
    file: bytes


def held(path: Path, provider: Provider) -> Registry | None:
    """The list this node imported, None when there is none. ``ConfigError`` for a file that is not what was imported."""
    if not path.exists():
        return None
    try:
        kept = msgspec.json.decode(keyring.private_bytes(path), type=_Kept)
        found = registries.believe(kept.file, kept.keepers, provider)
    except (msgspec.MsgspecError, Malformed):
        raise ConfigError(str(path), "名册无法读取", "the registry cannot be read") from None
    if isinstance(found, Rejected):
        raise ConfigError(str(path), found.zh, found.en)
    return found


def bring_in(path: Path, data: bytes, fingerprint: str, now_ms: int, provider: Provider) -> Registry | Rejected:
    """Hold this list from now on, or say why not. ``fingerprint``: of its keepers, confirmed out of band; "": it follows."""
    present = None if fingerprint else held(path, provider)
    if present is None and not fingerprint:
        zh, en = "首次导入须给出核对过的保管人指纹", "the first import needs the keepers' fingerprint"
        return Rejected("registry-first", zh, en)
    answer = (
        registries.first(data, fingerprint, now_ms, provider)
        if present is None
        else registries.follow(present, data, now_ms, provider)
    )
    if isinstance(answer, Registry):
        _replace(path, msgspec.json.encode(_Kept(registries.fingerprint(answer), data)))
    return answer


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    keyring.write_private(part, data)
    part.replace(path)
