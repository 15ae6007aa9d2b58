"""``libcrypto:``: SM2 by OpenSSL >= 3.0 through ctypes, the default wherever private keys are used.

The library is the one this Python has already loaded for ``ssl`` and ``hashlib`` (same security updates, no
second copy); others are tried after it. Signing and verifying are digest level (``EVP_PKEY_sign`` over e), so
Z_A stays ours. Each call has its own EVP_PKEY_CTX; the EVP_PKEY of a key is cached and shared, which OpenSSL
allows. The long calls release the GIL, the short ones keep it (giving it away for a microsecond can cost a
whole scheduling turn). Nonces come from OpenSSL's generator, which reseeds after a fork. Errors never leave
as OpenSSL's: bad is False, and the error queue, which ``ssl`` in this thread would otherwise read, is
cleared.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint, c_ulong, c_void_p
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from signing import der
from signing.errors import Malformed, Unavailable
from signing.keys import private_from_int
from signing.providers import selftest
from signing.sm2 import N, PrivateKey, PublicKey, ciphertext_from_der, ciphertext_to_der, decrypt_failed

_PUBLIC_PARTS: Final = 0x86  # EVP_PKEY_PUBLIC_KEY: all parameters and the public key
_PAIR_PARTS: Final = 0x87  # EVP_PKEY_KEYPAIR
_UNSIGNED: Final = 2  # OSSL_PARAM_UNSIGNED_INTEGER
_TEXT: Final = 4  # OSSL_PARAM_UTF8_STRING
_OCTETS: Final = 5  # OSSL_PARAM_OCTET_STRING


class _Param(ctypes.Structure):
    """OSSL_PARAM."""

    _fields_ = (
        ("key", c_char_p),
        ("data_type", c_uint),
        ("data", c_void_p),
        ("data_size", c_size_t),
        ("return_size", c_size_t),
    )


# name: (result, arguments). The first group keeps the GIL, the second releases it.
_SHORT: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "OpenSSL_version_num": (c_ulong, ()),
    "OpenSSL_version": (c_char_p, (c_int,)),
    "ERR_clear_error": (None, ()),
    "EVP_PKEY_CTX_new_from_name": (c_void_p, (c_void_p, c_char_p, c_char_p)),
    "EVP_PKEY_CTX_new_from_pkey": (c_void_p, (c_void_p, c_void_p, c_char_p)),
    "EVP_PKEY_CTX_free": (None, (c_void_p,)),
    "EVP_PKEY_free": (None, (c_void_p,)),
    "EVP_PKEY_fromdata_init": (c_int, (c_void_p,)),
    "EVP_PKEY_fromdata": (c_int, (c_void_p, POINTER(c_void_p), c_int, POINTER(_Param))),
    "EVP_PKEY_sign_init": (c_int, (c_void_p,)),
    "EVP_PKEY_verify_init": (c_int, (c_void_p,)),
    "EVP_PKEY_encrypt_init": (c_int, (c_void_p,)),
    "EVP_PKEY_decrypt_init": (c_int, (c_void_p,)),
    "RAND_bytes": (c_int, (c_char_p, c_int)),
}
_LONG: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "EVP_PKEY_sign": (c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    "EVP_PKEY_verify": (c_int, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
    "EVP_PKEY_encrypt": (c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    "EVP_PKEY_decrypt": (c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
}


class _Library:
    """The declared functions of one libcrypto, as attributes. OSError or AttributeError if it is not one."""

    def __init__(self, path: str) -> None:
        self.path = path
        for handle, table in ((ctypes.PyDLL(path), _SHORT), (ctypes.CDLL(path), _LONG)):
            for name, (result, arguments) in table.items():
                function = getattr(handle, name)
                function.restype, function.argtypes = result, arguments
                setattr(self, name, function)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class _Key:
    """An EVP_PKEY, freed with its last user."""

    __slots__ = ("_free", "pointer")

    def __init__(self, library: _Library, pointer: int) -> None:
        self.pointer = pointer
        self._free = library.EVP_PKEY_free

    def __del__(self) -> None:
        self._free(self.pointer)


class Libcrypto:
    """The provider over one loaded library."""

    def __init__(self, library: _Library, uri: str) -> None:
        self._lib = library
        self.uri = uri
        self.description = f"{library.OpenSSL_version(0).decode()} ({library.path})"
        self._public = lru_cache(maxsize=4096)(self._load_public)
        self._private = lru_cache(maxsize=256)(self._load_private)
        selftest.passes(self, signs=True)

    def random(self, count: int) -> bytes:
        buffer = ctypes.create_string_buffer(count)
        if self._lib.RAND_bytes(buffer, count) != 1:
            raise self._broken("random")
        return buffer.raw

    def generate(self) -> PrivateKey:
        while True:
            d = int.from_bytes(self.random(32))
            if 1 <= d <= N - 2:
                return self.load(d)

    def load(self, d: int) -> PrivateKey:
        return private_from_int(d)

    def sign_digest(self, private: PrivateKey, e: bytes) -> tuple[int, int]:
        signature = self._run("sign", self._private(private), e, 80)
        if signature is None:
            raise self._broken("sign")
        return der.decode_signature(signature)

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        if not (0 < r < N and 0 < s < N and len(e) == 32):
            return False
        lib, signature = self._lib, der.encode_signature(r, s)
        key = self._public(public)
        context = lib.EVP_PKEY_CTX_new_from_pkey(None, key.pointer, None)
        try:
            if (
                lib.EVP_PKEY_verify_init(context) == 1
                and lib.EVP_PKEY_verify(context, signature, len(signature), e, 32) == 1
            ):
                return True
        finally:
            lib.EVP_PKEY_CTX_free(context)
        lib.ERR_clear_error()
        return False

    def encrypt(self, public: PublicKey, plaintext: bytes) -> bytes:
        if not plaintext:
            raise ValueError("SM2 cannot encrypt an empty plaintext")
        sealed = self._run("encrypt", self._public(public), plaintext, len(plaintext) + 256)
        if sealed is None:
            raise self._broken("encrypt")
        return ciphertext_from_der(sealed)

    def decrypt(self, private: PrivateKey, ciphertext: bytes) -> bytes:
        opened = self._run("decrypt", self._private(private), ciphertext_to_der(ciphertext), len(ciphertext))
        if opened is None:
            raise decrypt_failed()
        return opened

    def _run(self, act: str, key: _Key, data: bytes, room: int) -> bytes | None:
        """``EVP_PKEY_<act>`` over data; None on any refusal, the error queue cleared."""
        lib = self._lib
        context = lib.EVP_PKEY_CTX_new_from_pkey(None, key.pointer, None)
        try:
            buffer, size = ctypes.create_string_buffer(room), c_size_t(room)
            started = getattr(lib, f"EVP_PKEY_{act}_init")(context) == 1
            if started and getattr(lib, f"EVP_PKEY_{act}")(context, buffer, byref(size), data, len(data)) == 1:
                return buffer.raw[: size.value]
        finally:
            lib.EVP_PKEY_CTX_free(context)
        lib.ERR_clear_error()
        return None

    def _load_public(self, public: PublicKey) -> _Key:
        return self._import(public, None)

    def _load_private(self, private: PrivateKey) -> _Key:
        return self._import(private.public, private.d)

    def _import(self, public: PublicKey, d: int | None) -> _Key:
        lib, group, point = self._lib, b"SM2", public.point
        params = [
            _Param(b"group", _TEXT, _address(group), len(group)),
            _Param(b"pub", _OCTETS, _address(point), len(point)),
        ]
        scalar = b"" if d is None else d.to_bytes(32, sys.byteorder)
        if d is not None:
            params.append(_Param(b"priv", _UNSIGNED, _address(scalar), 32))
        array = (_Param * (len(params) + 1))(*params)  # what is not filled is zero, which ends the list
        context, pointer = lib.EVP_PKEY_CTX_new_from_name(None, b"SM2", None), c_void_p()
        try:
            done = lib.EVP_PKEY_fromdata_init(context) == 1 and lib.EVP_PKEY_fromdata(
                context, byref(pointer), _PUBLIC_PARTS if d is None else _PAIR_PARTS, array
            )
        finally:
            lib.EVP_PKEY_CTX_free(context)
        if done != 1 or pointer.value is None:
            raise self._broken("key")
        return _Key(lib, pointer.value)

    def _broken(self, what: str) -> Unavailable:
        self._lib.ERR_clear_error()
        return Unavailable(f"libcrypto-{what}", "OpenSSL 运算失败", "an OpenSSL operation failed")


def _address(data: bytes) -> int | None:
    """Where the bytes lie; valid while the caller holds them."""
    return ctypes.cast(c_char_p(data), c_void_p).value


def _candidates() -> Iterator[str]:
    """Where libcrypto may be: mapped into this process, behind the extension modules, where the linker finds it."""
    extensions: list[str | None] = []
    for name in ("_hashlib", "_ssl"):
        with suppress(ImportError):
            extensions.append(vars(__import__(name)).get("__file__"))  # none where it is built in
    yield from _mapped()
    yield from filter(None, [*extensions, ctypes.util.find_library("crypto")])


def _mapped() -> Iterable[str]:
    try:
        maps = Path("/proc/self/maps").read_text("utf-8", "replace")
    except OSError:  # not Linux
        return ()
    return dict.fromkeys(re.findall(r"(/\S*libcrypto[^/\s]*\.so[^/\s]*)$", maps, re.MULTILINE))


def open_libcrypto(path: str = "") -> Libcrypto:
    """The first candidate (or the named library) that is OpenSSL >= 3.0 with SM2 and passes the test; Unavailable."""
    for candidate in [path] if path else _candidates():
        try:
            library = _Library(candidate)
            if library.OpenSSL_version_num() >= 0x30000000:
                return Libcrypto(library, f"libcrypto:{path}")
        except (OSError, AttributeError, Unavailable, Malformed):
            continue
    raise Unavailable(
        "libcrypto-missing", "没有带 SM2 的 OpenSSL 3.0 或更新版本", "no OpenSSL 3.0 or newer with SM2 was found"
    )
