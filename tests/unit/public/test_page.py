"""The public page: verdicts, the same answer to everything that is no certificate, headers, no script."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import date

import aiohttp
import msgspec
import pytest
from aiohttp import web

from gateway.core.ecert import State
from gateway.core.throttle import GUESS, Throttle, network
from gateway.public import page as pages
from gateway.public import token
from gateway.public.page import COUNTS_S, CSS, Page
from gateway.public.shown import FACES, Shown, judge
from gateway.public.source import News
from gateway.web import listener
from gateway.web.public import Public
from tests.unit.public.shown import NAME, NOW_MS, NUMBER, TOKEN, Memory, permit, shown, simple

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize("status", ["valid", "suspended", "revoked", "withdrawn", "cancelled", "superseded"])
@pytest.mark.parametrize("stale", [False, True])
def test_the_verdict_by_status_dates_and_age(status: str, stale: bool) -> None:
    final = status in ("revoked", "withdrawn", "cancelled", "superseded")
    found = simple(State(status))
    assert judge(found, TODAY, stale)[0] == (status if final or not stale else "uncertain")
    over = _replaced(found, valid_to=date(2026, 11, 19))
    assert judge(over, TODAY, stale)[0] == (status if final else "expired")
    early = _replaced(found, valid_from=date(2026, 11, 21))
    expected = "uncertain" if stale else {"valid": "not_yet_valid"}.get(status, status)
    assert judge(early, TODAY, stale)[0] == (status if final else expected)


def test_the_last_day_counts() -> None:
    assert judge(_replaced(simple(), valid_to=TODAY), TODAY, False)[0] == "valid"


def test_permits_have_their_own_verdicts_and_stand_no_better_than_the_sheet() -> None:
    carried = (permit(State.VALID), permit(State.REVOKED), permit(State.VALID, date(2026, 6, 30)))
    assert judge(_replaced(simple(), permits=carried), TODAY, False) == ("valid", ["valid", "revoked", "expired"])
    assert judge(_replaced(simple(State.SUSPENDED), permits=carried), TODAY, False) == (
        "suspended", ["suspended", "revoked", "expired"],
    )  # fmt: skip
    assert judge(_replaced(simple(), permits=carried[1:]), TODAY, False)[0] == "lapsed"
    assert judge(_replaced(simple(), permits=carried[2:]), TODAY, False)[0] == "expired"


def test_no_two_verdicts_look_the_same_without_colour() -> None:
    assert len({(face.zh, face.en) for face in FACES.values()}) == len(FACES)
    assert {face.mark for face in FACES.values() if face.tone == "good"} == {"✓"}
    assert "✓" not in {face.mark for face in FACES.values() if face.tone != "good"}


@pytest.mark.parametrize("verdict", [verdict for verdict in FACES if verdict not in ("unknown", "uncertain", "busy")])
def test_every_verdict_has_its_page(verdict: str) -> None:
    dates = {"expired": {"valid_to": date(2026, 1, 6)}, "not_yet_valid": {"valid_from": date(2027, 1, 1)}}
    found = shown(**dates.get(verdict, {}))
    if verdict == "lapsed":
        found = _replaced(found, permits=(permit(State.REVOKED),))
    elif verdict not in dates:
        found = _replaced(found, status=State(verdict))
    html = Page(found, News(NOW_MS, False), NOW_MS, False).html().decode()
    assert f"</span>{FACES[verdict].zh}<span" in html
    assert json.loads(Page(found, News(NOW_MS, False), NOW_MS, False).json())["verdict"] == verdict


def test_P08_no_more_than_the_page_needs() -> None:
    for data in (
        Page(shown(), News(NOW_MS, False), NOW_MS, False).html(),
        Page(shown(), News(0, False), NOW_MS, True).json(),
    ):
        text = data.decode()
        for secret in (NAME, NUMBER, "无名路", "许可甲1", "硚建渣字", TOKEN, "11420104000000000X", "1.2.156"):
            assert secret not in text


def test_an_old_screenshot_is_seen_to_be_one() -> None:
    html = Page(shown(), News(NOW_MS - 1000, False), NOW_MS, False).html().decode()
    assert "本页面 <time>2026-11-20 15:32:10</time> 生成" in html
    assert "<time>2026-11-20 15:34:10</time> 后作废" in html
    assert html.index("15:32:10") < html.index("</h1>"), (
        "the moment stands inside the verdict, so that no cut removes it"
    )
    assert "状态截至 <time>2026-11-20 15:32:09</time>" in html
    assert f"linear {COUNTS_S}s forwards" in CSS


def test_stale_news_confirms_nothing_and_says_so() -> None:
    html = Page(shown(), News(NOW_MS - 86_400_000, True), NOW_MS, False).html().decode()
    assert "暂不能确认" in html
    assert "状态只到 2026-11-19 15:32:10" in html
    assert "已撤销" in Page(shown(State.REVOKED), News(0, True), NOW_MS, False).html().decode()


def test_hostile_words_are_text() -> None:
    found = _replaced(simple(), type_name="<script>alert(1)</script>", issuer='" onload=x')
    html = Page(found, News(NOW_MS, False), NOW_MS, False).html().decode()
    assert "<script" not in html
    assert '" onload' not in html


# --- over HTTP -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def memory() -> Memory:
    return Memory({token.digest(TOKEN): shown()})


@pytest.fixture
def throttle() -> Throttle:
    return Throttle(10**9)


@pytest.fixture
async def base(memory: Memory, throttle: Throttle) -> AsyncIterator[str]:
    public = Public(memory, throttle, lambda: NOW_MS, proxies=frozenset({"127.0.0.1"}))
    runner = listener.runner("public", public.routes(), public.refuse)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def fetch(url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers) as answer:
        return (
            answer.status,
            {name: value for name, value in answer.headers.items() if name != "Date"},
            await answer.read(),
        )


async def test_P08_unknown_malformed_and_absent_tokens_are_one_answer(base: str) -> None:
    absent = await fetch(f"{base}/v/{'8' * 26}")
    assert absent[0] == 404
    assert "查无此证" in absent[2].decode()
    for path in (
        "/v/x",
        "/v/",
        "/v/" + "9" * 4000,
        "/v/%E5%BC%A0",
        "/v/a/b",
        "/v/..%2fx",
        "/",
        "/healthz",
        "/metrics",
        "/v/;",
    ):
        assert await fetch(base + path) == absent, path
    found = await fetch(f"{base}/v/{TOKEN}")
    assert found[0] == 200
    assert found[1].keys() == absent[1].keys()


async def test_P08_json_says_the_same_and_head_has_no_body(base: str) -> None:
    status, headers, body = await fetch(f"{base}/v/{TOKEN}?from=wechat", Accept="application/json")
    told = json.loads(body)
    assert (status, told["verdict"], told["valid"], told["as_of"]) == (200, "valid", True, "2026-11-20T15:32:10+08:00")
    assert told["certificate"]["holder"] == "甄**"
    assert [one["status"] for one in told["certificate"]["permits"]] == ["expired", "valid"]
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    unknown = await fetch(f"{base}/v/x", Accept="application/json")
    assert (unknown[0], json.loads(unknown[2])["verdict"]) == (404, "unknown")
    head = await fetch(f"{base}/v/{TOKEN}", "HEAD")
    assert (head[0], head[2]) == (200, b"")
    assert (await fetch(f"{base}/v/{TOKEN}", "POST"))[0] == 405


async def test_headers_let_nothing_run_and_nothing_leak(base: str) -> None:
    _, headers, body = await fetch(f"{base}/v/{TOKEN}")
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Server"] == "tongban"
    html = body.decode()
    assert re.findall(r"<(script|link|img|iframe|form|a)\b", html) == ["link"]
    assert re.findall(r"\son\w+=", html) == []
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.S)
    assert style == pages.CSS


async def test_P08_a_stranger_is_looked_up_as_nonsense_is(base: str, memory: Memory) -> None:
    for path in ("/v/" + "8" * 26, "/v/x", "/v/%E5%BC%A0", "/v/" + TOKEN):
        await fetch(base + path)
    assert len(memory.asked) == len(set(memory.asked)) == 4  # one digest, one look-up, whatever the address says


@pytest.mark.parametrize("throttle", [Throttle(30)])
async def test_who_guesses_is_slowed_and_others_are_not(base: str, throttle: Throttle) -> None:
    answers = [(await fetch(f"{base}/v/{n}", **{"X-Real-IP": "192.0.2.1"}))[0] for n in range(6)]
    assert answers == [404, 404, 404, 429, 429, 429]
    _, headers, body = await fetch(f"{base}/v/0", **{"X-Real-IP": "192.0.2.1"})
    assert "查询过于频繁" in body.decode() and "半分钟后" in body.decode()
    assert headers["Retry-After"] == "30"
    told = await fetch(f"{base}/v/{TOKEN}", **{"X-Real-IP": "192.0.2.1", "Accept": "application/json"})
    assert json.loads(told[2])["verdict"] == "busy"
    assert (await fetch(f"{base}/v/{TOKEN}", **{"X-Real-IP": "192.0.2.2"}))[0] == 200


def test_the_bucket_refills_and_its_memory_is_bounded() -> None:
    throttle = Throttle(60, callers=100)
    for _ in range(60 // GUESS):
        assert throttle.admits("a", 0)
        throttle.spend("a", 0, found=False)
    assert not throttle.admits("a", 0)
    assert not throttle.admits("a", 999)
    assert throttle.admits("a", 1000)
    for n in range(1000):
        throttle.spend(str(n), 0, found=True)
    assert len(throttle._left) == 100


def test_one_household_is_one_address() -> None:
    assert network("2001:db8:1:2:3::9") == network("2001:db8:1:2:ffff::1") != network("2001:db8:1:3::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") == "192.0.2.1"
    assert network("") == network("no address") == "?"


def test_tokens_are_long_and_kept_as_digests() -> None:
    assert token.make(bytes(17)) == "0" * 26
    assert len({token.make(bytes([n]) * 17) for n in range(256)}) == 256
    assert len(token.digest("\udc80")) == 32


def _replaced(found: Shown, **changes: object) -> Shown:
    return msgspec.structs.replace(found, **changes)
