"""Spend the use codes (用证码) that an application or a correction names in place of materials, in the transaction that takes it.

What can be told without asking anybody is told here, at the window: whose code it is, for which case, item and type, whether
it was used or has run out, and whether the certificate is the applicant's. The certificate itself comes afterwards.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core.use_code import Event, State
from gateway.flow import post, shared
from gateway.flow.casefile import CaseFile
from gateway.flow.shared import Asked, Told, UseCode
from gateway.problems import Refused
from gateway.store.journal import Reader, Tx
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import Application, CertificateReference, Correction

MAX_MATERIALS = 100  # the certificates' files among them
SAYS = {
    State.OWED: "，“{name}”的电子证照待共享平台恢复后自动补取，无需重新提交",
    State.USED: "，“{name}”的电子证照已补齐",
    State.FAILED: "，“{name}”的电子证照未能取得（{reason}），请补交材料",
}


def spend(tx: Tx, vault: Vault, party: str, case: CaseFile, body: Application | Correction, message: str) -> None:
    """Every code of the body, or ``Refused`` and none."""
    if not body.certificates:
        return
    if len(body.materials) + len(body.certificates) > MAX_MATERIALS:
        raise Refused("TB-1005", "certificates")
    holder = vault.blind(_applicant(tx, vault, case, body).upper())
    for reference in body.certificates:
        row = _row(tx, case, reference)
        if row.holder != holder:
            raise Refused("TB-7025", reference.name)
        reached = shared.move(tx, row, Event.SPEND)
        tx.run(
            "UPDATE use_code SET message = ?, material = ? WHERE digest = ?", message, reference.name, row.digest
        )  # fmt: skip
        _record(tx, vault, party, body, row)
        if reached is State.USED:  # its file was fetched before: all is known
            told = Told("ok", (row.identifier,), row.status, row.status_ms, row.file)
            shared.answer(tx, vault, row.id, told)


def certificates_say(tx: Reader, message: str) -> str:
    """What the window is told of the certificates of a message; "" while there is nothing to say."""
    said = []
    for one in shared.of_message(tx, message):
        state = State(one.state)
        if state is not State.USED or one.attempts:  # what came at once needs no words
            said.append(SAYS[state].format(name=one.material, reason=one.reason))
    return "".join(said)


def _applicant(tx: Tx, vault: Vault, case: CaseFile, body: Application | Correction) -> str:
    """The applicant's number: a correction is the same person's affair as the application."""
    if isinstance(body, Correction):
        row = tx.one("SELECT id, sealed FROM message WHERE case_id = ? AND type = 'application'", case.id)
        if row is None:
            raise Refused("TB-5001")
        opened = vault.open(vault.unwrap(case.wrapped_key), row[1], post.body_label(row[0]))
        decoded = codec.decode("application", opened)
        assert isinstance(decoded, Application)  # noqa: S101 - what the type of the message says
        body = decoded
    return body.applicant.party.id_number


def _row(tx: Tx, case: CaseFile, reference: CertificateReference) -> UseCode:
    if reference.outcome != "pending" or reference.identifier or reference.status or reference.filled:
        raise Refused("TB-1005", "certificates 取证结果由网关填写")
    row = shared.by_code(tx, reference.use_code)
    if row is None or row.platform != case.platform:
        raise Refused("TB-7021", reference.name)
    if (row.case_number, row.item, row.type_code) != (case.case_number, case.item, reference.type_code):
        raise Refused("TB-7024", reference.name)
    return row


def _record(tx: Tx, vault: Vault, party: str, body: Application | Correction, row: UseCode) -> None:
    """The use goes on record under the code's own id, with the clerk who took the paper's place in."""
    before = shared.secret(vault, row)
    if before.limited:
        raise Refused("TB-7012", row.type_code)
    cause = before.cause
    if isinstance(body, Correction):
        cause = replace(cause, clerk=body.clerk)
    elif body.attestation is not None:
        cause = replace(cause, clerk=body.attestation.clerk, clerk_no=body.attestation.clerk_no, purpose=body.purpose)
    asked = Asked("use", party, row.platform, cause, before.holder, row.type_code, row.identifier)
    shared.ask(tx, vault, row.id, asked)
