"""W5 免证办: an application without an upload. The certificate stands in a material's place, verified, with its status at the
time on record; the form is filled from it; and whatever the sharing platform or the machine does, it happens once."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import aiohttp
import msgspec
import pytest

from gateway.demo import world
from gateway.flow import outbound, post, shared
from gateway.flow.export import export_case
from gateway.flow.receive import certificates_whole
from gateway.flow.spend import certificates_say
from schemas import codec
from schemas.canonical import Application, CertificateReference, CorrectionItem, CorrectionRequest, Material
from tests.contract.command import tongban
from tests.flow import sharing_support as support
from tests.flow import walks
from tests.flow.nodes import Running, Window, running, until
from tests.flow.sharing_support import CARD, ITEM, PERSON, Asking, Shared, card
from tests.flow.test_results import act, state

pytestmark = pytest.mark.processes
NAME = "申请人身份证明"


@asynccontextmanager
async def two(
    places: world.World, session: aiohttp.ClientSession, *shelf: Any, dialect: str = "guangdong"
) -> AsyncIterator[tuple[Running, Running, Asking, Shared]]:
    """Both gateways; the window of A; the sharing platform that A asks."""
    config = places.a.config
    config.write_text(config.read_text().replace("cap_ms = 2000", "cap_ms = 200"))
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(support.platform(places.a, dialect, session, *shelf))
        a, b = await stack.enter_async_context(running(places.a, places.b))
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        yield a, b, Asking(window), there


def papers(window: Asking, *codes: str, **form: str) -> dict[str, Any]:
    """An application of the person without a file, with use codes in place of a material."""
    made = window.window.papers(sxbm=ITEM, sxmc="个体工商户设立登记")
    made["sqr"] |= {"xm": "甄无名", "zjhm": PERSON}
    made["bd"] = {"经营场所": "试验大道一百零一号", **form}
    made["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": code} for code in codes]
    return made


def body(node: Running, case: str, type_: str = "application") -> Any:
    """The application, or another body that names certificates, as this node's store has it."""
    vault = node.node.desk.vault
    ((id_, sealed, wrapped),) = node.rows(
        "SELECT m.id, m.sealed, c.wrapped_key FROM message m JOIN case_file c ON c.id = m.case_id "
        "WHERE m.case_id = ? AND m.type = ?", case, type_,
    )  # fmt: skip
    return codec.decode(type_, vault.open(vault.unwrap(wrapped), sealed, post.body_label(id_)))


async def arrived(b: Running, case: str, seconds: float = 8.0) -> Application:
    await until(lambda: b.one("SELECT state FROM case_file WHERE id = ?", case), seconds)
    return body(b, case)


def file_at(node: Running, digest: str) -> bytes:
    (owner,) = (row[0] for row in node.rows("SELECT owner FROM part WHERE sm3 = ?", digest))
    return b"".join(node.node.desk.parts.read(owner, digest))


async def overview(a: Running, session: aiohttp.ClientSession) -> dict[str, int]:
    async with session.get(a.url("admin", "/admin/v1/overview")) as answer:
        found: dict[str, int] = (await answer.json())["certificates"]
        return found


