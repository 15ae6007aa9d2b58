"""Certificates, chains and revocation lists in words: lines for people, facts for machines."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, NoReturn

from gateway.cli.cert_tools import path_of, shown, spoken, stamp_of
from gateway.cli.output import finish
from gateway.cli.sm import Context
from gateway.lang import say
from signing import names, reasons
from signing.chains import who
from signing.lab import is_lab

if TYPE_CHECKING:
    from signing.certs import Certificate
    from signing.crl import RevocationList
    from signing.path import PathReport

MARK = {True: "✓", False: "✗", None: "？"}


def chain_answer(context: Context, report: PathReport, moment: datetime.datetime) -> NoReturn:
    """End with the verdict on a chain."""
    verdict = {
        True: say("✓ 证书有效", "✓ the certificate is valid"),
        False: say("✗ 证书无效", "✗ the certificate is not valid"),
        None: say("？ 无法判断", "? cannot tell"),
    }[report.ok]
    lines = [
        verdict + say("（判断时刻 ", " (as of ") + shown(moment) + say("）", ")"),
        *(f"  {MARK[report.ok]} {say(reason.zh, reason.en)}" for reason in report.reasons),
        *([say("  后来被吊销：", "  revoked later: ") + shown(report.leaf_revoked)] if report.leaf_revoked else []),
        say("证书链：", "chain:"),
        *(f"  {depth}  {certificate.subject}" for depth, certificate in enumerate(report.path)),
    ]
    data = context.data(
        report.reasons[0].code if report.reasons else "ok",
        path=path_of(report.path),
        reasons=[spoken(reason) for reason in report.reasons],
        at=stamp_of(moment),
        revoked_later=stamp_of(report.leaf_revoked) if report.leaf_revoked else None,
    )
    finish(report.ok, data, context.json, lines)


def list_answer(context: Context, found: RevocationList) -> NoReturn:
    """End with what a revocation list says."""
    issuer = names.display(found.issuer_der)
    until = found.next_update
    entries = [
        {"serial": f"{entry.serial:x}", "revoked": stamp_of(entry.revoked), "reason": entry.reason}
        for entry in found.entries.values()
    ]
    lines = [
        say(f"吊销列表　签发者：{issuer}", f"revocation list by {issuer}"),
        say("签发时间：", "issued: ") + shown(found.this_update),
        say("下次更新：", "next update: ") + (shown(until) if until else "-"),
        *(f"  {entry['serial']}  {entry['revoked']}  {entry['reason']}" for entry in entries),
    ]
    data = context.data(
        "ok",
        path=[issuer],
        number=found.number,
        this_update=stamp_of(found.this_update),
        next_update=stamp_of(until) if until else None,
        entries=entries,
    )
    finish(True, data, context.json, lines)


def facts(certificate: Certificate) -> dict[str, object]:
    """A certificate for machines."""
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": f"{certificate.serial:x}",
        "not_before": stamp_of(certificate.not_before),
        "not_after": stamp_of(certificate.not_after),
        "key_id": certificate.public_key.thumbprint if certificate.public_key else None,
        "key_problem": certificate.key_problem or None,
        "is_ca": certificate.is_ca,
        "path_len": certificate.path_len,
        "key_usage": sorted(certificate.key_usage) if certificate.key_usage is not None else None,
        "extended_usage": certificate.extended_usage,
        "unknown_critical": certificate.unknown_critical,
        "defects": certificate.defects,
        "fingerprint_sm3": certificate.fingerprint,
        "lab": is_lab(certificate),
    }


def lines(certificate: Certificate) -> list[str]:
    """A certificate for people."""
    key = certificate.public_key
    defects = [reasons.path_reason(code, who(certificate)) for code in certificate.defects]
    if certificate.unknown_critical:
        critical = ", ".join(certificate.unknown_critical)
        defects.append(reasons.path_reason("unknown-critical-extension", who(certificate), critical))
    return [
        say("持有者：", "subject: ") + certificate.subject,
        say("颁发者：", "issuer:  ") + certificate.issuer,
        say("序列号：", "serial:  ") + f"{certificate.serial:x}",
        say("有效期：", "valid:   ") + f"{shown(certificate.not_before)} — {shown(certificate.not_after)}",
        say("密钥：　", "key:     ") + (key.thumbprint if key else certificate.key_problem),
        say("用途：　", "usage:   ") + (", ".join(sorted(certificate.key_usage or ())) or "-"),
        say("摘要：　", "SM3:     ") + certificate.fingerprint,
        *(f"✗ {say(defect.zh, defect.en)}" for defect in defects),
    ]
