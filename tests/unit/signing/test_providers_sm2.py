"""The providers against each other and against gmalg, and what each must never do (nonces, forks, stale errors)."""

from __future__ import annotations

import ast
import ctypes
import os
import runpy
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gmalg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import curve, sm2
from signing.errors import Malformed, Unavailable
from signing.nonces import NonceWatch
from signing.providers import open_provider, pure, selftest
from signing.sm2 import DEFAULT_ID, N, PrivateKey, PublicKey
from tests.sizes import ROOT

LIBCRYPTO = open_provider("libcrypto:")
PURE = open_provider("pure:?sign=allow")
GMSSL = open_provider("gmssl:")
PRIVATE = PrivateKey(selftest.D, selftest.PUBLIC)
CLUMSY = {0x00, 0x04, 0x40, 0x44}


def _walk(count: int) -> list[PrivateKey]:
    """The keys d, d+1, … from a random d."""
    d = 1 + secrets.randbelow(N - 2 - count)
    first = curve.ladder(d, curve.GX, curve.GY)
    assert first is not None
    point: curve.Jacobian = (*first, 1)
    points = []
    for _ in range(count):
        points.append(point)
        point = curve.add(point, (curve.GX, curve.GY))
    return [PrivateKey(d + n, PublicKey(int(x), int(y))) for n, (x, y) in enumerate(curve.normalise(points))]


def _cross(private: PrivateKey) -> None:
    e = secrets.token_bytes(32)
    for signer, verifier in ((LIBCRYPTO, PURE), (PURE, LIBCRYPTO)):
        r, s = signer.sign_digest(private, e)
        assert verifier.verify_digest(private.public, e, r, s), f"{signer.uri} -> {verifier.uri}: d = {private.d:x}"
        assert not verifier.verify_digest(private.public, e, r, s ^ 1), f"accepted by {verifier.uri}: d = {private.d:x}"


def test_S22_two_thousand_random_keys_in_both_directions() -> None:
    for _ in range(2000):
        d = 1 + secrets.randbelow(N - 2)
        point = curve.to_affine(curve.total(pure._generator().pick(d)))
        assert point is not None
        _cross(PrivateKey(d, PublicKey(*point)))


def test_S22_keys_whose_x_starts_with_00_04_40_44() -> None:
    clumsy = [private for private in _walk(12_000) if private.public.x >> 248 in CLUMSY]
    assert {private.public.x >> 248 for private in clumsy} == CLUMSY
    for private in clumsy:
        _cross(private)
        assert LIBCRYPTO.load(private.d) == private
        assert PublicKey.from_bytes(private.public.point[1:]) == private.public


def test_two_hundred_keys_against_gmalg_in_both_directions() -> None:
    for number, private in enumerate([*_walk(170), *[p for p in _walk(4000) if p.public.x >> 248 in CLUMSY][:30]]):
        signer_id, message = secrets.token_bytes(1 + number % 40), secrets.token_bytes(number)
        other = gmalg.SM2(private.d.to_bytes(32, "big"), signer_id, private.public.point)
        raw = sm2.sign(
            LIBCRYPTO if number & 1 else PURE, private, message, signer_id=signer_id, encoding=sm2.Encoding.RAW
        )
        assert other.verify(message, raw[:32], raw[32:])
        theirs = b"".join(part.rjust(32, b"\0") for part in other.sign(message))  # it drops leading zeros
        for ours in (LIBCRYPTO, PURE):
            assert sm2.verify(ours, private.public, message, theirs, signer_id=signer_id, encoding=sm2.Encoding.RAW), (
                f"{ours.uri}: d = {private.d:x}"
            )


def test_a_hundred_keys_with_gmssl_as_second_opinion() -> None:
    for private in _walk(100):
        e = secrets.token_bytes(32)
        r, s = LIBCRYPTO.sign_digest(private, e)
        assert GMSSL.verify_digest(private.public, e, r, s)
        assert not GMSSL.verify_digest(private.public, e[::-1], r, s)


def test_encryption_against_gmalg_in_both_directions() -> None:
    for number, private in enumerate(_walk(12), 1):
        plaintext = secrets.token_bytes(number * 7)
        other = gmalg.SM2(private.d.to_bytes(32, "big"), DEFAULT_ID, private.public.point)
        for ours in (LIBCRYPTO, PURE):
            assert other.decrypt(ours.encrypt(private.public, plaintext)) == plaintext
            assert ours.decrypt(private, other.encrypt(plaintext)) == plaintext


