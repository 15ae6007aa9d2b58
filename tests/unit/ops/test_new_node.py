"""``tongban init``: a laboratory node in one go; a real node's requests, and its card once the certificates are back."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway import config
from gateway.cli import root as command
from gateway.exchange import card as cards
from gateway.keys import keyring
from gateway.ops import newnode
from signing import certs, issue
from signing.keys import to_pem
from signing.providers import open_provider
from signing.sm2 import Signer
from tests.flow.resting import really

PROVIDER = open_provider("auto")
USCC = "11420104000000000X"


def run(*arguments: object) -> Result:
    return CliRunner(env={"LANG": "zh_CN.UTF-8"}).invoke(command, [str(a) for a in arguments], catch_exceptions=False)


def told(*arguments: object, exit_code: int = 0) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.output.splitlines()[-1])


def authority() -> issue.Authority:
    root = Signer(PROVIDER, PROVIDER.generate())
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    der = issue.build_root(
        root, subject=(("C", "CN"), ("CN", "CA")), serial=1, not_before=begin, not_after=begin + timedelta(days=900)
    )
    return issue.Authority(root, certs.parse(der))


def certified(
    folder: Path, ca: issue.Authority, use: str, request: str, suffix: str = "pem", profile: str = ""
) -> None:
    """What the CA sends back for a request."""
    profile = profile or ("encryption" if use == "encryption" else "direct")
    [der] = certs.pem_blocks((folder / "certs" / f"{request}.csr").read_bytes(), newnode.PEM_REQUEST)
    found = issue.parse_csr(der)
    begin = ca.certificate.not_before
    made = issue.build_certificate(
        ca, subject=found.subject_der, public_key=found.public_key, serial=7, not_before=begin,
        not_after=begin + timedelta(days=365), profile=profile,
    )  # fmt: skip
    data = to_pem("CERTIFICATE", made) if suffix != "der" else made
    (folder / "certs" / f"{use}.{suffix}").write_bytes(data)


def test_a_laboratory_node_is_ready_and_marked(tmp_path: Path) -> None:
    made = told("init", tmp_path / "n", "--id", "420104", "--lab")
    folder = tmp_path / "n"
    assert made["lab"] is True and made["fingerprint"] == (folder / "fingerprint").read_text()
    found = told("config", "check", "--config", folder / "tongban.toml")
    assert found["party"] == made["party"]
    assert config.load(folder / "tongban.toml").node.lab is True
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (folder / "keys").iterdir())
    assert stat.S_IMODE((folder / "data" / "gateway.db").stat().st_mode) == 0o600


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert told("init", tmp_path, "--id", "420104", "--lab", exit_code=1)["code"] == "not-empty"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "words",
    [
        (), ("--id", "420104"), ("--id", "999999", "--lab"), ("--id", "4201", "--lab"), ("--id", "420104", "--uscc", "1" * 18),
        ("--id", f"420104.{USCC[:-1]}A"), ("--id", "420104", "--lab", "--name", 'a"b'), ("--card",),
    ],
)  # fmt: skip
def test_wrong_ids_and_names_are_wrong_usage_and_make_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = really("init", tmp_path / "n", *words)
    assert done.returncode == 64, done.stderr
    assert not (tmp_path / "n").exists()


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    made = told("init", tmp_path / "n", "--id", f"420104.{USCC}", "--name", "硚口区通办网关")
    assert len(made["requests"]) == len(newnode.USES) and made["lab"] is False
    return tmp_path / "n"


def test_requests_are_for_the_nodes_keys_and_name_it(begun: Path) -> None:
    settings = config.load(begun / "tongban.toml")
    ring, _ = keyring.open_ring(settings, begun)
    for use in newnode.USES:
        [der] = certs.pem_blocks((begun / "certs" / f"{use}.csr").read_bytes(), newnode.PEM_REQUEST)
        request = issue.parse_csr(der)
        assert request.public_key == ring.signer(use).public
        assert f"420104.{USCC}".encode() in request.subject_der and "硚口区通办网关".encode() in request.subject_der
    assert settings.node.lab is False and settings.stamp.uri == ""


def test_the_card_is_made_of_the_certificates_that_came_back(begun: Path) -> None:
    ca = authority()
    for use, suffix in zip(newnode.USES, ("pem", "der", "crt", "cer", "pem"), strict=True):
        certified(begun, ca, use, use, suffix)
    (begun / "root.pem").write_bytes(certs.to_pem(ca.certificate.der))
    words = ("init", begun, "--card", "--endpoint", "https://gw.example", "--seal-anchor", begun / "root.pem")
    first = told(*words)
    card = cards.read((begun / "card.json").read_bytes(), first["fingerprint"], PROVIDER)
    assert (card.version, card.endpoint, card.party) == (1, "https://gw.example", f"420104.{USCC}")
    assert [key.use for key in card.keys] == ["checkpoint", "direct", "encryption", "seal-anchor", "tls"]
    second = told(*words)
    again = cards.read((begun / "card.json").read_bytes(), second["fingerprint"], PROVIDER)
    assert again.version == 2 and again.keys == card.keys, "keys that stay keep their first day"
    assert told("config", "check", "--config", begun / "tongban.toml")["ok"] is True


def test_a_missing_certificate_and_one_of_another_key_are_named(begun: Path) -> None:
    ca = authority()
    result = run("init", begun, "--card", "--endpoint", "https://gw.example")
    assert result.exit_code == 65 and "identity.pem" in result.output
    for use in newnode.USES:
        certified(begun, ca, use, "direct" if use == "checkpoint" else use)
    result = run("init", begun, "--card", "--endpoint", "https://gw.example")
    assert result.exit_code == 65 and "checkpoint.pem" in result.output and not (begun / "card.json").exists()
    (begun / "certs" / "checkpoint.pem").write_text("garbage")
    assert run("init", begun, "--card", "--endpoint", "https://gw.example").exit_code == 65


@pytest.mark.parametrize(("use", "profile"), [("encryption", "direct"), ("direct", "encryption")])
def test_C05_C06_a_certificate_for_the_other_use_is_refused(begun: Path, use: str, profile: str) -> None:
    ca = authority()
    for one in newnode.USES:
        certified(begun, ca, one, one, profile=profile if one == use else "")
    result = run("init", begun, "--card", "--endpoint", "https://gw.example")
    assert result.exit_code == 65 and f"{use}.pem" in result.output and not (begun / "card.json").exists()


def test_a_place_that_cannot_be_written_is_65(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run("init", tmp_path / "file" / "n", "--id", "420104", "--lab").exit_code == 65
