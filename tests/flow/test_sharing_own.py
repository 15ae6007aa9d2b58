"""Our own register behind the sharing port: what this node issued stands in place of a material, and a guest's platform sees of
it what an agreement's line grants."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from agreements import samples
from agreements.model import EVERYTHING, CertificateLine
from gateway.demo import world
from tests.flow import certificates
from tests.flow.nodes import PROVIDER, Running, Window, running
from tests.flow.sharing_support import Asking, why
from tests.flow.test_no_upload import arrived, papers

LICENCE = samples.LICENCE
COMPANY = certificates.COMPANY
FIELDS = {"ZTLX": "有限责任公司", "JYZ": "甄无名", "ZCRQ": "2026-01-05", "JYCS": "汉江路1号", "JYFW": "餐饮服务"}
HOLDER = {"code": COMPANY, "code_type": "001"}


@pytest.fixture
async def pair(places: world.World) -> AsyncIterator[tuple[Running, Running]]:
    certificates.issuing(places.a)
    async with running(places.a, places.b) as (a, b):
        yield a, b


@pytest.fixture
def window(pair: tuple[Running, Running], session: Any) -> Window:
    return Window(pair[0], session, json.loads(pair[0].side.platform_config.read_bytes()))


async def licence(window: Window) -> dict[str, Any]:
    holder = {"name": "试验渣土运输有限公司", "code": COMPANY, "code_type": "001"}
    content = certificates.content(holder=holder, fields=FIELDS, number=COMPANY, valid_to=None)
    return await certificates.issue(window, {"id": "l-1", "type": LICENCE, "content": content})


async def code(window: Window, case: str, identifier: str, **changed: str) -> Any:
    asked = {"why": why(case, **changed), "holder": HOLDER, "type_code": LICENCE, "identifier": identifier}
    return await Asking(window).post("authorize", asked)


async def test_what_we_issued_ourselves_takes_a_materials_place(pair: tuple[Running, Running], window: Window) -> None:
    _, b = pair
    made = await licence(window)
    asking = Asking(window)
    application = papers(asking)
    case = application["bjbh"]
    found = (await asking.post("query", {"why": why(case), "holder": HOLDER, "type_code": LICENCE})).json
    (one,) = found["certificates"]
    assert (one["identifier"], one["status"], one["source"]) == (made["identifier"], "valid", "own")
    got = (await code(window, case, made["identifier"])).json
    application["sqr"] |= {"lx": "2", "zjlx": "10", "zjhm": COMPANY, "xm": "试验渣土运输有限公司"}
    application["zz"] = [{"mc": "营业执照", "zzlx": LICENCE, "yzm": got["use_code"]}]
    receipt = await window.hand_in(application)
    assert receipt.status == 200, receipt.body
    (reference,) = (await arrived(b, receipt.json["tbbh"])).certificates
    assert (reference.outcome, reference.status, reference.identifier) == ("verified", "valid", made["identifier"])


async def test_a_revoked_one_of_ours_is_not_authorised(pair: tuple[Running, Running], window: Window) -> None:
    made = await licence(window)
    (await certificates.act(window, made["identifier"], "r-1", "revoke", "fraud"))
    assert (await code(window, "c-1", made["identifier"])).refused("TB-7026", 422)["detail"] == "revoked"


async def test_another_holder_does_not_find_it(pair: tuple[Running, Running], window: Window) -> None:
    made = await licence(window)
    other = {"code": "11330105002500287C", "code_type": "001"}
    asked = {"why": why("c-1"), "holder": other, "type_code": LICENCE}
    assert (await Asking(window).post("query", asked)).json["certificates"] == []
    (await Asking(window).post("authorize", asked | {"identifier": made["identifier"]})).refused("TB-7030", 404)


def hosting(places: world.World, *fields: str) -> None:
    """A's window belongs to B now, and a new version of their agreement, signed by both, lets B fetch these fields of a licence."""
    a, b = places.a, places.b
    text = a.config.read_text()
    a.config.write_text(text.replace("[[platform]]\n", f'[[platform]]\nparty = "{b.place.party}"\n'))
    both = [a.place.party, b.place.party]
    line = CertificateLine("第九条", [LICENCE], both, both, list(fields), ["fetch"], [samples.PURPOSE])
    agreement = samples.render(*both, version=2, certificates=(line,))
    (a.folder / "agreement.toml").write_bytes(world.signed(agreement, (a, b), PROVIDER, datetime.now(UTC)))


def window_of(a: Running, places: world.World, session: Any) -> Window:
    return Window(a, session, json.loads(places.a.platform_config.read_bytes()))


async def issued(places: world.World, session: Any) -> dict[str, Any]:
    """A licence that A issued before it took a guest in."""
    certificates.issuing(places.a)
    async with running(places.a) as (a,):
        return await licence(window_of(a, places, session))


async def test_a_guest_whose_line_grants_everything_gets_the_file(places: world.World, session: Any) -> None:
    made = await issued(places, session)
    hosting(places, EVERYTHING)
    async with running(places.a) as (a,):
        window = window_of(a, places, session)
        refused = (await code(window, "c-1", made["identifier"], purpose="别的用途")).refused("TB-4109", 403)
        assert refused["clause"].endswith("第九条")
        given = (await code(window, "c-1", made["identifier"])).json["use_code"]
        whole = (await Asking(window).fetch("c-1", given)).json
        assert whole["file"] and whole["surface"]["CZZT"] == "试验渣土运输有限公司"


async def test_a_guest_whose_line_grants_some_fields_gets_those_and_no_file(places: world.World, session: Any) -> None:
    """What is limited cannot go whole into a case either."""
    made = await issued(places, session)
    hosting(places, "ZZBH", "JYCS")
    async with running(places.a) as (a,):
        window = window_of(a, places, session)
        given = (await code(window, "c-1", made["identifier"], item="QX-TB-002")).json["use_code"]
        some = (await Asking(window).fetch("c-1", given, item="QX-TB-002")).json
        assert (some["file"], some["sm3"], some["size"], some["status"]) == ("", "", 0, "valid")
        assert some["surface"] == {"ZZBH": COMPANY, "JYCS": FIELDS["JYCS"]}
        assert some["form"] == {"经营场所": FIELDS["JYCS"]}, "a form is filled from what may be seen"
        given = (await code(window, "c-1", made["identifier"])).json["use_code"]
        application = papers(Asking(window)) | {"bjbh": "c-1"}
        application["sqr"] |= {"lx": "2", "zjlx": "10", "zjhm": COMPANY, "xm": "试验渣土运输有限公司"}
        application["zz"] = [{"mc": "营业执照", "zzlx": LICENCE, "yzm": given}]
        (await window.hand_in(application)).refused("TB-7012", 403)
