"""What a ``[signing]`` table may not say, round trips of every scheme, and what no vector can show: time, replay, decoys."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import Denied, Presented, Signed, Untranslatable
from adapters.rest_signed import bearer, composed, envelope, headers, keys, sign
from adapters.rest_signed.rehearsal import rehearse
from signing.sm2 import PrivateKey, PublicKey, Signer
from signing.sm3 import sm3
from tests.unit.adapters.support import PROVIDER, toml
from tests.unit.adapters.test_rest_schemes import own_key

NOW, WINDOW, SECRET = 1_767_225_600_000, 300_000, b"s" * 32
PROFILES = ["qiaokou", "hubei", "wuhan", "yueyang", "xiamen_yibao"]
KEY = PROVIDER.generate()
HUBEI, WUHAN = (toml(name)["signing"]["headers"] for name in ("hubei", "wuhan"))
XIAMEN, SORTED = toml("xiamen_yibao")["signing"]["envelope"], toml("wuhan")["signing"]["sorted"]
NAMES = st.from_regex(r"[A-Za-z0-9_.-]{1,12}", fullmatch=True)
PATHS = st.from_regex(r"(/[A-Za-z0-9._~%-]{0,8}){1,4}", fullmatch=True)
QUERIES = st.dictionaries(NAMES, st.from_regex(r"[A-Za-z0-9._~%=+:,-]{0,12}", fullmatch=True), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs.items())
)


def table(name: str, **changes: Any) -> dict[str, Any]:
    return {**toml(name)["signing"], **changes}


@lru_cache
def pair(algorithm: str) -> tuple[Any, Any]:
    """A signing key and what verifies it."""
    if algorithm == "HMAC-SM3":
        return SECRET, SECRET
    if algorithm == "SM2":
        return Signer(PROVIDER, KEY), KEY.public
    own: Any = keys.own_key(algorithm, {"key": own_key(algorithm)})
    return own, own.public_key()


def asked(scheme: sign.Scheme, key: Any, part: sign.Part, **more: Any) -> Presented:
    """The request with its proof."""
    said = {"app": "us", "time_ms": NOW, "nonce": "n" * 32, "them": "them", **more}
    made = sign.sign(scheme, key, part, **said)
    return Presented(part.method, part.path, part.query, (*part.headers.items(), *made), part.digest)


def judged(scheme: sign.Scheme, shown: Presented, known: Any, now_ms: int = NOW, us: str = "them") -> Signed | Denied:
    return sign.verify(scheme, PROVIDER, shown, known, now_ms, WINDOW, us)


def part(**changes: Any) -> sign.Part:
    fields = {"method": "POST", "path": "/a", "query": "", "headers": {"host": "h:1"}, "digest": sm3(b"{}")}
    return sign.Part(**{**fields, **changes})


SCHEMES = [(name, "") for name in PROFILES] + [("yueyang", "ES256"), ("yueyang", "RS256")]


@pytest.mark.parametrize(("name", "algorithm"), SCHEMES)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_what_we_prove_holds_and_for_no_other_request(name: str, algorithm: str, data: st.DataObject) -> None:
    """J18, K04: any target, any covered header; one part changed and it is refused."""
    scheme = sign.read_scheme(table(name, **({"algorithm": algorithm} if algorithm else {})))
    own, known = pair(scheme.algorithm)
    said = part(path=data.draw(PATHS), query=data.draw(QUERIES), digest=data.draw(st.binary(min_size=32, max_size=32)),
                headers={"host": "h:1", **data.draw(st.dictionaries(st.sampled_from(scheme.covered), NAMES))})  # fmt: skip
    shown = asked(scheme, own, said)
    assert judged(scheme, shown, {"us": (known,)}) == Signed("us", "n" * 32, NOW)
    other = data.draw(st.sampled_from([
        {"method": "PUT"}, {"raw_path": said.path + "x"}, {"raw_query": f"{said.query}&zz=1" if said.query else "zz=1"},
        {"body_digest": sm3(said.digest)},
    ]))  # fmt: skip
    assert isinstance(judged(scheme, msgspec.structs.replace(shown, **other), {"us": (known,)}), Denied)


def edited(data: st.DataObject, text: str) -> str:
    """The text with one character replaced, put in or taken out."""
    place, letter = (
        data.draw(st.integers(0, len(text) - 1)),
        data.draw(st.characters(min_codepoint=0x20, max_codepoint=0x7E)),
    )
    kept = data.draw(st.sampled_from([text[place:], text[place + 1 :]]))
    return text[:place] + data.draw(st.sampled_from(["", letter])) + kept


@pytest.mark.parametrize(("name", "algorithm"), SCHEMES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_J12_no_character_of_a_proof_can_be_changed(name: str, algorithm: str, data: st.DataObject) -> None:
    scheme = sign.read_scheme(table(name, **({"algorithm": algorithm} if algorithm else {})))
    own, known = pair(scheme.algorithm)
    shown = asked(scheme, own, part())
    named = sorted(one for one in msgspec.structs.astuple(scheme.headers) if one)
    chosen = data.draw(st.sampled_from(named))
    moved = tuple((one, edited(data, value) if one == chosen else value) for one, value in shown.headers)
    if moved != shown.headers:
        assert isinstance(judged(scheme, msgspec.structs.replace(shown, headers=moved), {"us": (known,)}), Denied)


@pytest.mark.parametrize(("name", "algorithm"), SCHEMES)
def test_a_caller_of_whom_we_hold_no_key_is_nobody(name: str, algorithm: str) -> None:
    """Also one who signs with the decoy's key, which everybody can: it stands in for a key and never is one (J17)."""
    scheme = sign.read_scheme(table(name, **({"algorithm": algorithm} if algorithm else {})))
    decoy = {"SM2": Signer(PROVIDER, PrivateKey(1, keys.DECOYS["SM2"])), "HMAC-SM3": keys.DECOYS["HMAC-SM3"]}  # type: ignore[arg-type]
    shown = asked(scheme, decoy.get(scheme.algorithm) or pair(scheme.algorithm)[0], part())
    for known in ({}, {"us": ()}):
        outcome = judged(scheme, shown, known)
        assert isinstance(outcome, Denied)
        assert outcome.code == "unknown-app"


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("field", ["method", "path", "query", "digest"])
def test_J19_a_scheme_that_leaves_a_part_uncovered_is_refused(name: str, field: str) -> None:
    fields = [one for one in table(name)["fields"] if one != field]
    with pytest.raises(Untranslatable) as caught:
        sign.read_scheme(table(name, fields=fields))
    assert caught.value.code == "signing-uncovered"


