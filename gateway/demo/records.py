"""What each simulated system has on record about one case (各系统自己的台账), as acts said and told, whatever it calls them.

Asked over the systems' control ports; nothing of a gateway is read. A family's words are a table here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from agreements import samples
from gateway.demo.outside import Outside
from gateway.demo.systems import System

WINDOW_TOLD: Final = {
    "BZTZ": "correction_request", "SLTZ": "acceptance", "HJ": "step", "TSKS": "special_start", "TSJS": "special_end",
    "JD": "decision", "CJ": "result",
}  # fmt: skip
WINDOW_SAID: Final = {"SB": "application", "BZ": "correction", "DD": "arrival", "SD": "delivery", "CH": "withdrawal"}
HALL_TOLD: Final = {
    "SubmitCase": "application", "SubmitCorrection": "correction", "Notify:DJ": "arrival", "Notify:SD": "delivery",
    "Withdraw": "withdrawal",
}  # fmt: skip
HALL_SAID: Final = {
    "BZTZ": "correction_request", "SLTZ": "acceptance", "BLHJ": "step", "TSCXKS": "special_start", "TSCXJS": "special_end",
    "BLJD": "decision", "BLJG": "result",
}  # fmt: skip
PACKAGES: Final = {"SLXX": "acceptance", "BLXX": "decision", "JGXX": "result", "JBXX": "application"}
FED_BACK: Final = {"sl": 1, "bl": 2, "jg": 3}
OBJECTS: Final = {
    "<ApplyOB": "application", "<AcceptOB": "acceptance", "<ApproveOB": "step", "<BJJG>": "decision", "<JG>": "result",
    "<CollectOB": "delivery",
}  # fmt: skip
BEIJING_H: Final = 8


@dataclass(frozen=True)
class Acts:
    """What a system said and was told about a case, in canonical words, each as often as it has it."""

    said: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


class Records:
    """Asks the systems, and does at them what a clerk would. ``further``: by id; window and hall are known by heart."""

    def __init__(self, outside: Outside, further: Mapping[str, System]) -> None:
        self._outside, self._further = outside, further
        self._control = {name: msgspec.json.decode(one.config.read_bytes())["control"] for name, one in further.items()}
        self._silent = {name: one.silent for name, one in further.items()}

    def silent(self, name: str) -> frozenset[str]:
        """Acts that the system's protocol has no word for."""
        return self._silent.get(name, frozenset())

    async def acts(self, name: str, number: str) -> Acts:
        """Of the case with this number."""
        if name in ("window", "hall"):
            return await (self._window if name == "window" else self._hall)(number)
        state = await self._outside.state(self._control[name])
        return _READ[self._further[name].family](state, number)

    async def _window(self, number: str) -> Acts:
        case = await self._outside.window_case(number)
        sent = (msgspec.json.decode(one["sent"]) for one in case["receipts"])
        told = tuple(WINDOW_TOLD[one["lx"]] for one in case["events"] if one["lx"] in WINDOW_TOLD)
        return Acts(tuple(WINDOW_SAID[str(one.get("lx", "SB"))] for one in sent), told)

    async def _hall(self, number: str) -> Acts:
        found = await self._outside.hall()
        for case_id in found.get("states", ()):
            case = await self._outside.hall_case(case_id)
            if case["sjbjbh"] == number:
                said = tuple(HALL_SAID[kind] for kind, state, _ in case["plan"] if state == "done")
                return Acts(said, tuple(HALL_TOLD[operation] for _, operation, _ in case["received"]))
        return Acts()

    # --- what a clerk does -------------------------------------------------------------------------------------------

    async def hand_in(self, name: str, item: str, title: str, pdf_bytes: int) -> str:
        """A case of this item; its number there."""
        if name == "window":
            return (await self._outside.hand_in(1, pdf_bytes, item))[0]
        control, number = self._control[name], f"{name.upper()}{datetime.now(UTC):%Y%m%d%H%M%S}"
        family = self._further[name].family
        target = samples.HONGGUTAN if self._further[name].side == "a" else samples.QIAOKOU
        if family == "file_drop":
            wanted = {"item": item, "item_name": title, "handling": target}
            return str((await self._outside.order(f"http://{control}/sim/cases", wanted))["cases"][0])
        order = _package(number, title, target) if family == "soap" else _object(number, item, title, target)
        await self._outside.order(f"http://{control}/sim/{'submit' if family == 'soap' else 'send'}", order)
        return number

    async def carry_on(self, name: str, number: str, item: str, acts: Acts) -> None:
        """Hand the result over where a clerk has to say so."""
        waits = "result" in acts.told and "delivery" not in acts.said
        if waits and name in self._further and self._further[name].family == "message_set":
            keys = {"SJBBH": "1", "SBLSH": number, "SXBM": item}
            fields = {"LQFS": "1", "LQR": "测试甲", "HYFS": "1", "LQSJ": _local("%Y-%m-%d %H:%M:%S")}
            order = {"id": f"{number}-LQ", "object": "CollectOB", "keys": keys, "fields": fields}
            await self._outside.order(f"http://{self._control[name]}/sim/send", order)


