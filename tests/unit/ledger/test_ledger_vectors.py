"""The committed vectors hold with the code of today, and the code of today would write them again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.ledger import tree
from gateway.ledger.checkpoint import DirectProof, LedgerProof, check_proof, entry_digest, parse_text, text
from gateway.ledger.evidence import verify
from signing import sm2
from signing.sm3 import sm3
from tests.vectors.ledger import generate, lab

FOLDER = Path(generate.__file__).parent
SIGNED = re.compile(rb'"(signature|card|file|data|der)":\s*"[^"]*"')


def vectors(name: str) -> Any:
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes())


def unsigned(data: bytes) -> bytes:
    """The bytes without what holds a fresh signature, and without the end line's digest over it."""
    return re.sub(rb'"digest":"[^"]*","key"', b"", SIGNED.sub(b"", data))


def test_tree_vectors() -> None:
    found = vectors("tree")
    leaves = [bytes.fromhex(leaf) for leaf in found["leaves"]]
    for row in found["roots"]:
        frontier, _ = tree.append(tree.Frontier(), leaves[: row["size"]])
        assert tree.root(frontier).hex() == row["root"]
    for row in found["inclusion"]:
        path = [bytes.fromhex(node) for node in row["path"]]
        assert tree.check_inclusion(leaves[row["index"]], row["index"], row["size"], path, bytes.fromhex(row["root"]))
    for row in found["consistency"]:
        path = [bytes.fromhex(node) for node in row["path"]]
        old, new = bytes.fromhex(row["old_root"]), bytes.fromhex(row["new_root"])
        assert tree.check_consistency(row["old"], row["new"], old, new, path)


def verify_key(key: str, data: bytes, signature: bytes) -> bool | None:
    for known in vectors("proofs")["keys"].values():
        if known["id"] == key:
            public = sm2.PublicKey.from_bytes(bytes.fromhex(known["point"]))
            assert public.thumbprint == key
            return sm2.verify(lab.provider(), public, data, signature, signer_id=sm2.DEFAULT_ID)
    return None


def read(row: dict[str, Any]) -> LedgerProof | DirectProof:
    return msgspec.json.decode(msgspec.json.encode(row["proof"]), type=LedgerProof | DirectProof)


def test_good_proofs_hold() -> None:
    for row in vectors("proofs")["good"]:
        assert check_proof(bytes.fromhex(row["entry"]), read(row), verify=verify_key) is None


@pytest.mark.parametrize("row", vectors("proofs")["wrong"], ids=lambda row: row["name"])
def test_wrong_proofs_have_their_reason(row: dict[str, Any]) -> None:
    reason = check_proof(bytes.fromhex(row["entry"]), read(row), verify=verify_key)
    assert reason is not None
    assert reason.code == row["code"]


def test_checkpoint_and_entries() -> None:
    found = vectors("proofs")
    checkpoint = parse_text(found["checkpoint_text"].encode())
    assert checkpoint is not None and text(checkpoint).decode() == found["checkpoint_text"]
    for row in found["entries"]:
        assert entry_digest(row["kind"], row["id"], bytes.fromhex(row["digest"])).hex() == row["entry"]


def test_the_message_vector_by_hand() -> None:
    """Nothing but SM3 and the words of the specification."""
    found = vectors("message")
    digest = sm3(found["header"].encode())
    assert digest.hex() == found["digest"]
    header = msgspec.json.decode(found["header"])
    assert header["body"] == sm3(found["body"].encode()).hex()
    for kind, over in (
        ("sent", digest), ("accepted", digest), ("refused", sm3(digest + b"TB-4101")),
    ):  # fmt: skip
        by_hand = sm3(f"tongban/v1/entry\n{kind}\n{header['id']}\n{over.hex()}".encode())
        assert by_hand.hex() == found["refused_entry_with_TB_4101" if kind == "refused" else f"{kind}_entry"]


def test_the_committed_package_holds() -> None:
    report = verify((FOLDER / "evidence.jsonl").read_bytes(), lab.checks(anchored=False))
    assert (report.ok, report.grade, report.messages, report.state) == (True, "full", 2, "accepted"), report.reasons


def test_K10_the_committed_package_with_an_original_holds() -> None:
    report = verify((FOLDER / "originals.jsonl").read_bytes(), lab.checks(anchored=False))
    [origin] = report.origins
    assert (report.ok, origin.mapping, origin.size) == (True, lab.MAPPING, len(lab.ORIGINAL)), report.reasons


@pytest.mark.parametrize(("name", "made"), [
    ("tree", generate.tree_vectors), ("proofs", generate.proof_vectors), ("message", generate.message_vector),
])  # fmt: skip
def test_the_vectors_would_be_written_again(name: str, made: Any) -> None:
    fresh = msgspec.json.format(msgspec.json.encode(made()), indent=1) + b"\n"
    assert unsigned(fresh) == unsigned((FOLDER / f"{name}.json").read_bytes())


def test_the_package_would_be_written_again() -> None:
    fresh = lab.package(generate.small_story())
    assert unsigned(fresh) == unsigned((FOLDER / "evidence.jsonl").read_bytes())
    assert unsigned(generate.original_package()) == unsigned((FOLDER / "originals.jsonl").read_bytes())
