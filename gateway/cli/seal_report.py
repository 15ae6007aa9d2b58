"""A seal or stamp in words a clerk understands: one line per check with ✓, ✗ or ？, then why, then remarks."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Sequence
from typing import NoReturn

from gateway.cli import seal_doctor, seal_words
from gateway.cli.cert_tools import shown, spoken, stamp_of
from gateway.cli.output import finish, printable
from gateway.cli.sm import Context
from gateway.lang import say
from signing import certs
from signing.errors import Malformed
from signing.reasons import Reason
from signing.seal import Seal, Stamp
from signing.seal_checks import Outcome
from signing.seal_doctor import Diagnosis
from signing.verify import SealReport

_MARK = {"ok": "✓", "failed": "✗", "unknown": "？", "absent": "－"}
CHECKS = (
    ("signature", "签名值", "signatures"),
    ("chain", "证书与信任", "certificates and trust"),
    ("document", "原文", "document"),
    ("window", "印章有效期", "the seal's validity"),
    ("membership", "签章人在印章证书列表中", "the signer is in the seal's list"),
)
_OUTCOMES = {
    "ok": ("通过", "passed"),
    "failed": ("未通过", "failed"),
    "unknown": ("无法判断", "cannot tell"),
    "absent": ("不适用或未提供", "not applicable or not given"),
}


def verdict(
    context: Context, report: SealReport, moment: datetime.datetime, diagnosis: Diagnosis | None = None
) -> NoReturn:
    """End with the report; ``diagnosis``: the seal doctor's findings, where they were asked for."""
    data, lines = _machine(context, report, moment), _lines(report, moment)
    if diagnosis is not None:
        data["doctor"] = seal_doctor.findings(diagnosis)
        lines += seal_doctor.lines(diagnosis)
    finish(report.ok, data, context.json, lines)


def _machine(context: Context, report: SealReport, moment: datetime.datetime) -> dict[str, object]:
    return context.data(
        report.reasons[0].code if report.reasons else "ok",
        kind=report.kind,
        version=report.version,
        signature=report.signature,
        chain=report.chain,
        document=report.document,
        window=report.window,
        membership=report.membership,
        reasons=[spoken(reason) for reason in report.reasons],
        notes=[spoken(note) for note in report.notes],
        at=stamp_of(moment),
        stamp_time=stamp_of(report.stamp_time) if report.stamp_time else None,
        seal=facts(report.seal) if report.seal else None,
        signer=report.signer_subject or None,
        maker=report.maker_subject or None,
        conclusion=say(*seal_words.conclusion(report)),
        action=say(*seal_words.action(report)),
    )


def _lines(report: SealReport, moment: datetime.datetime) -> list[str]:
    what = say("电子印章", "electronic seal") if report.kind == "seal" else say("电子签章", "electronic stamp")
    title = {
        True: say(f"✓ {what}有效", f"✓ the {what} is valid"),
        False: say(f"✗ {what}无效", f"✗ the {what} is not valid"),
        None: say(f"？ {what}无法判断", f"? the {what}: cannot tell"),
    }[report.ok]
    lines = [title + say("（核验时刻 ", " (verified as of ") + shown(moment) + say("）", ")")]
    if report.seal is not None:
        lines += seal_lines(report.seal)
    if report.signer_subject:
        lines.append(say("签章人：", "signer: ") + report.signer_subject)
    if report.stamp_time is not None:
        lines.append(say("签章时间：", "stamped at: ") + shown(report.stamp_time))
    lines += [check_line(zh, en, getattr(report, group)) for group, zh, en in CHECKS]
    lines += remarks(report.reasons, report.notes)
    lines.append(say("结论：", "conclusion: ") + printable(say(*seal_words.conclusion(report))))
    return [*lines, say("下一步：", "next: ") + say(*seal_words.action(report))]


def check_line(zh: str, en: str, outcome: Outcome) -> str:
    """One check and what came of it."""
    return f"  {_MARK[outcome]} {say(zh, en)}{say('：', ': ')}{say(*_OUTCOMES[outcome])}"


def remarks(reasons: Sequence[Reason], notes: Sequence[Reason]) -> list[str]:
    """Why, then remarks."""
    lines = []
    for title, found in ((say("原因：", "reasons:"), reasons), (say("说明：", "remarks:"), notes)):
        lines += [title, *(f"  · {say(one.zh, one.en)}" for one in found)] if found else []
    return lines


def seal_lines(seal: Seal) -> list[str]:
    """The seal's own statements, escaped."""
    own = seal.property
    return [
        say("印章：", "seal: ") + f"{printable(own.name)}  [{seal.form}]  {printable(seal.es_id)}",
        say("有效期：", "valid: ") + f"{shown(own.valid_from)} — {shown(own.valid_until)}",
        say("制章人：", "maker: ") + holder(seal.maker),
        say("印模：", "picture: ")
        + f"{printable(seal.picture.type)}, {seal.picture.width} × {seal.picture.height} mm, {len(seal.picture.data)} B",
    ]


def stamp_lines(stamp: Stamp) -> list[str]:
    """The stamp's own statements, escaped, the seal in it first."""
    return [
        *seal_lines(stamp.seal),
        say("签章人：", "signer: ") + holder(stamp.signer),
        say("签章时间：", "stamped at: ") + (shown(stamp.time) if stamp.time else "-"),
        say("原文摘要：", "document digest: ") + stamp.data_hash.hex(),
        say("原文属性：", "property information: ") + printable(stamp.property_info),
    ]


def facts(seal: Seal) -> dict[str, object]:
    """A seal for machines."""
    own = seal.property
    return {
        "id": seal.es_id,
        "name": own.name,
        "vid": seal.header.vid,
        "header_version": seal.header.version,
        "type": own.type,
        "certificates": len(own.certificates),
        "digests": len(own.digests),
        "created": stamp_of(own.created),
        "valid_from": stamp_of(own.valid_from),
        "valid_until": stamp_of(own.valid_until),
        "picture": {
            "type": seal.picture.type,
            "width_mm": seal.picture.width,
            "height_mm": seal.picture.height,
            "bytes": len(seal.picture.data),
        },
        "extensions": [{"oid": x.oid, "critical": x.critical} for x in seal.extensions],
        "maker": holder(seal.maker),
        "algorithm": seal.algorithm,
        "timestamp": seal.timestamp is not None,
    }


def stamp_facts(stamp: Stamp) -> dict[str, object]:
    """A stamp for machines."""
    return {
        "version_number": stamp.version,
        "time": stamp_of(stamp.time) if stamp.time else None,
        "data_hash": base64.b64encode(stamp.data_hash).decode()
        if len(stamp.data_hash) != 32
        else stamp.data_hash.hex(),
        "property_info": stamp.property_info,
        "signer": holder(stamp.signer),
        "algorithm": stamp.algorithm,
        "timestamp": stamp.timestamp is not None,
    }


def holder(certificate: bytes) -> str:
    """The subject of a certificate that may be unreadable."""
    try:
        return certs.parse(certificate).subject
    except Malformed:
        return say("（证书无法读取）", "(certificate cannot be read)")
