"""The city behind a shared folder as a process of its own (文件交换审批系统): hands cases in, works those it gets, can be asked.

    python -I file_office.py --config FILE

``folder``: the exchange folder; ``records``: its own file; ``control``: where cases are ordered (``POST /sim/cases``) and it
tells what it has done. Imports nothing of the gateway.
"""

from __future__ import annotations

import asyncio
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from aiohttp import web
from file_hall import Hall  # type: ignore[import-not-found]
from simkit import House, Records, citizen_id, now, read_config, sm3  # type: ignore[import-not-found]

TABLES = """
CREATE TABLE IF NOT EXISTS cases (tbbh TEXT PRIMARY KEY, bjbh TEXT, item TEXT, role TEXT, state TEXT);
CREATE TABLE IF NOT EXISTS acts (n INTEGER PRIMARY KEY, tbbh TEXT, way TEXT, word TEXT);
"""
WORDS = {
    "SQ": "application", "BZTZ": "correction_request", "BZ": "correction", "SL": "acceptance", "HJ": "step",
    "TSKS": "special_start", "TSJS": "special_end", "JD": "decision", "CJ": "result", "DD": "arrival", "SD": "delivery",
    "CH": "withdrawal",
}  # fmt: skip
STATES = {
    "SL": "accepted",
    "HJ": "in_review",
    "JD": "granted",
    "CJ": "result_issued",
    "DD": "at_window",
    "SD": "delivered",
}
OFFICER = "测试经办员"


class Office:
    """Both sides of the counter: what it collected goes to the gateway, what it is sent it decides at once."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.house = config, House(config)
        self.hall = Hall(Path(config["folder"]))
        self.records = Records(config["records"], TABLES)

    async def run(self) -> None:
        """One round after the other."""
        while True:
            for message in self.hall.take():
                self.receive(message)
            await asyncio.sleep(int(self.config.get("step_ms", 50)) / 1000)

    def receive(self, message: dict[str, Any]) -> None:
        """One document of the gateway. Our own number names a case that we collected; its number comes with the first act."""
        word, case = message["lx"], message["tbbh"]
        self.records.run(("UPDATE cases SET tbbh = ? WHERE bjbh = ? AND tbbh = bjbh", (case, message["bjbh"])))
        self.note(case, "in", word)
        if word == "SQ":
            new = "INSERT OR IGNORE INTO cases VALUES (?,?,?,'handling','received')"
            self.records.run((new, (case, message["bjbh"], message["nr"]["sxbm"])))
            self.work(case)
        elif word == "CJ":
            self.hand_over(case, message["nr"])
        elif word == "JD" and message["nr"]["jd"] == "N":  # the letter is handed over
            self.tell("SD", case, {"fs": "ZQ", "lqr": "测试甲", "hy": "1", "sj": f"{now():%Y%m%d%H%M%S}"})

    # --- handling ----------------------------------------------------------------------------------------------------

    def work(self, case: str) -> None:
        """Accepted, looked at, granted, and the paper issued."""
        at = f"{now():%Y%m%d%H%M%S}"
        common = {"dw": "试验审批局", "ry": OFFICER}
        self.tell("SL", case, {"jg": "SL", "wh": f"模受{case[-6:]}", **common, "sj": int(now().timestamp() * 1000)})
        self.tell("HJ", case, {"mc": "审查", "ry": OFFICER, "yj": "符合条件", "sj": f"{now():%Y-%m-%d %H:%M:%S}"})
        self.tell("JD", case, {"jd": "Y", "wh": f"模决{case[-6:]}", **common, "sj": at})
        self.tell("CJ", case, {"bh": f"模证{case[-6:]}", "mc": "办理结果", "wj": [_paper(case)], "sj": at})

    # --- collecting --------------------------------------------------------------------------------------------------

    def hand_over(self, case: str, result: dict[str, Any]) -> None:
        """The result is here, then in the applicant's hands."""
        at, files = now(), [one[part]["zy"] for one in result["wj"] for part in ("zw", "qz") if part in one]
        self.tell("DD", case, {"ck": "1号窗口", "ry": OFFICER, "sj": f"{at:%Y%m%d%H%M%S}000", "wj": ",".join(files)})
        self.tell("SD", case, {"fs": "ZQ", "lqr": "测试甲", "hy": "1", "sj": f"{at:%Y%m%d%H%M%S}"})

    async def post_cases(self, request: web.Request) -> web.Response:
        """POST /sim/cases {item, item_name, handling}: make a case and hand it in."""
        return web.json_response({"cases": [self.hand_in(await request.json())]})

    def hand_in(self, wanted: dict[str, Any]) -> str:
        """Make a case and hand it in; its number."""
        number = f"{self.config['division']}{now():%Y%m%d%H%M%S}{self.hall.count:04d}"
        self.records.run(
            ("INSERT INTO cases VALUES (?,?,?,'collecting','collected')", (number, number, wanted["item"]))
        )
        self.note(number, "out", "SQ")
        self.hall.say("SQ", number, application(self.config, number, wanted))
        return number

    # --- records -----------------------------------------------------------------------------------------------------

    def tell(self, word: str, case: str, content: dict[str, Any]) -> None:
        self.hall.say(word, case, content)
        self.note(case, "out", word)

    def note(self, case: str, way: str, word: str) -> None:
        self.records.run(
            ("INSERT INTO acts (tbbh, way, word) VALUES (?,?,?)", (case, way, WORDS[word])),
            ("UPDATE cases SET state = coalesce(?, state) WHERE tbbh = ?", (STATES.get(word), case)),
        )

    async def state(self, request: web.Request) -> web.Response:
        """GET /sim/state."""
        return web.json_response(self.known())

    def known(self) -> dict[str, Any]:
        """What really happened here."""
        cases = self.records.rows("SELECT tbbh, bjbh, item, role, state FROM cases")
        numbers = {bjbh: tbbh for tbbh, bjbh, *_ in cases}
        acts = self.records.rows("SELECT tbbh, way, word FROM acts ORDER BY n")
        return {
            "states": {tbbh: state for tbbh, *_, state in cases},
            "numbers": numbers,
            "acts": [(numbers.get(tbbh, tbbh), way, word) for tbbh, way, word in acts],
        }


