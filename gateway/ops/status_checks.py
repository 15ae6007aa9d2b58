"""The doctor's look at online status (自检：在线证书状态): do the responders answer, and would their answers be believed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.flow.recognition import seal_policy
from gateway.ops.checks import FAIL, OK, WARN, Check
from signing import certs, ocsp_verify
from signing.certs import Certificate
from signing.errors import Indeterminate
from signing.ocsp import Answer
from signing.reasons import path_reason
from signing.revocation import AsOf

if TYPE_CHECKING:
    from gateway.ops.patient import Patient

_FIX = ("核对地址、网络与 [revocation] 各项", "check the address, the network and the settings in [revocation]")


def responder(patient: Patient, number: int) -> Iterator[Check]:
    """A partner's responder, asked about each of the partner's seal roots."""
    peer, name = patient.config.peer[number], f"online status {patient.config.peer[number].id}"
    for key in patient.partner(number).keys:
        if key.use == "seal-anchor":
            anchor = certs.parse(key.certificate)
            answer = asyncio.run(_asked(patient, peer.ocsp, anchor))
            yield Check(name, *_found(patient, peer.ocsp, anchor, answer))


def _found(
    patient: Patient, url: str, anchor: Certificate, answer: Answer | Indeterminate
) -> tuple[str, str, str] | tuple[str, str, str, str, str]:
    """Level and words. Without an answer stamps are judged by the lists alone, which is enough unless news is required."""
    if isinstance(answer, Indeterminate):
        level = FAIL if patient.config.revocation.required else WARN
        return level, f"{url}：{answer.zh}", f"{url}: {answer.en}", *_FIX
    state = ocsp_verify.look_up(
        anchor, anchor, [answer], as_of=AsOf(patient.now, patient.now), provider=patient.opened[0],
        policy=seal_policy(patient.config.revocation).path,
    )  # fmt: skip
    if answer.response.body is None:
        word = answer.response.status
        return WARN, f"{url} 有答复，但不作答（{word}）", f"{url} answers, but with a failure ({word})", *_FIX
    # An authority that keeps no account of its own root still answers as it should.
    if state.kind != "unknown" or state.code == "ocsp-unknown":
        return OK, f"{url} 有答复，签名有效", f"{url} answers, signature good"
    reason = path_reason(state.code, ("根证书", "the root"), state.detail)
    return FAIL, f"{url}：{reason.zh}", f"{url}: {reason.en}", *_FIX


async def _asked(patient: Patient, url: str, anchor: Certificate) -> Answer | Indeterminate:
    import aiohttp

    from gateway.flow.statuses import asking
    from gateway.ops.ocsp import StatusClient

    how = asking(patient.config.revocation, patient.opened[0], lambda: patient.now)
    async with aiohttp.ClientSession() as session:
        return await StatusClient(session, how).ask(url, anchor, anchor)
