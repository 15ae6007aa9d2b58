"""W1: 硚口 has bilateral agreements with 安义, 红谷滩, 汉台 and 岳阳楼; a window in one place hands in for the other, both ways."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agreements import load as agreements
from tests.flow import places
from tests.flow.nodes import Running, running, until
from tests.flow.places import Pact, case_of, proved, settled, state

QIAOKOU = ("420104", "武汉市硚口区")
OTHERS = {
    "anyi": ("360123", "南昌市安义县"), "honggutan": ("360113", "南昌市红谷滩区"), "hantai": ("610702", "汉中市汉台区"),
    "yueyanglou": ("430602", "岳阳市岳阳楼区"),
}  # fmt: skip
ITEM = {"item": "QX-TB-004", "item_name": "残疾人证换领"}


async def test_W1_a_case_from_qiaokou_is_handled_in_anyi_and_one_from_there_in_qiaokou(tmp_path: Path) -> None:
    await _both_ways(tmp_path, {"anyi": OTHERS["anyi"]})


@pytest.mark.long
async def test_W1_one_window_serves_four_places_and_each_serves_it(tmp_path: Path) -> None:
    await _both_ways(tmp_path, OTHERS)


async def _both_ways(root: Path, others: dict[str, tuple[str, str]]) -> None:
    towns = {"qiaokou": QIAOKOU, **others}
    systems = {name: places.file_system(root / f"{name}-files", division) for name, (division, _) in towns.items()}
    sides = places.build(
        root, towns, [Pact("qiaokou", name) for name in others],
        {name: places.files(root / f"{name}-files") for name in towns},
    )  # fmt: skip
    for name in others:
        _signed_by_both((sides["qiaokou"].folder / f"with-{name}.toml").read_bytes())
    async with running(*sides.values()) as nodes, places.working(*systems.values()):
        at: dict[str, Running] = dict(zip(sides, nodes, strict=True))
        ways = [way for name in others for way in (("qiaokou", name), (name, "qiaokou"))]
        await asyncio.gather(*(_walk(at, systems, from_, to, towns[to][0]) for from_, to in ways))
        await _what_no_agreement_covers_is_refused_with_its_clause(systems["qiaokou"], next(iter(others.values()))[0])


async def _walk(at: dict[str, Running], systems: dict[str, Any], from_: str, to: str, handling: str) -> None:
    """One case to its end; both stores, both systems' own records and both evidence packages say the same."""
    number = systems[from_].hand_in({**ITEM, "handling": handling})
    case = await until(lambda: case_of(at[from_], number), 60)
    await until(lambda: state(at[from_], case) == state(at[to], case) == "delivered", 60)
    await until(lambda: settled(at[from_], at[to]), 60)
    own = [systems[name] for name in (from_, to)]
    await until(lambda: [one.known()["states"][case] for one in own] == ["delivered"] * 2, 60)
    assert proved(at[from_], case) == proved(at[to], case) == (True, "delivered")


def _signed_by_both(data: bytes) -> None:
    parsed = agreements.parse(data)
    assert len(parsed.signatures) == 2 and {one.party for one in parsed.signatures} == {
        one.id for one in parsed.agreement.parties
    }


async def _what_no_agreement_covers_is_refused_with_its_clause(system: Any, handling: str) -> None:
    wanted = {"item": "QX-TB-999", "item_name": "不在清单里的事项", "handling": handling}
    system.hand_in(wanted)
    refused = await until(lambda: [*system.hall.ours.glob("*.refused")], 60)
    said = refused[0].read_bytes().decode("gb18030")
    assert "TB-41" in said and "第二条" in said, said
