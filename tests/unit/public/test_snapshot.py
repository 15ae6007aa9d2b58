"""Signed status snapshots: what was signed is read, and nothing else is believed (G2)."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import lab
from gateway.core.ecert import State
from gateway.exchange import card as cards
from gateway.exchange.card import Card, Revoked
from gateway.keys import keyring
from gateway.public import snapshot, watch
from gateway.public.shown import Shown
from gateway.public.snapshot import Head, Snapshot, read, write
from gateway.public.watch import Watched
from signing.errors import Malformed, Rejected
from signing.providers import open_provider
from signing.sm2 import Signer
from signing.sm3 import sm3
from tests.unit.public.shown import simple

PROVIDER = open_provider()
NOW = datetime.now(UTC).replace(microsecond=0)
NOW_MS = int(NOW.timestamp() * 1000)
PARTY = "420104.11420104000000000X"
ROWS = sorted((sm3(str(n).encode()), simple(State.REVOKED if n % 10 == 0 else State.VALID)) for n in range(200))


class Issuer:
    """A lab party with its card and direct key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        place = lab.Place("420104", "甲通办网关", "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", False)
        self.card: Card = lab.build(folder, place, PROVIDER, NOW)
        self.party = place.party
        passphrase = (folder / "keys" / lab.PASSPHRASE).read_bytes().strip()
        self.ring = keyring.Keyring(folder / "keys", passphrase, PROVIDER)
        self.fingerprint = (folder / "fingerprint").read_text()

    @property
    def signer(self) -> Signer:
        return self.ring.signer("direct")

    def write(self, path: Path, rows: list[tuple[bytes, Shown]] = ROWS, made_ms: int = NOW_MS, **bend: object) -> bytes:
        fields = {"issuer": self.party, "next_ms": made_ms + 60_000, "signer": self.signer} | bend
        write(path, rows, fields["issuer"], made_ms, fields["next_ms"], True, fields["signer"])  # type: ignore[arg-type]
        return path.read_bytes()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "status.snapshot"


def believed(data: bytes, card: Card, held: Snapshot | None = None, now_ms: int = NOW_MS) -> Snapshot:
    found = read(data, card, PROVIDER, now_ms, held)
    assert isinstance(found, Snapshot), found
    return found


def test_every_certificate_is_found_and_nobody_else(issuer: Issuer, path: Path) -> None:
    found = believed(issuer.write(path), issuer.card)
    assert [found.look(digest) for digest, _ in ROWS] == [shown for _, shown in ROWS]
    for n in range(1000):
        assert found.look(sm3(b"absent", str(n).encode())) is None
    assert [found.look(bytes(32)), found.look(b"\xff" * 32)] == [None, None]
    assert found.news(NOW_MS + 60_000) == (NOW_MS, False)
    assert found.news(NOW_MS + 60_001) == (NOW_MS, True)
    assert os.listdir(path.parent) == [path.name]


@settings(max_examples=40, deadline=None)
@given(st.sets(st.binary(min_size=32, max_size=32), max_size=40), st.binary(min_size=32, max_size=32))
def test_the_bisection_is_a_lookup(
    issuer: Issuer, tmp_path_factory: pytest.TempPathFactory, keys: set[bytes], other: bytes
) -> None:
    rows = [(key, simple()) for key in sorted(keys)]
    found = believed(issuer.write(tmp_path_factory.getbasetemp() / "few", rows), issuer.card)
    assert all(found.look(key) == simple() for key in keys)
    assert (found.look(other) is not None) == (other in keys)


def head_of(data: bytes) -> Head:
    return msgspec.json.decode(data.split(b"\n", 1)[0], type=Head)


def resigned(issuer: Issuer, data: bytes, **changes: object) -> bytes:
    first, _, body = data.split(b"\n", 2)
    head = msgspec.structs.replace(msgspec.json.decode(first, type=Head), **changes)
    line = msgspec.json.encode(head, order="sorted")
    signed = snapshot.Signature(issuer.signer.key_id, issuer.signer.sign(snapshot.DOMAIN + line))
    return b"\n".join([line, msgspec.json.encode(signed, order="sorted"), body])


