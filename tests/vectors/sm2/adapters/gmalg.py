"""PyPI ``gmalg``: r and s apart, any id, ciphertexts as C1C3C2. A GMError is its way to refuse."""

from __future__ import annotations

from importlib.metadata import version

from gmalg import SM2
from gmalg.errors import GMError

from tests.vectors.sm2.adapters.serving import UNSUPPORTED, Answer, serve


def verify(encoding: str, publicKey: str, id: str, msg: str, sig: str, **_: str) -> Answer:
    if encoding != "raw":
        return UNSUPPORTED
    if len(sig) != 128:
        return False  # it takes r and s apart: a caller has to cut 64 octets in two
    data = bytes.fromhex(sig)
    try:
        checked = SM2(pk=bytes.fromhex(publicKey), uid=bytes.fromhex(id))
        return bool(checked.verify(bytes.fromhex(msg), data[:32], data[32:]))
    except GMError:
        return False


def decrypt(form: str, privateKey: str, ct: str, **_: str) -> Answer:
    if form != "c1c3c2":
        return UNSUPPORTED
    try:
        return {"msg": SM2(sk=bytes.fromhex(privateKey)).decrypt(bytes.fromhex(ct)).hex()}
    except GMError:
        return False


if __name__ == "__main__":
    serve(f"gmalg {version('gmalg')} (PyPI)", {"verify": verify, "decrypt": decrypt})
