"""What ``tongban agreement``, ``item`` and ``route`` share: reading agreement files, and the state of their
signatures."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gateway.cli.output import read_bytes, unreadable
from gateway.lang import say

if TYPE_CHECKING:
    from agreements.load import SignatureCheck, SignedAgreement
    from agreements.problems import AgreementError
    from gateway.cli.sm import Context

LIMIT = 4 << 20
MARK = {True: "✓", False: "✗", None: "？"}


def refuse(path: str, error: AgreementError, json: bool) -> NoReturn:
    """A file that is no agreement: what and where, exit 65; machines get their object all the same."""
    import msgspec

    if json:
        answer = {"ok": None, "reason": error.code, "where": error.where, "text": say(error.zh, error.en)}
        click.echo(msgspec.json.encode(answer).decode())
    where = f"{path}: {error.where}" if error.where else path
    unreadable(where, error.zh, error.en)


def load(path: str, json: bool) -> SignedAgreement:
    """A signed or unsigned agreement file, or the end."""
    from agreements.load import parse
    from agreements.problems import AgreementError

    try:
        return parse(read_bytes(path, LIMIT))
    except AgreementError as error:
        refuse(path, error, json)


def checks(
    signed: SignedAgreement,
    context: Context,
    provider: str,
    anchors: tuple[str, ...],
    crls: tuple[str, ...],
    now: datetime,
) -> list[SignatureCheck]:
    """The state of every party's signature, by the roots and lists that were given."""
    from agreements.signatures import Trusting, check
    from gateway.cli.cert_tools import certificates, lists, path_policy

    engine = context.open(provider, failing=None)
    trusting = Trusting(
        engine,
        certificates(context, anchors),
        now,
        path_policy("sign", require_crl=False),
        crls=lists(context, crls),
    )
    return check(signed, trusting)


def described(signed: SignedAgreement, found: list[SignatureCheck]) -> list[dict[str, Any]]:
    """The checks for machines."""
    names = {party.id: party.name for party in signed.agreement.parties}
    times = {signature.party: signature.at for signature in signed.signatures}
    return [
        {
            "party": check.party,
            "name": names[check.party],
            "ok": check.ok,
            "at": times.get(check.party, ""),
            "code": check.reason.code if check.reason else "ok",
            "text": say(check.reason.zh, check.reason.en) if check.reason else "",
        }
        for check in found
    ]


def verdict(found: list[SignatureCheck]) -> bool | None:
    """Yes if every party signed well, no if one did not, else cannot tell."""
    states = [check.ok for check in found]
    return False if False in states else None if None in states else True
