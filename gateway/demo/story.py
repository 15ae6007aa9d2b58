"""``story.html`` (图文实录): what happened, for people who decide; one page that needs nothing but itself.

One case of each kind, as both sides have it on record, on one time line; the stamped result as the window fetched it;
clocks, receipts, checks; what one changed byte breaks. Everything on it was read from the two stores, the window's own
copies and the exported evidence, after it had happened.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from agreements.calendar import CHINA, Calendar
from gateway.core.clocks import CLOCK_NAMES
from gateway.demo import atlas, picture, tamper, words
from gateway.demo.checks import CaseCheck, Stamped
from gateway.demo.permit import Permit
from gateway.demo.proof import roots
from gateway.demo.summary import Outcome
from gateway.demo.walk import Clocked, Entry, Message, Reader, Walk, opened, vault
from gateway.ledger.report import SECTIONS
from signing.providers import Provider

SHOWN = ("granted", "correction", "special", "denied")
IMAGES = {"SVG": "image/svg+xml", "PNG": "image/png", "JPG": "image/jpeg", "BMP": "image/bmp", "GIF": "image/gif"}
MARKS = {"ok": "✓", "failed": "✗", "unknown": "?", "absent": "–"}
_WIDTH = re.compile(rb'<svg[^>]*\bwidth="([0-9.]{1,6})mm"')
STAMP_PARTS = (
    ("signature", "签名：签章人与制章人的 SM2 签名都成立", "signatures of signer and seal maker"),
    ("chain", "证书链：追溯到红谷滩名片公布的根证书", "chain to the root that Honggutan's card announces"),
    ("window", "时间：盖章时印章在有效期内", "the seal was valid when it was used"),
    ("document", "文件：摘要与窗口手里的文件一致", "digest of the very document at the window"),
    ("membership", "签章人：在印章的证书列表里", "the signer is on the seal's list"),
)

SEALED_PARTS = (
    ("references", "文件：包内每个文件的摘要都一致", "every file's digest is as signed"),
    ("coverage", "完整：没有不受签章保护的文件", "no file that the seal does not cover"),
    ("signature", "签名：签章人与制章人的 SM2 签名都成立", "signatures of signer and seal maker"),
    ("chain", "证书链：追溯到硚口名片公布的根证书", "chain to the root that Qiaokou's card announces"),
    ("window", "时间：盖章时印章在有效期内", "the seal was valid when it was used"),
    ("membership", "签章人：在印章的证书列表里", "the signer is on the seal's list"),
)
MOMENTS = (
    ("发出之后", "after it was issued"),
    ("发证机关撤销之后", "after its issuer revoked it"),
    ("编造的二维码", "a made-up QR code"),
)


@dataclass(frozen=True)
class Hop:
    """A message as a row: from which side, title, facts, what either gateway did with it, when and how long it took."""

    origin: str
    zh: str
    en: str
    at: str
    since: str
    took: str
    facts: list[words.Fact]
    there: words.Words
    here: words.Words


def tell(outcome: Outcome, provider: Provider) -> str:
    """The page."""
    with ExitStack() as stack:
        a, b = (stack.enter_context(opened(Path(place.config))) for place in (outcome.state.a, outcome.state.b))
        agreement = (Path(outcome.state.a.folder) / "agreement.toml").read_bytes()
        calendar = Calendar.from_csv((resources.files("schemas") / "data" / "holidays-cn.csv").read_bytes())
        reader = Reader(a, b, vault(Path(outcome.state.a.config)), agreement, calendar)
        shown = [(check, reader.walk(check.window["tbbh"])) for check in _one_of_each(outcome.report.cases)]
        ways = atlas.ways(outcome.many, reader) if outcome.many is not None else []
    environment = Environment(
        loader=PackageLoader("gateway.demo"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("story.html").render(
        o=outcome,
        data=outcome.data(),
        deeds=words.DEEDS,
        made=datetime.now(CHINA),
        picture=Markup(picture.draw()),  # noqa: S704 - drawn by us from constants
        atlas=Markup(_atlas(outcome)),  # noqa: S704 - drawn by us from constants and figures
        ways=ways,
        agreement=shown[0][1].agreement if shown else None,
        cases=[_case(check, walk) for check, walk in shown],
        **_permit(outcome.permit),
        **_evidence(outcome, provider),
    )


def _atlas(outcome: Outcome) -> str:
    """The picture of the many systems; "" for a demo of two."""
    return atlas.draw(outcome.many, len(outcome.report.cases)) if outcome.many is not None else ""


def _one_of_each(cases: list[CaseCheck]) -> Iterator[CaseCheck]:
    for kind in SHOWN:
        found = next((case for case in cases if case.kind == kind and case.hall and case.window["tbbh"]), None)
        if found is not None:
            yield found


def _case(check: CaseCheck, walk: Walk) -> dict[str, Any]:
    begin = min((one.sent.at_ms for one in walk.messages), default=0)
    end = max((max(one.sent.at_ms, _moved(one)) for one in walk.messages), default=begin)
    return {
        "kind": check.kind,
        "title": words.KINDS[check.kind],
        "walk": walk,
        "seconds": (end - begin) / 1000,
        "hops": [_hop(one, begin) for one in walk.messages],
        "clocks": [_clock(one) for one in walk.clocks],
        "results": [_result(one) for one in check.results],
        "letter": _letter(walk),
        "receipts": check.receipts,
        "check": check,
    }


def _moved(one: Message) -> int:
    return max(one.taken.at_ms, one.taken.done_ms) if one.taken is not None else 0


def _hop(one: Message, begin: int) -> Hop:
    zh, en = words.title(one.type, one.body)
    took = f"{max(0, one.taken.at_ms - one.sent.at_ms)} ms" if one.taken is not None else "…"
    sender, receiver = (_from_a, _at_b) if one.origin == "a" else (_from_b, _at_a)
    taken = receiver(one, one.taken) if one.taken is not None else ("未到达", "not arrived")
    at = datetime.fromtimestamp(one.sent.at_ms / 1000, UTC).astimezone(CHINA)
    return Hop(
        one.origin, zh, en, at.strftime("%H:%M:%S"), f"+{(one.sent.at_ms - begin) / 1000:.2f} s", took,
        words.facts(one.body), sender(one), taken,
    )  # fmt: skip


def _from_a(one: Message) -> words.Words:
    leaf = one.sent.leaf + 1
    if one.type == "application":
        zh = f"硚口网关验签，按协议判定可以代收，记入账本第 {leaf} 条，当场签发收件回执（不代表受理）"
        return zh, f"gateway: signature good, the agreement allows it, ledger entry {leaf}, signed receipt at once"
    return f"硚口网关验签，记入账本第 {leaf} 条，签发回执", f"gateway: signature good, ledger entry {leaf}, receipt"


def _from_b(one: Message) -> words.Words:
    leaf = one.sent.leaf + 1
    stamp_zh, stamp_en = ("，加盖电子印章", ", stamped") if one.type == "result" else ("", "")
    return (
        f"红谷滩网关核对许可证与 XSD{stamp_zh}，记入账本第 {leaf} 条",
        f"gateway: licence and XSD good{stamp_en}, ledger entry {leaf}",
    )


def _at_b(one: Message, taken: Entry) -> words.Words:
    own_zh, own_en = ("、自己的协议文本", ", its own copy of the agreement") if one.type == "application" else ("", "")
    on_zh, on_en = _handed(taken, "译成 SOAP 交审批系统", "handed to the approval system as SOAP")
    return (
        f"红谷滩网关核对账本证明{own_zh}，记入第 {taken.leaf + 1} 条，签回回执；{on_zh}",
        f"gateway: proof{own_en} good, entry {taken.leaf + 1}, receipt; {on_en}",
    )


def _at_a(one: Message, taken: Entry) -> words.Words:
    stamp_zh, stamp_en = ("，逐项核验印章", ", stamp checked") if one.type == "result" else ("", "")
    on_zh, on_en = _handed(taken, "推送窗口", "told to the window")
    return (
        f"硚口网关核对账本证明{stamp_zh}，记入第 {taken.leaf + 1} 条，签回回执；{on_zh}",
        f"gateway: proof good{stamp_en}, entry {taken.leaf + 1}, receipt; {on_en}",
    )


def _handed(taken: Entry, zh: str, en: str) -> words.Words:
    if not taken.done_ms:
        return f"尚未{zh}", f"not yet {en}"
    took = max(0, taken.done_ms - taken.at_ms)
    return f"{took} 毫秒后{zh}", f"{en} after {took} ms"


def _clock(one: Clocked) -> dict[str, Any]:
    zh, en = CLOCK_NAMES[one.clock]
    unit = ("个工作日", "working days") if one.rule.working else ("日", "days")
    return {
        "zh": zh, "en": en, "days": one.rule.days, "unit": unit, "source": one.rule.source, "started": one.started,
        "due": one.due, "stopped": one.stopped, "kept": one.stopped is not None and one.stopped <= one.due,
    }  # fmt: skip


def _result(one: Stamped) -> dict[str, Any]:
    seal = one.report.seal
    shown = seal.picture if seal is not None else None
    return {
        "name": one.name,
        "document": _uri(one.media_type, one.document) if one.media_type.startswith("image/") else "",
        "seal": _uri(IMAGES.get(shown.type.upper(), ""), shown.data) if shown is not None else "",
        "width": 100 * (shown.width if shown is not None else 42) / _width_mm(one.document),
        "report": one.report,
        "time": one.report.stamp_time.astimezone(CHINA) if one.report.stamp_time else None,
        "parts": [(MARKS[getattr(one.report, part)], zh, en) for part, zh, en in STAMP_PARTS],
    }


def _width_mm(document: bytes) -> float:
    """How wide a drawn document says it is; an A4 sheet on its side when it does not say."""
    found = _WIDTH.search(document[:1000])
    return float(found[1]) if found else 297.0


def _uri(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _letter(walk: Walk) -> Any:
    """The body of a denial."""
    return next((one.body for one in walk.messages if getattr(one.body, "outcome", "") == "denied"), None)


def _permit(one: Permit) -> dict[str, Any]:
    return {
        "permit": one,
        "permit_picture": Markup(one.picture),  # noqa: S704 - drawn by our own renderer, which escapes all that a file says
        "permit_parts": [(MARKS[one.report.outcome(part)], zh, en) for part, zh, en in SEALED_PARTS],
        "permit_looks": list(zip(MOMENTS, one.looks, strict=True)),
    }


def _evidence(outcome: Outcome, provider: Provider) -> dict[str, Any]:
    """What the package holds, and what one byte does to it."""
    proved = outcome.proved
    if proved is None:
        return {"proved": None, "sections": [], "changes": [], "restamped": []}
    data, anchors = proved.path.read_bytes(), roots(outcome.state)
    bad = {finding.section for finding in proved.report.reasons}
    sections = [(key not in bad, zh, en, proved.report.counts[key]) for key, (zh, en) in SECTIONS.items()]
    return {
        "proved": proved,
        "sections": sections,
        "changes": list(tamper.changes(data, anchors, provider)),
        "restamped": list(tamper.restamped(data, anchors, provider)),
    }
