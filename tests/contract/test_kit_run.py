"""``kit run`` against the platforms that stand alone: each keeps all that its profile promises."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from adapters import samples
from adapters.kit.run import plan
from adapters.kit.score import overall
from adapters.registry import read_profile
from gateway.cli.profile_files import bundled, load
from gateway.demo import world
from tests.contract.kit_support import OURS, THEIRS, failures, partner, scored
from tests.contract.platform_support import sim
from tests.contract.test_package_foreign_platform import FORMS
from tests.unit.adapters.support import LICENCE, OUR_LICENCE, OUR_UNIT, PROFILES, UNIT

sys.path.insert(0, str(Path(world.__file__).parent / "platforms"))
import collection
import file_hall
import front_hall

NOBODY = "http://127.0.0.1:9"
CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "qiaokou": (
        "",
        {
            "gateway": NOBODY, "app_id": "qk-window", "private_key": f"{THEIRS.d:064x}", "pdf_bytes": 1000,
            "gateway_public_key": OURS.public.point.hex(),
        },
    ),
    "honggutan": (
        "/soap",
        {
            "gateway": NOBODY, "unit": UNIT, "licence": LICENCE, "gateway_unit": OUR_UNIT, "gateway_licence": OUR_LICENCE,
            "xsd": str(PROFILES / "honggutan.xsd"),
        },
    ),
    "gongan": ("/soap", {"gateway": NOBODY, "licence": LICENCE, "gateway_licence": OUR_LICENCE, "step_ms": 5}),
    "guangzhou": ("", {"token": OUR_LICENCE, "step_ms": 1, "lease_s": 0.2}),
    "changsha": ("/tongban/events", {"gateway_public_key": OURS.public.point.hex()}),
}  # fmt: skip


@pytest.mark.processes
@pytest.mark.parametrize("profile", CONFIGS)
async def test_a_simulated_platform_keeps_what_its_profile_promises(profile: str, tmp_path: Path) -> None:
    path, config = CONFIGS[profile]
    config = config | {"listen": "127.0.0.1:0", "control": "127.0.0.1:0", "database": str(tmp_path / "p.db")}
    async with aiohttp.ClientSession() as session, sim(f"{profile}.py", config, tmp_path, session) as started:
        about: dict[str, Any] = {}
        if profile == "qiaokou":  # a window is told of its own cases only
            [about["case_number"]] = (await started.post("/sim/cases", count=1))["cases"]
        if profile == "gongan":
            body = msgspec.structs.replace(samples.body("application"), form=FORMS["QC"], materials=[])
            about["bodies"] = {"application": body}
        ran = await scored(partner(profile, started.url + path, about=about, addresses=("127.0.0.1",)))
    assert failures(ran) == []
    assert overall([one.result for one in ran]) is True
    verdicts = {one.result.name: one.result.said.verdict for one in ran}
    assert sum(one == "pass" for one in verdicts.values()) >= 8, verdicts


async def test_a_collector_of_case_data_keeps_what_its_profile_promises(tmp_path: Path) -> None:
    """It is told reports, one of each event, and makes no calls."""
    collection.Collection(str(tmp_path / "c.db"))
    ran = await scored(partner("national", f"sqlite://{tmp_path / 'c.db'}"))
    assert failures(ran) == []
    assert {"ask_unknown", "out.report.accept", "out.report.decide_deny"} <= {one.result.name for one in ran}


@pytest.mark.parametrize("profile", [name for name in bundled() if name not in ("changsha", "national")])
def test_every_profile_of_the_package_can_be_tried(profile: str) -> None:
    """An alias too: it is opened with what it leans on."""
    files = load(profile)
    family = read_profile(files.toml, files.beside)["family"]
    url = {"front_db": "sqlite:////nowhere", "file_drop": "file:///nowhere"}.get(family, NOBODY)
    secrets = dict.fromkeys(("secret", "body_key", "token", "their_token"), b"5a" * 16)
    one = partner("qiaokou", url, about={"secrets": secrets})
    steps = plan(replace(one, profile=files.toml, beside=files.beside).open())
    assert steps[0].name == "good" and len(steps) >= 7


async def test_a_front_database_keeps_what_its_profile_promises(tmp_path: Path) -> None:
    front_hall.Hall(str(tmp_path / "front.db"))
    ran = await scored(partner("fujian_front", f"sqlite://{tmp_path / 'front.db'}"))
    assert failures(ran) == []
    assert len(ran) == 7


async def test_a_shared_folder_keeps_what_its_profile_promises(tmp_path: Path) -> None:
    file_hall.Hall(tmp_path)
    ran = await scored(partner("hanzhong_files", f"file://{tmp_path}"))
    assert failures(ran) == []
    assert len(ran) == 16


async def test_where_nobody_is_nothing_can_be_told() -> None:
    ran = await scored(partner("qiaokou", NOBODY))
    assert [one.result.said.verdict for one in ran] == ["unknown"]
    assert overall([one.result for one in ran]) is None
