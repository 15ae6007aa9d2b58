"""``tongban evidence``: packages that prove a case offline (证据包). ``verify`` needs no node and no network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.cert_tools import AT
from gateway.cli.node import CONFIG, JSON, on_node
from gateway.cli.times import local, rfc3339
from gateway.lang import say

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.cli.node import Files
    from gateway.ledger.originals import Origin
    from gateway.ledger.package import Finding
    from gateway.ledger.report import EvidenceReport
    from gateway.ledger.times import TimeNote
    from schemas.canonical import CertificateReference

GRADES = {
    "full": ("完整：每份报文都有双方账本的证明", "full: every message is proved by both sides' ledgers"),
    "one-sided": ("单方：有报文尚缺一方的证明", "one-sided: some message lacks one side's proof"),
    "partial": ("不全：有被提到的内容不在包内", "partial: something that is named is not in the package"),
    "broken": ("不成立：有内容被改动或不合规则", "broken: something was changed or breaks the rules"),
}
TRUST = {
    "anchored": ("证书链到达所给的根证书", "certificates lead to the anchors that were given"),
    "as-packaged": (
        "依据包内自带的根证书；请按下列指纹核对身份，或用 --anchor 指定根证书",
        "rests on the package's own roots: compare the fingerprints below, or give --anchor",
    ),
}
VERDICT = {True: ("有效", "valid"), False: ("无效", "not valid"), None: ("无法判断", "cannot tell")}


@click.group(help=say("证据包导出与离线核验", "Evidence packages, verified offline"))
def group() -> None:
    """The noun."""


@group.command(help=say("导出一个办件的证据包", "Export the evidence package of a case"))
@click.argument("case")
@click.option("--out", "-o", required=True, type=click.Path(), metavar="F", help=say("输出文件", "output file"))
@click.option(
    "--with-materials",
    is_flag=True,
    help=say("附上申请材料原文（默认只有摘要）", "with the applicant's files, not digests only"),
)
@click.option(
    "--with-originals",
    is_flag=True,
    help=say(
        "附上本地平台发来的原件，供核验其上的签章（可能含未发给对方的内容；默认只有摘要和映射版本）",
        "with what the local platform sent, to check seals over it (may say more than was sent on; else digests only)",
    ),
)
@click.option(
    "--sealed",
    "keep_sealed",
    is_flag=True,
    help=say("不公开报文密钥：只证明说过，不证明说了什么", "without the message keys: proves that, not what, was said"),
)
@CONFIG
@JSON
@on_node
def export(
    case: str, out: str, with_materials: bool, with_originals: bool, keep_sealed: bool, path: str, as_json: bool
) -> None:
    """Exit 0 written, 1 no such case, 64 sealed and yet with files, 65 configuration, keys or store unreadable. The file is for
    its owner alone."""
    if keep_sealed and (with_materials or with_originals):
        zh, en = (
            "--sealed 不能与 --with-materials、--with-originals 同用",
            "--sealed goes without materials and originals",
        )
        raise click.UsageError(say(zh, en))
    from gateway.cli.case import only
    from gateway.cli.node import open_node, write_private
    from gateway.cli.output import finish
    from gateway.flow.export import export_case
    from signing.sm3 import sm3

    node = open_node(path)
    found = only(node, case, as_json)
    data = export_case(
        node.config, node.base, found.id, with_materials=with_materials, with_originals=with_originals,
        disclose=not keep_sealed,
    )  # fmt: skip
    data, time, about_time = _timed(data, node)
    write_private(out, data)
    text = say(f"已导出 {out}（{len(data)} 字节）", f"written: {out} ({len(data)} bytes)")
    hint = say(
        f"核验：tongban evidence verify {out} --anchor 根证书", f"verify: tongban evidence verify {out} --anchor ROOT"
    )
    told = {"case": found.id, "file": out, "bytes": len(data), "sm3": sm3(data).hex(), "lines": data.count(b"\n")}
    finish(True, {**told, "timestamp": time}, as_json, [text, *about_time, hint])


@group.command(
    help=say(
        "给证据包补盖时间戳，或在旧时间戳上再盖一层", "Add a time stamp to a package, or one more over those it has"
    )
)
@click.argument("file", type=click.Path())
@CONFIG
@JSON
@on_node
def timestamp(file: str, path: str, as_json: bool) -> None:
    """Exit 0 stamped, 1 no authority is configured, 2 it gave no time stamp (the file is untouched), 65 unreadable."""
    from gateway.cli.node import no, open_node, write_private
    from gateway.cli.output import finish, read_bytes
    from gateway.ledger.package import read

    data = read_bytes(file)
    if read(data)[0].end is None:
        from gateway.cli.output import unreadable

        unreadable(file, "不是完整的证据包", "not a whole evidence package")
    stamped, time, lines = _timed(data, open_node(path))
    if time == "none":
        no("未配置时间戳服务（[tsa]）", "no time-stamp authority is configured ([tsa])", as_json, "no-tsa")
    if time == "stamped":
        write_private(file, stamped)
    finish(True if time == "stamped" else None, {"file": file, "timestamp": time}, as_json, lines)


def _timed(data: bytes, node: Files) -> tuple[bytes, str, list[str]]:
    """The package, with the configured authority's time stamp if it gives one: ``stamped``, ``pending`` or ``none``."""
    import asyncio

    from gateway.cli.anchors import open_checking_provider
    from gateway.ids import now_ms
    from gateway.timestamping import Unstamped, open_client, stamp_package

    client = open_client(node.config.tsa, node.base, open_checking_provider(), now_ms)
    if client is None:
        return data, "none", []
    stamped = asyncio.run(stamp_package(data, client))
    if isinstance(stamped, Unstamped):
        zh, en = f"待补时间戳（{stamped.reason}）", f"awaiting a time stamp ({stamped.reason})"
        return (
            data,
            "pending",
            [say(f"{zh}：以后用 tongban evidence timestamp", f"{en}: tongban evidence timestamp, later")],
        )
    return stamped, "stamped", [say("已加盖时间戳", "time-stamped")]


