"""Spend the use codes (用证码) that an application names in place of materials, in the transaction that collects it.

What can be told without asking anybody is told here, at the window: whose code it is, for which case, item and type, whether
it was used or has run out, and whether the certificate is the applicant's. The certificate itself comes afterwards.
"""

from __future__ import annotations

from adapters.sharing.base import Cause
from gateway.core.use_code import Event, State
from gateway.flow import shared
from gateway.flow.shared import Asked, Told, UseCode
from gateway.problems import Refused
from gateway.store.journal import Reader, Tx
from gateway.store.vault import Vault
from schemas.canonical import Application, CertificateReference

SAYS = {
    State.OWED: "，“{name}”的电子证照待共享平台恢复后自动补取，无需重新提交",
    State.FAILED: "，“{name}”的电子证照未能取得（{reason}），请补交材料",
}


def spend(tx: Tx, vault: Vault, party: str, platform: str, application: Application, message: str) -> None:
    """Every code of the application, or ``Refused`` and none."""
    holder = vault.blind(application.applicant.party.id_number.upper())
    for reference in application.certificates:
        row = _row(tx, platform, application, reference)
        if row.holder != holder:
            raise Refused("TB-7025", reference.name)
        reached = shared.move(tx, row, Event.SPEND)
        tx.run(
            "UPDATE use_code SET message = ?, material = ? WHERE digest = ?", message, reference.name, row.digest
        )  # fmt: skip
        _record(tx, vault, party, application, row)
        if reached is State.USED:  # its file was fetched before: all is known
            told = Told("ok", (row.identifier,), row.status, row.status_ms, row.file)
            shared.answer(tx, vault, row.id, told)


def certificates_say(tx: Reader, message: str) -> str:
    """What the window is told of the certificates of an application; "" while there is nothing to say."""
    rows = [(one, State(one.state)) for one in shared.of_message(tx, message)]
    return "".join(SAYS[state].format(name=one.material, reason=one.reason) for one, state in rows if state in SAYS)


def _row(tx: Tx, platform: str, application: Application, reference: CertificateReference) -> UseCode:
    if reference.outcome != "pending" or reference.identifier or reference.status or reference.filled:
        raise Refused("TB-1005", "certificates 取证结果由网关填写")
    row = shared.by_code(tx, reference.use_code)
    if row is None or row.platform != platform:
        raise Refused("TB-7021", reference.name)
    meant = (application.case_number, application.item, reference.type_code)
    if (row.case_number, row.item, row.type_code) != meant:
        raise Refused("TB-7024", reference.name)
    return row


def _record(tx: Tx, vault: Vault, party: str, application: Application, row: UseCode) -> None:
    """The use goes on record under the code's own id, with the clerk who handed the case in."""
    before = shared.secret(vault, row)
    if before.limited:
        raise Refused("TB-7012", row.type_code)
    seen = application.attestation
    cause = Cause(
        clerk=seen.clerk if seen else before.cause.clerk, clerk_no=seen.clerk_no if seen else before.cause.clerk_no,
        item=application.item, item_name=application.item_name, case_number=application.case_number,
        purpose=application.purpose, basis=before.cause.basis, basis_text=before.cause.basis_text,
    )  # fmt: skip
    asked = Asked("use", party, row.platform, cause, before.holder, row.type_code, row.identifier)
    shared.ask(tx, vault, row.id, asked)
