"""What each message of a case means, in words for people who never saw one: (Chinese, English), and its few facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from schemas import canonical

Words = tuple[str, str]
Fact = tuple[str, str, str]  # (Chinese name, English name, the value as its author wrote it)

CHECKED: dict[str, Words] = {
    "id_card_reader": ("读卡器核验身份证", "identity card read"),
    "face": ("人脸核验", "face check"),
    "sight": ("人工核对", "checked by sight"),
    "remote_video": ("远程视频核验", "remote video"),
    "online_login": ("实名登录", "online log-in"),
    "signature": ("签名核验", "signature"),
}
SPECIAL: dict[str, Words] = {
    "extension": ("延长期限", "extension"),
    "hearing": ("听证", "hearing"),
    "testing": ("检测", "testing"),
    "expert_review": ("专家评审", "expert review"),
    "site_visit": ("现场勘验", "site visit"),
}
KINDS: dict[str, Words] = {
    "correction": ("先补正，再办成", "Sent back for a correction, then granted"),
    "special": ("经过专家评审", "Through an expert review"),
    "denied": ("不予许可", "Denied, with reason and redress"),
    "granted": ("一次办成", "Granted straight through"),
}
TITLES: dict[str, Words] = {
    "application": ("收件，转往红谷滩", "Collected and sent on"),
    "correction_request": ("一次告知：需要补正", "All that is missing, named at once"),
    "correction": ("补正材料送达", "The correction is brought"),
    "accepted": ("受理", "Accepted"),
    "not_accepted": ("不予受理", "Not accepted"),
    "step": ("审查", "Review"),
    "special_start": ("启动特别程序", "Special procedure begins"),
    "special_end": ("特别程序结束", "Special procedure ends"),
    "granted": ("准予决定", "Granted"),
    "denied": ("不予许可决定", "Denied"),
    "result": ("出具结果，盖电子印章", "Result issued and stamped"),
    "arrival": ("结果到窗", "Result at the window"),
    "delivery": ("送达申请人", "Delivered to the applicant"),
    "withdrawal": ("撤回申请", "Withdrawn"),
}

DEEDS: dict[str, Words] = {
    "SB": ("收件", "application"),
    "BZ": ("补正", "correction"),
    "DD": ("到窗", "arrival"),
    "SD": ("送达", "delivery"),
    "CH": ("撤回", "withdrawal"),
}


def title(type_: str, body: Any) -> Words:
    """What happened."""
    return TITLES[getattr(body, "outcome", "") or type_]


def facts(body: Any) -> list[Fact]:
    """What a reader wants to know of it. Names and numbers of people are not among it."""
    teller = _TELL.get(type(body))
    return [fact for fact in teller(body) if fact[2]] if teller is not None else []


def _application(body: canonical.Application) -> Iterator[Fact]:
    size = sum(one.size for one in body.materials) / (1 << 20)
    yield (
        "材料",
        "materials",
        f"{len(body.materials)} 份，共 {size:.1f} MB：{'、'.join(m.name for m in body.materials)}",
    )
    seen = body.attestation
    if seen is not None:
        yield "身份核验", "identity", " ".join(CHECKED.get(seen.identity_check, (seen.identity_check, "")))
        yield "已核原件", "originals seen", "、".join(seen.originals_seen)
    yield "用途", "purpose", body.purpose


def _request(body: canonical.CorrectionRequest) -> Iterator[Fact]:
    for one in body.reasons:
        yield "缺什么", "missing", f"{one.name}：{one.what}"
        yield "怎么补", "how", one.how
    yield "文号", "number", body.number
    yield "期限", "due", _day(body.due)


def _correction(body: canonical.Correction) -> Iterator[Fact]:
    yield "补来", "brought", "、".join([*(m.name for m in body.materials), *body.form])
    yield "说明", "note", body.note


def _acceptance(body: canonical.Acceptance) -> Iterator[Fact]:
    yield "文号", "number", body.number
    yield "单位", "unit", body.unit
    yield "承诺办结", "promised", _day(body.promised)
    yield from _refused(body)


def _step(body: canonical.Step) -> Iterator[Fact]:
    yield "环节", "step", body.name
    yield "意见", "opinion", body.opinion


def _special_start(body: canonical.SpecialStart) -> Iterator[Fact]:
    yield "种类", "kind", " ".join(SPECIAL.get(body.kind, (body.kind, "")))
    yield "依据", "legal basis", body.legal_basis
    yield "另计时限", "own limit", f"{body.limit_days} 个工作日"
    yield "告知", "notice", body.notice


def _special_end(body: canonical.SpecialEnd) -> Iterator[Fact]:
    yield "结果", "result", body.result


def _decision(body: canonical.Decision) -> Iterator[Fact]:
    yield "文号", "number", body.number
    yield "单位", "unit", body.unit
    yield from _refused(body)


def _refused(body: canonical.Acceptance | canonical.Decision) -> Iterator[Fact]:
    yield "理由", "reason", body.reason
    yield "救济途径", "redress", body.redress


def _result(body: canonical.Result) -> Iterator[Fact]:
    yield "结果", "result", "、".join(one.name for one in body.documents)
    yield "编号", "number", body.number


def _arrival(body: canonical.Arrival) -> Iterator[Fact]:
    yield "窗口", "window", body.window


def _delivery(body: canonical.Delivery) -> Iterator[Fact]:
    ways = {"pick_up": "窗口领取 pick-up", "courier": "寄递 courier", "download": "下载 download"}
    yield "方式", "how", ways[body.method]
    yield "领取人核验", "receiver", " ".join(CHECKED.get(body.identity_check, (body.identity_check, "")))


def _withdrawal(body: canonical.Withdrawal) -> Iterator[Fact]:
    yield "理由", "reason", body.reason


def _day(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


_TELL: dict[type, Callable[[Any], Iterator[Fact]]] = {
    canonical.Application: _application, canonical.CorrectionRequest: _request, canonical.Correction: _correction,
    canonical.Acceptance: _acceptance, canonical.Step: _step, canonical.SpecialStart: _special_start,
    canonical.SpecialEnd: _special_end, canonical.Decision: _decision, canonical.Result: _result,
    canonical.Arrival: _arrival, canonical.Delivery: _delivery, canonical.Withdrawal: _withdrawal,
}  # fmt: skip
