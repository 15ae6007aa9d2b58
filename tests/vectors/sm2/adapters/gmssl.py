"""PyPI ``gmssl`` as its README has it used: keys and signatures in hex, x || y without 04, the default id only."""

from __future__ import annotations

from importlib.metadata import version

from gmssl.sm2 import CryptSM2

from tests.vectors.sm2.adapters.serving import UNSUPPORTED, Answer, serve

DEFAULT = b"1234567812345678".hex()


def verify(encoding: str, publicKey: str, id: str, msg: str, sig: str, **_: str) -> Answer:
    if id != DEFAULT:
        return UNSUPPORTED
    key = publicKey[2:] if len(publicKey) == 130 and publicKey.startswith("04") else publicKey
    verifier = CryptSM2(private_key="", public_key=key, asn1=encoding == "der")
    return bool(verifier.verify_with_sm3(sig, bytes.fromhex(msg)))


def decrypt(form: str, privateKey: str, ct: str, **_: str) -> Answer:
    """Its ciphertexts have no 04 in front, so one that is there is taken off as every caller has to."""
    if form == "der":
        return UNSUPPORTED
    data = bytes.fromhex(ct)
    found = CryptSM2(private_key=privateKey, public_key="", mode=int(form == "c1c3c2")).decrypt(
        data[1:] if data[:1] == b"\x04" else data
    )
    return False if found is None else {"msg": found.hex()}


if __name__ == "__main__":
    serve(f"gmssl {version('gmssl')} (PyPI)", {"verify": verify, "decrypt": decrypt})
