"""The doctor's look at certificate sharing (自检：免证办): whether the platforms answer, and what waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.ops import reach_checks
from gateway.ops.checks import OK, WARN, Check, days_left, expiry
from gateway.sharing.sources import open_source
from gateway.store.beside import snapshot
from gateway.store.schema import DATABASE

if TYPE_CHECKING:
    from gateway.ops.patient import Patient


def waiting(patient: Patient) -> Iterator[Check]:
    """Applications whose certificates are still to come: they wait for a platform, or for a person."""
    connection = snapshot(patient.base / patient.config.node.data / DATABASE)
    try:
        rows = connection.execute(
            "SELECT state, count(*) FROM delivery WHERE destination = 'sharing' AND attempt > 0 GROUP BY state"
        ).fetchall()
    finally:
        connection.close()
    held = {state: int(count) for state, count in rows}
    if not held:
        yield Check("sharing", OK, "没有申请在等待电子证照", "no application waits for a certificate")
        return
    parked, owed = held.pop("parked", 0), sum(held.values())
    zh, en = f"{owed} 件申请待补取电子证照", f"{owed} applications wait for certificates"
    if parked:
        zh, en = f"{zh}，{parked} 件已搁置", f"{en}, {parked} are parked"
    fix = (
        "查共享平台；搁置的用 tongban msg resend",
        "check the sharing platform; tongban msg resend for what is parked",
    )
    yield Check("sharing", WARN, zh, en, *fix)


def settings(patient: Patient, number: int) -> Iterator[Check]:
    """Whether a sharing platform's section can work, and how long the roots of its seals are good."""
    one = patient.config.sharing[number]
    name = f"sharing {one.id}"
    source = open_source(patient.config, patient.base, patient.ring, one, lambda: 0)
    until = min(anchor.not_after for anchor in source.known().anchors)
    what = ("证照印章的根证书", "the root of the seals on its certificates")
    yield expiry(name, what, days_left(until, patient.now), ("换上新的根证书", "put the new root in"))
    if one.url.startswith("http:") and not patient.config.node.lab:
        fix = ("改用 https 地址", "use its https address")
        yield Check(name, WARN, "口令与个人信息明文传送", "password and personal data travel in clear", *fix)


def platform(name: str, url: str) -> Iterator[Check]:
    """Whether a sharing platform accepts connections."""
    return reach_checks.service(f"sharing {name}", url, ("证照共享平台", "the sharing platform"))
