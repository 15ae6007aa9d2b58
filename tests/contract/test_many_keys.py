"""Random keys, both directions, against OpenSSL's own whole path (row S22): 0 mismatches.

The other side runs in a process of its own and takes DER keys, ids and messages: Z_A, SM3 and DER there are OpenSSL's work, and
nothing of ours is loaded. Half of the keys come from us. Keys whose octets clumsy code strips are always among them.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator

import pytest

from signing import keys, sm2
from signing.providers import open_provider
from signing.sm2 import DEFAULT_ID, PrivateKey
from tests.vectors.sm2.generator.cases import special_keys
from tests.vectors.sm2.score import Coprocess

pytestmark = pytest.mark.processes

LIBCRYPTO, PURE, TABLES = (open_provider(uri) for uri in ("libcrypto:", "pure:?sign=allow", "tables:"))
IDS = (DEFAULT_ID, b"ALICE123@YAHOO.COM", "综合窗口".encode())
SHORT, LONG = 300, 10_000


@pytest.fixture(scope="module")
def openssl() -> Iterator[Coprocess]:
    """OpenSSL as the system has it."""
    found = Coprocess([sys.executable, "-m", "tests.vectors.sm2.adapters.openssl"])
    name = str(found({"op": "name"}).get("name", ""))
    if not name.startswith("OpenSSL") or name.split()[1] < "3":
        pytest.skip(f"no OpenSSL 3 with SM2 for ctypes here: {name}")
    yield found
    found.close()


def mismatches(openssl: Coprocess, private: PrivateKey, number: int) -> list[str]:
    """What went wrong between the two sides under this key; each of our providers takes its turn."""
    signer, verifier = ((PURE, LIBCRYPTO), (LIBCRYPTO, PURE), (TABLES, TABLES))[number % 3]
    own, message = IDS[number % 3], secrets.token_bytes(number % 130)
    told = {"encoding": "der", "publicKeyDer": keys.spki(private.public).hex(), "id": own.hex(), "msg": message.hex()}
    ours = sm2.sign(signer, private, message, signer_id=own).hex()
    pkcs8 = keys.pkcs8(private).hex()
    made = openssl({"op": "sign", "privateKeyDer": pkcs8, "id": own.hex(), "msg": message.hex()})
    theirs = bytes.fromhex(str(made.get("sig", "")))
    bent = theirs[:-1] + bytes((theirs[-1] ^ 1,)) if theirs else b""
    checks = {
        "openssl refuses ours": openssl({"op": "verify", "sig": ours} | told)["result"] == "valid",
        "openssl takes a changed message": openssl(
            {"op": "verify", "sig": ours} | told | {"msg": (message + b"x").hex()}
        )["result"]
        == "invalid",
        "we refuse openssl's": sm2.verify(verifier, private.public, message, theirs, signer_id=own),
        "we take a changed signature": not sm2.verify(verifier, private.public, message, bent, signer_id=own),
    }
    return [f"{what}: d = {private.d:064x}, {signer.uri} {verifier.uri}" for what, good in checks.items() if not good]


def compare(openssl: Coprocess, count: int) -> None:
    wrong: list[str] = []
    crowd = [keys.private_from_int(d) for d in special_keys().values()]
    for number in range(count):
        private = crowd[number] if number < len(crowd) else (LIBCRYPTO, PURE)[number % 2].generate()
        wrong += mismatches(openssl, private, number)
    assert wrong == []


def test_S22_some_hundred_keys_both_ways(openssl: Coprocess) -> None:
    compare(openssl, SHORT)


@pytest.mark.long
def test_S22_ten_thousand_keys_both_ways(openssl: Coprocess) -> None:
    compare(openssl, LONG)
