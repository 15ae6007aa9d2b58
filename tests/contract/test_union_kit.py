"""The conformance run of the family: both simulated platforms keep what their profiles promise, step by step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.kit.behaviour import Switch
from adapters.kit.cast import Cast
from adapters.kit.mask import Mask
from adapters.kit.play import Play
from adapters.registry import PlatformSettings
from gateway.cli import root
from signing.sm2 import Signer
from tests.contract.kit_support import now_ms, partner, verdicts
from tests.contract.union_support import SECRETS, THEIRS, standing
from tests.unit.adapters.support import PROFILES, PROVIDER, RESOURCES

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("as_the_command_runs")]


@pytest.mark.parametrize(
    ("profile", "script", "steps"), [("zhengzhou", "union_city.py", 25), ("nanchang", "union_province.py", 23)]
)
def test_a_simulated_platform_passes_the_conformance_run(profile: str, script: str, steps: int, tmp_path: Path) -> None:
    for name, word in SECRETS.items():
        (tmp_path / name).write_bytes(word)
    settings = tmp_path / "platform.toml"
    with standing(script, tmp_path, idle=True, gateway="http://127.0.0.1:9", gateway_token=THEIRS) as ready:
        settings.write_text(
            f'id = "city"\nprofile = "{profile}"\nbase_url = "http://127.0.0.1:{ready["port"]}"\n'
            'secrets = { token = { file = "token" }, their_token = { file = "their_token" } }\n'
        )
        done = CliRunner().invoke(root, ["kit", "run", "--profile", profile, "--settings", str(settings), "--json"])
    told = json.loads(done.output.splitlines()[-1])
    assert done.exit_code == 0, told
    assert len(told["steps"]) == steps


def play(profile: str, behaviour: str = "good", gateway: str = "", own: str = "city") -> Play:
    settings = PlatformSettings(id=own, profile=profile, base_url="http://127.0.0.1:9")
    key = Signer(PROVIDER, PROVIDER.generate())
    text = (PROFILES / f"{profile}.toml").read_bytes()
    cast = Cast(settings, text, RESOURCES, PROVIDER, key, "", gateway, now_ms, Mask(), secrets=SECRETS)
    return Play(cast, Switch(behaviour))


NEEDED = {"good", "repeat", "ask", "lost_answer", "pace"}
FAILS: list[tuple[str, str, set[str]]] = [
    ("zhengzhou", "good", set()), ("nanchang", "good", set()), ("zhengzhou", "half-migrated", {"ask", "ask_unknown"}),
    ("zhengzhou", "500s", NEEDED | {"ask_unknown", "unknown_field", "cut_off", "wrong_encoding", "oversized", "wrong_credential"}),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "behaviour", "fails"), FAILS)
async def test_the_family_is_played_and_a_misbehaviour_fails_what_it_should(
    profile: str, behaviour: str, fails: set[str]
) -> None:
    made = play(profile, behaviour)
    port, _ = await made.start()
    try:
        about = (("secrets", SECRETS),)
        wanted = [*NEEDED, "ask_unknown", "unknown_field", "cut_off", "wrong_encoding", "oversized", "wrong_credential"]
        found = await verdicts(partner(profile, f"http://127.0.0.1:{port}", about=about), *wanted, "out")
    finally:
        await made.stop()
    steps = {name: verdict for name, verdict in found.items() if behaviour == "good" or not name.startswith("out.")}
    assert {name for name, verdict in steps.items() if verdict != "pass"} == fails
    assert made.cast.desk.kept or behaviour == "500s"
    read = {one.type for one in made.cast.desk.kept if one.body is not None}
    assert behaviour == "500s" or read >= {"acceptance", "withdrawal"}, (
        "what is read can be masked; the rest is not written down"
    )