TABLES: list[tuple[str, str, dict[str, Any], str]] = [
    ("a scheme that nobody knows", "wuhan", {"scheme": "basic"}, "signing-unreadable"),
    ("tif without a header that binds", "hubei", {"headers": {**HUBEI, "binding": ""}}, "signing-headers"),
    ("one header for two parts", "wuhan", {"headers": {**WUHAN, "nonce": "x-wh-sign"}}, "signing-headers"),
    ("a header name in capitals", "wuhan", {"headers": {**WUHAN, "nonce": "X-N"}}, "signing-unreadable"),
    ("a token under a shared secret", "yueyang", {"algorithm": "HMAC-SM3"}, "signing-algorithm"),
    ("ES256 in a header", "wuhan", {"algorithm": "ES256"}, "signing-algorithm"),
    ("tif by SM2", "hubei", {"algorithm": "SM2"}, "signing-algorithm"),
    ("a token that lives for an hour", "yueyang", {"bearer": {"lifetime_s": 3600}}, "signing-unreadable"),
    ("a signature in binary", "wuhan", {"signature": {"text": "binary"}}, "signing-unreadable"),
    ("a ciphertext in binary", "xiamen_yibao", {"envelope": {**XIAMEN, "text": "binary"}},
     "signing-unreadable"),
    ("SM4 in ECB", "xiamen_yibao", {"envelope": {**XIAMEN, "cipher": "ECB"}}, "signing-unreadable"),
    ("two members of one name", "xiamen_yibao", {"envelope": {**XIAMEN, "app": "timestamp"}},
     "signing-envelope"),
    ("one separator of two", "wuhan", {"sorted": {**SORTED, "pair": ""}}, "signing-sorted"),
    ("two parameters of one name", "wuhan",
     {"sorted": {**SORTED, "parameters": {"app": "a", "time": "a", "nonce": "b", "request": "c"}}},
     "signing-sorted"),
    ("a fixed header that is one of the proof", "hubei", {"fixed": {"x-tif-nonce": "1"}}, "signing-headers"),
    ("a fixed header in two lines", "hubei", {"fixed": {"x-tif-serviceid": "a\r\nb"}}, "signing-unreadable"),
    ("a nonce that is no pattern", "wuhan", {"nonce": "["}, "signing-unreadable"),
    ("sorting around a token", "yueyang", {"sorted": SORTED}, "signing-sorted"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "name", "change", "code"), TABLES, ids=[row[0] for row in TABLES])
