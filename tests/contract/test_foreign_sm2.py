"""SM2 with foreign clients, both ways: the openssl command, Java with BouncyCastle, npm sm-crypto, OpenSSL 4 in pyOpenSSL.

What is missing here is named in the skip: Debian ``openssl``, ``default-jdk-headless`` and ``libbcprov-java``, ``nodejs`` with
``npm`` (sm-crypto is installed from the committed lock into a cache folder of this machine's temporary directory).
``TONGBAN_BCPROV_JAR`` and ``TONGBAN_NODE_MODULES`` name what is installed elsewhere.
"""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from OpenSSL import crypto

from signing import keys, sm2, sm3
from signing.errors import Malformed
from signing.keys import Prf
from signing.providers import open_provider
from signing.sm2 import DEFAULT_ID, Encoding, PrivateKey, PublicKey
from tests.contract import foreign_packages

HERE = Path(__file__).resolve().parent
PROVIDERS = {uri: open_provider(uri) for uri in ("libcrypto:", "pure:?sign=allow")}
IDS = [DEFAULT_ID, b"ALICE123@YAHOO.COM", b"420104.11420104MB1234567X"]
MESSAGES = [b"message digest", b"", "办件".encode() * 400, bytes(range(256))]


@pytest.fixture(params=PROVIDERS)
def ours(request: pytest.FixtureRequest) -> object:
    """Each of our providers that sign."""
    return PROVIDERS[request.param]


class Client:
    """A process that answers one line per line; fields go as hex, empty ones as ``-``."""

    def __init__(self, command: list[str], **environment: str) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )

    def ask(self, *fields: str | bytes) -> str:
        line = " ".join(field if isinstance(field, str) else field.hex() or "-" for field in fields)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def bytes(self, *fields: str | bytes) -> bytes:
        answer = self.ask(*fields)
        assert not answer.startswith("error"), answer
        return bytes.fromhex(answer)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def clumsy_key() -> PrivateKey:
    """A key whose x starts with 04, which clumsy clients strip (S22)."""
    while True:
        private = PROVIDERS["pure:?sign=allow"].generate()
        if private.public.x >> 248 == 0x04:
            return private


@pytest.fixture(scope="module")
def our_keys() -> list[PrivateKey]:
    return [PROVIDERS["libcrypto:"].generate(), PROVIDERS["libcrypto:"].generate(), clumsy_key()]


# --- the openssl command ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def openssl() -> str:
    path = shutil.which("openssl")
    if path is None:
        pytest.skip("the openssl command is not installed (Debian: openssl)")
    curves = subprocess.run([path, "ecparam", "-list_curves"], capture_output=True, text=True, check=True).stdout
    version = subprocess.run([path, "version"], capture_output=True, text=True, check=True).stdout
    if "SM2" not in curves or version.split()[1] < "3":
        pytest.skip(f"the openssl command here cannot SM2: {version.strip()}")
    return path


def run(*command: str | Path, ok: bool = True) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False, timeout=60)
    assert (done.returncode == 0) is ok, done.stderr.decode()
    return done


def distid(signer_id: bytes) -> tuple[str, ...]:
    return ("-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{signer_id.decode()}")


@pytest.mark.parametrize("signer_id", IDS)
def test_openssl_verifies_ours_and_we_verify_openssls(
    openssl: str, ours: object, our_keys: list[PrivateKey], signer_id: bytes, tmp_path: Path
) -> None:
    body, sig, key, pub = (tmp_path / name for name in ("m", "s", "k.pem", "p.pem"))
    for private, message in zip(our_keys, MESSAGES[:1] + MESSAGES[2:], strict=True):
        body.write_bytes(message)
        key.write_bytes(keys.private_to_pem(private, None))
        pub.write_bytes(keys.public_to_pem(private.public))
        sig.write_bytes(sm2.sign(ours, private, message, signer_id=signer_id))
        check = (openssl, "pkeyutl", "-verify", "-pubin", "-inkey", pub, "-in", body, "-sigfile", sig)
        run(*check, *distid(signer_id))
        run(*check, *distid(signer_id + b"x"), ok=False)
        run(openssl, "pkeyutl", "-sign", "-inkey", key, "-in", body, "-out", sig, *distid(signer_id))
        assert sm2.verify(ours, private.public, message, sig.read_bytes(), signer_id=signer_id)
        assert not sm2.verify(ours, private.public, message, sig.read_bytes(), signer_id=signer_id + b"x")


