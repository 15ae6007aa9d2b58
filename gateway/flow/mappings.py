"""The versions of the local platforms' mappings that ever made a message here (K10): kept, never changed.

A message names the version that made it. Replaying it may use that one or the newest; whatever is replayed, the original
bytes and their seals stay what they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from adapters.mapping_version import pack, unpack
from adapters.registry import Platform
from gateway.store.journal import Reader, Tx, Work


def keep(platforms: Iterable[Platform]) -> Work[None]:
    """The work that stores what the platforms' mappings are made of, once for each version."""
    versions = {one.mapping: one.files for one in platforms}

    def work(tx: Tx) -> None:
        for version, files in versions.items():
            if tx.one("SELECT 1 FROM mapping WHERE id = ?", version) is None:
                tx.run("INSERT INTO mapping (id, data, since_ms) VALUES (?,?,?)", version, pack(files), tx.now_ms)

    return work


def files(reader: Reader, version: str) -> Mapping[str, bytes] | None:
    """What a version is made of; None for one that is not here (a message from before versions were kept)."""
    row = reader.one("SELECT data FROM mapping WHERE id = ?", version)
    try:
        return None if row is None else unpack(row[0])
    except msgspec.DecodeError:
        return None
