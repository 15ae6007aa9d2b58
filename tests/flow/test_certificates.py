"""Certificates issued by a running node and all that happens to them: real store, real files, real seals, over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agreements import samples
from gateway.demo import world
from gateway.flow import issued
from gateway.public import token
from signing import certs, ecert_data, ecert_id
from signing.ecert import Metadata
from signing.ofd import custom as ofd_custom
from signing.ofd import verify as ofd_verify
from signing.policy import CRL_IF_PRESENT
from signing.sm3 import sm3
from tests.flow.certificates import (
    COMPANY,
    PAGE,
    TODAY,
    TRIP,
    WASTE,
    YEAR,
    act,
    building,
    content,
    events,
    file,
    issue,
    issuing,
    order,
    proved,
    say,
    status,
)  # fmt: skip
from tests.flow.nodes import PROVIDER, Running, Window, running

DAY = timedelta(days=1)


@pytest.fixture
async def a(places: world.World) -> AsyncIterator[Running]:
    """Gateway A, which issues certificates."""
    issuing(places.a)
    async with running(places.a) as (node,):
        yield node


def read(a: Running, data: bytes) -> Metadata:
    """The metadata in an OFD, after its seal was found good under A's own root."""
    anchors = [certs.parse((a.side.folder / "certs" / "ca.der").read_bytes())]
    report = ofd_verify.verify_ofd(
        data, at=datetime.now(UTC), anchors=anchors, provider=PROVIDER, policy=CRL_IF_PRESENT, uncovered="reject"
    )
    assert report.ok is True, report
    return ecert_data.read(ofd_custom.custom_data(report.ofd.package)).metadata


def copy(days: int = 1, **changes: Any) -> dict[str, Any]:
    until = (datetime.now(UTC) + days * DAY).isoformat()
    return {"copy": {"relying_party": "汉川市城管局", "reason": "核对运输许可", "expires": until, **changes}}


# --- issuing ----------------------------------------------------------------------------------------------------------


async def test_a_certificate_is_issued_sealed_and_proved(a: Running, window: Window) -> None:
    made = await issue(window)
    identifier = ecert_id.parse(made["identifier"])
    assert identifier.findings == () and (identifier.type_code, identifier.version) == (WASTE, "001")
    assert (made["status"], made["status_code"], made["text"]) == ("valid", "01", "有效")
    said = proved(a, made)
    assert (said["event"], said["file"], said["state"]) == ("issue", made["file"]["sm3"], "valid")
    reply = await file(window, made["identifier"])
    assert (
        reply.status == 200 and sm3(reply.body).hex() == made["file"]["sm3"] and len(reply.body) == made["file"]["size"]
    )
    printed = read(a, reply.body)
    assert (printed.holder.code, printed.identifier, printed.valid_to) == (COMPANY, made["identifier"], YEAR)
    secret = printed.url.removeprefix(f"{PAGE}/v/")
    found = issued.by_token(a.node.journal.read(), token.digest(secret))
    assert len(secret) == token.LENGTH and found is not None and found.identifier == made["identifier"]


async def test_P10_neither_holder_nor_token_lies_in_clear_on_the_disk(a: Running, window: Window) -> None:
    made = await issue(window)
    secret = read(a, (await file(window, made["identifier"])).body).url.rpartition("/")[2]
    data = b"".join(path.read_bytes() for path in (a.side.folder / "data").rglob("*") if path.is_file())
    for word in (COMPANY, "试验渣土运输有限公司", TRIP["CPH"], secret):
        assert word.encode() not in data


async def test_a_number_said_twice_issues_one_certificate(a: Running, window: Window) -> None:
    first, *rest = await asyncio.gather(*[issue(window) for _ in range(3)])
    assert rest == [first, first] and await issue(window) == first
    assert a.one("SELECT count(*) FROM certificate") == 1
    (await say(window, "", order(content=content(number="another")))).refused("TB-5003", 409)


async def test_a_serial_number_is_given_once(a: Running, window: Window) -> None:
    made = await issue(window, order(serial="2026000001"))
    assert ecert_id.parse(made["identifier"]).serial == "2026000001"
    (await say(window, "", order("n-2", serial="2026000001"))).refused("TB-7005", 409)
    assert a.one("SELECT count(*) FROM certificate") == 1


