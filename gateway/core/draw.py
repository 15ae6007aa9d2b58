"""The state machines as a page: diagrams (Mermaid) and full tables, made from the tables themselves (docs/states.md)."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core import case, delivery, ecert, use_code
from gateway.core.case import Actor
from gateway.core.clocks import CLOCK_NAMES, DESK_NAMES, DESKS
from gateway.core.labels import LABELS
from signing import keyring
from signing.keyring import By

_WHO = {Actor.COLLECTING: "收件地", Actor.HANDLING: "办理地", Actor.CLOCK: "时限"}
_DELIVERY = {
    "queued": "待转递",
    "held": "待修正",
    "frozen": "待发",
    "unknown": "结果未明",
    "awaiting_parts": "待附件",
    "delivered": "已签收",
    "refused": "被拒",
    "parked": "搁置",
    "awaiting_person": "待人工确认",
    "given_up": "已放弃",
}
_CUSTODIANS = {By.CUSTODIAN: "一名管理员 one custodian", By.TWO: "两名管理员 two custodians", By.NODE: "随之 follows"}
_ISSUERS = {ecert.By.ISSUER: "颁发机构 issuer", ecert.By.NODE: "随之 follows"}
_HEADER = """\
# 状态机 State machines

本页由 `docs/generate.py` 根据代码中的表生成，不要手工修改；测试保证它与代码一致。This page is made from the tables in
`gateway/core/case.py`, `gateway/core/delivery.py`, `gateway/core/ecert.py`, `gateway/core/use_code.py` and
`signing/keyring.py` by `docs/generate.py`.

## 办件 Case

两地网关各持一份办件副本，运行同一张表。收件地的补正、撤回与申请，要等办理地的签收回执到达，本地副本才移动，同类报文同时只有
一份在途；时限事件只由办理地发出。由此，凡是两地同时发生、彼此交错的事，都以办理地的表为准，两份副本最终一致
（`tests/unit/core/test_two_copies.py` 穷举验证）。

