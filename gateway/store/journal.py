"""The journal: the one writer, with group commit and the ledger's head (ADR 0005).

What became ready in one pass of the event loop goes into one transaction; while that commits, the next group gathers.
Every piece of work runs under its own savepoint, so one refusal never takes its neighbours with it, and a duplicate
sees what came before it in the same group. After the last piece the group's leaves are appended to the ledger, one
checkpoint over them is signed, and everything is committed together. Nothing signed leaves before ``COMMIT`` has
returned; if its outcome is unknown it is read back before that size is signed again.

The works run on the event loop, where nothing fights them for the interpreter; what waits for the disk (``COMMIT``), for
another process (``BEGIN`` on a locked file) or for a key in a machine waits in a thread of its own, and the loop goes on
serving.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gateway.ledger import tree
from gateway.ledger.checkpoint import LedgerProof, SignedCheckpoint, entry_digest
from gateway.problems import Refused
from gateway.store.head import Head, Sealed
from signing.errors import SigningError
from signing.sm3 import sm3

IntegrityError = sqlite3.IntegrityError  # a key that is taken: the one error of the store that a work may expect
T = TypeVar("T")
Row = tuple[Any, ...]
GROUP = 64  # works in one transaction, unless one caller brings more: the loop is held no longer than they take
PATIENCE_S = 2.0  # how long another process may hold the file before the group is refused

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
        self._pending: deque[_Job] = deque()
        self._busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._wait, name="journal", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reader = self._connect(read_only=True)
        self.commits = 0
        self.works = 0

    def _connect(self, read_only: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=512)
        if read_only:
            connection.execute("PRAGMA busy_timeout=2000")
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA cache_size=-16384")  # the usual 2 MB are read again and again from the system
        else:
            connection.execute("PRAGMA busy_timeout=0")
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
        self._writer.close()
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
        store itself fails, nothing of the group happened and ``Refused('TB-9001')`` is raised; when the checkpoint key
        cannot sign, the same and ``Refused('TB-9004')``.
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

    # --- on the event loop -------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        jobs = self._gather()
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            self._queue.put(partial(self._begin, jobs))
        except sqlite3.Error as error:
            self._fail(jobs, error)
        else:
            self._run(jobs)

    def _gather(self) -> list[_Job]:
        """The next group: whole submissions, in order, up to ``GROUP`` works."""
        jobs = [self._pending.popleft()]
        count = len(jobs[0].works)
        while self._pending and count + len(self._pending[0].works) <= GROUP:
            jobs.append(self._pending.popleft())
            count += len(jobs[-1].works)
        return jobs

    def _run(self, jobs: list[_Job]) -> None:
        """The works of a group inside the open transaction, then its leaves and checkpoint; the commit is the thread's."""
        try:
            now_ms = self._head.clock(self._now_ms())
            tx = Tx(self._writer, now_ms, self._head.size)
            signer = self._head.signer()
            if self._head.changes_to(signer):  # so that no size is ever signed with two keys
                tx.leaf("key", signer.key_id, entry_digest("key", signer.key_id, sm3(signer.key_id.encode())))
            results = [[self._attempt(tx, work) for work in job.works] for job in jobs]
            seal = partial(self._head.extend, self._writer, tx.leaves, now_ms, signer)
            if signer.kind == "machine":
                self._queue.put(partial(self._seal, jobs, results, seal))
                return
            sealed = seal()
        except Exception as error:
            self._fail(jobs, error)
        else:
            self._queue.put(partial(self._commit, jobs, results, sealed))

    def _done(self, jobs: list[_Job], results: list[list[Any]], sealed: Sealed) -> None:
        """The group is durable."""
        self._head.adopt(sealed)
        self.commits += 1
        for job, done in zip(jobs, results, strict=True):
            self.works += len(done)
            if not job.future.done():
                job.future.set_result(Commit(done, sealed.prove, sealed.checkpoint))
        self._next()

    def _fail(self, jobs: list[_Job], error: Exception) -> None:
        """Nothing of the group happened. If COMMIT itself failed half-way, what is in the file decides, and it is read
        back before this size is signed again."""
        failure: Exception = error
        if isinstance(error, sqlite3.Error):
            failure = Refused("TB-9001", cause=error.sqlite_errorname)
        elif isinstance(error, SigningError):  # no checkpoint without its key: the group waits with its caller
            failure = Refused("TB-9004", cause=error.code)
        try:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            self._head.restore(self._writer)
        except sqlite3.Error as worse:
            failure = Refused("TB-9001", cause=worse.sqlite_errorname)
        for job in jobs:
            if not job.future.done():
                job.future.set_exception(failure)
        self._next()

    def _next(self) -> None:
        if self._pending:
            assert self._loop is not None  # noqa: S101
            self._loop.call_soon(self._flush)
        else:
            self._busy = False
            self._idle.set()

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

    # --- in the waiting thread ---------------------------------------------------------------------------------------

    def _wait(self) -> None:
        while (task := self._queue.get()) is not None:
            task()

    def _begin(self, jobs: list[_Job]) -> None:
        """Another process holds the file: wait for it."""
        assert self._loop is not None  # noqa: S101 - started before anything was queued
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if not isinstance(error, sqlite3.OperationalError) or time.monotonic() > end:
                    self._loop.call_soon_threadsafe(self._fail, jobs, error)
                    return
                time.sleep(0.01)
            else:
                self._loop.call_soon_threadsafe(self._run, jobs)
                return

    def _seal(self, jobs: list[_Job], results: list[list[Any]], seal: Callable[[], Sealed]) -> None:
        """The checkpoint's key is in a machine, and its answer is waited for like the disk's."""
        assert self._loop is not None  # noqa: S101
        try:
            sealed = seal()
        except Exception as error:
            self._loop.call_soon_threadsafe(self._fail, jobs, error)
        else:
            self._commit(jobs, results, sealed)

    def _commit(self, jobs: list[_Job], results: list[list[Any]], sealed: Sealed) -> None:
        assert self._loop is not None  # noqa: S101
        try:
            self._writer.execute("COMMIT")
        except Exception as error:
            self._loop.call_soon_threadsafe(self._fail, jobs, error)
        else:
            self._loop.call_soon_threadsafe(self._done, jobs, results, sealed)
