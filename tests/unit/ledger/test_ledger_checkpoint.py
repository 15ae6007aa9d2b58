"""Checkpoints and proofs: one spelling, every reason reachable, no proof good for another message."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.ledger import tree
from gateway.ledger.checkpoint import (
    KINDS,
    MAX_TIME_MS,
    Checkpoint,
    DirectProof,
    LedgerProof,
    Proof,
    check_proof,
    checkpoint_of,
    direct_bytes,
    entry_digest,
    parse_text,
    text,
)
from signing import sm2
from signing.sm3 import sm3
from tests.vectors.ledger import lab

DIGESTS = [sm3(b"message %d" % n) for n in range(5)]
ENTRIES = [("accepted", f"M{n}", digest) for n, digest in enumerate(DIGESTS)]


def verify(key: str, data: bytes, signature: bytes) -> bool | None:
    for use in ("checkpoint", "direct"):
        known = lab.City(lab.B).signer(use)
        if known.key_id == key:
            return sm2.verify(lab.provider(), known.public, data, signature, signer_id=sm2.DEFAULT_ID)
    return None


def proofs() -> list[LedgerProof]:
    city = lab.City(lab.B)
    city.commit([("platform", "before", bytes(32))], lab.T0)
    return city.commit(ENTRIES, lab.T0 + 1)


def reason(entry: bytes, proof: Proof) -> str | None:
    found = check_proof(entry, proof, verify=verify)
    return found and found.code


checkpoints = st.builds(
    Checkpoint,
    origin=st.from_regex(r"\A[0-9A-Za-z._-]{1,64}/[0-9A-Za-z._-]{1,32}\Z"),
    size=st.integers(0, tree.MAX_SIZE),
    root=st.binary(min_size=32, max_size=32),
    time_ms=st.integers(0, MAX_TIME_MS),
)


@given(checkpoints)
def test_text_reads_back(checkpoint: Checkpoint) -> None:
    assert parse_text(text(checkpoint)) == checkpoint


@given(checkpoints, st.data())
def test_a_checkpoint_has_one_spelling(checkpoint: Checkpoint, data: st.DataObject) -> None:
    good = bytearray(text(checkpoint))
    at = data.draw(st.integers(0, len(good) - 1))
    good[at] = data.draw(st.integers(0, 255))
    found = parse_text(bytes(good))
    assert found is None or text(found) == bytes(good)


@pytest.mark.parametrize("wrong", [
    b"", b"tongban/v1/checkpoint\n", b"\xff" * 50, b"x" * 10_000,
    "tongban/v1/checkpoint\nA/1\n1\n{}\n１\n".format("0" * 64).encode(),
    f"tongban/v1/checkpoint\nA/1\n01\n{'0' * 64}\n1\n".encode(),
    f"tongban/v1/checkpoint\nA/1\n+1\n{'0' * 64}\n1\n".encode(),
    f"tongban/v1/checkpoint\nA/1\n1\n{'A' * 64}\n1\n".encode(),
    f"tongban/v1/checkpoint\nA/1\n1\n{'0' * 64}\n1".encode(),
    f"tongban/v1/checkpoint\nA/1\n1\n{'0' * 64}\n1\n\n".encode(),
    f"tongban/v1/checkpoint\r\nA/1\n1\n{'0' * 64}\n1\n".encode(),
    f"tongban/v2/checkpoint\nA/1\n1\n{'0' * 64}\n1\n".encode(),
    f"tongban/v1/checkpoint\nA\n1\n{'0' * 64}\n1\n".encode(),
    f"tongban/v1/checkpoint\nA/1/1\n1\n{'0' * 64}\n1\n".encode(),
    f"tongban/v1/checkpoint\nA/1\n{1 << 63}\n{'0' * 64}\n1\n".encode(),
    f"tongban/v1/checkpoint\nA/1\n1\n{'0' * 64}\n{MAX_TIME_MS + 1}\n".encode(),
])  # fmt: skip
def test_other_spellings_are_no_checkpoint(wrong: bytes) -> None:
    assert parse_text(wrong) is None


@pytest.mark.parametrize("fields", [
    {"origin": "no-volume"}, {"origin": "A\n/1"}, {"size": -1}, {"size": 1 << 63}, {"root": bytes(31)}, {"time_ms": -1},
])  # fmt: skip
def test_impossible_checkpoints_cannot_be_made(fields: dict[str, object]) -> None:
    good = {"origin": "A/1", "size": 1, "root": bytes(32), "time_ms": 1}
    with pytest.raises(ValueError, match=r"origin|checkpoint"):
        Checkpoint(**{**good, **fields})  # type: ignore[arg-type]


def test_the_largest_checkpoint_is_one() -> None:
    largest = Checkpoint("A/1", tree.MAX_SIZE, bytes(32), MAX_TIME_MS)
    assert parse_text(text(largest)) == largest
    assert parse_text(text(Checkpoint("A/1", 0, tree.EMPTY_ROOT, 0))) is not None


def test_every_leaf_of_a_batch_is_proved_under_one_checkpoint() -> None:
    made = proofs()
    assert len({proof.checkpoint.signature for proof in made}) == 1
    assert [reason(entry_digest(*entry), proof) for entry, proof in zip(ENTRIES, made, strict=True)] == [None] * 5


def test_R13_a_receipt_serves_no_other_message() -> None:
    made = proofs()
    for n, proof in enumerate(made):
        for m, (_, name, digest) in enumerate(ENTRIES):
            if n != m:
                assert reason(entry_digest("accepted", name, digest), proof) == "wrong-path"
        assert reason(entry_digest("accepted", "M9", DIGESTS[n]), proof) == "wrong-path"
        assert reason(entry_digest("sent", f"M{n}", DIGESTS[n]), proof) == "wrong-path"


def test_L05_a_proof_under_another_checkpoint_is_refused() -> None:
    city = lab.City(lab.B)
    [first] = city.commit([ENTRIES[0]], lab.T0)
    city.commit([ENTRIES[1]], lab.T0 + 1)
    assert reason(entry_digest(*ENTRIES[0]), replace(first, checkpoint=city.checkpoints[1])) == "wrong-path"


def test_every_reason_is_reached() -> None:
    proof, entry = proofs()[2], entry_digest(*ENTRIES[2])
    signed = proof.checkpoint
    other = lab.City(lab.A).checkpoint(lab.T0)
    cases = {
        "wrong-leaf": [replace(proof, salt=bytes(31)), replace(proof, index=6), replace(proof, index=-1)],
        "wrong-path": [replace(proof, path=proof.path[:-1]), replace(proof, salt=bytes(32)), replace(proof, index=1)],
        "wrong-checkpoint-form": [replace(proof, checkpoint=replace(signed, text=signed.text + " "))],
        "unknown-key": [replace(proof, checkpoint=replace(signed, key=other.key))],
        "wrong-signature": [
            replace(proof, checkpoint=replace(signed, signature=s)) for s in (b"", b"\x30", other.signature)
        ],
    }
    for code, broken in cases.items():
        assert [reason(entry, one) for one in broken] == [code] * len(broken)
    assert reason(b"short", proof) == "wrong-leaf"


def test_only_an_unknown_key_leaves_it_open() -> None:
    proof, entry = proofs()[0], entry_digest(*ENTRIES[0])
    bad = check_proof(entry, replace(proof, checkpoint=replace(proof.checkpoint, key="0" * 32)), verify=verify)
    assert bad is not None and not bad.bad
    broken = check_proof(entry, replace(proof, path=[]), verify=verify)
    assert broken is not None and broken.bad


def test_a_direct_proof_binds_leaf_time_and_domain() -> None:
    direct = lab.City(lab.B).direct(*ENTRIES[0], lab.T0)
    entry = entry_digest(*ENTRIES[0])
    assert reason(entry, direct) is None
    assert checkpoint_of(direct) is None
    assert reason(entry_digest(*ENTRIES[1]), direct) == "wrong-signature"
    assert reason(entry, replace(direct, time_ms=direct.time_ms + 1)) == "wrong-signature"
    assert reason(entry, replace(direct, salt=b"")) == "wrong-leaf"
    assert reason(entry, replace(direct, key="0" * 32)) == "unknown-key"
    leaf = tree.leaf_hash(direct.salt, entry)
    bare = lab.City(lab.B).signer("direct").sign(leaf)
    assert reason(entry, replace(direct, signature=bare)) == "wrong-signature", "without its domain line"
    assert direct_bytes(leaf, 1).startswith(b"tongban/v1/direct\n")


def test_proofs_survive_the_wire_and_refuse_strangers() -> None:
    for proof in (proofs()[0], lab.City(lab.B).direct(*ENTRIES[0], lab.T0)):
        data = msgspec.json.encode(proof)
        assert msgspec.json.decode(data, type=LedgerProof | DirectProof) == proof
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(data.replace(b"{", b'{"more":1,', 1), type=LedgerProof | DirectProof)


@pytest.mark.parametrize("wrong", [
    ("other", "M", bytes(32)), ("sent", "", bytes(32)), ("sent", "a b", bytes(32)), ("sent", "a\nb", bytes(32)),
    ("sent", "M", bytes(31)), ("sent", "M" * 129, bytes(32)),
])  # fmt: skip
def test_entries_that_cannot_be_are_refused(wrong: tuple[str, str, bytes]) -> None:
    with pytest.raises(ValueError, match="entry"):
        entry_digest(*wrong)


def test_kinds_and_ids_never_run_together() -> None:
    made = {entry_digest(kind, name, bytes(32)) for kind in KINDS for name in ("M", "M1", "accepted")}
    assert len(made) == 3 * len(KINDS)