@pytest.mark.parametrize("fetched_before", [False, True], ids=["unfetched", "fetched before"])
async def test_W5_an_application_with_no_upload_names_each_certificate_used(
    places: world.World, session: aiohttp.ClientSession, fetched_before: bool
) -> None:
    mine = card()
    async with two(places, session, mine) as (a, b, window, there):
        made = papers(window)
        case_number = made["bjbh"]
        code = await window.code(case_number, mine)
        if fetched_before:
            told = (await window.fetch(case_number, code)).json
            made["bd"] |= told["form"]
        made["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": code}]
        receipt = await window.window.hand_in(made)
        assert receipt.status == 200, receipt.body
        case = receipt.json["tbbh"]
        found = await arrived(b, case)
        (reference,), (material,) = found.certificates, found.materials
        assert (reference.outcome, reference.identifier, reference.status) == ("verified", mine.identifier, "valid")
        assert reference.status_at is not None and reference.filled == ["姓名", "公民身份号码", "住址"]
        assert (material.name, material.certificate_identifier) == (NAME, mine.identifier)
        assert found.form == {
            "经营场所": "试验大道一百零一号", "姓名": "甄无名", "公民身份号码": PERSON, "住址": "试验大道一百零一号",
        } | ({"性别": found.form["性别"]} if "性别" in found.form else {})  # fmt: skip
        assert file_at(b, material.sm3) == (there.folder / "0.ofd").read_bytes()
        assert await there.calls("archive") == 1
        assert await overview(a, session) == {"uploads_avoided": 1, "fields_filled": 3}
        async with session.get(a.url("admin", "/metrics")) as answer:
            figures = await answer.text()
        assert "tongban_uploads_avoided 1.0" in figures and "tongban_fields_filled 3.0" in figures
        (use,) = [
            one
            for one in shared.about(a.node.journal.read(), a.node.desk.vault, PERSON)
            if one["asked"]["act"] == "use"
        ]  # type: ignore[index]
        assert use["answered"]["certificates"] == [mine.identifier] and use["answered"]["status"] == "valid"  # type: ignore[index]
        (await window.fetch(case_number, code)).refused("TB-7022", 409)
        again = await window.window.hand_in(made)
        assert again.status == 200 and again.json["tbbh"] == case, "a repetition gets its first receipt"
        package = await asyncio.to_thread(export_case, a.node.config, places.a.folder, case)
        (places.a.folder / "case.jsonl").write_bytes(package)
        said = tongban("evidence", "verify", str(places.a.folder / "case.jsonl"), "--json").stdout
        proved = json.loads(said.splitlines()[-1])
        assert proved["certificates"] == [
            {
                "material": NAME, "type_code": CARD, "identifier": mine.identifier, "outcome": "verified", "status": "valid",
                "status_at": proved["certificates"][0]["status_at"], "reason": "", "filled": ["姓名", "公民身份号码", "住址"],
            }
        ]  # fmt: skip
        assert proved["certificates"][0]["status_at"].startswith("20")


