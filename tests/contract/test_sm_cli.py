"""``tongban sm`` from outside: every act, exit codes 0/1/2/64/65, both languages, and never a traceback on garbage."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing import keys
from signing.providers import selftest
from signing.sm2 import PrivateKey
from tests.contract.command import tongban
from tests.sizes import ROOT

pytestmark = pytest.mark.usefixtures("as_the_command_runs")

CONTENT = "办件材料 one\n".encode() * 300


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a key pair, another public key, a file and its signature."""
    monkeypatch.chdir(tmp_path)
    private = PrivateKey(selftest.D, selftest.PUBLIC)
    Path("k.pem").write_bytes(keys.private_to_pem(private, None))
    Path("p.pem").write_bytes(keys.public_to_pem(private.public))
    Path("other.pem").write_bytes(keys.public_to_pem(keys.private_from_int(7).public))
    Path("f").write_bytes(CONTENT)
    assert sm("sign", "--key", "k.pem", "--in", "f", "--out", "s").exit_code == 0
    return tmp_path


def sm(*arguments: str, **options: Any) -> Result:
    return tongban("sm", *arguments, **options)


def answer(*arguments: str, **options: Any) -> tuple[int, dict[str, Any]]:
    result = sm(*arguments, "--json", **options)
    data = json.loads(result.stdout.splitlines()[-1])
    assert {"ok", "provider", "reason"} <= data.keys()
    return result.exit_code, data


VERIFY = ("verify", "--pub", "p.pem", "--in", "f", "--sig", "s")


def test_sign_then_verify(house: Path) -> None:
    code, data = answer(*VERIFY)
    assert (code, data["ok"], data["reason"]) == (0, True, "ok")
    assert data["provider"] in ("libcrypto:", "tables:")
    assert sm(*VERIFY).stdout == "签名有效\n"
    assert sm(*VERIFY, env={"LANG": "en_US.UTF-8"}).stdout == "the signature is valid\n"


@pytest.mark.parametrize("changed", ["content", "key", "id", "signature", "encoding", "empty", "long"])
def test_a_bad_signature_is_a_no(house: Path, changed: str) -> None:
    more = {"key": ("--pub", "other.pem"), "id": ("--id", ""), "encoding": ("--encoding", "raw")}.get(changed, ())
    if changed == "content":
        Path("f").write_bytes(CONTENT + b".")
    signature = Path("s").read_bytes()
    Path("s").write_bytes(
        {"signature": signature[:-1] + b"\0", "empty": b"", "long": signature * 500}.get(changed, signature)
    )
    code, data = answer(*VERIFY, *more)
    expected = {"encoding": "raw-signature", "empty": "der-signature", "long": "der-signature"}
    assert (code, data["ok"]) == (1, False)
    assert data["reason"] == expected.get(changed, "wrong-signature")
    assert sm(*VERIFY, *more).stdout.startswith("签名无效")


@pytest.mark.parametrize("provider", ["libcrypto:", "pure:", "gmssl:"])
def test_each_provider_verifies(house: Path, provider: str) -> None:
    assert answer(*VERIFY, "--provider", provider)[1] == {
        "ok": True, "provider": provider, "reason": "ok", "text": "签名有效", "key_id": selftest.PUBLIC.thumbprint,
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["der", "raw"])
@pytest.mark.parametrize("signer_id", ["", "ALICE123@YAHOO.COM", "综合窗口", "x" * 8191])
def test_ids_and_encodings(house: Path, encoding: str, signer_id: str) -> None:
    options = ("--id", signer_id, "--encoding", encoding)
    assert sm("sign", "--key", "k.pem", "--in", "f", "--out", "s", *options).exit_code == 0
    assert encoding == "der" or len(Path("s").read_bytes()) == 64
    assert sm(*VERIFY, *options).exit_code == 0
    assert sm(*VERIFY, "--id", "other", "--encoding", encoding).exit_code == 1


def test_a_provider_that_only_verifies_does_not_sign(house: Path) -> None:
    for provider in ("pure:", "gmssl:"):
        code, data = answer("sign", "--key", "k.pem", "--in", "f", "--out", "new", "--provider", provider)
        assert (code, data["ok"], data["reason"]) == (1, False, "signing-not-allowed")
        assert not Path("new").exists()
    assert sm("sign", "--key", "k.pem", "--in", "f", "--out", "s", "--provider", "pure:?sign=allow").exit_code == 0
    assert sm(*VERIFY).exit_code == 0


