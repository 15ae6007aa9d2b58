"""The acts behind ``tongban seal``: making a seal, stamping a file, reading either."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

import click

from gateway.cli import cert_tools as tools
from gateway.cli.output import read_bytes
from gateway.cli.sm import Context
from gateway.cli.sm_files import digest_file
from gateway.lang import say
from signing import picture as pictures
from signing import seal as seals
from signing.errors import Malformed
from signing.policy import SealPolicy
from signing.seal import Picture, Seal, Stamp
from signing.seal_build import build_seal
from signing.seal_picture import LAB_MARK, round_seal
from signing.stamper import LocalStamper

_PICTURE_LIMIT = 512 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSeal:
    """The options of ``seal make``."""

    name: str
    maker_cert: str
    maker_key: str
    certs: tuple[str, ...]
    es_id: str | None
    vid: str
    picture: str | None
    width: int
    height: int
    begins: datetime.datetime | None
    days: int
    form: Literal["V1", "V4"]
    out: str
    passphrase_file: str | None
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedStamp:
    """The options of ``seal stamp``."""

    seal: str
    cert: str
    key: str
    anchors: tuple[str, ...]
    intermediates: tuple[str, ...]
    crls: tuple[str, ...]
    require_crl: bool
    at: datetime.datetime | None
    property_info: str | None
    out: str
    passphrase_file: str | None
    provider: str


@dataclass(frozen=True, slots=True)
class Read:
    """A file that holds a seal, or a stamp with the seal in it."""

    raw: bytes
    seal: Seal
    stamp: Stamp | None


def read(context: Context, path: str) -> Read:
    """The seal or stamp in a file, or the end (65)."""
    data = read_bytes(path, tools.LIST_LIMIT)
    if data[:4] == b"PK\x03\x04":
        zh = "这是 OFD 等压缩包，不是印章；用 tongban seal verify 核验它"
        en = "a package (OFD), not a seal; tongban seal verify judges it"
        context.unreadable(path, Malformed("package", zh, en))
    try:
        if seals.kind(data) == "stamp":
            stamp = seals.parse_stamp(data)
            return Read(data, stamp.seal, stamp)
        return Read(data, seals.parse_seal(data), None)
    except Malformed as error:
        context.unreadable(path, error)


def document_digest(document: str | None, digest: str | None) -> bytes | None:
    """The SM3 digest of the file, or as typed; None if neither was given."""
    if document is not None and digest is not None:
        raise click.UsageError(say("--document 与 --digest 只给一个", "give --document or --digest, not both"))
    if document is not None:
        return digest_file(document, b"")
    if digest is None:
        return None
    try:
        value = bytes.fromhex(digest)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise click.UsageError(say("--digest 应为 64 位十六进制数", "--digest has 64 hex digits"))
    return value


def make_seal(context: Context, wanted: WantedSeal) -> NoReturn:
    """The name gets the laboratory's mark if it lacks it, as the picture does."""
    maker_certificate = tools.certificates(context, [wanted.maker_cert])[0]
    listed = tools.certificates(context, wanted.certs)
    maker = tools.signer(context, wanted.provider, wanted.maker_key, wanted.passphrase_file)
    if maker_certificate.public_key != maker.public:
        context.done(False, "key-mismatch", "制章人证书与私钥不是一对", "the maker's key is another one")
    start = tools.now(wanted.begins).replace(microsecond=0)
    name = wanted.name if LAB_MARK in wanted.name else f"{wanted.name}（{LAB_MARK}）"
    try:
        data = build_seal(
            maker,
            maker_certificate.der,
            es_id=wanted.es_id or maker.provider.random(16).hex(),
            name=name,
            certificates=[certificate.der for certificate in listed],
            created=start,
            valid_from=start,
            valid_until=start + datetime.timedelta(days=wanted.days),
            picture=_picture(context, wanted),
            vid=wanted.vid,
            form=wanted.form,
        )
    except (ValueError, OverflowError):
        raise click.UsageError(
            say(
                "编号与厂商标识限 ASCII，时间须在版式允许的年份内",
                "id and vid are ASCII, times within the form's years",
            )
        ) from None
    made = seals.parse_seal(data)
    tools.put(context, wanted.out, data)
    context.done(
        True,
        "ok",
        f"已制章 {wanted.out}：{name}",
        f"seal written to {wanted.out}: {name}",
        kind="seal",
        version=made.form,
        id=made.es_id,
    )


def _picture(context: Context, wanted: WantedSeal) -> Picture:
    if wanted.picture is None:
        return round_seal(wanted.name.replace(f"（{LAB_MARK}）", ""))
    data = read_bytes(wanted.picture, _PICTURE_LIMIT)
    seen = pictures.look(data)
    faults = seen.faults or (("picture-unknown",) if seen.type == "ofd" else ())
    if faults:
        context.unreadable(wanted.picture, Malformed(faults[0], *pictures.FAULTS[faults[0]]))
    return Picture(seen.type, data, wanted.width, wanted.height)


def stamper(context: Context, wanted: WantedStamp) -> LocalStamper:
    seal = read(context, wanted.seal)
    certificate = tools.certificates(context, [wanted.cert])[0]
    return LocalStamper(
        signer=tools.signer(context, wanted.provider, wanted.key, wanted.passphrase_file),
        certificate=certificate,
        seal=seal.raw,
        anchors=tools.certificates(context, wanted.anchors),
        policy=SealPolicy(path=tools.path_policy("sign", wanted.require_crl), revoked_later="cannot-tell"),
        crls=tools.lists(context, wanted.crls),
        intermediates=tools.certificates(context, wanted.intermediates),
    )


def stamp_file(context: Context, file: str, wanted: WantedStamp) -> NoReturn:
    """A stamp in the seal's form, or the reason why this seal may not be used now."""
    by = stamper(context, wanted)
    at = tools.now(wanted.at).replace(microsecond=0)
    info = wanted.property_info if wanted.property_info is not None else _ascii_name(file)
    if not info.isascii():
        raise click.UsageError(say("--property-info 限 ASCII", "--property-info is ASCII"))
    made = by.stamp(digest_file(file, b""), info, at)
    if not isinstance(made, bytes):
        tools.refuse(context, made)
    tools.put(context, wanted.out, made)
    context.done(
        True,
        "ok",
        f"已签章 {wanted.out}",
        f"stamp written to {wanted.out}",
        kind="stamp",
        version=seals.parse_stamp(made).form,
        stamp_time=tools.stamp_of(at),
    )


def stamp_many(context: Context, batch: str, wanted: WantedStamp, sure: bool) -> NoReturn:
    """Every file of a folder or list; a seal that may not be used now is refused before the first."""
    from gateway.cli.seal_batch import stamp_batch

    if wanted.property_info is not None:
        raise click.UsageError(say("--property-info 只用于单个文件", "--property-info is for one file"))
    by = stamper(context, wanted)
    refused = by.refusal(tools.now(wanted.at))
    if refused is not None:
        tools.refuse(context, refused)
    stamp_batch(context, batch, wanted.out, by, lambda: tools.now(wanted.at), sure=sure)


def _ascii_name(path: str) -> str:
    """The file's name; one that ASCII cannot hold is left out."""
    name = Path(path).name
    return name if name.isascii() else ""
