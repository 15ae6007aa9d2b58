"""Ours, by provider: ``tongban libcrypto:``, ``tongban tables:``, ``tongban pure:?sign=allow``."""

from __future__ import annotations

import sys

from signing import keys, sm2
from signing.errors import Malformed
from signing.providers import open_provider
from signing.sm2 import Encoding, PublicKey
from tests.vectors.sm2.adapters.serving import Answer, serve

PROVIDER = open_provider(sys.argv[1] if len(sys.argv) > 1 else "auto")


def verify(encoding: str, publicKey: str, id: str, msg: str, sig: str, **_: str) -> Answer:
    try:
        public = PublicKey.from_bytes(bytes.fromhex(publicKey))
    except Malformed:
        return False
    if len(id) > 2 * 8191:
        return False  # a signer id that long is refused where it is configured
    message, signature = bytes.fromhex(msg), bytes.fromhex(sig)
    return sm2.verify(PROVIDER, public, message, signature, signer_id=bytes.fromhex(id), encoding=Encoding(encoding))


def decrypt(form: str, privateKeyDer: str, ct: str, **_: str) -> Answer:
    private, data = keys.private_from_pkcs8(bytes.fromhex(privateKeyDer)), bytes.fromhex(ct)
    try:
        if form == "der":
            data = sm2.ciphertext_from_der(data)
        if form == "c1c2c3":  # a partner's profile says so; the order is turned before the ciphertext is opened
            data = data[:65] + data[-32:] + data[65:-32]
        return {"msg": PROVIDER.decrypt(private, data).hex()}
    except Malformed:
        return False


def private_key(pem: str) -> Answer:
    try:
        return {"publicKey": keys.private_from_pem(pem.encode()).public.point.hex()}
    except Malformed:
        return False


def public_key(pem: str) -> Answer:
    try:
        return {"publicKey": keys.public_from_pem(pem.encode()).point.hex()}
    except Malformed:
        return False


if __name__ == "__main__":
    acts = {"verify": verify, "decrypt": decrypt, "private-key": private_key, "public-key": public_key}
    below = PROVIDER.description.split()[:2] if PROVIDER.description.startswith("OpenSSL") else []
    serve(" ".join(["Tongban", PROVIDER.uri, *below]), acts)
