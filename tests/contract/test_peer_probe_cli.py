"""``tongban peer probe`` from outside: a sample in, the profile to write out; exit codes 0/1/2/64/65."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result

from signing import keys, probe, profiles, sm2
from signing.profiles import STANDARD, SignatureProfile
from signing.providers import open_provider
from signing.sm2 import Signer
from tests.contract.command import tongban

pytestmark = pytest.mark.usefixtures("as_the_command_runs")

PROVIDER = open_provider("libcrypto:")
PRIVATE = keys.private_from_int(424242)
MESSAGE = "办件一\n".encode()
SIGN = ("--key", "p.pem", "--in", "m", "--sig", "s")


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("p.pem").write_bytes(keys.public_to_pem(PRIVATE.public))
    Path("k.pem").write_bytes(keys.private_to_pem(PRIVATE, None))
    Path("m").write_bytes(MESSAGE)
    return tmp_path


def run(*arguments: str) -> Result:
    return tongban("peer", "probe", *arguments)


def told(*arguments: str) -> tuple[int, Any]:
    result = run(*arguments, "--json")
    assert "Traceback" not in result.output
    return result.exit_code, json.loads(result.stdout.splitlines()[-1])


def sample(profile: SignatureProfile, end: bytes = b"") -> None:
    Path("s").write_bytes(profiles.sign(profile, Signer(PROVIDER, PRIVATE), MESSAGE) + end)


@pytest.mark.parametrize(
    "changes",
    [{}, {"za": False}, {"form": "raw", "text": "HEX"}, {"hash": "double", "text": "binary"}, {"signer_id": ""},
     {"signer_id": "ALICE123@YAHOO.COM", "form": "raw", "text": "binary"}],
)  # fmt: skip
def test_the_profile_is_told_as_the_table_to_write(changes: dict[str, Any]) -> None:
    profile = msgspec.structs.replace(STANDARD, **changes)
    sample(profile)
    code, data = told(*SIGN)
    assert (code, data["ok"], data["defects"]) == (0, True, [])
    (fit,) = data["fits"]
    assert profiles.read_profile(tomllib.loads(fit["toml"])) == profile
    text = run(*SIGN).output
    assert "[signing.signature]\n" in text
    assert profiles.read_profile(tomllib.loads(text.rpartition("[signing.signature]\n")[2])) == profile


def test_S14_a_missing_ZA_is_said_with_what_to_ask_of_the_partner() -> None:
    sample(msgspec.structs.replace(STANDARD, za=False), end=b"\r\n")
    result = run(*SIGN)
    assert result.exit_code == 0
    assert "对方漏算 Z_A" in result.output
    assert "GB/T 32918.2" in result.output


def test_another_id_is_found_when_it_is_named() -> None:
    sample(msgspec.structs.replace(STANDARD, signer_id="省平台"))
    assert told(*SIGN)[0] == 1
    code, data = told(*SIGN, "--id", "别的", "--id", "省平台")
    assert code == 0
    assert data["fits"][0]["profile"]["signer_id"] == "省平台"


def test_S16_a_defect_is_no_profile() -> None:
    r, s = sm2.decode(Signer(PROVIDER, PRIVATE).sign(MESSAGE), sm2.Encoding.DER)
    Path("s").write_bytes(f"{s:064x}{r:064x}".encode())
    code, data = told(*SIGN)
    assert (code, data["ok"], data["fits"], data["defects"][0]["defect"]) == (1, False, [], "numbers-swapped")
    text = run(*SIGN).output
    assert "须由对方改正" in text
    assert "[signing.signature]" not in text


def test_a_stranger_s_sample_fits_nothing() -> None:
    Path("s").write_bytes(profiles.sign(STANDARD, Signer(PROVIDER, keys.private_from_int(3)), MESSAGE))
    assert told(*SIGN)[0] == 1
    assert "没有一种约定符合" in run(*SIGN).output


def test_two_that_fit_are_told_to_be_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [probe.Finding(STANDARD), probe.Finding(msgspec.structs.replace(STANDARD, text="hex"))]
    monkeypatch.setattr(probe, "signature", lambda *_: both)
    sample(STANDARD)
    code, data = told(*SIGN)
    assert (code, data["ok"], len(data["fits"])) == (2, None, 2)
    assert "不足以判断" in run(*SIGN).output


@pytest.mark.parametrize("order", ["C1C3C2", "C1C2C3", "DER"])
def test_S30_a_ciphertext_is_placed_and_its_content_not_shown(order: Any) -> None:
    profile = msgspec.structs.replace(STANDARD, ciphertext=order, text="hex")
    Path("c").write_bytes(profiles.encrypt(profile, PROVIDER, PRIVATE.public, b"a secret of 20 bytes") + b"\n")
    code, data = told("--key", "k.pem", "--ciphertext", "c")
    assert code == 0
    assert data["fits"][0]["profile"]["ciphertext"] == order
    assert "a secret" not in run("--key", "k.pem", "--ciphertext", "c").output
    Path("c").write_bytes(b"nonsense")
    assert told("--key", "k.pem", "--ciphertext", "c")[0] == 1


@pytest.mark.parametrize("profile", list(probe.key_profiles()), ids=lambda one: f"{one.public_key}-{one.text}")
def test_the_public_key_may_come_in_any_form(profile: SignatureProfile) -> None:
    sample(STANDARD)
    Path("key").write_bytes(profiles.write_public(profile, PRIVATE.public))
    code, data = told("--key", "key", *SIGN[2:])
    assert (code, data["key"]) == (0, [f'public_key = "{profile.public_key}", text = "{profile.text}"'])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 64), (("--key", "p.pem"), 64), (("--key", "p.pem", "--in", "m"), 64), ((*SIGN, "--ciphertext", "m"), 64),
        (("--key", "k.pem", "--ciphertext", "m", "--id", "x"), 64), (("--key", "none", *SIGN[2:]), 65),
        (("--key", "m", *SIGN[2:]), 65), (("--key", "p.pem", "--in", "none", "--sig", "s"), 65),
        (("--key", "p.pem", "--ciphertext", "m"), 65),
    ],
)  # fmt: skip
def test_wrong_usage_and_unreadable_input(arguments: tuple[str, ...], code: int) -> None:
    sample(STANDARD)
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
