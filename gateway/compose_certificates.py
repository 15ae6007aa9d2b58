"""The wiring of what a node does with certificates (电子证照): the press, the register's flows, the stamping elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from gateway.certificates.library import library
from gateway.config import Config
from gateway.flow.agreed import Agreed
from gateway.flow.certificates import Certificates
from gateway.flow.press import Press
from gateway.flow.sharing import Shares
from gateway.store.journal import Journal
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from gateway.web import certificates as certificates_of_others
from gateway.web.certificate_register import CertificateDoor, CertificateOffice
from gateway.web.platforms import Platforms
from signing.stamper import LocalStamper, Stamper


def press(config: Config, base: Path, stamper: Stamper | None) -> Press | None:
    """What certificates are printed with; None on a node that issues none. ``ConfigError`` for a template that is none."""
    own = config.certificates
    if own is None:
        return None
    return Press(
        issuer_name=own.issuer_name,
        issuer_code=own.issuer_code,
        templates=library(base / own.templates if own.templates else None),
        stamper=stamper,
        seal=stamper.seal if isinstance(stamper, LocalStamper) else b"",
        lab=config.node.lab,
    )


def issuing(
    config: Config,
    printed: Press | None,
    agreed: Agreed,
    journal: Journal,
    vault: Vault,
    parts: Parts,
    new_id: Callable[[], str],
    random: Callable[[int], bytes],
    clock: Callable[[], int],
    wake: Callable[[str], None],
) -> Certificates | None:
    """The flows of certificates; None on a node that issues none."""
    if printed is None:
        return None
    return Certificates(printed, agreed, config.public.url, journal, vault, parts, new_id, random, clock, wake)


def counter(doors: Platforms, shares: Shares, certificates: Certificates | None) -> list[web.RouteDef]:
    """Where local platforms ask for others' certificates and have their own issued."""
    return [
        *certificates_of_others.Certificates(doors, shares).routes(),
        *CertificateDoor(doors, certificates).routes(),
    ]


def office(
    config: Config, certificates: Certificates | None, doors: Platforms, vault: Vault, clock: Callable[[], int]
) -> list[web.RouteDef]:
    """Where the node's operators act on certificates."""
    limits = config.limits
    return CertificateOffice(certificates, doors.platforms, vault, limits.body, limits.window_ms, clock).routes()
