"""The doctor's look at certificates that this node issues (自检：电子证照): templates, stamps, the register."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from agreements.calendar import china_date
from gateway.certificates.library import library
from gateway.config import ConfigError
from gateway.ops.checks import FAIL, OK, SOON_DAYS, WARN, Check
from gateway.store import schema
from gateway.store.beside import snapshot
from schemas.codes import check_uscc

if TYPE_CHECKING:
    from gateway.ops.patient import Patient

NAME = "e-certificates"
STUCK_MS = 24 * 3_600_000


def certificates(patient: Patient) -> Iterator[Check]:
    """Nothing on a node that issues none."""
    own = patient.config.certificates
    if own is None:
        return
    yield from _templates(patient)
    wrong = check_uscc(own.issuer_code)
    if wrong is not None:
        fix = ("更正 certificates.issuer_code", "correct certificates.issuer_code")
        yield Check(f"{NAME} issuer", FAIL, f"颁发机构代码：{wrong.zh}", f"the issuer's code: {wrong.en}", *fix)
    if not patient.config.listen.public:
        fix = ("设 listen.public，或在外网运行 tongban public serve", "set listen.public, or run tongban public serve")
        zh, en = "本节点不开公众查验页", "this node shows no public pages"
        yield Check(f"{NAME} scan", WARN, f"{zh}：须由别处提供", f"{en}: another has to", *fix)
    yield from _register(patient)


def _templates(patient: Patient) -> Iterator[Check]:
    own, fix = patient.config.certificates, ("更正模板", "correct the template")
    assert own is not None  # noqa: S101 - the caller looked
    try:
        found = library(patient.base / own.templates if own.templates else None)
    except ConfigError as error:
        yield Check(f"{NAME} templates", FAIL, f"{error.where}：{error.zh}", f"{error.where}: {error.en}", *fix)
        return
    lab = sorted(one.name for one in found.values() if not one.confirmed)
    zh, en = f"{len(found)} 类：{'、'.join(one.name for one in found.values())}", f"{len(found)} types"
    if patient.config.node.lab or not lab:
        yield Check(f"{NAME} templates", OK, zh, en)
        return
    zh, en = f"类型代码未确认：{'、'.join(lab)}", f"{len(lab)} with a type code of a laboratory"
    yield Check(f"{NAME} templates", FAIL, zh, en, "改用正式的类型代码", "use the official type codes")


def _register(patient: Patient) -> Iterator[Check]:
    """How many expire soon, and what has waited for its stamp for a day."""
    path = patient.base / patient.config.node.data / schema.DATABASE
    if schema.revision(path) != schema.HEAD:
        return  # the store's own check says so
    today = china_date(patient.now)
    soon = (today + timedelta(days=SOON_DAYS)).isoformat()
    connection = snapshot(path)
    try:
        (total,) = connection.execute("SELECT count(*) FROM certificate WHERE state = 'valid'").fetchone()
        (ending,) = connection.execute(
            "SELECT count(*) FROM certificate WHERE state = 'valid' AND valid_to >= ? AND valid_to <= ?",
            (today.isoformat(), soon),
        ).fetchone()
        (stuck,) = connection.execute(
            "SELECT count(*) FROM certificate WHERE state = 'stamping' AND created_ms < ?",
            (int(patient.now.timestamp() * 1000) - STUCK_MS,),
        ).fetchone()
    finally:
        connection.close()
    zh, en = (
        f"登记有效 {total} 份，{SOON_DAYS} 天内到期 {ending} 份",
        f"{total} valid, {ending} expire within {SOON_DAYS} days",
    )
    if stuck:
        fix = (
            "tongban deadletter list；确认不发的用 tongban ecert drop",
            "tongban deadletter list, or tongban ecert drop",
        )
        zh, en = f"{zh}；{stuck} 份待签章超过一天", f"{en}; {stuck} have waited for a stamp for a day"
        yield Check(f"{NAME} register", FAIL, zh, en, *fix)
    elif ending:
        fix = ("提醒持证主体办理延续", "remind the holders to renew")
        yield Check(f"{NAME} register", WARN, zh, en, *fix)
    else:
        yield Check(f"{NAME} register", OK, zh, en)
