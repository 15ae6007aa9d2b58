"""``tongban agreement``: 通办协议 written, shown, checked, compared, signed and verified.

An agreement is TOML with a trailer of signatures (``agreements/load.py``). ``verify`` says for each party whether it
has signed: exit 0 all good, 1 one is missing or bad, 2 cannot tell (no trusted root given).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from gateway.cli.agreement_check import check
from gateway.cli.cert_tools import ANCHOR, AT, CRL, MOMENT
from gateway.cli.sm import JSON, PASSPHRASE_FILE, PROVIDER, Context, options
from gateway.lang import say

if TYPE_CHECKING:
    from agreements.model import Agreement, Item

_FILE = click.argument("file", metavar="FILE")


@click.group(
    "agreement",
    help=say("通办协议：新建、查看、检查、比较、签署、核验。", "Agreements: new, show, check, diff, sign, verify."),
)
def group() -> None:
    """Agreements."""


group.add_command(check)


@group.command(help=say("起草一份双边协议（未签署）。", "Draft a bilateral agreement, unsigned."))
@click.option("--party-a", metavar="ID", help=say("甲方主体：区划代码.统一社会信用代码", "party A: division.USCC"))
@click.option("--party-b", metavar="ID", help=say("乙方主体", "party B"))
@click.option("--name-a", default="", help=say("甲方名称", "name of party A"))
@click.option("--name-b", default="", help=say("乙方名称", "name of party B"))
@click.option(
    "--items", "item_file", metavar="F", help=say("事项清单（csv、xlsx 或协议）", "item list (csv, xlsx, agreement)")
)
@click.option("--id", "identifier", default="", help=say("协议编号", "agreement id"))
@click.option("--from", "begin", type=MOMENT, help=say("生效日，默认今日", "in force from, default today"))
@click.option("--until", type=MOMENT, help=say("届满日，默认五年后", "expires, default in five years"))
@click.option("--sample", is_flag=True, help=say("用硚口—红谷滩样例", "the Qiaokou-Honggutan sample"))
@click.option("--out", "-o", metavar="F", help=say("输出文件，默认标准输出", "output file, default standard output"))
@JSON
def new(
    party_a: str | None, party_b: str | None, name_a: str, name_b: str, item_file: str | None, identifier: str,
    begin: datetime | None, until: datetime | None, sample: bool, out: str | None, json: bool,
) -> None:  # fmt: skip
    """A draft that ``agreement show`` reads; the parties edit and then sign it."""
    from agreements import samples
    from agreements.calendar import china_date
    from agreements.load import parse
    from agreements.problems import AgreementError
    from gateway.cli.agreement_tools import refuse
    from gateway.cli.cert_tools import now
    from gateway.cli.output import finish
    from gateway.cli.sm_files import write

    a, b = party_a or "", party_b or ""
    if sample:
        a, b = a or samples.lab_party(samples.QIAOKOU), b or samples.lab_party(samples.HONGGUTAN)
        data = samples.render(a, b)
    elif not a or not b or not item_file:
        raise click.UsageError(
            say(
                "请给出 --party-a、--party-b 与 --items，或 --sample",
                "give --party-a, --party-b and --items, or --sample",
            )
        )
    else:
        first = china_date(now(begin))
        last = china_date(until) if until else first.replace(year=first.year + 5, day=min(first.day, 28))
        listed = _listed(item_file, json)
        data = _draft(a, b, (name_a or _place(a), name_b or _place(b)), listed, (identifier, first, last))
    try:
        agreement = parse(data).agreement
    except AgreementError as error:
        refuse("draft", error, json)
    if out:
        write(out, data)
    elif not json:
        click.echo(data.decode(), nl=False)
        return
    text = say(f"已起草：{out or agreement.id}", f"drafted: {out or agreement.id}")
    finish(True, {"id": agreement.id, "items": len(agreement.items), "file": out}, json, [text])


def _draft(a: str, b: str, names: tuple[str, str], listed: list[Item], term: tuple[str, object, object]) -> bytes:
    from datetime import date

    from agreements import samples, template
    from agreements.model import Party

    identifier, first, last = term
    assert isinstance(first, date) and isinstance(last, date)  # noqa: S101 - our own call
    cross = a[:2] != b[:2]
    scope = "跨省通办" if cross else "省内通办"
    return template.render(
        Party(a, names[0], a[:6]), Party(b, names[1], b[:6]), listed, id=identifier or f"TB-{a[:6]}-{b[:6]}",
        name=f"{names[0]}—{names[1]}{scope}协议", scope=scope, version=1, in_force=first, expires=last,
        purposes=samples.PURPOSES,
    )  # fmt: skip


def _listed(path: str, json: bool) -> list[Item]:
    from gateway.cli.item import read_items

    return read_items(path, None, json)


def _place(party: str) -> str:
    from gateway.tables import divisions

    return divisions().full_name(party[:6])


@group.command(help=say("查看协议：各方、授权、时限、事项。", "Show an agreement: parties, powers, clocks, items."))
@_FILE
@JSON
def show(file: str, json: bool) -> None:
    """What it says, for people; signatures are only listed, ``verify`` checks them."""
    import msgspec

    from agreements.load import digest
    from gateway.cli.agreement_tools import load
    from gateway.cli.output import finish

    signed = load(file, json)
    agreement = signed.agreement
    signatures = {signature.party: signature.at for signature in signed.signatures}
    data = {
        "digest": digest(signed.text),
        "agreement": msgspec.to_builtins(agreement),
        "signatures": [{"party": party, "at": at} for party, at in signatures.items()],
    }
    finish(
        True, data, json, [*_lines(agreement, signatures), say("摘要（SM3）：", "digest (SM3): ") + digest(signed.text)]
    )


def _lines(agreement: Agreement, signatures: dict[str, str]) -> list[str]:
    from agreements.diff import describe_line
    from agreements.match import rule_text
    from agreements.model import CONFIDENTIALITY

    names = {party.id: party.name for party in agreement.parties}
    begin, end = agreement.in_force, agreement.expires
    lines = [
        f"{agreement.name}　{agreement.id} v{agreement.version}",
        f"{agreement.scope}　" + say(f"{begin} 至 {end}", f"{begin} to {end}"),
    ]
    for party in agreement.parties:
        at = signatures.get(party.id)
        state = say(f"有签署 {at}", f"signature of {at}") if at else say("未签署", "not signed")
        lines.append(f"  {party.name}　{party.id}　{state}")
    lines.append(say("授权：", "powers:"))
    lines += [f"  {line.clause}　{describe_line(line, names)}" for line in agreement.lines]
    lines.append(say("时限：", "clocks:"))
    for zh, en, name in (("告知", "notify", "notify"), ("决定", "decide", "decide"), ("送达", "deliver", "deliver")):
        rule = getattr(agreement.clocks, name)
        words = say(*rule_text(rule.days, rule.unit, rule.starts))
        lines.append(f"  {say(zh, en)}　{words}　{rule.clause}（{rule.source}）")
    zh, en = CONFIDENTIALITY[agreement.confidentiality]
    clause = agreement.clauses.confidentiality
    lines.append(say(f"保密：{zh}", f"confidentiality: {en}") + (f"　{clause}" if clause else ""))
    lines += _certificate_lines(agreement, names)
    lines.append(say(f"事项 {len(agreement.items)} 个：", f"{len(agreement.items)} items:"))
    for item in agreement.items:
        materials = say(f"{len(item.materials)} 份材料", f"{len(item.materials)} materials")
        lines.append(f"  {item.code}　{item.name}　v{item.version}　{materials}")
    return lines


def _certificate_lines(agreement: Agreement, names: dict[str, str]) -> list[str]:
    from agreements.diff import describe_certificates

    if not agreement.certificates:
        return []
    head = say("证照：", "certificates:")
    return [head, *(f"  {line.clause}　{describe_certificates(line, names)}" for line in agreement.certificates)]


@group.command("diff", help=say("比较两个版本。", "Compare two versions."))
@click.argument("old", metavar="OLD")
@click.argument("new_file", metavar="NEW")
@JSON
def diff_(old: str, new_file: str, json: bool) -> None:
    """What changed, one sentence each. Exit 0: the same or not, the comparison was made."""
    import msgspec

    from agreements.diff import diff
    from gateway.cli.agreement_tools import load
    from gateway.cli.output import finish

    changes = diff(load(old, json).agreement, load(new_file, json).agreement)
    lines = [say(change.zh, change.en) for change in changes] or [say("内容相同", "no difference")]
    finish(True, {"changes": msgspec.to_builtins(changes)}, json, lines)


@group.command(help=say("以一方名义签署。", "Sign for a party."))
@_FILE
@click.option("--key", required=True, metavar="K.pem", help=say("私钥 PEM", "private key PEM"))
@click.option(
    "--cert", "certificate", required=True, metavar="C", help=say("证书（PEM 或 DER）", "certificate (PEM or DER)")
)
@click.option("--party", required=True, metavar="ID", help=say("签署方主体标识", "id of the signing party"))
@click.option("--out", "-o", metavar="F", help=say("输出文件，默认写回原文件", "output, default the same file"))
@options(AT, PASSPHRASE_FILE, PROVIDER, JSON)
def sign(
    file: str, key: str, certificate: str, party: str, out: str | None, at: datetime | None,
    passphrase_file: str | None, provider: str, json: bool,
) -> None:  # fmt: skip
    """Appends this party's line; the text and the other signatures stay byte for byte."""
    from agreements import signatures
    from agreements.problems import AgreementError
    from gateway.cli.agreement_tools import LIMIT, refuse
    from gateway.cli.cert_tools import certificates, now, signer
    from gateway.cli.output import read_bytes
    from gateway.cli.sm import broken, failed
    from gateway.cli.sm_files import write

    context = Context(json)
    data = read_bytes(file, LIMIT)
    der = certificates(context, [certificate])[0].der
    mine = signer(context, provider, key, passphrase_file)
    try:
        write(out or file, signatures.sign(data, party, mine, der, now(at)))
    except AgreementError as error:
        if error.code in (
            "signature-by-stranger",
            "key-certificate-mismatch",
            "certificate-of-another",
            "signed-twice",
        ):
            context.done(False, error.code, error.zh, error.en, where=error.where)
        refuse(file, error, json)
    except broken() as error:
        failed(context, error)
    context.done(True, "ok", f"已签署：{out or file}", f"signed: {out or file}", party=party, key_id=mine.key_id)


