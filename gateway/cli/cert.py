"""``tongban cert``: SM2 certificates requested, issued by a laboratory authority, shown, verified as of a time, revoked.

What the laboratory issues carries 样章·测试无效 in its subject. ``path`` of the machine answer is the chain, leaf first.
"""

from __future__ import annotations

from typing import Any

import click

from gateway.cli.cert_tools import ANCHOR, AT, CRL, INTERMEDIATE, MOMENT, OCSP, REQUIRE_CRL
from gateway.cli.sm import JSON, PASSPHRASE_FILE, PROVIDER, Context, options
from gateway.lang import say

_OUT = click.option("--out", required=True, metavar="F", help=say("输出文件（PEM）", "output file (PEM)"))
_CA = click.option("--ca", metavar="CA.pem", help=say("签发者证书", "the issuer's certificate"))
_CA_KEY = click.option("--ca-key", metavar="K.pem", help=say("签发者私钥", "the issuer's private key"))
_PROFILES = (
    *("ca", "identity", "checkpoint", "direct", "seal-maker", "seal-signer"),
    *("tls-server", "tls-client", "encryption", "ocsp-responder", "tsa"),
)


@click.group("cert", help=say("SM2 证书。", "SM2 certificates."))
def group() -> None:
    """SM2 certificates."""


@group.command(help=say("生成证书请求（PKCS#10）。", "Make a certificate request (PKCS#10)."))
@click.option("--key", required=True, metavar="K.pem", help=say("私钥 PEM", "private key PEM"))
@click.option("--subject", required=True, help=say("名称，如 CN=…,O=…,C=CN", "name, e.g. CN=…,O=…,C=CN"))
@click.option("--dns", multiple=True, help=say("域名，可多次", "a DNS name, may be repeated"))
@options(_OUT, PASSPHRASE_FILE, PROVIDER, JSON)
def csr(
    key: str, subject: str, dns: tuple[str, ...], out: str, passphrase_file: str | None, provider: str, json: bool
) -> None:
    """Signed with the key it asks for."""
    from gateway.cli import cert_tools as tools
    from gateway.cli.cert_issue import dns_names
    from signing import issue, keys, names

    context = Context(json)
    name, wanted = tools.subject(subject), dns_names(dns)
    signer = tools.signer(context, provider, key, passphrase_file)
    request = issue.build_csr(signer, subject=name, dns=wanted)
    tools.put(context, out, keys.to_pem("CERTIFICATE REQUEST", request))
    path = [names.display(names.encode(name))]
    context.done(True, "ok", f"已写入证书请求 {out}", f"request written to {out}", path=path, key_id=signer.key_id)


@group.command(
    "issue",
    help=say(
        "签发实验证书（样章·测试无效）：--key 自签根证书，或 --ca 与 --ca-key 为 --csr 或 --pub 签发。",
        "Issue a laboratory certificate: --key for a self-signed root, or --ca and --ca-key for --csr or --pub.",
    ),
)
@click.option("--key", metavar="K.pem", help=say("自签根证书的私钥", "private key of a self-signed root"))
@options(_CA, _CA_KEY)
@click.option("--csr", "request", metavar="F", help=say("证书请求", "certificate request"))
@click.option("--pub", metavar="P.pem", help=say("持有者公钥", "the holder's public key"))
@click.option("--subject", help=say("名称；默认取请求中的", "name; default: the request's"))
@click.option("--dns", multiple=True, help=say("域名，可多次；默认取请求中的", "DNS name; default: the request's"))
@click.option("--profile", type=click.Choice(_PROFILES), default="seal-signer", show_default=True)
@click.option("--days", type=click.IntRange(1, 36_500), default=1095, show_default=True)
@click.option("--path-len", type=click.IntRange(0, 8), help=say("CA 证书的路径长度", "path length of a CA certificate"))
@click.option("--serial", metavar="HEX", help=say("序列号；默认随机", "serial number; default: random"))
@click.option(
    "--from", "begins", type=MOMENT, metavar="TIME", help=say("生效时间（默认现在）", "valid from (default: now)")
)
@options(_OUT, PASSPHRASE_FILE, PROVIDER, JSON)
def issue_command(json: bool, **given: Any) -> None:
    """The subject gets the laboratory's mark if it lacks it."""
    from gateway.cli.cert_issue import Wanted, issue_certificate

    issue_certificate(Context(json), Wanted(**given))


@group.command(help=say("显示证书内容。", "Show a certificate."))
@click.argument("file")
@JSON
def show(file: str, json: bool) -> None:
    """All certificates of the file, with the rules of form they break."""
    from gateway.cli import cert_report as report
    from gateway.cli import cert_tools as tools
    from gateway.cli.output import finish

    context = Context(json)
    found = tools.certificates(context, [file])
    lines = [line for certificate in found for line in (*report.lines(certificate), "")][:-1]
    data = context.data("ok", path=tools.path_of(found), certificates=[report.facts(one) for one in found])
    finish(True, data, json, lines)


