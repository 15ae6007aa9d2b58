"""``tongban seal`` on OFD documents: what they say of their signatures, and each signature's checks in a clerk's words."""

from __future__ import annotations

import datetime
from typing import NoReturn

from gateway.cli import seal_words
from gateway.cli.cert_tools import shown, spoken, stamp_of
from gateway.cli.output import finish, printable
from gateway.cli.seal_report import CHECKS, check_line, facts, remarks, seal_lines, stamp_facts
from gateway.cli.sm import Context
from gateway.lang import say
from signing.errors import Malformed
from signing.ofd.container import Description, Listed, Ofd
from signing.ofd.reasons import EFFECTS
from signing.ofd.verify import OfdReport, SignatureReport
from signing.seal import Stamp, parse_stamp

_GROUPS = (
    ("description", "签名描述", "the signature's description"),
    ("references", "被保护的文件", "protected files"),
    ("coverage", "没有未受保护的文件", "no file is left unprotected"),
    ("seal_file", "包内印章与签章中的印章相同", "the seal file is the seal in the stamp"),
    *CHECKS,
)
_TYPES = {
    "Seal": ("电子签章", "electronic stamp"),
    "Sign": ("数字签名（无印章）", "plain signature without seal"),
    "Entries": ("防夹带清单", "list of all files"),
}


def show_ofd(context: Context, ofd: Ofd) -> NoReturn:
    """What the document says, vouched for by nobody."""
    count = len(ofd.package.digests)
    lines = [
        say(
            f"OFD 文件：{count} 个包内文件，{len(ofd.signatures)} 个签名",
            f"OFD document: {count} files inside, {len(ofd.signatures)} signatures",
        )
    ]
    stamps = [_stamp(ofd, listed) for listed in ofd.signatures]
    for listed, stamp in zip(ofd.signatures, stamps, strict=True):
        lines += ["", *_head(listed)]
        if isinstance(listed.description, Description):
            lines.append(say("受保护的文件：", "protected files: ") + str(len(listed.description.references)))
        if stamp is not None:
            lines += seal_lines(stamp.seal)
    signatures = [
        {**_said(listed), "stamp": stamp_facts(stamp) if stamp else None, "seal": facts(stamp.seal) if stamp else None}
        for listed, stamp in zip(ofd.signatures, stamps, strict=True)
    ]
    version = " ".join(dict.fromkeys(stamp.seal.form for stamp in stamps if stamp))
    data = context.data("ok", kind="ofd", version=version, files=sorted(ofd.package.digests), signatures=signatures)
    finish(True, data, context.json, [*lines, say("（仅显示，未核验）", "(shown, not verified)")])


def verdict_ofd(context: Context, report: OfdReport, moment: datetime.datetime) -> NoReturn:
    """End with the report."""
    finish(report.ok, _machine(context, report, moment), context.json, _lines(report, moment))


def _machine(context: Context, report: OfdReport, moment: datetime.datetime) -> dict[str, object]:
    return context.data(
        report.reasons[0].code if report.reasons else "ok",
        kind="ofd",
        version=report.version,
        **{group: report.outcome(group) for group, _, _ in CHECKS},
        reasons=[spoken(reason) for reason in report.reasons],
        notes=[spoken(note) for note in report.notes],
        at=stamp_of(moment),
        signatures=[_signature(one) for one in report.signatures],
        conclusion=say(*seal_words.of_document(report)),
        action=say(*seal_words.action(report)),
    )


def _signature(one: SignatureReport) -> dict[str, object]:
    return {
        **_said(one.listed),
        "ok": one.ok,
        "version": one.version,
        **{group: getattr(one, group) for group, _, _ in _GROUPS},
        "uncovered": list(one.uncovered),
        "exposed": [{"path": path, "effect": effect} for path, effect in one.exposed],
        "reasons": [spoken(reason) for reason in one.reasons],
        "notes": [spoken(note) for note in one.notes],
        "time": stamp_of(one.time) if one.time else None,
        "seal": facts(one.stamp.seal) if one.stamp and one.stamp.seal else None,
        "signer": one.signer_subject or None,
        "maker": (one.stamp.maker_subject or None) if one.stamp else None,
    }


def _said(listed: Listed) -> dict[str, object]:
    """What list and description say of a signature, for machines."""
    own = listed.description if isinstance(listed.description, Description) else None
    return {
        "id": listed.id,
        "type": listed.type,
        "path": listed.path,
        "provider": own.provider if own else None,
        "method": own.method if own else None,
        "signature_time": stamp_of(own.time) if own and own.time else None,
        "check_method": own.check_method if own else None,
        "files": [reference.path for reference in own.references] if own else [],
        "annotations": [{"page": x.page, "boundary": x.boundary} for x in own.annotations] if own else [],
    }


def _lines(report: OfdReport, moment: datetime.datetime) -> list[str]:
    count = len(report.signatures)
    title = {
        True: say(f"✓ OFD 文件的 {count} 个签名全部有效", f"✓ all {count} signatures of the OFD document are valid"),
        False: say("✗ OFD 文件的签名无效", "✗ the OFD document's signatures are not valid"),
        None: say("？ OFD 文件无法判断", "? the OFD document: cannot tell"),
    }[report.ok]
    lines = [title + say("（核验时刻 ", " (verified as of ") + shown(moment) + say("）", ")")]
    for one in report.signatures:
        lines += ["", *_head(one.listed)]
        if one.stamp and one.stamp.seal:
            lines += seal_lines(one.stamp.seal)
        if one.signer_subject:
            lines.append(say("签章人：", "signer: ") + one.signer_subject)
        lines += [check_line(zh, en, getattr(one, group)) for group, zh, en in _GROUPS]
        lines += remarks(one.reasons, one.notes) + _exposed(one)
    lines += [] if report.signatures else remarks(report.reasons, report.notes)
    lines += ["", say("结论：", "conclusion: ") + printable(say(*seal_words.of_document(report)))]
    return [*lines, say("下一步：", "next: ") + say(*seal_words.action(report))]


def _exposed(one: SignatureReport) -> list[str]:
    """Every file that a signature leaves open; the reason names the first few."""
    lines = [f"  · {printable(path)}  {say(*EFFECTS[effect])}" for path, effect in one.exposed]
    return [say("未受保护的文件：", "unprotected files:"), *lines] if lines else []


def _head(listed: Listed) -> list[str]:
    zh, en = _TYPES.get(listed.type, ("类型不明", "of unknown type"))
    lines = [
        say(f"【签名 {printable(listed.id)}】{zh}  ", f"[signature {printable(listed.id)}] {en}  ")
        + printable(listed.path)
    ]
    own = listed.description
    if isinstance(own, Description):
        lines.append(say("签名软件：", "made with: ") + printable(own.provider))
        lines.append(say("签名时间：", "signed at: ") + (shown(own.time) if own.time else "-"))
    return lines


def _stamp(ofd: Ofd, listed: Listed) -> Stamp | None:
    """The stamp of a Type=Seal signature, None where there is none to be read."""
    own = listed.description
    if isinstance(own, Malformed) or listed.type != "Seal" or own.value not in ofd.package.digests:
        return None
    try:
        return parse_stamp(ofd.package.read(own.value))
    except Malformed:
        return None
