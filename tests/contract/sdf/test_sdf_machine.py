"""A GM/T 0018 machine through its C interface: the answers are right, and every fault ends closed (L11).

The software double computes SM2 from points and numbers; what it signs is checked by our providers, what we encrypt it
decrypts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signing import keys, sm2
from signing.errors import KeyFault, Malformed, Unavailable
from signing.providers import open_provider, sdf_abi, selftest
from signing.providers.sdf import Sdf, split_key
from signing.providers.sdf_abi import CODES, Library, MachineError, Shapes
from signing.providers.sdf_machine import STUCK
from signing.providers.sdf_session import Pin
from signing.sm2 import DEFAULT_ID, PublicKey, Signer
from signing.sm3 import hmac_sm3
from tests.contract.sdf.machine import PIN, Double, key_of, public_of

SOFT = open_provider("libcrypto:")
Opened = Callable[..., Sdf]


def signer(provider: Sdf, index: int = 1, pin: bytes = PIN) -> Signer:
    return Signer(provider, provider.key(index, Pin(pin)))


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Unavailable) as caught:
        act()
    assert caught.value.zh
    assert caught.value.en
    assert PIN.decode() not in f"{caught.value} {caught.value.zh}"
    return caught.value.code


# --- right answers ----------------------------------------------------------------------------------------------------


def test_a_machine_signs_and_anybody_verifies(opened: Opened, double: Double) -> None:
    provider = opened()
    made = [signer(provider, index) for index in (1, 2, 3, 4)]
    assert [one.public for one in made] == [public_of(index) for index in (1, 2, 3, 4)]
    assert {one.kind for one in made} == {"machine"}
    assert Signer(SOFT, key_of(1)).kind == "software"
    for one in made:
        signature = one.sign("办件".encode())
        assert sm2.verify(SOFT, one.public, "办件".encode(), signature, signer_id=DEFAULT_ID)
        other = one.under(b"other id").sign(b"m")
        assert sm2.verify(SOFT, one.public, b"m", other, signer_id=b"other id")
        assert not sm2.verify(SOFT, one.public, b"m", other, signer_id=DEFAULT_ID)
    assert "Tongban software double" in provider.description


def test_the_machine_tells_good_signatures_from_bad(opened: Opened) -> None:
    provider = opened(verify="machine")
    e = selftest.E
    assert provider.verify_digest(selftest.PUBLIC, e, selftest.R, selftest.S)
    for r, s in ((selftest.R, selftest.S ^ 1), (selftest.S, selftest.R), (0, selftest.S), (selftest.R, sm2.N)):
        assert not provider.verify_digest(selftest.PUBLIC, e, r, s)
        assert not provider.machine.do("v", lambda session, r=r, s=s: session.verify(selftest.PUBLIC, e, r, s))


def test_L11_a_machine_that_cannot_say_whether_a_signature_holds_says_neither(opened: Opened, double: Double) -> None:
    provider = opened(verify="machine")
    double.set(fail="ExternalVerify_ECC:01000003:1")
    assert (
        code_of(lambda: provider.verify_digest(selftest.PUBLIC, selftest.E, selftest.R, selftest.S))
        == "sdf-communication"
    )


@pytest.mark.parametrize("size", [1, 16, 32, 33, 200])
def test_the_machine_decrypts_what_is_encrypted_to_its_key(opened: Opened, size: int) -> None:
    provider = opened()
    key = provider.key(2, Pin(PIN), "encrypt")
    plaintext = bytes(range(size))
    sealed = provider.encrypt(key.public, plaintext)
    assert key.decrypt(sealed) == plaintext
    for bad in (sealed[:-1], sealed[:70] + bytes([sealed[70] ^ 1]) + sealed[71:], b"", b"\4" * 200):
        with pytest.raises(Malformed, match="decrypt-failed"):
            key.decrypt(bad)
    for _ in range(10):  # bad data from outside is no fault of the machine's
        with pytest.raises(Malformed):
            key.decrypt(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert key.decrypt(sealed) == plaintext


def test_some_vendors_decrypt_without_the_algorithm_s_number(opened: Opened, double: Double) -> None:
    double.set(plain=1)
    provider = opened(decrypt="plain")
    key = provider.key(3, Pin(PIN), "encrypt")
    assert key.decrypt(provider.encrypt(key.public, b"plain")) == b"plain"


def test_L11_what_stops_a_decryption_is_not_taken_for_bad_data(opened: Opened, double: Double) -> None:
    provider = opened()
    key = provider.key(2, Pin(PIN), "encrypt")
    sealed = provider.encrypt(key.public, b"m")
    double.set(fail="InternalDecrypt_ECC:01000004:1")
    assert code_of(lambda: key.decrypt(sealed)) == "sdf-hardware"


def test_sm4_wrapping_and_hmac_happen_in_the_machine(opened: Opened) -> None:
    provider = opened()
    for size in (0, 1, 15, 16, 48):
        sealed = provider.seal(1, bytes(size))
        assert provider.open(1, sealed) == bytes(size)
        assert provider.seal(1, bytes(size)) != sealed
    wrapped = sealed[2:18]
    with pytest.raises(Malformed):
        provider.open(2, sealed)  # another KEK: another key, and the padding is wrong
    for bad in (b"", sealed[:-1], sealed[:18], b"\xff\xff" + sealed):
        with pytest.raises((Malformed, Unavailable)):
            provider.open(1, bad)
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    inner = Cipher(algorithms.SM4(bytes([0x41]) * 16), modes.ECB()).decryptor().update(wrapped)
    assert provider.hmac(1, wrapped, b"data") == hmac_sm3(inner, b"data")
    assert len({provider.random(16) for _ in range(20)}) == 20


def test_sessions_are_shared_out_and_never_used_by_two_at_once(opened: Opened, double: Double) -> None:
    one = signer(opened())
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(10):
                one.sign(b"m")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert double.count("clashes") == 0
    assert double.count("signs") == 81  # one at opening
    assert double.count("devices") == 1
    assert double.count("sessions") <= 8
    assert double.count("pins") == double.count("sessions")  # once per session, however often it signs


def test_random_bytes_are_fetched_ahead_and_given_out_once(opened: Opened, double: Double) -> None:
    provider = opened()
    got = [provider.random(size) for size in (16, 0, 1, 33, 5000, 1023, 1024, 1025)]
    assert [len(one) for one in got] == [16, 0, 1, 33, 5000, 1023, 1024, 1025]
    whole = b"".join(got)
    assert len({whole[at : at + 8] for at in range(0, len(whole) - 8, 8)}) == len(range(0, len(whole) - 8, 8))
    double.set(gone=1)
    with pytest.raises(Unavailable):
        provider.random(2000)


def test_a_fork_shares_no_random_bytes(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = opened()
    provider.random(16)
    ahead = provider._drawn
    monkeypatch.setattr("signing.providers.sdf.os.getpid", lambda: -1)
    assert ahead[:16] != provider.random(16)
    assert ahead[-16:] not in provider._drawn


# --- what never happens -----------------------------------------------------------------------------------------------


def test_L11_a_wrong_PIN_is_presented_once_and_then_a_person_has_to_act(
    opened: Opened, double: Double, tmp_path: Path
) -> None:
    mark = tmp_path / "pin-refused"
    provider = opened()
    pin = Pin(b"87654321", mark)
    assert code_of(lambda: provider.key(1, pin)) == "sdf-pin-refused"
    for _ in range(20):
        assert code_of(lambda: provider.key(1, pin)) == "sdf-pin-refused"
        assert code_of(lambda: provider.key(2, Pin(PIN))) == "sdf-pin-refused"
    time.sleep(0.3)  # several rests: nobody tries by himself
    assert double.count("pins") == 1
    again = opened()  # a restarted process
    assert code_of(lambda: again.key(1, Pin(b"87654321", mark))) == "sdf-pin-refused"
    assert double.count("pins") == 1
    mark.unlink()  # the person has acted
    assert opened().key(1, Pin(PIN, mark)).public == public_of(1)
    assert double.count("pins") == 2
    assert not mark.exists()


@pytest.mark.parametrize("code", ["01000001", "01000018", "01000021", "01020304", "FFFFFFFF", "0100001D"])
def test_L11_a_vendors_own_number_for_a_wrong_PIN_is_a_refusal_too(opened: Opened, double: Double, code: str) -> None:
    provider, pin = opened(), Pin(PIN)
    double.set(fail=f"GetPrivateKeyAccessRight:{code}:1")
    assert code_of(lambda: provider.key(1, pin)) == "sdf-pin-refused"
    double.well()
    time.sleep(0.2)
    assert code_of(lambda: provider.key(1, pin)) == "sdf-pin-refused"


@pytest.mark.parametrize("code", ["01000003", "01000004", "01000005", "01000006"])
def test_L11_a_link_that_fails_while_the_PIN_is_presented_is_no_refusal(
    opened: Opened, double: Double, code: str
) -> None:
    provider, pin = opened(), Pin(PIN)
    double.set(fail=f"GetPrivateKeyAccessRight:{code}:1")
    assert code_of(lambda: provider.key(1, pin)) != "sdf-pin-refused"
    double.well()
    assert provider.key(1, pin).public == public_of(1)


def test_L11_a_machine_that_hangs_for_good_takes_a_bounded_number_of_threads(opened: Opened, double: Double) -> None:
    before = set(threading.enumerate())
    one = signer(opened(timeout_ms=20, rest_ms=1))
    double.set(delay=1500)
    for _ in range(20):
        code_of(lambda: one.sign(b"m"))
    time.sleep(0.8)
    assert sum(thread.name == "sdf-session" for thread in {*threading.enumerate()} - before) <= STUCK + 2
    double.well()
    end = time.monotonic() + 10
    while True:
        try:
            one.sign(b"m")
            return
        except MachineError:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_sessions_are_closed_in_the_end(opened: Opened, double: Double) -> None:
    provider = opened()
    signer(provider).sign(b"m")
    assert double.count("sessions") == double.count("devices") == 1
    provider.machine.close()
    assert double.count("sessions") == double.count("devices") == 0


def test_L11_a_refusal_that_cannot_be_marked_is_remembered_all_the_same(
    opened: Opened, double: Double, tmp_path: Path
) -> None:
    provider, pin = opened(), Pin(b"0000", tmp_path / "no folder" / "mark")
    for _ in range(3):
        assert code_of(lambda: provider.key(1, pin)) == "sdf-pin-refused"
    assert double.count("pins") == 1


def test_L11_while_one_attempt_hangs_there_is_no_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signing.providers.sdf_session.WAIT_S", 0.01)
    pin, tried = Pin(PIN), list[bytes]()

    def hang(_: bytes) -> None:
        assert code_of(lambda: pin.present(tried.append)) == "sdf-timeout"

    pin.present(hang)
    assert tried == []


@pytest.mark.parametrize("name", ["OpenDevice", "OpenSession"])
def test_what_cannot_be_opened_leaves_nothing_open(opened: Opened, double: Double, name: str) -> None:
    double.set(fail=f"{name}:01000006:1")
    assert code_of(lambda: opened().random(1)) == "sdf-open-session"
    assert double.count("sessions") == double.count("devices") == 0


def test_a_session_that_was_busy_while_the_machine_failed_is_not_used_again(opened: Opened, double: Double) -> None:
    provider = opened()
    one = signer(provider)
    double.set(delay=200, fail="GenerateRandom:01000004:1")
    busy = threading.Thread(target=one.sign, args=(b"m",))
    busy.start()
    time.sleep(0.05)
    assert code_of(provider.check) == "sdf-hardware"
    busy.join()
    double.well()
    provider.check()
    end = time.monotonic() + 5
    while double.count("sessions") > 1 and time.monotonic() < end:
        time.sleep(0.01)
    assert double.count("sessions") == double.count("devices") == 1


def test_L11_a_PIN_changed_while_running_costs_one_attempt(opened: Opened, double: Double) -> None:
    one = signer(opened())
    double.set(gone=1)
    assert code_of(lambda: one.sign(b"m")) == "sdf-communication"
    double.well()
    double.set(pin="another")
    assert [code_of(lambda: one.sign(b"m")) for _ in range(5)] == ["sdf-pin-refused"] * 5
    assert double.count("pins") == 2


def test_L11_no_answer_in_time_is_a_no_and_the_late_one_is_thrown_away(opened: Opened, double: Double) -> None:
    one = signer(opened(timeout_ms=100))
    double.set(delay=1500)
    started = time.monotonic()
    assert code_of(lambda: one.sign(b"m")) == "sdf-timeout"
    assert time.monotonic() - started < 1.4
    double.well()
    assert sm2.verify(SOFT, one.public, b"m", one.sign(b"m"), signer_id=DEFAULT_ID)
    end = time.monotonic() + 5
    while double.count("sessions") > 1 and time.monotonic() < end:  # the stuck session closes itself
        time.sleep(0.02)
    assert double.count("sessions") == 1
    assert double.count("devices") == 1


def test_L11_the_breaker_opens_answers_at_once_and_closes_when_the_machine_is_back(
    opened: Opened, double: Double
) -> None:
    one = signer(opened(failures=3))
    double.set(gone=1)
    assert [code_of(lambda: one.sign(b"m")) for _ in range(3)] == ["sdf-communication"] * 3
    started = time.monotonic()
    assert {code_of(lambda: one.sign(b"m")) for _ in range(200)} == {"sdf-resting"}
    assert time.monotonic() - started < 3  # without a word from the machine, whose deadlines would take far longer
    double.well()
    end = time.monotonic() + 5
    while True:
        try:
            signature = one.sign(b"m")
            break
        except MachineError as error:
            assert error.code == "sdf-resting"  # until the probe has signed, nobody else does
            assert time.monotonic() < end
            time.sleep(0.01)
    assert sm2.verify(SOFT, one.public, b"m", signature, signer_id=DEFAULT_ID)


def test_a_key_taken_out_of_the_machine_does_not_keep_it_resting(opened: Opened, double: Double) -> None:
    one = signer(opened())
    machine = one.private.provider.machine  # type: ignore[union-attr]
    assert (
        code_of(lambda: machine.with_key("sign", 9, Pin(PIN), lambda session: session.sign(9, bytes(32))))
        == "sdf-no-key"
    )
    double.set(gone=1)
    for _ in range(3):
        code_of(lambda: one.sign(b"m"))
    double.well()
    end = time.monotonic() + 5
    while True:
        try:
            one.sign(b"m")
            return
        except MachineError:
            assert time.monotonic() < end
            time.sleep(0.01)


@pytest.mark.parametrize("offset", sorted(CODES))
def test_L11_every_return_code_is_a_named_error_and_nothing_is_signed(
    opened: Opened, double: Double, offset: int
) -> None:
    one = signer(opened())
    double.set(fail=f"InternalSign_ECC:{0x01000000 + offset:08X}:1")
    assert code_of(lambda: one.sign(b"m")) == f"sdf-{CODES[offset].name}"
    double.set(fail="InternalSign_ECC:02030405:1")
    if offset not in (0x18, 0x21):
        assert code_of(lambda: one.sign(b"m")) == "sdf-other"


def test_L11_a_soft_key_never_takes_a_machine_keys_place(opened: Opened, double: Double) -> None:
    """With the machine gone nothing else signs under that signer, and its key cannot be had out of it."""
    one = signer(opened())
    double.set(gone=1)
    for _ in range(6):
        code_of(lambda: one.sign(b"m"))
    assert code_of(lambda: one.software) == "key-in-machine"
    assert not hasattr(one.private, "d")
    assert one.public.thumbprint in repr(one.private)
    assert PIN.decode() not in f"{one!r} {one.private!r} {vars(one.private)}"


def test_S28_a_wrong_signature_of_the_machine_never_leaves_and_suspends_the_key(opened: Opened, double: Double) -> None:
    one = signer(opened())
    double.set(bad=1)
    with pytest.raises(KeyFault, match="signing-fault"):
        one.sign(b"m")
    double.well()
    with pytest.raises(KeyFault, match="key-suspended"):
        one.under(b"id").sign(b"m")


@pytest.mark.parametrize(
    "faults",
    [
        {"random": 1},
        {"bad": 1},
        {"fail": "ExternalVerify_ECC:0100000E:1"},
    ],
)
def test_a_machine_that_fails_its_known_answers_is_not_used(
    opened: Opened, double: Double, faults: dict[str, object]
) -> None:
    double.set(**faults)
    assert code_of(lambda: opened().key(1, Pin(PIN))) == "provider-selftest"


def test_what_is_not_there_is_said_without_resting(opened: Opened, double: Double) -> None:
    provider = opened(failures=1)
    for _ in range(5):
        assert code_of(lambda: provider.key(9, Pin(PIN))) == "sdf-no-key"
        assert code_of(lambda: provider.seal(9, b"m")) == "sdf-no-key"
    assert signer(provider).sign(b"m")


@pytest.mark.parametrize(
    "uri",
    ["sdf:", "sdf:/x?pin=1", "sdf:{0}?timeout_ms=0", "sdf:{0}?timeout_ms=x", "sdf:{0}?width=48", "sdf:{0}?verify=no",
     "sdf:{0}?hmac=xyz", "sdf:{0}?hmac=", "sdf:{0}?key=1", "sdf:{0}?failures=99999999"],
)  # fmt: skip
def test_a_bad_uri_is_refused(uri: str, double: Double) -> None:
    assert code_of(lambda: open_provider(uri.format(double.path))) in ("provider-unknown", "sdf-library")


def test_a_library_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    for path in (tmp_path / "text.so", tmp_path / "missing.so", "libm.so.6"):
        assert code_of(lambda path=path: open_provider(f"sdf:{path}")) == "sdf-library"


def test_a_keys_uri_names_provider_index_and_use() -> None:
    assert split_key("sdf:/l.so?key=3") == ("sdf:/l.so", 3, "sign")
    assert split_key("sdf:/l.so?timeout_ms=9&key=3&use=encrypt") == ("sdf:/l.so?timeout_ms=9", 3, "encrypt")
    for bad in ("sdf:/l.so", "sdf:/l.so?key=0", "sdf:/l.so?key=x", "sdf:/l.so?key=1&use=steal", "k.pem?key=1"):
        assert code_of(lambda bad=bad: split_key(bad)) == "provider-unknown"


def test_numbers_stand_right_aligned_in_fields_of_the_library_s_width() -> None:
    for width in (32, 64):
        shapes, public = Shapes(width), public_of(1)
        form = shapes.put_public(public)
        assert bytes(form)[4:] == bytes(width - 32) + public.point[1:33] + bytes(width - 32) + public.point[33:]
        assert bytes(form)[:4] == (256).to_bytes(4, "little")
        assert shapes.get_public(form) == public
    left = Shapes(64).public(256, Shapes(64).put(public.x << 256), Shapes(64).put(public.y << 256))
    with pytest.raises(Malformed, match="public-key-off-curve"):
        Shapes(64).get_public(left)


def test_software_keys_beside_the_machine_stay_what_they_are(opened: Opened, double: Double) -> None:
    """Verification, encryption and keys that somebody holds as numbers never touch the machine."""
    provider, private = opened(), keys.private_from_int(7)
    double.set(gone=1)
    signed = Signer(provider, provider.load(7))
    assert signed.kind == "software"
    assert sm2.verify(provider, private.public, b"m", signed.sign(b"m"), signer_id=DEFAULT_ID)
    assert provider.decrypt(private, provider.encrypt(private.public, b"x")) == b"x"
    assert isinstance(provider.generate().public, PublicKey)
    assert code_of(lambda: provider.random(16)) == "sdf-communication"


def test_a_call_that_a_library_lacks_is_named(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sdf_abi._OPTIONAL, "NoSuchCall", ())
    library = Library(str(double.path), Shapes(64))
    assert code_of(lambda: library.call("NoSuchCall")) == "sdf-not-supported"


def test_a_plaintext_of_another_size_than_its_ciphertext_is_refused(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, inner = opened().key(2, Pin(PIN), "encrypt"), Library.call

    def longer(library: Library, name: str, *arguments: Any) -> None:
        inner(library, name, *arguments)
        if name == "InternalDecrypt_ECC":
            arguments[-1]._obj.value += 1

    monkeypatch.setattr(Library, "call", longer)
    with pytest.raises(Malformed, match="decrypt-failed"):
        key.decrypt(SOFT.encrypt(key.public, b"m"))


def test_a_trial_that_meets_a_fault_of_the_machine_does_not_end_its_rest(opened: Opened, double: Double) -> None:
    machine = signer(opened()).private.provider.machine  # type: ignore[union-attr]
    double.set(fail="InternalSign_ECC:01000004:1")
    assert code_of(lambda: machine.do("trial", machine._works)) == "sdf-hardware"
