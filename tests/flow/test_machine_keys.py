"""A gateway whose checkpoint, direct and platform keys are in a cryptographic machine: it works as with files, and while the
machine is away nothing is acknowledged, nothing is lost, and no key file takes its place (L11)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway import config, files
from gateway.config import ConfigError
from gateway.demo import world
from gateway.demo.world import Side
from gateway.keys import keyring
from gateway.keys.machine import REFUSED
from gateway.ops.doctor import examine
from gateway.ops.patient import Patient
from signing import keys
from signing.errors import Unavailable
from signing.keyring import Act, Entry, Facts, Moved, State, move
from tests.contract.sdf.machine import PIN, Double
from tests.flow import nodes
from tests.flow.nodes import Running, Window
from tests.flow.test_store_faults import ledger_is_whole

USES = ("checkpoint", "direct", "platform")


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Double:
    return Double(tmp_path, monkeypatch)


@pytest.fixture
def moved(places: world.World, double: Double, monkeypatch: pytest.MonkeyPatch) -> world.World:
    """Gateway A's online keys are in the machine now; of their files nothing is left."""
    side = places.a
    folder = side.folder / "keys"
    secret = files.private_bytes(folder / "passphrase").strip()
    for number, use in enumerate(USES, 1):
        private = keys.private_from_pem((folder / f"{use}.pem").read_bytes(), secret)
        monkeypatch.setenv(f"SDF_DOUBLE_KEY_{number}", f"{private.d:064x}")
        (folder / f"{use}.pem").unlink()
    files.write_private(folder / "pin", PIN + b"\n")
    text = side.config.read_text()
    uri = double.uri(timeout_ms=400, rest_ms=60)
    index = ", ".join(f"{use} = {number}" for number, use in enumerate(USES, 1))
    machine = f'[keys.machine]\npin = {{ file = "keys/pin" }}\nindex = {{ {index} }}\n\n[stamp]'
    side.config.write_text(text.replace('provider = "auto"', f'provider = "{uri}"').replace("[stamp]", machine))
    return places


@pytest.fixture
async def a(moved: world.World) -> AsyncIterator[Running]:
    async with nodes.running(moved.a) as (node,):
        yield node


@pytest.fixture
def window(a: Running, session: aiohttp.ClientSession) -> Window:
    return Window(a, session, json.loads(a.side.platform_config.read_bytes()))


def found(side: Side) -> dict[str, Any]:
    settings = config.load(side.config)
    rows: dict[str, Any] = {}
    for check in examine(Patient(settings, side.folder, datetime.now(UTC)), outside=False):
        if rows.get(check.name) is None or rows[check.name].level == "ok":
            rows[check.name] = check
    return rows


async def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("faults", [{"gone": 1}, {"fail": "InternalSign_ECC:01000004:1"}], ids=["gone", "no signature"])
async def test_L11_cases_wait_while_the_machine_is_away_and_go_on_when_it_is_back(
    a: Running, window: Window, double: Double, faults: dict[str, object]
) -> None:
    assert (await window.hand_in(window.papers())).status == 200
    assert double.count("signs") > 0
    double.set(**faults)
    (await window.hand_in(window.papers())).refused("TB-9004", 503)
    before = a.node.journal.head.size
    waiting = [window.papers() for _ in range(6)]
    for papers in waiting:
        reply = await window.hand_in(papers)
        reply.refused("TB-9004", 503)
        assert reply.headers["Retry-After"]
    async with window.session.get(a.url("admin", "/readyz")) as answer:
        assert answer.status == 503
        assert (await answer.json())["code"] == "TB-9004"
    async with window.session.get(a.url("admin", "/healthz")) as answer:
        assert answer.status == 200
    assert a.one("SELECT count(*) FROM case_file") == 1
    assert a.one("SELECT count(*) FROM leaf") == a.node.journal.head.size == before
    row = found(a.side)["keys"]
    assert row.level == "fail" and "密码机" in row.zh and "软件密钥" in row.fix_zh
    double.well()
    for papers in waiting:
        while (reply := await window.hand_in(papers)).status == 503:
            await asyncio.sleep(0.02)
        assert reply.status == 200
    assert a.one("SELECT count(*) FROM case_file") == 7
    async with window.session.get(a.url("admin", "/readyz")) as answer:
        assert answer.status == 200
    async with window.session.get(a.url("admin", "/metrics")) as answer:
        assert "tongban_software_keys 0.0" in await answer.text()
    await asyncio.sleep(0.1)
    ledger_is_whole(a)
    assert double.count("clashes") == 0


async def test_L11_a_machine_that_hangs_in_mid_signature_holds_nobody_for_long(
    a: Running, window: Window, double: Double
) -> None:
    assert (await window.hand_in(window.papers())).status == 200
    double.set(delay=30_000)
    started = time.monotonic()
    stuck = asyncio.create_task(window.hand_in(window.papers()))
    await asyncio.sleep(0.1)
    async with window.session.get(a.url("admin", "/healthz")) as answer:  # the event loop goes on meanwhile
        assert answer.status == 200
    assert not stuck.done()
    (await stuck).refused("TB-9004", 503)
    for _ in range(8):
        (await window.hand_in(window.papers())).refused("TB-9004", 503)
    assert time.monotonic() - started < 15  # three time-outs of 0.4 s at most on each loop, then at once
    double.well()
    papers = window.papers()
    while (await window.hand_in(papers)).status == 503:
        assert time.monotonic() - started < 40
        await asyncio.sleep(0.02)
    assert a.one("SELECT count(*) FROM case_file") == 2


