"""``tongban registry``: the list of cards that a province or the nation signs by a threshold (名册): make, sign, show, import.

Keepers make and sign it on their own machines; a node imports it and then adds partners from it without another
comparison of fingerprints.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, no, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.exchange.registry import Registry, SignedRegistry

_DAY_MS = 86_400_000
_AGES = {
    "good": ("有效", "good"), "renew": ("即将到期，应更新", "to be renewed"),
    "grace": ("已到期，宽限中", "expired, in grace"), "refused": ("已过期", "expired, refused"),
}  # fmt: skip
_FILE = click.argument("file", metavar=say("名册", "FILE"))
_OUT = click.option("-o", "--out", required=True, metavar="F", help=say("写到", "write to"))


@click.group(help=say("名册：制作、签署、查看、导入", "The registry of cards: make, sign, show, import"))
def group() -> None:
    """The noun."""


@group.command(
    help=say("制作名册（未签）：保管人公钥与各方名片", "A registry, unsigned: keepers' keys and parties' cards")
)
@click.option("--name", default="", help=say("名称（接续旧版时不必给）", "its name (not needed with --after)"))
@click.option("--keeper", "keepers", multiple=True, metavar="NAME=PUB.pem", help=say("保管人，可多次", "a keeper"))
@click.option("--threshold", type=click.IntRange(1, 32), help=say("须几人签署", "signatures needed"))
@click.option("--card", "cards", multiple=True, metavar="F", help=say("名片文件，可多次", "a card, several times"))
@click.option("--without", multiple=True, metavar="PARTY", help=say("除名的一方，可多次", "a party that is struck off"))
@click.option("--after", metavar="F", help=say("接续的旧版", "the version before it"))
@click.option("--renew-days", default=90, show_default=True, help=say("几天后提醒更新", "days until it warns"))
@click.option("--days", default=180, show_default=True, help=say("有效天数", "days until it expires"))
@click.option("--grace-days", default=30, show_default=True, help=say("到期后宽限天数", "days of grace after that"))
@_OUT
@JSON
@on_node
def new(
    name: str, keepers: tuple[str, ...], threshold: int | None, cards: tuple[str, ...], without: tuple[str, ...],
    after: str | None,
    renew_days: int, days: int, grace_days: int, out: str, as_json: bool,
) -> None:  # fmt: skip
    """What is not given stays as in ``--after``; a card given replaces the party's."""
    import msgspec

    from gateway.cli.sm_files import write
    from gateway.exchange import registry as registries
    from gateway.ids import now_ms

    before = _read(after)[0] if after else None
    kept = before.keepers if before else ()
    listed = {one.party: one for one in (before.cards if before else ())} | {
        one.party: one for one in map(_listed, cards)
    }
    now, title = now_ms(), name or (before.name if before else "")
    chosen = tuple(map(_keeper, keepers)) or kept
    needed = threshold or (before.threshold if before else len(chosen) // 2 + 1)
    if not title or not chosen:
        raise click.UsageError(say("新名册须给出 --name 与 --keeper", "a new registry needs --name and --keeper"))
    made = registries.Registry(
        name=title, version=before.version + 1 if before else 1, issued_ms=now, renew_ms=now + renew_days * _DAY_MS,
        expires_ms=now + days * _DAY_MS, grace_ms=grace_days * _DAY_MS, threshold=needed, keepers=chosen,
        cards=tuple(listed[party] for party in sorted(listed.keys() - set(without))),
    )  # fmt: skip
    data = msgspec.json.encode(registries.SignedRegistry(registries.encode(made)), order="sorted")
    registries.read(data)
    write(out, data)
    _finish(*registries.read(data), as_json)


@group.command(help=say("保管人签署", "Sign as a keeper"))
@_FILE
@click.option("--key", required=True, metavar="K.pem", help=say("保管人私钥", "the keeper's private key"))
@click.option("--passphrase-file", metavar="F", help=say("私钥口令文件", "file with the key's passphrase"))
@_OUT
@JSON
@on_node
def sign(file: str, key: str, passphrase_file: str | None, out: str, as_json: bool) -> None:
    """Exit 65 where the key is no keeper's of this list."""
    from gateway import files
    from gateway.cli.anchors import open_checking_provider
    from gateway.cli.output import read_bytes
    from gateway.cli.sm_files import write
    from gateway.exchange import registry as registries
    from signing import keys
    from signing.sm2 import Signer

    passphrase = files.private_bytes(Path(passphrase_file)).rstrip(b"\r\n") if passphrase_file else None
    private = keys.private_from_pem(files.private_bytes(Path(key)), passphrase)
    data = registries.sign(read_bytes(file, registries.MAX_BYTES), Signer(open_checking_provider(), private))
    write(out, data)
    _finish(*registries.read(data), as_json)


@group.command(help=say("查看：保管人、签署、期限、各方", "Keepers, signatures, age, parties"))
@_FILE
@JSON
@on_node
def show(file: str, as_json: bool) -> None:
    """Exit 0 signed by enough of its own keepers and in force, 1 not. Whether to believe them is the reader's to decide."""
    _finish(*_read(file), as_json)


@group.command("import", help=say("导入到本节点", "Hold it on this node"))
@_FILE
@click.option(
    "--fingerprint",
    default="",
    metavar="HEX",
    help=say("首次或恢复：当面核对过的保管人指纹", "first import or recovery: the keepers' fingerprint"),
)
@CONFIG
@JSON
@on_node
def import_(file: str, fingerprint: str, path: str, as_json: bool) -> None:
    """Exit 1 where it does not follow the one held (rollback, too few signatures, a leap, expired)."""
    from gateway.cli.anchors import open_checking_provider
    from gateway.cli.output import finish, read_bytes
    from gateway.exchange import registry as registries
    from gateway.exchange import registryfile
    from gateway.ids import now_ms
    from signing.errors import Rejected

    node, data = open_node(path), read_bytes(file, registries.MAX_BYTES)
    print_ = fingerprint.replace(" ", "").replace(":", "").lower()
    provider = open_checking_provider()
    answer = registryfile.bring_in(node.base / node.config.registry.file, data, print_, now_ms(), provider)
    if isinstance(answer, Rejected):
        no(answer.zh, answer.en, as_json, answer.code)
    lines = [
        say(
            f"已导入 {answer.name} 第 {answer.version} 版，{len(answer.cards)} 方",
            f"imported: {answer.name}, version {answer.version}, {len(answer.cards)} parties",
        ),
        say("登记其中一方：tongban peer add 区划代码 --registry", "add one of them: tongban peer add CODE --registry"),
    ]
    finish(True, {"name": answer.name, "version": answer.version, "parties": len(answer.cards)}, as_json, lines)


def _read(path: str) -> tuple[Registry, SignedRegistry]:
    from gateway.cli.output import read_bytes
    from gateway.exchange import registry as registries

    return registries.read(read_bytes(path, registries.MAX_BYTES))


def _keeper(text: str) -> Any:
    from gateway.cli.output import read_bytes
    from gateway.exchange.registry import Keeper
    from signing import keys

    name, _, path = text.partition("=")
    if not name or not path:
        raise click.BadParameter(say("应为 姓名=公钥文件", "NAME=PUB.pem is expected"), param_hint="--keeper")
    return Keeper(name, keys.public_from_pem(read_bytes(path, 1 << 16)).point)


def _listed(path: str) -> Any:
    """A card as it lies in a file, if its own identity key signed it."""
    from gateway.cli.anchors import open_checking_provider
    from gateway.cli.output import read_bytes, unreadable
    from gateway.exchange import card as cards
    from gateway.exchange.registry import Listed

    data = read_bytes(path, 1 << 20)
    try:
        fingerprint = cards.identity(data)
        return Listed(cards.read(data, fingerprint, open_checking_provider()).party, fingerprint, data)
    except cards.CardError as error:
        unreadable(path, error.zh, error.en)


def _finish(found: Registry, signed: SignedRegistry, as_json: bool) -> None:
    from gateway.cli.anchors import open_checking_provider
    from gateway.cli.output import finish
    from gateway.cli.times import local, rfc3339
    from gateway.exchange import registry as registries
    from gateway.ids import now_ms

    names = registries.signed_by(found, signed, open_checking_provider())
    age, mark = found.standing(now_ms()), registries.fingerprint(found)
    ok = len(names) >= found.threshold and age != "refused"
    data = {
        "name": found.name, "version": found.version, "fingerprint": mark, "threshold": found.threshold,
        "keepers": [one.name for one in found.keepers], "signed_by": names, "standing": age,
        "expires": rfc3339(found.expires_ms), "parties": [one.party for one in found.cards],
    }  # fmt: skip
    lines = [
        say(
            f"{found.name} 第 {found.version} 版：{say(*_AGES[age])}，{local(found.expires_ms)} 到期",
            f"{found.name}, version {found.version}: {say(*_AGES[age])}, expires {rfc3339(found.expires_ms)}",
        ),
        say(f"  保管人指纹 {mark}", f"  keepers' fingerprint {mark}"),
        *(f"  {'✓' if one.name in names else '✗'} {one.name}" for one in found.keepers),
        say(f"  已签 {len(names)}，须 {found.threshold}", f"  signed by {len(names)}, {found.threshold} needed"),
        *(f"  {one.party}  {one.fingerprint}" for one in found.cards),
    ]
    finish(ok, data, as_json, lines)
