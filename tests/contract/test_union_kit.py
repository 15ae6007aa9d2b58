"""The conformance run of the family: both simulated platforms keep what their profiles promise, step by step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import root
from tests.contract.union_support import SECRETS, THEIRS, standing

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
