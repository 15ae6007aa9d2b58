"""The self-check of a node (自检): every check stands alone, so one that fails hides no other.

In the order of the list: keys, provider, card and certificates, laboratory trust, agreements, stamps, calendar; then the
store, ledger, outbox and clock (``store_checks``), then what lies outside (``reach_checks``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from importlib import resources
from pathlib import Path

from agreements import load as agreements
from agreements.calendar import Calendar, china_date
from gateway.config import ConfigError
from gateway.exchange import card as cards
from gateway.exchange import tls
from gateway.ground import Signers, known_signers, party_verifier
from gateway.keys import nextcard
from gateway.ops import (
    certificate_checks,
    key_checks,
    reach_checks,
    sharing_checks,
    stamp_checks,
    status_checks,
    store_checks,
)
from gateway.ops.checks import FAIL, OK, WARN, Check, days_left, expiry
from gateway.ops.patient import Patient
from signing import certs, crl, lab
from signing.certs import Certificate
from signing.errors import Rejected, SigningError
from signing.providers import open_provider, selftest
from signing.providers.sdf_abi import MachineError

NEEDED = ("checkpoint", "direct", "encryption", "platform")
CERTIFIED = ("identity", *NEEDED)
_RENEW = ("申请新证书并更换密钥", "get a new certificate and rotate the key")


def examine(patient: Patient, *, deep: bool = True, outside: bool = True) -> list[Check]:
    """All checks. ``deep`` reads the whole store; ``outside`` asks partners, platforms and the running gateway."""
    config = patient.config
    rows: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("keys", partial(_keys, patient)),
        ("key register", partial(key_checks.register, patient)),
        ("key rotation", lambda: key_checks.rotation(patient, patient.desk)),
        ("key backup", lambda: key_checks.backup(patient, patient.desk.now_ms)),
        ("provider", partial(_provider, patient)),
        ("card", partial(_own_card, patient)),
        ("certificates", partial(_certificates, patient)),
        ("tls", partial(_tls, patient)),
        ("revocation", partial(_revocation, patient)),
        ("lab", partial(_lab, patient)),
        ("agreements", partial(_agreements, patient)),
        ("stamper", partial(stamp_checks.stamper, patient)),
        ("e-certificates", partial(certificate_checks.certificates, patient)),
        ("sharing", partial(sharing_checks.waiting, patient)),
        *((f"sharing {one.id}", partial(sharing_checks.settings, patient, n)) for n, one in enumerate(config.sharing)),
        ("withdrawn seals", partial(stamp_checks.withdrawn_lists, patient)),
        ("calendar", partial(_calendar, patient)),
        *((name, partial(check, patient, deep)) for name, check in store_checks.ROWS),
    ]
    if outside:
        rows += [(f"peer {one.id}", partial(reach_checks.peer, patient, n)) for n, one in enumerate(config.peer)]
        rows += [
            (f"platform {one.id}", partial(reach_checks.platform, patient, n))
            for n, one in enumerate((*config.platform, *config.national))
        ]
        rows += [(f"sharing {one.id}", partial(sharing_checks.platform, one.id, one.url)) for one in config.sharing]
        rows += [
            (f"online status {one.id}", partial(status_checks.responder, patient, n))
            for n, one in enumerate(config.peer)
            if one.ocsp
        ]
        if config.stamp.url:
            rows.append(("stamper", partial(stamp_checks.stamper_reached, patient)))
        rows.append(("registry", partial(reach_checks.registry, patient)))
        if config.tsa.url:
            rows.append(("tsa", partial(reach_checks.tsa, config.tsa.url)))
        rows.append(("process", partial(reach_checks.process, config)))
    found: list[Check] = []
    for name, look in rows:
        found += _guarded(name, look)
    return found


def _guarded(name: str, look: Callable[[], Iterator[Check]]) -> Sequence[Check]:
    done: list[Check] = []
    try:
        for one in look():
            done.append(one)
    except ConfigError as error:
        done.append(Check(name, FAIL, f"{error.where}：{error.zh}", f"{error.where}: {error.en}", *_LOOK))
    except MachineError as error:
        done.append(Check(name, FAIL, error.zh, error.en, *_MACHINE))
    except (SigningError, agreements.AgreementError) as error:
        done.append(Check(name, FAIL, error.zh, error.en, *_LOOK))
    except OSError as error:
        done.append(Check(name, FAIL, error.strerror or "", error.strerror or "", *_LOOK))
    return done


_MACHINE = (
    "检查密码机与网络；办件在队列中等待，网关不会改用软件密钥",
    "look at the machine and its network; cases wait, and no software key takes its place",
)
_LOOK = ("按所述文件与原因处理", "mend the file that is named")


# --- keys and trust ---------------------------------------------------------------------------------------------------


def _keys(patient: Patient) -> Iterator[Check]:
    folder = patient.base / patient.config.keys.dir
    if folder.stat().st_mode & 0o022:
        fix = (f"chmod 700 {folder}", f"chmod 700 {folder}")
        yield Check("keys", FAIL, "密钥目录可被他人写入", "others can write to the key folder", *fix)
    used = [*NEEDED, patient.config.stamp.key] if patient.config.stamp.key else [*NEEDED]
    for use in used:
        patient.ring.signer(use)
    patient.ring.vault()
    count = len(used) + 1
    if (folder / "identity.pem").exists() and not patient.config.node.lab:
        fix = ("移到离线介质，换名片时再取用", "move it to offline media; it is needed only for a new card")
        yield Check("keys", WARN, "身份私钥在节点上", "the private identity key lies on the node", *fix)
    yield Check(
        "keys", OK, f"{count} 个密钥文件权限正确，口令可打开", f"{count} key files: mode right, passphrase opens"
    )


def _provider(patient: Patient) -> Iterator[Check]:
    places, (_, warning) = _places(patient), patient.opened
    found = patient.ring.provider  # its machine has been talked to by now, where there is one
    selftest.passes(found, signs=True)
    zh, en = f"{found.description}；已知答案自检通过", f"{found.description}; known answers right"
    if warning:
        yield Check("provider", WARN, zh, en, "安装 OpenSSL 3.0 或更新版本", "install OpenSSL 3.0 or newer")
    else:
        yield Check("provider", OK, zh, en)
    yield places
    if patient.config.keys.second_opinion:
        second = open_provider(patient.config.keys.second_opinion)
        zh, en = f"签章复核：{second.description}", f"second opinion on seals: {second.description}"
        yield Check("second opinion", OK, zh, en)


def _places(patient: Patient) -> Check:
    """Which of our keys are software keys, and which a machine's: outside the lab software keys are worth a warning."""
    kinds = {use: patient.ring.signer(use).kind for use in NEEDED}
    soft = [use for use, kind in kinds.items() if kind == "software"]
    hard = [use for use, kind in kinds.items() if kind == "machine"]
    named = (("软件密钥", "software keys", soft), ("密码机密钥", "keys in a cryptographic machine", hard))
    zh = "；".join(f"{label}：{'、'.join(uses)}" for label, _, uses in named if uses)
    en = "; ".join(f"{label}: {', '.join(uses)}" for _, label, uses in named if uses)
    if not soft or patient.config.node.lab:
        return Check("signers", OK, zh, en)
    fix = (
        '密评要求密钥在经认证的密码模块中：keys.provider = "sdf:…"（密码机，GM/T 0018）与 [keys.machine]',
        'compliance asks for keys in a certified module: keys.provider = "sdf:…" (GM/T 0018) and [keys.machine]',
    )
    return Check("signers", WARN, zh, en, *fix)


