"""``tongban key``: the life of this node's own keys (密钥), from making to archive, two persons where it takes two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from gateway.cli import key_backup, key_card, key_drill, key_people
from gateway.cli.cert_tools import MOMENT
from gateway.cli.key_desk import desk, done
from gateway.cli.node import CONFIG, JSON, REASON, Files, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    import datetime

    from gateway.keys.ownkeys import KeyDesk
    from signing.keyring import Entry

T = TypeVar("T")

_KEY = click.argument("key", metavar=say("密钥编号", "KEY"))
_BY = click.option("--by", default="", metavar="NAME", help=say("办理人（默认登录名）", "who does it (default: login)"))
_ORDER = click.option(
    "--order",
    type=click.Path(),
    metavar="F",
    help=say("两名管理员签署的操作单", "the order that two custodians signed"),
)
_ALTHOUGH = click.option(
    "--although-behind", "although", is_flag=True,
    help=say("明知还有对端未取得新名片或仍有依赖，仍要办理", "go on although partners are behind or things depend on it"),
)  # fmt: skip


@click.group(help=say("本节点的密钥：生成、发证、公布、启用、停用、吊销", "Our own keys: from making to archive"))
def group() -> None:
    """The noun."""


for command in (
    key_people.custodian, key_people.order, key_people.approve, key_card.sign_card, key_card.install_card,
    key_backup.backup, key_backup.restore, key_backup.rewrap, key_drill.drill,
):  # fmt: skip
    group.add_command(command)


def _tell(entry: Entry, as_json: bool, *steps: str, **more: Any) -> NoReturn:
    """The key as it stands now, and what comes next."""
    from gateway.cli.output import finish
    from signing.keyring import NAMES

    data = {"id": entry.id, "use": entry.use, "state": entry.state.value, **more}
    lines = [f"{entry.use}  {entry.id}  {say(*NAMES[entry.state])}", *(f"  {step}" for step in steps)]
    finish(True, data, as_json, lines)


def _heard(node: Files) -> str:
    """Tell the running gateway at once; it would see for itself within seconds."""
    if node.wake("keys"):
        return say("运行中的网关已得知", "the running gateway knows")
    return say("网关没有在运行，启动时生效", "no gateway is running: it holds from the next start")


def _next(zh: str, en: str) -> str:
    return say(f"接下来：{zh}", f"next: {en}")


# --- looking ----------------------------------------------------------------------------------------------------------


@group.command("list", help=say("全部密钥：用途、状态、证书还剩几天", "All keys: use, state, days left"))
@CONFIG
@JSON
@on_node
def list_(path: str, as_json: bool) -> None:
    """Needs the passphrase: the register is sealed with it."""
    from gateway.cli.output import finish

    at = desk(open_node(path))
    entries = at.ring.entries()
    found = [_row(at, entry) for entry in entries]
    finish(True, {"keys": found}, as_json, map(_line, entries, found))


def _row(at: KeyDesk, entry: Entry) -> dict[str, Any]:
    from gateway.cli.times import rfc3339

    certificate = at.certificate(entry)
    days = (
        (int(certificate.not_after.timestamp() * 1000) - at.now_ms) // 86_400_000 if certificate is not None else None
    )
    return {
        "id": entry.id, "use": entry.use, "state": entry.state.value, "since": rfc3339(entry.moves[-1].at_ms),
        "announced_for": rfc3339(entry.since_ms) if entry.since_ms else None, "kept": at.where(entry),
        "until": certificate.not_after.strftime("%Y-%m-%dT%H:%M:%SZ") if certificate is not None else None,
        "days_left": days, "by": list(entry.moves[-1].by), "reason": entry.moves[-1].reason,
    }  # fmt: skip


def _line(entry: Entry, row: dict[str, Any]) -> str:
    from gateway.cli.times import local
    from signing.keyring import NAMES

    kept = {
        "software": say("软件", "software"),
        "machine": say("密码机", "machine"),
        "elsewhere": say("不在本机", "not here"),
    }
    days = say(f"证书还有 {row['days_left']} 天", f"{row['days_left']} days left") if row["until"] else "–"
    since = local(entry.moves[-1].at_ms)
    return f"{entry.use:<11} {entry.id}  {say(*NAMES[entry.state])}  {since}  {days}  {kept[row['kept']]}"


# --- making -----------------------------------------------------------------------------------------------------------


@group.command(help=say("为一种用途生成新密钥", "Make a new key of a use"))
@click.argument("use", metavar=say("用途", "USE"))
@click.option(
    "--machine", "index", type=click.IntRange(min=1), metavar="N",
    help=say("登记已在密码机内生成的密钥（索引号）", "register a key that was made inside the machine (its index)"),
)  # fmt: skip
@_BY
@CONFIG
@JSON
@on_node
def gen(use: str, index: int | None, by: str, path: str, as_json: bool) -> None:
    """The key in use stays in use."""
    entry = done(desk(open_node(path), by).generate(use, index), as_json)
    _tell(entry, as_json, _next(f"tongban key csr {entry.id[:8]}", f"tongban key csr {entry.id[:8]}"))


@group.command(help=say("证书请求", "A certificate request"))
@_KEY
@_BY
@CONFIG
@JSON
@on_node
def csr(key: str, by: str, path: str, as_json: bool) -> None:
    """Written beside the certificates."""
    at = desk(open_node(path), by)
    entry = done(at.find(key), as_json)
    file = done(at.request(entry), as_json)
    after = done(at.find(entry.id), as_json)
    steps = (
        str(file),
        _next("送 CA 签发，再 tongban key import 证书", "have the CA sign it, then tongban key import CERT"),
    )
    _tell(after, as_json, *steps, request=str(file))


@group.command(
    "import", help=say("导入证书，或 CA 交付的加密密钥", "A certificate, or the encryption key a CA delivers")
)
@click.argument("certificate", metavar=say("证书", "CERT"), type=click.Path())
@click.option(
    "--enveloped", type=click.Path(), metavar="F",
    help=say("CA 交付的加密密钥（SM2EnvelopedKey 或 SKF 格式）", "the delivered key (SM2EnvelopedKey or SKF blob)"),
)  # fmt: skip
@click.option(
    "--holder", metavar="KEY", help=say("加密密钥交付给哪把签名密钥", "the signing key that it was delivered to")
)
@_BY
@CONFIG
@JSON
@on_node
def import_(
    certificate: str, enveloped: str | None, holder: str | None, by: str, path: str, as_json: bool
) -> None:  # fmt: skip
    """PEM or DER; the key it belongs to is found by its public key. Exit 1 when it is of no key of ours."""
    from gateway.cli.output import read_bytes

    at, data = desk(open_node(path), by), read_bytes(certificate, 1 << 20)
    if (enveloped is None) != (holder is None):
        raise click.UsageError(say("--enveloped 与 --holder 须同时给出", "give --enveloped and --holder together"))
    if enveloped is not None and holder is not None:
        to = done(at.find(holder), as_json)
        entry = done(at.deliver(data, read_bytes(enveloped, 1 << 16), to, certificate), as_json)
    else:
        entry = done(at.accept(data, certificate), as_json)
    _tell(entry, as_json, _next(f"tongban key announce {entry.id[:8]}", f"tongban key announce {entry.id[:8]}"))


# --- moving -----------------------------------------------------------------------------------------------------------


@group.command(help=say("公布下一把密钥：生成待签的名片", "Announce the next key: write the card to be signed"))
@_KEY
@click.option("--since", type=MOMENT, metavar="TIME", help=say("何时起可用（默认即刻）", "good from (default: now)"))
@_BY
@CONFIG
@JSON
@on_node
def announce(key: str, since: datetime.datetime | None, by: str, path: str, as_json: bool) -> None:
    """The card is signed with the identity key, where that lies: tongban key sign-card."""
    at = desk(open_node(path), by)
    since_ms = int(since.timestamp() * 1000) if since is not None else at.now_ms
    entry = done(at.find(key), as_json)
    file = done(at.announce(entry, since_ms), as_json)
    after = done(at.find(entry.id), as_json)
    steps = [str(file), _sign_step()] if file is not None else []
    _tell(after, as_json, *steps, card=str(file) if file is not None else None)


def _sign_step() -> str:
    return _next(
        "在离线机上 tongban key sign-card，取回后 tongban key install-card",
        "tongban key sign-card on the offline machine, then tongban key install-card here",
    )


@group.command(help=say("启用：自此用这把密钥签名（两人）", "Sign with this key from now on (two persons)"))
@_KEY
@_ALTHOUGH
@_ORDER
@_BY
@CONFIG
@JSON
@on_node
def activate(key: str, although: bool, order: str | None, by: str, path: str, as_json: bool) -> None:
    """Exit 1 while a partner has not fetched the card with it, unless asked twice (--although-behind)."""
    node = open_node(path)
    at = desk(node, by, order)
    entry = done(at.find(key), as_json)
    before = at.ring.register().active(entry.use)
    after = done(at.activate(entry, at.behind(entry), although), as_json)
    steps = [_heard(node)]
    if before is not None:
        later = f"tongban key retire {before.id[:8]}"
        steps.append(_next(f"重叠期后 {later}", f"after the overlap: {later}"))
    _tell(after, as_json, *steps, former=before.id if before else None)


@group.command(help=say("停用：重叠期结束，或放弃未用的密钥", "Retire: the overlap is over, or it was never used"))
@_KEY
@_ALTHOUGH
@REASON
@_BY
@CONFIG
@JSON
@on_node
def retire(key: str, although: bool, reason: str, by: str, path: str, as_json: bool) -> None:
    """Exit 1 while something open depends on it, unless asked twice."""
    node = open_node(path)
    at = desk(node, by)
    entry = done(at.find(key), as_json)
    after = done(at.retire(entry, reason, at.depends(entry), although), as_json)
    _tell(after, as_json, _heard(node), *_card_steps(at, after))


@group.command(help=say("归档：销毁本机上的私钥", "Archive: destroy the private key on this node"))
@_KEY
@REASON
@_BY
@CONFIG
@JSON
@on_node
def archive(key: str, reason: str, by: str, path: str, as_json: bool) -> None:
    """For a retired key."""
    at = desk(open_node(path), by)
    _tell(done(at.archive(done(at.find(key), as_json), reason), as_json), as_json)


@group.command(help=say("吊销（两人）：密钥失密或疑似失密", "Revoke (two persons): the key is or may be lost"))
@_KEY
@_ORDER
@REASON
@_BY
@CONFIG
@JSON
@on_node
def revoke(key: str, order: str | None, reason: str, by: str, path: str, as_json: bool) -> None:
    """At once on this node; partners learn of it by the next card, which is pushed to them as soon as it is installed."""
    node = open_node(path)
    at = desk(node, by, order)
    after = done(at.revoke(done(at.find(key), as_json), reason), as_json)
    steps = [_heard(node), *_card_steps(at, after)]
    if at.ring.register().active(after.use) is None:
        zh, en = "没有在用密钥，请启用备用的一把", "no key is in use now: activate a spare one"
        steps.insert(0, say(f"{after.use} {zh}", f"{after.use}: {en}"))
    _tell(after, as_json, *steps)


def _card_steps(at: KeyDesk, entry: Entry) -> list[str]:
    """Where the card lists a key that has left, the next one has to be signed."""
    return [str(at.next_card()), _sign_step()] if at.listed(entry) else []
