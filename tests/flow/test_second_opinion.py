"""``keys.second_opinion``: off by default, asked about stamps alone, and refused at the start when it cannot be had."""

from __future__ import annotations

import re

import pytest

from gateway import config
from gateway.config import ConfigError
from gateway.demo import world
from gateway.ops import doctor, reach_checks
from signing.providers.watched import SecondOpinion
from tests.flow.nodes import running


def set_opinion(side: world.Side, uri: str) -> None:
    path = side.folder / "tongban.toml"
    path.write_text(re.sub(r"^\[keys\]$", f'[keys]\nsecond_opinion = "{uri}"', path.read_text(), flags=re.MULTILINE))


async def test_nobody_is_asked_unless_it_is_set(places: world.World) -> None:
    async with running(places.a, deliver=False) as (a,):
        assert not isinstance(a.node.desk.stamps.provider, SecondOpinion)


async def test_gmssl_is_asked_about_stamps_and_shown_by_the_doctor(places: world.World) -> None:
    set_opinion(places.a, "gmssl:")
    async with running(places.a, deliver=False) as (a,):
        assert isinstance(a.node.desk.stamps.provider, SecondOpinion)
    from datetime import UTC, datetime

    settings = config.load(places.a.folder / "tongban.toml")
    patient = doctor.Patient(settings, places.a.folder, datetime.now(UTC))
    found = {check.name: check for check in doctor.examine(patient, deep=False, outside=False)}
    assert "gmssl" in found["second opinion"].en


async def test_one_that_cannot_be_had_stops_the_start(places: world.World) -> None:
    set_opinion(places.a, "gmsl:")
    with pytest.raises(ConfigError, match=r"keys\.second_opinion"):
        async with running(places.a, deliver=False):
            pass


def test_the_doctor_names_the_alarms_of_the_running_gateway() -> None:
    figures = b'# TYPE x\ntongban_alarms_total{name="second-opinion"} 2.0\ntongban_alarms_total{name="new"} 1.0\n'
    (found,) = reach_checks._alarms(figures)
    assert (found.name, found.level) == ("alarm second-opinion", "fail")
    assert "2 次" in found.zh and "2 times" in found.en and found.fix_zh
    assert not list(reach_checks._alarms(b""))