def test_openssl_decrypts_ours_and_we_decrypt_openssls(
    openssl: str, ours: object, our_keys: list[PrivateKey], tmp_path: Path
) -> None:
    plain, sealed, key, pub = (tmp_path / name for name in ("m", "c", "k.pem", "p.pem"))
    for private, size in zip(our_keys, (1, 33, 5000), strict=True):
        key.write_bytes(keys.private_to_pem(private, None))
        pub.write_bytes(keys.public_to_pem(private.public))
        plain.write_bytes(secrets.token_bytes(size))
        run(openssl, "pkeyutl", "-encrypt", "-pubin", "-inkey", pub, "-in", plain, "-out", sealed)
        opened = ours.decrypt(private, sm2.ciphertext_from_der(sealed.read_bytes()))  # type: ignore[attr-defined]
        assert opened == plain.read_bytes()
        sealed.write_bytes(sm2.ciphertext_to_der(ours.encrypt(private.public, opened)))  # type: ignore[attr-defined]
        assert run(openssl, "pkeyutl", "-decrypt", "-inkey", key, "-in", sealed).stdout == opened


@pytest.mark.parametrize("message", MESSAGES, ids=len)
def test_openssl_agrees_on_sm3(openssl: str, message: bytes, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(message)
    assert run(openssl, "dgst", "-sm3", "-binary", tmp_path / "m").stdout == sm3.sm3(message)


def test_openssl_reads_our_keys(openssl: str, our_keys: list[PrivateKey], tmp_path: Path) -> None:
    for private in our_keys:
        salt, iv = secrets.token_bytes(16), secrets.token_bytes(16)
        (tmp_path / "k.pem").write_bytes(
            keys.private_to_pem(private, "口令".encode(), salt=salt, iv=iv, iterations=2048)
        )
        shown = run(openssl, "pkey", "-in", tmp_path / "k.pem", "-passin", "pass:口令", "-check", "-pubout").stdout
        assert keys.public_to_pem(private.public) in shown
        plain = run(openssl, "pkey", "-in", tmp_path / "k.pem", "-passin", "pass:口令").stdout
        assert plain == keys.private_to_pem(private, None)
        run(openssl, "pkey", "-in", tmp_path / "k.pem", "-passin", "pass:other", ok=False)


@pytest.mark.parametrize("cipher", [("-v2", "sm4-cbc"), ("-v2", "aes-256-cbc"), ("-v2", "aes128"), (), ("-nocrypt",)])
def test_we_read_openssls_keys(openssl: str, cipher: tuple[str, ...], tmp_path: Path) -> None:
    made, kept = tmp_path / "k.pem", tmp_path / "e.pem"
    run(openssl, "genpkey", "-algorithm", "SM2", "-out", made)
    run(openssl, "pkcs8", "-topk8", "-in", made, "-out", kept, *cipher, "-passout", "pass:口令")
    private = keys.private_from_pem(kept.read_bytes(), "口令".encode())
    assert keys.private_from_pem(made.read_bytes()) == private
    assert keys.public_from_pem(run(openssl, "pkey", "-in", made, "-pubout").stdout) == private.public


def test_we_read_openssls_older_forms(openssl: str, tmp_path: Path) -> None:
    made, old = tmp_path / "k.pem", tmp_path / "old.pem"
    run(openssl, "ecparam", "-name", "SM2", "-genkey", "-out", made)
    assert b" PARAMETERS" in made.read_bytes()
    private = keys.private_from_pem(made.read_bytes())
    run(openssl, "ec", "-in", made, "-out", old)
    assert b"-----BEGIN SM2 PRIVATE KEY-----" in old.read_bytes()
    assert keys.private_from_pem(old.read_bytes()) == private
    assert keys.private_from_pem(old.read_bytes().replace(b"SM2 P", b"EC P")) == private
    run(openssl, "ec", "-in", made, "-out", old, "-sm4-cbc", "-passout", "pass:x")
    with pytest.raises(Malformed, match="pem-encryption"):
        keys.private_from_pem(old.read_bytes(), b"x")


def test_we_refuse_openssls_explicit_parameters_and_other_curves(openssl: str, tmp_path: Path) -> None:
    made = tmp_path / "k.pem"
    run(openssl, "ecparam", "-name", "SM2", "-param_enc", "explicit", "-genkey", "-out", made)
    with pytest.raises(Malformed, match="key-curve"):
        keys.private_from_pem(made.read_bytes())
    run(openssl, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", made)
    with pytest.raises(Malformed, match="key-curve"):
        keys.private_from_pem(made.read_bytes())
    with pytest.raises(Malformed, match="key-curve"):
        keys.public_from_pem(run(openssl, "pkey", "-in", made, "-pubout").stdout)


@pytest.mark.parametrize("prf", [Prf.SHA256, Prf.SM3_GMT0091])
def test_openssl_4_reads_our_encrypted_keys(our_keys: list[PrivateKey], prf: Prf) -> None:
    for private in our_keys:
        pem = keys.private_to_pem(private, b"pw", salt=bytes(16), iv=bytes(16), iterations=100, prf=prf)
        loaded = crypto.load_privatekey(crypto.FILETYPE_PEM, pem, b"pw")
        assert crypto.dump_publickey(crypto.FILETYPE_PEM, loaded) == keys.public_to_pem(private.public)


# --- Java with BouncyCastle -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def java() -> Iterator[Client]:
    jar = Path(os.environ.get("TONGBAN_BCPROV_JAR", "/usr/share/java/bcprov.jar"))
    if shutil.which("java") is None or shutil.which("javac") is None:
        pytest.skip("no Java compiler is installed (Debian: default-jdk-headless)")
    if not jar.exists():
        pytest.skip(f"no BouncyCastle at {jar} (Debian: libbcprov-java, or set TONGBAN_BCPROV_JAR)")
    client = Client(["java", "-Xshare:auto", "-cp", str(jar), str(HERE / "java" / "Sm2Tool.java")])
    yield client
    client.close()


def java_key(java: Client) -> tuple[bytes, bytes]:
    pkcs8, spki = java.ask("keygen").split()
    return bytes.fromhex(pkcs8), bytes.fromhex(spki)


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("signer_id", [*IDS, b""])
def test_java_and_we_verify_each_other(
    java: Client, ours: object, our_keys: list[PrivateKey], signer_id: bytes, encoding: Encoding
) -> None:
    for private in our_keys:
        spki, pkcs8 = keys.spki(private.public), keys.pkcs8(private)
        for message in MESSAGES:
            signature = sm2.sign(ours, private, message, signer_id=signer_id, encoding=encoding)
            assert java.ask("verify", encoding.value, spki, signer_id, message, signature) == "true"
            assert java.ask("verify", encoding.value, spki, signer_id, message + b"x", signature) == "false"
            theirs = java.bytes("sign", encoding.value, pkcs8, signer_id, message)
            assert sm2.verify(ours, private.public, message, theirs, signer_id=signer_id, encoding=encoding)
            assert not sm2.verify(ours, private.public, message, theirs, signer_id=signer_id + b"x", encoding=encoding)


def test_java_through_jca_with_its_own_keys(java: Client, ours: object) -> None:
    for _ in range(10):
        pkcs8, spki = java_key(java)
        private, public = keys.private_from_pkcs8(pkcs8), keys.public_from_spki(spki)
        assert private.public == public
        for message in MESSAGES:
            theirs = java.bytes("jca-sign", pkcs8, message)
            assert sm2.verify(ours, public, message, theirs, signer_id=DEFAULT_ID)
            signature = sm2.sign(ours, private, message, signer_id=DEFAULT_ID)
            assert java.ask("jca-verify", spki, message, signature) == "true"
            assert java.ask("jca-verify", spki, message + b"x", signature) == "false"


def test_java_and_we_decrypt_each_other(java: Client, ours: object, our_keys: list[PrivateKey]) -> None:
    for private in our_keys:
        for size in (1, 32, 33, 4000):
            plaintext = secrets.token_bytes(size)
            theirs = java.bytes("encrypt", keys.spki(private.public), plaintext)
            assert ours.decrypt(private, theirs) == plaintext  # type: ignore[attr-defined]
            sealed = ours.encrypt(private.public, plaintext)  # type: ignore[attr-defined]
            assert java.bytes("decrypt", keys.pkcs8(private), sealed) == plaintext


# --- npm sm-crypto ----------------------------------------------------------------------------------------------------------


def _node_modules() -> Path:
    named = os.environ.get("TONGBAN_NODE_MODULES")
    return Path(named) if named else foreign_packages.node_modules(foreign_packages.NODE)


@pytest.fixture(scope="session")
def node() -> Iterator[Client]:
    try:
        client = Client(["node", str(HERE / "node" / "sm2.js")], NODE_PATH=str(_node_modules()))
    except foreign_packages.Missing as missing:
        pytest.skip(f"npm sm-crypto: {missing}")
    yield client
    client.close()


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("signer_id", IDS)
def test_sm_crypto_and_we_verify_each_other(
    node: Client, ours: object, our_keys: list[PrivateKey], signer_id: bytes, encoding: Encoding
) -> None:
    for private in our_keys:
        point, d = private.public.point, private.d.to_bytes(32, "big")
        for message in MESSAGES:
            signature = sm2.sign(ours, private, message, signer_id=signer_id, encoding=encoding)
            assert node.ask("verify", encoding.value, point, signer_id, message, signature) == "true"
            assert node.ask("verify", encoding.value, point, signer_id, message + b"x", signature) == "false"
            theirs = node.bytes("sign", encoding.value, d, point, signer_id, message)
            assert sm2.verify(ours, private.public, message, theirs, signer_id=signer_id, encoding=encoding)


def test_sm_crypto_with_its_own_keys(node: Client, ours: object) -> None:
    for _ in range(10):
        d, point = node.ask("keygen").split()
        private = ours.load(int(d, 16))  # type: ignore[attr-defined]
        assert private.public == PublicKey.from_bytes(bytes.fromhex(point))
        theirs = node.bytes("sign", "der", bytes.fromhex(d), private.public.point, DEFAULT_ID, b"m")
        assert sm2.verify(ours, private.public, b"m", theirs, signer_id=DEFAULT_ID)


def test_sm_crypto_and_we_decrypt_each_other(node: Client, ours: object, our_keys: list[PrivateKey]) -> None:
    """From 16 bytes on: sm-crypto does not draw again when the key stream is all zero (once in 256 for one byte), and a
    ciphertext made so is refused by us as the standard says (S30)."""
    for private in our_keys:
        for size in (16, 32, 33, 4000):
            plaintext = secrets.token_bytes(size)
            theirs = node.bytes("encrypt", private.public.point, plaintext)
            assert ours.decrypt(private, b"\x04" + theirs) == plaintext  # type: ignore[attr-defined]
            sealed = ours.encrypt(private.public, plaintext)[1:]  # type: ignore[attr-defined]
            assert node.bytes("decrypt", private.d.to_bytes(32, "big"), sealed) == plaintext


@pytest.mark.parametrize("message", MESSAGES, ids=len)
def test_sm_crypto_agrees_on_sm3(node: Client, message: bytes) -> None:
    assert node.bytes("sm3", message) == sm3.sm3(message)


def test_keys_survive_a_walk_through_three_houses(java: Client, node: Client, openssl: str, tmp_path: Path) -> None:
    pkcs8, spki = java_key(java)
    (tmp_path / "k.pem").write_bytes(keys.to_pem("PRIVATE KEY", pkcs8))
    (tmp_path / "m").write_bytes(b"round trip")
    run(
        openssl,
        "pkeyutl",
        "-sign",
        "-inkey",
        tmp_path / "k.pem",
        "-in",
        tmp_path / "m",
        "-out",
        tmp_path / "s",
        *distid(DEFAULT_ID),
    )
    public = keys.public_from_spki(spki)
    signature = (tmp_path / "s").read_bytes()
    assert node.ask("verify", "der", public.point, DEFAULT_ID, b"round trip", signature) == "true"
    assert sm2.verify(PROVIDERS["libcrypto:"], public, b"round trip", signature, signer_id=DEFAULT_ID)
    assert base64.b64decode(keys.public_to_pem(public).split(b"\n", 1)[1].split(b"-")[0]) == spki
