"""Which provider a URI opens, what libcrypto is taken from, and what is refused: unknown words, missing packages, wrong answers."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from signing import curve
from signing.errors import Unavailable
from signing.providers import VARIABLE, libcrypto, open_provider, pure, selftest
from signing.sm2 import PrivateKey

LIBCRYPTO = open_provider("libcrypto:")
GMSSL = open_provider("gmssl:")
PRIVATE = PrivateKey(selftest.D, selftest.PUBLIC)


def test_auto_is_libcrypto_else_pure_that_only_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert open_provider().uri == ("tables:" if curve.WIDE else "libcrypto:")
    monkeypatch.setattr(libcrypto, "_candidates", lambda: iter(["/nonexistent/libcrypto.so", ctypes.__file__]))
    assert open_provider().uri == "pure:"
    with pytest.raises(Unavailable, match=r"^libcrypto-missing:"):
        open_provider("libcrypto:")


def test_the_environment_replaces_auto_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "pure:?sign=allow")
    assert open_provider().uri == "pure:?sign=allow"
    assert open_provider("gmssl:").uri == "gmssl:"
    monkeypatch.setenv(VARIABLE, "libcrypto:/nonexistent")
    with pytest.raises(Unavailable, match=r"^libcrypto-missing:"):
        open_provider()
    monkeypatch.setenv(VARIABLE, "")
    assert open_provider().uri == ("tables:" if curve.WIDE else "libcrypto:")


@pytest.mark.parametrize(
    "uri",
    ["", "pure", "sdf:", "pure:?sign=yes", "pure:?sing=allow", "pure:x", "gmssl:x", "gmssl:?a=b", "libcrypto:?x=1"],
)
def test_unknown_uris_and_options_are_refused(uri: str) -> None:
    with pytest.raises(Unavailable, match=r"^provider-unknown:"):
        open_provider(uri)


@pytest.mark.parametrize("uri", ["pure:", "gmssl:"])
def test_S26_verifiers_refuse_every_use_of_a_private_key(uri: str) -> None:
    provider = open_provider(uri)
    acts = (
        provider.generate,
        lambda: provider.sign_digest(PRIVATE, selftest.E),
        lambda: provider.decrypt(PRIVATE, selftest.CIPHERTEXT),
    )
    for act in acts:
        with pytest.raises(Unavailable, match=r"^signing-not-allowed:"):
            act()


def test_the_second_opinion_verifies_and_nothing_else() -> None:
    with pytest.raises(Unavailable, match=r"^signing-not-allowed:"):
        GMSSL.encrypt(selftest.PUBLIC, b"m")
    assert GMSSL.load(selftest.D) == PRIVATE
    assert len(GMSSL.random(9)) == 9 and GMSSL.random(9) != GMSSL.random(9)


@pytest.mark.parametrize(("found", "code"), [(None, "gmssl-missing"), (SimpleNamespace(sm2=object()), "gmssl-other")])
def test_no_gmssl_or_another_package_of_that_name_is_said(
    found: Any, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gmssl", found)
    with pytest.raises(Unavailable, match=f"^{code}:"):
        open_provider("gmssl:")


def _raising(*_: object) -> bytes:
    raise ArithmeticError


@pytest.mark.parametrize(
    ("method", "broken"),
    [
        ("verify_digest", lambda *_: True),
        ("verify_digest", lambda *_: False),
        ("sign_digest", lambda *_: (selftest.R, selftest.S)),
        ("sign_digest", lambda *_: (1, 1)),
        ("decrypt", lambda *_: b""),
        ("decrypt", _raising),
    ],
    ids=["yes to all", "no to all", "constant nonce", "nonsense", "empty plaintext", "an error"],
)
def test_a_provider_that_answers_wrongly_is_not_used(method: str, broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pure.Pure, method, broken)
    with pytest.raises(Unavailable, match=r"^provider-selftest:"):
        open_provider("pure:?sign=allow")
    monkeypatch.setattr(libcrypto.Libcrypto, method, broken)
    with pytest.raises(Unavailable, match=r"^libcrypto-missing:"):
        open_provider("libcrypto:")


def test_the_library_is_the_one_that_python_has_loaded() -> None:
    assert "OpenSSL" in LIBCRYPTO.description
    assert LIBCRYPTO.uri == "libcrypto:"
    if sys.platform == "linux":
        mapped = Path("/proc/self/maps").read_text("utf-8")
        assert LIBCRYPTO.description.rpartition("(")[2].rstrip(")") in mapped


def test_every_candidate_leads_to_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [path for path in libcrypto._candidates() if path]
    assert found
    for path in found:
        provider = open_provider(f"libcrypto:{path}")
        assert provider.uri == f"libcrypto:{path}"
        assert provider.verify_digest(selftest.PUBLIC, selftest.E, selftest.R, selftest.S)
    monkeypatch.setattr(libcrypto, "_candidates", lambda: iter(found[-1:]))
    assert open_provider("libcrypto:").description


@pytest.mark.parametrize(
    ("hashlib", "ssl", "linker", "found"),
    [
        (SimpleNamespace(__file__="/h.so"), SimpleNamespace(__file__="/s.so"), "l.so", ["/h.so", "/s.so", "l.so"]),
        (SimpleNamespace(), SimpleNamespace(__file__="/s.so"), None, ["/s.so"]),  # built into the interpreter
        (SimpleNamespace(__file__="/h.so"), None, "l.so", ["/h.so", "l.so"]),
        (None, SimpleNamespace(__file__=None), None, []),
    ],
)
def test_candidates_where_there_is_no_map(
    hashlib: Any, ssl: Any, linker: str | None, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: str) -> str:
        raise OSError

    monkeypatch.setattr(libcrypto.Path, "read_text", unreadable)
    monkeypatch.setattr(ctypes.util, "find_library", {"crypto": linker}.get)
    monkeypatch.setitem(sys.modules, "_hashlib", hashlib)
    monkeypatch.setitem(sys.modules, "_ssl", ssl)
    assert list(libcrypto._candidates()) == found


def test_the_library_in_memory_comes_first_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "7f00-7f01 r-xp 00000000 08:01 42    "
    maps = f"{line}/usr/lib/libc.so.6\n{line}/usr/lib/libcrypto.so.3\n{line}[heap]\n{line}/usr/lib/libcrypto.so.3\n"
    monkeypatch.setattr(libcrypto.Path, "read_text", lambda *_: maps)
    first, *rest = libcrypto._candidates()
    assert first == "/usr/lib/libcrypto.so.3" and first not in rest


@pytest.mark.parametrize(("version", "taken"), [(0x1010107F, False), (0x2FFFFFFF, False), (0x30000000, True)])
def test_a_library_before_OpenSSL_3_is_passed_over(version: int, taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypto, "_Library", lambda _: SimpleNamespace(OpenSSL_version_num=lambda: version))
    monkeypatch.setattr(libcrypto, "Libcrypto", lambda _, uri: uri)
    if taken:
        assert libcrypto.open_libcrypto("/x") == "libcrypto:/x"
    else:
        with pytest.raises(Unavailable, match=r"^libcrypto-missing:"):
            libcrypto.open_libcrypto("/x")


def test_the_first_candidate_that_works_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    good = next(libcrypto._candidates())
    monkeypatch.setattr(libcrypto, "_candidates", lambda: iter(["/nonexistent.so", ctypes.__file__, good]))
    assert good in open_provider("libcrypto:").description


def test_an_unknown_uri_is_cut_in_its_refusal() -> None:
    with pytest.raises(Unavailable) as caught:
        open_provider("y" * 60)
    for text in (caught.value.zh, caught.value.en):
        assert "y" * 40 in text and "y" * 41 not in text
