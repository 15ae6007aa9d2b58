"""OpenSSL's libcrypto by its documented EVP calls (``openssl [path of libcrypto]``); it has DER forms only.

Shares nothing with ``signing.providers.libcrypto``: keys come as DER or PEM, Z_A is OpenSSL's own work.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from ctypes import c_char_p, c_int, c_size_t, c_void_p

from tests.vectors.sm2.adapters.serving import UNSUPPORTED, Answer, serve

LIB = ctypes.CDLL(sys.argv[1] if len(sys.argv) > 1 else ctypes.util.find_library("crypto") or "libcrypto.so.3")
for name, result, arguments in (
    ("OpenSSL_version", c_char_p, [c_int]),
    ("ERR_clear_error", None, []),
    ("d2i_PUBKEY", c_void_p, [c_void_p, c_void_p, c_size_t]),
    ("d2i_AutoPrivateKey", c_void_p, [c_void_p, c_void_p, c_size_t]),
    ("BIO_new_mem_buf", c_void_p, [c_char_p, c_int]),
    ("BIO_free", c_int, [c_void_p]),
    ("PEM_read_bio_PUBKEY", c_void_p, [c_void_p] * 4),
    ("PEM_read_bio_PrivateKey", c_void_p, [c_void_p] * 4),
    ("EVP_PKEY_is_a", c_int, [c_void_p, c_char_p]),
    ("EVP_PKEY_get_bn_param", c_int, [c_void_p, c_char_p, c_void_p]),
    ("BN_bn2binpad", c_int, [c_void_p, c_char_p, c_int]),
    ("BN_free", None, [c_void_p]),
    ("EVP_PKEY_free", None, [c_void_p]),
    ("EVP_PKEY_CTX_new", c_void_p, [c_void_p, c_void_p]),
    ("EVP_PKEY_CTX_free", None, [c_void_p]),
    ("EVP_PKEY_CTX_set1_id", c_int, [c_void_p, c_char_p, c_int]),
    ("EVP_PKEY_check", c_int, [c_void_p]),
    ("EVP_PKEY_public_check", c_int, [c_void_p]),
    ("EVP_PKEY_decrypt_init", c_int, [c_void_p]),
    ("EVP_PKEY_decrypt", c_int, [c_void_p, c_char_p, c_void_p, c_char_p, c_size_t]),
    ("EVP_sm3", c_void_p, []),
    ("EVP_MD_CTX_new", c_void_p, []),
    ("EVP_MD_CTX_free", None, [c_void_p]),
    ("EVP_MD_CTX_set_pkey_ctx", None, [c_void_p, c_void_p]),
    ("EVP_DigestVerifyInit", c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    ("EVP_DigestVerify", c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    ("EVP_DigestSignInit", c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    ("EVP_DigestSign", c_int, [c_void_p, c_char_p, c_void_p, c_char_p, c_size_t]),
):
    function = getattr(LIB, name)
    function.restype, function.argtypes = result, arguments


def from_der(reader: str, data: bytes) -> int | None:
    """An EVP_PKEY of exactly these bytes."""
    LIB.ERR_clear_error()
    buffer = ctypes.create_string_buffer(data, len(data))
    at = c_void_p(ctypes.addressof(buffer))
    key: int | None = getattr(LIB, reader)(None, ctypes.byref(at), len(data))
    return key if key and at.value == ctypes.addressof(buffer) + len(data) else None


def verify(encoding: str, publicKeyDer: str, id: str, msg: str, sig: str, **_: str) -> Answer:
    if encoding != "der":
        return UNSUPPORTED
    key = from_der("d2i_PUBKEY", bytes.fromhex(publicKeyDer))
    if not key:
        return False
    own, message, signature = bytes.fromhex(id), bytes.fromhex(msg), bytes.fromhex(sig)
    digest, context = LIB.EVP_MD_CTX_new(), LIB.EVP_PKEY_CTX_new(key, None)
    try:
        if LIB.EVP_PKEY_CTX_set1_id(context, own, len(own)) != 1:
            return False
        LIB.EVP_MD_CTX_set_pkey_ctx(digest, context)
        if LIB.EVP_DigestVerifyInit(digest, None, LIB.EVP_sm3(), None, key) != 1:
            return False
        return bool(LIB.EVP_DigestVerify(digest, signature, len(signature), message, len(message)) == 1)
    finally:
        LIB.EVP_MD_CTX_free(digest)
        LIB.EVP_PKEY_CTX_free(context)
        LIB.EVP_PKEY_free(key)


def sign(privateKeyDer: str, id: str, msg: str) -> Answer:
    """Not asked by the scorer: for tests that sign with OpenSSL."""
    key = from_der("d2i_AutoPrivateKey", bytes.fromhex(privateKeyDer))
    own, message = bytes.fromhex(id), bytes.fromhex(msg)
    digest, context = LIB.EVP_MD_CTX_new(), LIB.EVP_PKEY_CTX_new(key, None)
    try:
        room, size = ctypes.create_string_buffer(128), c_size_t(128)
        LIB.EVP_PKEY_CTX_set1_id(context, own, len(own))
        LIB.EVP_MD_CTX_set_pkey_ctx(digest, context)
        if LIB.EVP_DigestSignInit(digest, None, LIB.EVP_sm3(), None, key) != 1:
            return False
        made = LIB.EVP_DigestSign(digest, room, ctypes.byref(size), message, len(message)) == 1
        return {"sig": room.raw[: size.value].hex()} if made else False
    finally:
        LIB.EVP_MD_CTX_free(digest)
        LIB.EVP_PKEY_CTX_free(context)
        LIB.EVP_PKEY_free(key)


def decrypt(form: str, privateKeyDer: str, ct: str, **_: str) -> Answer:
    if form != "der":
        return UNSUPPORTED
    key, data = from_der("d2i_AutoPrivateKey", bytes.fromhex(privateKeyDer)), bytes.fromhex(ct)
    context = LIB.EVP_PKEY_CTX_new(key, None)
    try:
        room, size = ctypes.create_string_buffer(len(data) + 512), c_size_t(len(data) + 512)
        started = LIB.EVP_PKEY_decrypt_init(context) == 1
        if started and LIB.EVP_PKEY_decrypt(context, room, ctypes.byref(size), data, len(data)) == 1:
            return {"msg": room.raw[: size.value].hex()}
        return False
    finally:
        LIB.EVP_PKEY_CTX_free(context)
        LIB.EVP_PKEY_free(key)


def coordinate(key: int, name: bytes) -> str:
    """32 octets in hex; OpenSSL hands out the point itself in whichever form it came."""
    number, room = c_void_p(), ctypes.create_string_buffer(32)
    LIB.EVP_PKEY_get_bn_param(key, name, ctypes.byref(number))
    LIB.BN_bn2binpad(number, room, 32)
    LIB.BN_free(number)
    return room.raw.hex()


def read(reader: str, check: str, pem: str) -> Answer:
    """A PEM key, then OpenSSL's own check of it, as ``openssl pkey -check`` and ``-pubcheck`` do."""
    LIB.ERR_clear_error()  # OpenSSL's key readers look at errors that earlier calls have left
    data = pem.encode()
    source = LIB.BIO_new_mem_buf(data, len(data))
    key = getattr(LIB, reader)(source, None, None, None)
    LIB.BIO_free(source)
    if not key:
        return False
    context = LIB.EVP_PKEY_CTX_new(key, None)
    try:
        if LIB.EVP_PKEY_is_a(key, b"SM2") != 1 or getattr(LIB, check)(context) != 1:
            return False
        return {"publicKey": "04" + coordinate(key, b"qx") + coordinate(key, b"qy")}
    finally:
        LIB.EVP_PKEY_CTX_free(context)
        LIB.EVP_PKEY_free(key)


if __name__ == "__main__":
    acts = {
        "verify": verify,
        "sign": sign,
        "decrypt": decrypt,
        "private-key": lambda pem: read("PEM_read_bio_PrivateKey", "EVP_PKEY_check", pem),
        "public-key": lambda pem: read("PEM_read_bio_PUBKEY", "EVP_PKEY_public_check", pem),
    }
    serve(" ".join(LIB.OpenSSL_version(0).decode().split()[:2]), acts)