@group.command(help=say("核验各方签署。", "Verify each party's signature."))
@_FILE
@options(ANCHOR, CRL, AT, PROVIDER, JSON)
def verify(
    file: str, anchors: tuple[str, ...], crls: tuple[str, ...], at: datetime | None, provider: str, json: bool
) -> None:
    """✓ or ✗ for each party, and whether the agreement is in force at the time."""
    from agreements.calendar import china_date
    from agreements.load import digest
    from gateway.cli.agreement_tools import MARK, checks, described, load, verdict
    from gateway.cli.cert_tools import now
    from gateway.cli.output import finish

    context = Context(json)
    signed = load(file, json)
    agreement, moment = signed.agreement, now(at)
    found = described(signed, state := checks(signed, context, provider, anchors, crls, moment))
    today = china_date(moment)
    term = "not-in-force" if today < agreement.in_force else "expired" if today > agreement.expires else "in-force"
    words = {
        "in-force": say("在有效期内", "in force"), "expired": say("已届满", "expired"),
        "not-in-force": say("尚未生效", "not in force yet"),
    }  # fmt: skip
    lines = [f"{agreement.name}　{agreement.id} v{agreement.version}　{words[term]}"]
    lines += [f"  {MARK[entry['ok']]} {entry['name']}　{entry['text'] or entry['at']}" for entry in found]
    ok = verdict(state)
    data = context.data(
        next((entry["code"] for entry in found if entry["ok"] is not True), "ok"),
        id=agreement.id, version=agreement.version, digest=digest(signed.text), term=term, parties=found,
    )  # fmt: skip
    finish(ok, data, json, lines)


