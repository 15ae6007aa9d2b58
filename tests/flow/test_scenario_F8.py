"""F8: the province's front-exchange database and public security's SOAP as real transports, with the same receipts over each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from gateway import config
from gateway.demo import systems, world
from gateway.flow.export import export_case
from gateway.ledger.records import MessageRecord, OriginalRecord, read_line
from tests.flow import places
from tests.flow.nodes import Running, running, until
from tests.flow.places import TOKEN, Pact, brisk, case_of, platform, proved, settled, state

COUNTER, CITY = ("420104", "武汉市硚口区"), ("360113", "南昌市红谷滩区")
ROWS, SOAP = systems.SOCIAL_CARD, systems.IDENTITY_CARD
OPEN = f'licence = "{TOKEN}"\nour_licence = "{TOKEN}"\n'


async def test_F8_a_case_over_rows_and_one_over_soap_leave_the_same_receipts(tmp_path: Path) -> None:
    [port] = world.free_ports(1)
    sides = places.build(
        tmp_path, {"counter": COUNTER, "city": CITY}, [Pact("counter", "city", systems.listed(systems.SYSTEMS))],
        {
            "counter": places.files(tmp_path / "files"),
            "city": platform("police", "gongan", f"http://127.0.0.1:{port}/soap", SOAP, more=OPEN)
            + platform("front", brisk(tmp_path, "fujian_front"), f"sqlite://{tmp_path / 'front' / 'front.db'}"),
        },
    )  # fmt: skip
    counter, front = places.file_system(tmp_path / "files", COUNTER[0]), places.front_system(tmp_path / "front")
    door = f"http://{sides['city'].place.platform}/platform/v1/soap/gongan"
    async with (
        running(*sides.values()) as (a, b),
        places.police_system(tmp_path / "police", f"127.0.0.1:{port}", door) as police,
        places.working(counter, front),
    ):
        _listen(police)
        cases = {}
        for item, end in ((ROWS, "granted"), (SOAP, "delivered")):
            wanted = {"item": item, "item_name": item, "handling": CITY[0], "form": {"申领原因": "到期换领"}}
            number = counter.hand_in(wanted)
            cases[item] = await until(lambda number=number: case_of(a, number), 60)
            await until(lambda item=item, end=end: state(a, cases[item]) == state(b, cases[item]) == end, 60)
        await until(lambda: settled(a, b), 60)
        told = {item: _receipts(b, case) for item, case in cases.items()}
        acts = {"application", "acceptance", "decision"}
        assert {type_ for type_, _ in told[ROWS]} == acts | {"step"}
        assert {type_ for type_, _ in told[SOAP]} == acts | {"result", "arrival", "delivery"}
        shapes = dict(told[ROWS])
        assert shapes["application"] == (True, True, False) and shapes["decision"] == (True, True, True)
        assert all(shapes[type_] == shape for type_, shape in told[SOAP] if type_ in acts), (
            "the transport leaves no trace"
        )
        assert [proved(node, case)[0] for node in (a, b) for case in cases.values()] == [True] * 4
        await _repeated_is_answered_the_same(b, front, police, cases)


def _listen(police: Any) -> None:
    """Keep what the service sends, to send it again."""
    police.sent, once = [], police.caller.once

    async def heard(operation: str, text: str) -> Any:
        police.sent.append((operation, text))
        return await once(operation, text)

    police.caller.once = heard


def _receipts(node: Running, case: str) -> list[tuple[str, tuple[bool, ...]]]:
    """Each message with what proves it: its sender's proof, the receiver's receipt, the system's own bytes."""
    package = export_case(config.load(node.side.config), node.side.folder, case, with_originals=True)
    records = [read_line(line) for line in package.splitlines()]
    originals = {one.id for one in records if isinstance(one, OriginalRecord) and one.data}
    return [
        (header["type"], (one.sender is not None, one.receipt is not None, header["id"] in originals))
        for one in records
        if isinstance(one, MessageRecord) and (header := msgspec.json.decode(one.header))
    ]


async def _repeated_is_answered_the_same(b: Running, front: Any, police: Any, cases: dict[str, str]) -> None:
    """A row written again under a new id, a call made again, a row and a call for no case: nothing happens twice."""
    before = b.one("SELECT count(*) FROM message")
    kept: Callable[[str], Any] = lambda sql: front.hall.db.execute(sql).fetchall()  # noqa: E731
    [(unid, content)] = kept("SELECT unid, content FROM provinceinfo WHERE type = '85'")
    again = front.hall.row("85", content)
    await until(lambda: front.hall.answer_of(again), 60)
    first, second = (front.hall.answer_of(one) for one in (unid, again))
    assert first[0] == second[0] == "1" and _number(first[1]) == _number(second[1]) != ""
    stray = front.hall.step("no-such-case")
    await until(lambda: front.hall.answer_of(stray), 60)
    assert "TB-5001" in front.hall.answer_of(stray)[1]
    for operation, text in list(police.sent):
        assert [code for code, _ in await police.caller.once(operation, text)] == ["0"], (
            "taken before, answered the same"
        )
        changed = text.replace("模拟民警", "别的民警").replace("办理结果", "别的结果")
        assert [code for code, _ in await police.caller.once(operation, changed)] == ["-999"], "other words, same id"
    assert b.one("SELECT count(*) FROM message") == before
    assert {state(b, case) for case in cases.values()} == {"granted", "delivered"}


def _number(answer: str) -> str:
    return answer.partition("<SN>")[2].partition("</SN>")[0]
