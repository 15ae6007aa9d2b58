"""docs/howto/run-a-node.md as it stands: two nodes from empty folders to a signed agreement and a case, by commands alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway import compose, config
from gateway.cli import root as command
from gateway.demo.world import free_ports
from gateway.service import listen
from tests.flow.resting import told

PLACES = {"a": "420104", "b": "360113"}


def run(*arguments: object) -> str:
    words = [str(one) for one in arguments]
    result = CliRunner(env={"LANG": "zh_CN.UTF-8"}).invoke(command, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def pair(tmp_path: Path) -> dict[str, Path]:
    folders = {name: tmp_path / name for name in PLACES}
    for name, folder in folders.items():
        exchange, platform, admin = (f"127.0.0.1:{port}" for port in free_ports(3))
        run(
            "init",
            folder,
            "--lab",
            "--id",
            PLACES[name],
            "--exchange",
            exchange,
            "--platform",
            platform,
            "--admin",
            admin,
        )
    agreement = tmp_path / "agreement.toml"
    run("agreement", "new", "--sample", "-o", agreement)
    for folder in folders.values():
        run(
            "agreement", "sign", agreement, "--party", config.load(folder / "tongban.toml").node.party,
            "--key", folder / "keys" / "direct.pem", "--cert", folder / "certs" / "direct.der",
            "--passphrase-file", folder / "keys" / "passphrase",
        )  # fmt: skip
    for folder, other in ((folders["a"], folders["b"]), (folders["b"], folders["a"])):
        fingerprint = (other / "fingerprint").read_text()
        told(folder, "peer", "add", other / "card.json", "--fingerprint", fingerprint)
        (folder / "agreement.toml").write_bytes(agreement.read_bytes())
        with (folder / "tongban.toml").open("a") as file:
            file.write('\n[[agreement]]\nfile = "agreement.toml"\n')
    return folders


def test_each_node_checks_itself_good(pair: dict[str, Path]) -> None:
    for folder in pair.values():
        assert told(folder, "config", "check")["peers"] == 1
        found = {check["name"]: check for check in told(folder, "doctor", "--offline")["checks"]}
        assert found["agreement TB-420104-360113 v1"]["detail"].count("✓") == 2


async def test_the_running_partner_is_the_one_that_was_added(pair: dict[str, Path]) -> None:
    node = await compose.build(config.load(pair["b"] / "tongban.toml"), pair["b"])
    runners, _ = await listen(node)
    try:
        found = await asyncio.to_thread(told, pair["a"], "peer", "ping", PLACES["b"])
        assert found["card"] == "same"
    finally:
        for runner in runners:
            await runner.cleanup()
        await node.close()


def test_the_page_names_every_step_that_was_taken(root: Path) -> None:
    page = (root / "docs" / "howto" / "run-a-node.md").read_text("utf-8")
    for step in ("init a --lab", "agreement new", "agreement sign", "peer add", "config check", "doctor", "serve"):
        assert f"tongban {step}" in page
