"""``tongban key custodian | order | approve``: who the custodians (密钥管理员) are, and how two of them order one act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, REASON, on_node, open_node
from gateway.cli.sm import PASSPHRASE_FILE
from gateway.lang import say

if TYPE_CHECKING:
    from signing.custody import Order

ACTS = ("activate", "revoke", "appoint", "dismiss")
HOUR_MS = 3_600_000


@click.command(help=say("密钥管理员：查看、登记（--pub）、除名（--dismiss）", "Custodians: list, appoint, dismiss"))
@click.argument("name", required=False, metavar=say("姓名", "NAME"))
@click.option("--pub", type=click.Path(), metavar="F", help=say("其 SM2 公钥 PEM", "the own SM2 public key, PEM"))
@click.option("--dismiss", is_flag=True, help=say("除名", "take off the list"))
@click.option(
    "--order", "order_file", type=click.Path(), metavar="F",
    help=say("已有两名管理员时，须有其签署的操作单", "an order, where there are two custodians already"),
)  # fmt: skip
@CONFIG
@JSON
@on_node
def custodian(
    name: str | None, pub: str | None, dismiss: bool, order_file: str | None, path: str, as_json: bool
) -> None:
    """The list is part of the sealed register."""
    from gateway.cli.key_desk import desk, done
    from gateway.cli.output import finish, read_bytes
    from signing import keys
    from signing.sm2 import PublicKey

    if (pub is not None or dismiss) == (name is None) or (pub is not None and dismiss):
        raise click.UsageError(say("登记：姓名 --pub F；除名：姓名 --dismiss", "NAME --pub F, or NAME --dismiss"))
    at = desk(open_node(path), "", order_file)
    register = at.ring.register()
    if name is not None:
        found = (
            at.dismiss(name.strip())
            if pub is None
            else at.appoint(name.strip(), keys.public_from_pem(read_bytes(pub, 1 << 16)))
        )
        register = done(found, as_json)
    people = [{"name": one.name, "key": PublicKey.from_bytes(one.point).thumbprint} for one in register.custodians]
    lines = [f"{one['name']}  {one['key']}" for one in people] or [
        say("没有登记密钥管理员", "no custodian is registered")
    ]
    finish(True, {"custodians": people}, as_json, lines)


@click.command(help=say("起草操作单，供两名管理员签署", "Write an order for two custodians to sign"))
@click.argument("act", type=click.Choice(ACTS), metavar=say("动作", "ACT"))
@click.argument("subject", metavar=say("密钥编号或姓名", "KEY|NAME"))
@click.option("--pub", type=click.Path(), metavar="F", help=say("登记管理员时其公钥", "to appoint: the public key"))
@click.option("--hours", type=click.IntRange(1, 168), default=24, show_default=True, help=say("有效小时", "good for"))
@click.option("-o", "out", required=True, type=click.Path(), metavar="F", help=say("写入", "where to"))
@REASON
@CONFIG
@JSON
@on_node
def order(act: str, subject: str, pub: str | None, hours: int, out: str, reason: str, path: str, as_json: bool) -> None:
    """Nothing is done by it."""
    from gateway.cli.key_desk import desk, done
    from gateway.cli.output import finish, read_bytes
    from gateway.files import write_public
    from signing import custody, keys

    if not reason.strip() or not f"{subject}{reason}".isprintable():
        raise click.UsageError(say("请用 --reason 说明事由（一行文字）", "give a --reason, in one line"))
    at = desk(open_node(path))
    if act in ("activate", "revoke"):
        subject = done(at.find(subject), as_json).id
    elif act == "appoint":
        if pub is None:
            raise click.UsageError(say("登记管理员须给出 --pub", "to appoint, give --pub"))
        subject = f"{subject.strip()} {keys.public_from_pem(read_bytes(pub, 1 << 16)).thumbprint}"
    made = custody.Order(at.config.node.party, act, subject, reason.strip(), at.now_ms, at.now_ms + hours * HOUR_MS)
    from pathlib import Path

    write_public(Path(out), custody.write(made))
    step = say(f"接下来：两名管理员各自 tongban key approve {out}", f"next: each custodian: tongban key approve {out}")
    finish(True, {**_told(made), "file": out}, as_json, [*_lines(made), step])


@click.command(
    help=say("在操作单上签名（每名管理员一次，可在另一台机器上）", "Sign an order (each custodian, anywhere)")
)
@click.argument("file", metavar=say("操作单", "ORDER"), type=click.Path())
@click.option("--key", required=True, metavar="K.pem", help=say("管理员本人的私钥", "the custodian's own private key"))
@PASSPHRASE_FILE
@JSON
@on_node
def approve(file: str, key: str, passphrase_file: str | None, as_json: bool) -> None:
    """Shows what is signed. Needs nothing of the node."""
    from pathlib import Path

    from gateway.cli.cert_tools import signer
    from gateway.cli.output import finish, read_bytes, unreadable
    from gateway.cli.sm import Context
    from gateway.files import write_public
    from signing import custody
    from signing.errors import Malformed

    try:
        signed, made = custody.read(read_bytes(file, custody.MAX_BYTES))
    except Malformed as error:
        unreadable(file, error.zh, error.en)
    mine = signer(Context(as_json), "auto", key, passphrase_file)
    after = custody.sign(signed, mine)
    write_public(Path(file), after)
    count = len(custody.read(after)[0].signatures)
    step = say(f"已签名（{mine.key_id}），共 {count} 个签名", f"signed ({mine.key_id}), {count} signature(s)")
    finish(True, {**_told(made), "signatures": count}, as_json, [*_lines(made), step])


def _told(made: Order) -> Mapping[str, Any]:
    from gateway.cli.times import rfc3339

    return {
        "node": made.node, "act": made.act, "subject": made.subject, "reason": made.reason,
        "expires": rfc3339(made.expires_ms),
    }  # fmt: skip


def _lines(made: Order) -> list[str]:
    from gateway.cli.times import local

    acts = {"activate": ("启用密钥", "activate key"), "revoke": ("吊销密钥", "revoke key"),
            "appoint": ("登记管理员", "appoint custodian"), "dismiss": ("管理员除名", "dismiss custodian")}  # fmt: skip
    until = local(made.expires_ms)
    return [
        f"{say(*acts.get(made.act, (made.act, made.act)))}  {made.subject}",
        say(f"  节点 {made.node}，{until} 前有效", f"  node {made.node}, good until {until} (Beijing)"),
        say(f"  事由：{made.reason}", f"  reason: {made.reason}"),
    ]
