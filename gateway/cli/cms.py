"""``tongban cms``: messages after GB/T 35275 on files: signed data (签名数据) and envelopes (数字信封).

What is written is strict DER; what is read may be BER and of either family of content types. ``verify`` judges the chain of
every signer as of ``--at``; certificates in a message are never trusted for being there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.cli.cert_tools import ANCHOR, AT, CRL, INTERMEDIATE, REQUIRE_CRL
from gateway.cli.sm import JSON, PASSPHRASE_FILE, PROVIDER, Context, options
from gateway.lang import say

if TYPE_CHECKING:
    from signing import cms
    from signing.issue import Authority
    from signing.signed_verify import SignedReport

LIMIT = 8 << 20
_IN = click.option(
    "--in", "source", required=True, metavar="F", help=say("输入文件，- 为标准输入", "input, - for stdin")
)
_OUT = click.option("--out", required=True, metavar="F", help=say("输出文件", "output file"))
_CERT = click.option("--cert", required=True, metavar="F", help=say("本人证书", "the holder's certificate"))
_KEY = click.option("--key", required=True, metavar="K.pem", help=say("私钥 PEM", "private key PEM"))
_FAMILY = click.option(
    "--family",
    type=click.Choice(["gm", "pkcs7"]),
    default="gm",
    show_default=True,
    help=say("内容类型标识：国密或 PKCS#7", "content types: national, or those of PKCS#7"),
)


@click.group("cms", help=say("GB/T 35275 消息：签名数据、数字信封。", "Messages after GB/T 35275: signed, enveloped."))
def group() -> None:
    """Messages after GB/T 35275."""


def _family(name: str) -> cms.Family:
    from signing import cms

    return cms.GM if name == "gm" else cms.PKCS7


def _holder(context: Context, cert: str, key: str, passphrase_file: str | None, provider: str) -> Authority:
    """A certificate with its key, or the end."""
    from gateway.cli import cert_tools as tools
    from signing.issue import Authority

    [certificate, *_] = tools.certificates(context, [cert])
    signer = tools.signer(context, provider, key, passphrase_file)
    if certificate.public_key != signer.public:
        context.done(False, "key-mismatch", "私钥与证书不是一对", "the key is not the certificate's")
    return Authority(signer, certificate)


def _write(context: Context, path: str, data: bytes, mode: int = 0o644) -> None:
    from gateway.cli.sm_files import write

    try:
        write(path, data, mode)
    except OSError as error:
        name = error.strerror or type(error).__name__
        context.done(False, "not-written", f"写不了 {path}（{name}）", f"{path} cannot be written ({name})")


@group.command(help=say("签名（默认附带原文与签名属性）。", "Sign (with content and attributes unless told)."))
@options(_IN, _OUT, _CERT, _KEY)
@click.option("--detached", is_flag=True, help=say("不附带原文", "leave the content out"))
@click.option(
    "--no-attributes", is_flag=True, help=say("直接签原文，不带签名时间", "sign the content itself, without time")
)
@options(_FAMILY, AT, PASSPHRASE_FILE, PROVIDER, JSON)
def sign(json: bool, **given: Any) -> None:
    """The signing time is this machine's, or ``--at``."""
    from gateway.cli import cert_tools as tools
    from gateway.cli.sm_files import read
    from signing.signed_build import build_signed

    context = Context(json, given["out"])
    by = _holder(context, given["cert"], given["key"], given["passphrase_file"], given["provider"])
    if by.certificate.key_usage is not None and not by.certificate.key_usage & {"digitalSignature", "nonRepudiation"}:
        context.done(False, "key-usage", "证书不能用于签名", "the certificate is not for signing")
    data = build_signed(
        read(given["source"], LIMIT),
        [by],
        detached=given["detached"],
        attributes=not given["no_attributes"],
        signing_time=None if given["no_attributes"] else tools.now(given["at"]),
        family=_family(given["family"]),
    )
    _write(context, given["out"], data)
    context.done(True, "ok", f"已签名（{len(data)} 字节）", f"signed ({len(data)} bytes)")


@group.command(help=say("核验签名数据：每个签名者、证书链。", "Verify signed data: every signer, with its chain."))
@click.argument("file")
@click.option("--content", metavar="F", help=say("分离的原文", "the content, where it is detached"))
@click.option("--out", metavar="F", help=say("核验通过后写出原文", "write the content here if all is well"))
@options(ANCHOR, INTERMEDIATE, CRL, REQUIRE_CRL, AT, PROVIDER, JSON)
def verify(file: str, content: str | None, out: str | None, json: bool, **given: Any) -> None:
    """Exit 0 good, 1 bad, 2 cannot tell, 65 not a message."""
    from gateway.cli import cert_tools as tools
    from gateway.cli.sm_files import read
    from signing.errors import Malformed
    from signing.signed_data import parse
    from signing.signed_verify import verify_signed

    context, data = Context(json), read(file, 2 * LIMIT)
    try:
        parse(data)
    except Malformed as fault:
        context.unreadable(file, fault)
    report = verify_signed(
        data,
        None if content is None else read(content, LIMIT),
        at=tools.now(given["at"]),
        anchors=tools.certificates(context, given["anchors"]),
        intermediates=tools.certificates(context, given["intermediates"]),
        crls=tools.lists(context, given["crls"]),
        provider=context.open(given["provider"], failing=None),
        policy=tools.path_policy("sign", given["require_crl"]),
    )
    if report.ok and out is not None and report.content is not None:
        _write(context, out, report.content)
    _verdict(context, report)