@pytest.mark.parametrize("provider", [LIBCRYPTO, PURE], ids=lambda provider: provider.uri)
def test_generated_keys_are_whole_and_different(provider: Any) -> None:
    made = [provider.generate() for _ in range(20)]
    assert len({private.d for private in made}) == 20
    for private in made:
        assert provider.load(private.d) == private
    assert len({provider.random(16) for _ in range(20)}) == 20
    assert len(provider.random(33)) == 33


# --- tables of the pure provider --------------------------------------------------------------------------------------


def _pick(point: PublicKey, k: int) -> curve.Affine | None:
    return curve.to_affine(curve.total(curve.Table(point.x, point.y).pick(k)))


@given(st.integers(0, (1 << 256) - 1))
def test_the_comb_multiplies_as_the_ladder_does(k: int) -> None:
    assert curve.generated(k) == curve.ladder(k, curve.GX, curve.GY)


@pytest.mark.parametrize(
    "k", [0, 1, 2, 127, 128, 129, 255, 256, 257, N - 2, N - 1, 1 << 255, (1 << 248) - 1, 0x80 << 240]
)
def test_three_ways_to_multiply_agree(k: int) -> None:
    for point in (PublicKey(curve.GX, curve.GY), selftest.PUBLIC):
        slow = curve.ladder(k, point.x, point.y)
        assert _pick(point, k) == slow
        assert curve.to_affine(curve.windowed(k, curve.small_table(point.x, point.y))) == slow
        assert slow is None or curve.on_curve(*slow)
    assert curve.generated(k) == curve.ladder(k, curve.GX, curve.GY)


def test_sums_with_equal_and_opposite_points() -> None:
    g, minus = (curve.GX, curve.GY), (curve.GX, curve.P - curve.GY)
    assert curve.to_affine(curve.total([g] * 40)) == curve.ladder(40, *g)
    assert curve.to_affine(curve.total([g, minus] * 20)) is None
    assert curve.to_affine(curve.total([g, minus] * 20 + [g])) == g
    assert curve.to_affine(curve.total([])) is None
    assert curve.ladder(N, *g) is None


def test_a_public_key_may_be_the_generator_or_its_opposite() -> None:
    for d in (1, N - 2):
        private = PURE.load(d)
        for _ in range(pure.PROMOTE + 3):
            _cross(private)


def test_a_key_earns_its_table_and_loses_it_to_busier_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pure, "TABLES", 2)
    monkeypatch.setattr(pure, "PROMOTE", 3)
    provider = pure.Pure()
    built: list[PublicKey] = []
    inner = curve.Table
    monkeypatch.setattr(curve, "Table", lambda x, y: built.append(PublicKey(x, y)) or inner(x, y))
    crowd = _walk(4)
    e = secrets.token_bytes(32)
    signed = {private: PURE.sign_digest(private, e) for private in crowd}
    for _ in range(3):
        assert all(provider.verify_digest(private.public, e, *signed[private]) for private in crowd)
    assert built == []
    for _ in range(6):
        assert all(provider.verify_digest(private.public, e, *signed[private]) for private in crowd)
    assert 4 <= len(built) <= 8


def test_unknown_keys_build_no_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = pure.Pure()
    monkeypatch.setattr(curve, "Table", None)
    for private in _walk(50):
        provider.verify_digest(private.public, selftest.E, selftest.R, selftest.S)


def test_the_curve_without_gmpy2_is_the_same_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gmpy2", None)
    plain = runpy.run_path(curve.__file__)
    assert not plain["WIDE"]
    assert plain["ladder"](selftest.D, curve.GX, curve.GY) == (selftest.PUBLIC.x, selftest.PUBLIC.y)
    assert plain["generated"](selftest.D) == (selftest.PUBLIC.x, selftest.PUBLIC.y)


PLAIN_INTEGERS = """
import sys
sys.modules["gmpy2"] = None
from signing import curve, sm2
from signing.providers import open_provider
assert not curve.WIDE
ours, other = open_provider("pure:?sign=allow"), open_provider("libcrypto:")
private = other.generate()
for _ in range(30):
    e = other.random(32)
    assert ours.verify_digest(private.public, e, *other.sign_digest(private, e))
    assert other.verify_digest(private.public, e, *ours.sign_digest(private, e))
assert ours.decrypt(private, other.encrypt(private.public, b"x")) == b"x"
assert ours.load(private.d) == private
"""