def test_bad_snapshots_have_their_reasons(issuer: Issuer, stranger: Issuer, path: Path) -> None:
    good = issuer.write(path)
    flipped = good.replace(b'"status":"revoked"', b'"status":"expired"', 1)
    assert flipped != good
    bad: dict[str, bytes] = {
        "snapshot-issuer": issuer.write(path, issuer="360113.11360113000000000Q"),
        "snapshot-key": issuer.write(path, signer=stranger.signer),
        "snapshot-signature": good.replace(b'"entries":200', b'"entries":199', 1),
        "snapshot-future": issuer.write(path, made_ms=NOW_MS + 600_000),
        "snapshot-body": flipped,
    }
    for code, data in bad.items():
        found = read(data, issuer.card, PROVIDER, NOW_MS, None)
        assert isinstance(found, Rejected), code
        assert found.code == code
    other_use = issuer.write(path, signer=issuer.ring.signer("checkpoint"))
    assert getattr(read(other_use, issuer.card, PROVIDER, NOW_MS, None), "code", "") == "snapshot-key"
    revoked = msgspec.structs.replace(issuer.card, revoked=(Revoked(issuer.signer.key_id, NOW_MS),))
    assert getattr(read(good, revoked, PROVIDER, NOW_MS, None), "code", "") == "snapshot-key"


def test_bytes_that_are_no_snapshot(issuer: Issuer, path: Path) -> None:
    good = issuer.write(path)
    first, second, body = good.split(b"\n", 2)
    lines = body.split(b"\n")[:-1]

    def signed(new: list[bytes], **changes: object) -> bytes:
        text = b"\n".join([*new, b""]) if new else b""
        changed = b"\n".join([first, second, text])
        return resigned(issuer, changed, body=sm3(text).hex(), **changes)

    for data in (
        b"", b"\n\n", good[:-1], good[:300], b"\x00" * 5000, first + b"\n" + b"x" * 9000, b"[]\n{}\n",
        b"[" * 4000 + b"\n\n", signed(lines[::-1]), signed([lines[0], *lines]), signed(lines[1:]), signed([b"x", *lines[1:]]),
        signed(lines, entries=201),
    ):  # fmt: skip
        with pytest.raises(Malformed):
            read(data, issuer.card, PROVIDER, NOW_MS, None)


def test_nothing_goes_back(issuer: Issuer, path: Path) -> None:
    old = issuer.write(path)
    newer = issuer.write(path)
    assert head_of(newer).sequence == head_of(old).sequence + 1, "two of one millisecond still have an order"
    held = believed(newer, issuer.card)
    assert believed(newer, issuer.card, held).head == held.head
    found = read(old, issuer.card, PROVIDER, NOW_MS, held)
    assert isinstance(found, Rejected)
    assert found.code == "snapshot-rollback"
    twin = resigned(issuer, newer, next_ms=NOW_MS + 1)
    assert getattr(read(twin, issuer.card, PROVIDER, NOW_MS, held), "code", "") == "snapshot-rollback"


def test_what_changes_on_disk_is_taken_in_or_refused(issuer: Issuer, stranger: Issuer, path: Path) -> None:
    issuer.write(path)
    watched = Watched(path, issuer.folder / "card.json", issuer.fingerprint, PROVIDER, lambda: NOW_MS)
    assert watched.refresh() is None
    first = watched.held
    assert watched.refresh() is None
    assert watched.held is first, "nothing changed, nothing was read"
    path.write_bytes(b"half")
    refused = watched.refresh()
    assert refused is not None
    assert (refused.code, watched.held) == ("snapshot-form", first)
    assert watched.refresh() is None, "told once"
    path.unlink()
    assert getattr(watched.refresh(), "code", "") == "snapshot-unreadable"
    issuer.write(path, ROWS[1:], NOW_MS + 1)
    assert watched.refresh() is None
    assert watched.look(ROWS[0][0]) is None
    assert watched.look(ROWS[1][0]) == ROWS[1][1]