async def test_both_gateways_exchange_with_keys_in_a_machine(
    moved: world.World, session: aiohttp.ClientSession, double: Double
) -> None:
    async with nodes.running(moved.a, moved.b) as (a, b):
        window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
        double.set(gone=1)
        papers = window.papers()
        assert (await window.hand_in(papers)).status == 503
        double.well()
        while (await window.hand_in(papers)).status == 503:
            await asyncio.sleep(0.02)
        await until(lambda: bool(b.one("SELECT count(*) FROM case_file")))
        await until(lambda: a.one("SELECT count(*) FROM delivery WHERE state = 'delivered'") >= 1)
        assert double.count("sessions") > 0
    assert double.count("sessions") == double.count("devices") == 0  # a node that stops leaves the machine


def test_doctor_tells_machine_keys_from_software_keys(moved: world.World) -> None:
    row = found(moved.a)["signers"]
    assert row.level == "ok"
    assert row.zh == "软件密钥：encryption；密码机密钥：checkpoint、direct、platform"
    assert "software double" in found(moved.a)["provider"].zh
    text = moved.a.config.read_text()
    moved.a.config.write_text(text.replace("lab = true", "lab = false"))
    row = found(moved.a)["signers"]
    assert row.level == "warn" and "GM/T 0018" in row.fix_zh


def test_L11_a_wrong_PIN_is_tried_once_and_stays_refused_after_a_restart(moved: world.World, double: Double) -> None:
    side = moved.a
    (side.folder / "keys" / "pin").write_bytes(b"0000-not-it")
    for _ in range(4):  # four starts
        ring = keyring.open_ring(config.load(side.config), side.folder)[0]
        with pytest.raises(ConfigError) as refused:
            ring.signer("checkpoint")
        assert "not-it" not in f"{refused.value.zh} {refused.value.en} {refused.value!r}"
    assert double.count("pins") == 1
    mark = side.folder / config.load(side.config).node.data / REFUSED
    assert mark.exists()
    row = found(side)["keys"]
    assert row.level == "fail" and REFUSED in row.zh
    assert double.count("pins") == 1
    (side.folder / "keys" / "pin").write_bytes(PIN)
    mark.unlink()
    assert keyring.open_ring(config.load(side.config), side.folder)[0].signer("checkpoint").kind == "machine"


def test_L11_a_key_file_left_behind_never_serves_a_use_of_the_machine(moved: world.World, double: Double) -> None:
    side = moved.a
    ring = keyring.open_ring(config.load(side.config), side.folder)[0]
    soft = nodes.PROVIDER.generate()
    data = keys.private_to_pem(soft, ring.passphrase, salt=bytes(16), iv=bytes(16), iterations=1)
    files.write_private(side.folder / "keys" / "checkpoint.pem", data)
    assert ring.signer("checkpoint").key_id != soft.public.thumbprint
    double.set(gone=1)
    with pytest.raises(Unavailable):
        keyring.open_ring(config.load(side.config), side.folder)[0].signer("checkpoint")
    assert {one.use: one.file for one in ring.entries() if one.use in USES} == {
        "checkpoint": "sdf:?key=1", "direct": "sdf:?key=2", "platform": "sdf:?key=3",
    }  # fmt: skip


def test_a_machine_without_its_table_or_a_table_without_its_machine_is_refused(moved: world.World) -> None:
    side, text = moved.a, moved.a.config.read_text()
    table = text[text.index("[keys.machine]") : text.index("[stamp]")]
    for bent in (
        text.replace(table, ""),
        text.replace("sdf:", "libcrypto:").replace(text.split('"sdf:')[1].split('"')[0], ""),
    ):
        side.config.write_text(bent)
        with pytest.raises(ConfigError, match=r"keys\.machine"):
            keyring.open_ring(config.load(side.config), side.folder)
    for index in ("identity = 1", "checkpoint = 0", 'checkpoint = "1"'):
        side.config.write_text(text.replace("checkpoint = 1", index))
        with pytest.raises(ConfigError):
            config.load(side.config)


def test_L09_a_key_inside_the_machine_takes_over_and_its_index_cannot_be_filled_anew(
    moved: world.World, double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, _ = keyring.open_ring(config.load(moved.a.config), moved.a.folder)
    old = ring.signer("direct").key_id
    monkeypatch.setenv("SDF_DOUBLE_KEY_4", f"{7:064x}")
    entry = ring.add_machine("direct", 4, Moved(1, State.GENERATED, ("wang",)))
    assert isinstance(entry, Entry) and entry.file == "sdf:?key=4"
    for act in (Act.IMPORT, Act.ANNOUNCE, Act.ACTIVATE):
        facts = Facts(5, ("wang", "li"), certified=True, listed=True)
        ring.change(lambda register, act=act, facts=facts: move(register, entry.id, act, facts))  # type: ignore[misc]
    assert ring.signer("direct").key_id == entry.id != old
    assert ring.signer("direct").kind == "machine"
    monkeypatch.setenv("SDF_DOUBLE_KEY_4", f"{8:064x}")
    again, _ = keyring.open_ring(config.load(moved.a.config), moved.a.folder)
    with pytest.raises(ConfigError, match="not the key that the register says"):
        again.signer("direct")