def test_pure_works_without_gmpy2() -> None:
    subprocess.run([sys.executable, "-c", PLAIN_INTEGERS], cwd=ROOT, check=True, timeout=60)


# --- what chance never brings: made backwards from the answer --------------------------------------------------------------


def _x_of(k: int) -> int:
    point = curve.ladder(k, curve.GX, curve.GY)
    assert point is not None
    return point[0]


@pytest.mark.parametrize("provider", [LIBCRYPTO, PURE, GMSSL], ids=lambda provider: provider.uri)
def test_S03_t_is_0_though_the_equation_holds(provider: Any) -> None:
    s = 4711
    e = ((-s - _x_of(s)) % N).to_bytes(32, "big")
    assert not provider.verify_digest(selftest.PUBLIC, e, N - s, s)


@pytest.mark.parametrize("provider", [LIBCRYPTO, PURE, GMSSL], ids=lambda provider: provider.uri)
@pytest.mark.parametrize(
    ("r", "s", "good"),
    [
        (1, 4711, True), (4711, 1, True), (N - 1, 4711, True), (4711, N - 1, True), (1, 1, True),
        (0, 4711, False), (4711, 0, False), (N, 4711, False), (4711, N, False), (N + 1, 4711, False),
    ],
)  # fmt: skip
def test_S01_to_S05_the_ends_of_the_range_are_good_and_nothing_beyond(
    r: int, s: int, good: bool, provider: Any
) -> None:
    """No signature meets them in a lifetime; the digest is solved for: e = r - x of sG + tP."""
    parts = (curve.ladder(s, curve.GX, curve.GY), curve.ladder((r + s) % N, *_point(PRIVATE)))
    point = curve.to_affine(curve.total([part for part in parts if part is not None]))
    assert point is not None
    e = ((r - point[0]) % N).to_bytes(32)
    assert provider.verify_digest(PRIVATE.public, e, r, s) is good


@pytest.mark.parametrize("provider", [LIBCRYPTO, PURE, GMSSL], ids=lambda provider: provider.uri)
def test_S03_values_that_lead_to_the_point_at_infinity(provider: Any) -> None:
    t = 4711
    s = -t * PRIVATE.d % N
    e = ((t - s) % N).to_bytes(32, "big")  # what r would be if infinity had 0 for its x
    assert not provider.verify_digest(PRIVATE.public, e, (t - s) % N, s)


