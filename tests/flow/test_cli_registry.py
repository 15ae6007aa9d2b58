"""``tongban registry`` as keepers and operators use it: made, signed by two of three, imported, a partner added from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from gateway import config
from gateway.cli import root as command
from gateway.demo import world
from tests.flow.nodes import Window, running, until
from tests.flow.resting import Rest, really, run, told
from tests.flow.test_cli_peers import lonely


def tongban(*words: object, code: int = 0) -> Any:
    result = CliRunner(env={"LANG": "zh_CN.UTF-8"}).invoke(command, [str(one) for one in (*words, "--json")])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout.splitlines()[-1]) if code < 64 else result.output


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """Keys of three keepers, as ``sm keygen`` makes them."""
    folder = tmp_path / "office"
    folder.mkdir()
    for name in "甲乙丙":
        tongban("sm", "keygen", "--out", folder / f"{name}.pem", "--pub", folder / f"{name}.pub", "--no-passphrase")
    return folder


def listed(office: Path, rest: Rest, *more: object) -> Path:
    keepers = [word for name in "甲乙丙" for word in ("--keeper", f"{name}={office / f'{name}.pub'}")]
    cards = ["--card", rest.a / "card.json", "--card", rest.b / "card.json"]
    tongban(
        "registry", "new", "--name", "试验名册", "--threshold", 2, *keepers, *cards, "-o", office / "r0", *more, code=1
    )
    return office / "r0"


def signed(office: Path, file: Path, names: str = "甲丙") -> Path:
    for number, name in enumerate(names):
        out = office / f"{file.name}.{name}"
        tongban("registry", "sign", file, "--key", office / f"{name}.pem", "-o", out, code=int(number + 1 < 2))
        file = out
    return file


def test_two_of_three_keepers_sign_and_a_partner_is_added_without_another_fingerprint(rest: Rest, office: Path) -> None:
    file = signed(office, listed(office, rest))
    shown = tongban("registry", "show", file)
    assert shown["signed_by"] == ["甲", "丙"] and shown["standing"] == "good" and len(shown["parties"]) == 2
    folder, fingerprint = lonely(rest)
    assert told(folder, "registry", "import", file, exit_code=1)["code"] == "registry-first"
    assert told(folder, "registry", "import", file, "--fingerprint", "0" * 32, exit_code=1)["code"] == "keepers"
    spoken = " ".join(shown["fingerprint"][n : n + 4].upper() for n in range(0, 32, 4))
    told(folder, "registry", "import", file, "--fingerprint", spoken)
    told(folder, "peer", "add", "360113", "--registry", "--url", "https://b.example")
    peer = config.load(folder / "tongban.toml").peer[0]
    assert peer.registry and peer.fingerprint == fingerprint
    assert told(folder, "config", "check")["peers"] == 1


def test_the_next_version_follows_and_the_one_before_does_not_come_back(rest: Rest, office: Path) -> None:
    first = signed(office, listed(office, rest))
    told(rest.a, "registry", "import", first, "--fingerprint", tongban("registry", "show", first)["fingerprint"])
    tongban("registry", "new", "--after", first, "-o", office / "r1", code=1)
    assert told(rest.a, "registry", "import", office / "r1", exit_code=1)["code"] == "registry-threshold"
    second = signed(office, office / "r1", "乙丙")
    assert told(rest.a, "registry", "import", second)["version"] == 2
    assert told(rest.a, "registry", "import", first, exit_code=1)["code"] == "registry-rollback"


def test_what_is_no_registry_ends_with_65_and_a_changed_file_is_not_believed(rest: Rest, office: Path) -> None:
    file = signed(office, listed(office, rest))
    (office / "junk").write_bytes(b"\x00\xff{")
    for verb in ("show", "sign"):
        more = ("--key", office / "甲.pem", "-o", office / "x") if verb == "sign" else ()
        tongban("registry", verb, office / "junk", *more, code=65)
    tongban("sm", "keygen", "--out", office / "丁.pem", "--pub", office / "丁.pub", "--no-passphrase")
    tongban("registry", "sign", file, "--key", office / "丁.pem", "-o", office / "x", code=65)
    told(rest.a, "registry", "import", file, "--fingerprint", tongban("registry", "show", file)["fingerprint"])
    held = rest.a / "registry.json"
    kept = json.loads(held.read_bytes())
    held.write_bytes(json.dumps(kept | {"keepers": "0" * 32}).encode())
    assert run(rest.a, "peer", "add", "360113", "--registry").exit_code == 65
    assert really("peer", "add", "360113", "--config", rest.a / "tongban.toml").returncode == 64


async def test_a_partner_that_rests_on_the_registry_is_refused_while_it_is_left_out(
    office: Path, places: world.World, session: aiohttp.ClientSession
) -> None:
    """No restart: the running gateway sees the list that was imported."""
    rest = Rest(places.a.folder, places.b.folder, "", "")
    first = signed(office, listed(office, rest))
    told(rest.a, "registry", "import", first, "--fingerprint", tongban("registry", "show", first)["fingerprint"])
    text = places.a.config.read_text()
    places.a.config.write_text(text.replace("[[peer]]\n", "[[peer]]\nregistry = true\n", 1))
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        assert (await window.hand_in(window.papers())).status == 200
        await until(lambda: b.one("SELECT count(*) FROM case_file") == 1)
        left_out = b.node.config.node.party
        tongban("registry", "new", "--after", first, "--without", left_out, "-o", office / "r1", code=1)
        second = signed(office, office / "r1")
        told(rest.a, "registry", "import", second)
        assert (await window.hand_in(window.papers())).status == 200
        await until(lambda: a.one("SELECT count(*) FROM destination WHERE cause = 'TB-2019'") == 1)
        assert "360113" in next(row for row in rows(rest.a) if row["name"] == "registry")["detail"]
        tongban("registry", "new", "--after", second, "--card", rest.b / "card.json", "-o", office / "r2", code=1)
        told(rest.a, "registry", "import", signed(office, office / "r2"))
        await until(lambda: b.one("SELECT count(*) FROM case_file") == 2)
        (rest.a / "registry.json").write_bytes(b"{")
        assert (await window.hand_in(window.papers())).status == 200, "a damaged list is no error of the window's"
        await until(lambda: a.one("SELECT count(*) FROM destination WHERE cause = 'TB-2019'") == 1)


def rows(folder: Path) -> list[dict[str, Any]]:
    result = run(folder, "doctor", "--json")
    found: list[dict[str, Any]] = json.loads(result.output.splitlines()[-1])["checks"]
    return found
