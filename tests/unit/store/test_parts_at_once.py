"""One document that comes in several messages at once is stored once and whole: no thread destroys what another has put."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.problems import Refused
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from signing.sm3 import sm3

THREADS, ROUNDS = 6, 20
DATA = os.urandom(3 << 20)
DIGEST = sm3(DATA).hex()


def parts(folder: Path) -> Parts:
    return Parts(folder, Vault(b"k" * 16, b"b" * 32, os.urandom))


@pytest.mark.parametrize("data", [b"small", DATA], ids=["one range", "several ranges"])
def test_the_same_file_from_many_threads_is_there_after_each(data: bytes, tmp_path: Path) -> None:
    store, digest, start = parts(tmp_path), sm3(data).hex(), threading.Barrier(THREADS)

    def bring(owner: str) -> bytes:
        start.wait()
        store.store(owner, digest, data)
        return b"".join(store.read(owner, digest))

    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(ROUNDS if len(data) < 100 else 2):
            assert set(pool.map(bring, [f"platform:{number}"] * THREADS)) == {data}


def test_an_upload_under_way_gives_way_to_the_whole_file(tmp_path: Path) -> None:
    store = parts(tmp_path)
    half = len(DATA) // 2
    store.append("platform:x", DIGEST, 0, DATA[:half])
    store.store("platform:x", DIGEST, DATA)
    with pytest.raises(Refused) as told:
        store.append("platform:x", DIGEST, half, DATA[half:])
    assert told.value.code == "TB-6001"
    assert b"".join(store.read("platform:x", DIGEST)) == DATA