@group.command(help=say("离线核验证据包", "Verify an evidence package offline"))
@click.argument("file", type=click.Path())
@click.option(
    "--anchor", "anchors", multiple=True, type=click.Path(), help=say("可信的根证书", "a root certificate to trust")
)
@click.option(
    "--tsa-anchor", "clocks", multiple=True, type=click.Path(),
    help=say("可信的时间戳机构根证书", "root of a time-stamp authority to trust"),
)  # fmt: skip
@AT
@click.option("--json", "as_json", is_flag=True, help=say("输出 JSON", "JSON for machines"))
def verify(file: str, anchors: tuple[str, ...], clocks: tuple[str, ...], at: datetime | None, as_json: bool) -> None:
    """Exit 0 valid, 1 not valid, 2 cannot tell, 65 not a package."""
    from gateway.cli.anchors import open_checking_provider, read_anchors
    from gateway.cli.output import finish, read_bytes, unreadable
    from gateway.ids import now_ms
    from gateway.ledger import evidence, trust

    data = read_bytes(file)
    moment = now_ms() if at is None else int(at.timestamp() * 1000)
    checks = trust.compose(
        open_checking_provider(), read_anchors(anchors), now_ms=moment, tsa_anchors=read_anchors(clocks)
    )
    report = evidence.verify(data, checks)
    if not report.counts["form"]:
        unreadable(file, "不是证据包：没有一行读得出记录", "not an evidence package: no line of it is a record")
    finish(report.ok, as_data(report), as_json, lines(file, report))


def as_data(report: EvidenceReport) -> dict[str, Any]:
    """The report for machines, without ``ok``."""
    return {
        "grade": report.grade,
        "trust": report.trust,
        "case": report.case,
        "state": report.state,
        "messages": report.messages,
        "certificates": [_certificate(one) for one in report.certificates],
        "originals": [_origin(one) for one in report.origins],
        "reasons": [_reason(finding) for finding in report.reasons],
        "checked": report.counts,
        "fixed": None if report.fixed_ms is None else rfc3339(report.fixed_ms),
        "times": [_time(note) for note in report.times],
        "identities": [
            {"party": one.party, "name": one.name, "fingerprint": one.fingerprint} for one in report.identities
        ],
    }


def _origin(one: Origin) -> dict[str, Any]:
    return {"message": one.message, "party": one.party, "mapping": one.mapping, "sm3": one.sm3, "bytes": one.size}


def _certificate(one: CertificateReference) -> dict[str, Any]:
    at = None if one.status_at is None else rfc3339(int(one.status_at.timestamp() * 1000))
    return {
        "material": one.name, "type_code": one.type_code, "identifier": one.identifier, "outcome": one.outcome,
        "status": one.status, "status_at": at, "reason": one.reason, "filled": list(one.filled),
    }  # fmt: skip