@pytest.mark.parametrize("provider", [LIBCRYPTO, PURE, GMSSL], ids=lambda provider: provider.uri)
def test_a_point_whose_x_lies_between_n_and_p(provider: Any) -> None:
    """One signature in 2^32 meets such a point; the public key is solved for: P = (R - sG) / t."""
    x = N
    while not curve.on_curve(x, y := pow(x**3 - 3 * x + sm2.B, (sm2.P + 1) // 4, sm2.P)):
        x += 1
    s, t = 1234567, 7654321
    minus = curve.ladder(N - s, curve.GX, curve.GY)
    rest = curve.to_affine(curve.total([(x, y), *([minus] if minus else [])]))
    assert rest is not None
    key = curve.ladder(pow(t, -1, N), *rest)
    assert key is not None
    r = (t - s) % N
    e = ((r - x) % N).to_bytes(32, "big")
    for _ in range(pure.PROMOTE + 2):
        assert provider.verify_digest(PublicKey(*key), e, r, s)
    assert not provider.verify_digest(PublicKey(*key), e, r, s + 1)


@pytest.mark.parametrize("forbidden", ["r is 0", "r plus k is n", "s is 0"])
def test_S26_a_nonce_that_gives_a_forbidden_value_is_drawn_again(
    forbidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    k = 4711
    r = {"r is 0": 0, "r plus k is n": N - k, "s is 0": k * pow(PRIVATE.d, -1, N)}[forbidden]
    e = ((r - _x_of(k)) % N).to_bytes(32, "big")
    draws = iter([k - 1, 815])
    monkeypatch.setattr(pure.secrets, "randbelow", lambda _: next(draws))
    r, s = PURE.sign_digest(PRIVATE, e)
    assert next(draws, None) is None
    assert LIBCRYPTO.verify_digest(PRIVATE.public, e, r, s)


def test_S30_a_nonce_whose_key_stream_is_zero_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    k = 1
    while sm2.seal_to_point(PRIVATE.public, PublicKey(*(curve.ladder(k, *_point(PRIVATE)) or (0, 0))), b"A"):
        k += 1
    draws = iter([k - 1, 815])
    monkeypatch.setattr(pure.secrets, "randbelow", lambda _: next(draws))
    assert LIBCRYPTO.decrypt(PRIVATE, PURE.encrypt(PRIVATE.public, b"A")) == b"A"
    assert next(draws, None) is None


def _point(private: PrivateKey) -> curve.Affine:
    return private.public.x, private.public.y


# --- nonces ----------------------------------------------------------------------------------------------------------------


def _nonces(provider: Any, count: int) -> set[int]:
    e = int.from_bytes(selftest.E, "big")
    return {(provider.sign_digest(PRIVATE, selftest.E)[0] - e) % N for _ in range(count)}


@pytest.mark.parametrize("provider", [LIBCRYPTO, PURE], ids=lambda provider: provider.uri)
def test_S26_no_nonce_repeats(provider: Any) -> None:
    assert len(_nonces(provider, 2000)) == 2000


@pytest.mark.long
@pytest.mark.parametrize("provider", [LIBCRYPTO, PURE], ids=lambda provider: provider.uri)
def test_S26_no_nonce_repeats_in_a_hundred_thousand(provider: Any) -> None:
    assert len(_nonces(provider, 100_000)) == 100_000


def test_S26_nothing_in_signing_can_reach_the_random_module() -> None:
    for path in (ROOT / "signing").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert "random" not in {name.partition(".")[0] for name in names}, path


@pytest.mark.parametrize("provider", [LIBCRYPTO, PURE], ids=lambda provider: provider.uri)
def test_S27_forked_workers_share_no_nonce(provider: Any) -> None:
    provider.sign_digest(PRIVATE, selftest.E)
    seen: list[bytes] = []
    for _ in range(16):
        reader, writer = os.pipe()
        if os.fork() == 0:
            try:
                r, s = provider.sign_digest(PRIVATE, selftest.E)
                good = provider.verify_digest(PRIVATE.public, selftest.E, r, s)
                os.write(writer, r.to_bytes(32, "big") + provider.random(32) if good else b"")
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as stream:
            seen.append(stream.read())
        os.wait()
    assert {len(answer) for answer in seen} == {64}
    assert len({answer[:32] for answer in seen}) == len({answer[32:] for answer in seen}) == 16


def _sign_with(k: int, e: bytes) -> tuple[int, int]:
    point = curve.ladder(k, curve.GX, curve.GY)
    assert point is not None
    r = (int.from_bytes(e, "big") + point[0]) % N
    return r, (k - r * PRIVATE.d) * pow(1 + PRIVATE.d, -1, N) % N


def test_S25_a_nonce_used_twice_is_noticed_and_would_give_the_key_away() -> None:
    first, second = secrets.token_bytes(32), secrets.token_bytes(32)
    (r1, s1), (r2, s2) = _sign_with(4711, first), _sign_with(4711, second)
    assert PRIVATE.d == (s2 - s1) * pow(s1 + r1 - s2 - r2, -1, N) % N
    watch = NonceWatch()
    assert not watch.reused(PRIVATE.public, first, r1)
    assert not watch.reused(PRIVATE.public, first, r1), "the same signature again is no reuse"
    assert not watch.reused(PRIVATE.public, second, PURE.sign_digest(PRIVATE, second)[0])
    assert not watch.reused(PublicKey(curve.GX, curve.GY), second, r2), "another key may draw the same number"
    assert watch.reused(PRIVATE.public, second, r2)


def test_S25_the_watch_keeps_a_bounded_memory() -> None:
    watch = NonceWatch(capacity=3)
    digests = [secrets.token_bytes(32) for _ in range(5)]
    for e in digests:
        watch.reused(PRIVATE.public, e, _sign_with(secrets.randbelow(N - 1) + 1, e)[0])
    assert len(watch._seen) == 3


# --- behaviour of libcrypto -------------------------------------------------------------------------------------------------


def test_refusals_leave_no_error_for_others() -> None:
    library = ctypes.PyDLL(LIBCRYPTO._lib.path)  # type: ignore[attr-defined]
    library.ERR_peek_error.restype = ctypes.c_ulong
    r, s = LIBCRYPTO.sign_digest(PRIVATE, selftest.E)
    for bad in ((r, s ^ 1), (r ^ 1, s), (1, 1), (N - 1, 1), (0, s)):
        assert not LIBCRYPTO.verify_digest(PRIVATE.public, selftest.E, *bad)
        assert library.ERR_peek_error() == 0
    with pytest.raises(Malformed):
        LIBCRYPTO.decrypt(PRIVATE, selftest.CIPHERTEXT[:-1] + b"\0")
    assert library.ERR_peek_error() == 0


@pytest.mark.parametrize("provider", [LIBCRYPTO, pure.Pure(may_sign=True)], ids=lambda provider: provider.uri)
def test_threads_share_a_provider(provider: Any) -> None:
    crowd = _walk(8)

    def work(number: int) -> bool:
        private, e = crowd[number % 8], number.to_bytes(32, "big")
        r, s = provider.sign_digest(private, e)
        return provider.verify_digest(private.public, e, r, s) and not provider.verify_digest(private.public, e, s, r)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(400)))


REFUSALS = {
    "RAND_bytes": (lambda one: one.random(4), "libcrypto-random"),
    "EVP_PKEY_fromdata_init": (lambda one: one.encrypt(one.load(7).public, b"m"), "libcrypto-key"),
    "EVP_PKEY_fromdata": (lambda one: one.sign_digest(one.load(8), selftest.E), "libcrypto-key"),
    "EVP_PKEY_sign_init": (lambda one: one.sign_digest(PRIVATE, selftest.E), "libcrypto-sign"),
    "EVP_PKEY_sign": (lambda one: one.sign_digest(PRIVATE, selftest.E), "libcrypto-sign"),
    "EVP_PKEY_encrypt_init": (lambda one: one.encrypt(PRIVATE.public, b"m"), "libcrypto-encrypt"),
    "EVP_PKEY_encrypt": (lambda one: one.encrypt(PRIVATE.public, b"m"), "libcrypto-encrypt"),
}


@pytest.mark.parametrize("function", REFUSALS)
def test_what_openssl_fails_at_has_a_name_and_leaves_no_error(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    provider: Any = open_provider("libcrypto:")
    act, code = REFUSALS[function]
    cleared: list[int] = []
    monkeypatch.setattr(provider._lib, function, lambda *_: 0)
    monkeypatch.setattr(provider._lib, "ERR_clear_error", lambda: cleared.append(1))
    with pytest.raises(Unavailable) as caught:
        act(provider)
    assert (caught.value.code, caught.value.en, bool(cleared)) == (code, "an OpenSSL operation failed", True)


def test_a_verification_that_cannot_start_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    provider: Any = open_provider("libcrypto:")
    monkeypatch.setattr(provider._lib, "EVP_PKEY_verify_init", lambda *_: 0)
    assert not provider.verify_digest(selftest.PUBLIC, selftest.E, selftest.R, selftest.S)


def test_S29_a_drawn_number_outside_the_range_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    provider: Any = open_provider("libcrypto:")
    draws = [number.to_bytes(32, "big") for number in (0, N - 1, N, N - 2, 1)]
    monkeypatch.setattr(provider, "random", lambda _: draws.pop(0))
    assert [provider.generate().d, provider.generate().d, draws] == [N - 2, 1, []]


def test_gmssl_gets_keys_whole_in_spite_of_its_constructor(monkeypatch: pytest.MonkeyPatch) -> None:
    import gmssl.sm2

    seen: list[str] = []
    inner = gmssl.sm2.CryptSM2.verify
    monkeypatch.setattr(
        gmssl.sm2.CryptSM2, "verify", lambda self, *args: seen.append(self.public_key) or inner(self, *args)
    )
    private = next(p for p in _walk(6000) if p.public.x >> 248 == 0x04)
    e = secrets.token_bytes(32)
    assert GMSSL.verify_digest(private.public, e, *PURE.sign_digest(private, e))
    assert seen == [private.public.point[1:].hex()]
    assert gmssl.sm2.CryptSM2("", "04" + seen[0]).public_key != seen[0], "the defect that is worked around"
