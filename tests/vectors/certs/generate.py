"""Writes ``cases.json``: chains by defect, each with the verdict that must come out; ``python -m tests.vectors.certs.generate``.

Everything repeats byte for byte, keys and nonces being derived from names (``tests.pki``); a test holds the file to be
current. ``objects`` holds DER in Base64 by the first 12 hex digits of its SM3; cases name them. Times are RFC 3339. Whoever
implements the same rules can judge the file without a line of ours: ``ok`` null means "cannot tell".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from signing.sm3 import sm3
from tests import pki
from tests.vectors.certs import constrained, lists, rules, shapes, statuses
from tests.vectors.certs.chain import Case, Row

HERE = Path(__file__).parent
CHAINS: list[Row] = [*rules.ROWS, *lists.ROWS, *constrained.ROWS, *shapes.ROWS]
ROWS: list[Row] = [*CHAINS, *statuses.ROWS]


def cases() -> dict[str, Any]:
    """The whole file."""
    objects: dict[str, str] = {}

    def kept(items: Iterable[bytes]) -> list[str]:
        found = {sm3(data).hex()[:12]: base64.b64encode(data).decode() for data in items}
        objects.update(found)
        return list(found)

    def row(code: str, case: Case) -> dict[str, Any]:
        report = case.judge()
        anchors = case.anchors or [pki.root().certificate]
        return {
            "ok": report.ok,
            "reason": code or None,
            "reasons": sorted({reason.code for reason in report.reasons}),
            "leaf": kept([case.leaf.der])[0],
            "intermediates": kept(one.der for one in case.middle),
            "anchors": kept(one.der for one in anchors),
            "crls": kept(one.der for one in case.crls),
            "ocsp": kept(case.responses),
            "ocsp_about": kept(one.about.der for one in case.statuses if one.about)[0] if case.statuses else None,
            "ocsp_nonce": case.statuses[0].nonce.hex() if case.statuses and case.statuses[0].nonce else None,
            "ocsp_nonce_must": case.policy.ocsp_nonce == "require",
            "at": f"{case.at:%Y-%m-%dT%H:%M:%SZ}",
            "now": f"{case.now or case.at:%Y-%m-%dT%H:%M:%SZ}",
            "usage": case.policy.usage,
            "purpose": case.policy.purpose or None,
            "revocation": case.policy.revocation,
            "crl_grace_s": int(case.policy.crl_grace.total_seconds()),
            "crl_partitions": case.policy.crl_partitions,
        }

    found = {name: row(code, made()) for name, code, made in ROWS}
    return {"objects": objects, "cases": found}


def text() -> str:
    return json.dumps(cases(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    (HERE / "cases.json").write_text(text(), "utf-8")
