"""The doctor's look at stamps (自检：签章): who stamps here, and whether that may be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.config import ConfigError
from gateway.exchange import withdrawn
from gateway.exchange.card import public_keys
from gateway.ops import reach_checks
from gateway.ops.checks import FAIL, OK, WARN, Check, days_left, expiry
from signing.seal import parse_seal

if TYPE_CHECKING:
    from gateway.ops.patient import Patient

SOON_S = 2 * 86_400
_SYSTEM = (
    '接入市电子印章系统：stamp.uri = "external:网址"（或密码机 sdf:）',
    'use the city\'s seal system: stamp.uri = "external:URL" (or a machine, sdf:)',
)


def stamper(patient: Patient) -> Iterator[Check]:
    """Who stamps results that come unstamped, and until when its seal is good."""
    stamp, lab = patient.config.stamp, patient.config.node.lab
    if not stamp.uri:
        zh, en = "本节点不代盖电子签章", "this node stamps nothing"
        if lab:
            yield Check("stamper", OK, zh, en)
        else:
            zh, en = f"{zh}：未盖章的结果不会被对端接收", f"{en}: partners do not take results that come unstamped"
            yield Check("stamper", WARN, zh, en, *_SYSTEM)
    elif stamp.uri.startswith("external:"):
        yield from _external(patient)
    elif stamp.uri == "local:" and not lab:
        yield Check("stamper", FAIL, "生产节点不得自持印章密钥", "seal keys may not lie on a production node", *_SYSTEM)
    else:
        until = parse_seal(_bytes(patient.base / stamp.seal)).property.valid_until
        fix = ("申请新的电子印章", "get a new seal")
        yield expiry("stamper", (f"{stamp.uri} 电子印章", f"{stamp.uri} seal"), days_left(until, patient.now), fix)


def _external(patient: Patient) -> Iterator[Check]:
    """A call that anybody on the way could have made, or read, is said to be one."""
    stamp = patient.config.stamp
    zh, en = f"市电子印章系统 {stamp.url}", f"the city's seal system {stamp.url}"
    if stamp.external is None:
        fix = ("补上 [stamp.external]", "add [stamp.external]")
        yield Check("stamper", FAIL, f"{zh}：缺少 [stamp.external]", f"{en}: [stamp.external] is missing", *fix)
    elif stamp.external.auth == "none" and not patient.config.node.lab:
        fix = ("stamp.external.auth 设为 hmac-sm3 或 sm2", "set stamp.external.auth to hmac-sm3 or sm2")
        yield Check("stamper", WARN, f"{zh}：请求不带签名", f"{en}: our calls are not signed", *fix)
    elif not stamp.url.startswith("https:") and not patient.config.node.lab:
        fix = ("改用 https，或经国密专线", "use https, or a line with SM protection")
        yield Check("stamper", WARN, f"{zh}：未加密", f"{en}: not encrypted", *fix)
    else:
        yield Check("stamper", OK, f"{zh}，印章 {stamp.external.seal_id}", f"{en}, seal {stamp.external.seal_id}")


def withdrawn_lists(patient: Patient) -> Iterator[Check]:
    """The partners' lists of withdrawn seals, where one is configured: readable, the partner's own, and not out of date."""
    for number, peer in enumerate(patient.config.peer):
        if not peer.seals_withdrawn:
            continue
        name, card = f"withdrawn seals {peer.id}", patient.partner(number)
        fix = ("请对端重新签发撤销印章清单", "have the partner issue its list of withdrawn seals again")
        try:
            keys = public_keys(card, "direct")
            listed = withdrawn.read(_bytes(patient.base / peer.seals_withdrawn), peer.id, keys, patient.opened[0])
        except withdrawn.WithdrawnError as error:
            yield Check(name, FAIL, error.zh, error.en, *fix)
            continue
        left = listed.next_ms / 1000 - patient.now.timestamp()
        zh, en = f"第 {listed.number} 号，{len(listed.seals)} 枚", f"number {listed.number}, {len(listed.seals)} seals"
        if left < 0:
            zh, en = (
                f"{zh}；已过更新期，该方签章暂不能判定",
                f"{en}; out of date: stamps of this party cannot be judged",
            )
            yield Check(name, FAIL, zh, en, *fix)
        elif left < SOON_S:
            yield Check(name, WARN, f"{zh}；两天内到更新期", f"{en}; due for renewal within two days", *fix)
        else:
            yield Check(name, OK, zh, en)


def stamper_reached(patient: Patient) -> Iterator[Check]:
    """Whether the city's system takes connections."""
    yield from reach_checks.service("stamper", patient.config.stamp.url, ("电子印章系统", "the seal system"))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})") from None
