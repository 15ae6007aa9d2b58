"""The journal: the one writer, with group commit and the ledger's head (ADR 0005).

What became ready in one pass of the event loop goes into one transaction of one writer thread; while that commits,
the next group gathers. Every piece of work runs under its own savepoint, so one refusal never takes its neighbours
with it, and a duplicate sees what came before it in the same group. After the last piece the group's leaves are
appended to the ledger, one checkpoint over them is signed, and everything is committed together. Nothing signed
leaves before ``COMMIT`` has returned; if its outcome is unknown it is read back before that size is signed again.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from gateway.ledger import tree
from gateway.ledger.checkpoint import LedgerProof, SignedCheckpoint
from gateway.problems import Refused
from gateway.store.head import Head

IntegrityError = sqlite3.IntegrityError  # a key that is taken: the one error of the store that a work may expect
T = TypeVar("T")
Row = tuple[Any, ...]
GROUP = 256  # works in one transaction at most

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",
)


class Reader:
    """Read-only questions to the store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def one(self, sql: str, *values: object) -> Row | None:
        """The first row, or None."""
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else tuple(row)

    def all(self, sql: str, *values: object) -> list[Row]:
        """All rows."""
        return self._connection.execute(sql, values).fetchall()


class Tx(Reader):
    """What a piece of work may do inside the group's transaction."""

    def __init__(self, connection: sqlite3.Connection, now_ms: int, size: int) -> None:
        super().__init__(connection)
        self.now_ms = now_ms
        self.leaves: list[tuple[bytes, bytes, str, str]] = []
        self._size = size

    def run(self, sql: str, *values: object) -> int:
        """Execute a change; the number of rows it touched."""
        return self._connection.execute(sql, values).rowcount

    def leaf(self, kind: str, message: str, entry: bytes) -> int:
        """Add an entry to the ledger under a fresh salt; the leaf's index (its proof exists after the commit)."""
        self.leaves.append((os.urandom(tree.HASH_SIZE), entry, kind, message))
        return self._size + len(self.leaves) - 1

    @property
    def turn(self) -> int:
        """A number that never decreases from one piece of work to the next: the ledger's size with this group's leaves."""
        return self._size + len(self.leaves)


Work = Callable[[Tx], T]


class Commit:
    """What a group brought: each work's result or refusal, and proofs of the leaves it added."""

    def __init__(
        self, results: Sequence[Any], prove: Callable[[int], LedgerProof], checkpoint: SignedCheckpoint
    ) -> None:
        self.results = results
        self.prove = prove
        self.checkpoint = checkpoint

    def only(self) -> Any:
        """The result of a single piece of work; its refusal is raised."""
        result = self.results[0]
        if isinstance(result, BaseException):
            raise result
        return result


class _Job:
    def __init__(self, works: Sequence[Work[Any]], future: asyncio.Future[Commit]) -> None:
        self.works = works
        self.future = future


