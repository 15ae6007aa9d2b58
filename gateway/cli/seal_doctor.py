"""``tongban seal doctor``: what other readers would object to, in a clerk's or a vendor's words; never a verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

from gateway.cli.output import finish, printable, read_bytes
from gateway.cli.seal_package import read_ofd
from gateway.cli.sm import Context
from gateway.lang import say
from signing.ofd.container import Description, Ofd
from signing.providers import Provider
from signing.seal import MAX_BYTES
from signing.seal_doctor import Diagnosis, examine


def doctor(context: Context, file: str, provider: str) -> NoReturn:
    """End with the findings: exit 0 without any, 1 with some. An OFD is examined stamp by stamp."""
    engine, ofd = context.open(provider, failing=None), read_ofd(context, file)
    found = examine(read_bytes(file, MAX_BYTES), engine) if ofd is None else _inside(context, ofd, engine)
    finish(not found.findings, machine(context, found), context.json, lines(found))


def _inside(context: Context, ofd: Ofd, provider: Provider) -> Diagnosis:
    """What is found in the stamps of a document; a plain signature is not this doctor's affair."""
    stamped = [(one.id, one.description) for one in ofd.signatures if one.type == "Seal"]
    values = [(id_, own.value) for id_, own in stamped if isinstance(own, Description)]
    each = [(id_, examine(ofd.package.read(value), provider)) for id_, value in values if value in ofd.package.digests]
    if not each:
        context.done(None, "no-stamps", "文件中没有电子签章", "there is no stamp in the document")
    findings = tuple(
        replace(finding, where=f"签名 signature {id_}: {finding.where}".rstrip(": "))
        for id_, found in each
        for finding in found.findings
    )
    return Diagnosis("ofd", "", all(found.accepted for _, found in each), findings)


def machine(context: Context, found: Diagnosis) -> dict[str, Any]:
    """The findings for machines."""
    return context.data(
        found.findings[0].code if found.findings else "ok", kind=found.kind or None, version=found.version or None,
        accepted=found.accepted, findings=findings(found),
    )  # fmt: skip


def findings(found: Diagnosis) -> list[dict[str, Any]]:
    """Each objection with both sentences."""
    return [
        {"code": one.code, "zh": one.zh, "en": one.en, "where": one.where, "readers": list(one.readers)}
        for one in found.findings
    ]


def lines(found: Diagnosis) -> list[str]:
    """The findings for people."""
    if not found.findings:
        return [say("✓ 未发现其他读者会有异议之处", "✓ nothing that another reader would object to")]
    shown = [say(f"✗ 发现 {len(found.findings)} 处异议：", f"✗ {len(found.findings)} objections:")]
    for one in found.findings:
        where = f"  [{printable(one.where)}]" if one.where else ""
        known = say("  已知拒绝者：", "  known to refuse: ") + ", ".join(one.readers) if one.readers else ""
        shown.append(f"  · {one.code}  {printable(say(one.zh, one.en))}{where}{known}")
    return [
        *shown,
        say(
            "（诊断不是核验结论；错误签法只指出，不采信）",
            "(no verdict; a wrong way of signing is named, never accepted)",
        ),
    ]
