"""The three dialects of certificate sharing against their simulated platforms, each a process of its own that imports nothing
of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from adapters.base import Untranslatable
from adapters.sharing import registry
from adapters.sharing.base import Cause, Fetched, Granted, HolderKey, Judged, No, Sharing
from adapters.sharing.line import opened as opened_data
from adapters.sharing.registry import SharingSettings
from adapters.sharing.translate import read_dialect
from tests.contract.platform_support import SIMS, Sim, sim
from tests.unit.adapters.support import PROVIDER

KEY = PROVIDER.generate()
LICENCE = "11100000MB0143028R001"
IDENTITY = "11100000000013127D001"
PERSON, OTHER = HolderKey("420104196001020019", "111", "甄无名"), HolderKey("11330105002500287C", "001", "某公司")
CAUSE = Cause(
    "窗口员甲", "K001", "420104-0001", "个体工商户设立", "QK-1", "个体工商户设立登记", "consent", "授权书2026-1"
)
DIALECTS = ("shandong", "shanghai", "guangdong")
PROFILES = {"shandong": "shandong-certshare", "shanghai": "shanghai-relay", "guangdong": "guangdong-license"}


def shelf(folder: Path) -> list[dict[str, Any]]:
    (folder / "a.ofd").write_bytes(b"PK the licence of the person")
    (folder / "b.ofd").write_bytes(b"PK the licence of another")
    one = {"type_code": LICENCE, "type_name": "营业执照", "status": "01", "surface": {"KZ_JYCS": "试验大道101号"}}
    return [
        {**one, "identifier": "1.2.156.3005.2.A", "number": "A1", "holder_code": PERSON.code, "file": str(folder / "a.ofd")},
        {**one, "identifier": "1.2.156.3005.2.B", "number": "B1", "holder_code": OTHER.code, "file": str(folder / "b.ofd")},
    ]  # fmt: skip


@asynccontextmanager
async def platform(dialect: str, folder: Path, **more: Any) -> AsyncIterator[tuple[Sim, Sharing]]:
    config = {
        "certificates": shelf(folder), "account": "tongban", "secret": "s3cret", "asker_key": KEY.public.point.hex()[2:],
        "session_calls": 3, **more,
    }  # fmt: skip
    async with aiohttp.ClientSession() as session, sim(f"sharing_{dialect}.py", config, folder, session) as running:
        port = opened(dialect, running.url)
        try:
            yield running, port
        finally:
            await port.close()


def opened(dialect: str, url: str, secret: str = "s3cret", timeout_ms: int = 2000) -> Sharing:
    settings = SharingSettings(
        profile=PROFILES[dialect], url=url, account="tongban", org="硚口区综合窗口", timeout_ms=timeout_ms,
        max_answer_bytes=1 << 20,
    )  # fmt: skip
    return registry.open_sharing(
        settings,
        secret,
        lambda data: PROVIDER.decrypt(KEY, data),
        lambda: 1_800_000_000_000,
        registry.profile(settings.profile),
    )


async def obtained(port: Sharing) -> Fetched | No:
    granted = await port.authorise(PERSON, "1.2.156.3005.2.A", LICENCE, CAUSE)
    return await port.fetch(granted.ticket, CAUSE) if isinstance(granted, Granted) else granted


@pytest.mark.processes
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_W5_a_certificate_is_found_authorised_and_fetched(dialect: str, tmp_path: Path) -> None:
    async with platform(dialect, tmp_path) as (there, port):
        found = await port.query(PERSON, LICENCE, CAUSE)
        assert not isinstance(found, No)
        (one,) = found
        assert (one.identifier, one.type_code, one.status, one.holder_code) == (
            "1.2.156.3005.2.A", LICENCE, "valid", PERSON.code,
        )  # fmt: skip
        assert await port.query(PERSON, IDENTITY, CAUSE) == ()
        fetched = await obtained(port)
        assert isinstance(fetched, Fetched)
        assert fetched.file == b"PK the licence of the person" and fetched.status == "valid"
        assert fetched.surface == {"KZ_JYCS": "试验大道101号"}
        calls = await there.get("/sim/calls")
        asked = " ".join(str(value) for call in calls for value in call.values())
        for element in (CAUSE.case_number, CAUSE.item):
            assert element in asked, "who asks for what goes on record there too"


@pytest.mark.processes
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_platform_that_fails_is_told_apart_from_one_that_refuses(dialect: str, tmp_path: Path) -> None:
    async with platform(dialect, tmp_path) as (there, port):
        for mode, kinds in {
            "500": {"busy"}, "garbage": {"unclear"}, "drop": {"unclear"}, "dark": {"unsent", "unclear"},
        }.items():  # fmt: skip
            await there.post("/sim/knobs", mode=mode, times=1 if mode != "dark" else -1)
            outcome = await port.query(PERSON, LICENCE, CAUSE)
            assert isinstance(outcome, No) and outcome.kind in kinds and outcome.again, (mode, outcome)
        await there.post("/sim/knobs", mode="ok")
        quick = opened(dialect, there.url, timeout_ms=150)
        await there.post("/sim/knobs", mode="slow", slow_ms=1500, times=1)
        late = await quick.query(PERSON, LICENCE, CAUSE)
        assert isinstance(late, No) and late == No("unclear", "time-out")
        await quick.close()
        wrong = opened(dialect, there.url, secret="guessed")
        refused = await wrong.query(PERSON, LICENCE, CAUSE)
        assert isinstance(refused, No) and refused.kind == "refused" and not refused.again
        await wrong.close()


@pytest.mark.processes
async def test_a_use_code_of_the_platform_serves_once(tmp_path: Path) -> None:
    async with platform("guangdong", tmp_path) as (there, port):
        granted = await port.authorise(PERSON, "1.2.156.3005.2.A", LICENCE, CAUSE)
        assert isinstance(granted, Granted)
        assert isinstance(await port.fetch(granted.ticket, CAUSE), Fetched)
        again = await port.fetch(granted.ticket, CAUSE)
        assert isinstance(again, No) and again.kind == "spent"
        await there.post("/sim/knobs", mode="ok", wrong="expired")
        over = await obtained(port)
        assert isinstance(over, No) and (over.kind, over.reason) == ("spent", "code-AUTH_CODE_EXPIRED")
        missing = await port.authorise(PERSON, "1.2.156.3005.2.B", LICENCE, CAUSE)
        assert missing == No("absent", "not-among-the-holders")


@pytest.mark.processes
async def test_a_session_that_runs_out_is_opened_anew(tmp_path: Path) -> None:
    async with platform("shanghai", tmp_path) as (_, port):
        for _ in range(4):
            assert isinstance(await obtained(port), Fetched)


@pytest.mark.processes
async def test_the_platform_is_asked_about_a_file(tmp_path: Path) -> None:
    async with platform("shandong", tmp_path) as (_, port):
        assert await port.verify(b"PK the licence of the person", CAUSE) == Judged(True, "真实")
        judged = await port.verify(b"PK altered", CAUSE)
        assert isinstance(judged, Judged) and judged.ok is False


@pytest.mark.processes
async def test_data_encrypted_to_somebody_else_is_not_used(tmp_path: Path) -> None:
    async with platform("shandong", tmp_path, asker_key=PROVIDER.generate().public.point.hex()[2:]) as (_, port):
        assert await port.query(PERSON, LICENCE, CAUSE) == No("unusable", "not-decryptable")


async def test_a_platform_that_is_not_there_is_unsent() -> None:
    for dialect in DIALECTS:
        port = opened(dialect, "http://127.0.0.1:1")
        outcome = await port.query(PERSON, LICENCE, CAUSE)
        assert isinstance(outcome, No) and outcome.kind == "unsent"
        await port.close()
    await asyncio.sleep(0)


def test_a_profile_says_on_which_family_it_rests_and_what_it_is_not() -> None:
    for name in PROFILES.values():
        dialect = registry.profile(name)
        assert dialect.name == name and "公开" in dialect.basis and "非官方" in dialect.notice


@pytest.mark.parametrize("name", ["nobody", "../registry", "shandong_certshare"])
def test_a_profile_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Untranslatable, match="profile-unknown"):
        registry.profile(name)


def test_a_profile_that_lacks_what_its_family_needs_is_refused() -> None:
    whole = (registry.resources.files("adapters") / "sharing" / "profiles" / "shanghai-relay.toml").read_text("utf-8")
    with pytest.raises(Untranslatable) as error:
        registry.checked(read_dialect(whole.replace('login = "/login.do"', "").encode()))
    assert error.value.code == "profile-incomplete" and error.value.path == "paths.login"
    with pytest.raises(Untranslatable, match="profile-unreadable"):
        read_dialect(whole.replace("family =", "famly =").encode())


def test_the_simulated_platforms_import_nothing_of_ours() -> None:
    for path in SIMS.glob("sharing_*.py"):
        text = path.read_text("utf-8")
        for package in ("gateway", "adapters", "signing", "schemas", "agreements"):
            assert f"import {package}" not in text and f"from {package}" not in text


@pytest.mark.parametrize("order", ["c1c3c2", "c1c2c3"])
@pytest.mark.parametrize("bare", [True, False])
def test_encrypted_data_in_every_order_with_and_without_the_leading_byte(order: str, bare: bool) -> None:
    dialect = msgspec.structs.replace(registry.profile("shandong-certshare"), cipher=order)
    sealed = PROVIDER.encrypt(KEY.public, '{"证": 1}'.encode())
    ordered = sealed if order == "c1c3c2" else sealed[:65] + sealed[97:] + sealed[65:97]
    shown = {"certData": ordered[1 if bare else 0 :].hex()}
    assert opened_data(shown, dialect, lambda data: PROVIDER.decrypt(KEY, data)) == {"证": 1}
    assert opened_data(shown, dialect, None) == No("unusable", "not-decryptable")
    assert opened_data({"certData": "zz"}, dialect, lambda data: data) == No("unusable", "not-decryptable")
    assert opened_data({}, dialect, None) is None