def test_without_the_library_a_verifier_cannot_tell(house: Path) -> None:
    code, data = answer(*VERIFY, "--provider", "libcrypto:/nonexistent.so")
    assert (code, data["ok"], data["reason"], data["provider"]) == (2, None, "libcrypto-missing", None)


# --- keys --------------------------------------------------------------------------------------------------------------------


def test_a_new_key_is_private_encrypted_and_never_overwritten(house: Path) -> None:
    passphrase = {"TONGBAN_PASSPHRASE": "口令"}
    code, data = answer("keygen", "--out", "n.pem", "--pub", "np.pem", env=passphrase)
    assert (code, data["reason"]) == (0, "ok")
    assert stat.S_IMODE(Path("n.pem").stat().st_mode) == 0o600
    private = keys.private_from_pem(Path("n.pem").read_bytes(), "口令".encode())
    assert keys.public_from_pem(Path("np.pem").read_bytes()) == private.public
    assert data["key_id"] == private.public.thumbprint
    before = Path("n.pem").read_bytes()
    for out, pub in (("n.pem", "new.pem"), ("new.pem", "np.pem")):
        code, data = answer("keygen", "--out", out, "--pub", pub, "--no-passphrase")
        assert (code, data["reason"]) == (1, "file-exists")
        assert not Path("new.pem").exists()
    assert Path("n.pem").read_bytes() == before
    assert sm("keygen", "--out", "n.pem", "--pub", "np.pem", "--no-passphrase", "--force").exit_code == 0
    assert stat.S_IMODE(Path("n.pem").stat().st_mode) == 0o600
    assert b"BEGIN PRIVATE KEY" in Path("n.pem").read_bytes()


def test_the_passphrase_comes_from_a_file_or_the_environment(house: Path) -> None:
    Path("pass").write_bytes("口令\r\nsecond line\n".encode())
    assert sm("keygen", "--out", "n.pem", "--pub", "np.pem", "--passphrase-file", "pass").exit_code == 0
    act = ("sign", "--key", "n.pem", "--in", "f", "--out", "s")
    assert sm(*act, "--passphrase-file", "pass").exit_code == 0
    assert sm(*act, env={"TONGBAN_PASSPHRASE": "口令"}).exit_code == 0
    code, data = answer(*act, env={"TONGBAN_PASSPHRASE": "wrong"})
    assert (code, data["ok"], data["reason"]) == (65, None, "passphrase-wrong")
    assert sm(*act).exit_code == 64
    Path("pass").write_bytes(b"")
    assert sm(*act, "--passphrase-file", "pass").exit_code == 64


