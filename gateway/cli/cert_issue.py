"""The acts behind ``tongban cert issue`` and ``cert crl``: what the laboratory authority makes from what was typed."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from gateway.cli import cert_tools as tools
from gateway.cli.output import read_bytes
from gateway.cli.sm import Context, public_key
from gateway.lang import say
from signing import certs, issue, keys, names
from signing.crl import REASONS
from signing.errors import Malformed
from signing.issue import Authority, Request, Revoked
from signing.seal_picture import LAB_MARK


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The options of ``cert issue``."""

    key: str | None
    ca: str | None
    ca_key: str | None
    request: str | None
    pub: str | None
    subject: str | None
    dns: tuple[str, ...]
    profile: str
    days: int
    path_len: int | None
    serial: str | None
    begins: datetime.datetime | None
    out: str
    passphrase_file: str | None
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedList:
    """The options of ``cert crl``."""

    ca: str | None
    ca_key: str | None
    revoke: tuple[str, ...]
    reason: str
    revoked_at: datetime.datetime | None
    previous: str | None
    number: int | None
    days: int
    begins: datetime.datetime | None
    out: str | None
    passphrase_file: str | None
    provider: str


def issue_certificate(context: Context, wanted: Wanted) -> NoReturn:
    """A root, or a certificate under one; the subject gets the laboratory's mark if it lacks it."""
    start = tools.now(wanted.begins).replace(microsecond=0)
    until = _later(start, wanted.days)
    data = _root(context, wanted, start, until) if wanted.key else _under(context, wanted, start, until)
    made = certs.parse(data)
    tools.put(context, wanted.out, certs.to_pem(data))
    context.done(
        True,
        "ok",
        f"已签发 {wanted.out}：{made.subject}",
        f"issued {wanted.out}: {made.subject}",
        path=[made.subject],
        serial=f"{made.serial:x}",
        fingerprint=made.fingerprint,
    )


def _root(context: Context, wanted: Wanted, start: datetime.datetime, until: datetime.datetime) -> bytes:
    if wanted.subject is None or wanted.request or wanted.pub or wanted.ca or wanted.ca_key:
        raise click.UsageError(
            say("自签根证书只需 --key 与 --subject", "a self-signed root takes --key and --subject only")
        )
    name = _marked(tools.subject(wanted.subject))
    signer = tools.signer(context, wanted.provider, str(wanted.key), wanted.passphrase_file)
    serial = _serial(context, wanted.serial)
    return issue.build_root(
        signer, subject=name, serial=serial, not_before=start, not_after=until, path_len=wanted.path_len
    )


def _under(context: Context, wanted: Wanted, start: datetime.datetime, until: datetime.datetime) -> bytes:
    if wanted.ca is None or wanted.ca_key is None or (wanted.request is None) == (wanted.pub is None):
        raise click.UsageError(
            say(
                "给出 --key（自签根），或 --ca、--ca-key 与 --csr 或 --pub",
                "give --key, or --ca, --ca-key and --csr or --pub",
            )
        )
    authority = _authority(context, wanted.provider, wanted.ca, wanted.ca_key, wanted.passphrase_file)
    asked = _request(context, wanted.request)
    return issue.build_certificate(
        authority,
        subject=_name(wanted.subject, asked),
        public_key=asked.public_key if asked else public_key(context, str(wanted.pub)),
        serial=_serial(context, wanted.serial),
        not_before=start,
        not_after=until,
        profile=wanted.profile,
        path_len=wanted.path_len,
        dns=dns_names(wanted.dns or (asked.dns if asked else ())),
    )


def dns_names(given: Sequence[str]) -> list[str]:
    """DNS names, or wrong usage."""
    for name in given:
        if not name.isascii() or not name.isprintable() or not 0 < len(name) <= 253:
            raise click.UsageError(say("--dns 不是域名", "--dns is not a DNS name"))
    return list(given)


def _later(start: datetime.datetime, days: int) -> datetime.datetime:
    try:
        return start + datetime.timedelta(days=days)
    except OverflowError:
        raise click.UsageError(say("有效期超出日历", "the validity leaves the calendar")) from None