class Journal:
    """One writer over one SQLite file. ``submit`` from the event loop; ``read`` for questions."""

    def __init__(self, path: Path, head: Head, now_ms: Callable[[], int]) -> None:
        self._path = path
        self._head = head
        self._now_ms = now_ms
        self._pending: list[_Job] = []
        self._busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False
        self._queue: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reader = self._connect(read_only=True)
        self.commits = 0
        self.works = 0

    def _connect(self, read_only: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=512)
        connection.execute("PRAGMA busy_timeout=2000")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        else:
            for pragma in PRAGMAS:
                connection.execute(pragma)
        return connection

    async def start(self) -> None:
        """Open the writer, read the ledger's head, begin to take work."""
        self._loop = asyncio.get_running_loop()
        writer = self._connect()
        self._head.restore(writer)
        self._writer = writer
        self._thread.start()

    async def close(self) -> None:
        """Finish what is under way, then stop; what arrives meanwhile is refused as ``stopping``."""
        self._closing = True
        await self._idle.wait()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader.close()

    def read(self) -> Reader:
        """A reader on the last committed state, for short questions on the event loop."""
        return Reader(self._reader)

    def prove(self, index: int) -> LedgerProof:
        """The proof of a stored leaf under the first checkpoint that covered it: byte for byte as first given."""
        return self._head.prove_stored(self._reader, index)

    def prove_under(self, index: int, signed: SignedCheckpoint) -> LedgerProof:
        """The proof of a stored leaf under a given checkpoint of ours, for a batch of messages old and new."""
        return self._head.prove_under(self._reader, index, signed)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """What proves to a partner that our first ``old`` leaves are unchanged in the tree of ``new``."""
        return self._head.consistency(self._reader, old, new)

    @property
    def head(self) -> Head:
        """The ledger's head."""
        return self._head

    async def submit(self, *works: Work[Any]) -> Commit:
        """Run the works in the next group commit, in order; returns after it is durable.

        A work that raises ``Refused`` (or anything else) is undone alone and its exception is its result. When the
        store itself fails, nothing of the group happened and ``Refused('TB-9001')`` is raised.
        """
        if self._closing:
            raise Refused("TB-9003")
        assert self._loop is not None  # noqa: S101 - submit before start is a defect of ours
        future: asyncio.Future[Commit] = self._loop.create_future()
        self._pending.append(_Job(works, future))
        if not self._busy:
            self._busy = True
            self._idle.clear()
            self._loop.call_soon(self._flush)
        return await future

    def _flush(self) -> None:
        group: list[_Job] = []
        count = 0
        while self._pending and (not group or count + len(self._pending[0].works) <= GROUP):
            job = self._pending.pop(0)
            count += len(job.works)
            group.append(job)
        self._queue.put(group)

    def _done(self, outcomes: Sequence[tuple[_Job, Commit | BaseException]]) -> None:
        for job, outcome in outcomes:
            if job.future.done():
                continue
            if isinstance(outcome, BaseException):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)
        if self._pending:
            self._flush()
        else:
            self._busy = False
            self._idle.set()

    # --- the writer thread -------------------------------------------------------------------------------------------

    def _write(self) -> None:
        assert self._loop is not None  # noqa: S101
        while (group := self._queue.get()) is not None:
            outcomes: Sequence[tuple[_Job, Commit | BaseException]]
            try:
                outcomes = self._commit(group)
            except sqlite3.Error as error:
                outcomes = [(job, Refused("TB-9001", cause=error.sqlite_errorname)) for job in group]
            except BaseException as error:
                outcomes = [(job, error) for job in group]
            self._loop.call_soon_threadsafe(self._done, outcomes)
        self._writer.close()

    def _commit(self, group: Sequence[_Job]) -> list[tuple[_Job, Commit | BaseException]]:
        writer = self._writer
        now_ms = self._head.clock(self._now_ms())
        writer.execute("BEGIN IMMEDIATE")
        try:
            tx = Tx(writer, now_ms, self._head.size)
            results = [[self._attempt(tx, work) for work in job.works] for job in group]
            sealed = self._head.extend(writer, tx.leaves, now_ms)
            writer.execute("COMMIT")
        except BaseException:
            # A crash or error before COMMIT returned leaves nothing of the group; if COMMIT itself failed
            # half-way, what is in the file decides, and it is read back before this size is signed again.
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            self._head.restore(writer)
            raise
        self._head.adopt(sealed)
        self.commits += 1
        self.works += sum(len(job.works) for job in group)
        return [(job, Commit(done, sealed.prove, sealed.checkpoint)) for job, done in zip(group, results, strict=True)]

    def _attempt(self, tx: Tx, work: Work[Any]) -> Any:
        leaves = len(tx.leaves)
        tx.run("SAVEPOINT work")
        try:
            result = work(tx)
        except sqlite3.OperationalError:
            raise  # the disk is full or the file locked: that is everyone's, not this work's
        except Exception as error:
            tx.run("ROLLBACK TO work")
            tx.run("RELEASE work")
            del tx.leaves[leaves:]
            return error
        tx.run("RELEASE work")
        return result
