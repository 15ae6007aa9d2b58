"""The exchange of files over SFTP against servers that are none of ours: asyncssh's with faults on order, and OpenSSH's."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh
import msgspec
import pytest

from adapters import samples
from adapters.base import Accepted, NotThere, Temporary, Unclear, Untranslatable
from adapters.file_drop.channel import FileDrop
from adapters.registry import Platform, PlatformSettings, open_platform
from gateway.demo import world
from tests.contract.sftp_support import Server, foreign, openssh
from tests.contract.test_front_db import CASE, Desk
from tests.unit.adapters.support import PROFILES, PROVIDER

sys.path.insert(0, str(Path(world.__file__).parent / "platforms"))
import file_hall

pytestmark = pytest.mark.processes


def opened(url: str, secrets: dict[str, bytes], **settings: Any) -> Platform:
    given = PlatformSettings(id="hz", profile="hanzhong_files", base_url=url, **settings)
    data = (PROFILES / "hanzhong_files.toml").read_bytes()
    return open_platform(given, data, {}, lambda: None, PROVIDER, str, int, secrets)  # type: ignore[arg-type,return-value]


def through(server: Server, folder: Path, **settings: Any) -> FileDrop:
    settings = {"host_keys": (server.host_key,), "timeout_ms": 20_000, "connect_timeout_ms": 20_000, **settings}
    found = opened(server.url(folder), {"key": server.key}, **settings).channel
    assert isinstance(found, FileDrop)
    return found


@pytest.fixture
def hall(tmp_path: Path) -> file_hall.Hall:
    return file_hall.Hall(tmp_path / "x")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with foreign(tmp_path / "server") as found:
        yield found


@pytest.fixture
async def drop(server: Server, hall: file_hall.Hall, tmp_path: Path) -> AsyncIterator[FileDrop]:
    found = through(server, tmp_path / "x")
    yield found
    await found.close()


# --- as over a disk ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [foreign, openssh])
async def test_files_go_and_come_over_a_real_server(
    kind: Any, hall: file_hall.Hall, desk: Desk, tmp_path: Path
) -> None:
    """F10 too: links, pipes and what is not whole, as far as a server lets them be seen."""
    async with kind(tmp_path / "server") as server:
        drop = through(server, tmp_path / "x")
        wires = [drop.translator.outbound(samples.outbound("application"))]
        other = samples.outbound("withdrawal")
        wires.append(drop.translator.outbound(msgspec.structs.replace(other, id="W2")))
        assert await drop.ask(wires[0].id) == NotThere()
        assert await asyncio.gather(*map(drop.send, wires)) == [Accepted()] * 2
        assert await drop.send(wires[0]) == Accepted()
        assert {message["lsh"] for message in hall.take()} == {wire.id for wire in wires}
        assert [await drop.ask(wires[0].id), await drop.send(wires[0])] == [Accepted()] * 2 and hall.take() == []
        assert not list(hall.theirs.glob("*.tmp"))
        good = [hall.accept(CASE), hall.step(CASE), hall.decide(CASE)]
        strange(hall, tmp_path)
        halfway = hall.step(CASE, halfway=True)
        assert await drop.poll(desk) == 6
        assert [act.type for act in desk.acts] == ["acceptance", "step", "decision"]
        assert [hall.answer_of(name)[0] for name in good] == ["receipt"] * 3  # type: ignore[index]
        assert {hall.answer_of(name)[1]["jg"] for name in ("zlink", "zpipe", "zfolder")} == {"no-file"}  # type: ignore[index]
        assert not hall.answer_of(halfway) and await drop.poll(desk) == 0
        assert not list(hall.ours.glob("*.ok")) and len(list((hall.ours / "done").glob("*.ok"))) == 6
        await drop.close()


def strange(hall: file_hall.Hall, tmp_path: Path) -> None:
    """Three messages whose documents are no files, and names that are none."""
    (tmp_path / "secret").write_text("{}")
    for name in ("zlink", "zpipe", "zfolder", "..evil", "坏"):
        (hall.ours / f"{name}.ok").write_bytes(b'{"type":"message","size":2,"sm3":"%s"}' % (b"0" * 64))
    (hall.ours / "zlink.json").symlink_to(tmp_path / "secret")
    os.mkfifo(hall.ours / "zpipe.json")
    (hall.ours / "zfolder.json").mkdir()
    (hall.ours / os.fsdecode("坏名".encode("gb18030"))).write_bytes(b"")
    for name in ("..evil", "坏"):
        (hall.ours / f"{name}.ok").rename(hall.ours / f"{name}.okx")


async def test_a_used_name_and_a_file_put_under_it_meanwhile_are_refused(
    hall: file_hall.Hall, drop: FileDrop, desk: Desk
) -> None:
    """F10: a rename race over SFTP, seen by size and time."""
    content = {"mc": "审查", "ry": "甲", "yj": "", "sj": "2025-03-03 09:30:00"}
    hall.write({"lsh": "1", "lx": "HJ", "tbbh": CASE, "nr": content}, name="same")
    desk.answers = lambda act: hall.write({"lsh": "2", "lx": "later"}, name="same") and None
    assert await drop.poll(desk) == 1
    assert hall.answer_of("same")[1]["jg"] == "name-taken"  # type: ignore[index]
    assert len(desk.acts) == 1 and len(list((hall.ours / "done").iterdir())) == 2


# --- who it is --------------------------------------------------------------------------------------------------------


async def test_a_server_with_another_key_gets_neither_login_nor_message(
    server: Server, hall: file_hall.Hall, tmp_path: Path, desk: Desk
) -> None:
    """The host's key is the registered one; nothing is trusted because it was seen first."""
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    drop = through(server, tmp_path / "x", host_keys=(other,))
    wire = drop.translator.outbound(samples.outbound("application"))
    assert await drop.send(wire) == Temporary("host-key-not-registered", absent=True)
    assert await drop.poll(desk) == 0 and hall.take() == []
    assert await drop.reach() == ("服务器的主机公钥不是登记的", "host-key-not-registered")
    both = through(server, tmp_path / "x", host_keys=(other, server.host_key))
    assert await both.send(wire) == Accepted() and await both.reach() is None
    await both.close()


