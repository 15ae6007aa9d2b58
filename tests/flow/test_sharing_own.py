"""Our own register behind the sharing port: what this node issued stands in place of a material, and a guest's platform sees of
it what an agreement's line grants."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agreements import samples
from agreements.release import Release
from gateway.demo import world
from gateway.sharing.guests import Guests
from tests.flow import certificates
from tests.flow.nodes import Running, Window, running
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


async def code(window: Window, case: str, identifier: str, purpose: str = samples.PURPOSE) -> Any:
    asked = {"why": why(case, purpose=purpose), "holder": HOLDER, "type_code": LICENCE, "identifier": identifier}
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


async def test_a_guests_platform_sees_what_its_line_grants(
    places: world.World, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates.issuing(places.a)
    async with running(places.a) as (a,):
        made = await licence(Window(a, session, json.loads(places.a.platform_config.read_bytes())))
    text = places.a.config.read_text()
    places.a.config.write_text(text.replace("[[platform]]\n", f'[[platform]]\nparty = "{places.b.place.party}"\n'))
    async with running(places.a) as (a,):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        refused = (await code(window, "c-1", made["identifier"], "别的用途")).refused("TB-4109", 403)
        assert refused["clause"].endswith("第九条第二款")
        whole = (
            await Asking(window).fetch("c-1", (await code(window, "c-1", made["identifier"])).json["use_code"])
        ).json
        assert whole["file"] and whole["surface"]["CZZT"] == "试验渣土运输有限公司"
        granted = Release("x", 1, "第九条", ("ZZBH",), "fetch", samples.PURPOSE)
        monkeypatch.setattr(Guests, "release", lambda *_: granted)
        made_code = (await code(window, "c-1", made["identifier"])).json["use_code"]
        some = (await Asking(window).fetch("c-1", made_code)).json
        assert some["file"] == "" and set(some["surface"]) == {"ZZBH"} and some["status"] == "valid"
        application = papers(Asking(window)) | {"bjbh": "c-1"}
        application["sqr"] |= {"lx": "2", "zjlx": "10", "zjhm": COMPANY, "xm": "试验渣土运输有限公司"}
        application["zz"] = [{"mc": "营业执照", "zzlx": LICENCE, "yzm": made_code}]
        (await window.hand_in(application)).refused("TB-7012", 403)
