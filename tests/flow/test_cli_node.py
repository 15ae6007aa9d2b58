"""``tongban config``, ``doctor`` and ``db`` on real nodes, and every command's answer to what cannot be read."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import config
from gateway.ops.doctor import examine
from gateway.ops.patient import Patient
from gateway.store import schema
from tests.flow import walks
from tests.flow.resting import WALKED, Rest, ask, edit, really, run, store, told

NEEDS_PASSPHRASE = [
    ("case", "why", WALKED), ("case", "list", "--id-number", "1"), ("evidence", "export", WALKED, "-o", "x"),
    ("case", "show", WALKED, "--reveal", "--reason", "核查核查"),
]  # fmt: skip
NEEDS_STORE = [
    ("case", "list"), ("case", "show", "x"), ("msg", "list"), ("msg", "show", "x"), ("msg", "resend", "x"), ("peer", "list"),
    ("peer", "resume", "360113"), ("deadletter", "list"), ("deadletter", "show", "x"),
    ("db", "backup", "-o", "unused"), ("evidence", "export", "x", "-o", "unused"),
]  # fmt: skip
NEEDS_NODE = (
    "deadletter",
    "resolve",
    "x",
    "--there",
    "--reason",
    "y",
)  # asks the running node, and does not look itself


def change(folder: Path, old: str, new: str) -> None:
    file = folder / "tongban.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.mark.parametrize("listener", ["exchange", "admin"])
def test_a_taken_port_is_65_with_the_listener_named_and_nothing_stays_open(listener: str, rest: Rest) -> None:
    """The first to be opened and the last; what stays open tells of it when it is collected."""
    address = getattr(config.load(rest.a / "tongban.toml").listen, listener)
    with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))):
        result = really("serve", "--config", rest.a / "tongban.toml")
    assert result.returncode == 65 and f"listen.{listener}" in result.stderr
    assert "Traceback" not in result.stderr and "nclosed" not in result.stderr


# --- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [*NEEDS_STORE, NEEDS_NODE, ("doctor",), ("peer", "ping", "360113"), ("db", "upgrade")]
)
def test_no_configuration_is_65_with_the_file_named(command: tuple[str, ...], tmp_path: Path) -> None:
    result = run(tmp_path, *command)
    assert result.exit_code == 65
    assert "tongban.toml" in result.output and "Traceback" not in result.output


@pytest.mark.parametrize("text", [b"\xff\xfe", b"[node", b"[node]\nparty = 1\n", b"x = 1\n"])
def test_a_broken_configuration_is_65(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "tongban.toml").write_bytes(text)
    assert run(tmp_path, "case", "list").exit_code == 65


@pytest.mark.parametrize("command", NEEDS_STORE)
def test_a_missing_store_is_65(command: tuple[str, ...], rest: Rest) -> None:
    store(rest.a).unlink()
    result = run(rest.a, *command)
    assert result.exit_code == 65 and "数据库" in result.output
    assert not Path("unused").exists()


@pytest.mark.parametrize("command", NEEDS_STORE[:8])
def test_a_store_of_garbage_is_65(command: tuple[str, ...], rest: Rest) -> None:
    store(rest.a).write_bytes(b"not a database" * 999)
    assert run(rest.a, *command).exit_code == 65


@pytest.mark.parametrize("command", NEEDS_PASSPHRASE)
def test_a_wrong_passphrase_is_65_and_shows_nothing(command: tuple[str, ...], rest: Rest) -> None:
    (rest.a / "keys" / "passphrase").write_text("wrong\n")
    result = run(rest.a, *command)
    assert result.exit_code == 65 and walks.NAME not in result.output
    assert run(rest.a, "case", "show", WALKED).exit_code == 0, "what needs no key is still shown"


def test_L10_a_key_that_others_may_read_is_refused(rest: Rest) -> None:
    (rest.a / "keys" / "vault.key").chmod(0o644)
    assert run(rest.a, "case", "why", WALKED).exit_code == 65


# --- config -----------------------------------------------------------------------------------------------------------


def test_config_check_says_yes_no_or_unreadable(rest: Rest) -> None:
    assert told(rest.a, "config", "check")["agreements"] == 1
    change(rest.a, "lab = true", "labb = true")
    found = told(rest.a, "config", "check", exit_code=1)
    assert "lab" in found["text"] and "是否想写" in found["text"]
    (rest.a / "tongban.toml").write_text("[node")
    assert run(rest.a, "config", "check").exit_code == 65


def test_config_check_finds_a_partner_whose_card_is_not_the_confirmed_one(rest: Rest) -> None:
    shutil.copy(rest.a / "card.json", rest.a / "peer.card.json")
    assert "peer.card.json" in told(rest.a, "config", "check", exit_code=1)["where"]


def test_every_setting_has_its_origin_and_no_secret_is_shown(rest: Rest) -> None:
    document = json.loads(json.dumps(config.load(rest.b / "tongban.toml").platform[0].licence))
    result = run(rest.b, "config", "show", "--effective", "--json", TONGBAN_SM2_PROVIDER="libcrypto:")
    found = {one["key"]: one for one in json.loads(result.output)["settings"]}
    assert found["node.lab"]["origin"] == "file" and found["delivery.attempts"]["origin"] == "default"
    assert found["keys.provider"]["origin"] == "TONGBAN_SM2_PROVIDER"
    assert found["keys.passphrase"]["value"] == {"file": "keys/passphrase"}
    assert found["platform[0].licence"]["value"] == found["platform[0].our_licence"]["value"] == "***"
    assert document not in result.output and (rest.b / "keys" / "passphrase").read_text().strip() not in result.output
    change(rest.b, f'url = "{config.load(rest.b / "tongban.toml").peer[0].url}"', 'url = "http://u:geheim@h:1"')
    assert "geheim" not in run(rest.b, "config", "show").output


def test_show_without_effective_says_only_what_the_file_says(rest: Rest) -> None:
    keys = {one["key"] for one in told(rest.a, "config", "show")["settings"]}
    assert "node.party" in keys and "delivery.attempts" not in keys


# --- doctor -----------------------------------------------------------------------------------------------------------


def checks(folder: Path, at: datetime | None = None, **how: bool) -> dict[str, Any]:
    settings = config.load(folder / "tongban.toml")
    found = examine(Patient(settings, folder, at or datetime.now(UTC)), **{"outside": False, **how})
    by_name: dict[str, Any] = {}
    for check in found:
        before = by_name.get(check.name)
        by_name[check.name] = check if before is None or before.level == "ok" else before
    return by_name


def test_a_sound_node_passes_and_software_keys_are_called_so(rest: Rest) -> None:
    found = told(rest.a, "doctor", "--offline")["checks"]
    assert all(set(one) >= {"name", "ok", "detail", "fix"} for one in found)
    assert {one["ok"] for one in found} == {True}
    assert "软件密钥" in next(one["detail"] for one in found if one["name"] == "signers")
    assert "software keys" in run(rest.a, "doctor", "--offline", lang="en_US.UTF-8").output


def test_agreements_name_each_party_and_who_has_not_signed(rest: Rest) -> None:
    name = "agreement TB-420104-360113 v1"
    assert checks(rest.a)[name].zh.count("✓") == 2
    file = rest.a / "agreement.toml"
    file.write_bytes(file.read_bytes().rstrip(b"\n").rpartition(b"\n")[0] + b"\n")
    check = checks(rest.a)[name]
    assert check.level == "fail" and "✓" in check.zh and "✗" in check.zh
    change(rest.a, '[[agreement]]\nfile = "agreement.toml"', "")
    assert checks(rest.a)["agreements"].level == "fail"


@pytest.mark.parametrize(
    ("days", "name", "level"),
    [
        (5 * 365, "agreement TB-420104-360113 v1", "fail"), (11 * 365, "certificates", "fail"),
        (3630, "certificates", "warn"), (3630, "stamper", "warn"), (11 * 365, "stamper", "fail"), (-3, "certificates", "fail"),
        (-3, "clock", "fail"), (400, "calendar", "fail"),
    ],
)  # fmt: skip
def test_what_runs_out_warns_before_and_fails_after(rest: Rest, days: int, name: str, level: str) -> None:
    check = checks(rest.a, datetime.now(UTC) + timedelta(days=days))[name]
    assert (check.level, bool(check.fix_zh)) == (level, True)


def test_laboratory_trust_and_a_seal_key_at_hand_fail_outside_the_laboratory(rest: Rest) -> None:
    change(rest.a, "lab = true", "lab = false")
    found = checks(rest.a)
    assert found["lab"].level == found["stamper"].level == "fail"
    assert found["signers"].level == "warn" and "密评" in found["signers"].fix_zh
    assert "GM/T 0018" in found["signers"].fix_en


@pytest.mark.parametrize(
    ("uri", "more", "lab", "level"),
    [
        ("", "", "false", "warn"), ("", "", "true", "ok"),
        ("external:https://stamps.invalid", "", "false", "fail"),
        ("external:https://stamps.invalid", '[stamp.external]\nseal_id = "1"\nauth = "none"\n', "false", "warn"),
        ("external:http://stamps.invalid", '[stamp.external]\nseal_id = "1"\n', "false", "warn"),
        ("external:https://stamps.invalid", '[stamp.external]\nseal_id = "1"\n', "false", "ok"),
    ],
)  # fmt: skip
def test_a_production_node_without_a_seal_system_is_told_so(
    rest: Rest, uri: str, more: str, lab: str, level: str
) -> None:
    change(rest.a, 'uri = "local:"', f'uri = "{uri}"')
    change(rest.a, 'key = "seal"\n', f'key = "seal"\n{more}')
    change(rest.a, "lab = true", f"lab = {lab}")
    found = checks(rest.a)["stamper"]
    assert found.level == level
    if level == "warn" and not uri:
        assert "external:" in found.fix_zh


@pytest.mark.parametrize(
    ("days", "use", "level"), [(30, "direct", "ok"), (1, "direct", "warn"), (-1, "direct", "fail"), (30, "checkpoint", "fail")]
)  # fmt: skip
def test_a_list_of_withdrawn_seals_is_looked_at(rest: Rest, days: int, use: str, level: str) -> None:
    from gateway.cli.node import open_node
    from gateway.exchange import withdrawn

    issuer, now = open_node(str(rest.b / "tongban.toml")), int(time.time() * 1000)
    listed = withdrawn.SealList(
        party=issuer.config.node.party, number=1, issued_ms=now, next_ms=now + days * 86_400_000
    )
    (rest.a / "b.seals").write_bytes(withdrawn.sign(listed, issuer.ring.signer(use)))
    change(rest.a, "[[peer]]\n", '[[peer]]\nseals_withdrawn = "b.seals"\n')
    assert checks(rest.a)[f"withdrawn seals {listed.party}"].level == level


def test_key_files_open_only_with_right_mode_and_passphrase(rest: Rest) -> None:
    (rest.a / "keys" / "direct.pem").chmod(0o640)
    assert checks(rest.a)["keys"].level == "fail"
    (rest.a / "keys" / "direct.pem").chmod(0o600)
    (rest.a / "keys").chmod(0o777)
    assert checks(rest.a)["keys"].level == "fail"
    (rest.a / "keys").chmod(0o700)
    (rest.a / "keys" / "passphrase").write_text("wrong")
    found = checks(rest.a)
    assert found["keys"].level == "fail" and found["disk"].level == "ok", "one failed check hides no other"


def test_a_private_identity_key_is_not_needed_and_better_elsewhere(rest: Rest) -> None:
    change(rest.a, "lab = true", "lab = false")
    assert checks(rest.a)["keys"].level == "warn"
    (rest.a / "keys" / "identity.pem").unlink()
    found = checks(rest.a)
    assert found["keys"].level == found["card"].level == found["ledger"].level == "ok"


def test_a_ledger_that_is_not_what_was_signed_fails(rest: Rest) -> None:
    edit(rest.a, "UPDATE node SET hash = zeroblob(32) WHERE level = (SELECT max(level) FROM node) AND idx = 0")
    assert checks(rest.a)["ledger"].level == "fail"
    edit(rest.b, "DELETE FROM leaf WHERE idx = (SELECT max(idx) FROM leaf)")
    assert checks(rest.b)["ledger"].level == "fail"


def test_a_damaged_or_older_store_fails(rest: Rest) -> None:
    edit(rest.a, "UPDATE alembic_version SET version_num = '0000'")
    assert checks(rest.a)["store schema"].level == "fail"
    data = bytearray(store(rest.b).read_bytes())
    data[8192:12288] = b"\xa5" * 4096
    store(rest.b).write_bytes(bytes(data))
    assert checks(rest.b)["store integrity"].level == "fail"


def test_the_outbox_tells_what_waits_for_a_person_and_what_is_old(rest: Rest) -> None:
    assert checks(rest.a)["outbox"].level == "ok"
    assert checks(rest.a, datetime.now(UTC) + timedelta(hours=3))["outbox"].level == "warn"
    edit(rest.a, "UPDATE delivery SET state = 'parked' WHERE state = 'queued'")
    assert checks(rest.a)["outbox"].level == "fail"


def test_partners_platforms_and_the_gateway_itself_are_asked(rest: Rest) -> None:
    edit(rest.a, "UPDATE peer SET state = 'paused'")
    found = {one["name"]: one for one in told(rest.a, "doctor", "--quick", exit_code=1)["checks"]}
    assert found["platform window"]["ok"] is False and "store integrity" not in found
    assert found["process"]["level"] == "warn"
    assert found["peer 360113.11360113000000000Q"]["ok"] is False


async def test_a_running_pair_is_reachable(tmp_path: Path) -> None:
    async with walks.running(tmp_path / "w") as pair:
        found = await asyncio.to_thread(checks, pair.world.a.folder, outside=True)
    assert found["peer 360113.11360113000000000Q"].level == found["process"].level == "ok"
    assert found["store durability"].level == "ok"


# --- db ---------------------------------------------------------------------------------------------------------------


def test_upgrade_makes_a_store_and_refuses_a_newer_one(rest: Rest) -> None:
    assert told(rest.a, "db", "upgrade")["revision"] == schema.HEAD
    edit(rest.a, "UPDATE alembic_version SET version_num = '9999'")
    assert told(rest.a, "db", "upgrade", exit_code=1)["code"] == "newer-schema"
    store(rest.b).unlink()
    assert told(rest.b, "db", "upgrade") == {"ok": True, "before": "", "revision": schema.HEAD}


def test_a_backup_restores_a_lost_store_whole(rest: Rest, tmp_path: Path) -> None:
    made = told(rest.a, "db", "backup", "-o", tmp_path / "b")
    before = ask(rest.a, "SELECT * FROM leaf"), told(rest.a, "case", "show", WALKED)
    shutil.rmtree(rest.a / "data")
    assert told(rest.a, "db", "restore", tmp_path / "b")["size"] == made["size"]
    assert (ask(rest.a, "SELECT * FROM leaf"), told(rest.a, "case", "show", WALKED)) == before
    assert told(rest.a, "evidence", "export", WALKED, "-o", tmp_path / "e")["case"] == rest.walked
    assert really("evidence", "verify", tmp_path / "e").returncode == 0
    again = really("db", "backup", "-o", tmp_path / "b", "--config", rest.a / "tongban.toml")
    assert again.returncode == 64, "a backup is never written over another"


def test_a_restore_never_takes_a_ledger_back(rest: Rest, tmp_path: Path) -> None:
    told(rest.a, "db", "backup", "-o", tmp_path / "old")
    text = "tongban/v1/checkpoint\n420104.11420104000000000X/1\n9999\n" + "0" * 64 + "\n9\n"
    edit(rest.a, "INSERT INTO checkpoint (size, time_ms, text, key, signature) VALUES (9999, 9, ?, 'k', x'00')", text)
    assert told(rest.a, "db", "restore", tmp_path / "old", exit_code=1)["code"] == "newer-store"
    assert ask(rest.a, "SELECT max(size) FROM checkpoint") == [(9999,)]


@pytest.mark.parametrize("what", ["altered", "not-a-backup", "other-node"])
def test_a_restore_takes_only_this_nodes_own_unchanged_backup(rest: Rest, tmp_path: Path, what: str) -> None:
    told(rest.a, "db", "backup", "-o", tmp_path / "b")
    node = rest.b if what == "other-node" else rest.a
    if what == "altered":
        with (tmp_path / "b" / "gateway.db").open("r+b") as file:
            file.write(b"x")
    elif what == "not-a-backup":
        (tmp_path / "b" / "backup.json").write_text("{}")
    before = store(node).read_bytes()
    if what == "not-a-backup":
        assert run(node, "db", "restore", tmp_path / "b").exit_code == 65
    else:
        assert told(node, "db", "restore", tmp_path / "b", exit_code=1)["code"] == what
    assert store(node).read_bytes() == before


async def test_a_backup_is_taken_while_the_gateway_works_and_not_put_back_under_it(tmp_path: Path) -> None:
    async with walks.running(tmp_path / "w") as pair:
        folder = pair.world.a.folder
        walk = asyncio.create_task(walks.walk(pair, WALKED))
        made = [await asyncio.to_thread(told, folder, "db", "backup", "-o", tmp_path / f"b{n}") for n in range(3)]
        await walk
        assert [one["size"] for one in made] == sorted(one["size"] for one in made)
        refused = await asyncio.to_thread(told, folder, "db", "restore", tmp_path / "b2", exit_code=1)
        assert refused["code"] == "in-use"
        edit(folder, "UPDATE alembic_version SET version_num = '0000'")
        assert (await asyncio.to_thread(told, folder, "db", "upgrade", exit_code=1))["code"] == "in-use"
        edit(folder, "UPDATE alembic_version SET version_num = '0001'")


def test_a_backup_of_a_damaged_store_says_so(rest: Rest, tmp_path: Path) -> None:
    edit(rest.a, "UPDATE node SET hash = zeroblob(32)")
    assert told(rest.a, "db", "backup", "-o", tmp_path / "b", exit_code=1)["code"] == "damaged"
    assert not (tmp_path / "b" / "backup.json").exists()
