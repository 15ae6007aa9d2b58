"""A city's approval system behind a front-exchange database (前置库), as a stranger would write it: sqlite3 and ElementTree.

It makes the two tables, reads what is addressed to it, acknowledges by a row in the second table, and reports what it did as
rows of its own. It knows nothing of the gateway but the tables.

    python front_hall.py DATABASE [--once] [--area 350100]
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any
from xml.etree import ElementTree

BEIJING = timezone(timedelta(hours=8))
TABLES = """
CREATE TABLE IF NOT EXISTS provinceinfo (
  unid VARCHAR(64) PRIMARY KEY, type VARCHAR(8) NOT NULL, content CLOB, createtime VARCHAR(32) NOT NULL,
  fromareacode VARCHAR(16), fromareaname VARCHAR(64), toareacode VARCHAR(16), toareaname VARCHAR(64));
CREATE TABLE IF NOT EXISTS provinceinfosync (
  unid VARCHAR(64) PRIMARY KEY, type VARCHAR(8), updatetime VARCHAR(32), content CLOB, createtime VARCHAR(32),
  fromareacode VARCHAR(16), toareacode VARCHAR(16), etype VARCHAR(8));
"""


class Hall:
    """The approval system. ``cases``: our case number -> what the application said; ``store``: a SQLite file's path, or an open
    connection that has the tables and takes ``?`` for a value."""

    def __init__(self, store: Any, area: str = "350100", declared: str = "GB2312") -> None:
        self.db = store
        if isinstance(store, str):
            self.db = sqlite3.connect(store, isolation_level=None, timeout=10)
            self.db.executescript(TABLES)
        self.area, self.declared = area, declared
        self.cases: dict[str, ElementTree.Element] = {}
        self.clock = datetime(2025, 3, 3, 10, 0, 0, tzinfo=BEIJING)
        self.written = 0

    # --- reading ---

    def waiting(self) -> list[tuple[str, str, str]]:
        """Rows for us without an acknowledgement, oldest first, a hundred at a time."""
        rows: list[tuple[str, str, str]] = self.db.execute(
            "SELECT unid, type, content FROM provinceinfo p WHERE toareacode = ? AND NOT EXISTS "
            "(SELECT 1 FROM provinceinfosync s WHERE s.unid = p.unid) ORDER BY createtime, unid LIMIT 100",
            (self.area,),
        ).fetchall()
        return rows

    def take(self) -> list[tuple[str, ElementTree.Element]]:
        """Acknowledge all that waits; (type, document) of each."""
        found = []
        for unid, type_, content in self.waiting():
            document = ElementTree.fromstring(content)
            self.db.execute(
                "INSERT INTO provinceinfosync (unid, type, updatetime, content, fromareacode) VALUES (?, '1', ?, '', ?)",
                (unid, self.now(), self.area),
            )
            if type_ == "10":
                self.cases[document.findtext("Head/UnionSN") or ""] = document
            found.append((type_, document))
        return found

    # --- writing ---

    def write(
        self, type_: str, case: str, node: dict[str, str], *, serial: str = "", unid: str = "", at: str = ""
    ) -> str:
        """One row for the other side; its id. Times count up by a second, so that their order is the order of writing."""
        self.written += 1
        self.clock += timedelta(seconds=1)
        root = ElementTree.Element("Case")
        body = ElementTree.SubElement(root, "Body")
        info = ElementTree.SubElement(body, "ApasInfo")
        for name, text in (
            ("SN", serial or uuid.uuid4().hex),
            ("UnionSN", case),
            ("CaseNo", f"FZ{abs(hash(case)) % 10**9}"),
        ):
            ElementTree.SubElement(info, name).text = text
        below = ElementTree.SubElement(body, "Node")
        for name, text in node.items():
            ElementTree.SubElement(below, name).text = text
        content = f'<?xml version="1.0" encoding="{self.declared}"?>' + ElementTree.tostring(root, encoding="unicode")
        return self.row(type_, content, unid=unid, at=at)

    def row(self, type_: str, content: object, *, unid: str = "", at: str = "") -> str:
        """Any row, sound or not."""
        unid = unid or uuid.uuid4().hex
        self.db.execute(
            "INSERT INTO provinceinfo (unid, type, content, createtime, fromareacode, toareacode) VALUES (?,?,?,?,?,'tongban')",
            (unid, type_, content, at or self.now(), self.area),
        )
        return unid

    def answer_of(self, unid: str) -> tuple[str, str] | None:
        """State and content of the other side's acknowledgement of our row."""
        row: tuple[str, str] | None = self.db.execute(
            "SELECT type, content FROM provinceinfosync WHERE unid = ?", (unid,)
        ).fetchone()
        return row

    def now(self) -> str:
        return self.clock.strftime("%Y-%m-%d %H:%M:%S")

    def accept(self, case: str) -> str:
        node = {"Result": "1", "DocNo": "榕受字1号", "Dept": "试验审批局", "User": "试验员", "Time": self.now(),
                "PromiseDate": (self.clock + timedelta(days=10)).strftime("%Y-%m-%d")}  # fmt: skip
        return self.write("99", case, node)

    def step(self, case: str, name: str = "审查", serial: str = "") -> str:
        node = {"Name": name, "User": "试验员", "Opinion": "符合条件", "Time": self.now()}
        return self.write("80", case, node, serial=serial)

    def decide(self, case: str) -> str:
        node = {"Result": "1", "DocNo": "榕决字1号", "Dept": "试验审批局", "User": "试验员", "Time": self.now()}
        return self.write("85", case, node)

    def work(self) -> int:
        """One round: what came is accepted, looked at and decided."""
        found = [document.findtext("Head/UnionSN") or "" for type_, document in self.take() if type_ == "10"]
        for case in found:
            self.accept(case)
            self.step(case)
            self.decide(case)
        return len(found)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("--area", default="350100")
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    hall = Hall(options.database, options.area)
    hall.clock = datetime.now(BEIJING)
    while True:
        done = hall.work()
        if done:
            sys.stdout.write(f"{done}\n")
            sys.stdout.flush()
        if options.once:
            return
        time.sleep(0.5)


if __name__ == "__main__":
    main()
