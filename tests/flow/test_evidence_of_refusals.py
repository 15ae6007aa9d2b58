"""A case in which a result was refused for its stamp and issued anew: both sides' packages tell it whole."""

from __future__ import annotations

import aiohttp
import msgspec

from gateway import config
from gateway.demo import world
from gateway.flow.export import export_case
from gateway.ids import now_ms
from gateway.ledger.evidence import verify
from gateway.ledger.records import MessageRecord, read_line
from gateway.ledger.trust import compose
from tests.flow import nodes
from tests.flow.nodes import running, until
from tests.flow.test_results import act, granted, result, state


async def test_both_packages_hold_the_refusal_and_the_new_result(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        body, files = result(b"\x30\x03\x02\x01\x01")
        told = await act(b, "result", case, "s3", body, *files)
        await until(lambda: b.one("SELECT state FROM delivery WHERE message = ?", told["message_id"]) == "refused")
        body, files = result(None)
        await act(b, "result", case, "s4", body, *files)
        await until(lambda: state(a, case) == "result_issued")
        await until(lambda: b.one("SELECT count(*) FROM delivery WHERE destination LIKE 'peer:%' AND done_ms = 0") == 0)
        for place in (places.a, places.b):
            package = export_case(config.load(place.config), place.folder, case)
            report = verify(package, compose(nodes.PROVIDER, now_ms=now_ms()))
            assert (report.ok, report.grade, report.state) == (True, "full", "result_issued"), report.reasons
            records = [read_line(line) for line in package.splitlines()]
            [refused] = [r for r in records if isinstance(r, MessageRecord) and r.refusal is not None]
            assert msgspec.json.decode(refused.header)["id"] == told["message_id"]
            assert refused.withheld is (place is places.a), "who refused it did not keep its body"
