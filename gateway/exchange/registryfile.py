"""The registry (名册) that a node holds: one private file with the list as imported and the keepers we believe for it.

``bring_in`` is the only way in: a list that follows the one held, or any list by its keepers' fingerprint.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway import files
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
        kept = msgspec.json.decode(files.private_bytes(path), type=_Kept)
        found = registries.believe(kept.file, kept.keepers, provider)
    except (msgspec.MsgspecError, ValueError, Malformed):
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


class Vouching:
    """Whether the registry still stands for a party: read again when the file was replaced, no restart needed."""

    def __init__(self, path: Path, provider: Provider) -> None:
        self._path, self._provider = path, provider
        self._seen, self._registry = 0, held(path, provider)
        self._seen = self._stamp()

    def stands_for(self, party: str, fingerprint: str, now_ms: int) -> bool:
        """The list is in force (soft: grace included) and names the party with this identity."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen, self._registry = stamp, self._read()
        if self._registry is None or self._registry.standing(now_ms) == "refused":
            return False
        listed = self._registry.listed(party)
        return listed is not None and listed.fingerprint == fingerprint

    def _read(self) -> Registry | None:
        """A list that was put in place and is not one stands for nobody; the doctor says what is wrong with it."""
        try:
            return held(self._path, self._provider)
        except ConfigError:
            return None

    def _stamp(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    files.write_private(part, data)
    part.replace(path)