def _verdict(context: Context, report: SignedReport) -> None:
    from gateway.cli.output import finish

    signers = [
        {
            "subject": one.certificate.subject if one.certificate else "",
            "ok": not one.reasons,
            "stated_time": one.stated_time.isoformat() if one.stated_time else None,
        }
        for one in report.signers
    ]
    reasons = [{"code": one.code, "text": say(one.zh, one.en)} for one in report.reasons]
    verdict = {True: ("有效", "valid"), False: ("无效", "not valid"), None: ("无法判断", "cannot tell")}[report.ok]
    lines = [
        f"{'✓' if one['ok'] else '✗'} {one['subject'] or '?'} {one['stated_time'] or ''}".rstrip() for one in signers
    ]
    lines += [f"  {reason['text']} [{reason['code']}]" for reason in reasons]
    first = report.reasons[0].code if report.reasons else "ok"
    data = context.data(first, signers=signers, reasons=reasons)
    finish(report.ok, data, context.json, [*lines, say(f"结论：{verdict[0]}。", f"Verdict: {verdict[1]}.")])


@group.command(help=say("做数字信封，只能给加密证书。", "Envelope for recipients, by their encryption certificates."))
@options(_IN, _OUT)
@click.option(
    "--to", "to", multiple=True, required=True, metavar="F", help=say("收件人加密证书，可多次", "a recipient")
)
@click.option("--mode", type=click.Choice(["cbc", "gcm"]), default="cbc", show_default=True)
@options(_FAMILY, ANCHOR, INTERMEDIATE, CRL, REQUIRE_CRL, AT, PROVIDER, JSON)
def encrypt(json: bool, **given: Any) -> None:
    """With ``--anchor`` the recipients' chains are checked first."""
    from gateway.cli import cert_tools as tools
    from gateway.cli.sm_files import read
    from signing.enveloped import build_enveloped
    from signing.errors import Malformed
    from signing.path import check_path

    context, mode = Context(json, given["out"]), given["mode"]
    provider = context.open(given["provider"])
    recipients = tools.certificates(context, given["to"])
    anchors = tools.certificates(context, given["anchors"])
    for one in recipients if anchors else ():
        report = check_path(
            one, tools.certificates(context, given["intermediates"]), anchors, tools.now(given["at"]), provider,
            crls=tools.lists(context, given["crls"]), policy=tools.path_policy("encrypt", given["require_crl"]),
        )  # fmt: skip
        if not report.ok:
            context.done(report.ok, report.reasons[0].code, report.reasons[0].zh, report.reasons[0].en)
    key, iv = provider.random(16), provider.random(16 if mode == "cbc" else 12)
    try:
        data = build_enveloped(
            read(given["source"], LIMIT),
            recipients,
            provider,
            key=key,
            iv=iv,
            mode=mode,
            family=_family(given["family"]),
        )
    except Malformed as fault:
        context.done(False, fault.code, fault.zh, fault.en)
    _write(context, given["out"], data)
    context.done(True, "ok", f"已加密（{len(data)} 字节）", f"enveloped ({len(data)} bytes)")


@group.command(help=say("打开数字信封。", "Open an envelope."))
@options(_IN, _OUT, _CERT, _KEY, PASSPHRASE_FILE, PROVIDER, JSON)
def decrypt(source: str, out: str, json: bool, **given: Any) -> None:
    """Exit 1 where it is for others or cannot be opened, 65 no envelope; the output is for its owner alone."""
    from gateway.cli.sm_files import read
    from signing.enveloped import open_enveloped, parse
    from signing.errors import Malformed

    context, data = Context(json, out), read(source, 2 * LIMIT)
    try:
        parse(data)
    except Malformed as fault:
        context.unreadable(source, fault)
    by = _holder(context, given["cert"], given["key"], given["passphrase_file"], given["provider"])
    try:
        content = open_enveloped(data, by.signer.software, by.certificate, by.signer.provider)
    except Malformed as fault:
        context.done(False, fault.code, fault.zh, fault.en)
    _write(context, out, content, 0o600)
    context.done(True, "ok", f"已解密（{len(content)} 字节）", f"opened ({len(content)} bytes)")