def _local(form: str) -> str:
    return (datetime.now(UTC) + timedelta(hours=BEIJING_H)).strftime(form)


def _package(number: str, title: str, target: str) -> dict[str, Any]:
    """A request for an identity card, as the public-security system's clerk fills it in."""
    at = _local("%Y%m%d%H%M%S")
    person = {"LX": "1", "XM": "测试乙", "ZJLX": "10", "ZJHM": "11010519491231002X"}
    head = {"BBH": "1.0", "FSDW_SJGSDWDM": "360113000000", "ZAGLYWFLDM": "SFZ", "YWXTBH": number, "FSSJ": at}
    groups = {
        "JBXX": {"SXMC": title, "SXBB": "1", "BLFS": "YDDS", "BLDQH": target, "YT": samples.PURPOSE, "SJSJ": at},
        "SQRXX": person, "HYXX": {"RY": "测试民警", "GH": "J1", "CK": "2号", "FS": "DKQ", "SJ": at}, "SFZXX": {"SLYY": "到期换领"},
    }  # fmt: skip
    return {"class": "SFZ", "head": head, "sid": f"{number}-SQ", "groups": groups}


def _object(number: str, item: str, title: str, target: str) -> dict[str, Any]:
    """An application object, as the queue's office makes it."""
    at = _local("%Y-%m-%d %H:%M:%S")
    keys = {"SJBBH": "1", "SBLSH": number, "SXBM": item, "SXMC": title, "XZQHDM": "440100", "GXDXZQHDM": target}
    person = {"LX": "1", "XM": "测试甲", "ZJLX": "10", "ZJHM": "11010519491231002X"}
    fields = {
        "SXBB": "1", "BLFS": "YDDS", "YT": samples.PURPOSE, "SBSJ": at, "SQR": person, "SJR": "测试经办员", "SJRGH": "Y1",
        "SJCK": "1号", "HYFS": "1", "HYSJ": at,
    }  # fmt: skip
    return {"id": f"{number}-SQ", "object": "ApplyOB", "keys": keys, "fields": fields}


# --- the records of each family --------------------------------------------------------------------------------------


def _acts(state: dict[str, Any], number: str) -> Acts:
    """Of the front-database and file systems, which write their acts down in our words."""
    case = state["numbers"].get(number, number)
    rows = [(way, word) for one, way, word in state["acts"] if one == case]
    return Acts(*(tuple(word for way, word in rows if way == wanted) for wanted in ("out", "in")))


def _packages(state: dict[str, Any], number: str) -> Acts:
    received = [(groups, times) for _, one, groups, times in state["received"] if one == number]
    told = tuple(
        word for groups, times in received for tag, word in PACKAGES.items() if tag in groups for _ in range(times)
    )
    if number in state["states"]:  # it handles this one
        return Acts(("acceptance", "decision", "result")[: FED_BACK.get(state["states"][number], 0)], told)
    return Acts(("application",), told)


def _objects(state: dict[str, Any], number: str) -> Acts:
    queues = state["queues"]
    return Acts(
        tuple(_words(queues["tongban.from-office"], number)), tuple(_words(queues["tongban.to-office"], number))
    )


def _words(listed: list[dict[str, Any]], number: str) -> Iterator[str]:
    for one in listed:
        if f"<SBLSH>{number}</SBLSH>" in one["text"]:
            yield from (word for tag, word in OBJECTS.items() if tag in one["text"])


_READ: Final = {"front_db": _acts, "file_drop": _acts, "soap": _packages, "message_set": _objects}