def _own_card(patient: Patient) -> Iterator[Check]:
    card, entries = patient.card, patient.ring.entries()
    listed, ours = {key.id for key in card.keys}, {entry.id for entry in entries}
    wrong = [entry.use for entry in entries if nextcard.signs(entry) and entry.id not in listed]
    wrong += [key.use for key in card.keys if key.use in nextcard.CARDED and key.id not in ours]
    if card.party != patient.config.node.party or wrong:
        zh, en = (
            f"名片与配置或密钥不符：{'、'.join(wrong) or '主体'}",
            f"card and node differ: {', '.join(wrong) or 'party'}",
        )
        yield Check("card", FAIL, zh, en, "重新生成名片并交给对端", "make the card anew and hand it to the partners")
    else:
        yield Check("card", OK, f"第 {card.version} 版，签名有效", f"version {card.version}, signature good")


def _certificates(patient: Patient) -> Iterator[Check]:
    """Days left of every certificate that this node uses or relies on; the nearest of each party is named."""
    own = {use: certs.parse(patient.ring.certificate(use)) for use in CERTIFIED}
    yield _nearest("certificates", ("本节点证书", "own certificates"), own, patient.now)
    for number, peer in enumerate(patient.config.peer):
        theirs = {key.use: certs.parse(key.certificate) for key in patient.partner(number).keys}
        yield _nearest(f"certificates {peer.id}", ("对端证书", "partner's certificates"), theirs, patient.now)


