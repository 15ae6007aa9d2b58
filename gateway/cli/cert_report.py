"""Certificates, chains and revocation lists in words: lines for people, facts for machines."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from gateway.cli.cert_tools import path_of, shown, spoken, stamp_of
from gateway.cli.output import finish
from gateway.cli.sm import Context
from gateway.lang import say
from signing import names, reasons
from signing.chains import who
from signing.errors import Rejected
from signing.lab import is_lab
from signing.reasons import Reason

if TYPE_CHECKING:
    from signing.certs import Certificate
    from signing.crl import RevocationList
    from signing.path import PathReport

MARK = {True: "✓", False: "✗", None: "？"}


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the judgement, and the codes of its reasons, or how they begin (``ocsp-``). ``alone``: it is done on a leaf
    without a chain too."""

    name: str
    zh: str
    en: str
    codes: tuple[str, ...] = ()
    alone: bool = True


CHAIN = Step("chain", "追溯到所信任的根、逐级签名", "leads to a trusted root, each signature", (
    "untrusted-root", "bad-signature", "path-limit", "not-sm2", "weak-algorithm",
))  # fmt: skip
FORM = Step("form", "格式与关键扩展", "form and critical extensions")  # and every reason that no other step claims
REVOCATION = Step("revocation", "吊销", "revocation", ("revoked", "ca-revoked", "crl-", "ocsp-"), alone=False)
# In the order in which signing.path judges.
STEPS = (
    CHAIN,
    FORM,
    Step("validity", "有效期", "validity", (
        "expired", "not-yet-valid", "ca-expired", "ca-not-yet-valid", "root-expired", "root-not-yet-valid",
    )),
    Step("issuers", "上级的签发资格与路径长度", "right to issue, path length", (
        "not-a-ca", "ca-key-usage", "path-length",
    ), alone=False),
    Step("names", "名称约束", "name constraints", ("name-constraints",), alone=False),
    Step("usage", "密钥用途", "key usage", ("key-usage", "extended-key-usage")),
    REVOCATION,
)  # fmt: skip
OUTCOMES = {"ok": "✓", "failed": "✗", "unknown": "？", "not-done": "－"}


def step_of(code: str) -> Step:
    """The step that a reason belongs to."""

    def claims(step: Step) -> bool:
        return any(code == own or (own.endswith("-") and code.startswith(own)) for own in step.codes)

    return next(filter(claims, STEPS), FORM)


def _done(report: PathReport, news: bool) -> Iterator[tuple[Step, str, list[Reason]]]:
    """Each step with its outcome (a key of ``OUTCOMES``) and its reasons. ``news``: revocation was looked into."""
    chained = not any(step_of(reason.code) is CHAIN for reason in report.reasons)
    for step in STEPS:
        found = [reason for reason in report.reasons if step_of(reason.code) is step]
        done = (chained or step.alone) and (news or step is not REVOCATION)
        outcome = "ok" if done else "not-done"
        if found:
            outcome = "failed" if any(isinstance(reason, Rejected) for reason in found) else "unknown"
        yield step, outcome, found


def _steps(report: PathReport, news: bool) -> Iterator[str]:
    for step, outcome, found in _done(report, news):
        yield f"  {OUTCOMES[outcome]} {say(step.zh, step.en)}"
        yield from (f"      {say(reason.zh, reason.en)}" for reason in found)


def pair_answer(
    context: Context,
    signing: PathReport,
    encryption: PathReport,
    pair: Sequence[Rejected],
    moment: datetime.datetime,
    *,
    news: bool,
) -> NoReturn:
    """End with the verdict on a holder's two certificates: each chain, and whether they are a pair."""
    kinds = {not pair, signing.ok, encryption.ok}
    ok = False if False in kinds else None if None in kinds else True
    lines = [
        f"{MARK[ok]} {say('双证书', 'pair of certificates')}"
        + say("（判断时刻 ", " (as of ")
        + shown(moment)
        + say("）", ")"),
        f" {MARK[not pair]} {say('两张证书配对', 'the two are a pair')}",
        *(f"      {say(reason.zh, reason.en)}" for reason in pair),
        f" {MARK[signing.ok]} {say('签名证书：', 'to sign: ')}{signing.path[0].subject}",
        *_steps(signing, news),
        f" {MARK[encryption.ok]} {say('加密证书：', 'to encrypt: ')}{encryption.path[0].subject}",
        *_steps(encryption, news),
    ]
    every = [*pair, *signing.reasons, *encryption.reasons]
    data = context.data(
        every[0].code if every else "ok",
        path=path_of(signing.path),
        reasons=[spoken(reason) for reason in every],
        pair=[spoken(reason) for reason in pair],
        encryption=path_of(encryption.path),
        at=stamp_of(moment),
    )
    finish(ok, data, context.json, lines)


def chain_answer(context: Context, report: PathReport, moment: datetime.datetime, *, news: bool) -> NoReturn:
    """End with the verdict on a chain. ``news``: lists or status were given or demanded, so revocation was looked into."""
    verdict = {
        True: say("✓ 证书有效", "✓ the certificate is valid"),
        False: say("✗ 证书无效", "✗ the certificate is not valid"),
        None: say("？ 无法判断", "? cannot tell"),
    }[report.ok]
    lines = [
        verdict + say("（判断时刻 ", " (as of ") + shown(moment) + say("）", ")"),
        *_steps(report, news),
        *([say("  后来被吊销：", "  revoked later: ") + shown(report.leaf_revoked)] if report.leaf_revoked else []),
        say("证书链：", "chain:"),
        *(f"  {depth}  {certificate.subject}" for depth, certificate in enumerate(report.path)),
    ]
    data = context.data(
        report.reasons[0].code if report.reasons else "ok",
        path=path_of(report.path),
        reasons=[spoken(reason) for reason in report.reasons],
        steps=[{"step": step.name, "outcome": outcome} for step, outcome, _ in _done(report, news)],
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
        "notes": ["key-usage-padded"] if certificate.usage_padded else [],
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
        *([f"! {say(*reasons.KEY_USAGE_PADDED)}"] if certificate.usage_padded else []),
    ]
