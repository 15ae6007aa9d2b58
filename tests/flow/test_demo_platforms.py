"""``./run demo --platforms all``: five families of interfaces behind two gateways, routed by item (W4)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.registry import FAMILIES
from gateway import compose, config, profiles
from gateway.demo import atlas, legs, summary, systems, world
from gateway.demo.records import Acts
from tests.flow.nodes import PROVIDER
from tests.flow.test_demo import demo, last

FIVE = {"rest_signed", "soap", "message_set", "front_db", "file_drop"}


async def test_both_places_open_their_systems_and_each_leg_has_one_that_handles_its_item(tmp_path: Path) -> None:
    made = world.build(tmp_path / "w", PROVIDER, datetime.now(UTC), world.Settings(platforms=True))
    families: set[str] = set()
    chosen = {}
    for name, side in (("a", made.a), ("b", made.b)):
        settings = config.load(side.config)
        node = await compose.build(settings, side.folder)
        families |= {one.family for one in node.platforms.values()}
        chosen[name] = profiles.by_item(settings.platform, settings.node.party)
        await node.close()
    assert families == FIVE <= set(FAMILIES)
    sides = {"window": "a", "hall": "b", **{one.id: one.side for one in systems.SYSTEMS}}
    for leg in legs.LEGS:
        assert chosen[sides[leg.target]](leg.item) == leg.target
        assert sides[leg.origin] != sides[leg.target]
    ends = Counter(name for leg in legs.LEGS for name in (leg.origin, leg.target))
    assert set(ends) == set(sides), "each system has a case"


@pytest.mark.parametrize(
    ("said", "told", "fault"),
    [
        (("acceptance", "decision"), ("acceptance",), "decision did not reach window"),
        (("acceptance",), ("acceptance", "acceptance"), "acceptance more than once at window"),
        (("acceptance", "decision"), ("acceptance", "decision"), ""),
    ],
)
def test_an_act_that_one_system_lacks_or_has_twice_is_named(
    said: tuple[str, ...], told: tuple[str, ...], fault: str
) -> None:
    leg = legs.Leg("window", "social", systems.SOCIAL_CARD, "acceptance", "to")
    walked = legs.Walked(leg, "1", collector=Acts(("application",), told), handler=Acts(said, ("application",)))
    assert [one.en for one in legs.compare(walked, lambda _: frozenset())] == ([fault] if fault else [])


def test_the_picture_has_every_system_and_its_figures() -> None:
    drawn = atlas.draw(summary.Many([legs.Walked(leg, "1") for leg in legs.LEGS], systems.SYSTEMS), 3)
    for one in systems.SYSTEMS:
        assert one.title[0] in drawn and one.speaks[0] in drawn
    assert "收件 6 · 办理 0" in drawn and "收件 0 · 办理 4" in drawn


@pytest.mark.long
@pytest.mark.processes
def test_five_adapters_in_one_demo(tmp_path: Path) -> None:
    done = demo("--platforms", "all", "--cases", "2", "--pdf-bytes", "65536", "--dir", tmp_path / "d", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    said = last(done)
    assert {one["family"] for one in said["platforms"]} == FIVE and all(one["ok"] for one in said["platforms"])
    both = {one["id"] for one in said["platforms"] if one["collected"] and one["handled"]}
    assert both == {"police", "medical", "files"}
    assert sum(one["handled"] for one in said["platforms"]) == 2 + len(legs.LEGS)
    page = (tmp_path / "d" / "story.html").read_text("utf-8")
    section = page[page.index('id="systems"') : page.index('id="permit"')]
    assert section.count('class="way"') == len(legs.LEGS) and 'class="no">✗' not in section