@group.command("import", help=say("检查后放入目录。", "Check and put into a directory."))
@_FILE
@click.argument("directory", metavar="DIR")
@options(ANCHOR, CRL, PROVIDER, JSON)
def import_(
    file: str, directory: str, anchors: tuple[str, ...], crls: tuple[str, ...], provider: str, json: bool
) -> None:
    """Copies a file that reads well and holds no bad signature to ``DIR/<id>-v<version>.toml``, byte for byte."""
    from pathlib import Path

    from gateway.cli.agreement_tools import checks, described, load
    from gateway.cli.cert_tools import now
    from gateway.cli.output import read_bytes
    from gateway.cli.sm import broken, failed
    from gateway.cli.sm_files import Exists, write_new

    context = Context(json)
    signed = load(file, json)
    found = described(signed, checks(signed, context, provider, anchors, crls, now(None)))
    wrong = [entry for entry in found if entry["ok"] is False]
    if wrong:
        what = "；".join(f"{entry['name']}：{entry['text']}" for entry in wrong)
        context.done(False, wrong[0]["code"], f"不予导入。{what}", f"not imported. {what}", parties=found)
    target = str(Path(directory) / f"{signed.agreement.id}-v{signed.agreement.version}.toml")
    try:
        write_new([(target, read_bytes(file), 0o644)], force=False)
    except Exists:
        context.done(False, "file-exists", f"{target} 已存在", f"{target} exists")
    except broken() as error:
        failed(context, error)
    context.done(True, "ok", f"已导入：{target}", f"imported: {target}", file=target, parties=found)
