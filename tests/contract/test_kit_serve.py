"""``kit run`` against ``kit serve``: a good platform keeps everything, and each misbehaviour fails exactly what it should."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.behaviour import BEHAVIOURS, Switch
from adapters.kit.cast import Cast, Noted
from adapters.kit.door import Door
from adapters.kit.door import scored as scored_door
from adapters.kit.mask import Mask
from adapters.kit.play import Play
from signing.sm2 import Signer
from tests.contract.kit_support import OURS, THEIRS, now_ms, partner, settings, verdicts
from tests.scan import scan
from tests.unit.adapters.support import LICENCE, OUR_LICENCE, PROFILES, PROVIDER, RESOURCES

PATHS = {"qiaokou": "", "honggutan": "/soap", "guangzhou": ""}


def play(profile: str, behaviour: str = "good", *, base_url: str = "", gateway: str = "", write: Any = None) -> Play:
    cast = Cast(
        settings(profile, base_url), (PROFILES / f"{profile}.toml").read_bytes(), RESOURCES, PROVIDER,
        Signer(PROVIDER, THEIRS), OURS.public.point.hex(), gateway, now_ms, Mask((LICENCE, OUR_LICENCE)),
    )  # fmt: skip
    return Play(cast, Switch(behaviour), write or (lambda line: None))


@asynccontextmanager
async def playing(made: Play) -> AsyncIterator[str]:
    port, _ = await made.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await made.stop()


NEEDED = {"good", "repeat", "ask", "lost_answer", "pace"}
"""Steps that need an honest yes."""
CLEAR = {"ask_unknown", "unknown_field", "cut_off", "wrong_encoding", "oversized"}
"""Steps that need an honest no."""
SECURE = {
    "qiaokou": {"wrong_key", "tampered", "unknown_app", "skewed_clock", "replay"},
    "honggutan": {"wrong_credential"}, "guangzhou": {"wrong_credential"},
}  # fmt: skip
HAS: dict[str, set[str]] = {
    "qiaokou": NEEDED | CLEAR | SECURE["qiaokou"], "honggutan": NEEDED | CLEAR | SECURE["honggutan"],
    "guangzhou": NEEDED | {"ask_unknown"} | SECURE["guangzhou"],
}  # fmt: skip
DENIED = NEEDED | {"ask_unknown", "replay"}
"""What fails where every request of ours is refused for its signature."""
FAILS: dict[str, dict[str, set[str]]] = {
    "good": {},
    "duplicated": {"qiaokou": {"repeat"}, "honggutan": {"repeat"}},  # a queue gives no reference that could differ
    "out-of-order": {},
    "wrong-signer-id": {"qiaokou": DENIED},
    "half-migrated": {name: {"ask", "ask_unknown"} for name in PATHS},
    "skewed-clock": {"qiaokou": DENIED | {"skewed_clock"}},
    "500s": HAS,
    "garbage": HAS | {"guangzhou": {"ask_unknown", "wrong_credential"}},  # a queue is believed by its status alone
}
QUICK = {("good", "honggutan"), ("500s", "guangzhou")}
ROWS = [
    pytest.param(
        behaviour, profile, marks=() if profile == "qiaokou" or (behaviour, profile) in QUICK else pytest.mark.long
    )
    for behaviour in FAILS
    for profile in PATHS
]


@pytest.mark.parametrize(("behaviour", "profile"), ROWS)
async def test_a_misbehaviour_fails_exactly_the_steps_that_it_should(behaviour: str, profile: str) -> None:
    made = play(profile, behaviour)
    async with playing(made) as url:
        found = await verdicts(partner(profile, url + PATHS[profile]), *HAS[profile])
    assert set(found) == HAS[profile]
    assert {name for name, verdict in found.items() if verdict != "pass"} == FAILS[behaviour].get(profile, set())


async def test_who_answers_too_late_fails_whatever_needs_an_answer() -> None:
    """The one step per family is enough: every other waits as long."""
    async with playing(play("qiaokou", "slow")) as url:
        found = await verdicts(partner("qiaokou", url, timeout_ms=300), "good", "ask_unknown", "wrong_key")
    assert found == {"good": "fail", "ask_unknown": "fail", "wrong_key": "fail"}


@pytest.mark.parametrize("profile", PATHS)
async def test_every_type_of_message_is_taken(profile: str) -> None:
    async with playing(play(profile)) as url:
        found = await verdicts(partner(profile, url + PATHS[profile]), "out")
    assert set(found.values()) == {"pass"} and len(found) >= 5


@pytest.mark.parametrize(
    ("profile", "scheme"), [("fujian_front", "sqlite://{}/front.db"), ("hanzhong_files", "file://{}")]
)
async def test_rows_and_files_are_played_too(profile: str, scheme: str, tmp_path: Path) -> None:
    url = scheme.format(tmp_path)
    made = play(profile, base_url=url)
    async with playing(made):
        found = await verdicts(partner(profile, url))
        assert set(found.values()) == {"pass"}
        await made.peer.look(BEHAVIOURS["good"])
    assert made.cast.desk.kept and {one.type for one in made.cast.desk.kept} >= {"application", "correction"}
    assert all(one.body is not None for one in made.cast.desk.kept if one.type == "correction")


@pytest.mark.parametrize("profile", PATHS)
async def test_P05_a_recording_of_the_play_names_nobody(profile: str) -> None:
    lines: list[dict[str, Any]] = []
    made = play(profile, write=lines.append)
    async with playing(made) as url:
        await verdicts(partner(profile, url + PATHS[profile]))
    text = str(lines)
    assert len(lines) > 20 and {line["behaviour"] for line in lines} == {"good"}
    assert scan(text.encode(), named=["测试甲", "测试路1号"]) == set()
    assert not any(secret in text for secret in (LICENCE, OUR_LICENCE, f"{THEIRS.d:064x}"))


async def test_it_misbehaves_for_so_many_calls_and_is_good_again() -> None:
    made = play("qiaokou")
    made.switch.turn("500s", 1)
    async with playing(made) as url:
        assert await verdicts(partner("qiaokou", url), "good") == {"good": "fail"}
        assert await verdicts(partner("qiaokou", url), "good") == {"good": "pass"}


async def until(there: Callable[[], bool]) -> None:
    """Within a generous bound."""
    for _ in range(1500):
        if there():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came")


IN = {"in.signed", "in.read", "in.order", "in.repeat"}
FAILS_IN: dict[str, dict[str, set[str]]] = {
    "good": {},
    "duplicated": {},  # the same again is what whoever heard no answer does
    "out-of-order": {"qiaokou": {"in.order"}, "honggutan": {"in.order"}, "guangzhou": {"in.order"}},
    "wrong-signer-id": {"qiaokou": {"in.signed"}, "honggutan": {"in.signed"}},
    "skewed-clock": {"qiaokou": {"in.signed"}},
    "half-migrated": {"qiaokou": {"in.read"}, "honggutan": {"in.read"}},
}
ACTS = {
    "qiaokou": ("arrival", "delivery"),
    "honggutan": ("acceptance", "decision"),
    "guangzhou": ("acceptance", "decision"),
}
IN_ROWS = [
    pytest.param(
        behaviour, profile, marks=() if profile == "honggutan" or behaviour == "skewed-clock" else pytest.mark.long
    )
    for behaviour in FAILS_IN
    for profile in PATHS
]


@pytest.mark.parametrize(("behaviour", "profile"), IN_ROWS)
async def test_what_it_tells_us_is_scored_too(behaviour: str, profile: str) -> None:
    """The play tells a case's acts in its order; the door scores them."""
    opened = partner(profile, "http://127.0.0.1:9").open()
    door = Door(opened, Mask(), now_ms)
    gateway = await door.open("127.0.0.1", 0)
    made = play(profile, behaviour, gateway=gateway)
    if profile == "guangzhou":  # the door fetches from the queue that is played
        await door.close()
    async with playing(made) as url:
        if profile == "guangzhou":
            opened = partner(profile, url).open()
            door = Door(opened, Mask(), now_ms)
            await door.open("127.0.0.1", 0)
        acts = ACTS[profile][::-1] if BEHAVIOURS[behaviour].shuffled else ACTS[profile]
        for type_ in acts:
            await made.tell(made.act(type_, Noted("", "", "Y1", "", "C1", "C1")), "C1", once=True)
        if profile == "guangzhou":
            await until(lambda: len(door.heard) + len(made.peer.refused) >= 2)  # type: ignore[attr-defined]
    await door.close()
    await opened.channel.close()
    found = {one.name: one.said.verdict for one in scored_door(door)}
    assert set(found) == IN
    assert {name for name, verdict in found.items() if verdict == "fail"} == FAILS_IN[behaviour].get(profile, set()), [
        one.said for one in scored_door(door)
    ]
