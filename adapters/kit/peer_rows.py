"""A platform behind a front database, played (扮演前置库平台): SQLite only; makes the tables where there are none."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone

from adapters.base import Accepted, Outbound, Outcome, Temporary, Untranslatable
from adapters.documents import DocumentTranslator, read_form
from adapters.front_db.translate import read_words
from adapters.kit.behaviour import Behaviour
from adapters.kit.cast import Cast, Unheard, cannot
from schemas.errors import Invalid

SCHEME = "sqlite://"
_BEIJING = timezone(timedelta(hours=8))


class RowsPeer(Unheard):
    def __init__(self, cast: Cast) -> None:
        path = cast.settings.base_url.removeprefix(SCHEME)
        if path == cast.settings.base_url:
            raise cannot("只能扮演 SQLite 前置库", "only a SQLite front database can be played")
        self.cast, self.path, self.words = cast, path, read_words(cast.profile)
        self.translator = DocumentTranslator(cast.profile, read_form(cast.profile))
        self._seen: set[str] = set()
        with closing(sqlite3.connect(path)) as db, db:
            for statement in self._tables():
                db.execute(statement)

    def _tables(self) -> list[str]:
        """One table may be both the one that comes and the one that goes."""
        columns: dict[str, dict[str, None]] = {}
        keys: dict[str, str] = {}
        for box in (self.words.come, self.words.go):
            keys[box.table] = box.id
            columns.setdefault(box.table, {}).update(
                dict.fromkeys((box.id, box.type, box.content, box.order, *box.fixed))
            )
        ack = self.words.ack
        keys[ack.table] = ack.id
        own = (ack.id, ack.state, ack.content, ack.at, *([ack.digest] if ack.digest else []), *ack.fixed)
        columns.setdefault(ack.table, {}).update(dict.fromkeys(own))
        return [
            f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(names)}, PRIMARY KEY ({keys[table]}))"
            for table, names in columns.items()
        ]

    async def look(self, how: Behaviour) -> None:
        for id_, type_, content in await asyncio.to_thread(self._rows):
            data = content.encode() if isinstance(content, str) else bytes(content)
            try:
                message = self.translator.decode(data)
            except (Untranslatable, Invalid):
                message = {}
            self.cast.desk.take(self.cast.note(id_, type_, data, message), how)

    def _rows(self) -> list[tuple[str, str, str | bytes]]:
        go = self.words.go
        fixed = "".join(f" AND {name} = ?" for name in go.fixed)
        query = f"SELECT {go.id}, {go.type}, {go.content} FROM {go.table} WHERE 1 = 1{fixed} ORDER BY {go.order}"
        rows: list[tuple[str, str, str | bytes]] = []  # where it is locked just now, the next look finds them
        with suppress(sqlite3.Error), closing(sqlite3.connect(self.path)) as db:
            rows = db.execute(query, tuple(go.fixed.values())).fetchall()
        fresh = [(str(id_), str(type_), content) for id_, type_, content in rows if str(id_) not in self._seen]
        self._seen |= {id_ for id_, _, _ in fresh}
        return fresh

    async def tell(self, out: Outbound, case: str, how: Behaviour) -> Outcome:
        operation, message = self.cast.mirror.message(out, case)
        data = b"\x00 garbage" if how.answers == "garbage" else self.translator.document(message)
        return await asyncio.to_thread(self._write, out.id, operation, data)

    def _write(self, id_: str, operation: str, data: bytes) -> Outcome:
        come, at = self.words.come, datetime.now(_BEIJING).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        content = data.decode("utf-8", "replace") if self.translator.form.column == "text" else data
        row = {come.id: id_, come.type: operation, come.content: content, come.order: at, **come.fixed}
        marks = ", ".join("?" * len(row))
        try:
            with closing(sqlite3.connect(self.path)) as db, db:
                db.execute(
                    f"INSERT OR REPLACE INTO {come.table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
                )
        except sqlite3.Error as error:
            return Temporary(f"front database: {error}")
        return Accepted()

    async def close(self) -> None:
        """Nothing is held open."""
