"""The node's keys in a cryptographic machine (密码机, GM/T 0018): which index serves which use, and the one PIN.

In the register of keys such a key's place is ``sdf:?key=1``: the machine itself is the provider of ``[keys]``. A use
with an index is never served by a file, whatever lies in the key folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.config import Config, ConfigError, Secret
from signing.errors import Unavailable
from signing.providers import Provider, sdf_abi
from signing.providers.sdf import SCHEME, Sdf, SdfKey, split_key
from signing.providers.sdf_session import Pin

REFUSED = "pin-refused"  # in the data folder: lies there after a refused PIN, until a person removes it


def in_machine(place: str) -> bool:
    """Whether a key's place is the machine, and not a file."""
    return place.startswith(SCHEME)


def place(index: int) -> str:
    """The place of a machine's key, for the register."""
    return f"{SCHEME}?key={index}"


@dataclass(frozen=True)
class MachineKeys:
    """The machine of a node, its PIN, and use -> index."""

    provider: Sdf
    index: Mapping[str, int]
    pin: Pin
    _held: dict[int, SdfKey] = field(default_factory=dict, repr=False)

    def key(self, where: str) -> SdfKey:
        """The key of a place, tested once by a signature. ``ConfigError`` after a refused PIN, which is tried once;
        Unavailable while the machine does not answer."""
        _, index, _ = split_key(where)
        if index not in self._held:
            try:
                self._held[index] = self.provider.key(index, self.pin)
            except Unavailable as error:
                if error.code == sdf_abi.REFUSED:
                    raise ConfigError("keys.machine.pin", error.zh, error.en) from None
                raise
        return self._held[index]


def open_machine(config: Config, base: Path, provider: Provider, read: Callable[[Secret], bytes]) -> MachineKeys | None:
    """The machine that ``[keys]`` names; None for software keys. Nothing is asked of it yet. ``read`` gives a secret."""
    settings = config.keys.machine
    if settings is None and not isinstance(provider, Sdf):
        return None
    if settings is None or not isinstance(provider, Sdf):
        zh = '密码机须同时设 keys.provider = "sdf:…" 与 [keys.machine]'
        raise ConfigError("keys.machine", zh, 'a machine needs both provider = "sdf:…" and [keys.machine]')
    pin = Pin(read(settings.pin), base / config.node.data / REFUSED)
    return MachineKeys(provider, settings.index, pin)
