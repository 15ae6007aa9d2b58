"""Writes signatures.json, ciphertexts.json and keys.json in the form of Project Wycheproof (schema.json, README.md).

``python -m tests.vectors.sm2.generate`` rewrites them, always with the same bytes; a test checks that they are current.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.vectors.sm2.generator import ciphertexts, digests, forms, keys, notes, points, valid, values
from tests.vectors.sm2.generator import textbook as t
from tests.vectors.sm2.generator.cases import Case
from tests.vectors.sm2.generator.notes import Note

HERE = Path(__file__).parent


def signature_groups() -> list[dict[str, Any]]:
    """One group for each encoding, key and id, in the order of their first vector."""
    groups: dict[tuple[str, bytes, bytes], list[dict[str, Any]]] = {}
    seen: dict[Case, str] = {}
    for module in (valid, values, forms, digests, points):
        for case in module.cases():
            question = case._replace(comment="", flags=(), result="")
            if question in seen:  # two ways to one vector: the first is kept, and they must agree
                assert seen[question] == case.result, case.comment
                continue
            seen[question] = case.result
            test = {"comment": case.comment, "flags": list(case.flags), "msg": case.msg.hex(), "sig": case.sig.hex()}
            tests = groups.setdefault((case.encoding, case.key, case.id), [])
            tests.append(test | {"result": case.result})
    return [
        {"type": "Sm2Verify", "encoding": encoding, "publicKey": key.hex(), "publicKeyDer": t.spki(key).hex(), "id": own.hex(),
         "tests": tests}
        for (encoding, key, own), tests in groups.items()
    ]  # fmt: skip


def ciphertext_groups() -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in ciphertexts.cases():
        test = {"comment": one.comment, "flags": list(one.flags), "ct": one.ct.hex()}
        opened = {} if one.msg is None else {"msg": one.msg.hex()}
        groups.setdefault(one.form, []).append(test | opened | {"result": one.result})
    d, key = t.b32(t.D), t.octets(t.base(t.D))
    inner = keys.sec1(d, key)
    der = t.seq(t.number(0), t.seq(t.EC, t.SM2), t.tlv(4, inner))
    return [
        {"type": "Sm2Decrypt", "form": form, "privateKey": d.hex(), "privateKeyDer": der.hex(), "tests": tests}
        for form, tests in groups.items()
    ]


def key_groups() -> list[dict[str, Any]]:
    def tests(files: Iterable[keys.File]) -> list[dict[str, Any]]:
        return [
            {"comment": one.comment, "flags": list(one.flags), "pem": one.pem, "result": one.result, "code": one.code}
            | ({} if one.result == "invalid" else {"publicKey": t.octets(t.base(one.d)).hex()})
            for one in files
        ]

    return [
        {"type": "Sm2PrivateKey", "tests": tests(keys.private_keys())},
        {"type": "Sm2PublicKey", "tests": tests(keys.public_keys())},
    ]


def document(algorithm: str, table: dict[str, Note], groups: list[dict[str, Any]]) -> str:
    """The file's text. Every vector has a number, every flag a note, every note a vector."""
    number = 0
    for group in groups:
        group["tests"] = [{"tcId": (number := number + 1)} | test for test in group["tests"]]
    used = {flag for group in groups for test in group["tests"] for flag in test["flags"]}
    assert used == set(table), used ^ set(table)
    explained = {
        flag: {"bugType": note.bug, "description": note.en, "description_zh": note.zh, "row": note.row}
        for flag, note in table.items()
    }
    head = {"algorithm": algorithm, "schema": "schema.json", "generatorVersion": "1", "numberOfTests": number}
    whole = head | {"notes": explained, "testGroups": groups}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def build() -> dict[str, str]:
    """File name to content."""
    return {
        "signatures.json": document("SM2 signature, SM3", notes.SIGNATURES, signature_groups()),
        "ciphertexts.json": document("SM2 encryption, SM3", notes.CIPHERTEXTS, ciphertext_groups()),
        "keys.json": document("SM2 keys", notes.KEYS, key_groups()),
    }


if __name__ == "__main__":
    for name, content in build().items():
        (HERE / name).write_text(content, "utf-8")
