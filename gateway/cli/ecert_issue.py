"""``tongban ecert issue`` and ``templates``: a certificate made and sealed offline, from files, for laboratory and demo.

The seal's key lies in a file, so whatever is made here carries 样章·测试无效: a city's certificates are stamped by its own
certified system, through a node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.cert_tools import ANCHOR, AT, CRL, INTERMEDIATE, REQUIRE_CRL
from gateway.cli.sm import JSON, PASSPHRASE_FILE, PROVIDER, Context, options
from gateway.lang import say

if TYPE_CHECKING:
    import datetime

    from signing.stamper import LocalStamper


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """The options of ``ecert issue``."""

    template: str
    values: str
    lab: str | None
    seal: str | None
    cert: str | None
    key: str | None
    anchors: tuple[str, ...]
    intermediates: tuple[str, ...]
    crls: tuple[str, ...]
    require_crl: bool
    pictures: tuple[str, ...]
    at: datetime.datetime | None
    out: str
    passphrase_file: str | None
    provider: str


@click.command(
    "issue",
    help=say(
        "按模板签发电子证照（OFD，样章水印）；印章用 --lab 自备的试验印章，或 --seal、--cert、--key。",
        "Issue a certificate from a template (OFD with the sample's watermark), sealed by a laboratory's seal.",
    ),
)
@click.option("--template", required=True, metavar="NAME|F", help=say("模板名称或文件", "a template, by name or file"))
@click.option(
    "--values", required=True, metavar="F", help=say("照面内容（TOML 或 .json）", "its content (TOML or .json)")
)
@click.option(
    "--lab", metavar="DIR", help=say("试验印章的目录；没有则新建", "folder of a laboratory's seal, made if new")
)
@click.option("--seal", metavar="F", help=say("电子印章（.esl）", "the seal (.esl)"))
@click.option("--cert", metavar="F", help=say("签章人证书", "the signer's certificate"))
@click.option("--key", metavar="K.pem", help=say("签章人私钥", "the signer's private key"))
@options(ANCHOR, INTERMEDIATE, CRL, REQUIRE_CRL)
@click.option(
    "--picture", "pictures", multiple=True, metavar="NAME=F", help=say("照片等图片，可多次", "a picture, repeatable")
)
@click.option("--out", required=True, metavar="F", help=say("输出文件", "output file"))
@options(AT, PASSPHRASE_FILE, PROVIDER, JSON)
def issue(json: bool, **given: Any) -> None:
    """Refused with a reason (exit 1) where template and content do not fit."""
    from gateway.certificates import issue as certificates
    from gateway.cli import cert_tools as tools
    from gateway.cli import ecert_files as files
    from signing.ecert import Metadata

    context, wanted = Context(json, given["out"]), _Given(**given)
    pictures = _pictures(wanted.pictures)
    template, values = files.template(context, wanted.template), files.values(context, wanted.values)
    metadata = certificates.compose(template, values)
    if not isinstance(metadata, Metadata):
        tools.refuse(context, metadata)
    at = tools.now(wanted.at).replace(microsecond=0)
    stamper = _stamper(context, wanted, metadata.issuer_name, at)
    made = certificates.issue(template, metadata, stamper, at, lab=True, seal=stamper.seal, pictures=pictures)
    if not isinstance(made, bytes):
        tools.refuse(context, made)
    tools.put(context, wanted.out, made)
    context.done(
        True, "ok", f"已签发 {wanted.out}：{metadata.identifier}", f"issued to {wanted.out}: {metadata.identifier}",
        kind="ecert", identifier=metadata.identifier, type_code=metadata.type_code, number=metadata.number, url=metadata.url,
    )  # fmt: skip


@click.command("templates", help=say("列出自带的证照模板。", "List the templates that come with the program."))
@click.argument("name", required=False)
@JSON
def templates(name: str | None, json: bool) -> None:
    """With a name: the fields that this one wants."""
    from gateway.cli import ecert_files as files
    from gateway.cli.output import finish

    context = Context(json)
    chosen = files.builtin() if name is None else {name: files.template(context, name)}
    data = {
        key: {
            "name": one.name, "type_code": one.type_code, "confirmed": one.confirmed, "legal_basis": one.legal_basis,
            "holder_code_types": one.holder_code_types, "permits": one.permits is not None,
            "fields": [{"name": f.name, "label": f.label, "kind": f.kind, "required": f.required} for f in one.fields],
            "pictures": [{"name": p.name, "label": p.label, "required": p.required} for p in one.pictures],
        }
        for key, one in chosen.items()
    }  # fmt: skip
    lines = []
    for key, one in chosen.items():
        unsure = "" if one.confirmed else say("（试验代码）", " (laboratory's code)")
        lines += [f"{key}  {one.name}", f"  {one.type_code}{unsure}  {'；'.join(one.legal_basis)}"]
        if name is not None:
            lines += [
                f"  {f.name:<8}{f.label}{'' if f.required else say('（可空）', ' (optional)')}" for f in one.fields
            ]
    finish(True, context.data("ok", templates=data), json, lines)


def _stamper(context: Context, given: _Given, issuer: str, at: datetime.datetime) -> LocalStamper:
    from gateway.cli.ecert_lab import open_lab
    from gateway.cli.seal_make import WantedStamp, stamper

    if given.lab is not None:
        if given.seal or given.cert or given.key:
            raise click.UsageError(say("--lab 自带印章与私钥", "--lab brings its own seal and key"))
        return open_lab(context, given.lab, context.open(given.provider), issuer, at)
    if given.seal is None or given.cert is None or given.key is None:
        raise click.UsageError(say("给出 --lab，或 --seal、--cert 与 --key", "give --lab, or --seal, --cert and --key"))
    return stamper(
        context,
        WantedStamp(
            seal=given.seal, cert=given.cert, key=given.key, anchors=given.anchors, intermediates=given.intermediates,
            crls=given.crls, require_crl=given.require_crl, at=given.at, property_info=None, out=given.out,
            passphrase_file=given.passphrase_file, provider=given.provider,
        ),
    )  # fmt: skip


def _pictures(given: tuple[str, ...]) -> dict[str, bytes]:
    from gateway.certificates.issue import MAX_PICTURE
    from gateway.cli.output import read_bytes

    named = [one.partition("=") for one in given]
    if not all(name and path for name, _, path in named):
        raise click.UsageError(say("--picture 写作 名称=文件", "--picture is NAME=FILE"))
    return {name: read_bytes(path, MAX_PICTURE) for name, _, path in named}