async def test_a_password_serves_and_neither_it_nor_a_key_is_ever_shown(
    server: Server, hall: file_hall.Hall, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    word = (server.home / "password").read_bytes()
    for secret, expected in ((word, Accepted()), (b"wrong horse", Temporary("login-refused", absent=True))):
        drop = opened(server.url(tmp_path / "x"), {"password": secret}, host_keys=(server.host_key,)).channel
        assert await drop.send(drop.translator.outbound(samples.outbound("application"))) == expected  # type: ignore[attr-defined]
        assert secret.decode() not in repr(drop.folder.login) + caplog.text  # type: ignore[attr-defined]
        await drop.close()


@pytest.mark.parametrize(
    ("url", "settings", "secrets", "code"),
    [
        ("sftp://u@h/x", {}, {"password": b"p"}, "host-key-missing"),
        ("sftp://u@h/x", {"host_keys": ("junk",)}, {"password": b"p"}, "host-key-missing"),
        ("sftp://u@h:99999/x", {}, {}, "drop-address"),
        ("sftp://h/x", {}, {}, "drop-address"),
        ("sftp://u@h", {}, {}, "drop-address"),
        ("sftp://u@h/x", {"host_keys": "good"}, {}, "login-missing"),
        ("sftp://u@h/x", {"host_keys": "good"}, {"key": b"junk"}, "key-unreadable"),
    ],
)
def test_settings_that_cannot_be_safe_are_refused(
    url: str, settings: dict[str, Any], secrets: dict[str, bytes], code: str
) -> None:
    if settings.get("host_keys") == "good":
        key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        settings = {"host_keys": (key,)}
    with pytest.raises(Untranslatable) as caught:
        opened(url, secrets, **settings)
    assert caught.value.code == code


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    with pytest.raises(Untranslatable) as caught:
        opened("sftp://u@h/x", {})
    assert "tongban[sftp]" in caught.value.zh and "tongban[sftp]" in caught.value.en


def test_a_login_key_under_a_password_is_read_with_it() -> None:
    made = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    key = made.export_private_key("pkcs8-pem", "word")
    settings = {"host_keys": (made.export_public_key().decode(),)}
    assert opened("sftp://u@h/x", {"key": key.rstrip(), "key_password": b"word"}, **settings)
    with pytest.raises(Untranslatable):
        opened("sftp://u@h/x", {"key": key.rstrip(), "key_password": b"other"}, **settings)


# --- what breaks ------------------------------------------------------------------------------------------------------

OUT = """
mkdir cut - temporary | lstat cut .ok temporary | open cut .json.tmp temporary | write cut .json.tmp temporary
write cut-after .ok.tmp temporary | fsync cut .json.tmp temporary | close cut .ok.tmp temporary
posix_rename cut .json temporary | posix_rename cut-after .json temporary
posix_rename cut .ok unclear | posix_rename cut-after .ok unclear
write full .json.tmp temporary | write full .ok.tmp temporary | fsync full .json.tmp temporary
open denied .json.tmp temporary | posix_rename denied .ok temporary | posix_rename failed .json temporary
posix_rename unsupported - accepted | fsync unsupported - accepted
"""
SHORT = """
mkdir cut - temporary | write cut-after .ok.tmp temporary | posix_rename cut .ok unclear | posix_rename cut-after .ok unclear
write full .ok.tmp temporary | posix_rename denied .ok temporary | posix_rename unsupported - accepted
"""
IN = """
scandir cut - | lstat cut .ok | open cut .json | read cut .json | read failed .json | scandir denied -
write cut .receipt.tmp | write full .receipt.tmp | posix_rename cut .receipt | posix_rename cut-after .receipt
posix_rename cut .ok | posix_rename denied .ok | posix_rename cut-after .ok | posix_rename cut-after .json
"""


def rows(text: str) -> list[list[str]]:
    """The cells of a table; - is nothing."""
    return [
        [cell.replace("-", "", cell == "-") for cell in row.split()]
        for row in text.strip().replace("\n", "|").split("|")
    ]


@pytest.mark.parametrize("table", [SHORT, pytest.param(OUT, marks=pytest.mark.long)], ids=["short", "long"])
async def test_what_breaks_on_the_way_out_loses_nothing_and_doubles_nothing(
    table: str, server: Server, hall: file_hall.Hall, tmp_path: Path
) -> None:
    """Each step cut, full, refused or unknown to the server: an honest outcome, and one message after the next attempt."""
    for number, (operation, how, name, expected) in enumerate(rows(table)):
        drop = through(server, tmp_path / "x")
        out = samples.outbound("application")
        wire = drop.translator.outbound(msgspec.structs.replace(out, id=f"M{number}"))
        server.faults(**{operation: {"how": how, "name": name}})
        outcome = await drop.send(wire)
        server.faults()
        assert type(outcome).__name__.lower() == expected, (operation, how, name, outcome)
        assert "secret" not in repr(outcome)
        taken = hall.take()
        if isinstance(outcome, Unclear):
            assert await drop.ask(wire.id) == (Accepted() if taken else NotThere())
        assert await drop.send(wire) == Accepted()
        taken += hall.take()
        assert [message["lsh"] for message in taken] == [wire.id], (operation, how, name)
        await drop.close()


async def test_F10_a_server_that_cannot_rename_over_a_file_has_the_older_one_taken_away_first(
    server: Server, hall: file_hall.Hall, tmp_path: Path, desk: Desk
) -> None:
    """F10: rename race. What an attempt that was cut has left is in the way; so is an older answer."""
    drop = through(server, tmp_path / "x")
    wire = drop.translator.outbound(samples.outbound("application"))
    server.faults(posix_rename={"how": "cut-after", "name": ".json"})
    assert isinstance(await drop.send(wire), Temporary) and (hall.theirs / f"{wire.id}.json").exists()
    server.faults(posix_rename={"how": "unsupported"})
    assert await drop.send(wire) == Accepted() and len(hall.take()) == 1
    name = hall.write({}, name="same", sm3="0" * 64)
    (hall.ours / "same.refused.tmp").write_text("left over")
    assert await drop.poll(desk) == 1
    hall.write({"lsh": "2"}, name=name)
    assert await drop.poll(desk) == 1 and hall.answer_of(name)[1]["jg"] == "name-taken"  # type: ignore[index]
    await drop.close()


@pytest.mark.long
async def test_what_breaks_on_the_way_in_is_taken_again_and_counted_once(
    server: Server, hall: file_hall.Hall, desk: Desk, tmp_path: Path
) -> None:
    for operation, how, name in rows(IN):
        drop = through(server, tmp_path / "x")
        sent = hall.step(CASE, serial=f"{operation}-{how}-{name}")
        server.faults(**{operation: {"how": how, "name": name}})
        await drop.poll(desk)
        server.faults()
        for _ in range(3):
            await drop.poll(desk)
        assert hall.answer_of(sent)[0] == "receipt", (operation, how, name)  # type: ignore[index]
        assert {act.id for act in desk.acts} >= {f"{operation}-{how}-{name}"}
        assert not (hall.ours / f"{sent}.ok").exists() and not (hall.ours / f"{sent}.json").exists()
        await drop.close()
    assert len({act.id for act in desk.acts}) == len(rows(IN))


async def test_a_file_that_may_not_be_read_is_refused_and_its_neighbours_flow(
    server: Server, hall: file_hall.Hall, drop: FileDrop, desk: Desk
) -> None:
    closed, open_ = hall.step(CASE), hall.step(CASE)
    server.faults(open={"how": "denied", "name": f"{closed}.json"})
    assert await drop.poll(desk) == 2
    assert hall.answer_of(closed)[1]["jg"] == "no-permission" and hall.answer_of(open_)[0] == "receipt"  # type: ignore[index]


async def test_a_server_that_hangs_is_given_up_and_holds_up_no_other(
    server: Server, hall: file_hall.Hall, tmp_path: Path, desk: Desk
) -> None:
    slow, other = through(server, tmp_path / "x", timeout_ms=1500), file_hall.Hall(tmp_path / "y")
    wire = slow.translator.outbound(samples.outbound("application"))
    assert await slow.send(wire) == Accepted()
    server.faults(lstat={"how": "hang", "name": ".ok"}, scandir={"how": "hang"})
    waiting = [asyncio.create_task(slow.ask(wire.id)), asyncio.create_task(slow.poll(desk))]
    await asyncio.sleep(0)
    quick = opened(f"file://{tmp_path / 'y'}", {}).channel
    assert await quick.send(wire) == Accepted() and len(other.take()) == 1
    assert not waiting[0].done() and not waiting[1].done()
    done = await asyncio.wait_for(asyncio.gather(*waiting), 60)
    assert isinstance(done[0], Temporary) and done[1] == 0
    server.faults()
    assert await slow.ask(wire.id) == Accepted()
    await asyncio.gather(slow.close(), quick.close())


async def test_a_server_that_is_away_is_absent_and_is_found_again(
    hall: file_hall.Hall, tmp_path: Path, desk: Desk
) -> None:
    async with foreign(tmp_path / "server") as server:
        drop = through(server, tmp_path / "x")
        wire = drop.translator.outbound(samples.outbound("application"))
        assert await drop.send(wire) == Accepted()
        gone = through(server, tmp_path / "nothing")
        away = await gone.send(wire)
        assert away == Temporary("folder not there", absent=True) and await gone.poll(desk) == 0
        await gone.close()
    assert isinstance(await drop.ask(wire.id), Temporary)
    assert await drop.ask(wire.id) == Temporary("no-connection", absent=True)
    await drop.close()