WRONG: dict[str, tuple[Any, str, int]] = {
    "a type without template": (order(type="11100000000013127D001"), "TB-7002", 422),
    "a field that the template does not have": (order(content=content(fields={**TRIP, "X": "1"})), "TB-7003", 422),
    "a field is missing": (order(content=content(fields={})), "TB-7003", 422),
    "it ends before it begins": (order(content=content(valid_to="2020-01-01")), "TB-7003", 422),
    "a holder's code with a wrong check": (
        order(content=content(holder={"name": "某", "code": COMPANY[:-1] + "Y", "code_type": "001"})), "TB-7003", 422,
    ),
    "a case that is none": (order(case="no-such-case"), "TB-5001", 404),
    "an unknown key": (order(colour="red"), "TB-1005", 400),
    "a key twice": (b'{"id":"a","id":"b"}', "TB-1003", 400),
    "no JSON": (b"<xml/>", "TB-1003", 400),
    "a picture that is none": (order(content=content(pictures={"ZP": "AAAA"})), "TB-7003", 422),
}  # fmt: skip


async def test_what_cannot_be_issued_is_refused_with_proof_and_leaves_nothing(a: Running, window: Window) -> None:
    for case, (said, code, http) in WRONG.items():
        told = (await say(window, "", said)).refused(code, http)
        assert "receipt" in told and COMPANY not in json.dumps(told), case
    assert a.one("SELECT count(*) FROM certificate") == 0
    assert a.one("SELECT count(*) FROM leaf WHERE kind = 'refused'") == len(WRONG)


async def test_a_stranger_and_a_replay_are_turned_away(a: Running, window: Window) -> None:
    (await say(window, "", order(), key=hex(12345)[2:])).refused("TB-2002", 401)
    nonce = "ab" * 16
    assert (await say(window, "", order(), nonce=nonce)).status == 200
    (await say(window, "", order(), nonce=nonce)).refused("TB-2005", 409)
    (await say(window, "", order("n", type="0" * 21), nonce="cd" * 16)).refused("TB-7002", 422)
    for _ in range(3):
        (await say(window, "", order("n", type="0" * 21), nonce="cd" * 16)).refused("TB-2005", 409)
    assert a.one("SELECT count(*) FROM leaf WHERE kind = 'refused'") == 1, "a replay leaves no trace"


# --- its life ---------------------------------------------------------------------------------------------------------


async def test_expired_suspended_and_revoked_are_told_apart(a: Running, window: Window) -> None:
    old = await issue(
        window, order("o", content=content(valid_from="2020-01-01", valid_to="2020-12-31", issued="2020-01-01"))
    )
    held, gone, stays = [await issue(window, order(number)) for number in ("h", "g", "s")]
    assert (await act(window, held["identifier"], "h1", "suspend", "investigation")).json["status"] == "suspended"
    assert (await act(window, gone["identifier"], "g1", "revoke", "fraud")).json["status"] == "revoked"
    seen = {
        (one["status"], one["status_code"])
        for one in [await status(window, m["identifier"]) for m in (old, held, gone, stays)]
    }
    assert seen == {("expired", "05"), ("suspended", "02"), ("revoked", "07"), ("valid", "01")}
    for made, code in ((old, "TB-7014"), (held, "TB-7015"), (gone, "TB-7016")):
        (await act(window, made["identifier"], "c-" + code, "annotate", **copy())).refused(code, 409)


