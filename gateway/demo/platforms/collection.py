"""A collection database of case data (办件归集前置库), as its operator would make it, by sqlite3.

It knows nothing of the gateway but the tables. ``--counts`` prints what stands there, by day and table; ``--cases`` how often
each case stands in the table of cases.

    python collection.py DATABASE [--counts] [--cases]
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from typing import Any

COMMON = """row_guid VARCHAR(50) NOT NULL {key}, project_no VARCHAR(50) NOT NULL, data_source VARCHAR(3) NOT NULL,
  cd_operation VARCHAR(2) NOT NULL, cd_batch VARCHAR(32), cd_time DATETIME NOT NULL, tenant_id VARCHAR(20)
  DEFAULT '000000', audit_status VARCHAR(2) DEFAULT '0'"""
TABLES = {
    "up_pro_accept": """
  accept_date DATETIME NOT NULL, accept_doc_no VARCHAR(50), address VARCHAR(200), apply_date DATETIME NOT NULL,
  apply_type VARCHAR(2) NOT NULL, applyer_name VARCHAR(200) NOT NULL, applyer_page_code VARCHAR(500) NOT NULL,
  applyer_page_type VARCHAR(3) NOT NULL, applyer_type VARCHAR(2) NOT NULL, catalog_code VARCHAR(12) NOT NULL,
  local_catalog_code VARCHAR(64), task_code VARCHAR(36) NOT NULL, local_task_code VARCHAR(64), task_handle_item
  VARCHAR(64), task_name VARCHAR(300) NOT NULL, task_version VARCHAR(10) NOT NULL, contact_name VARCHAR(100),
  contact_type VARCHAR(3), contact_code VARCHAR(50), contact_mobile VARCHAR(11), handle_user_name VARCHAR(100),
  legal VARCHAR(100), org_code VARCHAR(64) NOT NULL, org_name VARCHAR(200) NOT NULL, project_name VARCHAR(300),
  project_type VARCHAR(2) NOT NULL, promise_date DATE, zip_code VARCHAR(6)""",
    "up_pro_process": """
  event_name VARCHAR(2) NOT NULL, process_name VARCHAR(100) NOT NULL, handle_user_name VARCHAR(100) NOT NULL,
  handle_explain VARCHAR(2000) NOT NULL, event_start_time DATETIME NOT NULL, event_end_time DATETIME NOT NULL""",
    "up_pro_special_procedure": """
  special_type VARCHAR(2) NOT NULL, special_name VARCHAR(100) NOT NULL, special_reason VARCHAR(2000) NOT NULL,
  special_time DATETIME NOT NULL, end_time DATETIME NOT NULL, applyer_user_name VARCHAR(100), result
  VARCHAR(2000), special_explain VARCHAR(2000), handle_user VARCHAR(100)""",
    "up_pro_result": """
  result_type VARCHAR(2) NOT NULL, result_date DATETIME NOT NULL, result_explain VARCHAR(2000), result_cetr_name
  VARCHAR(200), result_cetr_no VARCHAR(100), is_delivery_results VARCHAR(2) NOT NULL, satisfaction VARCHAR(2),
  handle_user_name VARCHAR(100)""",
    "up_pro_material": """
  material_name VARCHAR(300) NOT NULL, get_type VARCHAR(2) NOT NULL, get_num VARCHAR(4), material_attach_name
  VARCHAR(300)""",
}  # fmt: skip


class Collection:
    """The operator's own view. ``db`` is a path, or whatever executes SQL with ``?`` for values; ``keyed`` False: tables without
    a primary key, as some places have them; ``moment`` is what this database calls a date with a time."""

    def __init__(self, db: Any, keyed: bool = True, moment: str = "DATETIME") -> None:
        self.db = sqlite3.connect(db, isolation_level=None, timeout=10) if isinstance(db, str) else db
        for name, columns in TABLES.items():
            common = COMMON.format(key="PRIMARY KEY" if keyed else "")
            made = f"CREATE TABLE IF NOT EXISTS {name} ({common}, {columns})"
            self.db.execute(made.replace("DATETIME", moment))

    def rows(self, table: str) -> list[dict[str, str | None]]:
        """All rows of a table by batch and key; values as text."""
        names = [part.split()[0] for part in f"{COMMON}, {TABLES[table]}".split(",")]
        found = self.db.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY cd_batch, row_guid").fetchall()
        return [
            {name: None if one is None else str(one) for name, one in zip(names, row, strict=True)} for row in found
        ]

    def counts(self) -> dict[str, dict[str, int]]:
        """Day -> table -> rows."""
        found: dict[str, dict[str, int]] = {}
        for table in TABLES:
            for row in self.rows(table):
                day = found.setdefault(str(row["cd_time"])[:10], {})
                day[table] = day.get(table, 0) + 1
        return found

    def cases(self) -> dict[str, int]:
        """Case -> how often it stands in the table of cases."""
        return {str(one): count for one, count in
                self.db.execute("SELECT project_no, count(*) FROM up_pro_accept GROUP BY project_no").fetchall()}  # fmt: skip

    def close(self) -> None:
        """Done."""
        self.db.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    parser.add_argument("--counts", action="store_true")
    parser.add_argument("--cases", action="store_true")
    chosen = parser.parse_args()
    collection = Collection(chosen.database)
    if chosen.counts:
        print(json.dumps(collection.counts(), ensure_ascii=False))
    if chosen.cases:
        print(json.dumps(collection.cases(), ensure_ascii=False))


if __name__ == "__main__":
    main()
