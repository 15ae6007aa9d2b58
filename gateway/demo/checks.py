"""What the demo checks by itself, from the outside: with what the window holds, the platforms' own records and two cards.

Nothing is asked of a gateway but its published card. Every receipt the window holds is verified against gateway A's
checkpoint key, every stamp against the seal anchor that gateway B's card announces and the fetched document's digest;
what was lost or doubled is counted by comparing both platforms' records act by act.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import aiohttp
import msgspec

from gateway.demo.outside import Outside
from gateway.exchange import card as cards
from gateway.ledger.checkpoint import LedgerProof, Proof, check_proof, checkpoint_of, entry_digest
from signing import certs, sm2
from signing.certs import Certificate
from signing.policy import CRL_IF_PRESENT
from signing.providers import Provider
from signing.sm3 import sm3
from signing.verify import SealReport, verify_stamp

# what the handling platform did -> what the window must have been told, once
ACTS = {"BZTZ": "BZTZ", "SLTZ": "SLTZ", "BLHJ": "HJ", "TSCXKS": "TSKS", "TSCXJS": "TSJS", "BLJD": "JD", "BLJG": "CJ"}
# what the window did -> what the handling platform must have received, once
DEEDS = {"SB": "SubmitCase", "BZ": "SubmitCorrection", "DD": "Notify:DJ", "SD": "Notify:SD", "CH": "Withdraw"}


@dataclass(frozen=True)
class Fault:
    """One thing that does not hold: where, and what, in both languages."""

    where: str
    zh: str
    en: str


@dataclass(frozen=True)
class Stamped:
    """A result document as the window holds it, with the verdict on its stamp."""

    name: str
    document: bytes
    media_type: str
    stamp: bytes
    report: SealReport


@dataclass(frozen=True)
class Receipt:
    """A receipt as the window holds it: for which of its acts, the message, the proof, and whether it holds."""

    act: str
    message: str
    proof: Proof | None
    fault: Fault | None


@dataclass(frozen=True)
class CaseCheck:
    """One case, both platforms' records of it, and what was found."""

    number: str
    window: dict[str, Any]
    hall: dict[str, Any]
    receipts: list[Receipt]
    results: list[Stamped]
    lost: list[Fault]
    doubled: list[Fault]

    @property
    def delivered(self) -> bool:
        """Ended by 送达, and both sides know it."""
        return bool(self.window["state"] == "delivered" and self.hall.get("state") == "delivered")

    @property
    def kind(self) -> str:
        """What became of it: denied, special, correction or granted."""
        told = {event["lx"] for event in self.window["events"]}
        refused = any(event["lx"] == "JD" and event["body"]["nr"].get("jg") == "0" for event in self.window["events"])
        return "denied" if refused else "special" if "TSKS" in told else "correction" if "BZTZ" in told else "granted"


@dataclass
class Report:
    """Everything that was checked."""

    cases: list[CaseCheck] = field(default_factory=list)
    strangers: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def delivered(self) -> int:
        return sum(case.delivered for case in self.cases)

    @property
    def results(self) -> int:
        return sum(len(case.results) for case in self.cases)

    @property
    def seals_verified(self) -> int:
        return sum(result.report.ok is True for case in self.cases for result in case.results)

    @property
    def receipts(self) -> int:
        return sum(len(case.receipts) for case in self.cases)

    @property
    def receipts_verified(self) -> int:
        return sum(receipt.fault is None for case in self.cases for receipt in case.receipts)

    @property
    def lost(self) -> int:
        """Cases of which something did not arrive."""
        return sum(bool(case.lost) for case in self.cases)

    @property
    def duplicated(self) -> int:
        """Cases of which something happened twice, and cases at the handling platform that the window never handed in."""
        return sum(bool(case.doubled) for case in self.cases) + self.strangers

    @property
    def ok(self) -> bool:
        """All of it holds."""
        counted = (
            self.delivered == len(self.cases), self.seals_verified == self.results,
            self.receipts_verified == self.receipts >= len(self.cases), not self.lost, not self.duplicated,
        )  # fmt: skip
        return all(counted) and not self.faults


@dataclass(frozen=True)
class Trust:
    """What the checks rest on: the two cards, each read under the fingerprint that was exchanged by hand."""

    provider: Provider
    a: cards.Card
    anchors: list[Certificate]

    def verify(self) -> Callable[[str, bytes, bytes], bool | None]:
        """Signature checks under A's checkpoint keys; each distinct checkpoint is verified once."""
        keys = cards.public_keys(self.a, "checkpoint")

        @lru_cache(maxsize=4096)
        def check(key: str, message: bytes, signature: bytes) -> bool | None:
            public = keys.get(key)
            if public is None:
                return None
            return sm2.verify(self.provider, public, message, signature, signer_id=sm2.DEFAULT_ID)

        return check


async def trust(outside: Outside, fingerprints: tuple[str, str], provider: Provider) -> Trust:
    """Fetch both cards. Raises ``cards.CardError`` for one that is not its party's."""
    a, b = await asyncio.gather(outside.card(outside.a), outside.card(outside.b))
    first, second = cards.read(a, fingerprints[0], provider), cards.read(b, fingerprints[1], provider)
    anchors = [certs.parse(key.certificate) for key in second.keys if key.use == "seal-anchor"]
    return Trust(provider, first, anchors)