def _time(note: TimeNote) -> dict[str, Any]:
    view = note.view
    return {
        "line": note.line,
        "over": note.over,
        "time": None if view.time_ms is None else rfc3339(view.time_ms),
        "authority": view.authority,
        "held": note.held,
        "reasons": [{"code": one.code, "zh": one.zh, "en": one.en} for one in view.reasons],
    }


def _reason(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "zh": finding.zh,
        "en": finding.en,
        "where": finding.where,
        "line": finding.line,
        "message": finding.message,
        "section": finding.section,
        "bad": finding.bad,
    }


def lines(file: str, report: EvidenceReport) -> Iterator[str]:
    """The report for people: one line per kind of check, what is wrong beneath it, the verdict last."""
    from gateway.core.labels import LABELS
    from gateway.ledger.report import SECTIONS

    yield say(f"证据包 {file}", f"Evidence package {file}")
    if report.case:
        state = say(*LABELS[report.state]) if report.state else say("未定", "open")
        yield say(
            f"办件 {report.case}（{state}），报文 {report.messages} 份",
            f"case {report.case} ({state}), {report.messages} messages",
        )
    yield from map(_certificate_line, report.certificates)
    yield from map(_origin_line, report.origins)
    for section, names in SECTIONS.items():
        found = [finding for finding in report.reasons if finding.section == section]
        count = report.counts[section]
        mark = "✗" if any(finding.bad for finding in found) else "?" if found else "✓" if count else "–"
        yield f"  {mark} {say(*names)}" + (f" ({count})" if count else "")
        for finding in found:
            place = f"{_place(finding)}{say('：', ': ')}" if finding.line or finding.message else ""
            yield f"      {place}{say(finding.zh, finding.en)} [{finding.code}]"
    yield say(
        f"结论：{VERDICT[report.ok][0]}。{GRADES[report.grade][0]}。",
        f"Verdict: {VERDICT[report.ok][1]}. {GRADES[report.grade][1]}.",
    )
    yield from _times(report)
    yield say(f"信任：{TRUST[report.trust][0]}。", f"Trust: {TRUST[report.trust][1]}.")
    for one in report.identities:
        yield f"  {one.party} {one.name} {one.fingerprint}"


def _certificate_line(one: CertificateReference) -> str:
    from gateway.core.ecert import NAMES

    at = "" if one.status_at is None else local(int(one.status_at.timestamp() * 1000))
    zh, en = NAMES.get(one.status, (one.status, one.status))
    if one.outcome != "verified":
        return say(
            f"电子证照代替“{one.name}”：未取得（{one.reason}）",
            f"certificate for {one.name}: not obtained ({one.reason})",
        )
    remarks = f"（{one.reason}）" if one.reason else ""
    return say(
        f"电子证照代替“{one.name}”：{one.identifier}，{at} 时{zh}，填写表单 {len(one.filled)} 项{remarks}",
        f"certificate in place of {one.name}: {one.identifier}, {en} at {at}, {len(one.filled)} form fields filled{remarks}",
    )


def _origin_line(one: Origin) -> str:
    held = say("只有摘要", "digest only") if one.size is None else say(f"{one.size} 字节", f"{one.size} bytes")
    by = one.mapping or say("未注明", "not told")
    return say(
        f"报文 {one.message}：映射版本 {by}，平台原件 {one.sm3}（{held}）",
        f"message {one.message}: mapping {by}, the platform's original {one.sm3} ({held})",
    )


def _times(report: EvidenceReport) -> Iterator[str]:
    for note in report.times:
        stated = "?" if note.view.time_ms is None else local(note.view.time_ms)
        over = say("整个证据包", "the whole package") if note.over == "package" else note.over
        why = "" if note.held else say("，不予采信：", ", not relied on: ")
        why += "; ".join(say(one.zh, one.en) for one in note.view.reasons)
        yield say(f"时间戳：{stated}，{over}{why}", f"time stamp: {stated}, {over}{why}")
    if report.fixed_ms is None:
        yield say("可信时间：待补时间戳。", "Trusted time: awaiting a time stamp.")
    else:
        yield say(f"可信时间：不晚于 {local(report.fixed_ms)}。", f"Trusted time: not after {local(report.fixed_ms)}.")


def _place(finding: Finding) -> str:
    line = say(f"第 {finding.line} 行", f"line {finding.line}") if finding.line else ""
    message = say(f"报文 {finding.message}", f"message {finding.message}") if finding.message else ""
    return " ".join(part for part in (line, message) if part)
