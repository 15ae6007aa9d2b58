"""The shared folder against a simulated city that knows nothing of us but the folder."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters import samples
from adapters.base import Accepted, Act, CannotAsk, NotThere, Problem, Refused, Temporary, Unclear, Untranslatable
from adapters.file_drop import channel, local
from adapters.file_drop.folder import Shown, Trouble
from adapters.file_drop.local import LocalFolder
from adapters.file_drop.translate import read_words, unfinished
from adapters.profile import compile_profile
from adapters.registry import Platform, PlatformSettings, open_platform
from gateway.demo import world
from tests.contract.test_front_db import CASE, Desk
from tests.unit.adapters.support import PROFILES, PROVIDER, toml

sys.path.insert(0, str(Path(world.__file__).parent / "platforms"))
import file_hall


def opened(path: Path, **settings: Any) -> Platform:
    given = PlatformSettings(id="hz", profile="hanzhong_files", base_url=f"file://{path}", **settings)
    data = (PROFILES / "hanzhong_files.toml").read_bytes()
    return open_platform(given, data, {}, lambda: None, PROVIDER, str, int)  # type: ignore[arg-type,return-value]


@pytest.fixture
def hall(tmp_path: Path) -> file_hall.Hall:
    return file_hall.Hall(tmp_path / "x")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def drop(hall: file_hall.Hall, tmp_path: Path) -> channel.FileDrop:
    found = opened(tmp_path / "x").channel
    assert isinstance(found, channel.FileDrop)
    return found


# --- ours to the platform ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["application", "correction", "withdrawal", "result"])
async def test_a_message_is_read_whole_by_the_city(type_: str, hall: file_hall.Hall, drop: channel.FileDrop) -> None:
    wire = drop.translator.outbound(samples.outbound(type_))
    assert await drop.ask(wire.id) == NotThere()
    assert await drop.send(wire) == Accepted()
    [message] = hall.take()
    assert (message["lsh"], message["tbbh"]) == (wire.id, CASE)
    assert not list(hall.theirs.glob("*.tmp"))


async def test_K03_rare_characters_travel_in_gb18030(hall: file_hall.Hall, drop: channel.FileDrop) -> None:
    """K03: four bytes where two are not enough, never ``?``."""
    await drop.send(drop.translator.outbound(samples.outbound("application")))
    [message] = hall.take()
    assert {"k": "经营场所", "v": "测试大道𠀀号"} in message["nr"]["bd"]["x"]


async def test_the_same_message_twice_is_once_also_after_the_city_took_it_away(
    hall: file_hall.Hall, drop: channel.FileDrop
) -> None:
    wire = drop.translator.outbound(samples.outbound("application"))
    assert [await drop.send(wire), await drop.send(wire), await drop.ask(wire.id)] == [Accepted()] * 3
    assert len(hall.take()) == 1
    assert [await drop.ask(wire.id), await drop.send(wire)] == [Accepted()] * 2
    assert hall.take() == []
    other = drop.translator.outbound(samples.outbound("withdrawal"))
    assert isinstance(await drop.send(other), Refused)


async def test_a_folder_that_is_away_or_full_is_temporary_and_a_lost_marker_is_unclear(
    hall: file_hall.Hall, drop: channel.FileDrop, tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = opened(tmp_path / "none", can_ask=False).channel
    wire = drop.translator.outbound(samples.outbound("application"))
    away = await gone.send(wire)
    assert isinstance(away, Temporary) and away.absent
    assert await gone.poll(desk) == 0 and await gone.ask(wire.id) == CannotAsk()
    assert await gone.reach() == ("文件夹不在", "folder not there") and await drop.reach() is None  # type: ignore[attr-defined]
    await gone.close()

    def full(folder: int, name: str, content: bytes) -> str:
        return "folder: No space left on device" if name.endswith(failing[0]) else real(folder, name, content)

    def lost(folder: LocalFolder, descriptor: int, name: str) -> Shown:
        return Shown("maybe", "time-out") if name.endswith(".ok") else shown(folder, descriptor, name)

    real, shown = local._written, LocalFolder._show
    monkeypatch.setattr(local, "_written", full)
    failing = [""]
    for failing[0] in (".json.tmp", ".ok.tmp"):
        assert await drop.send(wire) == Temporary("folder: No space left on device")
        assert await drop.ask(wire.id) == NotThere() and hall.take() == []
    failing[0] = "none"
    with monkeypatch.context() as patched:
        patched.setattr(LocalFolder, "_show", lost)
        assert await drop.send(wire) == Unclear("time-out")
        assert await drop.ask(wire.id) == NotThere() and hall.take() == []
    assert await drop.send(wire) == Accepted() and len(hall.take()) == 1


# --- the platform's to us ---------------------------------------------------------------------------------------------


async def test_files_are_taken_in_order_answered_and_moved_away(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk
) -> None:
    names = [hall.accept(CASE), hall.step(CASE), hall.decide(CASE)]
    assert await drop.poll(desk) == 3
    assert [act.type for act in desk.acts] == ["acceptance", "step", "decision"]
    assert [hall.answer_of(name)[0] for name in names] == ["receipt"] * 3  # type: ignore[index]
    assert hall.answer_of(names[0])[1]["tbbh"] == CASE  # type: ignore[index]
    assert not list(hall.ours.glob("*.ok")) and not list(hall.ours.glob("*.json"))
    assert await drop.poll(desk) == 0


async def test_only_what_is_whole_is_read(hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk) -> None:
    name = hall.step(CASE, halfway=True)
    (hall.ours / "later.ok").write_bytes(b'{"type":"message","size":5,"sm3":"%s"}' % (b"0" * 64))
    (hall.ours / "more.json.tmp").write_bytes(b"{")
    hall.write({}, name="short", size=10_000)
    sound = hall.step(CASE)
    assert await drop.poll(desk) == 1
    assert (
        hall.answer_of(sound)
        and not hall.answer_of(name)
        and not hall.answer_of("later")
        and not hall.answer_of("short")
    )


BEND: list[dict[str, Any]] = [
    {"sm3": "0" * 64}, {"size": 1}, {"marker": b"done"}, {"marker": b"{}"}, {"marker": b'{"type":"message","size":-1,"sm3":"0"}'},
    {"marker": b" " * 10_000}, {"data": b"\xff\xfe"}, {"data": b"{"}, {"data": b"[]"}, {"data": b'{"a":1,"a":2}'},
    {"data": b"[" * 100_000}, {"type": "nothing"}, {"data": b"{}"}, {"size": 1 << 40},
]  # fmt: skip


@pytest.mark.parametrize("bend", BEND, ids=[f"bend{n}" for n in range(len(BEND))])
async def test_N05_a_poison_file_is_refused_beside_itself_and_its_neighbours_flow(
    bend: dict[str, Any], hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk
) -> None:
    """N01, N03, N05: no document, or not the one that its manifest names."""
    before, poison, after = hall.step(CASE), hall.step(CASE, **bend), hall.step(CASE)
    assert await drop.poll(desk) == 3
    assert [hall.answer_of(name)[0] for name in (before, poison, after)] == ["receipt", "refused", "receipt"]  # type: ignore[index]
    assert hall.answer_of(poison)[1]["jg"]  # type: ignore[index]
    assert await drop.poll(desk) == 0


async def test_F10_links_pipes_and_strange_names_are_not_followed(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"lsh":"1"}')
    marker = json.dumps({"type": "message", "size": 11, "sm3": "0" * 64}).encode()
    for name in ("link", "pipe", "folder"):
        (hall.ours / f"{name}.ok").write_bytes(marker)
    (hall.ours / "link.json").symlink_to(secret)
    os.mkfifo(hall.ours / "pipe.json")
    (hall.ours / "folder.json").mkdir()
    (hall.ours / "..evil.ok").write_bytes(marker)
    (hall.ours / "坏.ok").write_bytes(marker)
    began = time.monotonic()
    assert await drop.poll(desk) == 3
    assert time.monotonic() - began < 20
    assert {hall.answer_of(name)[1]["jg"] for name in ("link", "pipe", "folder")} == {"no-file"}  # type: ignore[index]
    assert desk.acts == []
    (hall.ours / "link.ok").symlink_to(secret)
    sound = hall.step(CASE)
    assert await drop.poll(desk) == 1 and hall.answer_of(sound)[0] == "receipt"  # type: ignore[index]
    assert secret.exists() and not (hall.ours / "link.ok").is_symlink()


@given(
    st.dictionaries(
        st.text(max_size=5), st.text(max_size=5) | st.integers() | st.dictionaries(st.text(max_size=2), st.none())
    )
)
def test_F10_every_beginning_of_a_marker_waits_and_the_whole_is_read(said: dict[str, Any]) -> None:
    """F10: partial file. An object without its end cannot be told to be bad yet."""
    marker = json.dumps(said, ensure_ascii=False).encode()
    assert all(unfinished(marker[:length]) for length in range(len(marker))) and not unfinished(marker)
    assert not any(map(unfinished, (b"done", b"\xff", b'{"a":1,}', b"{" + b" " * 10_000)))


async def test_F10_a_partial_document_or_marker_waits_and_is_taken_when_whole(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk
) -> None:
    """F10: partial file, also where a platform writes its marker in place."""
    name = hall.step(CASE)
    marker, document = hall.ours / f"{name}.ok", hall.ours / f"{name}.json"
    for place in (marker, document):
        whole = place.read_bytes()
        for length in (0, 1, len(whole) // 2, len(whole) - 1):
            place.write_bytes(whole[:length])
            assert await drop.poll(desk) == 0 and hall.answer_of(name) is None, (place.suffix, length)
        place.write_bytes(whole)
    assert await drop.poll(desk) == 1 and len(desk.acts) == 1


async def test_F10_a_hard_link_and_a_strangers_file_are_refused(
    hall: file_hall.Hall, desk: Desk, tmp_path: Path
) -> None:
    """F10: another name of the same file could change it after it was read; ``file_owner`` names whose files are read."""
    name = hall.step(CASE)
    os.link(hall.ours / f"{name}.json", tmp_path / "other")
    drop = opened(tmp_path / "x").inbox
    assert await drop.poll(desk) == 1 and hall.answer_of(name)[1]["jg"] == "hard-link"  # type: ignore[index,union-attr]
    theirs = hall.step(CASE)
    careful = opened(tmp_path / "x", file_owner=os.getuid() + 1).inbox
    assert await careful.poll(desk) == 1 and hall.answer_of(theirs)[1]["jg"] == "wrong-owner"  # type: ignore[index,union-attr]
    ours = hall.step(CASE)
    known = opened(tmp_path / "x", file_owner=os.getuid()).inbox
    assert await known.poll(desk) == 1 and hall.answer_of(ours)[0] == "receipt"  # type: ignore[index,union-attr]


@pytest.mark.parametrize("what", ["both", "document"])
async def test_F10_a_file_put_under_an_answered_name_is_refused_not_lost(
    what: str, hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk
) -> None:
    """F10: rename race. The platform writes a new message under the name while the old one is being answered."""
    content = {"mc": "审查", "ry": "甲", "yj": "", "sj": "2025-03-03 09:30:00"}
    hall.write({"lsh": "1", "lx": "HJ", "tbbh": CASE, "nr": content}, name="same")
    desk.answers = lambda act: hall.write({"lsh": "2"}, name="same", halfway=what == "document") and None  # type: ignore[func-returns-value]
    assert await drop.poll(desk) == 1
    assert hall.answer_of("same")[1]["jg"] == "name-taken" and len(desk.acts) == 1  # type: ignore[index]


async def test_F10_order_is_that_of_names_whatever_the_clocks_say(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk
) -> None:
    """F10: modification times in another century, forwards and backwards."""
    for number, time_ in enumerate((4e9, 0, 2e9)):
        name = hall.step(CASE, f"第{number}步")
        for suffix in ("ok", "json"):
            os.utime(hall.ours / f"{name}.{suffix}", (time_, time_))
    assert await drop.poll(desk) == 3
    assert [act.body.name for act in desk.acts] == ["第0步", "第1步", "第2步"]


async def test_F10_nothing_of_ours_is_written_through_a_link(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk, tmp_path: Path
) -> None:
    """F10: who shares the folder plants links and pipes under the names that we are about to write."""
    secret, elsewhere = tmp_path / "secret", tmp_path / "elsewhere"
    secret.write_text("ours")
    elsewhere.mkdir()
    wire = drop.translator.outbound(samples.outbound("application"))
    (hall.theirs / f"{wire.id}.json.tmp").symlink_to(secret)
    os.mkfifo(hall.theirs / f"{wire.id}.ok.tmp")
    assert await asyncio.wait_for(drop.send(wire), 60) == Accepted() and len(hall.take()) == 1
    assert secret.read_text() == "ours"
    (hall.ours / "done").symlink_to(elsewhere)
    name = hall.step(CASE)
    await drop.poll(desk)
    assert not list(elsewhere.iterdir()) and hall.answer_of(name) is None  # a folder that is a link is no folder
    (hall.ours / "done").unlink()
    assert await drop.poll(desk) == 1 and hall.answer_of(name)[0] == "receipt"  # type: ignore[index]


async def test_a_mount_that_hangs_holds_up_its_own_platform_alone(
    hall: file_hall.Hall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each platform has its own few threads; what waits for the disk ends with its time."""
    other, released = file_hall.Hall(tmp_path / "y"), threading.Event()
    real = LocalFolder._write_all

    def hanging(folder: LocalFolder, files: Any) -> list[str]:
        if folder.root == tmp_path / "x":
            released.wait(120)
        return real(folder, files)

    monkeypatch.setattr(LocalFolder, "_write_all", hanging)
    slow, quick = opened(tmp_path / "x", timeout_ms=500).channel, opened(tmp_path / "y").channel
    wire = slow.translator.outbound(samples.outbound("application"))  # type: ignore[attr-defined]
    try:
        for _ in range(4):  # until all threads of this platform hang
            waiting = asyncio.create_task(slow.send(wire))
            await asyncio.sleep(0)
            assert await quick.send(wire) == Accepted()
            assert await asyncio.wait_for(waiting, 60) == Temporary("time-out")
    finally:
        released.set()
    assert len(other.take()) == 1 and hall.take() == []


