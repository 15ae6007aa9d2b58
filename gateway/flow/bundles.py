"""Several cases handed in as one (一张表单，分送多个系统): all taken in one transaction, or none; found again by the one number.

The parts are ordinary cases; only their numbers say that they belong together, so there is nothing that could get lost
between them. A repetition of the whole gets the first answer again.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from agreements import oneform
from agreements.oneform import MOST, OneForm
from gateway.flow import casefile
from gateway.flow.accept import Deed, Taken, deed_of
from gateway.flow.casefile import CaseFile
from gateway.problems import Refused, of_reason
from gateway.store.journal import Reader, Tx, Work
from schemas.canonical import Application
from schemas.errors import Invalid


def parts_of(deed: Deed, form: OneForm) -> list[Deed]:
    """A deed for each part, from the same original. Files that came inside come with the first, the nonce is spent with it."""
    try:
        applications = oneform.split(form, deed.act.body)
    except Invalid as invalid:
        raise Refused(of_reason(invalid.code), invalid.zh) from None
    return [_part(deed, one, place) for place, one in enumerate(applications)]


def _part(deed: Deed, application: Application, place: int) -> Deed:
    act = msgspec.structs.replace(
        deed.act, case=application.case_number, id=f"{deed.act.id}{oneform.JOINT}{place + 1}", body=application,
        parts=deed.act.parts if place == 0 else (),
    )  # fmt: skip
    nonce, until = (deed.nonce, deed.nonce_until_ms) if place == 0 else ("", 0)
    return deed_of(deed.platform, act, deed.original, nonce, until, deed.mapping)


def together(works: Sequence[Work[Taken]]) -> Work[list[Taken]]:
    """All in the one savepoint of this work: the first refusal undoes them all."""

    def work(tx: Tx) -> list[Taken]:
        return [one(tx) for one in works]

    return work


def find(reader: Reader, platform: str, number: str) -> list[CaseFile]:
    """The parts under a number, in order; none where it is no number of a whole."""
    found = []
    for place in range(1, MOST + 1):
        case = casefile.find(reader, platform, oneform.part_number(number, place))
        if case is None:
            break
        found.append(case)
    return found


def receipt(number: str, proofs: Sequence[bytes]) -> dict[str, str]:
    """What the receipt of the whole says: the one number, and all the parts' proofs, each good alone."""
    zh = f"收件回执：一张表单分为 {len(proofs)} 件，均已收件并存证，将分别转递办理地；总编号 {number}。本回执不代表受理。"
    en = (
        f"Receipt: one form, {len(proofs)} cases, all collected and recorded under {number}. This is not an acceptance."
    )
    listed = base64.b64encode(b"[" + b",".join(proofs) + b"]").decode()
    return {"case_id": number, "case_number": number, "receipt": listed, "text": zh, "text_en": en}
