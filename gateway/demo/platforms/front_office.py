"""The city behind a front-exchange database as a process of its own (前置库审批系统): works, keeps its records, can be asked.

    python -I front_office.py --config FILE

``database``: the exchange tables; ``records``: its own file; ``control``: where it tells what it has done. Imports nothing
of the gateway.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from aiohttp import web
from front_hall import Hall  # type: ignore[import-not-found]
from simkit import House, Records, now, read_config  # type: ignore[import-not-found]

TABLES = """
CREATE TABLE IF NOT EXISTS cases (tbbh TEXT PRIMARY KEY, bjbh TEXT, item TEXT, role TEXT, state TEXT);
CREATE TABLE IF NOT EXISTS acts (n INTEGER PRIMARY KEY, tbbh TEXT, way TEXT, word TEXT);
"""
WORDS = {"10": "application", "11": "correction", "19": "withdrawal"}


class Office:
    """Takes what the gateway wrote, decides it at once, and writes what it did."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.house = config, House(config)
        self.hall = Hall(config["database"], config.get("area", "350100"))
        self.records = Records(config["records"], TABLES)

    async def run(self) -> None:
        """One round after the other."""
        while True:
            self.hall.clock = now()
            for type_, document in self.hall.take():
                case = document.findtext("Head/UnionSN") or ""
                self.note(case, "in", WORDS.get(type_, type_))
                if type_ == "10":
                    new = "INSERT OR IGNORE INTO cases VALUES (?,?,?,'handling','received')"
                    number, item = document.findtext("Head/CaseSN"), document.findtext("Head/ServiceCode")
                    self.records.run((new, (case, number, item)))
                    self.decide(case)
            await asyncio.sleep(int(self.config.get("step_ms", 50)) / 1000)

    def decide(self, case: str) -> None:
        """Accepted, looked at, granted."""
        for word, act in (("acceptance", self.hall.accept), ("step", self.hall.step), ("decision", self.hall.decide)):
            act(case)
            self.note(case, "out", word)
        self.records.run(("UPDATE cases SET state = 'granted' WHERE tbbh = ?", (case,)))

    def note(self, case: str, way: str, word: str) -> None:
        self.records.run(("INSERT INTO acts (tbbh, way, word) VALUES (?,?,?)", (case, way, word)))

    async def state(self, request: web.Request) -> web.Response:
        """GET /sim/state."""
        return web.json_response(self.known())

    def known(self) -> dict[str, Any]:
        """What really happened here."""
        cases = self.records.rows("SELECT tbbh, bjbh, state FROM cases")
        acts = self.records.rows("SELECT tbbh, way, word FROM acts ORDER BY n")
        return {
            "states": {tbbh: state for tbbh, _, state in cases},
            "numbers": {bjbh: tbbh for tbbh, bjbh, _ in cases},
            "acts": acts,
        }


async def main(config: dict[str, Any]) -> None:
    """Stand until told to stop."""
    office, control = Office(config), web.Application()
    control.router.add_get("/sim/state", office.state)
    await office.house.serve(web.Application(), control, lambda: office.house.start(office.run()))
    office.records.close()
    office.hall.db.close()


if __name__ == "__main__":
    asyncio.run(main(read_config()))
