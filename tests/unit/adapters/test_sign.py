"""SM2 over a canonical request: vectors made by a foreign implementation, and what no change may survive."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import Denied, Presented, Signed, Untranslatable
from adapters.rest_signed import sign
from signing.sm2 import PublicKey, Signer
from signing.sm3 import sm3
from tests.unit.adapters.support import PROVIDER, ROOT, toml

DATA = json.loads((ROOT / "tests" / "vectors" / "rest_signed" / "vectors.json").read_text("utf-8"))
SCHEME = sign.read_scheme(toml("qiaokou")["signing"])
KEYS = {
    DATA["app"]: (PublicKey.from_bytes(bytes.fromhex(DATA["public_key"])),),
    "qk-second": (PublicKey.from_bytes(bytes.fromhex(DATA["second_key"])),),
}
NOW, WINDOW = DATA["now_ms"], DATA["window_ms"]


def presented(vector: dict[str, Any]) -> Presented:
    path, query = sign.split_target(vector["target"])
    headers = tuple((name, value) for name, value in vector["headers"])
    return Presented(vector["method"], path, query, headers, bytes.fromhex(vector["body_sm3"]))


@pytest.mark.parametrize("vector", DATA["vectors"], ids=lambda vector: vector["name"])
def test_vector(vector: dict[str, Any]) -> None:
    outcome = sign.verify(SCHEME, PROVIDER, presented(vector), KEYS, NOW, WINDOW)
    if vector["expect"] == "ok":
        assert isinstance(outcome, Signed), outcome
    else:
        assert isinstance(outcome, Denied)
        assert outcome.code == vector["expect"]


@pytest.mark.parametrize(
    "vector", [v for v in DATA["vectors"] if v["expect"] == "ok"], ids=lambda vector: vector["name"]
)
def test_K04_canonical_string_is_the_foreign_one(vector: dict[str, Any]) -> None:
    shown = presented(vector)
    headers = dict(shown.headers)
    names = SCHEME.headers
    part = sign.Part(shown.method, shown.raw_path, shown.raw_query, headers, shown.body_digest)
    made = sign.canonical(SCHEME, part, headers[names.app], headers[names.time], headers[names.nonce])
    assert made is not None
    assert made.decode() == vector["canonical"]


def test_there_are_at_least_a_hundred_vectors_and_each_reason_has_one() -> None:
    assert len(DATA["vectors"]) >= 100
    reasons = {vector["expect"] for vector in DATA["vectors"]}
    assert reasons == {"ok", "missing-signature", "duplicate-header", "unknown-app", "bad-nonce", "time-outside-window",
                       "bad-signature"}  # fmt: skip


def signed(scheme: sign.Scheme = SCHEME, *, key: Any = None, **fields: Any) -> tuple[Presented, dict[str, Any]]:
    """A request signed by our own code, and the keys that know its signer."""
    key = key or PROVIDER.generate()
    part = sign.Part(
        fields.get("method", "POST"), fields.get("path", "/a"), fields.get("query", ""),
        fields.get("headers", {"host": "h:1", "content-type": "application/json"}), sm3(fields.get("body", b"{}")),
    )  # fmt: skip
    made = sign.sign(scheme, Signer(PROVIDER, key), part, app="us", time_ms=NOW, nonce="n" * 20)
    shown = Presented(part.method, part.path, part.query, (*part.headers.items(), *made), part.digest)
    return shown, {"us": (key.public,)}


FORMS = [
    {"form": form, "text": text, "za": za, "hash": hashed}
    for form in ("raw", "der")
    for text in ("hex", "HEX", "base64")
    for za in (True, False)
    for hashed in ("single", "double")
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: "-".join(map(str, form.values())))
def test_what_we_sign_we_verify_in_every_profile_and_in_no_other(form: dict[str, Any]) -> None:
    """Rows S10, S11, S14 and S17: what the profile does not say is refused, never tried."""
    shown, keys = signed(with_signature(**form))
    for other in FORMS:
        outcome = sign.verify(with_signature(**other), PROVIDER, shown, keys, NOW, WINDOW)
        assert isinstance(outcome, Signed if other == form else Denied), other


def test_time_in_seconds_when_the_profile_says_so() -> None:
    scheme = sign.read_scheme({**toml("qiaokou")["signing"], "time": "s"})
    shown, keys = signed(scheme)
    outcome = sign.verify(scheme, PROVIDER, shown, keys, NOW, WINDOW)
    assert isinstance(outcome, Signed)
    assert outcome.time_ms == NOW // 1000 * 1000


def test_a_changing_platform_may_have_two_keys() -> None:
    shown, keys = signed()
    both = {"us": (PROVIDER.generate().public, *keys["us"])}
    assert isinstance(sign.verify(SCHEME, PROVIDER, shown, both, NOW, WINDOW), Signed)


_TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)


@settings(max_examples=60)
@given(
    st.sampled_from(
        ["method", "raw_path", "raw_query", "body", "host", "content-type", "content-range", "app", "time", "nonce"]
    ),
    _TEXT.filter(bool),
)
def test_J19_no_covered_part_can_be_changed(part: str, other: str) -> None:
    shown, keys = signed()
    keys[other] = keys["us"]
    names = {"app": SCHEME.headers.app, "time": SCHEME.headers.time, "nonce": SCHEME.headers.nonce}
    headers = dict(shown.headers)
    if part == "body":
        moved = Presented(shown.method, shown.raw_path, shown.raw_query, shown.headers, sm3(other.encode()))
    elif part in ("method", "raw_path", "raw_query"):
        moved = Presented(
            other if part == "method" else shown.method, other if part == "raw_path" else shown.raw_path,
            other if part == "raw_query" else shown.raw_query, shown.headers, shown.body_digest,
        )  # fmt: skip
    else:
        headers[names.get(part, part)] = other
        moved = Presented(shown.method, shown.raw_path, shown.raw_query, tuple(headers.items()), shown.body_digest)
    if moved == shown or (part == "host" and other.lower() == "h:1"):
        return
    assert isinstance(sign.verify(SCHEME, PROVIDER, moved, keys, NOW, WINDOW), Denied)


@pytest.mark.parametrize("field", sorted(sign.MANDATORY))
def test_J19_a_scheme_that_leaves_a_part_uncovered_is_refused(field: str) -> None:
    table = toml("qiaokou")["signing"]
    table["fields"].remove(field)
    with pytest.raises(Untranslatable) as caught:
        sign.read_scheme(table)
    assert caught.value.code == "signing-uncovered"


@pytest.mark.parametrize("separator", ["", ",", "&", "\n\n", "ab"])
def test_K07_a_separator_that_can_stand_in_a_value_is_refused(separator: str) -> None:
    with pytest.raises(Untranslatable):
        sign.read_scheme({**toml("qiaokou")["signing"], "separator": separator})


def test_K07_a_part_with_the_separator_in_it_is_refused() -> None:
    shown, keys = signed()
    headers = tuple((n, "h:1\napplication/json" if n == "host" else v) for n, v in shown.headers)
    moved = Presented(shown.method, shown.raw_path, shown.raw_query, headers, shown.body_digest)
    outcome = sign.verify(SCHEME, PROVIDER, moved, keys, NOW, WINDOW)
    assert isinstance(outcome, Denied)
    with pytest.raises(ValueError, match="control character"):
        signed(headers={"host": "h\n1"})


def test_J17_an_unknown_app_id_costs_a_verification_too() -> None:
    counted: list[int] = []

    class Counting:
        def verify_digest(self, *args: Any) -> bool:
            counted.append(1)
            return bool(PROVIDER.verify_digest(*args))

    shown, keys = signed()
    for known in (keys, {}):
        counted.clear()
        sign.verify(SCHEME, Counting(), shown, known, NOW, WINDOW)  # type: ignore[arg-type]
        assert len(counted) == 1


def test_the_signer_id_is_the_profiles() -> None:
    scheme = with_signature(signer_id="ALICE123@YAHOO.COM")
    key = PROVIDER.generate()
    shown, keys = signed(scheme, key=key)
    assert isinstance(sign.verify(scheme, PROVIDER, shown, keys, NOW, WINDOW), Signed)
    outcome = sign.verify(SCHEME, PROVIDER, shown, keys, NOW, WINDOW)
    assert isinstance(outcome, Denied)
    assert outcome.code == "bad-signature"


def with_signature(**changes: Any) -> sign.Scheme:
    table = toml("qiaokou")["signing"]
    return sign.read_scheme({**table, "signature": {**table["signature"], **changes}})