def application(config: dict[str, Any], number: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Of somebody who does not exist."""
    at, form = f"{now():%Y年%m月%d日 %H时%M分%S秒}", {"申请事由": "测试用例，不是真实申请", **wanted.get("form", {})}
    return {
        "bjbh": number, "sxbm": wanted["item"], "sxmc": wanted["item_name"], "sxbb": "1", "blfs": "YDDS",
        "bld": f"{wanted['handling']}000", "sqrlx": "1", "sqrxm": "测试甲", "sqrzjlx": "111",
        "sqrzjhm": citizen_id(config["division"], "19620102", 7), "sqrsjh": "13800000007",
        "bd": {"x": [{"k": name, "v": text} for name, text in form.items()]}, "cl": [],
        "hy": {"czy": {"xm": OFFICER, "gh": "F001"}, "ck": "1号窗口", "fs": "1", "yj": "居民身份证",
               "sj": f"{now().timestamp():.0f}"},
        "sjsj": at, "yt": config["purpose"],
    }  # fmt: skip


def _paper(case: str) -> dict[str, Any]:
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 200"><text x="20" y="60" font-size="24">办理结果</text>'
        '<text x="20" y="140" font-size="40" opacity="0.2">样章·测试无效</text></svg>'
    ).encode()
    content = {
        "mc": "办理结果", "zy": sm3(drawn).hex(), "dx": len(drawn), "gs": "image/svg+xml", "lb": "JG",
        "wjm": f"{case[-6:]}.svg", "nr": b64encode(drawn).decode("ascii"),
    }  # fmt: skip
    return {"mc": "办理结果", "zw": content}


async def main(config: dict[str, Any]) -> None:
    """Stand until told to stop."""
    office, control = Office(config), web.Application()
    control.router.add_get("/sim/state", office.state)
    control.router.add_post("/sim/cases", office.post_cases)
    await office.house.serve(web.Application(), control, lambda: office.house.start(office.run()))
    office.records.close()


if __name__ == "__main__":
    asyncio.run(main(read_config()))