async def test_it_is_suspended_and_resumed_and_every_act_is_on_record(a: Running, window: Window) -> None:
    made = await issue(window)
    name = made["identifier"]
    stopped = (await act(window, name, "1", "suspend", "rectification", note="限期三日")).json
    assert stopped["status"] == "suspended" and proved(a, stopped)["note"] == "限期三日"
    again = (await act(window, name, "2", "resume", "rectified")).json
    assert again["status"] == "valid"
    assert events(a, name) == [
        ("issue", "", "valid", "", "platform:window"), ("suspend", "", "suspended", "rectification", "platform:window"),
        ("resume", "", "valid", "rectified", "platform:window"),
    ]  # fmt: skip
    assert (await act(window, name, "1", "suspend", "rectification", note="限期三日")).json["act"] == stopped["act"]
    then = datetime.fromtimestamp(again["history"][1]["at_ms"] / 1000, UTC).isoformat().replace("+", "%2B")
    path = f"/platform/v1/certificates/{name}?at="
    assert (await window.call("GET", path + then)).json["status"] == "suspended", "as it stood then"
    (await window.call("GET", path + "2020-01-01T00:00:00Z")).refused("TB-7001", 404)
    for no_time in ("yesterday", "9999-12-31T23:59:59Z", "9999-12-31T10:00:00-14:00"):
        (await window.call("GET", path + no_time)).refused("TB-1005", 400)


@pytest.mark.parametrize(
    ("event", "reason", "ends"),
    [("revoke", "fraud", "revoked"), ("withdraw", "law-changed", "withdrawn"), ("cancel", "dissolved", "cancelled")],
)
async def test_an_end_is_an_end(a: Running, window: Window, event: str, reason: str, ends: str) -> None:
    name = (await issue(window))["identifier"]
    assert (await act(window, name, "1", event, reason)).json["status"] == ends
    for number, (next_event, why) in enumerate(
        (("resume", "cleared"), ("suspend", "investigation"), ("revoke", "fraud"))
    ):
        (await act(window, name, f"x{number}", next_event, why)).refused("TB-7004", 409)
    (await act(window, name, "y", "reissue", "renewal", content=content())).refused("TB-7004", 409)
    assert len(events(a, name)) == 2


NO: dict[str, tuple[str, str, dict[str, Any], str, int]] = {
    "no reason": ("revoke", "", {}, "TB-7010", 422),
    "another act's reason": ("revoke", "not-renewed", {}, "TB-7010", 422),
    "resumed though valid": ("resume", "cleared", {}, "TB-7004", 409),
    "ordered though it follows": ("supersede", "", {}, "TB-7004", 409),
    "dropped though stamped": ("drop", "wrong-data", {}, "TB-7004", 409),
    "a permit that is none": ("revoke", "fraud", {"permit": "p9"}, "TB-7009", 404),
    "content where none belongs": ("revoke", "fraud", {"content": content()}, "TB-1005", 400),
    "a re-issue without content": ("reissue", "renewal", {}, "TB-1005", 400),
    "a re-issue for another holder": (
        "reissue", "renewal",
        {"content": content(holder={"name": "某", "code": "91420100000000013H", "code_type": "001"})}, "TB-7003", 422,
    ),
    "an unknown event": ("burn", "fraud", {}, "TB-1005", 400),
    "a copy without its offset": ("annotate", "", copy(expires="2026-12-01T00:00:00"), "TB-1005", 400),
    "a copy that expires when the calendar does": ("annotate", "", copy(expires="9999-12-31T23:59:59Z"), "TB-1005", 400),
    "a copy that has expired": ("annotate", "", copy(-1), "TB-7008", 422),
    "a copy that outlives it": ("annotate", "", copy(400), "TB-7008", 422),
}  # fmt: skip


async def test_the_last_day_there_is_means_no_end(a: Running, window: Window) -> None:
    """99991231 is how registers write 长期; a day after it there is not."""
    made = await issue(window, order(content=content(valid_to="9999-12-31")))
    assert made["valid_to"] is None
    assert read(a, (await file(window, made["identifier"])).body).valid_to is None
    kept = (await act(window, made["identifier"], "c", "annotate", **copy())).json
    assert proved(a, kept)["event"] == "annotate"


async def test_an_act_that_cannot_be_is_refused_and_nothing_moves(a: Running, window: Window) -> None:
    name = (await issue(window))["identifier"]
    for case, (event, reason, more, code, http) in NO.items():
        told = (await act(window, name, f"x-{code}-{len(case)}", event, reason, **more)).refused(code, http)
        assert "receipt" in told, case
    assert (await status(window, name))["status"] == "valid" and len(events(a, name)) == 1


