"""Signed messages, envelopes and time stamps held against BouncyCastle, both ways (openssl 3.0 cannot do them with SM2).

What is missing is named in the skip: Debian ``default-jdk-headless`` with ``libbcprov-java`` and ``libbcpkix-java`` (jars in
the folder of ``TONGBAN_BCPROV_JAR``, default /usr/share/java).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from signing import cms, keys
from signing.sm3 import sm3
from signing.timestamp_build import answer, build_request, parse_request, parse_response
from tests import pki
from tests.pki import DAY
from tests.unit.signing.test_messages import CONTENT, INBOX, ONE, TWO, build_signed, envelope, judged, opened
from tests.unit.signing.test_timestamps import DIGEST, TSA
from tests.unit.signing.test_timestamps import judged as judged_stamp

HERE = Path(__file__).parent
Ask = Callable[..., list[str]]


@pytest.fixture(scope="module")
def ask() -> Ask:
    """Lines of requests to BouncyCastle in one process, its answers."""
    folder = Path(os.environ.get("TONGBAN_BCPROV_JAR", "/usr/share/java/bcprov.jar")).parent
    if shutil.which("java") is None or shutil.which("javac") is None:
        pytest.skip("no Java compiler is installed (Debian: default-jdk-headless)")
    jars = [folder / f"{name}.jar" for name in ("bcprov", "bcpkix", "bcutil")]
    if not all(jar.exists() for jar in jars[:2]):
        pytest.skip(f"no BouncyCastle in {folder} (Debian: libbcprov-java libbcpkix-java, or set TONGBAN_BCPROV_JAR)")
    path = os.pathsep.join(str(jar) for jar in jars if jar.exists())
    command = ["java", "-Xshare:auto", "-Dfile.encoding=UTF-8", "-cp", path, str(HERE / "java" / "CmsTool.java")]

    def run(*lines: tuple[object, ...]) -> list[str]:
        text = "".join(
            " ".join(part.hex() if isinstance(part, bytes) else str(part) for part in line) + "\n" for line in lines
        )
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=120)
        answers = done.stdout.splitlines()
        assert len(answers) == len(lines), done.stderr
        assert not any(one.startswith("error") for one in answers), answers
        return answers

    return run


def secret(name: str) -> bytes:
    return keys.pkcs8(pki.signer(name).private)


def test_bouncy_castle_verifies_what_we_sign(ask: Ask) -> None:
    family = cms.PKCS7  # the national content types are not known to it
    whole = build_signed(CONTENT, [ONE, TWO], family=family, signing_time=DAY)
    cut = build_signed(CONTENT, [ONE], family=family, detached=True)
    bare = build_signed(CONTENT, [ONE], family=family, attributes=False)
    assert ask(("verify", whole), ("verify", cut, CONTENT), ("verify", bare)) == ["true 2", "true 1", "true 1"]


def test_we_verify_what_bouncy_castle_signs(ask: Ask) -> None:
    how = ["attached", "detached", "bare", "detached-bare"]
    made = ask(*(("sign", CONTENT, secret("one"), ONE.certificate.der, one) for one in how))
    for one, message in zip(how, made, strict=True):
        data = bytes.fromhex(message)
        assert data[:2] == b"\x30\x80", "an indefinite length: BER"
        report = judged(data, CONTENT if "detached" in one else None)
        assert (report.ok, report.content) == (True, CONTENT), (one, report.reasons)
        assert judged(data.replace(CONTENT[:6], b"xxxxxx"), CONTENT if "detached" in one else None).ok is (
            "detached" in one
        )


def test_envelopes_open_both_ways(ask: Ask) -> None:
    ours = [envelope(bytes(range(size)), family=family) for size in (0, 15, 16, 100) for family in cms.FAMILIES]
    answers = ask(*(("open", one, secret("inbox")) for one in ours), ("envelope", CONTENT, INBOX.certificate.der))
    assert answers[:-1] == [bytes(range(size)).hex() for size in (0, 15, 16, 100) for _ in cms.FAMILIES]
    assert opened(bytes.fromhex(answers[-1])) == CONTENT


def test_time_stamps_both_ways(ask: Ask) -> None:
    at, nonce = int(DAY.timestamp() * 1000), 1 << 64
    request = build_request(DIGEST, nonce=nonce)
    given, asked = ask(("stamp", request, secret("tsa"), TSA.certificate.der, at), ("ask", DIGEST, nonce))
    token = parse_response(bytes.fromhex(given)).token
    assert token is not None
    report = judged_stamp(token, nonce=nonce)
    assert report.ok is True and report.info is not None, report.reasons
    assert (report.info.time, report.info.accuracy.seconds, report.info.policy) == (DAY, 2, "1.2.3.4")
    assert judged_stamp(token, digest=sm3(b"other")).ok is False
    theirs = bytes.fromhex(asked)
    assert (parse_request(theirs).digest, parse_request(theirs).nonce) == (DIGEST, nonce)
    reply = answer(theirs, TSA, at=DAY, serial=7)
    refused = answer(build_request(DIGEST, nonce=nonce, policy="1.2.3.4"), TSA, at=DAY, serial=7)
    told = ask(("stamped", theirs, reply, TSA.certificate.der), ("stamped", theirs, refused, TSA.certificate.der))
    assert told[0] == f"ok {at}" and told[1].startswith("refused 2")


def test_openssl_asks_and_reads_our_answer(tmp_path: Path) -> None:
    """It has SM3 for imprints but cannot verify an SM2 token in 3.0: it asks and reads."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl is installed (Debian: openssl)")
    text, query, reply = (tmp_path / name for name in ("text", "q", "r"))
    text.write_bytes(CONTENT)
    subprocess.run(
        [openssl, "ts", "-query", "-data", str(text), "-sm3", "-cert", "-out", str(query)],
        check=True,
        capture_output=True,
    )
    assert parse_request(query.read_bytes()).digest == sm3(CONTENT)
    reply.write_bytes(answer(query.read_bytes(), TSA, at=DAY, serial=0xABC))
    told = subprocess.run(
        [openssl, "ts", "-reply", "-in", str(reply), "-text"], check=True, capture_output=True, text=True
    ).stdout
    for said in (
        "Status: Granted.",
        "Hash Algorithm: sm3",
        "Serial number: 0x0ABC",
        "Time stamp: Jun  1 08:00:00 2026 GMT",
    ):
        assert said in told
