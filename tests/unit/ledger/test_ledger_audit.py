"""A ledger that was tampered with (L01, L02, L03): the first bad leaf is named, cut tails are found by witnesses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from gateway.ledger import tree
from gateway.ledger.audit import (
    FORMAT,
    CheckpointRecord,
    LeafRecord,
    LedgerHead,
    LedgerReport,
    audit,
    read_ledger,
    write_ledger,
)
from gateway.ledger.checkpoint import entry_digest
from signing import sm2
from signing.sm3 import sm3
from tests.vectors.ledger import lab

Leaves = list[LeafRecord]


def verify(key: str, data: bytes, signature: bytes) -> bool | None:
    known = lab.City(lab.A).signer("checkpoint")
    if key != known.key_id:
        return None
    return sm2.verify(lab.provider(), known.public, data, signature, signer_id=sm2.DEFAULT_ID)


def ledger(commits: int = 8, name: str = "act") -> lab.City:
    city = lab.City(lab.A)
    for commit in range(commits):
        entries = [("platform", f"{name}-{commit}-{n}", sm3(b"%d.%d" % (commit, n))) for n in range(commit % 3 + 1)]
        city.commit(entries, lab.T0 + commit)
    return city


def leaves(city: lab.City) -> Leaves:
    return [
        LeafRecord(
            n, kind, name, entry := entry_digest(kind, name, digest), salt, tree.leaf_hash(salt, entry), digest.hex()
        )
        for n, ((kind, name, digest), salt) in enumerate(zip(city.entries, city.salts, strict=True))
    ]


def own(city: lab.City) -> list[CheckpointRecord]:
    return [CheckpointRecord(checkpoint) for checkpoint in city.checkpoints]


def judged(listed: Leaves, held: list[CheckpointRecord]) -> LedgerReport:
    return audit(f"{lab.A}/1", listed, held, verify)


def codes(report: LedgerReport) -> set[str]:
    return {fault.code for fault in report.faults}


def test_a_whole_ledger_holds() -> None:
    city = ledger()
    report = judged(leaves(city), own(city))
    assert (report.ok, report.size, report.root, report.first_bad) == (True, 15, tree.root(city.frontier), None)
    assert judged([], []).ok is True


def rehashed(leaf: LeafRecord, digest: bytes) -> LeafRecord:
    entry = entry_digest(leaf.kind, leaf.id, digest)
    return replace(leaf, digest=digest.hex(), entry=entry, hash=tree.leaf_hash(leaf.salt, entry))


EDITS: dict[str, tuple[Callable[[Leaves], Leaves], str, int]] = {
    "digest": (lambda ls: [*ls[:6], replace(ls[6], digest=bytes(32).hex()), *ls[7:]], "leaf-edited", 6),
    "entry": (lambda ls: [*ls[:6], replace(ls[6], entry=bytes(32)), *ls[7:]], "leaf-edited", 6),
    "entry-short": (lambda ls: [*ls[:6], replace(ls[6], entry=b"", digest=""), *ls[7:]], "leaf-edited", 6),
    "id": (lambda ls: [*ls[:6], replace(ls[6], id="other"), *ls[7:]], "leaf-edited", 6),
    "kind": (lambda ls: [*ls[:6], replace(ls[6], kind="gossip"), *ls[7:]], "leaf-edited", 6),
    "salt": (lambda ls: [*ls[:6], replace(ls[6], salt=bytes(32)), *ls[7:]], "leaf-edited", 6),
    "hash": (lambda ls: [*ls[:6], replace(ls[6], hash=bytes(32)), *ls[7:]], "leaf-edited", 6),
    "deleted": (lambda ls: [*ls[:6], *ls[7:]], "leaf-order", 6),
    "inserted": (lambda ls: [*ls[:6], replace(ls[6], id="more"), *ls[6:]], "leaf-order", 6),
    "moved": (lambda ls: [*ls[:6], ls[7], ls[6], *ls[8:]], "leaf-order", 6),
    "cut": (lambda ls: ls[:-1], "truncated", 14),
    "shredded-hash": (lambda ls: [*ls[:6], replace(ls[6], salt=b"", hash=b"x"), *ls[7:]], "root-differs", 6),
}


@pytest.mark.parametrize("name", EDITS)
def test_L01_the_first_bad_leaf_is_named(name: str) -> None:
    edit, code, index = EDITS[name]
    city = ledger()
    report = judged(edit(leaves(city)), own(city))
    assert report.ok is False
    assert (code in codes(report), report.first_bad) == (True, index)


@pytest.mark.parametrize("index", range(15))
def test_L01_one_edited_leaf_is_one_fault_wherever_it_stands(index: int) -> None:
    city = ledger()
    listed = leaves(city)
    report = judged([*listed[:index], replace(listed[index], id="other"), *listed[index + 1 :]], own(city))
    assert [(fault.code, fault.index) for fault in report.faults] == [("leaf-edited", index)]


def test_L01_two_faults_are_both_told_and_the_first_is_first() -> None:
    city = ledger()
    listed = leaves(city)
    edited = [*listed[:3], replace(listed[3], id="other"), *listed[4:10], rehashed(listed[10], bytes(32)), *listed[11:]]
    report = judged(edited, own(city))
    assert (codes(report), report.first_bad) == ({"leaf-edited", "root-differs"}, 3)


def test_L01_a_leaf_rewritten_with_its_hash_is_found_by_the_next_checkpoint() -> None:
    city = ledger()
    listed = leaves(city)
    report = judged([*listed[:10], rehashed(listed[10], bytes(32)), *listed[11:]], own(city))
    sizes = [0, *(int(c.text.split("\n")[2]) for c in city.checkpoints)]
    assert codes(report) == {"root-differs"}
    assert report.first_bad == max(size for size in sizes if size <= 10), "the last size that was confirmed"


def test_L01_a_cut_tail_with_its_checkpoints_is_found_by_a_witness_only() -> None:
    city = ledger()
    short, listed = own(city)[:-2], leaves(city)[:-3]
    assert judged(listed, short).ok is True
    witness = CheckpointRecord(city.checkpoints[-1], witness="360113")
    report = judged(listed, [*short, witness])
    assert (codes(report), report.first_bad) == ({"truncated"}, 12)
    assert "360113" in report.faults[0].zh


def test_L02_L03_a_ledger_rebuilt_with_the_stolen_key_is_found_by_a_witness() -> None:
    held, rebuilt = ledger(), ledger(name="other")
    assert judged(leaves(rebuilt), own(rebuilt)).ok is True
    witness = CheckpointRecord(held.checkpoints[3], witness="360113")
    report = judged(leaves(rebuilt), [*own(rebuilt), witness])
    assert codes(report) == {"split-view"}


def test_a_shredded_leaf_keeps_its_place() -> None:
    city = ledger()
    listed = leaves(city)
    shredded = [*listed[:6], replace(listed[6], salt=b"", digest=bytes(32).hex()), *listed[7:]]
    assert judged(shredded, own(city)).ok is True


def test_checkpoints_that_do_not_count() -> None:
    city = ledger()
    held = own(city)
    last = held[-1].checkpoint
    cases = {
        "checkpoint-form": replace(last, text="x"),
        "wrong-signature": replace(last, signature=held[0].checkpoint.signature),
        "unknown-key": replace(last, key="0" * 32),
    }
    for code, broken in cases.items():
        report = judged(leaves(city), [*held[:-1], CheckpointRecord(broken)])
        assert codes(report) == {code}
        assert report.ok is (None if code == "unknown-key" else False)


def test_time_does_not_go_back() -> None:
    city = ledger(2)
    city.commit([("platform", "late", bytes(32))], lab.T0 - 5)
    assert codes(judged(leaves(city), own(city))) == {"time-went-back"}


def test_the_file_reads_back_and_names_its_bad_line() -> None:
    city = ledger()
    head = LedgerHead(FORMAT, city.origin, city.card())
    data = write_ledger(head, [*leaves(city), *own(city)])
    assert read_ledger(data) == (head, leaves(city), own(city))
    lines = data.splitlines(keepends=True)
    for number, broken in (
        (1, b"".join(lines[1:])), (1, b""), (3, b"".join([*lines[:2], b"{\n", *lines[3:]])),
        (4, b"".join([*lines[:3], lines[0]])), (2, b"".join([lines[0], b"[" * 100_000])),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"^{number}$"):
            read_ledger(broken)
