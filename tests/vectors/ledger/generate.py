"""Write the ledger's vectors: ``python -m tests.vectors.ledger.generate``.

All but SM2's nonces is fixed, so a new run changes signatures only (in ``signature`` fields); ``test_ledger_vectors.py``
checks the committed files with the code of today and that all the rest would come out the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.ledger import tree
from gateway.ledger.checkpoint import LedgerProof, checkpoint_of, direct_bytes, entry_digest
from gateway.ledger.records import MessageRecord
from signing.sm3 import sm3
from tests.vectors.ledger import lab

HERE = Path(__file__).resolve().parent
SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 13, 16, 17)


def leaf(n: int) -> bytes:
    return tree.leaf_hash(sm3(b"salt %d" % n), sm3(b"entry %d" % n))


def tree_vectors() -> dict[str, Any]:
    """Leaves are SM3(0x00, SM3("salt n"), SM3("entry n")); roots, inclusion and consistency paths of small trees."""
    _, made = tree.append(tree.Frontier(), [leaf(n) for n in range(max(SIZES))])
    nodes = {(level, index): node for level, index, node in made}

    def get(level: int, index: int) -> bytes:
        return nodes[level, index]

    def root(size: int) -> str:
        return tree.root(tree.frontier_from(size, get)).hex()

    return {
        "leaves": [leaf(n).hex() for n in range(max(SIZES))],
        "roots": [{"size": size, "root": root(size)} for size in SIZES],
        "inclusion": [
            {"index": i, "size": size, "root": root(size), "path": [h.hex() for h in tree.inclusion_path(i, size, get)]}
            for size in SIZES
            for i in sorted({0, size // 2, size - 1})
            if 0 <= i < size
        ],
        "consistency": [
            {
                "old": old, "new": new, "old_root": root(old), "new_root": root(new),
                "path": [h.hex() for h in tree.consistency_path(old, new, get)],
            }
            for new in SIZES
            for old in SIZES
            if 0 < old < new
        ],
    }  # fmt: skip


def proof_vectors() -> dict[str, Any]:
    """One batch of three receipts under one checkpoint, a direct proof, and each way to be wrong with its reason."""
    city = lab.City(lab.B)
    city.commit([("platform", "01J00000000000000000000000", sm3(b"before"))], lab.T0)
    entries = [("accepted", f"01J000000000000000000000{n:02d}", sm3(b"header %d" % n)) for n in range(3)]
    proofs = city.commit(entries, lab.T0 + 1000)
    good, entry = proofs[1], entry_digest(*entries[1])
    direct = city.direct(*entries[1], lab.T0 + 2000)
    signed = good.checkpoint
    found = checkpoint_of(good)
    assert found is not None
    wrong = {
        "R13-receipt-of-another-message": (entry_digest(*entries[0]), good, "wrong-path"),
        "kind-sent-for-accepted": (entry_digest("sent", *entries[1][1:]), good, "wrong-path"),
        "L05-index-of-another": (entry, replace(good, index=1), "wrong-path"),
        "L05-index-beyond-size": (entry, replace(good, index=4), "wrong-leaf"),
        "L05-path-too-short": (entry, replace(good, path=good.path[:-1]), "wrong-path"),
        "L05-path-too-long": (entry, replace(good, path=[*good.path, bytes(32)]), "wrong-path"),
        "salt-short": (entry, replace(good, salt=good.salt[:-1]), "wrong-leaf"),
        "checkpoint-leading-zero": (
            entry, replace(good, checkpoint=replace(signed, text=signed.text.replace("\n4\n", "\n04\n"))),
            "wrong-checkpoint-form",
        ),
        "checkpoint-other-time": (
            entry, replace(good, checkpoint=replace(signed, text=signed.text.replace(str(found.time_ms), "1"))),
            "wrong-signature",
        ),
        "checkpoint-unknown-key": (entry, replace(good, checkpoint=replace(signed, key="0" * 32)), "unknown-key"),
        "direct-other-time": (entry, replace(direct, time_ms=direct.time_ms + 1), "wrong-signature"),
    }  # fmt: skip
    return {
        "keys": {use: _key(city, use) for use in ("checkpoint", "direct")},
        "entries": [
            {"kind": kind, "id": name, "digest": digest.hex(), "entry": entry_digest(kind, name, digest).hex()}
            for kind, name, digest in entries
        ],
        "checkpoint_text": signed.text,
        "direct_signed_text": direct_bytes(tree.leaf_hash(direct.salt, entry), direct.time_ms).decode(),
        "good": [
            *({"entry": entry_digest(*e).hex(), "proof": msgspec.to_builtins(p)} for e, p in zip(entries, proofs, strict=True)),
            {"entry": entry.hex(), "proof": msgspec.to_builtins(direct)},
        ],
        "wrong": [
            {"name": name, "entry": e.hex(), "proof": msgspec.to_builtins(p), "code": code}
            for name, (e, p, code) in wrong.items()
        ],
    }  # fmt: skip


def _key(city: lab.City, use: str) -> dict[str, str]:
    return {"id": city.signer(use).key_id, "point": city.signer(use).public.point.hex()}


def small_story() -> lab.Story:
    """An application, received; a step out of order is not in it."""
    story = lab.Story()
    story.say(lab.A, "application", {"at": "2026-01-01T00:00:00Z"})
    story.say(lab.B, "acceptance", {"at": "2026-01-01T00:01:00Z", "outcome": "accepted"})
    return story


def original_package() -> bytes:
    """The same application with what its sender's platform said of it."""
    story = small_story()
    said = lab.platform_said(story)
    return lab.seal([*lab.records(story), *said])


def message_vector() -> dict[str, Any]:
    """One message, hex: header, digest, both entries; what a reader implements first."""
    record: MessageRecord = small_story().records[0]
    digest = sm3(record.header)
    name = lab.message_id(record.header)
    assert isinstance(record.sender, LedgerProof)
    return {
        "header": record.header.decode(), "body": record.body.decode(), "digest": digest.hex(),
        "sent_entry": entry_digest("sent", name, digest).hex(),
        "accepted_entry": entry_digest("accepted", name, digest).hex(),
        "refused_entry_with_TB_4101": entry_digest("refused", name, sm3(digest, b"TB-4101")).hex(),
    }  # fmt: skip


def write() -> None:
    for name, value in (("tree", tree_vectors()), ("proofs", proof_vectors()), ("message", message_vector())):
        (HERE / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")
    (HERE / "evidence.jsonl").write_bytes(lab.package(small_story()))
    (HERE / "originals.jsonl").write_bytes(original_package())


if __name__ == "__main__":
    write()
