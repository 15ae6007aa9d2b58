"""The acts behind ``tongban cert ocsp``: a request for the status of a certificate, or a laboratory responder's answer to it."""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass
from typing import NoReturn

import click

from gateway.cli import cert_tools as tools
from gateway.cli.output import read_bytes
from gateway.cli.sm import Context
from gateway.lang import say
from signing import ocsp, ocsp_build
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Malformed
from signing.ocsp import CertId, Request
from signing.ocsp_build import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The options of ``cert ocsp``."""

    ca: str
    key: str | None
    responder: str | None
    about: str | None
    request: str | None
    crl: str | None
    digest: str
    hours: int
    begins: datetime.datetime | None
    out: str
    passphrase_file: str | None
    provider: str


def status(context: Context, wanted: Wanted) -> NoReturn:
    """Without a key a request is written, with one an answer."""
    issuer = tools.certificates(context, [wanted.ca])[0]
    if (wanted.about is None) == (wanted.request is None) or (wanted.key is None and wanted.about is None):
        raise click.UsageError(
            say("给出 --for 或 --request 之一；写请求用 --for", "give --for or --request; a request takes --for")
        )
    asked = _asked(context, wanted, issuer)
    if wanted.key is None:
        nonce = secrets.token_bytes(16)
        tools.put(context, wanted.out, ocsp.build_request(asked.ids[0], nonce))
        context.done(True, "ok", f"已写入查询 {wanted.out}", f"request written to {wanted.out}", nonce=nonce.hex())
    start = tools.now(wanted.begins).replace(microsecond=0)
    responder = tools.certificates(context, [wanted.responder])[0] if wanted.responder else None
    signer = tools.signer(context, wanted.provider, wanted.key, wanted.passphrase_file)
    if signer.public != (responder or issuer).public_key:
        context.done(False, "key-mismatch", "应答者证书与私钥不是一对", "the responder's key is another one", path=[])
    listed = tools.lists(context, [wanted.crl])[0] if wanted.crl else None
    until = start + datetime.timedelta(hours=wanted.hours)
    said = [_said(one, issuer, listed, start, until) for one in asked.ids]
    data = ocsp_build.build_response(signer, said, produced_at=start, nonce=asked.nonce, responder=responder)
    tools.put(context, wanted.out, data)
    words = ["revoked" if one.revoked else "good" if one.known else "unknown" for one in said]
    context.done(True, "ok", f"已写入答复 {wanted.out}", f"response written to {wanted.out}", statuses=words)


def _asked(context: Context, wanted: Wanted, issuer: Certificate) -> Request:
    if wanted.request is not None:
        try:
            return ocsp.parse_request(read_bytes(wanted.request, tools.CERTIFICATES_LIMIT))
        except Malformed as error:
            context.unreadable(wanted.request, error)
    certificate = tools.certificates(context, [str(wanted.about)])[0]
    digest = next(known for known in ocsp.DIGEST_OIDS if known == wanted.digest)
    try:
        return Request((ocsp.identify(certificate, issuer, digest),), None)
    except Malformed as error:
        context.unreadable(wanted.ca, error)


def _said(
    wanted: CertId,
    issuer: Certificate,
    listed: RevocationList | None,
    start: datetime.datetime,
    until: datetime.datetime,
) -> Said:
    """Revoked as the list says, good if it does not; unknown where the certificate is another authority's."""
    entry = listed.entries.get(wanted.serial) if listed else None
    if not wanted.is_by(issuer):
        return Said(wanted, start, until, known=False)
    return Said(wanted, start, until, entry.revoked if entry else None, entry.reason if entry else "unspecified")