async def test_W9_one_permit_of_several_is_revoked_and_the_others_stand(a: Running, window: Window) -> None:
    made = await issue(window, building())
    name = made["identifier"]
    assert [one["status"] for one in made["permits"]] == ["valid"] * 3
    after = (await act(window, name, "1", "revoke", "not-qualified", permit="zd")).json
    assert after["status"] == "valid" and proved(a, after)["permit"] == "zd"
    assert {one["id"]: one["status"] for one in after["permits"]} == {"sg": "valid", "zd": "revoked", "yj": "valid"}
    (await act(window, name, "2", "resume", "cleared", permit="zd")).refused("TB-7004", 409)
    found = issued.by_identifier(a.node.journal.read(), name)
    assert found is not None
    later = issued.stands(a.node.journal.read(), found, issued.end_of(TODAY + 20 * DAY))
    assert later is not None and later.permits == {"sg": "valid", "zd": "revoked", "yj": "expired"}
    assert (await act(window, name, "3", "suspend", "investigation")).json["permits"][0]["status"] == "suspended"
    ended = [(await act(window, name, "4", "revoke", "fraud")).json for _ in range(2)]
    assert ended[0] == ended[1] and [one["status"] for one in ended[0]["permits"]] == ["revoked"] * 3


async def test_a_sheet_whose_permits_are_all_gone_is_not_called_valid(a: Running, window: Window) -> None:
    name = (await issue(window, building()))["identifier"]
    for number, permit in enumerate(("sg", "zd", "yj")):
        last = (await act(window, name, f"{number}", "cancel", "dissolved", permit=permit)).json
    assert (last["status"], last["status_code"]) == ("lapsed", "05")
    (await act(window, name, "c", "annotate", **copy())).refused("TB-7019", 409)


async def test_a_reissue_keeps_the_series_and_supersedes_the_version_before(a: Running, window: Window) -> None:
    first = await issue(window, order(serial="SN7"))
    changed = content(fields={**TRIP, "CPH": "鄂A00002"})
    second = (await act(window, first["identifier"], "r1", "reissue", "change", content=changed)).json
    one, two = ecert_id.parse(first["identifier"]), ecert_id.parse(second["identifier"])
    assert (two.series, two.version, two.findings) == (one.series, "002", ())
    assert proved(a, second)["supersedes"] == first["identifier"]
    before = await status(window, first["identifier"])
    assert (before["status"], before["latest"]) == ("superseded", second["identifier"])
    assert [row[0] for row in events(a, first["identifier"])] == ["issue", "reissue", "supersede"]
    printed = [read(a, (await file(window, name)).body) for name in (first["identifier"], second["identifier"])]
    assert printed[0].url != printed[1].url and printed[1].fields[0].value == "鄂A00002"
    (await act(window, first["identifier"], "r2", "reissue", "change", content=changed)).refused("TB-7005", 409)
    (await act(window, first["identifier"], "r3", "annotate", **copy())).refused("TB-7017", 409)


async def test_two_reissues_at_a_time_make_one(a: Running, window: Window) -> None:
    name = (await issue(window))["identifier"]
    replies = await asyncio.gather(
        *[act(window, name, f"r{n}", "reissue", "renewal", content=content()) for n in range(3)]
    )
    assert sorted(reply.status for reply in replies) == [200, 409, 409]
    assert a.one("SELECT count(*) FROM certificate WHERE state = 'valid'") == 1
    assert a.one("SELECT count(*) FROM certificate") == 2


async def test_an_expired_certificate_is_renewed(a: Running, window: Window) -> None:
    old = await issue(
        window, order(content=content(valid_from="2020-01-01", valid_to="2020-12-31", issued="2020-01-01"))
    )
    new = (await act(window, old["identifier"], "r", "reissue", "renewal", content=content())).json
    assert new["status"] == "valid" and (await status(window, old["identifier"]))["status"] == "superseded"