async def test_what_the_window_can_be_told_at_once_it_is_told_and_nothing_is_collected_or_spent(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """A replayed use code, one of another case, another holder's certificate, a code that ran out, one that is none."""
    mine = card()
    async with two(places, session, mine) as (a, b, window, _):
        made = papers(window)
        good = await window.code(made["bjbh"], mine)
        for code, changed, problem, status in (
            ("nobodys-code", {}, "TB-7021", 404),
            (good, {"bjbh": "420104202611209999", "lsh": "x-1"}, "TB-7024", 403),
            (good, {"sxbm": "QX-TB-002", "sxmc": "个体工商户变更登记", "lsh": "x-2"}, "TB-7024", 403),
        ):
            bad = made | changed | {"zz": [{"mc": NAME, "zzlx": CARD, "yzm": code}]}
            (await window.window.hand_in(bad)).refused(problem, status)
        twice = made | {"zz": [{"mc": name, "zzlx": CARD, "yzm": good} for name in (NAME, "另一份材料")]}
        (await window.window.hand_in(twice)).refused("TB-7022", 409)
        another = papers(window) | {"bjbh": made["bjbh"], "zz": [{"mc": NAME, "zzlx": CARD, "yzm": good}]}
        another["sqr"] = another["sqr"] | {"zjhm": support.OTHER}
        (await window.window.hand_in(another)).refused("TB-7025", 422)
        await a.node.journal.submit(lambda tx: tx.run("UPDATE use_code SET expires_ms = expires_ms - 10000000"))
        over = made | {"zz": [{"mc": NAME, "zzlx": CARD, "yzm": good}]}
        (await window.window.hand_in(over)).refused("TB-7023", 410)
        assert a.one("SELECT count(*) FROM case_file") == 0 and a.one("SELECT state FROM use_code") == "issued"
        await a.node.journal.submit(lambda tx: tx.run("UPDATE use_code SET expires_ms = expires_ms + 10000000"))
        case = (await window.window.hand_in(over)).json["tbbh"]
        await arrived(b, case)
        replay = papers(window) | {"zz": over["zz"]}
        replay["bjbh"] = made["bjbh"] + "1"
        (await window.window.hand_in(replay)).refused("TB-7024", 403)


def said_to_the_window(a: Running, message: str) -> str:
    """The newest note about a message in the window's own words."""
    reader, desk = a.node.journal.read(), a.node.desk
    note = a.rows("SELECT id FROM message WHERE direction = 'note' AND act = ? ORDER BY id", message)[-1][0]
    told = outbound.outbound(reader, *outbound.load(reader, note), desk.vault, {})
    wire = a.node.platforms["window"].translator.outbound(told)
    return str(json.loads(wire.body)["nr"]["sm"])


async def test_an_outage_collects_the_case_and_completes_the_certificate_later(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine = card()
    notes = "SELECT count(*) FROM message WHERE direction = 'note' AND act = ?"
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(support.platform(places.a, "guangdong", session, mine))
        (b,) = await stack.enter_async_context(running(places.b))
        async with running(places.a) as (a,):
            window = Asking(Window(a, session, json.loads(places.a.platform_config.read_bytes())))
            made = papers(window)
            made["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": await window.code(made["bjbh"], mine)}]
            await there.sim.post("/sim/knobs", mode="dark")
            receipt = await window.window.hand_in(made)
            assert receipt.status == 200, "the case is collected"
            case, message = receipt.json["tbbh"], a.one("SELECT id FROM message WHERE type = 'application'")
            await until(lambda: a.one("SELECT attempt FROM delivery WHERE message = ?", message) > 1)
            assert a.rows("SELECT destination, state FROM delivery WHERE message = ?", message)[0][0] == "sharing"
            assert a.one(notes, message) == 1, "the window is told, once"
            assert "待共享平台恢复后自动补取" in said_to_the_window(a, message)
            assert b.one("SELECT count(*) FROM case_file") == 0
        (a,) = await stack.enter_async_context(running(places.a))  # it waits over a restart too
        await asyncio.sleep(0.2)
        await there.sim.post("/sim/knobs", mode="ok")
        found = await arrived(b, case)
        assert found.certificates[0].outcome == "verified" and await there.calls("archive") == 1
        await until(lambda: a.one(notes, message) >= 2)
        assert "电子证照已补齐" in said_to_the_window(a, message)


FAILURES = {
    "revoked meanwhile": ({"status": "07"}, {}, "TB-7026"),
    "another holder's file": ({}, {"wrong": "file"}, "TB-7025"),
    "rubbish": ({}, {"wrong": "rubbish"}, "TB-7027"),
}


async def test_a_certificate_that_cannot_be_had_is_named_with_its_reason_and_the_case_goes_on(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine, theirs = card(), card("0000000002", support.OTHER)
    async with two(places, session, mine, theirs) as (a, b, window, there):
        for changed, knobs, reason in FAILURES.values():
            made = papers(window)
            await there.sim.post("/sim/certificate", identifier=mine.identifier, status="01")
            await there.sim.post("/sim/knobs", mode="ok")
            made["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": await window.code(made["bjbh"], mine)}]
            await there.sim.post("/sim/certificate", identifier=mine.identifier, **changed)
            await there.sim.post("/sim/knobs", mode="ok", **knobs)
            case = (await window.window.hand_in(made)).json["tbbh"]
            found = await arrived(b, case)
            (reference,) = found.certificates
            assert (reference.outcome, reference.reason) == ("failed", reason) and found.materials == []
            assert "姓名" not in found.form
            message = a.one("SELECT id FROM message WHERE type = 'application' AND case_id = ?", case)
            assert reason in certificates_say(a.node.journal.read(), message)
            assert a.one("SELECT count(*) FROM message WHERE direction = 'note' AND act = ?", message) >= 1
        assert await overview(a, session) == {"uploads_avoided": 0, "fields_filled": 0}


async def test_a_field_that_the_window_typed_otherwise_stays(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine = card()
    async with two(places, session, mine) as (_, b, window, _there):
        made = papers(window, 住址="别处二号")
        made["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": await window.code(made["bjbh"], mine)}]
        found = await arrived(b, (await window.window.hand_in(made)).json["tbbh"])
        assert found.form["住址"] == "别处二号" and found.certificates[0].filled == ["姓名", "公民身份号码"]


async def test_a_correction_brings_a_certificate_too(places: world.World, session: aiohttp.ClientSession) -> None:
    mine, theirs = card(), card("0000000002", support.OTHER)
    async with two(places, session, mine, theirs) as (a, b, window, _):
        made = papers(window)
        case = (await window.window.hand_in(made)).json["tbbh"]
        await arrived(b, case)
        wanted = CorrectionItem("material", NAME, "缺少身份证明", "补交")
        asked = CorrectionRequest("补1", [wanted], date(2027, 1, 1), "办理员", datetime.now(UTC).replace(microsecond=0))
        await act(b, "correction_request", case, "s1", asked)
        await until(lambda: state(a, case) == "correction_requested")
        said = {"bd": {}, "cl": [], "ry": "测试窗口员", "sj": made["sjsj"]}
        told = {"lsh": "bz-1", "bjbh": made["bjbh"], "lx": "BZ", "nr": said}
        (await window.window.tell(made["bjbh"], told)).refused("TB-1005", 400)
        stranger = card("0000000002", support.OTHER)
        other = (await window.authorize(made["bjbh"], stranger, support.OTHER)).json["use_code"]
        said["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": other}]
        (await window.window.tell(made["bjbh"], told)).refused("TB-7025", 422)
        said["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": await window.code(made["bjbh"], mine)}]
        assert (await window.window.tell(made["bjbh"], told | {"lsh": "bz-2"})).status == 200
        await until(
            lambda: state(b, case) == "received_there" and b.one("SELECT 1 FROM message WHERE type = 'correction'")
        )
        found = body(b, case, "correction")
        assert found.certificates[0].outcome == "verified" and found.form["姓名"] == "甄无名"
        assert found.materials[0].certificate_identifier == mine.identifier