async def check(outside: Outside, numbers: list[str], trusted: Trust) -> Report:
    """Check all cases that were handed in."""
    report, verify = Report(), trusted.verify()
    for number in numbers:
        report.cases.append(await _case(outside, number, trusted, verify))
    for found in report.cases:
        report.faults += [receipt.fault for receipt in found.receipts if receipt.fault is not None]
        report.faults += [*found.lost, *found.doubled]
        if not found.delivered:
            state = found.window["state"]
            report.faults.append(Fault(found.number, f"没有走到送达（{state}）", f"did not reach delivery ({state})"))
        report.faults += [
            Fault(found.number, f"{result.name}：{reason.zh}", f"{result.name}: {reason.en}")
            for result in found.results
            for reason in result.report.reasons
        ]
    ours = {found.window["tbbh"] for found in report.cases}
    strangers = set((await outside.hall()).get("states", {})) - ours
    report.strangers = len(strangers)
    report.faults += [Fault(one, "窗口没有收过这个办件", "the window never handed this in") for one in strangers]
    return report


async def _case(
    outside: Outside, number: str, trusted: Trust, verify: Callable[[str, bytes, bytes], bool | None]
) -> CaseCheck:
    window = await outside.window_case(number)
    hall: dict[str, Any] = {}
    try:
        hall = await outside.hall_case(window["tbbh"])
    except aiohttp.ClientResponseError as error:
        if error.status != 404:  # it never arrived there: `_compare` says so
            raise
    receipts = [_receipt(number, held, trusted.a.party, verify) for held in window["receipts"]]
    results = await _results(outside, window, trusted)
    # what no receipt was given for was never taken: it is not delivered, but it is not lost either
    lost, doubled = compare(number, window, hall) if window["receipt"] else ([], [])
    return CaseCheck(number, window, hall, receipts, results, lost, doubled)


def _receipt(
    number: str, held: dict[str, Any], party: str, verify: Callable[[str, bytes, bytes], bool | None]
) -> Receipt:
    sent, answer = held["sent"], held["answer"]
    act, message = str(msgspec.json.decode(sent)["lsh"]), str(answer.get("lsh", ""))
    try:
        proof: Proof = msgspec.json.decode(base64.b64decode(answer["hz"], validate=True), type=Proof)
        reason = check_proof(entry_digest("platform", message, sm3(sent.encode())), proof, verify=verify)
    except (KeyError, ValueError, binascii.Error, msgspec.MsgspecError):
        return Receipt(act, message, None, Fault(number, f"{act} 的回执读不出", f"the receipt of {act} cannot be read"))
    if reason is not None:
        return Receipt(act, message, proof, Fault(number, f"{act}：{reason.zh}", f"{act}: {reason.en}"))
    checkpoint = checkpoint_of(proof) if isinstance(proof, LedgerProof) else None
    if checkpoint is None or not checkpoint.origin.startswith(f"{party}/"):
        fault = Fault(number, f"{act} 的回执不是硚口账本的", f"the receipt of {act} is not of Qiaokou's ledger")
        return Receipt(act, message, proof, fault)
    return Receipt(act, message, proof, None)


async def _results(outside: Outside, window: dict[str, Any], trusted: Trust) -> list[Stamped]:
    found = []
    for event in window["events"]:
        for file in event["body"]["nr"].get("wj", ()) if event["lx"] == "CJ" else ():
            document = await outside.document(file["zw"]["zy"])
            stamp = await outside.document(file["qz"]["zy"]) if "qz" in file else b""
            report = verify_stamp(
                stamp, sm3(document), at=datetime.now(UTC), anchors=trusted.anchors, provider=trusted.provider,
                policy=CRL_IF_PRESENT,
            )  # fmt: skip
            found.append(Stamped(file["mc"], document, file["zw"].get("gs", ""), stamp, report))
    return found


def compare(number: str, window: dict[str, Any], hall: dict[str, Any]) -> tuple[list[Fault], list[Fault]]:
    """What one platform did and the other does not have (lost), or has more than once (doubled)."""
    if not hall:
        return [Fault(number, "办理平台没有这个办件", "the handling platform does not have this case")], []
    did = Counter(ACTS[kind] for kind, state, _ in hall["plan"] if state == "done")
    told = Counter(event["lx"] for event in window["events"] if event["lx"] in ACTS.values())
    handed = Counter(DEEDS[kind] for kind in _deeds(window))
    had = Counter(operation for _, operation, _ in hall["received"])
    lost = [*(did - told), *(handed - had)]
    doubled = [*(told - did), *(had - handed)]
    missing = sum(1 for *_, fetched in hall["materials"] if fetched != "ok")
    faults = [Fault(number, f"{one} 没有到达对方", f"{one} did not reach the other side") for one in lost]
    if missing:
        faults.append(Fault(number, f"有 {missing} 份材料没有到达", f"{missing} materials did not arrive"))
    twice = [Fault(number, f"{one} 在对方出现了不止一次", f"{one} is there more than once") for one in doubled]
    return faults, twice


def _deeds(window: dict[str, Any]) -> list[str]:
    """The window's acts by kind, from the receipts it holds: an act without a receipt was not taken."""
    return [str(msgspec.json.decode(receipt["sent"]).get("lx", "SB")) for receipt in window["receipts"]]