async def test_a_folder_of_too_many_files_is_told_once_and_left_alone(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MAX_NAMES", 3)
    names = [hall.step(CASE), hall.step(CASE)]
    with capture_logs() as logs:
        assert [await drop.poll(desk), await drop.poll(desk)] == [0, 0]
    assert [(one["platform"], one["reason"]) for one in logs] == [("hz", "too many files")]
    assert await drop.reach() == ("文件过多", "too many files")
    monkeypatch.setattr(local, "MAX_NAMES", 1000)
    assert await drop.poll(desk) == 2 and all(map(hall.answer_of, names))


async def test_messages_that_wait_hold_up_no_page_behind_them(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "PAGE", 2)
    for _ in range(3):
        hall.step("waits")
    last = hall.step(CASE)
    desk.answers = lambda act: Problem({"code": "TB-5006"}, busy=True) if act.case == "waits" else None
    assert await drop.poll(desk) == 1 and hall.answer_of(last)


async def test_a_page_holds_only_what_there_is_room_for(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "ROOM", 500)
    for _ in range(5):
        hall.step(CASE)
    counts = [await drop.poll(desk) for _ in range(6)]
    assert sum(counts) == 5 and 0 < max(counts) < 5 and counts[-1] == 0


async def test_many_messages_at_once_are_flushed_together(
    hall: file_hall.Hall, drop: channel.FileDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guarantee is the same: no marker before its document is durable, none told before both are."""
    groups: list[int] = []
    real = drop.folder.write

    async def counted(files: Any) -> Any:
        groups.append(len(files))
        return await real(files)

    monkeypatch.setattr(drop.folder, "write", counted)
    out = samples.outbound("application")
    wires = [drop.translator.outbound(msgspec.structs.replace(out, id=f"M{number}")) for number in range(40)]
    assert await asyncio.gather(*[drop.send(wire) for wire in [*wires, wires[0]]]) == [Accepted()] * 41
    assert max(groups) == 120 and len(hall.take()) == 40


async def test_a_used_name_with_other_content_is_refused_and_nothing_is_lost(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk
) -> None:
    content = {"mc": "审查", "ry": "甲", "yj": "", "sj": "2025-03-03 09:30:00"}
    hall.write({"lsh": "1", "lx": "HJ", "tbbh": CASE, "nr": content}, name="same")
    assert await drop.poll(desk) == 1 and hall.answer_of("same")[0] == "receipt"  # type: ignore[index]
    hall.write({"lsh": "2"}, name="same")
    assert await drop.poll(desk) == 1 and hall.answer_of("same")[1]["jg"] == "name-taken"  # type: ignore[index]
    assert len(list((hall.ours / "done").iterdir())) == 4


async def test_a_case_that_has_to_wait_holds_up_no_other(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk
) -> None:
    first, second, other = hall.step("case-a", "一"), hall.step("case-a", "二"), hall.step("case-b", "三")
    desk.answers = lambda act: Problem({"code": "TB-5006"}, busy=True) if act.case == "case-a" else None
    assert await drop.poll(desk) == 1
    assert hall.answer_of(other) and not hall.answer_of(first) and not hall.answer_of(second)
    desk.answers = lambda act: None
    assert await drop.poll(desk) == 2
    assert [act.body.name for act in desk.acts] == ["三", "一", "二"]


async def test_a_crash_after_the_answer_moves_the_file_away_and_takes_it_once(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = hall.step(CASE)

    async def crash(*given: Any) -> Any:
        raise Trouble("gone")

    with monkeypatch.context() as patched:
        patched.setattr(LocalFolder, "move", crash)
        assert await drop.poll(desk) == 0
    assert hall.answer_of(name) and (hall.ours / f"{name}.ok").exists()
    assert await drop.poll(desk) == 0
    assert len(desk.acts) == 1 and not (hall.ours / f"{name}.ok").exists()


async def test_a_refusal_of_the_gateway_stands_beside_the_file(
    hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk
) -> None:
    answers: Callable[[Act], Problem | None] = lambda act: Problem({"code": "TB-5001", "title": "没有这个办件"})  # noqa: E731
    desk.answers = answers
    name = hall.step("nobody")
    assert await drop.poll(desk) == 1
    assert hall.answer_of(name) == ("refused", {"jg": "TB-5001", "sm": "没有这个办件"})


@pytest.mark.parametrize(
    "bad",
    [{"come": "../x"}, {"go": "to_tongban"}, {"marker": ".json"}, {"document": "json"}, {"done": ""}, {"sauce": "x"}],
)
def test_a_folder_or_suffix_that_is_more_than_a_name_is_refused(bad: dict[str, str]) -> None:
    data = toml("hanzhong_files")
    data["drop"] |= bad
    with pytest.raises(Untranslatable):
        read_words(compile_profile(data))


def test_an_address_that_is_no_path_is_refused() -> None:
    for url in ("http://x/", "file:relative", "file://host/x"):
        with pytest.raises(Untranslatable):
            opened_at(url)


def opened_at(url: str) -> Platform:
    given = PlatformSettings(id="hz", profile="hanzhong_files", base_url=url)
    data = (PROFILES / "hanzhong_files.toml").read_bytes()
    return open_platform(given, data, {}, lambda: None, PROVIDER, str, int)  # type: ignore[arg-type,return-value]
