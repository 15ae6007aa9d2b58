"""The demo's result: one JSON object for machines (contract.md), and a page of words for everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.demo.checks import Report
from gateway.demo.ground import STORY, State
from gateway.demo.legs import Walked
from gateway.demo.permit import Permit
from gateway.demo.proof import Proved
from gateway.demo.systems import System
from gateway.demo.watch import Snapshot
from gateway.lang import say

SHOWN_FAULTS = 12


@dataclass(frozen=True)
class Many:
    """The cases between the many local systems, and those systems; window and approval system come first."""

    walked: list[Walked]
    further: tuple[System, ...]

    @property
    def ok(self) -> bool:
        """Each came to its end, and both its systems know the same."""
        return all(one.ok for one in self.walked)

    def data(self, state: State, report: Report) -> Iterator[dict[str, Any]]:
        """Each system: where it stands, its family, how many cases it collected and handled, and how many of them are well."""
        known = [("a", "window", "rest_signed", "qiaokou"), ("b", "hall", "soap", "honggutan")]
        default = {"window": "collected", "hall": "handled"}
        for side, id_, family, profile in [
            *known,
            *((one.side, one.id, one.family, one.profile) for one in self.further),
        ]:
            told = {"collected": 0, "handled": 0}
            mine = [one for one in self.walked if id_ in (one.leg.origin, one.leg.target)]
            for one in mine:
                told["collected" if one.leg.origin == id_ else "handled"] += 1
            if id_ in default:
                told[default[id_]] += len(report.cases)
            place = state.a if side == "a" else state.b
            well = all(one.ok for one in mine)
            yield {"place": place.division, "id": id_, "family": family, "profile": profile, **told, "ok": well}


def many(walked: list[Walked], further: tuple[System, ...]) -> Many | None:
    """None for a demo of two systems."""
    return Many(walked, further) if further else None


@dataclass(frozen=True)
class Outcome:
    """Everything the demo found. ``seconds``: from the first file written to the last check; ``last``: the last look."""

    root: Path
    state: State
    report: Report
    last: Snapshot
    proved: Proved | None
    permit: Permit
    seconds: float
    warning: str
    many: Many | None = None

    @property
    def ok(self) -> bool:
        """All cases ended as they should, and every check holds."""
        proved = self.proved is not None and self.proved.report.ok is True
        return self.report.ok and self.last.over and proved and self.permit.ok and (self.many is None or self.many.ok)

    def data(self) -> dict[str, Any]:
        """The contract's fields, and no others; ``platforms`` beside them where there are many."""
        return {
            "cases": len(self.report.cases),
            "delivered": self.report.delivered,
            "results": self.report.results,
            "seals_verified": self.report.seals_verified,
            "receipts_verified": self.report.receipts_verified,
            "lost": self.report.lost,
            "duplicated": self.report.duplicated,
            "seconds": round(self.seconds, 2),
            "evidence": str(self.proved.path) if self.proved is not None else "",
            "consoles": [f"http://{place.admin}/admin/v1/overview" for place in (self.state.a, self.state.b)],
            **({"platforms": list(self.many.data(self.state, self.report))} if self.many is not None else {}),
        }


def lines(outcome: Outcome) -> Iterator[str]:
    """The summary for people."""
    cases, report = len(outcome.report.cases), outcome.report
    ended = report.delivered
    yield ""
    if outcome.ok:
        yield say(
            f"演示结束：{cases} 件全部办结送达，用时 {outcome.seconds:.1f} 秒（其中办件 {outcome.last.seconds:.1f} 秒）",
            f"Done: all {cases} cases delivered in {outcome.seconds:.1f} s ({outcome.last.seconds:.1f} s of it for the cases)",
        )
    else:
        yield say(
            f"演示结束，但有问题：{cases} 件中送达 {ended} 件，用时 {outcome.seconds:.1f} 秒",
            f"Done, but not well: {ended} of {cases} cases delivered in {outcome.seconds:.1f} s",
        )
    yield ""
    yield from _stages(outcome)
    yield ""
    yield from _checks(outcome)
    yield ""
    yield from _where(outcome)