def test_a_file_that_could_not_be_read_is_read_when_it_can_be(
    issuer: Issuer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights that are mended change no file."""
    issuer.write(path)
    watched = Watched(path, issuer.folder / "card.json", issuer.fingerprint, PROVIDER, lambda: NOW_MS)
    assert watched.refresh() is None
    issuer.write(path, ROWS[1:], NOW_MS + 1)
    with monkeypatch.context() as disk:
        disk.setattr(watch, "_bytes", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
        assert [getattr(watched.refresh(), "code", "") for _ in range(2)] == ["snapshot-unreadable"] * 2
    assert watched.refresh() is None
    assert watched.look(ROWS[0][0]) is None


def test_a_card_follows_the_one_before(issuer: Issuer, stranger: Issuer, path: Path, tmp_path: Path) -> None:
    issuer.write(path)
    identity = (issuer.folder / "certs" / "identity.der").read_bytes()
    file = tmp_path / "card.json"

    def put(**changes: object) -> None:
        signer = issuer.ring.signer("identity")
        file.write_bytes(cards.sign(msgspec.structs.replace(issuer.card, **changes), signer, identity))

    put(version=5)
    watched = Watched(path, file, issuer.fingerprint, PROVIDER, lambda: NOW_MS)
    assert watched.refresh() is None
    put(version=4)
    assert getattr(watched.refresh(), "code", "") == "card-rollback"
    file.write_bytes((stranger.folder / "card.json").read_bytes())
    assert getattr(watched.refresh(), "code", "") == "card"
    issuer.write(path, ROWS[1:], NOW_MS + 1)
    file.write_bytes(b"{}")
    assert getattr(watched.refresh(), "code", "") == "card"
    assert watched.look(ROWS[0][0]) is None, "a bad card file does not keep the news away"
    put(version=6, revoked=(Revoked(issuer.signer.key_id, NOW_MS),))
    assert getattr(watched.refresh(), "code", "") == "snapshot-key"
    assert watched.held is not None, "what was believed is still shown, and grows old"


@pytest.mark.long
def test_a_hundred_thousand_certificates_load_in_bounds(issuer: Issuer, path: Path) -> None:
    _many(issuer, path, 100_000, 60_000_000)


def test_thousands_of_certificates_load_in_bounds(issuer: Issuer, path: Path) -> None:
    _many(issuer, path, 5_000, 3_000_000)


def _many(issuer: Issuer, path: Path, count: int, most: int) -> None:
    import time
    import tracemalloc

    rows = sorted((sm3(str(n).encode()), simple()) for n in range(count))
    data = issuer.write(path, rows)
    tracemalloc.start()
    began = time.process_time()
    found = believed(data, issuer.card)
    spent, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.head.entries == count
    assert peak < 2 << 20, "beside the bytes of the file next to nothing"
    assert len(data) < most
    assert spent < 1 + count / 20_000
    for digest, _ in rows[:: count // 50]:
        assert found.look(digest) == simple()


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.booleans())
def test_any_changed_byte_is_refused_or_changes_nothing_that_is_said(
    issuer: Issuer, at: int, byte: int, cut: bool
) -> None:
    good = issuer.write(issuer.folder / "fuzz", ROWS[:5])
    place = at % len(good)
    data = good[:place] if cut else good[:place] + bytes([byte]) + good[place + 1 :]
    try:
        found = read(data, issuer.card, PROVIDER, NOW_MS, None)
    except Malformed:
        return
    if isinstance(found, Snapshot):
        assert (found.first, data[found.start :]) == (good.split(b"\n", 1)[0], good.split(b"\n", 2)[2])
