"""W4: one platform for all docks with public security, social security and medical insurance: one gateway, routed by item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.demo import systems, world
from tests.flow import places
from tests.flow.nodes import running, until
from tests.flow.places import Pact, case_of, proved, settled, state

WINDOW, ALL = ("420104", "武汉市硚口区"), ("360113", "南昌市红谷滩区")
POLICE, SOCIAL, MEDICAL, REST = systems.IDENTITY_CARD, systems.SOCIAL_CARD, systems.CARE_ELSEWHERE, "QX-TB-004"


async def test_W4_each_of_four_systems_gets_the_cases_of_its_items_and_none_of_the_others(tmp_path: Path) -> None:
    gongan, queue = (f"127.0.0.1:{port}" for port in world.free_ports(2))
    sides = places.build(
        tmp_path, {"window": WINDOW, "all": ALL},
        [Pact("window", "all", systems.listed(systems.SYSTEMS))],
        {"window": places.files(tmp_path / "counter"), "all": places.four(tmp_path, gongan, queue)},
    )  # fmt: skip
    counter, rest = places.file_system(tmp_path / "counter", WINDOW[0]), places.file_system(tmp_path / "rest", ALL[0])
    social = places.front_system(tmp_path / "social")
    soap = f"http://{sides['all'].place.platform}/platform/v1/soap/gongan"
    async with (
        running(*sides.values()) as (a, b),
        places.queue_system(tmp_path / "medical", queue) as medical,
        places.police_system(tmp_path / "police", gongan, soap) as police,
        places.working(counter, rest, social, medical),
    ):
        form = {"申领原因": "到期换领"}
        numbers = {
            item: counter.hand_in({"item": item, "item_name": item, "handling": ALL[0], "form": form})
            for item in (POLICE, SOCIAL, MEDICAL, REST)
        }
        ends = {POLICE: "delivered", SOCIAL: "granted", MEDICAL: "delivered", REST: "delivered"}
        for item, end in ends.items():
            case = await until(lambda item=item: case_of(a, numbers[item]), 60)
            await until(lambda case=case, end=end: state(a, case) == state(b, case) == end, 60)
        await until(lambda: settled(a, b), 60)
        assert dict(b.rows("SELECT item, platform FROM case_file")) == {
            POLICE: "police", SOCIAL: "social", MEDICAL: "medical", REST: "rest",
        }  # fmt: skip
        assert [row[0] for row in police.records.rows("SELECT number FROM request")] == [numbers[POLICE]]
        assert [row[0] for row in medical.records.rows("SELECT serial FROM request")] == [numbers[MEDICAL]]
        assert list(social.known()["numbers"]) == [numbers[SOCIAL]] and list(rest.known()["numbers"]) == [numbers[REST]]
        for item in ends:
            assert proved(a, case_of(a, numbers[item])) == proved(b, case_of(b, numbers[item])) == (True, ends[item])
        # what a system has no word for does not hold up what follows, and is on record as not said
        unsaid = b.rows(
            "SELECT m.type, d.destination FROM delivery d JOIN message m ON m.id = d.message WHERE d.state = 'given_up'"
        )
        assert set(unsaid) == {
            ("arrival", "platform:police"),
            ("delivery", "platform:police"),
            ("arrival", "platform:medical"),
        }
        await _refused(counter)


async def _refused(counter: Any) -> None:
    """An item that the agreement does not have goes to no system, and its refusal names the clause."""
    counter.hand_in({"item": "QX-SB-1", "item_name": "不在清单里", "handling": ALL[0]})
    [refused] = await until(lambda: [*counter.hall.ours.glob("*.refused")], 60)
    assert "第二条" in refused.read_bytes().decode("gb18030")