def _on_a_terminal(*arguments: str, typed: list[str]) -> tuple[int, str]:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "gateway.cli", "sm", *arguments])
    shown = b""
    for line in typed:
        deadline = time.monotonic() + 20
        mark = len(shown)
        while b":" not in shown[mark:] and time.monotonic() < deadline:
            shown += os.read(terminal, 1000)
        os.write(terminal, line.encode() + b"\n")
    try:
        while more := os.read(terminal, 1000):
            shown += more
    except OSError:  # the other side closed
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_the_passphrase_is_asked_for_twice_and_not_shown(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    code, shown = _on_a_terminal("keygen", "--out", "n.pem", "--pub", "np.pem", typed=["s3cret", "s3cret"])
    assert code == 0, shown
    assert "s3cret" not in shown
    code, shown = _on_a_terminal("sign", "--key", "n.pem", "--in", "f", "--out", "s", typed=["s3cret"])
    assert code == 0, shown
    assert sm("verify", "--pub", "np.pem", "--in", "f", "--sig", "s").exit_code == 0


def test_nothing_is_left_when_the_second_file_cannot_be_written(house: Path) -> None:
    code, data = answer("keygen", "--out", "n.pem", "--pub", "no/such/np.pem", "--no-passphrase")
    assert (code, data["reason"]) == (1, "cannot-write")
    assert not Path("n.pem").exists()


# --- hash, encrypt, decrypt -------------------------------------------------------------------------------------------------


def test_hash(house: Path) -> None:
    Path("abc").write_bytes(b"abc")
    known = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm("hash", "--in", "abc").stdout == sm("hash", "abc").stdout == known + "\n"
    assert sm("hash", "--in", "-", input=b"abc").stdout == known + "\n"
    assert answer("hash", "abc")[1]["sm3"] == known
    assert sm("hash").exit_code == sm("hash", "abc", "--in", "abc").exit_code == 64


@pytest.mark.parametrize("encoding", ["der", "raw"])
@pytest.mark.parametrize("content", [b"x", CONTENT, bytes(100_000)], ids=len)
def test_encrypt_then_decrypt(house: Path, encoding: str, content: bytes) -> None:
    Path("f").write_bytes(content)
    assert sm("encrypt", "--pub", "p.pem", "--in", "f", "--out", "c", "--encoding", encoding).exit_code == 0
    assert Path("c").read_bytes()[0] == (0x30 if encoding == "der" else 0x04)
    assert sm("decrypt", "--key", "k.pem", "--in", "c", "--out", "d", "--encoding", encoding).exit_code == 0
    assert Path("d").read_bytes() == content
    assert stat.S_IMODE(Path("d").stat().st_mode) == 0o600


@pytest.mark.parametrize("size", [0, 1, 5000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_sm4_files(house: Path, size: int) -> None:
    content = os.urandom(size)
    Path("f").write_bytes(content)
    Path("key").write_text(os.urandom(16).hex() + "\n")
    Path("wrong").write_bytes(os.urandom(16))
    assert sm("encrypt", "--sm4-key", "key", "--in", "f", "--out", "c").exit_code == 0
    assert sm("decrypt", "--sm4-key", "key", "--in", "c", "--out", "d").exit_code == 0
    assert Path("d").read_bytes() == content
    Path("d").unlink()
    sealed = Path("c").read_bytes()
    flipped = sealed[:40] + bytes((sealed[40] ^ 1,)) + sealed[41:]
    for bad in (
        sealed[:-1],
        flipped,
        sealed + b"\0",
        sealed[: 27 + (1 << 20) + 16] if size > 1 << 20 else b"",
        sealed[:27],
    ):
        Path("c").write_bytes(bad)
        code, data = answer("decrypt", "--sm4-key", "key", "--in", "c", "--out", "d")
        assert (code, data["reason"], data["text"]) == (1, "decrypt-failed", "解密失败")
    Path("c").write_bytes(sealed)
    assert answer("decrypt", "--sm4-key", "wrong", "--in", "c", "--out", "d")[1]["reason"] == "decrypt-failed"
    assert not Path("d").exists()
    assert sorted(path.name for path in house.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize("content", [b"", b"x", b"\x30\x00", b"\x04" * 200, CONTENT], ids=len)
def test_S30_what_cannot_be_decrypted_says_only_that(house: Path, content: bytes) -> None:
    Path("c").write_bytes(content)
    for encoding in ("der", "raw"):
        code, data = answer("decrypt", "--key", "k.pem", "--in", "c", "--out", "d", "--encoding", encoding)
        assert (code, data["reason"], data["text"]) == (1, "decrypt-failed", "解密失败")
        assert not Path("d").exists()


def test_an_empty_file_cannot_be_encrypted_by_sm2(house: Path) -> None:
    Path("f").write_bytes(b"")
    code, data = answer("encrypt", "--pub", "p.pem", "--in", "f", "--out", "c")
    assert (code, data["reason"]) == (1, "empty-plaintext")


def test_standard_input_and_output(house: Path) -> None:
    sealed = sm("encrypt", "--pub", "p.pem", "--in", "-", "--out", "c", input=b"secret")
    assert sealed.exit_code == 0
    opened = sm("decrypt", "--key", "k.pem", "--in", "c", "--out", "-")
    assert opened.stdout_bytes == b"secret"


# --- wrong usage, unreadable input, garbage ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("nothing",), ("sign",), ("verify", "--pub", "p.pem"), ("verify", "--bad"),
        ("sign", "--key", "k.pem", "--in", "f", "--out", "s", "--encoding", "hex"),
        ("sign", "--key", "k.pem", "--in", "f", "--out", "s", "--provider", "sdf:"),
        ("sign", "--key", "k.pem", "--in", "f", "--out", "s", "--id", "x" * 8192),
        ("encrypt", "--in", "f", "--out", "c"),
        ("encrypt", "--in", "f", "--out", "c", "--pub", "p.pem", "--sm4-key", "k"),
        ("decrypt", "--in", "f", "--out", "c"),
        ("keygen", "--out", "n.pem", "--pub", "np.pem"),
    ],
)  # fmt: skip
def test_wrong_usage_is_64(house: Path, arguments: tuple[str, ...]) -> None:
    assert sm(*arguments).exit_code == 64


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("verify", "--pub", "none.pem", "--in", "f", "--sig", "s"), "none.pem"),
        (("verify", "--pub", "f", "--in", "f", "--sig", "s"), "f"),
        (("verify", "--pub", "k.pem", "--in", "f", "--sig", "s"), "k.pem"),
        (("verify", "--pub", "p.pem", "--in", "none", "--sig", "s"), "none"),
        (("verify", "--pub", "p.pem", "--in", ".", "--sig", "s"), "."),
        (("verify", "--pub", "p.pem", "--in", "f", "--sig", "none"), "none"),
        (("sign", "--key", "p.pem", "--in", "f", "--out", "x"), "p.pem"),
        (("sign", "--key", "s", "--in", "f", "--out", "x"), "s"),
        (("sign", "--key", "k.pem", "--in", "none", "--out", "x"), "none"),
        (("hash", "none"), "none"),
        (("encrypt", "--pub", "f", "--in", "f", "--out", "x"), "f"),
        (("encrypt", "--sm4-key", "f", "--in", "f", "--out", "x"), "f"),
        (("encrypt", "--sm4-key", "none", "--in", "f", "--out", "x"), "none"),
        (("decrypt", "--key", "f", "--in", "f", "--out", "x"), "f"),
        (("decrypt", "--key", "k.pem", "--in", "none", "--out", "x"), "none"),
    ],
)
def test_unreadable_input_is_65_with_what_and_where(house: Path, arguments: tuple[str, ...], where: str) -> None:
    result = sm(*arguments)
    assert result.exit_code == 65
    assert result.stderr.startswith(f"{where}: ")
    assert "Traceback" not in result.output
    assert not Path("x").exists()