def _nearest(name: str, what: tuple[str, str], found: dict[str, Certificate], now: datetime) -> Check:
    early = [use for use, one in found.items() if one.not_before > now]
    if early:
        uses = ", ".join(early)
        return Check(
            name,
            FAIL,
            f"{what[0]}尚未生效：{uses}",
            f"{what[1]} not yet valid: {uses}",
            "检查系统时钟",
            "check the clock",
        )
    use, first = min(found.items(), key=lambda pair: pair[1].not_after)
    zh, en = f"{what[0]}（最早到期 {use}）", f"{what[1]} (first to expire: {use})"
    return expiry(name, (zh, en), days_left(first.not_after, now), _RENEW)


def _tls(patient: Patient) -> Iterator[Check]:
    """Mutual TLS with partners: our certificate is the one our card pins, or a proxy on this machine ends it."""
    settings = patient.config.tls
    if not settings.certificate:
        yield _no_tls(settings.socket, patient.config.node.lab)
        return
    tls.Tls((patient.base / settings.certificate, patient.base / settings.key), patient.ring.passphrase)
    ours = tls.pin((patient.base / settings.certificate).read_text(), 0).certificate
    if ours not in tls.pinned(patient.card):
        fix = ("重新生成名片并交给对端", "make the card anew and hand it to the partners")
        yield Check("tls", FAIL, "TLS 证书不在本方名片上", "our card does not name the TLS certificate", *fix)
        return
    yield expiry("tls", ("TLS 证书", "TLS certificate"), days_left(certs.parse(ours).not_after, patient.now), _RENEW)


def _no_tls(proxy: str, lab_node: bool) -> Check:
    if proxy:
        return Check("tls", OK, "对端的 TLS 由本机代理终结", "the partners' TLS ends in a proxy on this machine")
    if lab_node:
        return Check("tls", OK, "试验节点未设 TLS", "a laboratory node without TLS")
    fix = ("配置 [tls]，或由本机代理经 socket 接入", "configure [tls], or let a proxy of this machine use the socket")
    return Check("tls", WARN, "对端监听没有 TLS", "the listener for partners has no TLS", *fix)


def _revocation(patient: Patient) -> Iterator[Check]:
    """The partners' revocation lists, where one is configured: here, readable, and not older than it says itself."""
    for peer in patient.config.peer:
        path, name = patient.base / peer.crl, f"revocation {peer.id}"
        fix = ("取得对方 CA 的最新吊销列表", "get the newest list of the partner's CA")
        if not peer.crl or not path.exists():
            if not patient.config.node.lab:
                yield Check(name, WARN, "没有对端的吊销列表", "there is no revocation list of this partner", *fix)
            continue
        found = crl.load(path.read_bytes())
        if found.next_update is None or found.next_update < patient.now:
            yield Check(
                name, WARN, "对端的吊销列表已过更新时间", "the partner's revocation list is past its update", *fix
            )
        else:
            yield Check(name, OK, "对端的吊销列表在有效期内", "the partner's revocation list is fresh")