def _marked(name: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The subject with the laboratory's mark before its common name."""
    if any(LAB_MARK in value for _, value in name):
        return name
    place = next((i for i, (kind, _) in enumerate(name) if kind == "CN"), len(name))
    return [*name[:place], ("OU", LAB_MARK), *name[place:]]


def _name(subject: str | None, asked: Request | None) -> bytes:
    """DER of the holder's name: as typed, or as asked for with the mark in front."""
    if subject is not None:
        return names.encode(_marked(tools.subject(subject)))
    if asked is None:
        raise click.UsageError(say("没有请求时须给 --subject", "--subject is needed without a request"))
    if names.contains(asked.subject_der, LAB_MARK):
        return asked.subject_der
    return names.with_part(asked.subject_der, ("OU", LAB_MARK))


def _serial(context: Context, text: str | None) -> int:
    """As typed in hex, or 121 to 127 random bits."""
    if text is None:
        assert context.provider is not None  # noqa: S101 - opened together with the key
        return int.from_bytes(context.provider.random(16), "big") >> 1 | 1 << 120
    try:
        serial = int(text, 16)
    except ValueError:
        serial = 0
    if not 0 < serial < 1 << 159:
        raise click.UsageError(
            say("序列号应为正的十六进制数，至多 20 字节", "a serial is positive, hex, 20 bytes at most")
        )
    return serial


def _authority(context: Context, provider: str, ca: str, ca_key: str, passphrase_file: str | None) -> Authority:
    certificate = tools.certificates(context, [ca])[0]
    signer = tools.signer(context, provider, ca_key, passphrase_file)
    if certificate.public_key != signer.public:
        context.done(False, "key-mismatch", "签发者证书与私钥不是一对", "the issuer's key is another one", path=[])
    return Authority(signer, certificate)


def _request(context: Context, path: str | None) -> Request | None:
    if path is None:
        return None
    try:
        asked = issue.load_csr(read_bytes(path, tools.CERTIFICATES_LIMIT))
    except Malformed as error:
        context.unreadable(path, error)
    assert context.provider is not None  # noqa: S101 - opened together with the key
    if not issue.check_csr(asked, context.provider):
        context.done(False, "csr-signature", "证书请求的签名不对", "the request's signature is wrong", path=[])
    return asked


# --- revocation lists -------------------------------------------------------------------------------------------------


def issue_list(context: Context, wanted: WantedList) -> NoReturn:
    """A list with the entries of the previous one, so that nothing revoked comes back."""
    if not (wanted.ca and wanted.ca_key and wanted.out):
        raise click.UsageError(
            say("给出 --ca、--ca-key 与 --out，或 --show", "give --ca, --ca-key and --out, or --show")
        )
    start = tools.now(wanted.begins).replace(microsecond=0)
    items, last = _carried(context, wanted.previous)
    items |= _to_revoke(context, wanted)
    authority = _authority(context, wanted.provider, wanted.ca, wanted.ca_key, wanted.passphrase_file)
    number = wanted.number or last + 1
    until = _later(start, wanted.days)
    data = issue.build_crl(authority, number=number, this_update=start, next_update=until, revoked=list(items.values()))
    tools.put(context, wanted.out, keys.to_pem("X509 CRL", data))
    context.done(
        True,
        "ok",
        f"已签发吊销列表 {wanted.out}，共 {len(items)} 项",
        f"revocation list {wanted.out} issued, {len(items)} entries",
        path=[authority.certificate.subject],
        number=number,
        entries=len(items),
    )


def _to_revoke(context: Context, wanted: WantedList) -> dict[int, Revoked]:
    if wanted.reason not in REASONS.values():
        known = " ".join(REASONS.values())
        raise click.UsageError(say(f"吊销原因应为：{known}", f"the reason is one of: {known}"))
    at = tools.now(wanted.revoked_at).replace(microsecond=0)
    found = {}
    for item in wanted.revoke:
        is_file = Path(item).is_file()
        serial = tools.certificates(context, [item])[0].serial if is_file else _serial(context, item)
        found[serial] = Revoked(serial, at, wanted.reason)
    return found


def _carried(context: Context, previous: str | None) -> tuple[dict[int, Revoked], int]:
    """Entries by serial, and the number of the list they come from."""
    if previous is None:
        return {}, 0
    old = tools.lists(context, [previous])[0]
    items = {}
    for entry in old.entries.values():
        earlier = entry.effective if entry.effective != entry.revoked else None
        items[entry.serial] = Revoked(entry.serial, entry.revoked, entry.reason, earlier)
    return items, old.number or 0
