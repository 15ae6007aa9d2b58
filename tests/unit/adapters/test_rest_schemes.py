"""Requests of four schemes made by foreign code: each is answered as its vector says, through ``Platform.authenticate``."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import pytest

from adapters.base import Denied, Presented, Signed
from adapters.registry import Platform, PlatformSettings, open_platform
from adapters.rest_signed.sign import split_target
from signing.sm2 import Signer
from signing.sm3 import sm3
from tests.unit.adapters.support import PROFILES, PROVIDER, ROOT

DATA = json.loads((ROOT / "tests" / "vectors" / "rest_signed" / "schemes.json").read_text("utf-8"))
KEY = PROVIDER.generate()
VECTORS = [
    pytest.param(row, one, id=f"{row['profile']} {row['algorithm']} {one['name'][:60]}")
    for row in DATA["rows"]
    for one in row["vectors"]
]


@lru_cache
def opened(profile: str, algorithm: str, public_key: str) -> Platform:
    """The platform of a row: its profile, the algorithm changed where the row says so."""
    text = (PROFILES / f"{profile}.toml").read_bytes()
    secrets = {"secret": DATA["secret"].encode(), "body_key": DATA["body_key"].encode()}
    if algorithm:
        text = text.replace(b'algorithm = "SM2"', f'algorithm = "{algorithm}"'.encode())
        secrets["key"] = own_key(algorithm)
    given = PlatformSettings(
        id="p", profile=profile, base_url="http://127.0.0.1:9", app_id=DATA["app"], public_keys=(public_key,)
    )
    return open_platform(
        given, text, {}, lambda: Signer(PROVIDER, KEY), PROVIDER, lambda: "n" * 20, lambda: DATA["now_ms"], secrets
    )


@lru_cache
def own_key(algorithm: str) -> bytes:
    """A private key of ours, PKCS#8 PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else rsa.generate_private_key(65537, 2048)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *form)


def presented(vector: dict[str, Any]) -> Presented:
    body = vector["body"].encode()
    headers = tuple((name, value) for name, value in vector["headers"])
    return Presented(vector["method"], *split_target(vector["target"]), headers, sm3(body), body)


@pytest.mark.parametrize(("row", "vector"), VECTORS)
def test_vector(row: dict[str, Any], vector: dict[str, Any]) -> None:
    """J01-J10, J12-J15, J18, J19, K04, K05, K07, K08: the row stands in the vector's name."""
    platform = opened(row["profile"], row["algorithm"], row["public_key"])
    shown = presented(vector)
    outcome = platform.authenticate(shown, DATA["now_ms"])
    if vector["expect"] != "ok":
        assert isinstance(outcome, Denied), outcome
        assert outcome.code == vector["expect"]
        return
    assert isinstance(outcome, Signed), outcome
    assert platform.app_of is not None
    assert platform.app_of(shown.headers) == outcome.app_id == DATA["app"]
    assert outcome.message(shown.body) == (vector["content"].encode() or shown.body)


def test_each_row_of_the_catalogue_and_each_reason_has_a_vector() -> None:
    for row in DATA["rows"]:
        names = " ".join(vector["name"] for vector in row["vectors"])
        reasons = {vector["expect"] for vector in row["vectors"]}
        assert {"ok", "missing-signature", "duplicate-header", "bad-signature"} <= reasons or row[
            "profile"
        ] == "xiamen_yibao"
        assert all(one in names for one in ("J18", "J19", "K04", "K08"))
        if row["profile"] == "yueyang":
            wanted = [f"J{number:02d}" for number in (1, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 18)]
            assert [one for one in wanted if one not in names] == []
            assert {"bad-token", "bad-nonce", "time-outside-window", "unknown-app"} <= reasons
        if row["profile"] == "xiamen_yibao":
            assert reasons >= {"ok", "bad-envelope", "bad-signature", "time-outside-window", "undecryptable"}