async def test_a_message_that_cannot_be_completed_keeps_no_other_waiting(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine = card()
    async with two(places, session, mine) as (a, b, window, there):
        bad, good = papers(window), papers(window)
        for made in (bad, good):
            made["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": await window.code(made["bjbh"], mine)}]
        await there.sim.post("/sim/knobs", mode="dark")
        stuck = (await window.window.hand_in(bad)).json["tbbh"]
        await a.node.journal.submit(
            lambda tx: tx.run("UPDATE use_code SET sealed = x'00' WHERE case_number = ?", bad["bjbh"])
        )
        await there.sim.post("/sim/knobs", mode="ok")
        await arrived(b, (await window.window.hand_in(good)).json["tbbh"])
        cause = "SELECT cause FROM delivery WHERE case_id = ? AND destination = 'sharing'"
        await until(lambda: a.one(cause, stuck).startswith("TB-9002"))
        assert b.one("SELECT count(*) FROM case_file") == 1
        many = papers(window) | {"cl": [], "zz": [{"mc": NAME, "zzlx": CARD, "yzm": f"c{n}"} for n in range(51)]}
        (await window.window.hand_in(many)).refused("TB-1005", 400)


async def test_K10_what_the_window_said_is_kept_beside_what_the_gateway_made_of_it(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine = card()
    async with two(places, session, mine) as (a, b, window, _):
        made = papers(window)
        made["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": await window.code(made["bjbh"], mine)}]
        await arrived(b, (await window.window.hand_in(made)).json["tbbh"])
        vault = a.node.desk.vault
        ((id_, original, wrapped),) = a.rows(
            "SELECT m.id, m.original, c.wrapped_key FROM message m JOIN case_file c ON c.id = m.case_id "
            "WHERE m.type = 'application'"
        )
        said = json.loads(vault.open(vault.unwrap(wrapped), original, post.original_label(id_)))
        assert said["zz"] == made["zz"] and said["cl"] == [] and "姓名" not in said["bd"]


def test_F05_an_application_that_lacks_a_certificates_file_is_not_taken() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    there = CertificateReference(NAME, CARD, "c", "verified", "1.2.3", "valid", at)
    file = Material(NAME, "ab" * 32, 3, "application/ofd", "a.ofd", certificate_identifier="1.2.3")
    whole = walks.application("x-1")
    for references, files, taken in (
        ([], [], True),
        ([there], [file], True),
        ([there], [], False),
        ([there], [msgspec.structs.replace(file, certificate_identifier="1.2.4")], False),
        ([CertificateReference(NAME, CARD, "c")], [file], False),
        ([CertificateReference(NAME, CARD, "c", "failed", reason="TB-7026")], [], True),
    ):
        assert certificates_whole(msgspec.structs.replace(whole, certificates=references, materials=files)) is taken


