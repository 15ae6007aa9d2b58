"""``tongban key``: a key's whole life by command on a lab node, two persons where it takes two (rows L09, S29)."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from click.testing import CliRunner

from gateway import config, files, lab
from gateway.cli import root as command
from gateway.exchange import card as cards
from gateway.keys import keyring, nextcard
from gateway.ops import key_checks
from gateway.ops.doctor import examine
from gateway.ops.patient import Patient
from signing import certs, custody, issue, keys
from signing.providers import open_provider
from signing.sm2 import Signer
from tests.flow.resting import run, told
from tests.vectors.enveloped import generate as enveloped

PROVIDER = open_provider()
PLACE = lab.Place("420104", "硚口区", "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3")
MISUSED = click.UsageError.exit_code  # 64 once main() has run
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys") / "node"
    lab.build(folder, PLACE, PROVIDER, NOW)
    (folder / "tongban.toml").write_text(lab.config_text(PLACE), "utf-8")
    return folder


@pytest.fixture
def node(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "node"))


def ring(node: Path) -> keyring.Keyring:
    return keyring.open_ring(config.load(node / "tongban.toml"), node)[0]


def issued(node: Path, key: keys.PublicKey, profile: str = "direct", days: int = 30, begin: datetime = NOW) -> Path:
    """A certificate of the lab's CA for a key."""
    old = keyring.Keyring(node / "lab", (node / "keys" / "passphrase").read_bytes().strip(), PROVIDER)
    authority = issue.Authority(old.signer("ca"), certs.parse((node / "certs" / "ca.der").read_bytes()))
    data = issue.build_certificate(
        authority, subject=(("CN", "试验"), ("OU", lab.MARK)), public_key=key, serial=7,
        not_before=begin - timedelta(days=1), not_after=begin + timedelta(days=days), profile=profile,
    )  # fmt: skip
    path = node / f"{profile}-{key.thumbprint[:8]}.pem"
    path.write_bytes(certs.to_pem(data))
    return path


