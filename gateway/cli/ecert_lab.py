"""A laboratory's seal in a folder (试验印章): made once for an issuer, used again; its root is what a verifier has to trust.

Everything in it carries 样章·测试无效. The key lies there unencrypted, readable by its owner alone.
"""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path

from gateway import files
from gateway.cli.output import read_bytes
from gateway.cli.sm import Context, broken, failed
from signing import certs, keys, lab
from signing.errors import Malformed
from signing.policy import CRL_IF_PRESENT
from signing.providers import Provider
from signing.seal_picture_ofd import round_seal_ofd
from signing.sm2 import Signer
from signing.stamper import LocalStamper

ROOT, SEAL, SIGNER, KEY = "root.pem", "seal.esl", "signer.pem", "signer.key.pem"
_DIVISION = "000000"
_YEARS = datetime.timedelta(days=3650)
_LIMIT = 1 << 20


def open_lab(context: Context, folder: str, provider: Provider, issuer: str, at: datetime.datetime) -> LocalStamper:
    """The stamper of the folder, made for this issuer if there is none; the end if it cannot be read or written."""
    place = Path(folder)
    try:
        if not (place / SEAL).exists():
            _make(place, provider, issuer, at)
        private = keys.private_from_pem(read_bytes(place / KEY, _LIMIT), None)
        root, signer = (certs.load(read_bytes(place / name, _LIMIT))[0] for name in (ROOT, SIGNER))
    except Malformed as fault:
        context.unreadable(folder, fault)
    except broken() as error:
        failed(context, error)
    return LocalStamper(Signer(provider, private), signer, read_bytes(place / SEAL, _LIMIT), [root], CRL_IF_PRESENT)


def _make(place: Path, provider: Provider, issuer: str, at: datetime.datetime) -> None:
    private = {role: provider.generate() for role in ("root", "seal-maker", "seal-signer")}
    own = {role: Signer(provider, key) for role, key in private.items()}
    made = lab.build_lab_pki(
        issuer,
        _DIVISION,
        own,
        itertools.count(int.from_bytes(provider.random(15), "big") | 1),
        at=at - datetime.timedelta(days=1),
        until=at + _YEARS,
        seal_name=f"{issuer}电子证照专用章",
        picture=round_seal_ofd,
    )
    place.mkdir(parents=True, exist_ok=True)
    salt, iv = provider.random(16), provider.random(16)
    files.write_private(place / KEY, keys.private_to_pem(private["seal-signer"], None, salt=salt, iv=iv))
    for name, data in (
        (ROOT, certs.to_pem(made.root)),
        (SIGNER, certs.to_pem(made.certificates["seal-signer"])),
        (SEAL, made.seal),
    ):
        (place / name).write_bytes(data)