@group.command(
    help=say("验证证书、证书链、在线状态与双证书配对。", "Verify a certificate, its chain, its status, its pair.")
)
@click.argument("file")
@options(ANCHOR, INTERMEDIATE, CRL, REQUIRE_CRL, AT)
@click.option(
    "--partitions",
    type=click.Choice(["by-point", "refuse", "as-complete"]),
    default="by-point",
    show_default=True,
    help=say("分片吊销列表如何算", "how lists for part of the certificates count"),
)
@OCSP
@click.option("--ocsp-url", "url", metavar="URL", help=say("向此应答者查询", "ask this responder"))
@click.option("--pair", metavar="F", help=say("同一持有者的加密证书（双证书）", "the holder's encryption certificate"))
@click.option(
    "--usage",
    type=click.Choice(["any", "sign", "encrypt", "crl-sign"]),
    default="any",
    show_default=True,
    help=say("要求的密钥用途", "key usage that is demanded"),
)
@options(PROVIDER, JSON)
def verify(json: bool, **given: Any) -> None:
    """The first certificate of FILE; those after it serve as intermediates. Exit 0 valid, 1 invalid, 2 cannot tell."""
    from gateway.cli import cert_verify

    cert_verify.verify(Context(json), cert_verify.Wanted(**given))


@group.command(
    "ocsp",
    help=say(
        "查询证书在线状态的请求；给出 --key 则作为实验应答者答复。",
        "A request for a certificate's status; with --key, a laboratory responder's answer.",
    ),
)
@click.option("--ca", required=True, metavar="CA.pem", help=say("颁发者证书", "the issuer's certificate"))
@click.option("--key", metavar="K.pem", help=say("应答者私钥", "the responder's private key"))
@click.option("--responder", metavar="R.pem", help=say("受托应答者的证书", "certificate of a delegated responder"))
@click.option("--for", "about", metavar="F", help=say("所问的证书", "the certificate asked about"))
@click.option("--request", metavar="F", help=say("收到的请求", "the request received"))
@click.option("--crl", metavar="F", help=say("据此吊销列表答复", "answer by this revocation list"))
@click.option("--digest", type=click.Choice(["sm3", "sha1"]), default="sm3", show_default=True)
@click.option("--hours", type=click.IntRange(1, 8760), default=24, show_default=True)
@click.option(
    "--from", "begins", type=MOMENT, metavar="TIME", help=say("答复时间（默认现在）", "answered at (default: now)")
)
@click.option("--out", required=True, metavar="F", help=say("输出文件（DER）", "output file (DER)"))
@options(PASSPHRASE_FILE, PROVIDER, JSON)
def ocsp_command(json: bool, **given: Any) -> None:
    """DER, as it goes over the wire."""
    from gateway.cli import cert_status

    cert_status.status(Context(json), cert_status.Wanted(**given))


@group.command(
    "crl", help=say("签发吊销列表，或用 --show 查看。", "Issue a revocation list, or look at one with --show.")
)
@click.option("--show", "shown", metavar="F", help=say("查看这份列表", "show this list"))
@options(_CA, _CA_KEY)
@click.option(
    "--revoke", multiple=True, metavar="F|HEX", help=say("证书文件或序列号，可多次", "certificate file or serial")
)
@click.option("--reason", default="unspecified", help=say("吊销原因，如 keyCompromise", "reason, e.g. keyCompromise"))
@click.option(
    "--revoked-at", type=MOMENT, metavar="TIME", help=say("吊销时间（默认现在）", "revoked at (default: now)")
)
@click.option("--previous", metavar="F", help=say("沿用上一份列表的条目", "carry over the entries of this list"))
@click.option(
    "--number", type=click.IntRange(1), help=say("列表序号（默认上一份加一）", "number (default: previous + 1)")
)
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True)
@click.option(
    "--from", "begins", type=MOMENT, metavar="TIME", help=say("签发时间（默认现在）", "issued at (default: now)")
)
@click.option("--out", metavar="F", help=say("输出文件（PEM）", "output file (PEM)"))
@options(PASSPHRASE_FILE, PROVIDER, JSON)
def crl_command(json: bool, shown: str | None, **given: Any) -> None:
    """Entries of ``--previous`` are kept, so that nothing revoked comes back."""
    from gateway.cli import cert_tools as tools
    from gateway.cli.cert_issue import WantedList, issue_list
    from gateway.cli.cert_report import list_answer

    context = Context(json)
    if shown is not None:
        list_answer(context, tools.lists(context, [shown])[0])
    issue_list(context, WantedList(**given))