def test_an_output_that_cannot_be_written_is_a_no(house: Path) -> None:
    for act in (
        ("sign", "--key", "k.pem", "--in", "f"), ("encrypt", "--pub", "p.pem", "--in", "f"),
    ):  # fmt: skip
        code, data = answer(*act, "--out", "no/such/place")
        assert (code, data["reason"]) == (1, "cannot-write")


@given(garbage=st.binary(max_size=300), where=st.sampled_from(["k.pem", "p.pem", "s", "c", "key"]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_in_any_file_ends_in_an_exit_code(house: Path, garbage: bytes, where: str) -> None:
    sm("encrypt", "--pub", "p.pem", "--in", "f", "--out", "c")
    Path("key").write_bytes(bytes(16))
    kept = Path(where).read_bytes()
    Path(where).write_bytes(garbage)
    try:
        for act in (
            VERIFY, ("sign", "--key", "k.pem", "--in", "f", "--out", "x"),
            ("decrypt", "--key", "k.pem", "--in", "c", "--out", "x"), ("decrypt", "--sm4-key", "key", "--in", "c", "--out", "x"),
        ):  # fmt: skip
            sm(*act)
    finally:
        Path(where).write_bytes(kept)


def test_help_is_quick_and_in_both_languages() -> None:
    for language, word in (("zh_CN.UTF-8", "验证文件的签名"), ("en_US.UTF-8", "Verify the signature of a file")):
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "gateway.cli", "sm", "--help"],
            cwd=ROOT, env={**os.environ, "LANG": language}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert time.monotonic() - started < 8, "0.3 s on an idle machine"
        assert word in done.stdout
        for verb in ("keygen", "sign", "verify", "hash", "encrypt", "decrypt"):
            assert verb in done.stdout


def test_the_last_line_of_a_process_is_json_and_its_code_is_the_answer(house: Path) -> None:
    command = [sys.executable, "-m", "gateway.cli", "sm", *VERIFY, "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert (done.returncode, json.loads(done.stdout.splitlines()[-1])["ok"], done.stderr) == (0, True, "")
    Path("p.pem").write_bytes(b"\xff\x00")
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == 65
    assert json.loads(done.stdout.splitlines()[-1])["reason"] == "pem-form"
    assert done.stderr.startswith("p.pem: ")
