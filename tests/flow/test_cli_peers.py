"""``tongban peer``: is it there, is it the one we know; pausing and resuming beside a running gateway; adding one."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from gateway import config
from gateway.exchange import card as cards
from gateway.keys import keyring
from gateway.ops.partners import PATH
from tests.flow import walks
from tests.flow.resting import WALKED, Rest, ask, edit, really, run, told


def partner(folder: Path) -> Any:
    return config.load(folder / "tongban.toml").peer[0]


def republished(folder: Path, **changes: Any) -> bytes:
    """The node's own card anew, signed by its identity key."""
    settings = config.load(folder / "tongban.toml")
    ring, _ = keyring.open_ring(settings, folder)
    signed = msgspec.json.decode((folder / "card.json").read_bytes(), type=cards.SignedCard)
    card = msgspec.structs.replace(msgspec.json.decode(signed.card, type=cards.Card), **changes)
    return cards.sign(card, ring.signer("identity"), ring.certificate("identity"))


@asynccontextmanager
async def published(body: bytes, skew: timedelta = timedelta(0), status: int = 200) -> AsyncIterator[str]:
    """An address where this card is published, by a clock that is off by ``skew``."""

    async def handle(_: web.Request) -> web.Response:
        headers = {"Date": format_datetime(datetime.now(UTC) + skew, usegmt=True)}
        return web.Response(body=body, status=status, headers=headers)

    application = web.Application()
    application.router.add_get(PATH, handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def point(folder: Path, url: str) -> None:
    """Let the partner's address in the configuration be this one."""
    file = folder / "tongban.toml"
    file.write_text(file.read_text().replace(partner(folder).url, url))


def test_list_and_show_tell_state_ledger_and_keys(rest: Rest) -> None:
    [found] = told(rest.a, "peer", "list")["peers"]
    assert found["state"] == "active" and found["open"] == 0 and found["held_size"] > 0 and found["told"] > 0
    assert found["card"] == {"theirs": 1, "ours": 1, "fetched": 1, "proved": True}
    shown = told(rest.a, "peer", "show", "360113")
    assert shown["fingerprint"] == (rest.b / "fingerprint").read_text()
    assert {key["use"] for key in shown["keys"]} == {"checkpoint", "direct", "encryption", "seal-anchor", "tls"}
    assert run(rest.a, "peer", "show", "110101").exit_code == 1


def test_list_names_the_partner_that_has_not_fetched_our_newest_card(rest: Rest) -> None:
    edit(rest.a, "UPDATE card SET version = 2 WHERE party LIKE '420104.%'")
    [found] = told(rest.a, "peer", "list")["peers"]
    assert (found["card"]["fetched"], found["card"]["ours"]) == (1, 2)
    assert "对方有第 1 版，最新第 2 版" in run(rest.a, "peer", "list").output


def test_a_stored_card_that_was_changed_is_not_shown_as_the_partners(rest: Rest) -> None:
    (rest.a / "peer.card.json").write_bytes((rest.a / "card.json").read_bytes())
    assert told(rest.a, "peer", "show", "360113", exit_code=1)["code"] == "card"


@pytest.mark.parametrize(
    ("card", "code", "exit_code"),
    [
        (lambda rest: (rest.b / "card.json").read_bytes(), "same", 0),
        (lambda rest: republished(rest.b, version=2), "newer", 2),
        (lambda rest: republished(rest.b, name="别的名字"), "other", 1),
        (lambda rest: (rest.a / "card.json").read_bytes(), "other", 1),
        (lambda rest: b"\x00 garbage", "other", 1),
    ],
)  # fmt: skip
async def test_ping_tells_whether_it_is_the_one_we_know(rest: Rest, card: Any, code: str, exit_code: int) -> None:
    async with published(card(rest)) as url:
        point(rest.a, url)
        found = await asyncio.to_thread(told, rest.a, "peer", "ping", "360113", exit_code=exit_code)
    assert (found["card"], found["status"]) == (code, 200)


async def test_ping_finds_an_older_card(rest: Rest) -> None:
    old = (rest.b / "card.json").read_bytes()
    (rest.a / "peer.card.json").write_bytes(republished(rest.b, version=5))
    async with published(old) as url:
        point(rest.a, url)
        assert (await asyncio.to_thread(told, rest.a, "peer", "ping", "360113", exit_code=1))["card"] == "older"


@pytest.mark.parametrize(("seconds", "exit_code"), [(0, 0), (60, 2), (-60, 2), (3600, 1), (-3600, 1)])
async def test_ping_compares_the_clocks(rest: Rest, seconds: int, exit_code: int) -> None:
    async with published((rest.b / "card.json").read_bytes(), timedelta(seconds=seconds)) as url:
        point(rest.a, url)
        found = await asyncio.to_thread(told, rest.a, "peer", "ping", "360113", exit_code=exit_code)
    assert abs(found["skew_s"] - seconds) < 3


async def test_ping_of_one_that_does_not_answer_or_answers_an_error(rest: Rest) -> None:
    found = await asyncio.to_thread(told, rest.a, "peer", "ping", "360113", exit_code=1)
    assert (found["card"], found["status"], found["reason"]) == ("none", 0, "ConnectionRefusedError")
    async with published(b"", status=503) as url:
        point(rest.a, url)
        assert (await asyncio.to_thread(told, rest.a, "peer", "ping", "360113", exit_code=1))["reason"] == "HTTP 503"


# --- pause and resume -------------------------------------------------------------------------------------------------


def test_pause_needs_a_reason_and_resume_ends_it(rest: Rest) -> None:
    assert really("peer", "pause", "360113", "--config", rest.a / "tongban.toml").returncode == 64
    assert told(rest.a, "peer", "pause", "360113", "--reason", "演练")["state"] == "paused"
    assert told(rest.a, "peer", "list")["peers"][0]["state"] == "paused"
    assert told(rest.a, "peer", "resume", "360113")["state"] == "active"


def test_a_ledger_that_contradicts_itself_is_not_forgiven_without_a_reason(rest: Rest) -> None:
    edit(rest.a, "UPDATE peer SET state = 'paused', cause = 'TB-2008'")
    assert really("peer", "resume", "360113", "--config", rest.a / "tongban.toml").returncode == 64
    assert ask(rest.a, "SELECT state FROM peer") == [("paused",)]
    told(rest.a, "peer", "resume", "360113", "--reason", "对方误恢复了旧备份，已核对")


async def test_a_paused_partner_gets_nothing_until_exchange_is_resumed(tmp_path: Path) -> None:
    async with walks.running(tmp_path / "w") as pair:
        folder = pair.world.a.folder
        await asyncio.to_thread(told, folder, "peer", "pause", "360113", "--reason", "演练")
        case = await walks.collect(pair, WALKED)
        await asyncio.sleep(0.5)
        assert pair.b.journal.read().one("SELECT 1 FROM case_file") is None
        found = await asyncio.to_thread(told, folder, "peer", "resume", "360113")
        assert found["gateway_told"] is True
        await pair.stands(pair.b, case, "received_there")


# --- add --------------------------------------------------------------------------------------------------------------


def lonely(rest: Rest) -> tuple[Path, str]:
    """Node A without its partner, and the partner's fingerprint."""
    file = rest.a / "tongban.toml"
    text = file.read_text()
    begin, end = text.index("[[peer]]"), text.index("[[platform]]")
    file.write_text(text[:begin] + text[end:])
    return rest.a, (rest.b / "fingerprint").read_text()


def test_add_checks_the_card_and_writes_a_configuration_that_is_good(rest: Rest) -> None:
    folder, fingerprint = lonely(rest)
    mode = stat.S_IMODE((folder / "tongban.toml").stat().st_mode)
    spoken = " ".join(fingerprint[n : n + 4].upper() for n in range(0, 32, 4))
    made = told(folder, "peer", "add", rest.b / "card.json", "--fingerprint", spoken, "--url", "https://b.example")
    assert made["name"] == "南昌市红谷滩区通办网关"
    assert (partner(folder).url, partner(folder).fingerprint) == ("https://b.example", fingerprint)
    assert stat.S_IMODE((folder / "tongban.toml").stat().st_mode) == mode
    assert told(folder, "config", "check")["peers"] == 1
    again = told(folder, "peer", "add", rest.b / "card.json", "--fingerprint", fingerprint, exit_code=1)
    assert again["code"] == "known"


def test_add_refuses_another_fingerprint_our_own_card_and_garbage(rest: Rest, tmp_path: Path) -> None:
    folder, fingerprint = lonely(rest)
    before = (folder / "tongban.toml").read_bytes()
    (tmp_path / "x").write_bytes(b"{")
    own = (folder / "fingerprint").read_text()
    for card, print_, code in (
        (rest.b / "card.json", "0" * 32, "card"), (tmp_path / "x", fingerprint, "card"), (folder / "card.json", own, "own-card"),
    ):  # fmt: skip
        assert told(folder, "peer", "add", card, "--fingerprint", print_, exit_code=1)["code"] == code
    assert run(folder, "peer", "add", tmp_path / "none", "--fingerprint", fingerprint).exit_code == 65
    assert (folder / "tongban.toml").read_bytes() == before and not (folder / "peers").exists()


async def test_add_fetches_the_card_from_the_partners_gateway(rest: Rest) -> None:
    folder, fingerprint = lonely(rest)
    async with published((rest.b / "card.json").read_bytes()) as url:
        await asyncio.to_thread(told, folder, "peer", "add", url, "--fingerprint", fingerprint, "--url", url)
    assert partner(folder).url == url
    gone = await asyncio.to_thread(told, folder, "peer", "add", url, "--fingerprint", fingerprint, exit_code=1)
    assert gone["code"] == "unreachable"


def test_a_name_or_address_that_would_break_the_configuration_does_not(rest: Rest) -> None:
    folder, fingerprint = lonely(rest)
    evil = rest.b / "evil.json"
    evil.write_bytes(
        republished(rest.b, version=2, name='坏\n[[agreement]]\nfile = "x"\n\x1b[2J', endpoint='http://x/"\n#')
    )
    assert told(folder, "peer", "add", evil, "--fingerprint", fingerprint, exit_code=1)["code"] == "address"
    told(folder, "peer", "add", evil, "--fingerprint", fingerprint, "--url", "http://x:1/")
    assert len(config.load(folder / "tongban.toml").agreement) == 1
    assert partner(folder).url == "http://x:1/"