Both gateways keep a copy of the case and run one table. The collecting side's correction, withdrawal and application
move its own copy only when the handling side's receipt is in, one of a kind at a time; clock events are raised at the
handling side only. So what crosses is settled by the handling place's table, and both copies agree at rest.
"""


def states_page() -> str:
    """The whole page, Markdown."""
    sections = [
        _HEADER,
        _mermaid(_case_edges()),
        "### 各行 Rows\n",
        _table(("状态 state", "事件 event", "由谁 by", "新状态 next", "效果 effects"), _case_rows()),
        "### 先到的事件 Early events\n",
        "表中没有、但列在这里的事件先搁置，等办件走到那一步再生效；既不在上表也不在这里的，一律拒绝（迟到）。\n"
        "Events that wait; what stands in neither table is too late and refused.\n",
        _table(("状态 state", "可等待的事件 events that wait"), _parks()),
        "### 在谁手里 Desks and clocks\n",
        _table(("状态 state", "在谁手里 desk", "时限 clock"), _desks()),
        "## 投递 Delivery\n",
        "一份报文对一个目的地。线路上至少一次，效果上恰好一次；结果未明时先问后发，不能问的转人工。\n"
        "One message to one destination: at least once on the wire, once in effect; ask before sending again.\n",
        _mermaid(_delivery_edges()),
        _table(("状态 state", "事件 event", "新状态 next", "效果 effects"), _delivery_rows()),
        "## 密钥 Keys\n",
        "本节点自己的密钥，从生成到归档；没有回头路。No way leads back. Which key may do what follows from its state.\n",
        _mermaid(_key_edges()),
        _table(("状态 state", "动作 act", "由谁 by", "新状态 next", "条件 needs"), _key_rows()),
        _table(("状态 state", "可用于 may"), _key_powers()),
        *_certificate_sections(),
        *_use_code_sections(),
    ]
    return "\n".join(sections)


def _name(code: str) -> str:
    return f"{LABELS[code][0]} `{code}`"


def _case_edges() -> Iterable[tuple[str, str, str, str]]:
    """(from, to, label) with ids and names, self-loops left to the table."""
    for event, start in case.STARTS.items():
        yield "[*]", start.next, LABELS[event][0], ""
    for (state, event), row in case.TABLE.items():
        if row.next is not state:
            yield state, row.next, LABELS[event][0], ""
    for state in case.State:
        yield state, "", "", LABELS[state][0]


def _delivery_edges() -> Iterable[tuple[str, str, str, str]]:
    yield "[*]", delivery.START, "", ""
    for (state, event), row in delivery.TABLE.items():
        if row.next is not state:
            yield state, row.next, event.value, ""
    for one in delivery.State:
        yield one, "", "", _DELIVERY[one]


def _mermaid(edges: Iterable[tuple[str, str, str, str]]) -> str:
    """One arrow for each pair of states, its events joined."""
    names: list[str] = []
    arrows: dict[tuple[str, str], list[str]] = {}
    for origin, target, label, name in edges:
        if name:
            names.append(f"    {origin} : {name}")
        else:
            arrows.setdefault((origin, target), []).append(label)
    lines = [f"    {a} --> {b}" + (f" : {'、'.join(found)}" if any(found) else "") for (a, b), found in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", *names, *lines, "```", ""])


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])


def _who(by: Iterable[Actor]) -> str:
    return "、".join(_WHO[actor] for actor in Actor if actor in set(by))


def _codes(effects: Iterable[str]) -> str:
    return " ".join(f"`{effect}`" for effect in effects) or "–"


def _case_rows() -> Iterable[tuple[str, ...]]:
    for event, row in case.STARTS.items():
        yield "（开始 start）", _name(event), _who(row.by), _name(row.next), _codes(row.effects)
    for (state, event), row in case.TABLE.items():
        yield _name(state), _name(event), _who(row.by), _name(row.next), _codes(row.effects)


def _parks() -> Iterable[tuple[str, ...]]:
    for state, events in case.PARKS.items():
        yield _name(state), "、".join(LABELS[event][0] for event in case.Event if event in events)


def _desks() -> Iterable[tuple[str, ...]]:
    for state, (desk, clock) in DESKS.items():
        zh, en = DESK_NAMES[desk]
        names = CLOCK_NAMES[clock] if clock else ("–", "")
        yield _name(state), f"{zh} {en}", " ".join(names).strip()


def _delivery_rows() -> Iterable[tuple[str, ...]]:
    for (state, event), row in delivery.TABLE.items():
        yield (
            f"{_DELIVERY[state]} `{state}`", f"`{event}`", f"{_DELIVERY[row.next]} `{row.next}`", _codes(row.effects)
        )  # fmt: skip


def _key_edges() -> Iterable[tuple[str, str, str, str]]:
    for act, start in keyring.STARTS.items():
        yield "[*]", start, act, ""
    for (state, act), row in keyring.ROWS.items():
        if row.next is not state:
            yield state, row.next, act, ""
    for state, (zh, _) in keyring.NAMES.items():
        yield state, "", "", zh


def _key_name(state: keyring.State) -> str:
    return f"{keyring.NAMES[state][0]} `{state}`"


def _key_rows() -> Iterable[tuple[str, ...]]:
    for (state, act), row in keyring.ROWS.items():
        yield _key_name(state), f"`{act}`", _CUSTODIANS[row.by], _key_name(row.next), _codes(row.needs)


def _key_powers() -> Iterable[tuple[str, ...]]:
    for state, powers in keyring.MAY.items():
        yield _key_name(state), _codes(power for power in keyring.Power if power in powers)


def _certificate_sections() -> list[str]:
    return [
        "## 电子证照 Certificates\n",
        "本节点签发的证照。是否过期不是状态，由所载日期当场判定；一证多项许可时，各项另按本表走，只限标“各项”的事件。\n"
        "Certificates that this node issued. Expiry is no state: the dates say it. A permit beside others goes by the same\n"
        "table, by the events marked 各项.\n",
        _mermaid(_certificate_edges()),
        _table(("状态 state", "事件 event", "由谁 by", "新状态 next", "条件 needs"), _certificate_rows()),
        _table(("查询所见 standing", "状态码 code"), _standings()),
        _table(("事由 reason", "用于 for"), _reasons()),
    ]


def _certificate_edges() -> Iterable[tuple[str, str, str, str]]:
    for start in ecert.STARTS:
        yield "[*]", start, ecert.ACTS["issue"][0], ""
    for (state, event), row in ecert.TABLE.items():
        if row.next is not state:
            yield state, row.next, ecert.ACTS[event][0], ""
    for state in ecert.State:
        yield state, "", "", ecert.NAMES[state][0]


def _certificate_name(state: str) -> str:
    return f"{ecert.NAMES[state][0]} `{state}`"


def _certificate_rows() -> Iterable[tuple[str, ...]]:
    for (state, event), row in ecert.TABLE.items():
        act = f"{ecert.ACTS[event][0]} `{event}`" + ("（各项）" if event in ecert.OF_A_PERMIT else "")
        yield _certificate_name(state), act, _ISSUERS[row.by], _certificate_name(row.next), _codes(row.needs)


def _standings() -> Iterable[tuple[str, ...]]:
    for standing, code in ecert.STATUS_CODES.items():
        yield f"{_certificate_name(standing)} {ecert.NAMES[standing][1]}", code


def _reasons() -> Iterable[tuple[str, ...]]:
    for code, (zh, en, events) in ecert.REASONS.items():
        yield f"{zh} {en} `{code}`", "、".join(ecert.ACTS[event][0] for event in ecert.Event if event in events)


def _use_code_sections() -> list[str]:
    return [
        "## 用证码 Use codes\n",
        "一个用证码只给一张证照、一个办件、一个事项、一个平台，用一次。是否过期看签发时定的时间，过期的不能再取证、代替材料。\n"
        "One certificate, case, item and requester, once. A code that ran out can no longer be fetched by or spent.\n",
        _mermaid(_use_code_edges()),
        _table(("状态 state", "事件 event", "新状态 next"), _use_code_rows()),
    ]


def _use_code_edges() -> Iterable[tuple[str, str, str, str]]:
    yield "[*]", use_code.State.ISSUED, "授权", ""
    for (state, event), following in use_code.TABLE.items():
        if following is not state:
            yield state, following, use_code.ACTS[event], ""
    for state, zh in use_code.NAMES.items():
        yield state, "", "", zh


def _use_code_rows() -> Iterable[tuple[str, ...]]:
    for (state, event), following in use_code.TABLE.items():
        before, after = (f"{use_code.NAMES[one]} `{one}`" for one in (state, following))
        yield before, f"{use_code.ACTS[event]} `{event}`", after