def _stages(outcome: Outcome) -> Iterator[str]:
    now = outcome.last
    rows = [
        (now.count("collected"), "收件", "collected", "武汉硚口窗口收件，每件当场拿到签名的收件回执",
         "at the window in Qiaokou, Wuhan; each with a signed receipt at once"),
        (now.count("accepted"), "受理", "accepted", "南昌红谷滩受理，决定时限从这时起算",
         "by Honggutan, Nanchang; the clock of the decision starts here"),
        (now.count("corrected"), "补正", "corrected", "红谷滩一次告知所缺，窗口补齐后接着办",
         "Honggutan named all that was missing, the window brought it"),
        (now.count("special"), "特别程序", "special", "专家评审，另计时限，并告知申请人",
         "expert review, with its own limit and a notice"),
        (now.count("decided"), "决定", "decided",
         f"准予 {now.window.get('granted', 0)} 件，不予许可 {now.window.get('denied', 0)} 件（写明理由与救济途径）",
         f"granted {now.window.get('granted', 0)}, denied {now.window.get('denied', 0)} (with reason and redress)"),
        (now.count("results"), "结果", "results", "盖电子印章；硚口核验印章之后才交给窗口",
         "stamped; Qiaokou checks the seal before the window gets it"),
        (now.count("arrived"), "到窗", "arrived", "结果到达窗口，单独确认", "at the window, confirmed by itself"),
        (now.count("delivered"), "送达", "delivered", "交到申请人手里，单独确认", "in the applicant's hands, confirmed by itself"),
    ]  # fmt: skip
    for count, zh, en, about_zh, about_en in rows:
        name = say(f"{zh}{'　' * (4 - len(zh))}", f"{en:<10}")
        yield f"  {name} {count:>5}   {say(about_zh, about_en)}"


def _checks(outcome: Outcome) -> Iterator[str]:
    report, proved = outcome.report, outcome.proved
    yield say("演示程序自己在网关之外做的核验：", "Checked by the demo itself, outside the gateways:")
    yield _line(
        report.receipts_verified == report.receipts > 0,
        f"窗口手里 {report.receipts} 张签名回执，核验成立 {report.receipts_verified} 张",
        f"receipts in the window's hands: {report.receipts}, good: {report.receipts_verified}",
    )
    yield _line(
        report.seals_verified == report.results,
        f"{report.results} 份结果的电子签章，核验有效 {report.seals_verified} 份（签名、证书链、时间、文件摘要、签章人）",
        f"stamped results: {report.results}, good: {report.seals_verified} (signature, chain, time, document, signer)",
    )
    yield _line(
        report.lost == report.duplicated == 0,
        f"两个平台各自的记录逐件逐项比对：丢失 {report.lost}，重复 {report.duplicated}",
        f"both platforms' own records compared act by act: lost {report.lost}, duplicated {report.duplicated}",
    )
    if proved is not None:
        yield _line(
            proved.report.ok is True,
            f"一件的证据包离线核验：{proved.verdict[0]}，{proved.report.messages} 份报文",
            f"evidence package of one case, verified offline: {proved.verdict[1]}, {proved.report.messages} messages",
        )
    issued = outcome.permit
    yield _line(
        issued.ok,
        f"一张电子证照（OFD，{issued.size // 1024} KB）：印章有效；扫码页 {'、'.join(look.zh for look in issued.looks)}",
        f"one e-certificate (OFD): seal good; its page said {', '.join(look.en for look in issued.looks)}",
    )
    if outcome.many is not None:
        yield from _many(outcome)
    legs = outcome.many.walked if outcome.many is not None else []
    faults = [*report.faults, *issued.faults, *(fault for one in legs for fault in one.faults)]
    for fault in faults[:SHOWN_FAULTS]:
        yield f"      {fault.where}: {say(fault.zh, fault.en)}"
    if len(faults) > SHOWN_FAULTS:
        yield say(f"      ……共 {len(faults)} 处", f"      … {len(faults)} in all")


def _many(outcome: Outcome) -> Iterator[str]:
    assert outcome.many is not None  # noqa: S101 - asked for where there are many
    families = len({one["family"] for one in outcome.many.data(outcome.state, outcome.report)})
    walked, good = len(outcome.many.walked), sum(one.ok for one in outcome.many.walked)
    yield _line(
        outcome.many.ok,
        f"{families} 种接口的 {len(outcome.many.further) + 2} 个业务系统之间另走 {walked} 件，双方台账逐项一致 {good} 件",
        f"between {len(outcome.many.further) + 2} systems of {families} kinds: {walked} more cases, {good} the same on both sides",
    )


def _where(outcome: Outcome) -> Iterator[str]:
    root = outcome.root
    yield say(f"看图文实录      {root / STORY}", f"The story        {root / STORY}")
    if outcome.proved is not None:
        yield say(
            f"离线核验证据    ./run tongban evidence verify {outcome.proved.path}",
            f"Verify evidence  ./run tongban evidence verify {outcome.proved.path}",
        )
        yield say("改一个字节看看  ./run demo tamper", "Change one byte  ./run demo tamper")
    yield say(f"各进程日志      {root}/*.log", f"Logs             {root}/*.log")
    yield ""
    yield say(
        "演示依据公开报道建模，与所列地方无关；证书与印章均为“样章·测试无效”。",
        "Modelled on published reports, no endorsement by the named places; all certificates and seals are void samples.",
    )
    if outcome.warning:
        yield say("注意：", "Note: ") + outcome.warning


def _line(good: bool, zh: str, en: str) -> str:
    return f"  {'✓' if good else '✗'} {say(zh, en)}"
