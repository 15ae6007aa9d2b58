"""The store fails: nothing is acknowledged that is not durable, everything goes on by itself afterwards."""

from __future__ import annotations

import asyncio
import sqlite3

from gateway.ledger import tree
from gateway.ledger.checkpoint import parse_text
from gateway.store.schema import DATABASE
from tests.flow.nodes import Running, Window


def ledger_is_whole(a: Running) -> None:
    """As many leaves as the newest checkpoint says, and its root is what the leaves give; read in one statement, between
    two of which a commit could land."""
    rows = a.rows("SELECT salt, entry, (SELECT text FROM checkpoint ORDER BY size DESC LIMIT 1) FROM leaf ORDER BY idx")
    frontier, _ = tree.append(tree.Frontier(), [tree.leaf_hash(salt, entry) for salt, entry, _ in rows])
    found = parse_text(rows[0][2].encode())
    assert found is not None
    assert (found.size, found.root) == (len(rows), tree.root(frontier))


async def test_V06_a_locked_store_is_answered_with_retry_and_recovers(a: Running, window: Window) -> None:
    assert (await window.hand_in(window.papers())).status == 200
    intruder = sqlite3.connect(a.side.folder / "data" / DATABASE, isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    papers = window.papers()
    reply = await window.hand_in(papers)
    reply.refused("TB-9001", 503)
    assert reply.headers["Retry-After"]
    intruder.execute("ROLLBACK")
    intruder.close()
    assert (await window.hand_in(papers)).status == 200
    assert a.one("SELECT count(*) FROM case_file") == 2
    ledger_is_whole(a)


async def test_T06_a_full_disk_acknowledges_nothing_and_recovers(a: Running, window: Window) -> None:
    assert (await window.hand_in(window.papers())).status == 200
    await asyncio.sleep(0.3)
    writer = a.node.journal._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count={pages}")
    acknowledged, refused = 1, []
    for _ in range(12):
        papers = window.papers()
        reply = await window.hand_in(papers)
        if reply.status == 200:
            acknowledged += 1
        else:
            reply.refused("TB-9001", 503)
            refused.append(papers)
    assert refused, "the disk never got full"
    assert a.one("SELECT count(*) FROM case_file") == acknowledged
    writer.execute("PRAGMA max_page_count=1000000")
    for papers in refused:
        assert (await window.hand_in(papers)).status == 200
    assert a.one("SELECT count(*) FROM case_file") == acknowledged + len(refused)
    ledger_is_whole(a)


async def test_a_gateway_that_cannot_store_is_not_ready(a: Running, window: Window) -> None:
    async with window.session.get(a.url("admin", "/readyz")) as answer:
        assert answer.status == 200
    intruder = sqlite3.connect(a.side.folder / "data" / DATABASE, isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    async with window.session.get(a.url("admin", "/readyz")) as answer:
        assert answer.status == 503
    async with window.session.get(a.url("admin", "/healthz")) as answer:
        assert answer.status == 200
    intruder.execute("ROLLBACK")
    intruder.close()


async def test_L06_one_bad_work_in_a_group_takes_no_neighbour_with_it(a: Running) -> None:
    from gateway.ledger.checkpoint import entry_digest
    from gateway.problems import Refused
    from gateway.store.journal import Tx

    def good(n: int):  # type: ignore[no-untyped-def]
        def work(tx: Tx) -> int:
            return tx.leaf("platform", f"m{n}", entry_digest("platform", f"m{n}", bytes(32)))

        return work

    def bad(tx: Tx) -> None:
        tx.leaf("platform", "bad", entry_digest("platform", "bad", bytes(32)))
        tx.run("INSERT INTO nonce (caller, nonce, expires_ms) VALUES ('x','y',1)")
        raise Refused("TB-5002")

    commit = await a.node.journal.submit(good(1), bad, good(2))
    assert isinstance(commit.results[1], Refused)
    assert commit.results[2] == commit.results[0] + 1
    assert a.one("SELECT count(*) FROM nonce WHERE caller = 'x'") == 0
    assert a.one("SELECT count(*) FROM leaf WHERE message = 'bad'") == 0
    assert commit.prove(commit.results[2]) == a.node.journal.prove(commit.results[2])
    ledger_is_whole(a)


async def test_V02_what_is_submitted_together_is_committed_together(a: Running) -> None:
    from gateway.ledger.checkpoint import entry_digest

    works = [
        a.node.journal.submit(
            lambda tx, n=n: tx.leaf("platform", f"g{n}", entry_digest("platform", f"g{n}", bytes(32)))
        )
        for n in range(50)
    ]
    commits = await asyncio.gather(*works)
    assert len({commit.checkpoint.text for commit in commits}) <= 2
    ledger_is_whole(a)