@pytest.mark.long
async def test_a_gateway_killed_again_and_again_uses_each_code_once(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """SIGKILL while certificates are being brought: every case arrives once, with one certificate, one file, one record."""
    await killed(places, session, cases=12, kills=10)


async def test_a_gateway_killed_while_it_fetches_uses_the_code_once(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    await killed(places, session, cases=1, kills=1)


async def killed(places: world.World, session: aiohttp.ClientSession, cases: int, kills: int) -> None:
    config = places.a.config
    config.write_text(config.read_text().replace("cap_ms = 2000", "cap_ms = 200"))
    mine = card()
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(support.platform(places.a, "guangdong", session, mine))
        (b,) = await stack.enter_async_context(running(places.b))
        numbers = []
        async with running(places.a, deliver=False) as (a,):  # collected, and nothing brought yet
            window = Asking(Window(a, session, json.loads(places.a.platform_config.read_bytes())))
            for _ in range(cases):
                made = papers(window)
                made["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": await window.code(made["bjbh"], mine)}]
                numbers.append((await window.window.hand_in(made)).json["tbbh"])
        await there.sim.post("/sim/knobs", mode="slow", slow_ms=30)
        for n in range(kills):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.cli", "serve", "--config", str(config), stdout=asyncio.subprocess.PIPE
            )
            assert process.stdout is not None
            await asyncio.wait_for(process.stdout.readline(), 30)
            await asyncio.sleep(0.02 + 0.05 * (n % 7))
            process.send_signal(signal.SIGKILL)
            await process.wait()
        await there.sim.post("/sim/knobs", mode="ok")
        (a,) = await stack.enter_async_context(running(places.a))
        for case in numbers:
            found = await arrived(b, case, 30)
            assert found.certificates[0].outcome == "verified" and len(found.materials) == 1
        assert a.rows("SELECT DISTINCT state FROM use_code") == [("used",)]
        assert b.one("SELECT count(*) FROM message WHERE type = 'application' AND direction = 'in'") == cases
        uses = [
            one
            for one in shared.about(a.node.journal.read(), a.node.desk.vault, PERSON)
            if one["asked"]["act"] == "use"
        ]  # type: ignore[index]
        assert len(uses) == cases and all(one["answered"] for one in uses)


@pytest.mark.long
async def test_the_doctor_says_who_answers_and_what_waits(places: world.World, session: aiohttp.ClientSession) -> None:
    mine = card()
    async with two(places, session, mine) as (a, _b, window, there):
        made = papers(window)
        made["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": await window.code(made["bjbh"], mine)}]
        await there.sim.post("/sim/knobs", mode="dark")
        await window.window.hand_in(made)
        await until(lambda: a.one("SELECT attempt FROM delivery WHERE destination = 'sharing'"))
        said = tongban("doctor", "--quick", "--config", str(places.a.config), "--json").stdout
        checks = [(one["name"], one["ok"]) for one in json.loads(said.splitlines()[-1])["checks"]]
        assert [one for one in checks if "sharing" in one[0]] == [
            ("sharing", True), ("sharing guangdong", True), ("sharing guangdong", False),
        ]  # fmt: skip
        (places.a.folder / "sharing" / "root.pem").unlink()
        said = tongban("doctor", "--quick", "--offline", "--config", str(places.a.config), "--json").stdout
        checks = [(one["name"], one["ok"]) for one in json.loads(said.splitlines()[-1])["checks"]]
        assert ("sharing guangdong", False) in checks, "told before the node is started"


async def test_P05_who_asked_is_shown_to_the_person_and_stands_in_no_log(
    places: world.World, session: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    """P05: neither the person nor the code is in what the node wrote, through an outage and a refusal."""
    mine = card()
    async with two(places, session, mine) as (_, b, window, there):
        made = papers(window)
        code = await window.code(made["bjbh"], mine)
        await there.sim.post("/sim/knobs", mode="garbage", times=2)
        (await window.fetch(made["bjbh"], code)).refused("TB-7028", 503)
        made["zz"] = [{"mc": NAME, "zzlx": CARD, "yzm": code}]
        await arrived(b, (await window.window.hand_in(made)).json["tbbh"])
        config = str(places.a.config)
        assert tongban("ecert", "asked", "--holder", PERSON, "--config", config).exit_code != 0, "a reason is needed"
        said = tongban(
            "ecert", "asked", "--holder", "-", "--reason", "本人查询", "--config", config, "--json", input=PERSON
        )
        shown = json.loads(said.stdout.splitlines()[-1])
        assert [one["asked"]["act"] for one in shown["asked"]] == ["authorise", "fetch", "use"]
        plain = tongban("ecert", "asked", "--holder", PERSON, "--reason", "本人查询", "--config", config)
        assert made["bjbh"] in plain.stdout and "授权书2026-1" in plain.stdout and mine.identifier in plain.stdout
        out = places.a.folder / "asked.json"
        tongban("ecert", "asked", "--holder", PERSON, "--reason", "本人查询", "-o", str(out), "--config", config)
        assert out.stat().st_mode & 0o777 == 0o600 and len(json.loads(out.read_text())) == 3
        assert "本人查询" in (places.a.folder / "data" / "access.log").read_text()
    written = "".join(capsys.readouterr())
    for secret in (PERSON, "甄无名", code, "s3cret"):
        assert secret not in written.replace(plain.stdout, "").replace(said.stdout, "")