def unsigned(*arguments: object) -> str:
    """A command that needs no node."""
    words = [str(one) for one in arguments]
    result = CliRunner(env={"LANG": "zh_CN.UTF-8"}).invoke(command, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def installed(node: Path) -> Any:
    """Sign the next card as the offline machine would, and bring it back."""
    out = node / "card.signed"
    unsigned(
        "key", "sign-card", node / "card.next.json", "--identity", node / "keys" / "identity.pem",
        "--certificate", node / "certs" / "identity.der", "--passphrase-file", node / "keys" / "passphrase", "-o", out,
    )  # fmt: skip
    return told(node, "key", "install-card", out)


def announced(node: Path, use: str = "direct", *since: str) -> str:
    """A new key of this use on the installed card; its id."""
    key = told(node, "key", "gen", use)["id"]
    request = issue.load_csr(Path(told(node, "key", "csr", key)["request"]).read_bytes())
    assert issue.check_csr(request, PROVIDER) and request.public_key.thumbprint == key
    assert told(node, "key", "import", issued(node, request.public_key, use))["id"] == key
    assert told(node, "key", "announce", key[:8], *since)["state"] == "announced"
    installed(node)
    return str(key)


def states(node: Path, use: str = "direct") -> dict[str, str]:
    return {one["id"]: one["state"] for one in told(node, "key", "list")["keys"] if one["use"] == use}


def refusal(node: Path, *arguments: object) -> str:
    return str(told(node, *arguments, exit_code=1)["code"])


def two_persons(node: Path, *names: str) -> None:
    """Switch the laboratory's one person off and register custodians."""
    file = node / "tongban.toml"
    file.write_text(file.read_text("utf-8").replace("two_persons = false\n", ""), "utf-8")
    for name in names:
        pem(node, name)
        told(node, "key", "custodian", name, "--pub", node / f"{name}.pub")


def pem(node: Path, name: str) -> None:
    unsigned("sm", "keygen", "--out", node / f"{name}.pem", "--pub", node / f"{name}.pub", "--no-passphrase")


def ordered(node: Path, act: str, subject: str, *names: str, more: tuple[object, ...] = ()) -> Path:
    """An order signed by these."""
    file = node / "order.json"
    told(node, "key", "order", act, subject, "--reason", "例行轮换", "-o", file, *more)
    for name in names:
        assert act in json.loads(unsigned("key", "approve", file, "--key", node / f"{name}.pem", "--json"))["act"]
    return file


# --- the life ---------------------------------------------------------------------------------------------------------


def test_L09_a_rotation_from_generated_to_archived(node: Path) -> None:
    old = ring(node).signer("direct").key_id
    new = announced(node)
    assert states(node) == {old: "active", new: "announced"} and ring(node).signer("direct").key_id == old
    assert told(node, "key", "activate", new, "--by", "王敏")["former"] == old
    assert states(node) == {old: "overlap", new: "active"} and ring(node).signer("direct").key_id == new
    assert certs.parse(ring(node).certificate("direct")).public_key == ring(node).signer("direct").public
    assert refusal(node, "key", "activate", old) == "key-move", "there is no way back"
    assert told(node, "key", "retire", old)["state"] == "retired"
    assert {key["id"] for key in installed(node)["keys"] if key["use"] == "direct"} == {new}
    assert told(node, "key", "archive", old, "--reason", "已过保存期")["state"] == "archived"
    assert not (node / "keys" / "direct.pem").exists()
    (listed,) = (one for one in told(node, "key", "list")["keys"] if one["id"] == old)
    assert (listed["kept"], listed["reason"]) == ("elsewhere", "已过保存期")
    found = {check["name"]: check for check in told(node, "doctor", "--offline", exit_code=1)["checks"]}
    assert found["keys"]["level"] == found["card"]["level"] == "ok"


def test_what_the_table_prints_is_for_people(node: Path) -> None:
    text = run(node, "key", "list").output
    assert "在用" in text and "软件" in text and "证书还有" in text
    english = run(node, "key", "list", lang="en_US.UTF-8").output
    assert "active" in english and "software" in english


def test_a_key_that_is_not_on_the_signed_card_is_not_activated(node: Path) -> None:
    key = told(node, "key", "gen", "checkpoint")["id"]
    assert refusal(node, "key", "announce", key) == "key-move"
    told(node, "key", "import", issued(node, public(node, key), "checkpoint"))
    told(node, "key", "announce", key)
    assert refusal(node, "key", "activate", key) == "key-not-on-card"
    installed(node)
    assert told(node, "key", "activate", key)["state"] == "active"


def public(node: Path, key: str) -> keys.PublicKey:
    (entry,) = (one for one in ring(node).entries() if one.id == key)
    return ring(node).load(entry).public


def test_a_key_announced_for_later_waits(node: Path) -> None:
    key = announced(node, "direct", "--since", (NOW + timedelta(hours=2)).isoformat())
    assert refusal(node, "key", "activate", key) == "key-not-yet"
    found = examined(node)
    assert found["card"].level == found[f"key {key[:8]}"].level == "ok" and "起可以启用" in found[f"key {key[:8]}"].zh
    assert "activate" in examined(node, 0.1)[f"key {key[:8]}"].fix_zh


def test_a_partner_that_is_behind_makes_us_ask_twice(node: Path) -> None:
    """Whoever is not known to hold the card is behind."""
    key = announced(node)
    with (node / "tongban.toml").open("a") as file:
        file.write(
            f'\n[[peer]]\nid = "360113.{"1" * 18}"\nurl = "http://b"\ncard = "b.json"\nfingerprint = "{"0" * 32}"\n'
        )
    (node / "b.json").write_bytes((node / "card.json").read_bytes())
    assert refusal(node, "key", "activate", key) == "key-behind"
    assert told(node, "key", "activate", key, "--although-behind")["state"] == "active"


def test_an_encryption_key_in_overlap_is_kept_while_messages_under_it_may_come(node: Path) -> None:
    old = ring(node).signer("encryption").key_id
    new = announced(node, "encryption")
    told(node, "key", "activate", new)
    assert set(ring(node).openers()) == {old, new}
    assert refusal(node, "key", "retire", old) == "key-depends"
    assert told(node, "key", "retire", old, "--although-behind")["state"] == "retired"
    assert set(ring(node).openers()) == {new}


# --- certificates -----------------------------------------------------------------------------------------------------


def test_a_certificate_of_a_foreign_key_of_another_use_or_expired_is_refused(node: Path) -> None:
    key = told(node, "key", "gen", "direct")["id"]
    assert refusal(node, "key", "import", issued(node, PROVIDER.generate().public)) == "key-unknown"
    assert refusal(node, "key", "import", issued(node, public(node, key), "encryption")) == "key-usage"
    long_ago = NOW - timedelta(days=90)
    assert refusal(node, "key", "import", issued(node, public(node, key), begin=long_ago)) == "key-expired"
    garbage = node / "garbage.pem"
    garbage.write_bytes(b"no certificate")
    assert run(node, "key", "import", garbage).exit_code == 65
    assert states(node)[key] == "generated"


def delivered(node: Path, holder: Signer, private: keys.PrivateKey) -> bytes:
    """What a CA would hand over for this holder."""
    d, key = private.d.to_bytes(32, "big"), PROVIDER.random(16)
    wrapped = enveloped.sm2.ciphertext_to_der(PROVIDER.encrypt(holder.public, key))
    return enveloped.sequence(wrapped=wrapped, public=private.public.point, private=enveloped.ecb(d, key))


@pytest.mark.parametrize("form", ["der", "base64"])
def test_S29_the_encryption_key_that_a_ca_delivers(node: Path, form: str) -> None:
    import base64

    private, holder = PROVIDER.generate(), ring(node).signer("direct")
    data = delivered(node, holder, private)
    (node / "key.bin").write_bytes(data if form == "der" else base64.encodebytes(data))
    certificate = issued(node, private.public, "encryption")
    words = ("key", "import", certificate, "--enveloped", node / "key.bin", "--holder")
    assert run(node, *words, ring(node).signer("checkpoint").key_id).exit_code == 65, "sealed to another key"
    other = issued(node, PROVIDER.generate().public, "encryption")
    assert refusal(node, "key", "import", other, *words[3:], holder.key_id) == "key-certificate"
    assert (
        refusal(node, "key", "import", issued(node, private.public, "direct"), *words[3:], holder.key_id) == "key-usage"
    )
    found = told(node, *words, holder.key_id)
    assert (found["id"], found["state"], found["use"]) == (private.public.thumbprint, "certified", "encryption")
    assert refusal(node, *words, holder.key_id) == "key-known"
    assert run(node, *words[:-1]).exit_code == MISUSED


# --- two persons ------------------------------------------------------------------------------------------------------


def test_it_takes_two_custodians_to_revoke(node: Path) -> None:
    two_persons(node, "wang", "li")
    key = ring(node).signer("direct").key_id
    assert refusal(node, "key", "revoke", key, "--reason", "失密") == "key-persons"
    for names in ((), ("wang",), ("wang", "wang")):
        assert refusal(node, "key", "revoke", key, "--order", ordered(node, "revoke", key, *names)) == "key-persons"
    pem(node, "stranger")
    assert (
        refusal(node, "key", "revoke", key, "--order", ordered(node, "revoke", key, "wang", "stranger"))
        == "key-persons"
    )
    order = ordered(node, "revoke", key, "wang", "li")
    other = ring(node).signer("checkpoint").key_id
    assert refusal(node, "key", "revoke", other, "--order", order) == "order-other"
    assert told(node, "key", "revoke", key, "--order", order)["state"] == "revoked"
    (listed,) = (one for one in told(node, "key", "list")["keys"] if one["id"] == key)
    assert listed["by"] == ["li", "wang"] and listed["reason"] == "例行轮换"
    assert refusal(node, "key", "revoke", key, "--order", order) == "key-move", "an order is not for a second time"
    assert key not in {one["id"] for one in msgspec.json.decode((node / "card.next.json").read_bytes())["keys"]}


def test_a_lapsed_order_is_none(node: Path) -> None:
    two_persons(node, "wang", "li")
    key = ring(node).signer("direct").key_id
    order = custody.Order(config.load(node / "tongban.toml").node.party, "revoke", key, "旧", 1000, 2000)
    data = custody.write(order)
    for name in ("wang", "li"):
        private = keys.private_from_pem((node / f"{name}.pem").read_bytes())
        data = custody.sign(custody.read(data)[0], Signer(PROVIDER, private))
    (node / "old.json").write_bytes(data)
    assert refusal(node, "key", "revoke", key, "--order", node / "old.json") == "order-lapsed"
    (node / "old.json").write_bytes(b"{}")
    assert run(node, "key", "revoke", key, "--order", node / "old.json").exit_code == 65


def test_custodians_are_changed_by_two_of_them(node: Path) -> None:
    two_persons(node, "wang", "li")
    pem(node, "zhao")
    assert refusal(node, "key", "custodian", "zhao", "--pub", node / "zhao.pub") == "key-persons"
    order = ordered(node, "appoint", "zhao", "wang", "li", more=("--pub", node / "zhao.pub"))
    pem(node, "mallory")
    assert refusal(node, "key", "custodian", "zhao", "--pub", node / "mallory.pub", "--order", order) == "order-other"
    assert len(told(node, "key", "custodian", "zhao", "--pub", node / "zhao.pub", "--order", order)["custodians"]) == 3
    assert refusal(node, "key", "custodian", "li", "--dismiss") == "key-persons"
    order = ordered(node, "dismiss", "li", "wang", "zhao")
    found = told(node, "key", "custodian", "li", "--dismiss", "--order", order)
    assert [one["name"] for one in found["custodians"]] == ["wang", "zhao"]
    assert refusal(node, "key", "custodian", "nobody", "--dismiss", "--order", order) == "custodian-unknown"
    assert told(node, "key", "custodian") == found


def test_one_person_with_two_names_is_noticed(node: Path) -> None:
    two_persons(node, "wang")
    assert refusal(node, "key", "custodian", "li", "--pub", node / "wang.pub") == "custodian-known"
    for words in (("wang",), ("--pub", node / "wang.pub"), ("wang", "--pub", node / "wang.pub", "--dismiss")):
        assert run(node, "key", "custodian", *words).exit_code == MISUSED


def test_outside_the_laboratory_one_person_is_never_enough(node: Path) -> None:
    file = node / "tongban.toml"
    file.write_text(file.read_text("utf-8").replace("lab = true", "lab = false"), "utf-8")
    key = ring(node).signer("direct").key_id
    assert refusal(node, "key", "revoke", key, "--reason", "失密", "--by", "王敏") == "key-persons"


# --- cards ------------------------------------------------------------------------------------------------------------


def test_C26_a_card_that_is_old_foreign_or_lacks_a_key_in_use_is_not_installed(node: Path, built: Path) -> None:
    key = announced(node)
    before = (node / "card.json").read_bytes()
    assert run(node, "key", "install-card", node / "card.signed").exit_code == 65, "no newer than ours"
    assert run(node, "key", "install-card", built / "card.json").exit_code == 65, "older"
    (node / "noise.json").write_bytes(b"{}")
    assert run(node, "key", "install-card", node / "noise.json").exit_code == 65
    told(node, "key", "activate", key)
    card = msgspec.json.decode((node / "card.next.json").read_bytes())
    card["version"] += 1
    card["keys"] = [one for one in card["keys"] if one["id"] != key]
    (node / "card.next.json").write_bytes(msgspec.json.encode(card))
    with pytest.raises(AssertionError, match="在用密钥"):
        installed(node)
    assert (node / "card.json").read_bytes() == before


def test_a_card_made_anew_keeps_a_rotation_and_revocations(node: Path) -> None:
    """``init --card`` changes the address or the seal roots; it must not undo what custodians have done."""
    old, lost = ring(node).signer("direct").key_id, announced(node, "checkpoint")
    told(node, "key", "revoke", lost, "--reason", "失密")
    never = told(node, "key", "gen", "checkpoint")["id"]
    told(node, "key", "revoke", never, "--reason", "未用")
    new = announced(node)
    told(node, "key", "activate", new)
    before = {key.id: key.since_ms for key in read_card(node).keys}
    unsigned("init", node, "--card", "--endpoint", "https://elsewhere", "--seal-anchor", node / "certs" / "ca.der")
    card = read_card(node)
    assert (card.endpoint, card.version) == ("https://elsewhere", 4)
    assert {key.id for key in card.keys if key.use == "direct"} == {old, new}
    assert {key.id: key.since_ms for key in card.keys} == before
    assert [one.id for one in card.revoked] == [lost], "a key that no partner ever heard of is not named"
    assert examined(node)["card"].level == "ok"


def read_card(node: Path) -> cards.Card:
    return nextcard.held(ring(node), node)


def test_L09_an_older_register_put_back_is_noticed_by_what_the_card_revoked(node: Path) -> None:
    key = announced(node)
    told(node, "key", "activate", key)
    spare = announced(node)
    older = (node / "keys" / "register.json").read_bytes()
    told(node, "key", "revoke", key, "--reason", "失密")
    told(node, "key", "activate", spare)
    installed(node)
    (node / "keys" / "register.json").write_bytes(older)
    found = examined(node)[f"key {key[:8]}"]
    assert found.level == "fail" and "旧" in found.fix_zh


def test_only_the_identity_key_signs_cards(node: Path) -> None:
    announced(node)
    words = ["key", "sign-card", node / "card.next.json", "--identity", node / "keys" / "direct.pem", "--certificate",
             node / "certs" / "identity.der", "--passphrase-file", node / "keys" / "passphrase", "-o", node / "out"]  # fmt: skip
    assert CliRunner().invoke(command, [str(one) for one in words]).exit_code == 65
    assert not (node / "out").exists()
    (node / "card.next.json").write_bytes(b"[]")
    words[4] = node / "keys" / "identity.pem"
    assert CliRunner().invoke(command, [str(one) for one in words]).exit_code == 65


def test_unknown_keys_and_uses_are_a_no(node: Path) -> None:
    assert refusal(node, "key", "gen", "tls") == "key-use"
    for text in ("", "ab", "0" * 32):
        assert refusal(node, "key", "csr", text) == "key-unknown"
    assert (
        run(node, "key", "order", "revoke", ring(node).signer("direct").key_id, "-o", node / "o").exit_code == MISUSED
    )


def test_L09_a_tampered_register_stops_every_command(node: Path) -> None:
    told(node, "key", "gen", "direct")
    path = node / "keys" / "register.json"
    path.write_bytes(path.read_bytes().replace(b"generated", b"activated"))
    for words in (("list",), ("gen", "direct"), ("custodian",)):
        assert run(node, "key", *words).exit_code == 65


# --- what the doctor says of it ---------------------------------------------------------------------------------------


def examined(node: Path, days: float = 0) -> dict[str, Any]:
    """The doctor's rows about keys, the worst of each name."""
    settings = config.load(node / "tongban.toml")
    found: dict[str, Any] = {}
    for check in examine(Patient(settings, node, datetime.now(UTC) + timedelta(days=days)), outside=False, deep=False):
        if check.name not in found or found[check.name].level == "ok":
            found[check.name] = check
    return found


def test_the_doctor_sees_a_rotation_that_stands_still(node: Path) -> None:
    old = ring(node).signer("direct").key_id
    key = told(node, "key", "gen", "direct")["id"]
    told(node, "key", "import", issued(node, public(node, key)))
    told(node, "key", "announce", key)
    row = f"key {key[:8]}"
    assert examined(node)[row].level == "warn" and "sign-card" in examined(node)[row].fix_zh
    installed(node)
    assert examined(node)[row].level == "ok" and "activate" in examined(node)[row].fix_zh
    told(node, "key", "activate", key)
    assert examined(node)["card"].level == "ok", "two keys of one use on a card are a rotation, no mistake"
    assert row not in examined(node) and f"key {old[:8]}" not in examined(node)
    assert "retire" in examined(node, 31)[f"key {old[:8]}"].fix_zh
    told(node, "key", "retire", old)
    assert examined(node)[f"key {old[:8]}"].level == "warn", "still on the card"
    installed(node)
    assert f"key {old[:8]}" not in examined(node)
    told(node, "key", "revoke", key, "--reason", "失密")
    assert examined(node)[row].level == "fail" and "吊销" in examined(node)[row].zh


def test_the_doctor_names_who_is_behind(node: Path) -> None:
    key = announced(node)
    peer = f"360113.{'1' * 18}"
    with (node / "tongban.toml").open("a") as file:
        file.write(f'\n[[peer]]\nid = "{peer}"\nurl = "http://b"\ncard = "b.json"\nfingerprint = "{"0" * 32}"\n')
    found = examined(node)[f"key {key[:8]}"]
    assert found.level == "warn" and peer in found.zh


def test_the_doctor_on_custodians_passphrase_backup_and_drill(node: Path, tmp_path: Path) -> None:
    found = examined(node)
    assert {found[name].level for name in ("custodians", "key backup", "key register")} == {"ok"}, "a laboratory"
    assert "一人" in found["custodians"].zh and "没有" in found["key backup"].zh
    two_persons(node)
    assert examined(node)["custodians"].level == "warn"
    two_persons(node, "wang", "li")
    assert "wang" in examined(node)["custodians"].zh
    file = node / "tongban.toml"
    file.write_text(file.read_text("utf-8").replace("lab = true", "lab = false"), "utf-8")
    assert examined(node)["key backup"].level == "warn"
    told(node, "key", "backup", "-o", tmp_path / "b")
    found = examined(node)
    assert (found["key backup"].level, found["restore drill"].level) == ("ok", "warn")
    told(
        node, "key", "restore", tmp_path / "b" / "keys.backup", *sorted((tmp_path / "b").glob("share-*"))[:2], "--drill"
    )
    assert examined(node)["restore drill"].level == "ok"
    assert examined(node, 200)["restore drill"].level == "warn"
    told(node, "key", "gen", "direct")
    assert "direct" in examined(node)["key backup"].zh
    path = node / "keys" / "register.json"
    path.write_bytes(path.read_bytes().replace(b"wang", b"evil"))
    assert examined(node)["key register"].level == "fail"


def test_a_short_passphrase_is_worth_a_warning(node: Path) -> None:
    for path in (node / "keys").glob("*"):
        path.unlink()
    files.write_private(node / "keys" / "passphrase", b"letmein")
    keyring.write_vault(node / "keys", b"letmein", PROVIDER.random, 10)
    found = list(key_checks.register(Patient(config.load(node / "tongban.toml"), node, NOW)))
    assert (found[-1].name, found[-1].level) == ("key passphrase", "warn")
