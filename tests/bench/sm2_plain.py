"""SM2 as an outsider would take it from the shelf, for the baselines: PyPI gmssl, or ctypes to the system's libcrypto.

Both: message in, 64-byte r‖s (gmssl) or DER (libcrypto) out, default signer id. Nothing of ours is imported.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
import secrets
from typing import Any, Protocol

from gmssl import func, sm2, sm3

ID = b"1234567812345678"


class Sm2(Protocol):
    """A key pair of this process; ``public`` is what the other side is given."""

    public: str

    def sign(self, message: bytes) -> str: ...

    def verify(self, public: str, message: bytes, signature: str) -> bool: ...

    def digest(self, message: bytes) -> str: ...


class Gmssl:
    """PyPI gmssl as its README shows it: CryptSM2.sign_with_sm3 and verify_with_sm3."""

    def __init__(self) -> None:
        maker = sm2.CryptSM2(private_key="", public_key="")
        while True:  # a key that its lstrip("04") does not damage
            private = secrets.token_hex(32)
            self.public = maker._kg(int(private, 16), sm2.default_ecc_table["g"])
            if not self.public.startswith(("0", "4")):
                break
        self.own = sm2.CryptSM2(private_key=private, public_key=self.public)

    def sign(self, message: bytes) -> str:
        return str(self.own.sign_with_sm3(message))

    def verify(self, public: str, message: bytes, signature: str) -> bool:
        return bool(sm2.CryptSM2(private_key="", public_key=public).verify_with_sm3(signature, message))

    def digest(self, message: bytes) -> str:
        return str(sm3.sm3_hash(func.bytes_to_list(message)))


class Libcrypto:
    """EVP of OpenSSL 3: a fresh context for each call, the peer's key read from PEM once and kept."""

    def __init__(self) -> None:
        lib = self.lib = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
        p, n, c = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
        for name, result, arguments in (
            ("EVP_PKEY_Q_keygen", p, None),
            ("EVP_MD_CTX_new", p, []),
            ("EVP_MD_CTX_free", None, [p]),
            ("EVP_PKEY_CTX_new", p, [p, p]),
            ("EVP_PKEY_CTX_free", None, [p]),
            ("EVP_PKEY_CTX_set1_id", ctypes.c_int, [p, c, ctypes.c_int]),
            ("EVP_MD_CTX_set_pkey_ctx", None, [p, p]),
            ("EVP_get_digestbyname", p, [c]),
            ("EVP_DigestSignInit", ctypes.c_int, [p, p, p, p, p]),
            ("EVP_DigestSign", ctypes.c_int, [p, c, ctypes.POINTER(n), c, n]),
            ("EVP_DigestVerifyInit", ctypes.c_int, [p, p, p, p, p]),
            ("EVP_DigestVerify", ctypes.c_int, [p, c, n, c, n]),
            ("PEM_write_bio_PUBKEY", ctypes.c_int, [p, p]),
            ("PEM_read_bio_PUBKEY", p, [p, p, p, p]),
            ("BIO_new", p, [p]),
            ("BIO_s_mem", p, []),
            ("BIO_new_mem_buf", p, [c, ctypes.c_int]),
            ("BIO_read", ctypes.c_int, [p, c, ctypes.c_int]),
            ("BIO_free", ctypes.c_int, [p]),
        ):
            function = getattr(lib, name)
            function.restype, function.argtypes = result, arguments
        self.sm3 = lib.EVP_get_digestbyname(b"SM3")
        self.key = lib.EVP_PKEY_Q_keygen(None, None, b"SM2")
        bio = lib.BIO_new(lib.BIO_s_mem())
        lib.PEM_write_bio_PUBKEY(bio, self.key)
        text = ctypes.create_string_buffer(1000)
        size = lib.BIO_read(bio, text, 1000)
        self.public = text.raw[:size].decode()
        lib.BIO_free(bio)
        self.peers: dict[str, Any] = {}

    def _contexts(self, key: Any) -> tuple[Any, Any]:
        context, pkey = self.lib.EVP_MD_CTX_new(), self.lib.EVP_PKEY_CTX_new(key, None)
        self.lib.EVP_PKEY_CTX_set1_id(pkey, ID, len(ID))
        self.lib.EVP_MD_CTX_set_pkey_ctx(context, pkey)
        return context, pkey

    def _free(self, context: Any, pkey: Any) -> None:
        self.lib.EVP_MD_CTX_free(context)
        self.lib.EVP_PKEY_CTX_free(pkey)

    def sign(self, message: bytes) -> str:
        context, pkey = self._contexts(self.key)
        out, size = ctypes.create_string_buffer(80), ctypes.c_size_t(80)
        done = self.lib.EVP_DigestSignInit(context, None, self.sm3, None, self.key)
        done = done and self.lib.EVP_DigestSign(context, out, ctypes.byref(size), message, len(message))
        self._free(context, pkey)
        assert done == 1
        return out.raw[: size.value].hex()

    def verify(self, public: str, message: bytes, signature: str) -> bool:
        key = self.peers.get(public)
        if key is None:
            bio = self.lib.BIO_new_mem_buf(public.encode(), -1)
            key = self.peers[public] = self.lib.PEM_read_bio_PUBKEY(bio, None, None, None)
            self.lib.BIO_free(bio)
        raw = bytes.fromhex(signature)
        context, pkey = self._contexts(key)
        self.lib.EVP_DigestVerifyInit(context, None, self.sm3, None, key)
        done = self.lib.EVP_DigestVerify(context, raw, len(raw), message, len(message))
        self._free(context, pkey)
        return bool(done == 1)

    def digest(self, message: bytes) -> str:
        return hashlib.new("sm3", message).hexdigest()


def make(name: str) -> Sm2:
    return Gmssl() if name == "gmssl" else Libcrypto()
