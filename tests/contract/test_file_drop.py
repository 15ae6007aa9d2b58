"""The shared folder against a simulated city that knows nothing of us but the folder."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters import samples
from adapters.base import Accepted, Act, CannotAsk, NotThere, Problem, Refused, Temporary, Unclear, Untranslatable
from adapters.file_drop import channel
from adapters.file_drop.translate import read_words
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
    await gone.close()
    real = channel.FileDrop._put

    def full(self: Any, place: Path, content: bytes) -> None:
        if place.suffix == failing:
            raise OSError(28, "No space left on device")
        real(self, place, content)

    monkeypatch.setattr(channel.FileDrop, "_put", full)
    failing = ".json"
    assert isinstance(await drop.send(wire), Temporary)
    failing = ".ok"
    assert isinstance(await drop.send(wire), Unclear)
    assert await drop.ask(wire.id) == NotThere() and hall.take() == []
    failing = ""
    assert await drop.send(wire) in (Accepted(), Unclear("folder: No space left on device"))


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


async def test_links_pipes_and_strange_names_are_not_followed(
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
    assert time.monotonic() - began < 2
    assert {hall.answer_of(name)[1]["jg"] for name in ("link", "pipe", "folder")} == {"no-file"}  # type: ignore[index]
    assert desk.acts == []
    (hall.ours / "link.ok").symlink_to(secret)
    sound = hall.step(CASE)
    assert await drop.poll(desk) == 1 and hall.answer_of(sound)[0] == "receipt"  # type: ignore[index]
    assert secret.exists() and not (hall.ours / "link.ok").is_symlink()


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

    def crash(self: Any, name: str) -> None:
        raise OSError(5, "gone")

    with monkeypatch.context() as patched:
        patched.setattr(channel.FileDrop, "_away", crash)
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


async def test_hundreds_of_files_a_second_and_core(hall: file_hall.Hall, drop: channel.FileDrop, desk: Desk) -> None:
    for _ in range(400):
        hall.step(CASE)
    began = time.process_time()
    done = 0
    while done < 400:
        done += await asyncio.wait_for(drop.poll(desk), 60)
    assert time.process_time() - began < 1.6
