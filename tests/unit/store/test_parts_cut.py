"""An upload that a kill or a power cut stopped anywhere goes on: what is unreadable in its file never came (T1, F06)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.store.parts import Parts
from gateway.store.vault import Vault
from signing.sm3 import sm3

RANGES = [b"a" * 40, b"b" * 33, b"c" * 7]
WHOLE = b"".join(RANGES)
DIGEST = sm3(WHOLE).hex()
OWNER = "peer:x"


def parts(folder: Path) -> Parts:
    """The store as a restarted process finds it."""
    return Parts(folder, Vault(b"k" * 16, b"b" * 32, os.urandom))


def sent(folder: Path) -> Path:
    """A whole upload, not yet completed; its file."""
    store, end = parts(folder), 0
    for data in RANGES:
        end = store.append(OWNER, DIGEST, end, data)
    return store.path(OWNER, DIGEST)


def go_on(folder: Path) -> None:
    """Send the rest as a partner does: from where the other side says that it is (``Uploads.head``)."""
    store = parts(folder)
    if not store.matches(OWNER, DIGEST):
        at = store.offset(OWNER, DIGEST)
        store.append(OWNER, DIGEST, at, WHOLE[at:])
    store.complete(OWNER, DIGEST)
    assert b"".join(store.read(OWNER, DIGEST)) == WHOLE


def test_T1_cut_at_every_byte_the_upload_goes_on(tmp_path: Path) -> None:
    file = sent(tmp_path)
    whole = file.read_bytes()
    for end in range(len(whole)):
        file.write_bytes(whole[:end])
        go_on(tmp_path)


@pytest.mark.parametrize(
    ("begin", "end"), [(0, 64), (0, 2000), (60, 90), (150, 2000)], ids=["key", "all", "first", "last"]
)
def test_F06_pages_that_came_back_as_zeros_never_came(tmp_path: Path, begin: int, end: int) -> None:
    file = sent(tmp_path)
    whole = file.read_bytes()
    end = min(end, len(whole))
    file.write_bytes(whole[:begin] + b"\0" * (end - begin) + whole[end:])
    go_on(tmp_path)


def test_F06_a_file_within_a_message_is_put_anew_where_what_lies_there_is_torn(tmp_path: Path) -> None:
    file = sent(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-5] + b"\0" * 5)
    store = parts(tmp_path)
    store.store(OWNER, DIGEST, WHOLE)
    assert b"".join(store.read(OWNER, DIGEST)) == WHOLE