def test_a_table_that_cannot_work_is_refused(what: str, name: str, change: dict[str, Any], code: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        sign.read_scheme(table(name, **change))
    assert caught.value.code == code
    assert caught.value.zh and caught.value.en and caught.value.path.startswith("signing")


def test_a_header_that_the_platforms_gateway_wants_goes_with_our_calls() -> None:
    scheme = sign.read_scheme(table("hubei", fixed={"x-tif-serviceid": "tongban"}))
    shown = asked(scheme, SECRET, part())
    assert ("x-tif-serviceid", "tongban") in shown.headers
    assert isinstance(judged(scheme, shown, {"us": (SECRET,)}), Signed)


@pytest.mark.parametrize(("name", "algorithm"), SCHEMES)
def test_a_scheme_is_rehearsed_before_its_platform_is_there(name: str, algorithm: str) -> None:
    given = table(name, **({"algorithm": algorithm} if algorithm else {}))
    rehearse(sign.read_scheme(given), PROVIDER)
    with pytest.raises(Untranslatable) as caught:
        rehearse(sign.read_scheme({**given, "nonce": "[0-9]{20}"}), PROVIDER)
    assert caught.value.code == "signing-unsound"


# --- K07: parameters without a border ---------------------------------------------------------------------------------

BARE = {**SORTED, "pair": "", "join": "", "query": False}


def test_K07_without_separators_two_requests_make_one_string() -> None:
    """The weakness of the family: ``ab`` + ``c`` is ``a`` + ``bc``. This is why the next test refuses the table."""
    form = msgspec.convert({**BARE, "query": True}, composed.Sorted)
    one, two = (composed.put_together(form, {"t": "1"}, query) for query in ("ab=c", "a=bc"))
    assert one == two is not None


@pytest.mark.parametrize(
    "change", [{"query": True}, {"nonce": "[a-z0-9]{16,64}"}, {"nonce": "[a-z0-9]+"}, {"nonce": "a*[0-9]{32}"}]
)
def test_K07_such_a_table_is_refused_unless_every_value_has_one_width(change: dict[str, Any]) -> None:
    nonce = change.pop("nonce", "[0-9a-f]{32}")
    with pytest.raises(Untranslatable) as caught:
        sign.read_scheme(table("wuhan", nonce=nonce, sorted={**BARE, **change}))
    assert caught.value.code == "signing-collision"


def test_K07_with_values_of_one_width_it_works_and_the_query_is_covered_all_the_same() -> None:
    scheme = sign.read_scheme(table("wuhan", nonce="[0-9a-z]{32}", sorted=BARE))
    shown = asked(scheme, SECRET, part(query="ab=c"))
    assert isinstance(judged(scheme, shown, {"us": (SECRET,)}), Signed)
    moved = msgspec.structs.replace(shown, raw_query="a=bc")
    assert judged(scheme, moved, {"us": (SECRET,)}) == headers.BAD


def test_K07_the_x_tif_string_has_no_separators_and_its_widths_keep_it_apart() -> None:
    assert headers.tif(b"t" * 32 + b"ab", "1767225600", "c" * 16) == headers.tif(
        b"t" * 32, "1767225600", "ab" + "c" * 16
    )
    scheme = sign.read_scheme(table("hubei"))
    shown = asked(scheme, b"t" * 32 + b"ab", part(), nonce="c" * 16)
    moved = tuple((name, "ab" + "c" * 16 if name == "x-tif-nonce" else value) for name, value in shown.headers)
    outcome = judged(scheme, msgspec.structs.replace(shown, headers=moved), {"us": (b"t" * 32,)})
    assert outcome == headers.BAD, "the header that binds has borders"


@pytest.mark.parametrize(("empty", "there"), [("keep", b"a=&t=1"), ("skip", b"t=1")])
def test_K08_an_empty_parameter_is_written_as_the_profile_says(empty: str, there: bytes) -> None:
    form = msgspec.convert({**SORTED, "empty": empty}, composed.Sorted)
    assert composed.put_together(form, {"t": "1"}, "a=") == there
    assert composed.put_together(form, {"t": "1"}, "") == b"t=1"
    scheme = sign.read_scheme(table("wuhan", sorted={**SORTED, "empty": empty}))
    shown = asked(scheme, SECRET, part(query="a="))
    for other in ("", "a", "a=null"):
        assert judged(scheme, msgspec.structs.replace(shown, raw_query=other), {"us": (SECRET,)}) == headers.BAD


# --- J16, J17, J05, times ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [b"", b"short", b"s" * 31])
def test_J16_a_short_secret_stops_the_start(secret: bytes) -> None:
    with pytest.raises(Untranslatable) as caught:
        keys.verifying("HMAC-SM3", (), {"secret": secret})
    assert caught.value.code == "secret-short"
    assert "s" * 5 not in caught.value.zh + caught.value.en


def test_a_shared_secret_may_change_without_a_gap() -> None:
    scheme = sign.read_scheme(table("wuhan"))
    known = {"us": keys.verifying("HMAC-SM3", (), {"secret": b"n" * 32, "former_secret": SECRET})}
    assert isinstance(judged(scheme, asked(scheme, SECRET, part()), known), Signed)


WRONG_KEYS = [("SM2", "rsa"), ("SM2", "p256"), ("ES256", "sm2"), ("ES256", "rsa"), ("ES256", "p384"), ("RS256", "p256"),
              ("RS256", "small"),
              ("ES256", "text"), ("RS256", "text"), ("SM2", "text")]  # fmt: skip


@pytest.mark.parametrize(("algorithm", "kind"), WRONG_KEYS)
def test_J03_a_key_of_another_kind_is_not_taken(algorithm: str, kind: str) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    made: dict[str, Any] = {
        "rsa": lambda: rsa.generate_private_key(65537, 2048), "small": lambda: rsa.generate_private_key(65537, 1024),
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()), "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    }  # fmt: skip
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    text = {"sm2": KEY.public.point.hex(), "text": "no key"}.get(kind) or made[kind]().public_key().public_bytes(
        *form
    ).decode()
    with pytest.raises(Untranslatable) as caught:
        keys.verifying(algorithm, (text,), {})
    assert caught.value.code == "public-key-unreadable"


def test_J03_our_own_private_key_has_to_fit_too() -> None:
    for algorithm, pem in [("ES256", own_key("RS256")), ("RS256", own_key("ES256")), ("ES256", b"x" * 40)]:
        with pytest.raises(Untranslatable) as caught:
            keys.own_key(algorithm, {"key": pem})
        assert caught.value.code == "private-key-unreadable"


class Counting:
    """A provider that counts verifications."""

    def __init__(self) -> None:
        self.count = 0

    def verify_digest(self, public: PublicKey, digest: bytes, r: int, s: int) -> bool:
        self.count += 1
        return bool(PROVIDER.verify_digest(public, digest, r, s))


def test_J17_whoever_is_unknown_costs_one_verification_as_a_bad_signature_does() -> None:
    """Counted, not timed: an unknown issuer, an unknown key id, a bad signature."""
    scheme, stranger = sign.read_scheme(table("yueyang")), PROVIDER.generate()
    shown = asked(scheme, Signer(PROVIDER, KEY), part())
    other = asked(scheme, Signer(PROVIDER, stranger), part())
    for one, known in [(shown, {}), (other, {"us": (KEY.public,)}), (shown, {"us": (KEY.public,)})]:
        counting = Counting()
        sign.verify(scheme, counting, one, known, NOW, WINDOW, "them")  # type: ignore[arg-type]
        assert counting.count == 1


def test_J04_a_key_id_names_one_of_the_callers_own_keys() -> None:
    scheme, second = sign.read_scheme(table("yueyang")), PROVIDER.generate()
    shown = asked(scheme, Signer(PROVIDER, KEY), part())
    known = {"us": (second.public,), "other": (KEY.public,)}
    assert judged(scheme, shown, known) == bearer.BAD
    assert isinstance(judged(scheme, shown, {"us": (second.public, KEY.public)}), Signed)


def test_J05_nothing_is_fetched_for_a_token() -> None:
    from tests.unit.adapters.test_rest_schemes import DATA, opened, presented

    with socket.socket() as canary:
        canary.bind(("127.0.0.1", 0))
        canary.listen()
        canary.setblocking(False)
        row = next(row for row in DATA["rows"] if row["profile"] == "yueyang" and not row["algorithm"])
        for vector in row["vectors"]:
            if vector["name"].startswith("J05"):
                opened("yueyang", "", row["public_key"]).authenticate(presented(vector), DATA["now_ms"])
        scheme = sign.read_scheme(table("yueyang"))
        address = f"http://127.0.0.1:{canary.getsockname()[1]}/"
        framer = bearer._framer("SM2", "SM2", scheme.signature, PROVIDER)
        for name in ("jku", "x5u"):
            token = framer.encode(b'{"iss":"us"}', Signer(PROVIDER, KEY), algorithm="SM2", headers={name: address})  # type: ignore[arg-type]
            shown = msgspec.structs.replace(asked(scheme, Signer(PROVIDER, KEY), part()),
                                            headers=(("host", "h:1"), ("authorization", f"Bearer {token}")))  # fmt: skip
            assert judged(scheme, shown, {"us": (KEY.public,)}) == bearer.TOKEN
        with pytest.raises(BlockingIOError):
            canary.accept()


def test_J15_a_long_token_is_refused_before_anything_is_decoded() -> None:
    scheme = sign.read_scheme(table("yueyang"))
    for token in ("A" * (2 << 20), "." * 10**6, "A.A." + "A" * (2 << 20)):
        shown = Presented("POST", "/a", "", (("host", "h:1"), ("authorization", f"Bearer {token}")), sm3(b""))
        assert judged(scheme, shown, {}) == bearer.TOKEN
        assert sign.app_of(scheme, shown.headers) == ""


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_no_text_in_the_place_of_a_proof_makes_a_fault(text: str) -> None:
    for name in PROFILES:
        scheme = sign.read_scheme(table(name))
        named = {one for one in msgspec.structs.astuple(scheme.headers) if one}
        shown = Presented("POST", "/a", "", (("host", "h:1"), *((one, text) for one in named)), sm3(b""))
        assert isinstance(judged(scheme, shown, {"us": (pair(scheme.algorithm)[1],)}), Denied)
        sign.app_of(scheme, shown.headers)


# --- encrypted bodies -------------------------------------------------------------------------------------------------

FORMS = [
    {"cipher": cipher, "text": text, "unit": unit}
    for cipher in ("CBC", "GCM")
    for text in ("hex", "HEX", "base64")
    for unit in ("ms", "s")
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: "-".join(form.values()))
@settings(max_examples=10, deadline=None)
@given(clear=st.binary(max_size=300), random=st.binary(min_size=16, max_size=16))
def test_an_envelope_opens_as_it_was_closed_and_in_no_other_form(
    form: dict[str, Any], clear: bytes, random: bytes
) -> None:
    made = {**XIAMEN, **form}
    own = msgspec.convert(made, envelope.Envelope)
    shut = envelope.close(own, Signer(PROVIDER, KEY), b"k" * 16, clear, app="us", time_ms=NOW, random=random)

    def opened(how: Any, key: bytes = b"k" * 16, app: str = "us", now_ms: int = NOW) -> bytes | Denied:
        return envelope.open_(how, PROVIDER, (KEY.public,), key, shut, app=app, now_ms=now_ms, window_ms=WINDOW)

    assert opened(own) == clear
    assert opened(own, app="them") == envelope.ENVELOPE
    assert opened(own, now_ms=NOW + WINDOW + 1000) == envelope.TIME
    other = msgspec.convert({**made, "unit": "s" if form["unit"] == "ms" else "ms"}, envelope.Envelope)
    assert opened(other) == envelope.TIME
    if form["cipher"] == "GCM":
        assert opened(own, key=b"x" * 16) == envelope.SEALED


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_character_of_an_envelope_can_be_changed_but_its_blanks(data: st.DataObject) -> None:
    own = sign.read_scheme(table("xiamen_yibao")).envelope
    assert own is not None
    shut = envelope.close(own, Signer(PROVIDER, KEY), b"k" * 16, b"clear", app="us", time_ms=NOW, random=b"r" * 16)
    moved = edited(data, shut.decode()).encode()
    opened = envelope.open_(own, PROVIDER, (KEY.public,), b"k" * 16, moved, app="us", now_ms=NOW, window_ms=WINDOW)
    assert isinstance(opened, Denied) or moved.replace(b" ", b"") == shut


@given(st.binary(max_size=300))
def test_no_bytes_in_the_place_of_an_envelope_make_a_fault(body: bytes) -> None:
    own = sign.read_scheme(table("xiamen_yibao")).envelope
    assert own is not None
    assert (
        envelope.open_(own, PROVIDER, (KEY.public,), b"k" * 16, body, app="us", now_ms=NOW, window_ms=WINDOW)
        == envelope.ENVELOPE
    )