def _lab(patient: Patient) -> Iterator[Check]:
    if patient.config.node.lab:
        yield Check(
            "lab", OK, "试验节点：使用样章·测试无效的证书", "a laboratory node, with certificates that are void"
        )
        return
    marked = [use for use in CERTIFIED if lab.is_lab(certs.parse(patient.ring.certificate(use)))]
    marked += [f"card {key.use}" for key in patient.card.keys if lab.is_lab(certs.parse(key.certificate))]
    for number, peer in enumerate(patient.config.peer):
        marked += [
            f"{peer.id} {key.use}" for key in patient.partner(number).keys if lab.is_lab(certs.parse(key.certificate))
        ]
    if marked:
        fix = ("换用持牌 CA 的证书，或设 node.lab = true", "use certificates of a licensed CA, or set node.lab = true")
        names = ", ".join(dict.fromkeys(marked))
        yield Check(
            "lab", FAIL, f"生产节点信任试验证书：{names}", f"laboratory certificates outside the lab: {names}", *fix
        )
    else:
        yield Check("lab", OK, "没有试验证书", "no laboratory certificates")


# --- agreements, stamps, calendar -------------------------------------------------------------------------------------


def _agreements(patient: Patient) -> Iterator[Check]:
    if not patient.config.agreement:
        fix = ("导入双方签署的协议：[[agreement]] file = …", "configure an agreement that all have signed")
        yield Check("agreements", FAIL, "没有通办协议", "there is no agreement", *fix)
    held = {patient.card.party: patient.own}
    held |= {peer.id: patient.trail(number) for number, peer in enumerate(patient.config.peer)}
    signers = known_signers(held)
    for one in patient.config.agreement:
        yield from _agreement(patient, patient.base / one.file, signers)


def _agreement(patient: Patient, path: Path, signers: Signers) -> Iterator[Check]:
    signed = agreements.parse(_bytes(path))
    found, name = signed.agreement, f"agreement {signed.agreement.id} v{signed.agreement.version}"
    checked = agreements.check_signatures(signed, verify=party_verifier(signers, patient.opened[0]))
    marks = {check.party: "?" if check.ok is None else "✓" if check.ok else "✗" for check in checked}
    zh = "、".join(f"{party.name} {marks[party.id]}" for party in found.parties)
    if any(check.ok is not True for check in checked):
        fix = ("请未签或签名无效的一方重新签署", "have the party sign whose signature is missing or bad")
        yield Check(name, FAIL, f"签署不全：{zh}", f"not signed by all: {zh}", *fix)
    if found.confidentiality == "end-to-end":
        yield from _recipients(patient, {party.id for party in found.parties})
    today = china_date(patient.now)
    if today < found.in_force:
        yield Check(name, WARN, f"自 {found.in_force} 起生效；{zh}", f"in force from {found.in_force}; {zh}")
    else:
        fix = ("续签或换新版协议", "renew the agreement")
        yield expiry(name, (f"签署：{zh}；有效期", f"signed: {zh}; valid"), (found.expires - today).days, fix)


def _recipients(patient: Patient, parties: set[str]) -> Iterator[Check]:
    """Partners to whom nothing can be sealed as their cards are: what is for them waits."""
    for number, peer in enumerate(patient.config.peer):
        found = cards.recipient(patient.trail(number)[-1].card, patient.now) if peer.id in parties else None
        if isinstance(found, Rejected):
            zh, en = f"发往 {peer.id} 的报文无法加密：{found.zh}", f"nothing can be sealed for {peer.id}: {found.en}"
            fix = ("请对方在名片中公布加密证书", "have them name an encryption certificate on their card")
            yield Check(f"sealing {peer.id}", WARN, zh, en, *fix)


def _calendar(patient: Patient) -> Iterator[Check]:
    calendar = Calendar.from_csv((resources.files("schemas") / "data" / "holidays-cn.csv").read_bytes())
    year = china_date(patient.now).year
    fix = ("国务院办公厅公布后更新节假日数据", "update the holidays once the State Council has announced them")
    if not calendar.covers(year):
        yield Check("calendar", FAIL, f"假日表没有 {year} 年", f"no holidays for {year}", *fix)
    elif not calendar.covers(year + 1):
        zh, en = f"假日表没有 {year + 1} 年，跨年时限为估算", f"no holidays for {year + 1}: terms into it are estimates"
        yield Check("calendar", WARN, zh, en, *fix)
    else:
        yield Check("calendar", OK, f"假日表到 {year + 1} 年", f"holidays known through {year + 1}")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})") from None
