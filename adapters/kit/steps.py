"""The steps of a conformance run (测试步骤), as tables: names, what is promised, and what tries it.

``FAMILIES`` says which of them a family's platform can be held to: a new family is one row, or none, and then has the common
ones. One step for each type of message that the profile can send comes after them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from adapters.base import Untranslatable
from adapters.kit import promises
from adapters.kit.score import Said, failed
from adapters.kit.trial import Trial


class Step(NamedTuple):
    """``zh``, ``en``: what is promised."""

    name: str
    zh: str
    en: str
    run: Callable[[Trial], Awaitable[Said]]


GOOD = Step("good", "收下一份合格的报文", "takes a good message", promises.good)
REPEAT = Step("repeat", "同一编号再报，不重复办理", "the same id again is not done twice", promises.repeat)
ASKED = (
    REPEAT,
    Step("ask", "按编号能查到已收的报文", "says by id what it has", promises.ask),
    Step("ask_unknown", "没收过的编号明确说没有", "plainly denies an id it never got", promises.ask_unknown),
)
SPOILT = (
    Step("unknown_field", "多出未知字段：收下或明确拒绝", "an unknown field: taken or plainly refused", promises.unknown_field),
    Step("cut_off", "残缺报文明确拒绝", "refuses half a message", promises.must_refuse("cut_off")),
    Step("wrong_encoding", "编码错误明确拒绝", "refuses bytes of another encoding", promises.must_refuse("wrong_encoding")),
    Step("oversized", "超大报文拒绝而不收", "refuses what is too large", promises.oversized),
)  # fmt: skip
PACE = Step("pace", "同时多件都按时应答", "answers several at once in time", promises.pace)
UNDER_WAY = (
    Step("lost_answer", "应答丢失后可查、可重报", "after a lost answer it can be asked and told again", promises.lost_answer),
    PACE,
)  # fmt: skip
WRONG = promises.opened_with(wrong=True)
NOBODY = promises.opened_with(our_app_id="kit-nobody")
SIGNED = (
    Step("wrong_key", "别人的签名拒绝", "refuses a signature of another key", WRONG),
    Step("tampered", "签名后改动正文，拒绝", "refuses a body changed after it was signed", promises.tampered),
    Step("unknown_app", "未登记的应用标识拒绝", "refuses an app id that it does not know", NOBODY),
    Step("skewed_clock", "时间差一小时的请求拒绝", "refuses a request an hour off", promises.skewed),
    Step("replay", "原样重放的请求拒绝", "refuses the very same request again", promises.replay),
)
CREDENTIAL = (Step("wrong_credential", "许可证或令牌不符拒绝", "refuses a wrong licence or token", WRONG),)
COMMON: Final = (GOOD, *ASKED, *UNDER_WAY, *SPOILT)
FAMILIES: Final[dict[str, tuple[Step, ...]]] = {
    "rest_signed": (*COMMON, *SIGNED),
    "soap": (*COMMON, *CREDENTIAL),
    "union_json": (*COMMON, *CREDENTIAL),
    "webhook": (GOOD, REPEAT, PACE, *SPOILT, *SIGNED),
    "message_set": (GOOD, *ASKED, *UNDER_WAY, *CREDENTIAL),
    "front_db": (GOOD, *ASKED),
    "file_drop": (GOOD, *ASKED),
    "national_push": (GOOD, *ASKED),
}


def _outward(type_: str) -> Step:
    async def run(trial: Trial) -> Said:
        try:
            return promises.taken(await trial.send(trial.partner.sample(type_)))
        except Untranslatable as bad:
            return failed(f"方案写不出样例：{bad.path} {bad.zh}", f"the profile cannot write it: {bad.path} {bad.en}")

    return Step(f"out.{type_}", f"收下各类报文：{type_}", f"takes a message of type {type_}", run)


def steps_of(family: str, types: list[str]) -> tuple[Step, ...]:
    """All steps for a platform of this family: its table, then one for each type of message after the first."""
    return (*FAMILIES.get(family, COMMON), *(_outward(type_) for type_ in types))