async def test_an_annotated_copy_says_for_whom_why_and_until_when_and_is_sealed_again(
    a: Running, window: Window
) -> None:
    made = await issue(window)
    name = made["identifier"]
    copied = (await act(window, name, "c1", "annotate", **copy(30))).json
    said = proved(a, copied)
    assert (said["event"], said["relying_party"]) == ("annotate", "汉川市城管局") and said["expires_ms"] > 0
    reply = await file(window, name, copied["act"])
    assert sm3(reply.body).hex() == said["file"] != made["file"]["sm3"]
    printed = read(a, reply.body)
    assert printed.annotation is not None and printed.annotation.reason == "核对运输许可"
    assert (printed.identifier, printed.annotation.made_by) == (name, "试验城管局")
    assert (await status(window, name))["status"] == "valid"
    (await file(window, name, "0" * 26)).refused("TB-7001", 404)


async def test_A06_another_platforms_certificate_is_none(a: Running, window: Window) -> None:
    name = (await issue(window))["identifier"]
    (await a.node.journal.submit(lambda tx: tx.run("UPDATE certificate SET platform = 'other'"))).only()
    for path in (f"/{name}", f"/{name}/file"):
        (await window.call("GET", f"/platform/v1/certificates{path}")).refused("TB-7001", 404)
    (await act(window, name, "1", "revoke", "fraud")).refused("TB-7001", 404)
    (await act(window, name[:-1] + "_", "2", "revoke", "fraud")).refused("TB-1009", 404)


async def test_housekeeping_leaves_the_files_of_certificates(a: Running, window: Window) -> None:
    made = await issue(window)
    keeper = a.node.housekeeping.__class__(a.node.journal, a.node.housekeeping.parts, -1000, a.node.housekeeping.now_ms)
    await keeper.tidy()
    assert (await file(window, made["identifier"])).status == 200


# --- given to a partner, by an agreement ------------------------------------------------------------------------------

LICENCE_FIELDS = {
    "ZTLX": "个体工商户", "JYZ": "甄无名", "ZCRQ": "2026-01-05", "JYCS": "试验大道一百零一号", "JYFW": "测试",
}  # fmt: skip


def licence(number: str = "l-1") -> dict[str, Any]:
    return {
        "id": number,
        "type": samples.LICENCE,
        "content": content(fields=LICENCE_FIELDS, number=COMPANY, valid_to=None),
    }


async def give(window: Window, name: str, number: str = "g", **changes: Any) -> Any:
    said = {"id": number, "to": samples.lab_party("360113"), "use": "fetch", "purpose": samples.PURPOSE} | changes
    return await say(window, f"/{name}/releases", said)


async def test_W5_a_partner_is_given_what_its_line_shows_with_that_on_record(a: Running, window: Window) -> None:
    name = (await issue(window, licence()))["identifier"]
    given = (await give(window, name)).json
    assert {one["name"] for one in given["fields"]} == {"ZZBH", "CZZT", "CZZTDM", *LICENCE_FIELDS}
    said = proved(a, given)
    assert (said["event"], said["clause"], said["use"]) == ("release", "第九条第二款", "fetch")
    assert said["relying_party"] == samples.lab_party("360113") and COMPANY not in json.dumps(said)
    assert (await give(window, name)).json == given
    proof = (await give(window, name, "v", use="verify")).json
    assert (proof["fields"], proof["status"]) == ([], "valid")


GIVEN_NOT: dict[str, tuple[dict[str, Any], str, int]] = {
    "another purpose": ({"purpose": "营销"}, "TB-4109", 403),
    "a stranger": ({"to": samples.lab_party("430602")}, "TB-4101", 403),
    "no party": ({"to": "somebody"}, "TB-1005", 400),
    "a use that is none": ({"use": "scan"}, "TB-1005", 400),
}


async def test_A14_nothing_is_given_beyond_the_agreement(a: Running, window: Window) -> None:
    name = (await issue(window, licence()))["identifier"]
    for case, (changes, code, http) in GIVEN_NOT.items():
        told = (await give(window, name, **changes)).refused(code, http)
        assert bool(told.get("clause")) is (code == "TB-4109"), case
    assert len(events(a, name)) == 1


async def test_a_type_that_no_line_names_and_one_that_is_suspended_are_not_given(a: Running, window: Window) -> None:
    other = (await issue(window))["identifier"]
    assert (await give(window, other)).refused("TB-7011", 403)["clause"]
    name = (await issue(window, licence()))["identifier"]
    await act(window, name, "1", "suspend", "investigation")
    (await give(window, name)).refused("TB-7015", 409)
